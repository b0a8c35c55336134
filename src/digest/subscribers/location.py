"""Where a visitor is, as a country: the only code that ever holds an IP address, in its variables.

What a visitor says of their country goes before all of this, and is the caller's. No address is kept, logged, raised
or returned; errors that would carry one are answered with "unknown" here.
"""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple

import maxminddb

from digest.config.sections import Location

WARN_DAYS = 60
USED_DAYS = 180
"""A country database older than this answers nothing: addresses move from one country to another."""

Derived = Literal["header", "database", "unknown"]
Address = IPv4Address | IPv6Address
Lookup = Callable[[Address], str | None]

_NO_COUNTRY = ("XX", "ZZ", "EU", "AP")  # how networks and databases write that they do not know
_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d+)?|(?P<four>[\d.]+):\d+")


class Visit(NamedTuple):
    """What is known of a visitor without the address. `network` (/24 or /64) and `area` (/16 or /48) are keyed hashes
    that change daily, for limits."""

    country: str | None
    derived: Derived
    network: str
    area: str


def visit(peer: str | None, headers: Mapping[str, str], settings: Location, key: bytes, lookup: Lookup) -> Visit:
    """What is known of who asks: from a trusted proxy's country header, else from the database. Never raises.

    `peer` is the address that the connection came from. `headers` are the request's; of a name that stands in several
    lines, `items` must give them all, as Starlette's does. `key` is that of the day, see `daily_key`. A header that
    says that the country is not known (XX, T1) is believed too: what the proxy saw there, such as Tor, has none.
    """
    address = _parse(peer or "")
    if address is not None and _is_trusted(address, settings.trusted_proxies):
        named = _lines(headers, settings.country_header)
        address = _behind(_lines(headers, settings.address_header), settings.trusted_proxies)
        if named:
            country = country_code(named[0]) if len(set(named)) == 1 else None
            return Visit(country, "header" if country else "unknown", *_networks(address, key))
    country = lookup(address) if address is not None else None
    return Visit(country, "database" if country else "unknown", *_networks(address, key))


def daily_key() -> Callable[[datetime], bytes]:
    """Gives the key of a day (UTC): random, in memory alone, forgotten when the next day asks for its own."""
    lock, day, key = Lock(), date.min, b""

    def of(now: datetime) -> bytes:
        nonlocal day, key
        with lock:
            if day != (today := now.astimezone(UTC).date()):
                day, key = today, secrets.token_bytes(32)
            return key

    return of


def country_database(path: Path, clock: Callable[[], datetime]) -> Lookup:
    """A country of an address from an MMDB file: read when first asked and whenever the file has changed.

    Answers None where the file is missing, cannot be read, knows no country, or is older than USED_DAYS.
    """
    lock = Lock()
    reader: maxminddb.Reader | None = None
    seen: tuple[int, ...] = ()

    def lookup(address: Address) -> str | None:
        nonlocal reader, seen
        with lock:
            if (found := _stamp(path)) != seen:
                seen, reader = found, open_file(path)
            chosen = reader
        if chosen is None or _days_old(chosen, clock()) > USED_DAYS:
            return None
        return country_of(chosen, address)

    return lookup


def database_age(path: Path, now: datetime) -> str:
    """What a person must do about the country database, as a sentence; empty if nothing, or if there is none."""
    if not path.is_file():
        return ""
    reader = open_file(path)
    if reader is None:
        return f"{path} is no country database that can be read: run `digest geoip update`."
    if (days := _days_old(reader, now)) <= WARN_DAYS:
        return ""
    then = " and no longer used, so countries are unknown" if days > USED_DAYS else ""
    return f"the country database {path} is {days} days old{then}: run `digest geoip update`."


def is_db_ip(path: Path) -> bool:
    """Whether the country file is DB-IP's, whose licence (CC BY 4.0) wants a link on a page."""
    reader = open_file(path)
    if reader is None:
        return False
    with reader:
        return reader.metadata().database_type.upper().startswith("DBIP")


def open_file(path: Path) -> maxminddb.Reader | None:
    """An MMDB file (MaxMind DB file format 2.0), read into memory so that writing over it harms no lookup."""
    try:
        reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
    except Exception:  # noqa: BLE001 (a broken file breaks the library in many ways)
        return None
    return reader if isinstance(reader.metadata().build_epoch, int) else None


def country_of(reader: maxminddb.Reader, address: Address) -> str | None:
    """The country that a database has for an address: its `country.iso_code`, or its `country_code`."""
    try:
        return country_in(reader.get(address))
    except Exception:  # noqa: BLE001 (its words hold the address; a broken file breaks the library in many ways)
        return None


def country_in(record: Any) -> str | None:
    """The country of one record, in the form of MaxMind's databases or in a flat one."""
    if not isinstance(record, dict):
        return None
    nested = record.get("country")
    code = nested.get("iso_code") if isinstance(nested, dict) else record.get("country_code")
    return country_code(code) if isinstance(code, str) else None


def country_code(text: str) -> str | None:
    """A country's code of ISO 3166-1 alpha-2 in capitals, or None for what is none."""
    code = text.strip().upper()
    return code if re.fullmatch(r"[A-Z]{2}", code) and code not in _NO_COUNTRY else None


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        known = path.stat()
    except OSError:
        return (0,)
    return known.st_mtime_ns, known.st_size, known.st_ino


def _days_old(reader: maxminddb.Reader, now: datetime) -> int:
    return int((now.timestamp() - reader.metadata().build_epoch) // 86_400)


def _parse(text: str) -> Address | None:
    """An address, with or without a port; an IPv4 one inside IPv6 (RFC 4291, section 2.5.5.2) is itself."""
    text = text.strip()
    if match := _PORT.fullmatch(text):
        text = match["six"] or match["four"] or ""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _lines(headers: Mapping[str, str], name: str) -> list[str]:
    return [value for key, value in headers.items() if name and key.lower() == name.lower()]


def _behind(lines: Sequence[str], trusted: Sequence[str]) -> Address | None:
    """The visitor's address. Each proxy adds at the right whom it spoke to; what stands further left may be forged."""
    for text in reversed(",".join(lines).split(",")):
        address = _parse(text)
        if address is None or not _is_trusted(address, trusted):
            return address
    return None


def _is_trusted(address: Address, trusted: Sequence[str]) -> bool:
    return any(address in ip_network(text) for text in trusted)


def _networks(address: Address | None, key: bytes) -> tuple[str, str]:
    """Hashes of the /24 or /64 that an address is in, and of the /16 or /48; all who have none share them."""
    sizes = (3, 2) if address is None or address.version == 4 else (8, 6)
    prefixes = [address.packed[:size] if address else b"" for size in sizes]
    network, area = (hmac.digest(key, prefix, "sha256").hex()[:16] for prefix in prefixes)
    return network, area
