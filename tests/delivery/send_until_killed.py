"""A sender in a process of its own, for a test to kill: `send_until_killed.py DATABASE_URL MAILDIR`."""

import sys
from datetime import UTC, datetime

from digest.config import Settings
from digest.database import open_database, reading
from digest.delivery import outbox, sending
from digest.edition.content import Rendered
from digest.rendering.templates import UNSUBSCRIBE_SLOT

if __name__ == "__main__":
    url, folder = sys.argv[1:]
    settings = Settings.model_validate({"delivery": {"maildir": folder, "batch": 7}})
    engine = open_database(url)
    with reading(engine) as connection:
        mailing = outbox.find(connection, "2026-W18")
    assert mailing is not None
    body = f"leave: {UNSUBSCRIBE_SLOT}\n" * 200
    rendered = Rendered(subject="one", preheader="two", html=body, text=body)
    print("ready", flush=True)
    sending.drain(
        engine,
        settings,
        mailing,
        rendered,
        sending.transport_of(settings),
        clock=lambda: datetime(2026, 5, 4, 9, 0, tzinfo=UTC),
    )
