"""Where a visitor is: whom we believe, what we answer, and that no address gets out."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hypothesis
import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from tests.subscribers.country_files import countries, flat, nested, write

from digest.config.sections import Location
from digest.subscribers.location import (
    USED_DAYS,
    WARN_DAYS,
    Address,
    Visit,
    country_database,
    country_in,
    daily_key,
    database_age,
    open_file,
    visit,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = b"of the day"
PROXY, READER, OTHER = "10.0.0.7", "203.0.113.9", "198.51.100.20"
SETTINGS = Location(trusted_proxies=["10.0.0.0/8", "2001:db8:ffff::/48"], country_header="CF-IPCountry")
TABLE = {"203.0.113.9": "AU", "198.51.100.20": "US", "2001:db8::9": "DE"}


def table(address: Address) -> str | None:
    return TABLE.get(str(address))


def seen(peer: str | None, headers: dict[str, str] | Headers | None = None, settings: Location = SETTINGS) -> Visit:
    return visit(peer, headers or {}, settings, KEY, table)


def lines(*pairs: tuple[str, str]) -> Headers:
    """The headers of a request as the web framework hands them over, a name in several lines included."""
    return Headers(raw=[(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs])


# Whom we believe


def test_a_trusted_proxy_names_the_country() -> None:
    found = seen(PROXY, {"CF-IPCountry": "fr", "X-Forwarded-For": READER})
    assert (found.country, found.derived) == ("FR", "header")


@pytest.mark.parametrize("name", ["cf-ipcountry", "CF-IPCOUNTRY"])
def test_a_headers_name_is_read_in_any_case(name: str) -> None:
    assert seen(PROXY, {name: "FR"}).country == "FR"


def test_headers_of_anyone_else_are_not_believed() -> None:
    forged = seen(OTHER, {"CF-IPCountry": "FR", "X-Forwarded-For": READER})
    assert forged == seen(OTHER)
    assert (forged.country, forged.derived) == ("US", "database")


def test_no_header_names_the_country_where_none_is_configured() -> None:
    found = seen(PROXY, {"CF-IPCountry": "FR", "": "FR"}, SETTINGS.model_copy(update={"country_header": ""}))
    assert (found.country, found.derived) == (None, "unknown")


@pytest.mark.parametrize("said", ["XX", "T1", "ZZ", "EU", "", "D", "DEU", "D1", "ＤＥ", "DE, FR", "x" * 100_000])
def test_a_proxy_that_does_not_know_the_country_is_believed_as_well(said: str) -> None:
    found = seen(PROXY, {"CF-IPCountry": said, "X-Forwarded-For": READER})
    assert (found.country, found.derived) == (None, "unknown")


def test_a_proxy_that_says_nothing_of_the_country_leaves_it_to_the_database() -> None:
    found = seen(PROXY, {"X-Forwarded-For": READER})
    assert (found.country, found.derived) == ("AU", "database")


def test_two_lines_that_name_different_countries_name_none() -> None:
    assert seen(PROXY, lines(("CF-IPCountry", "FR"), ("CF-IPCountry", "DE"))).derived == "unknown"
    assert seen(PROXY, lines(("CF-IPCountry", "FR"), ("CF-IPCountry", "FR"))).country == "FR"


# Whose address it is


@pytest.mark.parametrize(
    "forwarded",
    [
        READER,
        f" {READER}:4711 ",
        f"{OTHER}, {READER}",
        f"{OTHER},{READER}, 10.1.2.3,::ffff:10.9.9.9",
        f"junk, 10.0.0.1, {READER}, [2001:db8:ffff::1]:443",
    ],
)
def test_the_address_is_the_rightmost_that_is_no_proxy_of_ours(forwarded: str) -> None:
    assert seen(PROXY, {"X-Forwarded-For": forwarded}) == seen(READER)


def test_an_address_forged_in_a_line_of_its_own_is_not_believed() -> None:
    assert seen(PROXY, lines(("X-Forwarded-For", OTHER), ("X-Forwarded-For", READER))) == seen(READER)


@pytest.mark.parametrize("forwarded", ["unknown", f"{READER}, junk", f"{READER}, ", "", "10.0.0.1, 10.0.0.2", "1.2.3"])
def test_what_stands_left_of_something_unreadable_is_not_believed(forwarded: str) -> None:
    found = seen(PROXY, {"X-Forwarded-For": forwarded})
    assert found == seen(None)
    assert (found.country, found.derived) == (None, "unknown")


def test_a_proxy_that_tells_no_address_is_not_taken_for_the_visitor() -> None:
    assert seen(PROXY) == seen(None)


@pytest.mark.parametrize("peer", ["::ffff:203.0.113.9", "203.0.113.9"])
def test_an_ipv4_address_inside_ipv6_is_itself(peer: str) -> None:
    assert seen(peer) == seen(READER)


def test_a_proxy_inside_ipv6_is_trusted_by_its_ipv4_network() -> None:
    assert seen("::ffff:10.0.0.7", {"CF-IPCountry": "FR"}).country == "FR"


def test_an_endless_header_is_read_quickly() -> None:
    assert seen(PROXY, {"X-Forwarded-For": READER + ",10.0.0.1" * 7_000}).country == "AU"
    assert seen(PROXY, {"X-Forwarded-For": "9" * 100_000}).country is None


@pytest.mark.parametrize("peer", [None, "", "testclient", "/run/socket", "fe80::1%eth0", "1.2.3.4.5", "203.0.113.9/24"])
def test_a_peer_without_a_usable_address_is_somewhere_unknown(peer: str | None) -> None:
    found = seen(peer)
    assert (found.country, found.derived) == (None, "unknown")


# The network, for limits


def test_neighbours_share_a_network_and_strangers_do_not() -> None:
    assert seen("203.0.113.1").network == seen("203.0.113.254").network
    assert seen("203.0.112.1").network != seen("203.0.113.1").network
    assert seen("2001:db8:1:2::1").network == seen("2001:db8:1:2:ffff::1").network
    assert seen("2001:db8:1:2::1").network != seen("2001:db8:1:3::1").network


def test_a_network_is_hashed_under_the_key_of_the_day() -> None:
    one, other = (visit(READER, {}, SETTINGS, key, table).network for key in (b"today", b"tomorrow"))
    assert one != other
    assert [len(bytes.fromhex(network)) for network in (one, other)] == [8, 8]


def test_each_day_has_a_key_of_its_own_and_each_process_too() -> None:
    key_of = daily_key()
    today, later = key_of(NOW), key_of(NOW + timedelta(hours=14, minutes=59))
    assert today == later
    assert len({today, key_of(NOW + timedelta(hours=15)), daily_key()(NOW)}) == 3
    assert key_of(NOW) != today, "the key of a day that is over is gone"


# Nothing gets out

CANARY = "203.0.113.97"


def breaks(_address: Address) -> str | None:
    raise AssertionError("a lookup is not asked without an address")


def test_no_address_is_in_what_is_returned_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = [seen(CANARY), seen(PROXY, {"X-Forwarded-For": CANARY}), seen(PROXY, {"X-Forwarded-For": f"{CANARY}x"})]
    assert CANARY not in f"{told!r} {told!s} {caplog.text}"
    assert CANARY.encode().hex() not in repr(told)
    assert ip_address(CANARY).packed.hex() not in repr(told)


@hypothesis.settings(derandomize=True, deadline=None)
@given(st.text() | st.none(), st.text(), st.text())
def test_whatever_comes_in_is_answered(peer: str | None, country: str, forwarded: str) -> None:
    assert seen(peer, {"CF-IPCountry": country}).derived in ("unknown", "database")
    trusted = visit(PROXY, {"CF-IPCountry": country}, SETTINGS, KEY, breaks)
    assert trusted.country is None or (len(trusted.country) == 2 and trusted.country.isascii())
    assert visit(PROXY, {"X-Forwarded-For": forwarded}, SETTINGS, KEY, lambda _: None).country is None


# The database


@pytest.mark.parametrize("shape", [nested, flat])
def test_both_forms_of_a_database_are_read(tmp_path: Path, shape: Callable[[str], Any]) -> None:
    lookup = country_database(countries(tmp_path / "country.mmdb", NOW, shape), lambda: NOW)
    asked = ("203.0.113.9", "198.51.100.200", "2001:db8::9", "192.0.2.1", "::1")
    assert [lookup(ip_address(address)) for address in asked] == ["AU", "US", "DE", None, None]


@pytest.mark.parametrize(
    "record", [None, "DE", {}, {"country": {}}, {"country": "DE"}, {"country_code": 49}, nested("XX")]
)
def test_a_record_without_a_country_is_of_none(record: Any) -> None:
    assert country_in(record) is None


def test_an_ipv6_address_in_a_database_of_ipv4_alone_is_unknown(tmp_path: Path) -> None:
    path = write(tmp_path / "country.mmdb", NOW, {"203.0.113.0/24": flat("AU")}, version=4)
    lookup = country_database(path, lambda: NOW)
    assert lookup(ip_address("203.0.113.9")) == "AU"
    assert lookup(ip_address("2001:db8::9")) is None


def test_a_new_file_is_used_from_the_next_visitor_on(tmp_path: Path) -> None:
    path = tmp_path / "country.mmdb"
    lookup = country_database(path, lambda: NOW)
    assert lookup(ip_address(READER)) is None
    countries(path, NOW)
    assert lookup(ip_address(READER)) == "AU"
    os.replace(countries(tmp_path / "new", NOW, au="NZ"), path)
    assert lookup(ip_address(READER)) == "NZ"
    path.unlink()
    assert lookup(ip_address(READER)) is None


def test_a_file_is_read_once_as_long_as_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []

    def noting(path: Path) -> maxminddb.Reader | None:
        opened.append(path)
        return open_file(path)

    monkeypatch.setattr("digest.subscribers.location.open_file", noting)
    lookup = country_database(countries(tmp_path / "country.mmdb", NOW), lambda: NOW)
    assert {lookup(ip_address(READER)) for _ in range(3)} == {"AU"}
    assert len(opened) == 1


def test_a_file_written_over_in_place_harms_no_lookup(tmp_path: Path) -> None:
    path = countries(tmp_path / "country.mmdb", NOW)
    lookup = country_database(path, lambda: NOW)
    assert lookup(ip_address(READER)) == "AU"
    path.write_bytes(b"half a fi")
    assert lookup(ip_address(READER)) is None


@pytest.mark.parametrize(("days", "country"), [(0, "AU"), (USED_DAYS, "AU"), (USED_DAYS + 1, None)])
def test_an_old_database_knows_nothing(tmp_path: Path, days: int, country: str | None) -> None:
    path = countries(tmp_path / "country.mmdb", NOW)
    assert country_database(path, lambda: NOW + timedelta(days=days))(ip_address(READER)) == country


def test_a_database_grows_old_while_the_program_runs(tmp_path: Path) -> None:
    moments = iter([NOW, NOW + timedelta(days=USED_DAYS + 1)])
    lookup = country_database(countries(tmp_path / "country.mmdb", NOW), lambda: next(moments))
    assert [lookup(ip_address(READER)), lookup(ip_address(READER))] == ["AU", None]


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (WARN_DAYS, ""),
        (WARN_DAYS + 1, " is 61 days old: run `digest geoip update`."),
        (USED_DAYS, " is 180 days old: run `digest geoip update`."),
        (USED_DAYS + 1, " is 181 days old and no longer used, so countries are unknown: run `digest geoip update`."),
    ],
)
def test_the_age_of_a_database_is_told_when_it_matters(tmp_path: Path, days: int, said: str) -> None:
    path = countries(tmp_path / "country.mmdb", NOW)
    assert database_age(path, NOW + timedelta(days=days)) == (f"the country database {path}{said}" if said else "")


def test_a_broken_file_is_told_and_a_missing_one_is_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "country.mmdb"
    assert database_age(path, NOW) == ""
    path.write_bytes(b"junk")
    assert database_age(path, NOW) == f"{path} is no country database that can be read: run `digest geoip update`."


def test_a_file_with_any_byte_broken_answers_or_does_not_but_never_fails(tmp_path: Path) -> None:
    whole = countries(tmp_path / "country.mmdb", NOW).read_bytes()
    broken = tmp_path / "broken.mmdb"
    for place in range(0, len(whole), 7):
        broken.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        found = country_database(broken, lambda: NOW)(ip_address(READER))
        assert found is None or (len(found) == 2 and found.isupper())
        assert isinstance(database_age(broken, NOW), str)
