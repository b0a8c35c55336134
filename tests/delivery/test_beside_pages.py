"""Work beside the pages is done again and again, and its faults are told once and name nobody."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.delivery import workers
from digest.delivery.workers import letters_sent
from digest.errors import DeliveryError

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def test_work_goes_on_after_a_fault_which_is_told_once_until_it_is_over(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_EVERY", "_AFTER_A_FAULT"):
        monkeypatch.setattr(workers, name, 0.001)
    fault, unforeseen = DeliveryError("the relay is away."), ValueError("ada@example.org")
    script: list[Exception | None] = [None, fault, fault, None, fault, unforeseen, None]
    at: list[datetime] = []
    told: list[str] = []
    over = threading.Event()

    def work(_engine: Engine, _settings: Settings, clock: Callable[[], datetime]) -> None:
        at.append(clock())
        if len(at) == len(script):
            over.set()
        if len(at) <= len(script) and (error := script[len(at) - 1]):
            raise error

    monkeypatch.setattr(workers, "send_letters", work)
    with letters_sent(engine, settings, lambda: NOW, told.append):
        assert over.wait(10)
    assert set(at) == {NOW}
    cannot = "the relay is away."
    assert told == [cannot, cannot, "no letter was sent: ValueError."]


def test_it_ends_with_what_it_stands_beside(engine: Engine, settings: Settings) -> None:
    with letters_sent(engine, settings, lambda: NOW, lambda _said: None):
        assert "letters" in {thread.name for thread in threading.enumerate()}
    assert "letters" not in {thread.name for thread in threading.enumerate()}
