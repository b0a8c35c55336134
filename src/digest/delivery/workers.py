"""Who calls sending: threads of this process, for letters and for editions. `jobs` is its like for many machines."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime

from sqlalchemy import Engine

from digest.config import Settings
from digest.delivery.contents import Contents
from digest.delivery.outbox import Mailing, State
from digest.delivery.sending import drain, send_letters, transport_of
from digest.errors import DigestError

_EVERY = 1.0  # seconds between two looks into the outbox
_EDITIONS_EVERY = 60.0
_AFTER_A_FAULT = 60.0  # a relay that is down is not asked every second
_MAIL_EVERY = 300.0


def drain_with_pool(
    engine: Engine,
    settings: Settings,
    mailing: Mailing,
    contents: Contents,
    clock: Callable[[], datetime],
    report: Callable[[int], None] | None = None,
    is_enough: Callable[[int], bool] | None = None,
) -> Mapping[State, int]:
    """Drain a mailing with as many senders as [delivery] names, each with connections of its own.

    Raises as `drain` does, once all of them have ended.
    """

    def one(_number: int) -> Mapping[State, int]:
        transport = transport_of(settings)
        return drain(engine, settings, mailing, contents, transport, clock, report, is_enough=is_enough)

    if settings.delivery.senders == 1:
        return one(0)
    with ThreadPoolExecutor(settings.delivery.senders, "sender") as pool:
        return list(pool.map(one, range(settings.delivery.senders)))[-1]


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
    day = date.min

    def look() -> None:
        nonlocal day
        send_letters(engine, settings, clock)
        if day != (day := clock().date()):
            daily(clock())

    with _repeated(look, "letters", "no letter was sent", _EVERY, settings.smtp.timeout_seconds, complain):
        yield


@contextmanager
def editions_sent(go_on: Callable[[], object], settings: Settings, complain: Callable[[str], None]) -> Iterator[None]:
    """Go on with editions that were queued, put off or broke off, for as long as this lasts: `go_on` once a minute."""
    timeout = settings.smtp.timeout_seconds
    with _repeated(go_on, "editions", "no edition was sent", _EDITIONS_EVERY, timeout, complain):
        yield


@contextmanager
def bounces_read(
    read: Callable[[datetime], object],
    settings: Settings,
    clock: Callable[[], datetime],
    complain: Callable[[str], None],
) -> Iterator[None]:
    """Read returned mail for as long as this lasts, in a thread of its own: a mailbox that hangs holds up no letter."""

    def work() -> None:
        read(clock())

    timeout = settings.bounces.imap.timeout_seconds
    with _repeated(work, "bounces", "no returned mail was read", _MAIL_EVERY, timeout, complain):
        yield


@contextmanager
def _repeated(
    work: Callable[[], object], name: str, failed: str, every: float, patience: float, complain: Callable[[str], None]
) -> Iterator[None]:
    over = threading.Event()

    def repeat() -> None:
        told = ""
        while True:
            try:
                work()
            except Exception as error:  # noqa: BLE001 (a thread that ended would be missed by nobody)
                # What we did not foresee may name a reader: only its kind is told.
                said = str(error) if isinstance(error, DigestError) else f"{failed}: {type(error).__name__}."
                if said != told:
                    complain(said)
                told, wait = said, _AFTER_A_FAULT
            else:
                told, wait = "", every
            if over.wait(wait):
                return

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(patience)
