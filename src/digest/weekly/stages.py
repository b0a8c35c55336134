"""The stages of a week after collecting: compare -> draft -> approve -> send. Each can be run again at no harm."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest import audit
from digest.changes.disagreement import fact_of
from digest.config.sections import Approval
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import counting, jobs, outbox, sending, workers
from digest.delivery.contents import Contents, of_edition
from digest.edition import override_store
from digest.edition import store as editions
from digest.edition.editing import misfits_in
from digest.edition.numbers import several
from digest.edition.overrides import Misfit
from digest.edition.store import StoredEdition
from digest.edition.versions import what_changed
from digest.edition.watching import followed, stirred
from digest.errors import DigestError, StorageError
from digest.rendering.email import render
from digest.rendering.templates import fingerprint as templates_of_mails
from digest.scores import store as scores
from digest.subscribers.regimes import duties, packaged_regimes
from digest.subscribers.routing import Outgoing
from digest.weekly.calendar import Week, parse_week
from digest.weekly.composing import EDITIONS_TO_CATCH_UP, Composed, composed
from digest.weekly.store import heed_clock

Guard = Callable[[Connection], object]
"""Asked in the transaction that writes: raises where the stage is in other hands by now, so that nothing is written."""


def unguarded(_connection: Connection) -> None:
    """The guard of who does a stage by hand: what is stored keeps them apart."""


class ApprovedError(DigestError):
    """A draft was not stored, for that would have undone an approval."""


@dataclass(frozen=True, slots=True)
class Drafted:
    """A stored draft. `changed` is whether it differs from what was stored, `what` says in what, and `voided` whether
    that undid an approval, or the word of one of several editors. `misfits` are overrides that have no effect on the
    week as it is now; `composed` is what the draft was made of."""

    stored: StoredEdition
    changed: bool
    voided: bool
    what: tuple[str, ...] = ()
    misfits: tuple[Misfit, ...] = ()
    composed: Composed | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A mailing and how many of its deliveries are in each state."""

    mailing: outbox.Mailing
    tally: Mapping[outbox.State, int]


def draft(
    engine: Engine,
    settings: Settings,
    week: Week,
    now: datetime,
    who: str = audit.SCHEDULER,
    guard: Guard = unguarded,
    *,
    over_approval: bool = True,
) -> Drafted:
    """Compose, render and store a week's edition; the same inputs, overrides among them, give the same bytes.

    Raises DigestError where no source has anything to say, or where the edition is already being sent; ApprovedError,
    unless it may go `over_approval`, where that would undo one.
    """
    with reading(engine) as connection:
        _refuse_sent(connection, week)
        found = composed(connection, settings, week)
    edition, changes, earlier, said = found
    regimes = packaged_regimes(settings.consent.regimes).by_code
    carried = {code: duties(regime, "edition", settings.series.commercial) for code, regime in regimes.items()}
    rendered = render(edition, settings, [one.edition for one in earlier], carried)
    with writing(engine) as connection:
        guard(connection)
        known = editions.hashes_of(connection, str(week), hold=True)
        _refuse_sent(connection, week)  # while this was rendered, somebody else may have sent it
        before = _stored_before(connection, week)
        given = override_store.approvers(connection, str(week), known[0]) if known else ()
        templates = templates_of_mails()
        stored = editions.save_draft(connection, edition, rendered, _envelope(settings), now, templates, len(said))
        editions.save_told(connection, str(week), map(fact_of, changes.disagreements))
        changed = known is None or known[0] != stored.content_hash
        what = _what_changed(before, stored) if known is not None and changed else ()
        voided = changed and known is not None and bool(known[1] or given)
        if voided and not over_approval:
            raise ApprovedError(f"the edition of {week} is approved, and would be another now.")
        if changed:
            override_store.void_approvals(connection, str(week))
            detail = {"content": stored.content_hash, "subject": rendered.subject, "what": list(what)}
            audit.write(connection, "drafted", str(week), who, now, **detail)
        if voided:
            was = known[0] if known else ""
            audit.write(connection, "voided", str(week), who, now, was=was, by=list(given), what=list(what))
    return Drafted(stored, changed, voided, what, misfits_in(edition, said, changes), found)


def void(connection: Connection, week: str, who: str, now: datetime, what: str) -> bool:
    """Take away the approval of a week's edition, and what single editors said for it, because of an act that its next
    draft will heed. True where there was any; never of one that is being sent."""
    known = editions.hashes_of(connection, week, hold=True)
    given = override_store.approvers(connection, week, known[0]) if known else ()
    if known is None or not (known[1] or given) or outbox.find(connection, week) is not None:
        return False
    editions.void_approval(connection, week)
    override_store.void_approvals(connection, week)
    audit.write(connection, "voided", week, who, now, was=known[0], by=list(given), what=[what])
    return True


def _refuse_sent(connection: Connection, week: Week) -> None:
    if outbox.find(connection, str(week)) is not None:
        raise DigestError(f"the edition of {week} is already being sent and can no longer be drafted anew.")


