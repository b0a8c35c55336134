"""Two weeks -> the picks of the second, with what changed: another pick, for a cause that is not noise."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from digest.changes.columns import columns
from digest.changes.identity import Match, match_rows
from digest.changes.scales import SAME, Scale
from digest.config.settings import Settings
from digest.edition.facts import Name
from digest.edition.needs import Needs, packaged_needs
from digest.edition.pick_facts import Pick, PickChange
from digest.edition.picks import among_the_best, answers, identity, picks
from digest.edition.yardsticks import Evidence, Subject, Yardstick, evidence, overall, subject_of
from digest.scores.catalog import resolve
from digest.scores.snapshot import Score, Snapshot

Why = Literal["arrived", "withdrawn", "rose", "fell", "standing", "source", "benchmark"]
Snapshots = Mapping[str, Snapshot]


def changed_picks(
    previous: Snapshots,
    current: Snapshots,
    settings: Settings,
    *,
    stale: Collection[str] = (),
    needs: Needs | None = None,
) -> tuple[Pick, ...]:
    """The current pick for each need, with its change where another model is picked than the week before.

    It is a change only where none of the models that were picked or tied is picked or tied now, whatever their rows are
    called, and where a cause is found that is not noise. Without a pick in both weeks there is no change.
    """
    needs = needs or packaged_needs()
    weeks = _Weeks(evidence(previous, settings, needs, stale), evidence(current, settings, needs, stale))
    before = {answer.needs: answer for answer in picks(weeks.before)}
    return tuple(
        answer.model_copy(update={"change": _change(before[answer.needs], answer, weeks)})
        for answer in picks(weeks.now)
    )


@dataclass(frozen=True, slots=True)
class _Weeks:
    before: Evidence
    now: Evidence


def _change(before: Pick, now: Pick, weeks: _Weeks) -> PickChange | None:
    if not (before.leaders and now.leaders) or _models(before) & _models(now):
        return None
    need = now.needs[0]
    cause = _cause(before, now, answers([need], weeks.before)[0][0], answers([need], weeks.now)[0][0], weeks)
    if cause is None:
        return None
    why, by = cause
    return PickChange(why=why, by=by, before=before.leaders, criterion=before.criteria[0])


def _models(pick: Pick) -> set[Subject]:
    return {identity(choice) for choice in pick.leaders}


def _cause(before: Pick, now: Pick, old: Yardstick, new: Yardstick, weeks: _Weeks) -> tuple[Why, Name | None] | None:
    """The first cause that is found and by whom; None where all that moved did so within its uncertainty."""
    if old.capture.source != new.capture.source:
        return "source", None
    if old.about.name != new.about.name:
        return "benchmark", None
    moved = _moved(old, new, weeks)
    if moved.anew:
        return "benchmark", None
    picked = {identity(choice): choice.name for choice in now.leaders}
    dropped = {moved.called_now(identity(choice)): choice.name for choice in before.leaders}
    if dropped.keys() & picked.keys():
        return None
    by_whom: list[tuple[Why, list[Name]]] = [
        ("arrived", [name for subject, name in picked.items() if subject not in moved.before]),
        ("withdrawn", [] if dropped.keys() & moved.now.keys() else list(dropped.values())),
        ("rose", [name for subject, name in picked.items() if moved.is_better(subject)]),
        ("fell", [name for subject, name in dropped.items() if moved.is_worse(subject)]),
    ]
    found = next(((why, names[0]) for why, names in by_whom if names), None)
    if found is None and now.group and _company_changed(picked.keys(), dropped.keys(), weeks):
        return "standing", None
    return found


@dataclass(frozen=True, slots=True)
class _Moved:
    """A yardstick's figures of both weeks by model, those of before under its present name and on the present scale."""

    yardstick: Yardstick
    before: Mapping[Subject, Score]
    now: Mapping[Subject, Score]
    renamed: Mapping[Subject, Subject]
    scale: Scale
    anew: bool

    def called_now(self, subject: Subject) -> Subject:
        return self.renamed.get(subject, subject)

    def is_better(self, subject: Subject) -> bool:
        """Whether it moved for the better, beyond uncertainty."""
        pair = self._pair(subject)
        return pair is not None and self.yardstick.better(pair[1], pair[0])

    def is_worse(self, subject: Subject) -> bool:
        pair = self._pair(subject)
        return pair is not None and self.yardstick.better(pair[0], pair[1])

    def _pair(self, subject: Subject) -> tuple[Score, Score] | None:
        if subject not in self.before or subject not in self.now:
            return None
        return self.before[subject], self.scale.back(self.now[subject])


def _moved(old: Yardstick, new: Yardstick, weeks: _Weeks) -> _Moved:
    source = new.capture.source
    previous, current = weeks.before.snapshots[source], weeks.now.snapshots[source]
    matches = match_rows(previous, current).matches
    renamed = dict(_renamed(matches, old, new))
    column = next((it for it in columns(previous, current, matches) if it.name == new.about.name), None)
    return _Moved(
        yardstick=new,
        before={renamed.get(subject, subject): rows[0].score for subject, rows in old.rows.items()},
        now={subject: rows[0].score for subject, rows in new.rows.items()},
        renamed=renamed,
        scale=column.scale if column else SAME,
        anew=column.anew if column else False,
    )


def _renamed(matches: Iterable[Match], old: Yardstick, new: Yardstick) -> Iterable[tuple[Subject, Subject]]:
    """Models that go by another name now: the old name is on no row any more, and the new one was on none before."""
    for match in matches:
        before, after = (subject_of(resolve(row.raw)) for row in (match.before, match.after))
        if before != after and before not in new.rows and after not in old.rows:
            yield before, after


def _company_changed(picked: Collection[Subject], dropped: Collection[Subject], weeks: _Weeks) -> bool:
    """Whether those dropped left the best models of the board, or those picked joined them, not by noise alone."""
    before, now = (next(iter(overall(week)), None) for week in (weeks.before, weeks.now))
    if before is None or now is None or before.capture.source != now.capture.source:
        return True
    moved = _moved(before, now, weeks)
    most = weeks.now.needs.among
    was, is_ = among_the_best(before, most), among_the_best(now, most)
    crossed = (set(dropped) & was - is_) | (set(picked) & is_ - was)
    overtaken = any(
        subject in now.rows and now.better(score, now.rows[subject][0].score)
        for subject in crossed
        for new, score in moved.now.items()
        if new not in moved.before
    )
    return overtaken or any(
        subject not in moved.before or subject not in moved.now or moved.is_better(subject) or moved.is_worse(subject)
        for subject in crossed
    )
