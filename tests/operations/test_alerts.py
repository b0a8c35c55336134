"""A person is told of each trouble once, by mail and by a signed POST, and not again before it was over for a day."""

import base64
import email
import email.policy
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from requests import PreparedRequest
from responses import RequestsMock
from sqlalchemy import Engine, text

from digest import scheduler
from digest.config.sections import Alerts, Hooks
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import throttles
from digest.delivery.outbox import Mailing
from digest.delivery.outcomes import Outcome
from digest.delivery.pacing import Throttle
from digest.delivery.transports import Advance, Envelope
from digest.delivery.transports.maildir import Maildir
from digest.errors import ConfigError, DeliveryError, StorageError
from digest.operations import alerts, store
from digest.operations.alerts import tell
from digest.operations.posting import post, signature

KEY = bytes(range(32))
HOOKS = Hooks(
    alerts="https://ops.example/hook/secret-token", secret=SecretStr("whsec_" + base64.b64encode(KEY).decode())
)


@pytest.fixture
def watched(settings: Settings) -> Settings:
    """Settings by which one operator is mailed."""
    return settings.model_copy(update={"alerts": Alerts(mail_to=["ops@digest.example"])})


def mails(settings: Settings) -> list[Any]:
    folder = Path(settings.delivery.maildir) / "new"
    found = sorted(folder.iterdir()) if folder.exists() else []
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in found]


@pytest.fixture
def waits(engine: Engine, add_readers: Callable[[int], list[int]], queue: Callable[[], Mailing]) -> Mailing:
    """A mailing that nobody sends."""
    add_readers(3)
    return queue()


def test_a_queue_that_does_not_move_is_told_once_with_what_to_do(
    engine: Engine, watched: Settings, waits: Mailing, now: datetime
) -> None:
    assert tell(engine, watched, now) == 0  # it has just been queued
    assert tell(engine, watched, now + timedelta(minutes=16)) == 1
    assert tell(engine, watched, now + timedelta(minutes=17)) == 0
    (mail,) = mails(watched)
    assert mail["To"] == "ops@digest.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == "Digest: 1 thing to look at"
    assert "3 deliveries of 2026-W18 are still to be made: digest send 2026-W18" in mail.get_content()


def test_a_trouble_that_comes_back_the_same_day_is_the_same_one(
    engine: Engine, watched: Settings, waits: Mailing, now: datetime
) -> None:
    begun, over = now + timedelta(minutes=16), now + timedelta(minutes=20)
    assert tell(engine, watched, begun) == 1
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE mailing SET control = 'paused'")
    assert tell(engine, watched, over) == 0
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE mailing SET control = 'going'")
    assert tell(engine, watched, over + timedelta(hours=23)) == 0
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE mailing SET control = 'paused'")
    assert tell(engine, watched, over + timedelta(hours=24)) == 0
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE mailing SET control = 'going'")
    tell(engine, watched, over + timedelta(hours=49))
    assert sum("still to be made" in mail.get_content() for mail in mails(watched)) == 2


def test_a_hook_is_told_with_a_signature_that_another_can_check(
    engine: Engine, settings: Settings, waits: Mailing, now: datetime
) -> None:
    at, asked = now + timedelta(minutes=16), list[PreparedRequest]()
    hooked = settings.model_copy(update={"hooks": HOOKS})
    with RequestsMock() as web:
        web.post(HOOKS.alerts, status=204)
        assert tell(engine, hooked, at) == 1
        assert tell(engine, hooked, at) == 0
        asked += [call.request for call in web.calls]
    (request,) = asked
    body = request.body if isinstance(request.body, bytes) else b""
    signed = signature(KEY, request.headers["webhook-id"], request.headers["webhook-timestamp"], body)
    assert request.headers["webhook-signature"] == f"v1,{signed}"
    said = json.loads(body)
    assert said["type"] == "operator.alert"
    assert [need["about"] for need in said["data"]["needs"]] == ["mailing edition 2026-W18"]


def test_a_hook_that_fails_does_not_keep_the_mail_and_is_tried_again_with_the_same_id(
    engine: Engine, watched: Settings, waits: Mailing, now: datetime
) -> None:
    at, both = now + timedelta(minutes=16), watched.model_copy(update={"hooks": HOOKS})
    with RequestsMock() as web:
        web.post(HOOKS.alerts, status=500)
        with pytest.raises(DeliveryError, match=r"hook at ops\.example answers 500") as raised:
            tell(engine, both, at)
        assert "secret-token" not in str(raised.value)
        web.replace("POST", HOOKS.alerts, status=200)
        assert tell(engine, both, at + timedelta(minutes=5)) == 1
        assert len({call.request.headers["webhook-id"] for call in web.calls}) == 1
    assert len(mails(watched)) == 1
    with reading(engine) as connection:
        rows = connection.execute(text("SELECT mailed_at, posted_at, telling_until FROM notice")).all()
    assert [(bool(row.mailed_at), bool(row.posted_at), row.telling_until) for row in rows] == [(True, True, None)]


