"""Test mails: marked as such, to named addresses alone, outside the outbox, with links that open nothing."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.delivery.relay import Relay, relay
from tests.operations.weeks import AFTER, BEFORE, NOW, W18, W19, W20, desk_of, import_week

from digest import audit
from digest.config.settings import Settings
from digest.database import reading
from digest.edition.renditions import Rendition
from digest.errors import DeliveryError, DigestError, UsageError
from digest.operations.trials import MOST, send_test
from digest.subscribers import links, store
from digest.weekly import stages

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(engine: Engine, settings: Settings, tmp_path: Path) -> Settings:
    chosen = desk_of(settings)
    import_week(engine, chosen, tmp_path, W18, BEFORE)
    import_week(engine, chosen, tmp_path, W19, AFTER)
    stages.draft(engine, chosen, W19, NOW)
    return chosen


@pytest.fixture
def server() -> Iterator[Relay]:
    with relay() as found:
        yield found


def mails(desk: Settings) -> list[EmailMessage]:
    folder = desk.delivery.maildir / "new"
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.iterdir())]
    return sorted(found, key=lambda mail: str(mail["To"]))


def plain_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def over_smtp(desk: Settings, port: int) -> Settings:
    said: dict[str, Any] = {"host": "127.0.0.1", "port": port, "tls": "none", "timeout_seconds": 5}
    delivery = desk.delivery.model_copy(update={"transport": "smtp"})
    return desk.model_copy(update={"delivery": delivery, "smtp": desk.smtp.model_copy(update=said)})


def test_a_draft_goes_to_each_address_once_marked_in_the_subject_and_on_a_line_that_is_seen(
    engine: Engine, desk: Settings
) -> None:
    result = send_test(engine, desk, W19, ["ann@example.org", "ben@example.org", "ANN@example.org"], "eva", NOW)
    assert result == (2, ())
    found = mails(desk)
    assert [str(mail["To"]) for mail in found] == ["ann@example.org", "ben@example.org"]
    for mail in found:
        assert str(mail["Subject"]).startswith("[Test] borealis-1 takes #1")
        assert "<news@digest.example>" in str(mail["From"])
        rich = mail.get_body(("html",))
        assert rich is not None
        assert plain_of(mail).startswith("This is a test of No. 1, for its editors: it went to no reader")
        banner = rich.get_content().partition("<body")[2][:600]
        assert "This is a test of No. 1" in banner
        assert "display:none" not in banner.partition("This is a test")[0]


def test_nothing_is_queued_or_kept_but_how_many_they_were(engine: Engine, desk: Settings, rows: Any) -> None:
    send_test(engine, desk, W19, ["ann@example.org"], "eva", NOW)
    assert rows("mailing") == rows("delivery") == rows("subscriber") == []
    with reading(engine) as connection:
        entry = audit.read(connection)[-1]
    assert (entry.act, entry.who, entry.detail["addresses"], entry.detail["sent"]) == ("tested", "eva", 1, 1)
    assert "ann@example.org" not in str(entry)
    stages.approve(engine, W19, NOW)
    assert stages.send(engine, desk, W19, lambda: NOW).mailing.audience == 0


def test_the_links_of_a_test_open_nothing(engine: Engine, desk: Settings) -> None:
    send_test(engine, desk, W19, ["ann@example.org"], "eva", NOW)
    (mail,) = mails(desk)
    tokens = set(re.findall(r"/unsubscribe/([\w.~-]+)", f"{mail['List-Unsubscribe']} {plain_of(mail)}"))
    with reading(engine) as connection:
        keys = store.link_keys(connection, desk.links, NOW)
    assert [links.read(token, links.UNSUBSCRIBE, keys, NOW) for token in tokens] == [None]


def test_two_tests_of_one_draft_are_two_mails_to_a_mail_program(engine: Engine, desk: Settings) -> None:
    for second in range(2):
        send_test(engine, desk, W19, ["ann@example.org"], "eva", NOW.replace(second=second))
    assert len({str(mail["Message-ID"]) for mail in mails(desk)}) == 2


def test_a_test_is_sent_as_a_group_of_readers_would_get_it(engine: Engine, desk: Settings) -> None:
    send_test(engine, desk, W19, ["ann@example.org"], "eva", NOW, Rendition("de", format="short", regime="DE"))
    (mail,) = mails(desk)
    assert str(mail["Subject"]).startswith("[Test] borealis-1 liegt jetzt")
    assert "Das ist ein Test von Nr. 1" in plain_of(mail)


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        ([], "at least one and at most 10 addresses; 0 were given."),
        ([f"r{number}@example.org" for number in range(MOST + 1)], "at most 10 addresses; 11 were given."),
        (["ann@example.org", "secret-person"], "test address 2: email is no address"),
        (["a@b@c\nBcc: x@example.org"], "test address 1: email is no address"),
    ],
)
def test_addresses_that_are_none_or_too_many_are_one_sentence_without_them(
    engine: Engine, desk: Settings, addresses: list[str], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        send_test(engine, desk, W19, addresses, "eva", NOW)
    assert said in str(caught.value)
    assert "secret-person" not in str(caught.value)
    assert not (desk.delivery.maildir / "new").exists()


def test_a_week_without_a_draft_is_one_sentence(engine: Engine, desk: Settings) -> None:
    with pytest.raises(DigestError, match="there is no edition of 2026-W20 yet"):
        send_test(engine, desk, W20, ["ann@example.org"], "eva", NOW)


def test_a_test_goes_through_the_relay_and_says_who_was_not_taken(
    engine: Engine, desk: Settings, server: Relay
) -> None:
    chosen = over_smtp(desk, server.port)
    result = send_test(engine, chosen, W19, ["ann@example.org", "unknown@example.org"], "eva", NOW)
    assert server.recipients == ["ann@example.org"]
    assert result == (1, ("RCPT: 550 5.1.1 no such user",))


def test_a_test_that_broke_off_stands_in_the_log(engine: Engine, desk: Settings) -> None:
    with pytest.raises(DeliveryError):
        send_test(engine, over_smtp(desk, 1), W19, ["ann@example.org"], "eva", NOW)
    with reading(engine) as connection:
        entry = audit.read(connection)[-1]
    assert (entry.act, entry.who, entry.detail["addresses"]) == ("tested", "eva", 1)
    assert "sent" not in entry.detail


def test_a_relay_that_takes_none_or_is_not_there_is_one_sentence(engine: Engine, desk: Settings, server: Relay) -> None:
    with pytest.raises(DeliveryError, match="none of 1 test mails was taken"):
        send_test(engine, over_smtp(desk, server.port), W19, ["unknown@example.org"], "eva", NOW)
    with pytest.raises(DeliveryError):
        send_test(engine, over_smtp(desk, 1), W19, ["ann@example.org"], "eva", NOW)
