"""What stands where: sources, the newest edition, its deliveries, and what needs a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest.changes.week import SourceWeek
from digest.config import Mail, Settings
from digest.database import reading
from digest.delivery import outbox, pacing, throttles
from digest.delivery import store as deliveries
from digest.delivery.progress import Progress, progress
from digest.edition import store as editions
from digest.edition.numbers import several
from digest.operations import restoring_store
from digest.operations.doctor import waits_for_a_person
from digest.scores.catalog import resolve
from digest.subscribers.location import database_age
from digest.subscribers.store import braked_until
from digest.weekly.calendar import Week
from digest.weekly.stages import compare_weeks

_A_WHILE = timedelta(days=30)
_MOST_FAILED = 0.05  # of an edition's deliveries
_SOME = 10
_MOST_COMPLAINTS = 0.001  # what Gmail and Yahoo ask of senders


@dataclass(frozen=True, slots=True)
class Limit:
    """A provider, a domain or our relay ("*") that is sent to slowly, or not at all until a moment (ISO 8601, UTC); of
    the relay, how many more mails the warm-up plan allows today."""

    provider: str
    per_second: float | None
    closed_until: str | None
    said: str
    left_today: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """`edition` is the newest one's week, `tally` its deliveries by state, `control` what a person said of its mailing
    last and `progress` how far that is; `uncertain` counts the deliveries of all mailings that are, by week; `returned`
    what came back in the last 30 days; `limits` are the providers that are sent to slowly or not at all; `needs` are
    sentences for a person; `unresolved` are names on the boards that the catalogue does not understand."""

    week: Week
    sources: tuple[SourceWeek, ...]
    edition: str | None
    approved: bool
    tally: Mapping[outbox.State, int]
    uncertain: Mapping[str, int]
    returned: Mapping[deliveries.Came, int]
    needs: tuple[str, ...]
    unresolved: tuple[str, ...]
    control: outbox.Control | None = None
    progress: Progress | None = None
    limits: tuple[Limit, ...] = ()


def audience(engine: Engine, week: Week) -> tuple[int, int]:
    """How many readers a week's edition goes to, those it was queued to or would be queued to now; and for how many of
    them that is done."""
    with reading(engine) as connection:
        mailing = outbox.find(connection, str(week))
        if mailing is None:
            return outbox.count_audience(connection), 0
        tally = outbox.tally(connection, mailing.id)
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
        tallies = [(one, outbox.tally(connection, one.id)) for one in found.values()]
        mailings = tuple((one, tally, progress(connection, one.id, tally, now)) for one, tally in tallies)
        return SendingState(mailings, tuple(_limits(connection, settings, now)))


def _limits(connection: Connection, settings: Settings, now: datetime) -> Iterator[Limit]:
    for name, one in sorted(throttles.read(connection).items()):
        closed = one.closed_until
        if pacing.is_limited(one, now):
            until = closed.isoformat() if closed is not None and closed > now else None
            yield Limit(name, pacing.rate(one, now), until, one.said)
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
        tally = outbox.tally(connection, mailing.id) if mailing else {}
        waiting = [(it, outbox.tally(connection, it.id)) for it in outbox.unfinished(connection)]
        braked = braked_until(connection, now)
        waits = restoring_store.held(connection)
        uncertain = deliveries.count_uncertain(connection)
        returned = deliveries.counted(connection, (now - _A_WHILE).date())
        moving = progress(connection, mailing.id, tally, now) if mailing else None
        limits = tuple(_limits(connection, settings, now))
    approved = stored is not None and stored.approved
    needs = [waits_for_a_person(waits)] if waits else []
    needs += _settings_to_mend(settings)
    needs += [f"source {it.state.source} failed: {it.state.failure}" for it in sources if it.status == "failed"]
    needs += [
        f"source {it.state.source} is stale: unchanged for {it.age_days} days."
        for it in sources
        if it.status == "stale"
    ]
    needs += [
        f"source {it.state.source} is held back ({it.state.doubt}): digest sources accept {it.state.source}"
        for it in sources
        if it.status == "quarantined"
    ]
    if stored and not approved:
        needs.append(f"the edition of {newest} waits for approval: digest approve {newest}")
    needs += [text for mailing, states in waiting if (text := _left(mailing, states))]
    if braked is not None:
        needs.append(
            f"confirmations are paused until {braked:%Y-%m-%d %H:%M} UTC: more sign-ups came in than [signup] in_all "
            "allows; look at `digest subscribers list --state requested`."
        )
    if country_age := database_age(settings.location.database, now):
        needs.append(country_age)
    needs += _of_deliveries(uncertain, returned)
    needs += _of_readers(newest or "", tally, returned)
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
    )


def _of_deliveries(uncertain: Mapping[str, int], returned: Mapping[deliveries.Came, int]) -> Iterator[str]:
    for week, count in uncertain.items():
        yield f"{several(count, 'uncertain delivery')} of {week}, for the relay broke off at the last: digest reconcile"
    flagged = returned.get("unproven", 0) + returned.get("unreadable", 0)
    if flagged:
        yield f"{several(flagged, 'returned mail')} of the last 30 days could not be taken in; they are flagged."


def _of_readers(week: str, tally: Mapping[outbox.State, int], returned: Mapping[deliveries.Came, int]) -> Iterator[str]:
    """That more came back than ever should: it is the sender's repute, or a fault that is not the readers'."""
    sent, failed, complained = tally.get("sent", 0), tally.get("failed", 0), returned.get("complained", 0)
    if failed >= _SOME and failed > _MOST_FAILED * (sent + failed):
        yield (
            f"{failed:,} of {sent + failed:,} deliveries of {week} failed: if a provider refused what was right, "
            "digest bounces undo --since TIME"
        )
    if complained > _MOST_COMPLAINTS * (sent + failed) > 0:
        yield (
            f"{several(complained, 'complaint')} in 30 days; from 0.1 % of the mails on "
            "large providers refuse the sender."
        )


def _left(mailing: outbox.Mailing, states: Mapping[outbox.State, int]) -> str:
    """What is still to be sent of a mailing. What is held waits for a moment, not for a person."""
    left = sum(states[state] for state in ("pending", "claimed", "dot", "deferred"))
    if not left:
        return ""
    if mailing.kind in outbox.LETTERS:
        return f"{left:,} {mailing.kind} mails of {mailing.week} wait: digest serve sends them."
    if mailing.control == "paused":
        return f"the mailing of {mailing.week} is paused, {left:,} deliveries wait: digest resume {mailing.week}"
    return f"{left:,} deliveries of {mailing.week} are still to be made: digest send {mailing.week}"


def _unresolved(sources: Sequence[SourceWeek]) -> tuple[str, ...]:
    """Raw names of ranked rows that stay what they are; price lists are full of names that nobody ranks."""
    ranked = [it.state.current for it in sources if it.state.current and it.state.current.lead]
    names = {row.raw for snapshot in ranked for row in snapshot.rows.values()}
    return tuple(sorted(name for name in names if resolve(name).how == "unresolved"))


def _settings_to_mend(settings: Settings) -> Iterator[str]:
    """What must be set before mail goes to real readers."""
    if settings.delivery.transport != "maildir":
        if not settings.series.base_url.startswith("https://"):
            yield "[series] base_url is not https://: one-click unsubscribing wants it (RFC 8058)."
        if not settings.series.postal_address:
            yield "[series] postal_address is empty: most countries want one in every mail."
        if settings.mail.from_address == Mail().from_address:
            yield "[mail] from_address is still the packaged one: use a domain of yours."