def test_of_two_processes_that_look_at_once_one_tells(
    engine: Engine, watched: Settings, waits: Mailing, now: datetime
) -> None:
    at, counts = now + timedelta(minutes=16), list[int]()

    class Slow(Maildir):
        """While it carries, another process looks."""

        def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
            counts.append(tell(engine, watched, at))
            super().carry(batch, advance, done)

    assert tell(engine, watched, at, Slow(watched.delivery.maildir)) == 1
    assert counts == [0]
    assert len(mails(watched)) == 1


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=400)])
def test_a_process_that_died_while_telling_silences_nobody_for_long_though_its_clock_ran_ahead(
    engine: Engine, watched: Settings, waits: Mailing, now: datetime, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    at = now + timedelta(minutes=20)
    with monkeypatch.context() as killed:
        killed.setattr(alerts, "hand_over", dies)
        with pytest.raises(KeyboardInterrupt):
            tell(engine, watched, at + ahead)
    assert tell(engine, watched, at) == (1 if ahead > timedelta(hours=1) else 0)
    tell(engine, watched, at + timedelta(minutes=5))
    assert len(mails(watched)) == 1


def test_an_end_that_is_still_to_come_keeps_no_trouble_silent(
    engine: Engine, watched: Settings, waits: Mailing, now: datetime
) -> None:
    assert tell(engine, watched, now + timedelta(minutes=16)) == 1
    with writing(engine) as connection:
        store.end_notices(connection, [], now + timedelta(days=400))
    assert tell(engine, watched, now + timedelta(days=2)) == 1
    assert len(mails(watched)) == 2


def test_that_the_database_takes_nothing_is_told_once_until_it_does_again(
    engine: Engine, watched: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StorageError("the disk of the database is full; free some space.")

    look, works = scheduler.teller(engine, watched, lambda: now), tell
    for _ in range(2):
        monkeypatch.setattr(scheduler, "tell", full)
        look()
        look()
        monkeypatch.setattr(scheduler, "tell", works)
        look()
        now += timedelta(hours=1)
    assert [mail.get_content().count("the disk of the database is full") for mail in mails(watched)] == [1, 1]


def test_a_database_that_is_at_fault_is_told_once_by_mail_though_the_hook_is_away(
    engine: Engine, watched: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise StorageError("the disk of the database is full; free some space.")

    monkeypatch.setattr(scheduler, "tell", full)
    look = scheduler.teller(engine, watched.model_copy(update={"hooks": HOOKS}), lambda: now)
    with RequestsMock() as web:
        web.post(HOOKS.alerts, status=500)
        for _ in range(3):
            with pytest.raises(DeliveryError, match="answers 500"):
                look()
        web.replace("POST", HOOKS.alerts, status=200)
        look()
        look()
        assert len(web.calls) == 4
    assert len(mails(watched)) == 1


class Choosy(Maildir):
    """Takes no mail to the second address, and says so in a way that may hold for all that come after it."""

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
        if batch[0].delivery_id == 2:
            no = Outcome("deferred", "RCPT: 550 5.7.1 no such user here", "blocked_policy", "pause")
            done += [(2, no), *((one.delivery_id, Outcome("withheld")) for one in batch[1:])]
        else:
            super().carry(batch, advance, done)


def test_an_address_that_is_refused_keeps_the_others_from_nothing_and_is_named_by_its_place(
    engine: Engine, settings: Settings, waits: Mailing, now: datetime
) -> None:
    at, to = now + timedelta(minutes=16), ["one@digest.example", "gone@digest.example", "three@digest.example"]
    several = settings.model_copy(update={"alerts": Alerts(mail_to=to)})
    with pytest.raises(DeliveryError, match=r'address 2 of \[alerts\] mail_to \("RCPT: 550') as raised:
        tell(engine, several, at, Choosy(settings.delivery.maildir))
    assert "gone@" not in str(raised.value)
    assert tell(engine, several, at + timedelta(minutes=5), Choosy(settings.delivery.maildir)) == 0
    assert {mail["To"] for mail in mails(settings)} == {"one@digest.example", "three@digest.example"}
    assert len(mails(settings)) == 2


def test_what_was_mailed_is_not_mailed_again_whatever_befalls_the_hook(
    engine: Engine, watched: Settings, waits: Mailing, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(alerts, "post", broken)
    for minutes in range(16, 76, 5):
        with pytest.raises(RecursionError):
            tell(engine, watched.model_copy(update={"hooks": HOOKS}), now + timedelta(minutes=minutes))
    assert len(mails(watched)) == 1


@pytest.mark.parametrize("secret", [SecretStr("whsec_dGVzdA=="), SecretStr("")])
def test_a_secret_that_cannot_be_used_is_told_in_a_sentence(secret: SecretStr, now: datetime) -> None:
    with pytest.raises(ConfigError, match="secret is not of the form"):
        post("https://ops.example/x", Hooks(secret=secret), "x", "x", {}, now)


def test_domains_that_may_be_readers_own_are_counted_and_not_named(
    engine: Engine, watched: Settings, now: datetime
) -> None:
    until, names = now + timedelta(minutes=5), ("ann-lovelace.example", "bens.example", "google")
    closed = {name: Throttle(name, now, closed_until=until, said=f"421 {name} is busy") for name in names}
    with writing(engine) as connection:
        throttles.save(connection, {}, closed, now)
    assert tell(engine, watched, now) == 2
    (said,) = (mail.get_content() for mail in mails(watched))
    assert "2 domains of few readers: no mail of ours is taken until 2026-05-04T09:05:00+00:00" in said
    assert "google takes no mail of ours" in said
    assert not any(name in said for name in names[:2])


def test_an_operator_who_wants_no_mail_gets_none(
    engine: Engine, settings: Settings, waits: Mailing, now: datetime
) -> None:
    assert tell(engine, settings, now + timedelta(hours=1)) == 0
    assert mails(settings) == []
