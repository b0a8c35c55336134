"""Rows that came, went, or go by another name."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from digest.changes.identity import EVIDENCE, Match, Matching
from digest.changes.kinds import NO_MEMORY, Change, Figure, Kind, Memory, Reason
from digest.changes.ranking import Standing
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Row, Score, Snapshot

Ranks = Mapping[str, Standing]


def first_rows(current: Snapshot, board: Ranks) -> Iterator[Change]:
    """Every row of a source's first capture: no news, since there is nothing to compare with."""
    for row in current.rows.values():
        yield _row_change(Kind.MODEL_ADDED, Reason.FIRST_CAPTURE, False, current, board, row)


def row_changes(
    previous: Snapshot,
    current: Snapshot,
    matching: Matching,
    before: Ranks,
    after: Ranks,
    memory: Memory = NO_MEMORY,
) -> Iterator[Change]:
    """Arrivals, departures, renames, moved prefixes and keys that were given to another row.

    A row that was there a short while ago is back, and no launch.

    In a price list a model is one launch and one withdrawal, however many ids it goes by: the others are the same fact.
    """
    price_list = current.lead is None
    known, kept = (set(map(_model, week.rows.values())) if price_list else set() for week in (previous, current))
    lately = memory.rows - previous.rows.keys()  # a key that changed hands brings no past with it
    back = {row for row in matching.arrived if row.key in lately}
    for row, told in _each_model_once(matching.arrived, known | set(map(_model, back)), once=price_list):
        reason = Reason.FLIP_FLOP if row in back else Reason.ENTRY if told else Reason.SAME_FACT
        yield _row_change(Kind.MODEL_ADDED, reason, reason is Reason.ENTRY, current, after, row)
    for row, told in _each_model_once(matching.left, kept, once=price_list):
        reason = Reason.WITHDRAWAL if told else Reason.SAME_FACT
        yield _row_change(Kind.MODEL_REMOVED, reason, told, previous, before, row)
    yield from _renames(matching.matches, current, after)
    for match in matching.reused:
        yield _rename(match, Reason.KEY_REUSED, "another model, and no figure is the same", current, after)


def _model(row: Row) -> tuple[str, str | None]:
    name = resolve(row.raw)
    return name.model, name.pair


def _each_model_once(
    rows: Sequence[Row], elsewhere: Collection[tuple[str, str | None]], *, once: bool
) -> Iterator[tuple[Row, bool]]:
    """Each row, and whether it is to be told: the plainest id of a model that the other week does not have."""
    if not once:
        yield from ((row, True) for row in rows)
        return
    by_model: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for row in rows:
        by_model[_model(row)].append(row)
    for model, same in by_model.items():
        first, *others = sorted(same, key=_plainness)
        yield first, model not in elsewhere
        yield from ((row, False) for row in others)


def _plainness(row: Row) -> tuple[bool, int, str]:
    name = resolve(row.raw)
    return name.host is not None, len(row.raw), row.key


def _renames(matches: Sequence[Match], current: Snapshot, board: Ranks) -> Iterator[Change]:
    """A rename a row; rows whose prefix moved together are one change with their number."""
    moved = [match for match in matches if match.by == "namespace"]
    for match in matches:
        if match.by != "namespace" and match.before.raw != match.after.raw:
            yield _rename(match, Reason.RENAME, EVIDENCE[match.by], current, board)
    prefixes = Counter((_prefix(match.before.key), _prefix(match.after.key)) for match in moved)
    for (before, after), rows in sorted(prefixes.items()):
        yield Change(
            kind=Kind.MODEL_RENAMED,
            reason=Reason.NAMESPACE_MOVE,
            news=False,
            source=current.capture.source,
            key=f"{after}/",
            name=_all_under(after),
            before=Figure(name=_all_under(before)),
            rows=rows,
            evidence=EVIDENCE["namespace"],
        )


def _all_under(prefix: str) -> ModelName:
    every = f"{prefix}/*" if prefix else "*"
    return ModelName(every, every, every)


def _prefix(key: str) -> str:
    return key.rpartition("/")[0]


def _rename(match: Match, reason: Reason, evidence: str, current: Snapshot, board: Ranks) -> Change:
    return Change(
        kind=Kind.MODEL_RENAMED,
        reason=reason,
        news=False,
        source=current.capture.source,
        key=match.after.key,
        name=resolve(match.after.raw),
        benchmark=current.lead,
        unit=unit_of(current),
        before=Figure(name=resolve(match.before.raw)),
        after=place_of(board, match.after.key),
        evidence=evidence,
    )


def _row_change(kind: Kind, reason: Reason, news: bool, snapshot: Snapshot, board: Ranks, row: Row) -> Change:
    place = place_of(board, row.key)
    return Change(
        kind=kind,
        reason=reason,
        news=news,
        source=snapshot.capture.source,
        key=row.key,
        name=resolve(row.raw),
        benchmark=snapshot.lead,
        unit=unit_of(snapshot),
        before=place if kind is Kind.MODEL_REMOVED else None,
        after=place if kind is Kind.MODEL_ADDED else None,
    )


def place_of(board: Ranks, key: str) -> Figure:
    """A row's place on the lead benchmark, an empty figure where it has none."""
    return figure_of(board[key].score, board[key].rank) if key in board else Figure()


def figure_of(score: Score, rank: int | None = None) -> Figure:
    """A score as a change tells it."""
    return Figure(score.value, rank, score.low, score.high)


def unit_of(snapshot: Snapshot) -> str:
    """The unit of the lead benchmark."""
    return snapshot.benchmarks[snapshot.lead].unit if snapshot.lead else ""
