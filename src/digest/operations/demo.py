"""The whole weekly path on the two bundled weeks: import, compare, draft, approve, route, send into a Maildir."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from digest.changes.week import WeekChanges
from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.sections import Database, Delivery, Links
from digest.config.settings import Settings
from digest.database import open_database, reading
from digest.edition.store import StoredEdition
from digest.errors import StorageError
from digest.membership import importing, listing
from digest.scores.recorded import find_recorded
from digest.weekly.calendar import parse_week
from digest.weekly.collecting import Collected, backfill
from digest.weekly.composing import compare_weeks
from digest.weekly.stages import Sent, approve, draft, is_queued, send

NOW = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
WEEK = parse_week("2026-W11")
READERS = {"ada@example.org": "DE", "grace@example.com": "US", "minji@example.net": "KR"}


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo did, and where it left things."""

    settings: Settings
    collected: tuple[Collected, ...]
    changes: WeekChanges
    drafted: StoredEdition
    sent: Sent
    mails: tuple[Path, ...]

    @property
    def subject(self) -> str:
        return self.drafted.rendered.subject


def run_demo(out: Path) -> Demo:
    """Run the demo in a folder of its own; again, it finds everything done and sends nothing twice.

    Raises StorageError where the folder cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the folder {out} cannot be made: {error.strerror}; name another with --out.") from error
    settings = _demo_settings(out)
    engine = open_database(settings.database.url)
    try:
        return _run(engine, settings)
    finally:
        engine.dispose()


def _demo_settings(out: Path) -> Settings:
    """The demo's settings; whatever the environment says, database and mail are its own and it reaches no reader."""
    chosen = load_settings(asset("data") / "demo" / "config.toml")
    return chosen.model_copy(
        update={
            "database": Database(url=f"sqlite:///{out / 'digest.db'}"),
            "delivery": Delivery(transport="maildir", maildir=out / "outbox"),
            "links": Links(),
            "series": chosen.series.model_copy(update={"notes": out / "notes"}),
        }
    )


def _run(engine: Engine, settings: Settings) -> Demo:
    captures, _skipped = find_recorded(asset("data") / "demo", settings.sources)
    collected = tuple(backfill(engine, settings, captures))
    _sign_up(engine, settings)
    with reading(engine) as connection:
        changes = compare_weeks(connection, settings, WEEK.previous, WEEK)
    if not is_queued(engine, WEEK):
        draft(engine, settings, WEEK, NOW)
    stored = approve(engine, WEEK, NOW)
    sent = send(engine, settings, WEEK, lambda: NOW)
    return Demo(
        settings=settings,
        collected=collected,
        changes=changes,
        drafted=stored,
        sent=sent,
        mails=tuple(sorted((settings.delivery.maildir / "new").iterdir())),
    )


def _sign_up(engine: Engine, settings: Settings) -> None:
    there = {reader.email for reader in listing.list_subscribers(engine)}
    for email, country in READERS.items():
        if email not in there:
            proof = {"consented_at": "2026-03-01", "method": "demo", "wording": "demo readers", "country": country}
            importing.add(engine, settings, importing.newcomer({"email": email, **proof}, settings, NOW), NOW)
