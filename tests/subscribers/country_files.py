"""Small databases of countries in the MMDB format, in MaxMind's form and in a flat one."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

NETWORKS = {"203.0.113.0/24": "AU", "198.51.100.0/24": "US", "2001:db8::/32": "DE"}


def nested(code: str) -> dict[str, Any]:
    """As GeoLite2 and DB-IP Lite write it."""
    return {"continent": {"code": "OC"}, "country": {"iso_code": code, "names": {"en": "A country"}}}


def flat(code: str) -> dict[str, Any]:
    return {"country_code": code, "asn": "AS64496"}


def write(
    path: Path, built: datetime, records: Mapping[str, Any], kind: str = "DBIP-Country-Lite", version: int = 6
) -> Path:
    """A database of records by network, that says of itself when it was built."""

    class Dated(MMDBWriter):
        def _build_meta(self) -> dict[str, Any]:
            return {**super()._build_meta(), "build_epoch": int(built.timestamp())}

    writer = Dated(version, kind, ["en"], "of the tests", ipv4_compatible=version == 6)
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


def countries(path: Path, built: datetime, shape: Any = nested, **changed: str) -> Path:
    """A database of NETWORKS; `au="NZ"` writes NZ where AU was."""
    codes = {network: changed.get(code.lower(), code) for network, code in NETWORKS.items()}
    return write(path, built, {network: shape(code) for network, code in codes.items()})
