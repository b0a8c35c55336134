"""A person's word on a mailing that is under way, or on a week that gets none, with its line in the log."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Engine

from digest import audit
from digest.database import writing
from digest.delivery import control, outbox
from digest.delivery.outbox import Mailing
from digest.errors import DigestError
from digest.weekly import store as weeks
from digest.weekly.calendar import Week


def halt(
    engine: Engine, mailing: Mailing, act: Literal["paused", "resumed", "aborted"], who: str, now: datetime
) -> None:
    """Pause, resume or abort a mailing. Raises DeliveryError where it was aborted before."""
    with writing(engine) as connection:
        match act:
            case "paused":
                control.pause(connection, mailing)
            case "resumed":
                control.resume(connection, mailing)
            case "aborted":
                control.abort(connection, mailing, now)
        audit.write(connection, act, mailing.week, who, now)


def skip(engine: Engine, week: Week, who: str, now: datetime) -> None:
    """Let a week go without an edition. Raises DigestError where its edition is queued already."""
    with writing(engine) as connection:
        if outbox.find(connection, str(week)) is not None:
            raise DigestError(f"the edition of {week} is already being sent; `digest abort {week}` ends that.")
        weeks.skip(connection, week, now)
        audit.write(connection, "skipped", str(week), who, now)
