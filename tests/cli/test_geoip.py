"""`digest geoip update`: a database is fetched or taken, looked into, and only then put in place."""

import gzip
import io
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.captures import Answer, body, serving
from tests.subscribers.country_files import NETWORKS, countries, flat, nested, write
from urllib3.util.retry import Retry

from digest.cli import run
from digest.subscribers import country_file

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
PLACE = Path("country.mmdb")
CONFIG = """
[fetch]
retries = 0
allow_http = true
allow_private_addresses = true
"""
Update = Callable[..., tuple[int, str, str]]
Served = Callable[..., tuple[tuple[int, str, str], list[str]]]


@pytest.fixture
def update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Update:
    """Runs the command in an empty folder; gives its exit status, and what it said on stdout and on stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    Path("config.toml").write_text(CONFIG)

    def update(*words: str) -> tuple[int, str, str]:
        status = run(["geoip", "update", *words, "--now", NOW.isoformat()])
        said = capsys.readouterr()
        return status, said.out, said.err

    return update


@pytest.fixture
def served(update: Update, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Runs the command against a server with these answers; gives what it said and which paths were asked for."""

    def run_against(*answers: Answer) -> tuple[tuple[int, str, str], list[str]]:
        asked: list[str] = []

        def noting(answer: Answer) -> Answer:
            def note(request: BaseHTTPRequestHandler) -> None:
                asked.append(request.path)
                answer(request)

            return note

        with serving(*map(noting, answers)) as server:
            monkeypatch.setattr(country_file, "DB_IP", server.url + "lite-{month}.mmdb.gz")
            return update(), asked

    return run_against


@pytest.fixture
def mmdb(tmp_path: Path) -> bytes:
    return countries(tmp_path / "made.mmdb", BUILT).read_bytes()


def in_a_tar(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for inside, content in (("GeoLite2/COPYRIGHT.txt", b"words"), (name, data)):
            entry = tarfile.TarInfo(inside)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


# Fetching


def test_this_months_database_is_fetched_and_put_in_place(served: Served, mmdb: bytes) -> None:
    (status, out, err), asked = served(body(gzip.compress(mmdb)))
    assert (status, err, asked) == (0, "", ["/lite-2026-11.mmdb.gz"])
    assert out.startswith("country.mmdb: DBIP-Country-Lite, built 2026-11-01.\n")
    assert "CC BY 4.0" in out
    assert "https://db-ip.com" in out
    assert PLACE.read_bytes() == mmdb
    assert PLACE.stat().st_mode & 0o777 == 0o644


def test_last_months_is_fetched_where_there_is_none_of_this_month_yet(served: Served, mmdb: bytes) -> None:
    (status, _, _), asked = served(body(b"", 404), body(gzip.compress(mmdb)))
    assert (status, asked) == (0, ["/lite-2026-11.mmdb.gz", "/lite-2026-10.mmdb.gz"])
    assert PLACE.read_bytes() == mmdb


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            body(b"", 404),
            "No country database was fetched (127.0.0.1 answered with status 404); the one there is stays.",
        ),
        (body(b"<html>busy</html>"), "This is no country database: not an MMDB file, or a broken one."),
        (body(gzip.compress(b"words")), "This is no country database: not an MMDB file, or a broken one."),
        (body(gzip.compress(b"words")[:-9]), "This is no country database: the file ends in the middle of its gzip"),
        (body(b""), "This is no country database: not an MMDB file, or a broken one."),
    ],
)
def test_what_cannot_be_fetched_or_believed_leaves_the_old_file(served: Served, answer: Answer, said: str) -> None:
    PLACE.write_bytes(b"the old one")
    (status, out, err), _ = served(answer)
    assert (status, out) == (1, "")
    assert err.startswith(f"digest: {said}")
    assert err.count("\n") == 1
    assert PLACE.read_bytes() == b"the old one"


# A file of the operator's


