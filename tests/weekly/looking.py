"""A series that no editor is in the way of, and a scheduler that looks once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Engine
from tests.captures import body, serving

from digest import scheduler
from digest.config.settings import Settings
from digest.errors import DigestError
from digest.weekly.calendar import Week
from digest.weekly.due import Stage, stage_moment, timetable


@contextmanager
def unedited(settings: Settings) -> Iterator[Settings]:
    """Settings with a source that answers for as long as this lasts."""
    with serving(body(b"model,score\nm1,10\nm2,20\n")) as server:
        source = {"title": "Board", "url": server.url, "kind": "scores", "format": "csv", "model": "model"}
        changed = {
            "sources": {"board": {**source, "lead": "score", "columns": {"score": {}}}},
            "approval": {"required": False},
            "fetch": {"allow_http": True, "allow_private_addresses": True, "retries": 0},
            "links": settings.links,
        }
        yield Settings.model_validate({**settings.model_dump(), **changed})


def at(settings: Settings, week: Week, stage: Stage, late: timedelta = timedelta(0)) -> datetime:
    return stage_moment(week, stage, timetable(settings)) + late


def look(engine: Engine, settings: Settings, now: datetime) -> None:
    """All that a scheduler does when it looks once; that it doubts the clock is no fault."""
    for job in (scheduler.do_days, scheduler.do_weeks, scheduler.go_on):
        try:
            job(engine, settings, lambda: now)
        except DigestError as error:
            if "so it is doubted" not in str(error):
                raise
