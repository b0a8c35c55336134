"""Readers come with proof of consent and go at once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from digest import membership
from digest.errors import DigestError, StorageError, UsageError
from digest.membership import Imported
from digest.subscribers import links

Rows = Callable[[str], list[dict[str, Any]]]
KEYS = [b"k" * 32]
PROOF = {"consented_at": "2026-01-02T03:04:05Z", "method": "form", "wording": "One email a week"}
HEAD = "email,consented_at,method,wording,country,locale,topics\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "readers.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def add(engine: Engine, now: datetime) -> Callable[..., int]:
    """Adds a reader and answers with the number."""

    def add(email: str = "ann@example.org", **fields: str) -> int:
        membership.add(engine, membership.newcomer({"email": email, **PROOF, **fields}, now), now)
        return next(one.id for one in membership.list_subscribers(engine) if one.email == email)

    return add


def addresses(engine: Engine) -> dict[str, str]:
    return {one.email: one.consent.state for one in membership.list_subscribers(engine)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.ORG", "ann@example.org"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("JÜRGEN@example.org", "ju\u0308rgen@example.org"),
    ],
)
def test_addresses_are_compared_sensibly(one: str, other: str) -> None:
    assert membership.email_key(one) == membership.email_key(other)


@pytest.mark.parametrize("other", ["ann+news@example.org", "a.nn@example.org", "ann@example.com"])
def test_addresses_that_may_be_different_people_stay_apart(other: str) -> None:
    assert membership.email_key("ann@example.org") != membership.email_key(other)


def test_a_reader_is_added_with_the_proof(engine: Engine, add: Callable[..., int], rows: Rows) -> None:
    add("Ann@example.org", country="de", locale="pt_BR", topics="prices; coding")
    (reader,) = membership.list_subscribers(engine)
    assert (reader.email, reader.locale, reader.topics) == ("Ann@example.org", "pt-BR", ("prices", "coding"))
    assert reader.consent.country == "DE"
    (event,) = rows("consent_event")
    assert (event["kind"], event["method"], event["wording"]) == ("confirmed", "form", "One email a week")
    assert reader.consent.confirmed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"email": "ann"}, "email is no address"),
        ({"email": "Ann <ann@example.org>"}, "email is no address"),
        ({"email": "ann@example.org\r\nBcc: x@example.org"}, "email is no address"),
        ({"email": ""}, "email missing"),
        ({"method": " ", "wording": ""}, "method and wording missing"),
        ({"consented_at": ""}, "consented_at missing"),
        ({"consented_at": "02/01/2026"}, "consented_at is no date"),
        ({"consented_at": "2026-01-02T03:04:05"}, "without its zone"),
        ({"consented_at": "2026-05-05"}, "in the future"),
        ({"country": "Germany"}, "country is no ISO 3166 code"),
        ({"locale": "<script>"}, "locale is no language tag"),
    ],
)
def test_a_reader_without_good_proof_is_refused(changed: dict[str, str], reason: str, now: datetime) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        membership.newcomer({"email": "ann@example.org", **PROOF, **changed}, now)
    assert "ann" not in str(caught.value)


def test_a_reader_is_added_once(engine: Engine, add: Callable[..., int], rows: Rows) -> None:
    add()
    with pytest.raises(DigestError, match="subscribed already") as caught:
        add("ANN@example.org")
    assert "ann" not in str(caught.value).lower()
    assert len(rows("consent_event")) == 1


def test_who_left_comes_back_only_by_a_newer_consent(engine: Engine, add: Callable[..., int], now: datetime) -> None:
    add()
    membership.remove(engine, "ann@example.org", now - timedelta(days=1))
    with pytest.raises(DigestError, match="left after that consent"):
        add()
    add(consented_at=(now - timedelta(hours=1)).isoformat())
    assert addresses(engine) == {"ann@example.org": "confirmed"}


def test_an_import_adds_counts_and_leaves_alone(
    engine: Engine, add: Callable[..., int], write: Callable[[str], Path], now: datetime, rows: Rows
) -> None:
    add("known@example.org")
    add("left@example.org")
    membership.remove(engine, "left@example.org", now)
    events = rows("consent_event")
    lines = [f"{name}@example.org,2026-04-30,form,yes,DE,de," for name in ("new", "KNOWN", "left", "New")]
    result = membership.import_csv(engine, write(HEAD + "\n".join(lines)), now)
    assert result == Imported(added=1, known=2, withdrawn=1)
    assert addresses(engine)["left@example.org"] == "withdrawn"
    assert rows("consent_event")[: len(events)] == events
    assert len(rows("consent_event")) == len(events) + 1


def test_an_import_never_brings_back_who_left_however_new_the_proof(
    engine: Engine, add: Callable[..., int], write: Callable[[str], Path], now: datetime
) -> None:
    add()
    membership.remove(engine, "ann@example.org", now - timedelta(days=30))
    file = write(HEAD + f"ann@example.org,{now.isoformat()},form,yes,,,\n")
    assert membership.import_csv(engine, file, now) == Imported(0, 0, 1)
    assert addresses(engine) == {"ann@example.org": "withdrawn"}


def test_an_import_again_adds_nobody(engine: Engine, write: Callable[[str], Path], now: datetime) -> None:
    file = write(HEAD + "".join(f"r{n}@example.org,2026-04-30,form,yes,,,\n" for n in range(1200)))
    assert membership.import_csv(engine, file, now) == Imported(1200, 0, 0)
    assert membership.import_csv(engine, file, now) == Imported(0, 1200, 0)


def test_one_bad_line_stores_nothing_and_is_named(engine: Engine, write: Callable[[str], Path], now: datetime) -> None:
    good = "ann@example.org,2026-04-30,form,yes,,,\n"
    file = write(HEAD + good + "bad,2026-04-30,form,yes,,,\n" + good + "ben@example.org,2026-04-30,form,,,,\n")
    with pytest.raises(DigestError) as caught:
        membership.import_csv(engine, file, now)
    assert str(caught.value) == (
        "readers.csv was not imported, 2 of 4 lines are wrong: line 3: email is no address: "
        "An email address must have an @-sign; line 5: wording missing. Mend them and import again; nothing was stored."
    )
    assert addresses(engine) == {}


def test_of_many_bad_lines_the_first_are_named(engine: Engine, write: Callable[[str], Path], now: datetime) -> None:
    with pytest.raises(DigestError, match=r"9 of 9 lines are wrong: line 2: .*line 6: .*; and 4 more\."):
        membership.import_csv(engine, write(HEAD + "x,2026-04-30,form,yes,,,\n" * 9), now)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no column email, consented_at, method, wording"),
        ("email,method,wording\n", "has no column consented_at"),
        ("email,consented_at,method,wording,phone\n", 'has an unknown column "phone"'),
        (HEAD + "ann@example.org,2026-04-30,form,yes,,,,,\n", "line 2: more fields than the head line names"),
        (HEAD + 'ann@example.org,2026-04-30,form,"yes,,,\n', "is no CSV file from line 2"),
    ],
)
def test_a_file_that_is_no_list_of_readers_is_one_sentence(
    engine: Engine, write: Callable[[str], Path], now: datetime, text: str, reason: str
) -> None:
    with pytest.raises(DigestError, match=reason):
        membership.import_csv(engine, write(text), now)


def test_a_file_in_another_encoding_or_place_is_one_sentence(engine: Engine, tmp_path: Path, now: datetime) -> None:
    (tmp_path / "latin.csv").write_bytes(HEAD.encode() + "jürgen@example.org,2026-04-30,f,y,,,\n".encode("latin-1"))
    with pytest.raises(DigestError, match=r"latin\.csv is not UTF-8"):
        membership.import_csv(engine, tmp_path / "latin.csv", now)
    with pytest.raises(StorageError, match="No such file"):
        membership.import_csv(engine, tmp_path / "none.csv", now)


def test_a_file_as_spreadsheets_write_it_is_read(engine: Engine, write: Callable[[str], Path], now: datetime) -> None:
    file = write('\ufeffemail,consented_at,method,wording\r\nann@example.org,2026-04-30,form,"a, b"\r\n\r\n')
    assert membership.import_csv(engine, file, now) == Imported(1, 0, 0)


def test_removing_withdraws_and_keeps_the_log(
    engine: Engine, add: Callable[..., int], now: datetime, rows: Rows
) -> None:
    add()
    assert membership.remove(engine, "ANN@example.org", now)
    assert not membership.remove(engine, "ann@example.org", now)
    assert [event["kind"] for event in rows("consent_event")] == ["confirmed", "withdrawn"]


def test_removing_an_unknown_address_is_said_without_naming_it(engine: Engine, now: datetime) -> None:
    with pytest.raises(UsageError, match="no reader has this address") as caught:
        membership.remove(engine, "ann@example.org", now)
    assert "ann" not in str(caught.value)


def test_a_link_unsubscribes_once_and_is_fine_twice(
    engine: Engine, add: Callable[..., int], now: datetime, rows: Rows
) -> None:
    token = links.sign(links.UNSUBSCRIBE, add(), KEYS)
    assert membership.unsubscribe_by_token(engine, token, KEYS, now)
    assert membership.unsubscribe_by_token(engine, token, KEYS, now + timedelta(days=900))
    assert [event["kind"] for event in rows("consent_event")] == ["confirmed", "withdrawn"]
    assert addresses(engine) == {"ann@example.org": "withdrawn"}


def test_a_forged_link_changes_nothing(engine: Engine, add: Callable[..., int], now: datetime, rows: Rows) -> None:
    number = add()
    for token in (
        links.sign(links.UNSUBSCRIBE, number, [b"x" * 32]),
        links.sign("confirm", number, KEYS),
        "",
        "A" * 32,
    ):
        assert not membership.unsubscribe_by_token(engine, token, KEYS, now)
    assert len(rows("consent_event")) == 1
    assert addresses(engine) == {"ann@example.org": "confirmed"}


def test_the_link_of_an_erased_reader_is_still_ours(engine: Engine, now: datetime, rows: Rows) -> None:
    assert membership.unsubscribe_by_token(engine, links.sign(links.UNSUBSCRIBE, 4711, KEYS), KEYS, now)
    assert rows("consent_event") == []