@pytest.mark.parametrize(
    "packed",
    [bytes, gzip.compress, lambda data: in_a_tar("GeoLite2-Country_20261101/GeoLite2-Country.mmdb", data)],
    ids=["mmdb", "mmdb.gz", "tar.gz"],
)
@pytest.mark.parametrize("shape", [nested, flat])
def test_a_file_is_taken_in_each_way_it_is_shipped(
    update: Update, packed: Callable[[bytes], bytes], shape: Callable[[str], object]
) -> None:
    records = {network: shape(code) for network, code in NETWORKS.items()}
    made = write(Path("made"), BUILT, records, kind="GeoLite2-Country").read_bytes()
    Path("given").write_bytes(packed(made))
    status, out, err = update("given")
    assert (status, err) == (0, "")
    assert out.startswith("country.mmdb: GeoLite2-Country, built 2026-11-01.\n")
    assert "CC BY" not in out
    assert PLACE.read_bytes() == made


def refused(update: Update, *words: str) -> str:
    """The one sentence with which a file is refused; the old file stays, and nothing lies beside it."""
    PLACE.write_bytes(b"the old one")
    before = set(Path().iterdir())
    status, out, err = update(*words)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert PLACE.read_bytes() == b"the old one"
    assert set(Path().iterdir()) == before
    return err.removeprefix("digest: ").rstrip("\n")


def test_a_file_that_is_not_there_is_named(update: Update) -> None:
    said = refused(update, "nowhere.mmdb")
    assert said == "nowhere.mmdb cannot be read (No such file or directory); name a .mmdb, .mmdb.gz or .tar.gz."


def test_a_file_that_ends_early_is_refused(update: Update, mmdb: bytes) -> None:
    Path("given").write_bytes(mmdb[: len(mmdb) // 2])
    assert refused(update, "given") == "This is no country database: not an MMDB file, or a broken one."


def test_an_archive_without_a_database_is_refused(update: Update) -> None:
    Path("given").write_bytes(in_a_tar("README", b"words"))
    assert refused(update, "given") == "The archive holds no .mmdb file."


def test_a_database_of_something_else_is_refused(update: Update) -> None:
    write(Path("given"), BUILT, {"203.0.113.0/24": {"autonomous_system_number": 64496}}, kind="GeoLite2-ASN")
    assert refused(update, "given").startswith("This database knows no country: ")


def test_a_database_that_would_not_be_used_for_its_age_is_refused(update: Update) -> None:
    countries(Path("given"), NOW - timedelta(days=181))
    said = refused(update, "given")
    assert said == "This country database was built on 2026-05-23, over 180 days ago; fetch a newer one."


@pytest.mark.parametrize("built", [datetime(1970, 1, 1, tzinfo=UTC), NOW + timedelta(days=30)])
def test_a_database_from_a_time_that_cannot_be_is_refused(update: Update, built: datetime) -> None:
    countries(Path("given"), built)
    assert refused(update, "given") == "This country database says that it was built at a time that cannot be."


def test_a_bomb_is_not_unpacked(update: Update) -> None:
    Path("config.toml").write_text("[fetch]\nmax_megabytes = 1\n")
    Path("given").write_bytes(gzip.compress(bytes(2_000_000)))
    assert "the file holds more than 1 MB ([fetch] max_megabytes)" in refused(update, "given")


def test_a_place_that_cannot_be_written_is_named(update: Update, mmdb: bytes) -> None:
    Path("given").write_bytes(mmdb)
    Path("config.toml").write_text('[location]\ndatabase = "nowhere/country.mmdb"\n')
    said = refused(update, "given")
    assert said.startswith(
        "nowhere/country.mmdb cannot be written (No such file or directory); see [location] database"
    )


def test_a_place_that_is_no_file_is_named_and_nothing_is_left_beside_it(update: Update, mmdb: bytes) -> None:
    Path("given").write_bytes(mmdb)
    PLACE.mkdir()
    before = set(Path().iterdir())
    assert update("given")[2].startswith("digest: country.mmdb cannot be written (Is a directory); see [location]")
    assert set(Path().iterdir()) == before


def test_what_a_file_says_of_itself_is_printed_without_its_control_characters(update: Update) -> None:
    write(Path("given"), BUILT, {"203.0.113.0/24": flat("AU")}, kind="\x1b[31mred\n")
    assert update("given")[1].startswith("country.mmdb: [31mred, built 2026-11-01.\n")
