"""What stands where: sources, the newest edition, its deliveries, and what needs a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest.changes.week import SourceWeek
from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import counting, outbox, pacing, throttles
from digest.delivery import store as deliveries
from digest.delivery.progress import Progress, progress
from digest.edition import store as editions
from digest.operations import restoring_store
from digest.operations.doctor import waits_for_a_person
from digest.operations.needs import (
    A_DOMAIN,
    Limit,
    Need,
    Waiting,
    of_complaints,
    of_confirmations,
    of_countries,
    of_deliveries,
    of_edition,
    of_late,
    of_limits,
    of_mailings,
    of_readers,
    of_sources,
    settings_to_mend,
)
from digest.scores.catalog import resolve
from digest.subscribers.location import database_age
from digest.subscribers.store import braked_until
from digest.weekly import running
from digest.weekly.calendar import Week, parse_week
from digest.weekly.composing import compare_weeks
from digest.weekly.due import Due, WeekDone, asks, next_due, timetable
from digest.weekly.store import read_done

_A_WHILE = timedelta(days=30)
_A_FORTNIGHT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Status:
    """`edition` is the newest one's week, `tally` its deliveries by state, `control` what a person said of its mailing
    last and `progress` how far that is; `uncertain` counts the deliveries of all mailings that are, by week; `returned`
    what came back in the last 30 days; `limits` are the providers that are sent to slowly or not at all; `needs` is
    what wants a person; `unresolved` are names on the boards that the catalogue does not understand; `coming` is the
    stage of a week that is due next."""

    week: Week
    sources: tuple[SourceWeek, ...]
    edition: str | None
    approved: bool
    tally: Mapping[outbox.State, int]
    uncertain: Mapping[str, int]
    returned: Mapping[deliveries.Came, int]
    needs: tuple[Need, ...]
    unresolved: tuple[str, ...]
    control: outbox.Control | None = None
    progress: Progress | None = None
    limits: tuple[Limit, ...] = ()
    coming: Due | None = None


def audience(engine: Engine, week: Week) -> tuple[int, int]:
    """How many readers a week's edition goes to, those it was queued to or would be queued to now; and for how many of
    them that is done."""
    with reading(engine) as connection:
        mailing = outbox.find(connection, str(week))
        if mailing is None:
            return counting.count_audience(connection), 0
        tally = counting.tally(connection, mailing.id)
        return mailing.audience, mailing.audience - sum(tally[state] for state in outbox.WAITING)


def limited(engine: Engine, settings: Settings, now: datetime) -> tuple[Limit, ...]:
    """Who is sent to slowly, or not at all, at a moment."""
    with reading(engine) as connection:
        return tuple(_limits(connection, settings, now))


@dataclass(frozen=True, slots=True)
class SendingState:
    """The mailings that are not finished and the newest edition's, how each stands, and who is sent to slowly."""

    mailings: tuple[tuple[outbox.Mailing, Mapping[outbox.State, int], Progress], ...]
    limits: tuple[Limit, ...]


def sending_state(engine: Engine, settings: Settings, now: datetime) -> SendingState:
    """How sending stands at a moment; a fraction of `read_status`, for whoever asks often."""
    with reading(engine) as connection:
        found = {one.id: one for one in outbox.unfinished(connection)}
        newest = editions.newest_edition(connection)
        latest = outbox.find(connection, newest) if newest else None
        found |= {latest.id: latest} if latest else {}
        tallies = [(one, counting.tally(connection, one.id)) for one in found.values()]
        mailings = tuple((one, tally, progress(connection, one.id, tally, now)) for one, tally in tallies)
        return SendingState(mailings, tuple(_limits(connection, settings, now)))


def _limits(connection: Connection, settings: Settings, now: datetime) -> Iterator[Limit]:
    for name, one in sorted(throttles.read(connection).items()):
        closed = one.closed_until
        if pacing.is_limited(one, now):
            until = closed.isoformat() if closed is not None and closed > now else None
            if name == pacing.RELAY or name in pacing.providers():
                yield Limit(name, pacing.rate(one, now), until, one.said)
            else:  # nor what it says, which may name it
                yield Limit(A_DOMAIN, pacing.rate(one, now), until, "it may be one reader's own, so it is not named.")
        elif name == pacing.RELAY and settings.delivery.warm_up:
            allowed = pacing.allowed_today(settings.delivery.warm_up, one.plan_since or now.date(), now)
            if allowed is not None:
                handed = one.handed if one.handed_on == now.date() else 0
                yield Limit(name, settings.delivery.per_second, None, "", max(0, allowed - handed))


def read_status(engine: Engine, settings: Settings, now: datetime) -> Status:
    """The state of the whole at a moment."""
    week = Week.now(now, settings.series.zone)
    with reading(engine) as connection:
        sources = compare_weeks(connection, settings, week.previous, week).sources
        newest = editions.newest_edition(connection)
        stored = editions.load_edition(connection, newest) if newest else None
        mailing = outbox.find(connection, newest) if newest else None
        tally = counting.tally(connection, mailing.id) if mailing else {}
        waiting = [
            Waiting(it, states, progress(connection, it.id, states, now), counting.changed_at(connection, it.id), now)
            for it in outbox.unfinished(connection)
            for states in (counting.tally(connection, it.id),)
        ]
        braked = braked_until(connection, now)
        waits = restoring_store.held(connection)
        too_late = counting.count_too_late(connection, now - _A_FORTNIGHT)
        uncertain = deliveries.count_uncertain(connection)
        returned = deliveries.counted(connection, (now - _A_WHILE).date())
        complained = returned.get("complained", 0)
        sent = counting.count_sent(connection, now - _A_WHILE) if complained else 0
        moving = progress(connection, mailing.id, tally, now) if mailing else None
        limits = tuple(_limits(connection, settings, now))
        weeks = tuple(running.needs(connection, settings, now))
        done = read_done(connection, week, parse_week(newest) if newest else None)
    approved = stored is not None and stored.approved
    series = timetable(settings)
    newest_done = done.weeks.get(parse_week(newest), WeekDone()) if newest else WeekDone()
    late = {str(one) for one in asks(now, series, done)}
    needs = [
        *([Need("restored", waits_for_a_person(waits))] if waits else []),
        *settings_to_mend(settings),
        *of_sources(sources),
        *(of_edition(newest, newest_done, settings.approval) if newest and newest not in late else ()),
        *(Need(about, said) for about, said in weeks),
        *of_mailings(waiting),
        *of_late(too_late),
        *of_limits(limits),
        *of_confirmations(braked),
        *of_countries(database_age(settings.location.database, now)),
        *of_deliveries(uncertain, returned),
        *of_readers(newest or "", tally),
        *of_complaints(complained, sent),
    ]
    return Status(
        week=week,
        sources=sources,
        edition=newest,
        approved=approved,
        tally=tally,
        uncertain=uncertain,
        returned=returned,
        needs=tuple(needs),
        unresolved=_unresolved(sources),
        control=mailing.control if mailing else None,
        progress=moving,
        limits=limits,
        coming=next_due(now, series, done),
    )


def _unresolved(sources: Sequence[SourceWeek]) -> tuple[str, ...]:
    """Raw names of ranked rows that stay what they are; price lists are full of names that nobody ranks."""
    ranked = [it.state.current for it in sources if it.state.current and it.state.current.lead]
    names = {row.raw for snapshot in ranked for row in snapshot.rows.values()}
    return tuple(sorted(name for name in names if resolve(name).how == "unresolved"))
