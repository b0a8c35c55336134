"""All sources of a week beside the week before: how each fared, what changed at each, where they disagree."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from digest.changes.compare import compare
from digest.changes.disagreement import disagreements
from digest.changes.kinds import NO_MEMORY, Change, Memory, SourceChanges
from digest.config.sections import Policy
from digest.scores.snapshot import Snapshot

Status = Literal["fresh", "unchanged", "stale", "failed", "quarantined", "new"]


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a source in two weeks. `changed_on` is the day since which it says what it says now; `failure`
    is why the newest fetch of the week brought nothing; `doubt` what speaks against the capture it brought."""

    source: str
    stale_after_days: int
    previous: Snapshot | None
    current: Snapshot | None
    changed_on: date | None
    failure: str | None
    doubt: str | None = None
    memory: Memory = NO_MEMORY


@dataclass(frozen=True, slots=True)
class SourceWeek:
    """A source in a week, judged. `changes` is None where there is nothing to compare."""

    state: State
    status: Status
    age_days: int | None
    changes: SourceChanges | None

    @property
    def told(self) -> bool:
        """Whether an edition may tell from it: a failed or stale source is only named."""
        return self.status in ("fresh", "unchanged", "new")


@dataclass(frozen=True, slots=True)
class WeekChanges:
    """The week: `as_of` is the day the ages count to."""

    as_of: date
    sources: tuple[SourceWeek, ...]
    disagreements: tuple[Change, ...]

    def id_of_disagreement(self, change: Change) -> str:
        """The id of a disagreement, from both sources' current captures."""
        sha = {week.state.source: week.state.current.capture.sha256 for week in self.sources if week.state.current}
        other = change.after.source if change.after else None
        return change.id(sha.get(change.source, ""), sha.get(other or "", ""))


def compare_week(
    states: Sequence[State], starts: date, ends: date, told: Collection[str], policy: Policy
) -> WeekChanges:
    """Judge and compare every source of the week from `starts` to `ends`.

    `told` holds the disagreements that earlier editions told. A source that was never captured and never failed is
    left out: there is nothing to say of it.
    """
    days = [state.current.capture.on for state in states if state.current]
    as_of = max([day for day in days if starts <= day <= ends], default=starts)
    weeks = tuple(_judge(state, as_of) for state in states if state.current or state.failure or state.doubt)
    settled = [week.state.current for week in weeks if week.told and week.status != "new" and week.state.current]
    return WeekChanges(as_of, weeks, disagreements(settled, told, policy))


def _judge(state: State, as_of: date) -> SourceWeek:
    age = (as_of - state.changed_on).days if state.changed_on else None
    changes = compare(state.previous, state.current, state.memory) if state.current else None
    if state.doubt is not None:
        return SourceWeek(state, "quarantined", age, None)
    if state.failure is not None:
        return SourceWeek(state, "failed", age, None)
    if state.previous is None:
        return SourceWeek(state, "new", age, changes)
    if age is not None and age > state.stale_after_days:
        return SourceWeek(state, "stale", age, None)
    same = state.current is not None and state.current.says_the_same_as(state.previous)
    return SourceWeek(state, "unchanged" if same else "fresh", age, changes)
