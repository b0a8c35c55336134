"""Two imported weeks of two sources, for an editor to work on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.scores.recorded import find_recorded
from digest.weekly import collecting
from digest.weekly.calendar import Week, parse_week

NOW = datetime(2026, 5, 12, 9, 0, tzinfo=UTC)
W18, W19, W20 = (parse_week(name) for name in ("2026-W18", "2026-W19", "2026-W20"))
SOURCE = {
    "url": "https://boards.example/x.json",
    "kind": "scores",
    "format": "json",
    "model": "model",
    "lead": "Shared test",
    "margin": 1,
    "columns": {"score": {"benchmark": "Shared test"}},
}
STILL = {f"still-{number}": 10 + number / 4 for number in range(12)}
BEFORE = {**STILL, "aurora-2": 80.0, "borealis-1": 70.0, "cirrus-3": 60.0, "delta-4": 50.0}
AFTER = {**STILL, "aurora-2": 80.0, "borealis-1": 90.0, "cirrus-3": 64.0, "delta-4": 50.4, "gale-7": 30.0}


def desk_of(settings: Settings, **approval: Any) -> Settings:
    """The settings of a series with one board and a sender who says where it is."""
    said = settings.model_dump()
    said["series"]["postal_address"] = "1 Example Street, 10115 Berlin, Germany"
    more = {"sources": {"board": {**SOURCE, "title": "The board"}}, "links": settings.links, "approval": approval}
    return Settings.model_validate({**said, **more})


def import_week(
    engine: Engine, desk: Settings, folder: Path, week: Week, rows: dict[str, float], day: int = 0
) -> list[Any]:
    """The board's capture of a day of a week, Monday unless said otherwise."""
    place = folder / f"{week} {day}" / "board"
    place.mkdir(parents=True)
    table = [{"model": model, "score": score} for model, score in rows.items()]
    (place / f"{week.starts + timedelta(days=day)}.json").write_text(json.dumps(table))
    captures, _skipped = find_recorded(place.parent, desk.sources)
    return list(collecting.backfill(engine, desk, captures))
