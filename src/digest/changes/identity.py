"""Which row of this week is which row of last week: proved by its key, or by what only one row on either side has."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Row, Snapshot

By = Literal["key", "name", "identity", "namespace", "figures", "offer"]
Traits = Mapping[str, object]

EVIDENCE: dict[By, str] = {
    "key": "the row's own key is the same",
    "name": "the only row of that name in either week",
    "identity": "the catalogue knows both names as one model and variant",
    "namespace": "all rows under that prefix moved together",
    "figures": "suspected: the same figures, which no other row has",
    "offer": "suspected: the same offer under a name that differs by its release stage only",
}
"""What shows that two rows are one; what is only suspected says so."""

_STAGES = frozenset({"preview", "beta", "exp", "experimental", "latest", "stable"})

FEWEST_MOVED = 3
"""So many rows must move together before a move of their prefix is a proof."""


@dataclass(frozen=True, slots=True)
class Match:
    """A row of both weeks, and what shows it."""

    before: Row
    after: Row
    by: By


@dataclass(frozen=True, slots=True)
class Matching:
    """`left` and `arrived` are rows of one week only; `reused` are keys that now belong to another row."""

    matches: tuple[Match, ...]
    left: tuple[Row, ...]
    arrived: tuple[Row, ...]
    reused: tuple[Match, ...]


def match_rows(previous: Snapshot, current: Snapshot) -> Matching:
    """Match by key, then by name, by what the catalogue knows, by moved prefixes, by figures; each only if unique."""
    kept = [Match(previous.rows[key], row, "key") for key, row in current.rows.items() if key in previous.rows]
    reused = [match for match in kept if match.before.raw != match.after.raw and _is_reuse(match, previous, current)]
    matches = [match for match in kept if match not in reused] if reused else kept
    gone_keys = {match.after.key for match in reused}
    left = {key: row for key, row in previous.rows.items() if key not in current.rows or key in gone_keys}
    arrived = {key: row for key, row in current.rows.items() if key not in previous.rows or key in gone_keys}
    shared = previous.benchmarks.keys() & current.benchmarks.keys()
    for by, trait in _PROOFS.items():
        if not (left and arrived):
            break
        pairs = _unique_pairs(trait(previous, left.values(), shared), trait(current, arrived.values(), shared))
        matches += [Match(left.pop(before), arrived.pop(after), by) for before, after in pairs]
        if by == "identity":
            matches += [
                Match(left.pop(before), arrived.pop(after), "namespace") for before, after in _moves(left, arrived)
            ]
    matches.sort(key=lambda match: match.after.key)
    return Matching(tuple(matches), tuple(sorted(left.values())), tuple(sorted(arrived.values())), tuple(reused))


def _is_reuse(match: Match, previous: Snapshot, current: Snapshot) -> bool:
    """Another model under an old key: the names mean different models, and no figure is the same."""
    if _same_model(resolve(match.before.raw), resolve(match.after.raw)):
        return False
    before, after = dict(_figures(previous, match.before)), dict(_figures(current, match.after))
    shared = before.keys() & after.keys()
    return bool(shared) and all(before[name] != after[name] for name in shared)


def _same_model(one: ModelName, other: ModelName) -> bool:
    return (one.model, one.pair) == (other.model, other.pair)


def _unique_pairs(left: Traits, arrived: Traits) -> list[tuple[str, str]]:
    """Keys that left and keys that arrived with the same trait, where nobody else on either side has it."""
    before, after = _by_trait(left), _by_trait(arrived)
    return [
        (keys[0], after[trait][0])
        for trait, keys in before.items()
        if len(keys) == 1 and len(after.get(trait, ())) == 1
    ]


def _by_trait(traits: Traits) -> dict[object, list[str]]:
    keys: dict[object, list[str]] = defaultdict(list)
    for key, trait in traits.items():
        keys[trait].append(key)
    return keys


def _names(_snapshot: Snapshot, rows: Iterable[Row], _shared: Collection[str]) -> Traits:
    return {row.key: row.raw for row in rows}


def _identities(_snapshot: Snapshot, rows: Iterable[Row], _shared: Collection[str]) -> Traits:
    """Model, variant, pair and host; a name that nothing was understood of proves nothing."""
    names = {row.key: resolve(row.raw) for row in rows}
    return {key: (name.identity, name.host) for key, name in names.items() if name.how != "unresolved"}


def _fingerprints(snapshot: Snapshot, rows: Iterable[Row], shared: Collection[str]) -> Traits:
    """All figures of each row that has two or more on shared benchmarks: one alone, or zeros, can be a coincidence."""
    prints = {row.key: tuple(it for it in _figures(snapshot, row) if it[0] in shared) for row in rows}
    return {
        key: figures for key, figures in prints.items() if len(figures) >= 2 and any(value for _name, value in figures)
    }


def _figures(snapshot: Snapshot, row: Row) -> list[tuple[str, object]]:
    """The row's scores by benchmark. Money is left out: it is put right too often, and shared by too many."""
    return [
        (name, snapshot.scores[name][row.key].value)
        for name, about in sorted(snapshot.benchmarks.items())
        if row.key in snapshot.scores[name] and not (about.inputs or about.unit.startswith("USD"))
    ]


def _offers(snapshot: Snapshot, rows: Iterable[Row], _shared: Collection[str]) -> Traits:
    """Whole offers that say at least two things, with the words of the name but for its release stage."""
    found = {row.key: (row, snapshot.offers[row.key]) for row in rows if row.key in snapshot.offers}
    return {
        key: (offer, frozenset(re.split(r"[^a-z0-9.]+", row.raw.lower())) - _STAGES)
        for key, (row, offer) in found.items()
        if sum(part is not None for part in offer[1:]) >= 2
    }


_PROOFS: dict[By, Callable[[Snapshot, Iterable[Row], Collection[str]], Traits]] = {
    "name": _names,
    "identity": _identities,
    "figures": _fingerprints,
    "offer": _offers,
}


def _moves(left: Mapping[str, Row], arrived: Mapping[str, Row]) -> list[tuple[str, str]]:
    """Rows of a prefix that left while the same names arrived under one other prefix, all of them."""
    tails = _by_trait({key: key.rpartition("/")[2] for key in arrived})
    candidates: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for key in left:
        prefix, _, tail = key.rpartition("/")
        for other in tails.get(tail, ()):
            candidates[prefix, other.rpartition("/")[0]].append((key, other))
    under: dict[str, int] = defaultdict(int)
    for key in left:
        under[key.rpartition("/")[0]] += 1
    whole = [
        pair
        for (before, _after), pairs in candidates.items()
        if len(pairs) >= FEWEST_MOVED and len(pairs) == under[before]
        for pair in pairs
    ]
    from_, to = Counter(before for before, _after in whole), Counter(after for _before, after in whole)
    # a name that could have moved to two places, or from two, proves nothing
    return [(before, after) for before, after in whole if from_[before] == to[after] == 1]
