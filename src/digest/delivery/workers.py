"""Who calls sending: here a thread that sends letters while the pages are served."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Engine

from digest.config import Settings
from digest.delivery.sending import send_letters
from digest.errors import DigestError

_EVERY = 1.0  # seconds between two looks into the outbox
_AFTER_A_FAULT = 60.0  # a relay that is down is not asked every second


@contextmanager
def letters_sent(
    engine: Engine, settings: Settings, clock: Callable[[], datetime], complain: Callable[[str], None]
) -> Iterator[None]:
    """Send the letters that readers ask for, within a second or two, for as long as this lasts.

    Any number of processes may do so at once. `complain` is told why nothing can be sent, once until it can be again.
    """
    over = threading.Event()
    thread = threading.Thread(target=_send, args=(engine, settings, clock, complain, over), name="letters", daemon=True)
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
    complain: Callable[[str], None],
    over: threading.Event,
) -> None:
    told = ""
    while True:
        try:
            send_letters(engine, settings, clock)
        except DigestError as error:
            if str(error) != told:
                complain(str(error))
            told, wait = str(error), _AFTER_A_FAULT
        else:
            told, wait = "", _EVERY
        if over.wait(wait):
            return
