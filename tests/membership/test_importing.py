"""Readers come with proof of consent, one by one or by the file, and who left stays away."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.membership.conftest import HEAD, PROOF, Add, Write, addresses

from digest.config.settings import Settings
from digest.errors import DigestError, StorageError, UsageError
from digest.membership import importing, listing
from digest.membership.addresses import email_key
from digest.membership.importing import Imported
from digest.subscribers import regimes
from digest.subscribers.consent import WORDINGS, hash_of

Rows = Callable[[str], list[dict[str, Any]]]
Import = Callable[..., Imported]


@pytest.fixture
def take(engine: Engine, settings: Settings, write: Write, now: datetime) -> Import:
    """Imports lines below the usual head line."""

    def take(*lines: str, **options: Any) -> Imported:
        return importing.import_csv(engine, settings, write(HEAD + "".join(f"{it}\n" for it in lines)), now, **options)

    return take


def line(email: str, at: str = "2026-04-30", country: str = "", topics: str = "") -> str:
    return f"{email},{at},form,yes,{country},,{topics}"


def outcomes(report: Path) -> list[tuple[str, str, str]]:
    with report.open(newline="") as file:
        return [(row["line"], row["outcome"], row["reason"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("JÜRGEN@example.org", "ju\u0308rgen@example.org"),
    ],
)
def test_addresses_are_compared_sensibly(one: str, other: str) -> None:
    assert email_key(one) == email_key(other)


@pytest.mark.parametrize("other", ["ann+news@example.org", "a.nn@example.org", "ann@example.com"])
def test_addresses_that_may_be_different_people_stay_apart(other: str) -> None:
    assert email_key("ann@example.org") != email_key(other)


def test_a_reader_is_added_with_the_proof(engine: Engine, add: Add, rows: Rows) -> None:
    add("Ann@example.org", country="de", locale="en_GB", topics="prices; models")
    (reader,) = listing.list_subscribers(engine)
    assert (reader.email, reader.locale, reader.topics) == ("Ann@example.org", "en", ("models", "prices"))
    (event,) = rows("consent_event")
    assert (event["kind"], event["method"], event["wording"]) == ("confirmed", "form", "One email a week")
    assert event["wording_hash"] == sha256(b"One email a week").hexdigest()
    assert (event["country"], event["derived"], event["regime"]) == ("DE", "import", "DE")
    assert event["regime_version"] == regimes.packaged_regimes().version
    assert reader.consent.confirmed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_version_of_our_own_wording_is_proved_by_its_text(add: Add, rows: Rows) -> None:
    add(wording="2026-11/en")
    (event,) = rows("consent_event")
    assert event["wording_hash"] == hash_of(WORDINGS["2026-11/en"])


def test_a_consent_lapses_as_long_after_it_was_given_as_its_region_says(engine: Engine, add: Add) -> None:
    add("kim@example.org", country="KR")
    add("ann@example.org", country="GB")
    add("who@example.org")
    lapses = {one.email: one.consent.reconfirm_by for one in listing.list_subscribers(engine)}
    assert lapses["kim@example.org"] == datetime(2028, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert lapses["who@example.org"] == datetime(2028, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert lapses["ann@example.org"] is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"email": "ann"}, "email is no address"),
        ({"email": "Ann <ann@example.org>"}, "email is no address"),
        ({"email": "ann@example.org\r\nBcc: x@example.org"}, "email is no address"),
        ({"email": ""}, "email missing"),
        ({"method": " ", "wording": ""}, "method and wording missing"),
        ({"method": "form\0"}, "method holds control characters"),
        ({"wording": "x" * 10_001}, "more than 10,000 characters"),
        ({"consented_at": ""}, "consented_at missing"),
        ({"consented_at": "02/01/2026"}, "consented_at is no date"),
        ({"consented_at": "2026-01-02T03:04:05"}, "without its zone"),
        ({"consented_at": "2026-05-05"}, "in the future"),
        ({"consented_at": "9999-12-31T23:59:59-23:59"}, "in the future"),
        ({"consented_at": "0001-01-01T00:00:00+14:00"}, "before 1971"),
        ({"country": "Germany"}, "country is no ISO 3166 code"),
        ({"locale": "<script>"}, "locale is no language tag"),
        ({"locale": "xx"}, "locale is none of en, de"),
        ({"topics": "models;coding"}, "topics are models, scores"),
    ],
)
def test_a_reader_without_good_proof_is_refused(
    changed: dict[str, str], reason: str, settings: Settings, now: datetime
) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        importing.newcomer({"email": "ann@example.org", **PROOF, **changed}, settings, now)
    assert "ann" not in str(caught.value)


def test_a_reader_is_added_once(add: Add, rows: Rows) -> None:
    add()
    with pytest.raises(DigestError, match="subscribed already") as caught:
        add("ANN@example.org")
    assert "ann" not in str(caught.value).lower()
    assert len(rows("consent_event")) == 1


@pytest.mark.parametrize("left", ["withdrawn", "bounced", "expired"])
def test_who_left_comes_back_only_by_a_newer_consent(engine: Engine, add: Add, now: datetime, left: Any) -> None:
    add("ann@example.org", left, at=now - timedelta(days=1))
    with pytest.raises(DigestError, match="left after that consent"):
        add()
    add(consented_at=(now - timedelta(hours=1)).isoformat())
    assert addresses(engine) == {"ann@example.org": "confirmed"}


def test_nobody_brings_back_who_complained_or_was_erased(
    engine: Engine, settings: Settings, add: Add, now: datetime
) -> None:
    add("ann@example.org", "complained")
    with pytest.raises(DigestError, match="reported a mail as spam"):
        add(consented_at=now.isoformat())
    add("ben@example.org")
    listing.erase(engine, settings, "ben@example.org", now)
    with pytest.raises(DigestError, match="asked to be forgotten"):
        add("ben@example.org", consented_at=now.isoformat())


def test_a_consent_that_has_lapsed_adds_nobody(engine: Engine, add: Add) -> None:
    with pytest.raises(DigestError, match="by the rules of KR this consent had to be renewed by 2026-05-03"):
        add(country="KR", consented_at="2024-05-03")
    assert addresses(engine) == {}


def test_an_import_says_of_each_line_what_became_of_it(
    engine: Engine, settings: Settings, add: Add, take: Import, rows: Rows, tmp_path: Path, now: datetime
) -> None:
    for name, then in (("known", ()), ("left", ("withdrawn",)), ("spam", ("complained",)), ("gone", ())):
        add(f"{name}@example.org", *then)
    listing.erase(engine, settings, "gone@example.org", now)
    before = rows("consent_event")
    names = ("new", "KNOWN", "left", "spam", "gone", "New")
    lines = [line(f"{name}@example.org") for name in names] + [line("old@example.org", "2020-01-01", "KR")]
    assert take(*lines, report=tmp_path / "report.csv") == Imported(1, 2, 2, refused=1, lapsed=1)
    told = outcomes(tmp_path / "report.csv")
    assert [outcome for _line, outcome, _reason in told] == [
        *("added", "known", "withdrawn", "withdrawn", "refused", "known", "lapsed")
    ]
    assert told[-1] == ("8", "lapsed", "by the rules of KR this consent had to be renewed by 2022-01-01")
    assert rows("consent_event")[: len(before)] == before
    assert len(rows("consent_event")) == len(before) + 1


def test_the_report_holds_no_address(take: Import, tmp_path: Path) -> None:
    with pytest.raises(DigestError):
        take(line("ann@example.org"), line("ben.example.org"), report=tmp_path / "report.csv")
    text = (tmp_path / "report.csv").read_text()
    assert "ann" not in text
    assert "ben" not in text


def test_the_report_of_a_wrong_file_says_what_each_line_would_have_come_to(
    engine: Engine, take: Import, tmp_path: Path
) -> None:
    with pytest.raises(DigestError, match="1 of 2 lines are wrong"):
        take(line("ann@example.org"), line("bad"), report=tmp_path / "report.csv")
    assert [outcome for _line, outcome, _reason in outcomes(tmp_path / "report.csv")] == ["added", "wrong"]
    assert addresses(engine) == {}


def test_a_dry_run_counts_and_stores_nothing(engine: Engine, take: Import, rows: Rows) -> None:
    assert take(line("ann@example.org"), line("ann@example.org"), dry_run=True) == Imported(1, 1, 0)
    assert addresses(engine) == {}
    assert rows("consent_event") == []


def test_an_import_never_brings_back_who_left_however_new_the_proof(
    engine: Engine, add: Add, take: Import, now: datetime
) -> None:
    add("ann@example.org", "withdrawn", at=now - timedelta(days=30))
    assert take(line("ann@example.org", now.isoformat())) == Imported(0, 0, 1)
    assert addresses(engine) == {"ann@example.org": "withdrawn"}


def test_an_import_of_several_pieces_and_again_adds_each_once(engine: Engine, take: Import) -> None:
    lines = [line(f"r{number % 4500}@example.org") for number in range(5000)]
    heard: list[int] = []
    assert take(*lines, advance=heard.append) == Imported(4500, 500, 0)
    assert sum(heard) == 10_000
    assert take(*lines) == Imported(0, 5000, 0)
    assert len(addresses(engine)) == 4500


def test_of_two_lines_about_one_reader_the_first_counts(engine: Engine, take: Import) -> None:
    take(line("ann@example.org", topics="models"), line("ANN@example.org", topics="prices"))
    (reader,) = listing.list_subscribers(engine)
    assert (reader.email, reader.topics) == ("ann@example.org", ("models",))


def test_one_bad_line_stores_nothing_and_is_named(engine: Engine, take: Import) -> None:
    with pytest.raises(DigestError) as caught:
        take(line("ann@example.org"), line("bad"), line("ann@example.org"), "ben@example.org,2026-04-30,form,,,,")
    assert str(caught.value) == (
        "readers.csv was not imported, 2 of 4 lines are wrong: line 3: email is no address: "
        "an email address must have an @-sign; line 5: wording missing. Mend them and import again; nothing was stored."
    )
    assert addresses(engine) == {}


def test_of_many_bad_lines_the_first_are_named(take: Import) -> None:
    with pytest.raises(DigestError, match=r"9 of 9 lines are wrong: line 2: .*line 6: .*; and 4 more\."):
        take(*[line("x")] * 9)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no column email, consented_at, method, wording"),
        ("email,method,wording\n", "has no column consented_at"),
        ("email,consented_at,method,wording,phone\n", 'has an unknown column "phone"'),
        ("email,email,consented_at,method,wording\n", 'has the column "email" twice'),
        (HEAD + "ann@example.org,2026-04-30,form,yes,,,,,\n", "line 2: more fields than the head line names"),
        (HEAD + 'ann@example.org,2026-04-30,form,"yes,,,\n', "is no CSV file from line 2"),
    ],
)
def test_a_file_that_is_no_list_of_readers_is_one_sentence(
    engine: Engine, settings: Settings, write: Write, now: datetime, text: str, reason: str
) -> None:
    with pytest.raises(DigestError, match=reason):
        importing.import_csv(engine, settings, write(text), now)


def test_a_file_in_another_encoding_or_place_is_one_sentence(
    engine: Engine, settings: Settings, tmp_path: Path, now: datetime
) -> None:
    (tmp_path / "latin.csv").write_bytes(HEAD.encode() + "jürgen@example.org,2026-04-30,f,y,,,\n".encode("latin-1"))
    with pytest.raises(DigestError, match=r"latin\.csv is not UTF-8"):
        importing.import_csv(engine, settings, tmp_path / "latin.csv", now)
    with pytest.raises(StorageError, match="No such file"):
        importing.import_csv(engine, settings, tmp_path / "none.csv", now)


def test_a_report_that_cannot_be_written_stores_nothing(engine: Engine, take: Import, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nothing was stored"):
        take(line("ann@example.org"), report=tmp_path / "none" / "report.csv")
    assert addresses(engine) == {}


def test_a_file_as_spreadsheets_write_it_is_read(
    engine: Engine, settings: Settings, write: Write, now: datetime
) -> None:
    text = '\ufeffemail,consented_at,method,wording\r\nann@example.org,2026-04-30,form,"Yes,\r\nweekly"\r\n'
    assert importing.import_csv(engine, settings, write(text), now) == Imported(1)
    assert addresses(engine) == {"ann@example.org": "confirmed"}


def test_a_date_counts_from_its_first_moment_in_the_zone_of_the_series(settings: Settings, now: datetime) -> None:
    there = settings.model_copy(update={"series": replace_zone(settings, "Europe/Berlin")})
    who = importing.newcomer({"email": "ann@example.org", **PROOF, "consented_at": "2026-05-04"}, there, now)
    assert who.event.at == datetime(2026, 5, 3, 22, 0, tzinfo=UTC)


def replace_zone(settings: Settings, zone: str) -> Any:
    return settings.series.model_copy(update={"timezone": zone})
