"""Who calls sending: threads of this process, for letters and for editions. `jobs` is its like for many machines."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.delivery.contents import Contents
from digest.delivery.outbox import Mailing, State
from digest.delivery.sending import Heed, drain, heed_nothing, send_letters, transport_of
from digest.errors import DigestError

_EVERY = 1.0  # seconds between two looks into the outbox
_AFTER_A_FAULT = 60.0  # a relay that is down is not asked every second


def drain_with_pool(
    engine: Engine,
    settings: Settings,
    mailing: Mailing,
    contents: Contents,
    clock: Callable[[], datetime],
    report: Callable[[int], None] | None = None,
    is_enough: Callable[[int], bool] | None = None,
    heed: Heed = heed_nothing,
) -> Mapping[State, int]:
    """Drain a mailing with as many senders as [delivery] names, each with connections of its own.

    Raises as `drain` does, once all of them have ended.
    """

    def one(_number: int) -> Mapping[State, int]:
        transport = transport_of(settings)
        return drain(engine, settings, mailing, contents, transport, clock, report, is_enough=is_enough, heed=heed)

    if settings.delivery.senders == 1:
        return one(0)
    with ThreadPoolExecutor(settings.delivery.senders, "sender") as pool:
        return list(pool.map(one, range(settings.delivery.senders)))[-1]


@contextmanager
def letters_sent(
    engine: Engine, settings: Settings, clock: Callable[[], datetime], complain: Callable[[str], None]
) -> Iterator[None]:
    """Send the letters that readers ask for, within a second or two, for as long as this lasts.

    Any number of processes may do so at once. `complain` is told why nothing can be sent, once until it can be again.
    """
    over = threading.Event()

    def repeat() -> None:
        told = ""
        while True:
            try:
                send_letters(engine, settings, clock)
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

    thread = threading.Thread(target=repeat, name="letters", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(settings.smtp.timeout_seconds)
