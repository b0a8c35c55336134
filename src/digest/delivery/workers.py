"""Who calls sending: here a thread that sends letters while the pages are served."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy import Engine

from digest.config import Settings
from digest.delivery.sending import send_letters
from digest.errors import DigestError

_EVERY = 1.0  # seconds between two looks into the outbox
_AFTER_A_FAULT = 60.0  # a relay that is down is not asked every second
_EVERY_FEW_MINUTES = 300.0
_LONGEST_END = 30.0  # seconds that the end of the program waits for work that is begun


@contextmanager
def letters_sent(
    engine: Engine,
    settings: Settings,
    clock: Callable[[], datetime],
    daily: Callable[[datetime], object],
    complain: Callable[[str], None],
) -> Iterator[None]:
    """Send the letters that readers ask for, within a second or two, for as long as this lasts; do `daily` once a day.

    Any number of processes may do so at once. `complain` is told why nothing can be sent, once until it can be again.
    """
    over = threading.Event()
    thread = threading.Thread(
        target=_send, args=(engine, settings, clock, daily, complain, over), name="letters", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(settings.smtp.timeout_seconds)


def _send(
    engine: Engine,
    settings: Settings,
    clock: Callable[[], datetime],
    daily: Callable[[datetime], object],
    complain: Callable[[str], None],
    over: threading.Event,
) -> None:
    told, day = "", date.min
    while True:
        try:
            send_letters(engine, settings, clock)
            if day != (day := clock().date()):
                daily(clock())
        except Exception as error:  # noqa: BLE001 (a thread that ended would be missed by nobody)
            # What we did not foresee may name a reader: only its kind is told.
            said = str(error) if isinstance(error, DigestError) else f"no letter was sent: {type(error).__name__}."
            if said != told:
                complain(said)
            told, wait = said, _AFTER_A_FAULT
        else:
            told, wait = "", _EVERY
        if over.wait(wait):
            return


@contextmanager
def repeated(
    name: str, work: Callable[[datetime], object], clock: Callable[[], datetime], complain: Callable[[str], None]
) -> Iterator[None]:
    """Do work every few minutes for as long as this lasts. `complain` is told why it cannot be, once until it can."""
    over = threading.Event()

    def repeat() -> None:
        told = ""
        while True:
            said = ""
            try:
                work(clock())
            except Exception as error:  # noqa: BLE001 (as above: only the kind of what we did not foresee is told)
                said = str(error) if isinstance(error, DigestError) else f"{name}: {type(error).__name__}."
                if said != told:
                    complain(said)
            told = said
            if over.wait(_EVERY_FEW_MINUTES):
                return

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_LONGEST_END)