def _stored_before(connection: Connection, week: Week) -> StoredEdition | None:
    with suppress(StorageError):  # of another version, which this one cannot compare with
        return editions.load_edition(connection, str(week))
    return None


def _what_changed(before: StoredEdition | None, now: StoredEdition) -> tuple[str, ...]:
    if before is None:
        return ("what was stored before is of another version of the program",)
    was, new = ((one.edition, one.rendered, one.envelope.model_dump(), one.templates) for one in (before, now))
    return what_changed(was, new) or ("the stored form changed",)


def approve(
    engine: Engine,
    week: Week,
    now: datetime,
    who: str = audit.SCHEDULER,
    policy: Approval | None = None,
    content: str | None = None,
    guard: Guard = unguarded,
) -> StoredEdition:
    """Pin the content hash of a week's draft: only these bytes may be sent.

    With a `policy` it is pinned once as many editors said so as that needs, and stays unapproved until then. With
    `content` only a draft of that hash is approved: the one that was looked at. Raises DigestError where `who` may not
    approve, where the draft is another, and where its number is taken.
    """
    if policy and policy.approvers and who not in policy.approvers:
        raise DigestError(f"{who} may not approve; [approval] approvers names {', '.join(policy.approvers)}.")
    with writing(engine) as connection:
        guard(connection)
        editions.hashes_of(connection, str(week), hold=True)
        stored = _drafted(connection, week)
        number = editions.edition_number(connection, str(week))
        if not stored.approved and stored.edition.number != number:
            raise DigestError(f"the edition of {week} would be No. {number} by now; run `digest draft {week}` again.")
        if content is not None and stored.content_hash != content:
            raise DigestError(f"the draft of {week} is another than was looked at; look at it again.")
        if not stored.approved and stored.heard is not None:
            unheard = len(override_store.load(connection, str(week))) - stored.heard
            if unheard:
                more = several(unheard, "override")
                raise DigestError(
                    f"the draft of {week} does not heed {more} that came later; run `digest draft {week}`."
                )
        given = _add_approval(connection, stored, who, now) if not stored.approved else ()
        if policy and policy.approvers:  # who may not approve any more counts no more
            given = tuple(name for name in given if name in policy.approvers)
        waits = not stored.approved and len(given) < (policy.needed if policy else 1)
        if not stored.approved and not waits:
            editions.save_approval(connection, str(week), stored.content_hash, now)
            stored = _drafted(connection, week)
    if not stored.approved and not waits:
        raise DigestError(f"the stored edition of {week} is damaged; run `digest draft {week}` and look at it again.")
    return stored


def _add_approval(connection: Connection, stored: StoredEdition, who: str, now: datetime) -> tuple[str, ...]:
    """Note an editor's approval; all who approved this content."""
    known = override_store.approvers(connection, stored.week, stored.content_hash)
    if who in known:
        return known
    override_store.add_approval(connection, stored.week, stored.content_hash, who, now)
    audit.write(connection, "approved", stored.week, who, now, content=stored.content_hash)
    return (*known, who)


def send(
    engine: Engine,
    settings: Settings,
    week: Week,
    clock: Callable[[], datetime],
    report: Callable[[int], None] | None = None,
    *,
    queue_only: bool = False,
    is_enough: Callable[[int], bool] | None = None,
    who: str = audit.SCHEDULER,
) -> Sent:
    """Queue an approved edition to its readers and send what is due; resumes where an earlier run ended.

    With `queue_only` the sending is left to workers; `is_enough` is that of `sending.drain`. Raises DigestError when
    what is stored is not what was approved, DeliveryError when the relay fails, where there can be no workers, or where
    the clock is doubted.
    """
    if queue_only:
        jobs.demand(engine)
    mailing, contents = _queued(engine, settings, week, clock(), who)
    if not queue_only:
        workers.drain_with_pool(engine, settings, mailing, contents, clock, report, is_enough, heed_clock)
    with reading(engine) as connection:
        mailing = outbox.find(connection, str(week)) or mailing
        return Sent(mailing, counting.tally(connection, mailing.id))


def queue(engine: Engine, settings: Settings, week: Week, now: datetime, guard: Guard = unguarded) -> outbox.Mailing:
    """Queue an approved edition to its readers; `send` and workers do the rest. Raises DigestError as `send` does."""
    return _queued(engine, settings, week, now, guard=guard)[0]


def send_some(
    engine: Engine, settings: Settings, week: Week, clock: Callable[[], datetime], is_enough: Callable[[int], bool]
) -> None:
    """One worker's part of sending a queued edition, until `is_enough` says so of how many it dealt with."""
    mailing, contents = _queued(engine, settings, week, clock())
    transport = sending.transport_of(settings)
    sending.drain(engine, settings, mailing, contents, transport, clock, is_enough=is_enough, heed=heed_clock)


