"""What runs by itself beside the pages: a ticker that asks what is due and has it done.

APScheduler only ticks, in memory. What is due is for `weekly.due` to say, and who does it for the table of weeks: any
number of these may run at once, and one that dies in the middle is made up for.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import claimants
from digest.errors import DeliveryError, DigestError, StorageError
from digest.membership.retention import expire
from digest.membership.returned import take_mail
from digest.operations.alerts import tell, tell_of_database
from digest.operations.announcing import announce
from digest.operations.approving import at_deadline
from digest.operations.backup import back_up_day
from digest.operations.store import Channel
from digest.weekly import running, stages, store
from digest.weekly.calendar import Week
from digest.weekly.due import Daily, DailyDue, Done, daily_due, doubt, is_doubtful, timetable

EVERY = 60.0
"""Seconds between two looks at what is due."""

_ALERTS_EVERY = 5  # ticks: to find all that needs a person takes a second or two
_AGAIN = timedelta(minutes=5)
_DAYS_KEPT = timedelta(days=60)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]
Stopping = Callable[[], bool]


@contextmanager
def scheduled(engine: Engine, settings: Settings, clock: Clock, every: float = EVERY) -> Iterator[None]:
    """Do what is due for as long as this lasts. At the end what runs stops between two batches, sources or stages."""
    over = threading.Event()
    work: dict[str, tuple[Callable[[], object], float]] = {
        "weeks": (lambda: do_weeks(engine, settings, clock, over.is_set), every),
        "days": (lambda: do_days(engine, settings, clock, over.is_set), every),
        "editions": (lambda: go_on(engine, settings, clock, over.is_set), every),
    }
    if settings.bounces.maildir or settings.bounces.imap.host:
        often = settings.schedule.bounces_minutes * every
        work["bounces"] = (lambda: take_mail(engine, settings, clock()), often)
    if settings.alerts.mail_to or settings.hooks.alerts:
        work["alerts"] = (teller(engine, settings, clock), _ALERTS_EVERY * every)
    if settings.hooks.editions:
        work["hook"] = (lambda: announce(engine, settings, clock()), every)
    ticker = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(len(work))},
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
    )
    ticked = dict.fromkeys(work, time.monotonic())

    def careful(name: str) -> Callable[[], None]:
        report = told_once()

        def do() -> None:
            ticked[name] = time.monotonic()
            try:
                work[name][0]()
            except Exception as error:  # noqa: BLE001 (a job that ended would be missed by nobody)
                report(name, error)
            else:
                report(name, None)

        return do

    for name, (_do, seconds) in work.items():
        ticker.add_job(careful(name), _ticks(seconds), id=name)
    guard = threading.Thread(target=_mind_the_clock, args=(ticker, work, ticked, over, every), daemon=True)
    ticker.start()
    guard.start()
    try:
        yield
    finally:
        over.set()
        guard.join()
        ticker.shutdown()
        _log.info("ended")


def teller(engine: Engine, settings: Settings, clock: Clock) -> Callable[[], None]:
    """Tells the operator what needs a person. That the database is at fault is told once by each channel until it
    answers again; what remembers that is this process alone."""
    told = set[Channel]()

    def look() -> None:
        try:
            tell(engine, settings, clock())
        except StorageError as error:
            tell_of_database(settings, str(error), clock(), told)
        else:
            told.clear()

    return look


def _ticks(seconds: float) -> IntervalTrigger:
    return IntervalTrigger(seconds=seconds, start_date=_EPOCH, timezone=UTC)


def _mind_the_clock(
    ticker: BackgroundScheduler,
    work: dict[str, tuple[Callable[[], object], float]],
    ticked: dict[str, float],
    over: threading.Event,
    every: float,
) -> None:
    """Start anew what has been silent for long. A clock that is set back by a day would silence the ticker for a day,
    for it waits for the time at which it is due."""
    while not over.wait(every):
        for name, (_do, seconds) in work.items():
            if time.monotonic() - ticked[name] > 3 * seconds:
                ticked[name] = time.monotonic()
                ticker.reschedule_job(name, trigger=_ticks(seconds))


def told_once() -> Callable[[str, Exception | None], None]:
    """Tells why something could not be done, once until that changes or it could be done again."""
    last = ""

    def tell(what: str, error: Exception | None) -> None:
        nonlocal last
        # What we did not foresee may name a reader: only its kind is told.
        said = "" if error is None else str(error) if isinstance(error, DigestError) else type(error).__name__
        if said and said != last:
            _log.error("could not be done", what=what, problem=said)
        last = said

    return tell


def do_weeks(engine: Engine, settings: Settings, clock: Clock, stopping: Stopping = bool) -> None:
    """Do the stages of weeks that are due. Raises DigestError where the clock is doubted."""
    for ran in running.run_due(engine, settings, clock, stopping=stopping, at_deadline=at_deadline):
        week, stage = str(ran.due.week), ran.due.stage
        if ran.error is None:
            _log.info("done", week=week, stage=stage)
        elif not ran.again:
            tell = str(ran.error) if isinstance(ran.error, DigestError) else type(ran.error).__name__
            _log.error("could not be done", week=week, stage=stage, problem=tell)
    now = clock()
    if said := doubt(now, _done(engine, settings, now).last_begun):
        raise DigestError(said)


def _done(engine: Engine, settings: Settings, now: datetime) -> Done:
    with reading(engine) as connection:
        return store.read_done(connection, Week.now(now, settings.series.zone))


def do_days(engine: Engine, settings: Settings, clock: Clock, stopping: Stopping = bool) -> None:
    """Do the daily jobs that are due, each once a day by one process. Raises as the job does."""
    now = clock()
    for one in daily_due(now, timetable(settings), _done(engine, settings, now)):
        if not stopping():
            _do_day(engine, settings, clock, one)


def _do_day(engine: Engine, settings: Settings, clock: Clock, one: DailyDue) -> None:
    with writing(engine) as connection:
        lease = store.claim(connection, str(one.day), one.job, claimants.name(), clock(), claimants.is_dead)
    if lease is None:
        return
    try:
        _DAILY[one.job](engine, settings, clock())
    except Exception as error:
        said = str(error) if isinstance(error, DigestError) else type(error).__name__
        with writing(engine) as connection:
            store.leave_open(connection, lease, clock(), said, clock() + _AGAIN)
        raise
    with writing(engine) as connection:
        store.finish(connection, lease, clock())
        store.forget_days(connection, one.day - _DAYS_KEPT)
    _log.info("done", day=str(one.day), job=one.job)


_DAILY: dict[Daily, Callable[[Engine, Settings, datetime], object]] = {"retention": expire, "backup": back_up_day}


def go_on(engine: Engine, settings: Settings, clock: Clock, stopping: Stopping = bool) -> None:
    """Send what is queued of editions, retries included, until `stopping` says so between two batches.

    Raises DeliveryError naming what could not go on. While the clock is doubted nothing is sent: what waits would be
    too late by it.
    """
    if is_doubtful(clock(), _done(engine, settings, clock())):
        return
    told: list[str] = []
    stages.send_unfinished(engine, settings, None, clock, told.append, lambda _done: stopping())
    if told:
        raise DeliveryError(" ".join(told))
