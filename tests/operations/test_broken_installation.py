"""What `digest status` and `digest doctor` say of a broken installation names each planted fault, and its mending."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.delivery.relay import free_port

from digest import config
from digest.config import Settings, asset
from digest.database import writing
from digest.delivery import throttles
from digest.delivery.outbox import Mailing
from digest.delivery.pacing import Throttle
from digest.operations import doctor
from digest.operations.doctor import examine
from digest.operations.status import read_status
from digest.scores.store import add_failure
from digest.subscribers import store

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SOURCE = config.Source.model_validate(
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
    "a source that fails": ("source board failed: it answers 500.",),
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
            "sources": {"board": SOURCE},
            "smtp": config.Smtp.model_validate(relay),
            "delivery": settings.delivery.model_copy(update={"transport": "smtp"}),
            "series": settings.series.model_copy(update={"base_url": "http://digest.example", "postal_address": ""}),
            "mail": settings.mail.model_copy(update={"from_address": config.Mail().from_address}),
            "dkim": config.Dkim(domain="localhost.localdomain", keys={"s1": tmp_path / "s1.pem"}),
            "location": config.Location(database=damaged),
        }
    )


@pytest.fixture
def harmed(
    engine: Engine,
    broken: Settings,
    add_readers: Callable[[int], list[int]],
    queue: Callable[[], Mailing],
    now: datetime,
) -> Engine:
    """A database with six faults."""
    readers = add_readers(3)
    queue()
    with writing(engine) as connection:
        add_failure(connection, "board", now.date(), now, "it answers 500.")
        became = text("UPDATE delivery SET state = 'uncertain' WHERE subscriber_id = :one")
        connection.execute(became, {"one": readers[0]})
        connection.execute(text("UPDATE mailing SET control = 'paused'"))
        changed = text("UPDATE consent_event SET method = 'letter' WHERE subscriber_id = :one")
        connection.execute(changed, {"one": readers[1]})
        store.brake(connection, now, now + timedelta(hours=1))
        closed = Throttle("google", now, closed_until=now + timedelta(hours=1), trips=1, said="421 too much")
        throttles.save(connection, {}, {"google": closed}, now)
    return engine


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
    assert missing == set(), said


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