def _queued(
    engine: Engine,
    settings: Settings,
    week: Week,
    now: datetime,
    who: str = audit.SCHEDULER,
    guard: Guard = unguarded,
) -> tuple[outbox.Mailing, Contents]:
    """The mailing of an approved edition, queued if it was not yet, and what it says."""
    with writing(engine) as connection:
        guard(connection)
        heed_clock(connection, now)
        editions.hashes_of(connection, str(week), hold=True)
        stored = _drafted(connection, week)
        if not stored.approved:
            raise DigestError(
                f"the edition of {week} is not approved; look at it and run `digest approve {week}` before sending."
            )
        if not stored.envelope.is_that_of(_envelope(settings)):
            raise DigestError(
                "[series], [mail], the consent regimes or the catalogues say otherwise than when the edition of "
                f"{week} was approved; set them back, or draft and approve it again if none of it was sent."
            )
        edition = _outgoing(connection, settings, stored, now)
        known = outbox.find(connection, str(week))
        mailing = outbox.queue(connection, edition, stored.content_hash, now)
        if known is None:
            detail = {"content": stored.content_hash, "readers": mailing.audience}
            audit.write(connection, "queued", str(week), who, now, **detail)
        if known is None and jobs.can_hand_out(engine):
            jobs.hand_out(connection, mailing)
        earlier = editions.approved_before(connection, str(week), EDITIONS_TO_CATCH_UP)
    missed = [one.edition for one in earlier]
    return mailing, of_edition(stored.rendered, [*missed, stored.edition], edition, settings)


def outgoing(connection: Connection, settings: Settings, week: Week, now: datetime) -> Outgoing | None:
    """What routing asks of a week's edition; None where there is none."""
    stored = editions.load_edition(connection, str(week))
    return _outgoing(connection, settings, stored, now) if stored else None


def _envelope(settings: Settings) -> editions.Envelope:
    return editions.envelope_of(settings, packaged_regimes(settings.consent.regimes).version)


def forecast(engine: Engine, settings: Settings, week: Week, now: datetime) -> Mapping[tuple[outbox.State, str], int]:
    """To how many readers a week's edition would go if it was queued now, by state and reason, or how it went."""
    with reading(engine) as connection:
        stored = _drafted(connection, week)
        return counting.forecast(connection, _outgoing(connection, settings, stored, now), now)


def forecast_by_region(
    engine: Engine, settings: Settings, week: Week, now: datetime
) -> Mapping[tuple[str, outbox.State, str], int]:
    """The same by regime, state and reason; of an edition that was queued, how its deliveries stand."""
    with reading(engine) as connection:
        stored = _drafted(connection, week)
        return counting.forecast_by_region(connection, _outgoing(connection, settings, stored, now), now)


def _outgoing(connection: Connection, settings: Settings, stored: StoredEdition, now: datetime) -> Outgoing:
    mailing = outbox.find(connection, stored.week)
    edition = stored.edition
    return Outgoing(
        week=stored.week,
        quiet=edition.quiet,
        stirred=stirred(followed([edition])) if edition.quiet else frozenset(),
        closes_at=(mailing.queued_at if mailing else now) + timedelta(hours=settings.delivery.give_up_after_hours),
        regimes=packaged_regimes(settings.consent.regimes),
        commercial=settings.series.commercial,
        from_hour=settings.delivery.from_hour,
        until_hour=settings.delivery.until_hour,
        zone=settings.series.zone,
    )


def send_unfinished(
    engine: Engine,
    settings: Settings,
    but: Week | None,
    clock: Callable[[], datetime],
    complain: Callable[[str], None],
    is_enough: Callable[[int], bool] | None = None,
) -> list[Sent]:
    """Go on with the mailings of other weeks that were put off or broke off; a paused one waits. One that cannot go on
    stops no other. `is_enough` is that of `sending.drain`."""
    with reading(engine) as connection:
        unfinished = [one for one in outbox.unfinished(connection) if one.kind == "edition"]
    waiting = [parse_week(one.week) for one in unfinished if one.control != "paused"]
    sent = []
    for week in waiting:
        try:
            sent += [send(engine, settings, week, clock, is_enough=is_enough)] if week != but else []
        except DigestError as error:
            complain(str(error))
    return sent


def held_back(connection: Connection, settings: Settings, week: Week) -> list[str]:
    """The titles of the sources of which a capture of the week waits for a person's word."""
    return [
        settings.sources[name].title
        for name in settings.enabled_sources
        if scores.quarantined(connection, name, week.starts, week.ends)
    ]


def is_approved(engine: Engine, week: Week) -> bool:
    """Whether the stored edition of the week is the approved one."""
    with reading(engine) as connection:
        stored = editions.load_edition(connection, str(week))
    return stored is not None and stored.approved


def is_queued(engine: Engine, week: Week) -> bool:
    """Whether the week's edition has gone to the outbox."""
    with reading(engine) as connection:
        return outbox.find(connection, str(week)) is not None


def _drafted(connection: Connection, week: Week) -> StoredEdition:
    stored = editions.load_edition(connection, str(week))
    if stored is None:
        raise DigestError(f"there is no edition of {week} yet; run `digest draft {week}` first.")
    return stored
