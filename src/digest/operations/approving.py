"""Approving an edition: the checks before it, who says so, to whom it will go; and what happens at the deadline."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine

from digest import audit
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery.outbox import State
from digest.edition import override_store
from digest.edition.numbers import several
from digest.edition.store import StoredEdition, load_edition
from digest.errors import DigestError
from digest.operations.checking import check_edition, faults_of_settings
from digest.rendering.lint.page import Finding
from digest.weekly import stages
from digest.weekly.calendar import Week
from digest.weekly.running import unless_doubtful
from digest.weekly.stages import Guard

Regions = Mapping[tuple[str, State, str], int]
"""Readers by (regime, state, reason): what an edition would come to if it was queued now."""


class Approved(NamedTuple):
    """An edition with those who approved it, of `needed`; what the checks found, and to whom it goes."""

    stored: StoredEdition
    by: tuple[str, ...]
    needed: int
    found: Sequence[Finding]
    regions: Regions


class Decision(NamedTuple):
    """What is done at the deadline: send the edition, or hold it for the reasons given."""

    send: bool
    why: tuple[str, ...] = ()


def approve(engine: Engine, settings: Settings, week: Week, who: str, now: datetime) -> Approved:
    """Approve the stored draft in the name of `who`, as [approval] asks; again, it changes nothing.

    Raises DigestError where a check of a mail finds an error, where `who` may not approve, or where there is no draft.
    """
    stored = _stored(engine, week)
    found = check_edition(stored, settings)
    if not stored.approved and (errors := blocking(found, settings)):
        checks = several(len(errors), "check")
        raise DigestError(
            f"{checks} of {week} {'fails' if len(errors) == 1 else 'fail'} and block approval, the first: "
            f"{errors[0].what} {errors[0].do} `digest preview {week} --check` lists all."
        )
    stored = stages.approve(engine, week, now, who, settings.approval, stored.content_hash)
    with reading(engine) as connection:
        by = override_store.approvers(connection, str(week), stored.content_hash)
    return Approved(stored, by, settings.approval.needed, found, stages.forecast_by_region(engine, settings, week, now))


def blocking(found: Sequence[Finding], settings: Settings) -> list[Finding]:
    """The findings that an edition cannot be approved with: errors in its mails. What the settings leave out is said
    aloud by every check, and can be mended without a new draft by nobody; it blocks no approval."""
    of_settings = list(faults_of_settings(settings))
    return [finding for finding in found if finding.level == "error" and finding not in of_settings]


def at_deadline(engine: Engine, settings: Settings, week: Week, now: datetime, guard: Guard) -> StoredEdition | None:
    """What becomes, without a person, of a draft that nobody approved in time: the edition, approved, or None."""
    if not settings.approval.required:
        return unless_doubtful(engine, settings, week, now, guard)
    if not decide_at_deadline(engine, settings, week, now, guard).send:
        return None
    return _stored(engine, week)


def decide_at_deadline(
    engine: Engine, settings: Settings, week: Week, now: datetime, guard: Guard = stages.unguarded
) -> Decision:
    """What becomes of an edition that is due, by [approval] at_deadline; an approved one is sent.

    With "send_if_checked" a draft is approved here in the scheduler's name if no check finds an error, no source is
    held back and at least one was read. A draft that is held stays one, and the log says why.
    """
    with reading(engine) as connection:
        stored = load_edition(connection, str(week))
        held = stages.held_back(connection, settings, week)
    if stored is not None and stored.approved:
        return Decision(send=True)
    why = _against(stored, settings, held)
    if stored is not None and not why:
        stages.approve(engine, week, now, content=stored.content_hash, guard=guard)
        return Decision(send=True)
    with writing(engine) as connection:
        guard(connection)
        audit.write(connection, "held", str(week), audit.SCHEDULER, now, why=list(why))
    return Decision(send=False, why=why)


def _against(stored: StoredEdition | None, settings: Settings, held: Sequence[str]) -> tuple[str, ...]:
    """Why an edition that nobody approved is not sent; empty where nothing speaks against it. Held are captures by now,
    which may be more than when it was drafted."""
    if stored is None:
        return ("there is no draft",)
    if settings.approval.at_deadline == "hold":
        return ("nobody approved it in time",)
    health = stored.edition.health
    drafted = [source.title for source in health if source.status == "quarantined"]
    against = [f"a capture of {title} is held back" for title in dict.fromkeys([*drafted, *held])]
    if not any(source.status in ("fresh", "unchanged", "new") for source in health):
        against.append("no source was read")
    if not against:
        errors = [finding for finding in check_edition(stored, settings) if finding.level == "error"]
        against += [f"a check fails: {finding.what}" for finding in errors]
    return tuple(against)


def fallen(connection: Connection, week: Week, content: str) -> tuple[str, ...]:
    """What changed since an edition was last approved, or one of several editors said so, if that fell since."""
    fates = audit.read(connection, str(week), acts=("approved", "voided", "drafted"))
    last = max((number for number, entry in enumerate(fates) if entry.act == "approved"), default=None)
    if last is None or not any(entry.act == "voided" for entry in fates[last:]):
        return ()
    if fates[last].detail.get("content") == content:
        return ("nothing is left of it: this is again what was approved",)
    return tuple(dict.fromkeys(what for entry in fates[last:] for what in entry.detail.get("what", ())))


def _stored(engine: Engine, week: Week) -> StoredEdition:
    with reading(engine) as connection:
        stored = load_edition(connection, str(week))
    if stored is None:
        raise DigestError(f"there is no edition of {week} yet; run `digest draft {week}` first.")
    return stored
