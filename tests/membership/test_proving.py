"""A consent is proved to a regulator, and a log that was tampered with is not believed."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import Engine
from tests.membership.conftest import Add, log_of

from digest.config.settings import Settings
from digest.errors import UsageError
from digest.membership import listing, proving
from digest.membership.proving import Standing, faults_of
from digest.subscribers.consent import ConsentEvent, Link, chain, fold

AT = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
EVENTS = (
    ConsentEvent("requested", AT, "form", "2026-11/en"),
    ConsentEvent("confirmed", AT + timedelta(hours=1), "link", "2026-11/en", country="DE", regime="DE"),
    ConsentEvent("paused", AT + timedelta(days=3), "button", until=AT + timedelta(days=30)),
)
LINKS = chain(EVENTS)
STANDING = Standing(fold(EVENTS), 3, LINKS[-1].hash)


def test_a_proof_has_the_words_that_were_agreed_to(engine: Engine, settings: Settings, add: Add, now: datetime) -> None:
    add(wording="2026-11/en", country="DE")
    found = proving.proof(engine, settings, "ANN@example.org", now)
    assert (found.state, found.faults) == ("confirmed", ())
    (event,) = found.events
    assert event["wording_text"] == "Yes, send me the weekly digest. I can withdraw at any time."
    assert event["wording_hash"] == sha256(event["wording_text"].encode()).hexdigest()


def test_an_erased_reader_is_proved_by_the_keyed_hash(
    engine: Engine, settings: Settings, add: Add, now: datetime
) -> None:
    add()
    listing.erase(engine, settings, "ann@example.org", now)
    found = proving.proof(engine, settings, "ann@example.org", now)
    assert (found.state, found.faults) == ("erased", ())
    assert [event["kind"] for event in found.events] == ["confirmed", "erased"]


def test_who_was_never_there_has_no_proof(engine: Engine, settings: Settings, now: datetime) -> None:
    with pytest.raises(UsageError, match="no reader has this address"):
        proving.proof(engine, settings, "ann@example.org", now)


def test_anybody_can_make_the_hashes_again_from_the_proof(
    engine: Engine, settings: Settings, add: Add, now: datetime
) -> None:
    add("ann@example.org", "paused", "withdrawn")
    before = ""
    for event in proving.proof(engine, settings, "ann@example.org", now).events:
        facts = {name: value for name, value in event.items() if name not in ("number", "hash", "wording_text")}
        for name in ("at", "until"):
            if name in facts:
                facts[name] = datetime.fromisoformat(facts[name]).isoformat(timespec="microseconds")
        text = json.dumps([before, event["number"], facts], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        before = sha256(text.encode()).hexdigest()
        assert event["hash"] == before


def test_a_log_that_nobody_touched_has_no_fault(engine: Engine, add: Add) -> None:
    assert list(faults_of(LINKS, STANDING)) == []
    assert list(faults_of(log_of(engine, add()), None)) == [
        "the reader's row is gone, but nothing says that they were erased"
    ]


def changed(**facts: object) -> tuple[Link, ...]:
    return (LINKS[0], replace(LINKS[1], event=replace(EVENTS[1], **facts)), LINKS[2])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("links", "standing", "fault"),
    [
        (changed(at=AT), STANDING, "event 2 was changed"),
        (changed(country=None), STANDING, "event 2 was changed"),
        ((LINKS[0], LINKS[2]), STANDING, "event 2 was changed, or one before it was taken away"),
        ((LINKS[0], LINKS[2], LINKS[1]), STANDING, "event 2 was changed"),
        (LINKS[:2], STANDING, "it ends with event 2, but the reader's row knows event 3"),
        ((), STANDING, "there is no event in it"),
        (LINKS, STANDING._replace(consent=replace(STANDING.consent, state="withdrawn")), "says otherwise in state"),
        (LINKS, STANDING._replace(consent=replace(STANDING.consent, paused_until=None)), "otherwise in paused_until"),
        (LINKS, STANDING._replace(hash="0" * 64), "knows event 3 as another"),
        (chain([replace(EVENTS[1], wording_hash="0" * 64)]), None, "the words agreed to in event 1"),
        (chain([replace(EVENTS[1], kind="invented")]), None, "a kind that there is not"),  # type: ignore[arg-type]
    ],
)
def test_what_was_tampered_with_is_named(links: tuple[Link, ...], standing: Standing, fault: str) -> None:
    assert fault in next(iter(faults_of(links, standing)))
