"""Delivery into a Maildir, repeated as often as one likes."""

import mailbox
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.delivery.outcomes import Outcome
from digest.delivery.transports import Envelope, Turn
from digest.delivery.transports.maildir import Maildir
from digest.errors import DeliveryError

MAIL = Envelope(7, "0123abcd@digest.example", "news@digest.example", "ann@example.org", b"Subject: one\r\n\r\nbody\r\n")


def deliver(folder: Path, allowed: bool = True) -> Outcome:
    with Maildir(folder) as transport:
        return carried(transport, lambda: allowed)


def carried(transport: Maildir, before_dot: Callable[[], bool] = lambda: True) -> Outcome:
    done: list[tuple[int, Outcome]] = []
    transport.carry([MAIL], lambda ready: Turn(ready if before_dot() else (), ()), done)
    ((number, outcome),) = done
    assert number == MAIL.delivery_id
    return outcome


def test_a_mail_lies_in_new_and_mail_programs_read_it(tmp_path: Path) -> None:
    assert deliver(tmp_path / "a" / "outbox").kind == "sent"
    box = mailbox.Maildir(tmp_path / "a" / "outbox", create=False)
    assert [message["Subject"] for message in box] == ["one"]
    assert (tmp_path / "a" / "outbox" / "new" / "0123abcd").read_bytes() == MAIL.content
    assert list((tmp_path / "a" / "outbox" / "tmp").iterdir()) == []


def test_a_mail_delivered_again_is_one_mail(tmp_path: Path) -> None:
    assert {deliver(tmp_path).kind for _ in range(3)} == {"sent"}
    assert len(list(tmp_path.glob("*/*"))) == 1


@pytest.mark.parametrize("flags", ["", ":2,", ":2,S", ":2,FRS"])
def test_a_mail_that_was_read_is_not_delivered_again(tmp_path: Path, flags: str) -> None:
    with Maildir(tmp_path) as transport:
        carried(transport)
        (tmp_path / "new" / "0123abcd").rename(tmp_path / "cur" / f"0123abcd{flags}")
        assert carried(transport).kind == "sent"
    assert [path.name for path in tmp_path.glob("*/*")] == [f"0123abcd{flags}"]


def test_a_mail_withheld_leaves_nothing_behind(tmp_path: Path) -> None:
    assert deliver(tmp_path, allowed=False).kind == "withheld"
    assert list(tmp_path.glob("*/*")) == []


def test_permission_is_asked_while_the_mail_is_complete_but_not_yet_delivered(tmp_path: Path) -> None:
    def complete_in_tmp() -> bool:
        (written,) = tmp_path.glob("*/*")
        return written.parent.name == "tmp" and written.read_bytes() == MAIL.content

    with Maildir(tmp_path) as transport:
        assert carried(transport, complete_in_tmp).kind == "sent"


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(DeliveryError, match=r"the Maildir .*outbox cannot be written: .*; make it writable"):
        deliver(tmp_path / "outbox")
