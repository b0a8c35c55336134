"""The file that countries are looked up in: fetched or taken from the operator, believed only after a look inside."""

import io
import os
import tarfile
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import maxminddb

from digest.config.sections import Fetch
from digest.errors import CaptureError, StorageError
from digest.scores.sources import fetch, gunzip
from digest.scores.store import NO_VALIDATORS
from digest.subscribers.location import USED_DAYS, country_in

DB_IP = "https://download.db-ip.com/free/dbip-country-lite-{month}.mmdb.gz"
"""DB-IP Lite, a new one each month, under CC BY 4.0: https://db-ip.com/db/lite.php"""

_LOOKED_AT = 10_000
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()


class CountryFile(NamedTuple):
    """What a file says of itself."""

    kind: str
    built: datetime


def fetch_newest(limits: Fetch, now: datetime) -> bytes:
    """The newest DB-IP Lite file, as it is served. Raises CaptureError."""
    this = now.astimezone(UTC)
    last = this.replace(day=1) - timedelta(days=1)
    reason = ""
    for month in (this, last):
        try:
            return fetch(DB_IP.format(month=f"{month:%Y-%m}"), limits, NO_VALIDATORS).data or b""
        except CaptureError as error:
            reason = str(error).partition(";")[0].rstrip(".")
    raise CaptureError(
        f"No country database was fetched ({reason}); the one there is stays. "
        "Fetch one by hand and name it: digest geoip update FILE."
    )


def read_file(path: Path) -> bytes:
    """A file of the operator's. Raises StorageError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}); name a .mmdb, .mmdb.gz or .tar.gz.") from error


def install(data: bytes, path: Path, most: int, now: datetime) -> CountryFile:
    """Put a file in place, if it is a database of countries that is young enough; else what is there stays.

    `data` is an MMDB file of at most `most` bytes, bare, gzipped, or in a tar as MaxMind ships it. Raises CaptureError
    for the data and StorageError for the place.
    """
    database = _unpack(data, most)
    found = _checked(database, now)
    _replace(database, path)
    return found


def _unpack(data: bytes, most: int) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = gunzip(data, most)
        except CaptureError as error:
            raise CaptureError(f"This is no country database: {error}.") from error
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            inside = next((one for one in archive if one.isfile() and one.name.endswith(".mmdb")), None)
            unpacked = archive.extractfile(inside) if inside else None
            if unpacked is None:
                raise CaptureError("The archive holds no .mmdb file.")
            return unpacked.read()
    except tarfile.TarError:
        return data  # no archive


def _checked(database: bytes, now: datetime) -> CountryFile:
    """Look inside: the format, its date, a country among the first networks."""
    try:
        reader = maxminddb.open_database(io.BytesIO(database), maxminddb.MODE_FD)
        known = reader.metadata()
        knows = any(country_in(record) for _, record in islice(reader, _LOOKED_AT))
        kind, built = str(known.database_type), float(known.build_epoch)
    except Exception as error:
        raise CaptureError("This is no country database: not an MMDB file, or a broken one.") from error
    if not knows:
        raise CaptureError("This database knows no country: neither country.iso_code nor country_code is in it.")
    if not _EARLIEST <= built <= (now + timedelta(days=7)).timestamp():
        raise CaptureError("This country database says that it was built at a time that cannot be.")
    moment = datetime.fromtimestamp(built, UTC)
    if now - moment > timedelta(days=USED_DAYS):
        raise CaptureError(
            f"This country database was built on {moment:%Y-%m-%d}, over {USED_DAYS} days ago; fetch a newer one."
        )
    return CountryFile("".join(filter(str.isprintable, kind))[:80], moment)


def _replace(database: bytes, path: Path) -> None:
    """Write beside the old file and take its place in one step, readable for the web's user as well."""
    try:
        number, name = tempfile.mkstemp(prefix=".country-", dir=path.parent)
        try:
            with open(number, "wb") as file:
                file.write(database)
                file.flush()
                os.fchmod(number, 0o644)
                os.fsync(number)
            os.replace(name, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}); see [location] database.") from error
