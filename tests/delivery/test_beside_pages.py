"""Work beside the pages is done again and again, and its faults are told once and name nobody."""

import threading
from datetime import UTC, datetime

import pytest

from digest.config import Settings
from digest.delivery import workers
from digest.delivery.workers import bounces_read
from digest.errors import DeliveryError

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def test_work_goes_on_after_a_fault_which_is_told_once_until_it_is_over(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_MAIL_EVERY", "_AFTER_A_FAULT"):
        monkeypatch.setattr(workers, name, 0.001)
    fault, unforeseen = DeliveryError("the mailbox cannot be read."), ValueError("ada@example.org")
    script: list[Exception | None] = [None, fault, fault, None, fault, unforeseen, None]
    at: list[datetime] = []
    told: list[str] = []
    over = threading.Event()

    def work(now: datetime) -> None:
        at.append(now)
        if len(at) == len(script):
            over.set()
        if len(at) <= len(script) and (error := script[len(at) - 1]):
            raise error

    with bounces_read(work, settings, lambda: NOW, told.append):
        assert over.wait(10)
    assert set(at) == {NOW}
    cannot = "the mailbox cannot be read."
    assert told == [cannot, cannot, "no returned mail was read: ValueError."]


def test_it_ends_with_what_it_stands_beside(settings: Settings) -> None:
    with bounces_read(lambda _now: None, settings, lambda: NOW, lambda _said: None):
        assert "bounces" in {thread.name for thread in threading.enumerate()}
    assert "bounces" not in {thread.name for thread in threading.enumerate()}
