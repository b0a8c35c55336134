"""A person's word on a mailing that is under way, with its line in the log: pause, resume, abort."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Engine

from digest import audit
from digest.database import writing
from digest.delivery import control
from digest.delivery.outbox import Mailing


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
