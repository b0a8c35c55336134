"""What `digest status` and `digest doctor` say of a broken installation names each planted fault, and its mending."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.builders import an_edition
from tests.delivery.relay import free_port
from tests.outgoing import some_outgoing
from tests.snapshots import a_board

from digest.config import sections
from digest.config.assets import asset
from digest.config.settings import Settings
from digest.config.source import Source
from digest.database import writing
from digest.delivery import outbox, throttles
from digest.delivery import store as deliveries
from digest.delivery.outbox import Mailing
from digest.delivery.pacing import Throttle
from digest.edition.rendered import Rendered
from digest.edition.store import envelope_of, save_draft
from digest.operations import doctor
from digest.operations.doctor import examine
from digest.operations.status import read_status
from digest.scores.store import add_failure, add_snapshot
from digest.subscribers import store

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SOURCE = Source.model_validate(
    {
        "title": "A board",
        "url": "https://board.example/rows.json",
        "kind": "scores",
        "format": "json",
        "model": "name",
        "columns": {"score": {}},
        "lead": "score",
    }
)

SAID_BY_STATUS = {
    "a source that fails": ("source board failed: it answers 500.", "digest sources check board"),
    "a source that is held back": ("source other is held back (6 of 7 rows are gone)", "digest sources accept other"),
    "a source that stands still": ("source old is stale: unchanged for 63 days.", "stale_after_days"),
    "an approval that is overdue": ("the edition of 2026-W17 waits for approval", "digest approve 2026-W17"),
    "a queue that stands": ("2 deliveries of 2026-W16 are still to be made", "digest send 2026-W16"),
    "an edition that came too late": ("1 delivery of 2026-W15 came too late", "See that digest serve"),
    "too many complaints": ("1 complaint of 1 mail in 30 days", "digest pause"),
    "returned mail that nobody understood": ("1 returned mail of the last 30 days", "read what is flagged"),
    "no https": ("[series] base_url is not https://", "one-click"),
    "no postal address": ("[series] postal_address is empty",),
    "a packaged sender": ("[mail] from_address is still the packaged one", "use a domain of yours"),
    "uncertain deliveries": ("1 uncertain delivery of 2026-W18", "digest reconcile"),
    "a paused mailing": ("the mailing of 2026-W18 is paused", "digest resume 2026-W18"),
    "paused confirmations": ("confirmations are paused until", "digest subscribers list --state requested"),
    "a closed provider": ("google takes no mail of ours until", "see what it says"),
    "a damaged country database": ("digest geoip update",),
}

SAID_BY_DOCTOR = {
    "a relay that is not there": ("cannot be reached", "check [smtp] host and port"),
    "a missing DKIM key": ("s1.pem of [dkim.keys] cannot be read", "make it readable, or name another"),
    "a consent that was changed": ("event 1 was changed", "compare it with a backup"),
    "a broken template": ("templates/email/brief.mjml line 1", "correct it"),
    "a damaged country database": ("digest geoip update",),
}


@pytest.fixture
def broken(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with six faults."""
    damaged = tmp_path / "countries.mmdb"
    damaged.write_text("nothing")
    relay = {"host": "127.0.0.1", "port": free_port(), "tls": "none", "timeout_seconds": 1}
    return settings.model_copy(
        update={
            "sources": {"board": SOURCE, "other": SOURCE, "old": SOURCE},
            "smtp": sections.Smtp.model_validate(relay),
            "delivery": settings.delivery.model_copy(update={"transport": "smtp"}),
            "series": settings.series.model_copy(update={"base_url": "http://digest.example", "postal_address": ""}),
            "mail": settings.mail.model_copy(update={"from_address": sections.Mail().from_address}),
            "dkim": sections.Dkim(domain="localhost.localdomain", keys={"s1": tmp_path / "s1.pem"}),
            "location": sections.Location(database=damaged),
        }
    )


@pytest.fixture
def harmed(
    engine: Engine,
    broken: Settings,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    now: datetime,
    rendered: Rendered,
) -> Engine:
    """A database with twelve faults."""
    readers = add_readers(3)
    leave_standing(engine, now)
    mailing = queue()
    with writing(engine) as connection:
        add_failure(connection, "board", now.date(), now, "it answers 500.")
        became = text("UPDATE delivery SET state = 'uncertain' WHERE subscriber_id = :one AND mailing_id = :mailing")
        connection.execute(became, {"one": readers[0], "mailing": mailing.id})
        connection.execute(text("UPDATE mailing SET control = 'paused' WHERE id = :mailing"), {"mailing": mailing.id})
        changed = text("UPDATE consent_event SET method = 'letter' WHERE subscriber_id = :one")
        connection.execute(changed, {"one": readers[1]})
        store.brake(connection, now, now + timedelta(hours=1))
        closed = Throttle("google", now, closed_until=now + timedelta(hours=1), trips=1, said="421 too much")
        throttles.save(connection, {}, {"google": closed}, now)
        deliveries.count(connection, now.date(), {"complained": 1, "unreadable": 1})
        add_snapshot(connection, a_board({"a": 1}, source="other", on=now.date()), b"", doubt="6 of 7 rows are gone")
        add_snapshot(connection, a_board({"a": 1}, source="old", on=now.date() - timedelta(weeks=9)), b"")
        save_draft(connection, an_edition(week="2026-W17"), rendered, envelope_of(broken), now)
    return engine


def leave_standing(engine: Engine, now: datetime) -> None:
    """Two earlier editions: of one some deliveries are late, of the other one was too late."""
    for week, state, outcome in (("2026-W15", "skipped", "too late"), ("2026-W16", "sent", "ok")):
        with writing(engine) as connection:
            mailing = outbox.queue(connection, some_outgoing(week), "x", now - timedelta(minutes=20))
            became = "UPDATE delivery SET state = :state, outcome = :outcome, next_attempt_at = NULL WHERE id = "
            first = "(SELECT min(id) FROM delivery WHERE mailing_id = :mailing)"
            facts = {"state": state, "outcome": outcome, "mailing": mailing.id}
            connection.execute(text(became + first), facts)


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates of which one was spoiled."""
    shutil.copytree(asset("templates"), tmp_path / "templates")
    (tmp_path / "templates" / "email" / "brief.mjml").write_text("{% if %}")
    monkeypatch.setattr(doctor, "asset", lambda name: tmp_path / name)


def test_status_names_each_of_the_faults_that_it_can_see(harmed: Engine, broken: Settings, now: datetime) -> None:
    said = [need.said for need in read_status(harmed, broken, now).needs]
    missing = {
        fault
        for fault, pieces in SAID_BY_STATUS.items()
        if not any(all(piece in sentence for piece in pieces) for sentence in said)
    }
    assert missing == set(), "\n".join(said)


@pytest.mark.usefixtures("templates")
def test_the_doctor_names_each_of_the_others(harmed: Engine, broken: Settings, now: datetime) -> None:
    found = [finding.said for finding in examine(harmed, broken, now) if finding.level in ("warn", "fail")]
    missing = {
        fault
        for fault, pieces in SAID_BY_DOCTOR.items()
        if not any(all(piece in sentence for piece in pieces) for sentence in found)
    }
    assert missing == set(), found


def test_a_sound_installation_is_told_of_none_of_them(engine: Engine, settings: Settings, now: datetime) -> None:
    assert read_status(engine, settings.model_copy(update={"sources": {}}), now).needs == ()
    assert {finding.level for finding in examine(engine, settings, now)} <= {"ok", "note"}
