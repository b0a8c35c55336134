"""Addresses that stand nowhere else, and where they would be found: the search for what must not be kept."""

import hashlib
import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import make_url, text

from digest.database import metadata, open_database

PEER = "127.211.173.149"
"""An address of loopback, from which a client may really come."""
FOUR = "198.51.100.217"
SIX = "2001:db8:ca9a:7e11:9c3f:8d21:b6e4:f507"

VISITS: tuple[Mapping[str, str], ...] = (
    {},
    {"X_Forwarded_For": FOUR},
    {"X_Forwarded_For": f"192.0.2.9, [{SIX}]:4433"},
    {"X_Forwarded_For": f"::ffff:{FOUR}"},
    {"X_Forwarded_For": f"not {FOUR}, {SIX}%eth0, '{PEER}'"},
    {"Forwarded": f'for="[{SIX}]:47011";by={FOUR};proto=https'},
    {"CF_Connecting_IP": FOUR, "CF_IPCountry": "KR", "True_Client_IP": SIX, "X_Real_IP": FOUR},
    {"CF_IPCountry": f"XX {FOUR}", "User_Agent": f"curl from {SIX}", "Referer": f"http://{FOUR}/"},
)
"""Headers in which proxies name whom they speak for, well-formed and not. In a name _ stands for -."""

MAILS = (
    "kanarie+unusual.7@example.org",
    "KANARIE8@Bücher-Kanarie.example.org",
    "kanarie-drüben9@example.org",
    "kanarie{ten}!#$%&*@example.org",
)
_STEM = b"kanarie"  # in each of them, in its ASCII form too


def networks_in(data: bytes) -> set[str]:
    """The network addresses that stand in some bytes: as text, bits, a number, hex, or a hash without a key."""
    folded = data.lower()
    found = {name for name, forms in _NETWORKS.items() if any(form in folded for form in forms)}
    return found | {name for name, forms in _PACKED.items() if any(form in data for form in forms)}


def mails_in(data: bytes) -> set[bytes]:
    """What stands in some bytes around the mail addresses, in whatever way they are written there."""
    return {data[max(0, at.start() - 40) : at.end() + 40] for at in re.finditer(_STEM, data, re.IGNORECASE)} | {
        form for form in _OTHER_MAILS if form in data.lower()
    }


def _forms_of(address: str) -> set[bytes]:
    known = ip_address(address)
    texts = {address, known.exploded, known.packed.hex(), str(int(known)), quote(address, safe="")}
    texts |= {hash(known.exploded.encode()).hexdigest()[:16] for hash in (hashlib.sha256, hashlib.sha1, hashlib.md5)}
    texts |= {address.rpartition(".")[0] + "."} if known.version == 4 else {":".join(address.split(":")[:4])}
    return {one.lower().encode() for one in texts}


def _packed(address: IPv4Address | IPv6Address) -> set[bytes]:
    return {address.packed, address.packed[::-1], *([address.packed[:8]] if address.version == 6 else [])}


_NETWORKS = {address: _forms_of(address) for address in (PEER, FOUR, SIX)}
_PACKED = {address: _packed(ip_address(address)) for address in (PEER, FOUR, SIX)}
_OTHER_MAILS = {
    form.encode()
    for mail in MAILS
    for whole in (mail, mail.rpartition("@")[0])
    for form in (hashlib.sha256(mail.lower().encode()).hexdigest()[:16], unicodedata.normalize("NFD", whole.lower()))
} | {"drüben9".encode(), b"dr%c3%bcben9", b"dr=c3=bcben9"}


def files_of(database_url: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    """All that a database keeps, by name: SQLite's files and a backup, or all of PostgreSQL's tables and its log."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        yield from ((one.name, one.read_bytes()) for one in path.parent.glob(f"{path.name}*"))
        with sqlite3.connect(path) as source, sqlite3.connect(folder / "backup.db") as backup:
            source.backup(backup)
        source.close()
        backup.close()
        yield "backup", (folder / "backup.db").read_bytes()
        return
    yield from _tables(database_url)
    yield "the server's log", (Path(str(url.query["host"])) / "log").read_bytes()


def _tables(database_url: str) -> Iterator[tuple[str, bytes]]:
    engine = open_database(database_url)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(text(f"SELECT t::text FROM {table.name} t")).scalars()
            yield table.name, "\n".join(rows).encode()
    engine.dispose()
