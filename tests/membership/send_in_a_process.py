"""A sender in a process of its own: `send_in_a_process.py DATABASE_URL MAILDIR`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from digest.config.settings import Settings
from digest.database import open_database, reading
from digest.delivery import outbox, sending
from digest.edition.rendered import Rendered
from digest.rendering.templates import UNSUBSCRIBE_SLOT

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.outgoing import some_contents

if __name__ == "__main__":
    url, folder = sys.argv[1:]
    settings = Settings.model_validate({"delivery": {"maildir": folder}})
    engine = open_database(url)
    with reading(engine) as connection:
        mailing = outbox.find(connection, "2026-W18")
    assert mailing is not None
    body = f"leave: {UNSUBSCRIBE_SLOT}\n" * 200
    rendered = Rendered(subject="one", preheader="two", html=body, text=body)
    contents = some_contents(rendered, settings)
    print("ready", flush=True)
    sending.drain(
        engine,
        settings,
        mailing,
        contents,
        sending.transport_of(settings),
        clock=lambda: datetime(2026, 5, 4, 9, 0, tzinfo=UTC),
    )
