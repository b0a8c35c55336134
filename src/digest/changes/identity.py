"""Which row of this week is which row of last week: proved by its key, or by what only one row on either side has."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Literal

from digest.changes.kinds import NO_MEMORY, Memory
from digest.scores.catalog import resolve
from digest.scores.snapshot import Row, Snapshot

By = Literal["key", "name", "namespace", "identity", "figures", "most figures", "offer", "memory"]
Pairs = list[tuple[str, str]]
Rows = Mapping[str, Row]
Traits = Mapping[str, object]

EVIDENCE: dict[By, str] = {
    "key": "the row's own key is the same",
    "name": "the only row of that name in either week",
    "namespace": "the rows under that prefix moved together",
    "identity": "the catalogue knows both names as one model and variant",
    "figures": "suspected: the same figures, which no other row has",
    "most figures": "suspected: most of its figures are the same, and no other row that came or left has them",
    "offer": "suspected: the same offer under a name that differs by its release stage only",
    "memory": "suspected: it went by this name, with the same figures, a short while ago",
}
"""What shows that two rows are one; what is only suspected says so."""

_PROVED = frozenset[By]({"name", "namespace", "identity"})
"""What the catalogue has no say in; equal figures do not make one of two models that it knows apart."""

_STAGES = frozenset({"preview", "latest", "stable"})
"""Words that a maker drops when the same model is released. An exp or a beta is a model of its own."""

FEWEST_MOVED = 3
"""So many rows must move together before a move of their prefix is a proof."""

MOST_MOVED_PERCENT = 90
"""So large a share of what left a prefix, and of what arrived under the other: a row may be withdrawn that week."""

FEWEST_FIGURES = 2
"""One figure alone can be equal, or differ, by coincidence."""

FEWEST_OWN_FIGURES = 3
"""Where some figures differ, so many that no other row has must be equal: rows of one family are often alike in two."""

ALIKE = 0.6
"""The ratio from which difflib takes two texts for close; another spelling of a name is closer than that."""


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


def match_rows(previous: Snapshot, current: Snapshot, memory: Memory = NO_MEMORY) -> Matching:
    """Match by key, then by name, by moved prefixes, by what the catalogue knows, by equal figures (all, or most of
    them) or offers, by what the weeks before say; each only where it is unique on both sides."""
    kept = [Match(previous.rows[key], row, "key") for key, row in current.rows.items() if key in previous.rows]
    reused = [match for match in kept if match.before.raw != match.after.raw and _is_reuse(match, previous, current)]
    gone_keys = {match.after.key for match in reused}
    matches = [match for match in kept if match.after.key not in gone_keys]
    left = {key: row for key, row in previous.rows.items() if key not in current.rows or key in gone_keys}
    arrived = {key: row for key, row in current.rows.items() if key not in previous.rows or key in gone_keys}
    shared = previous.benchmarks.keys() & current.benchmarks.keys()
    proofs: dict[By, Callable[[], Pairs]] = {
        "name": lambda: _unique_pairs(_names(left), _names(arrived)),
        "namespace": lambda: _moves(left, arrived),
        "identity": lambda: _unique_pairs(_identities(left), _identities(arrived)),
        "figures": lambda: _unique_pairs(
            _fingerprints(previous, left, shared), _fingerprints(current, arrived, shared)
        ),
        "most figures": lambda: _mostly_alike(previous, left, current, arrived, shared),
        "offer": lambda: _unique_pairs(_offers(previous, left), _offers(current, arrived)),
        "memory": lambda: _returned(previous, left, arrived.keys() - previous.rows.keys(), memory),
    }
    for by, pairs in proofs.items():
        if not (left and arrived):
            break
        for before, after in pairs():
            if by in _PROVED or not _known_apart(left[before].raw, arrived[after].raw):
                matches.append(Match(left.pop(before), arrived.pop(after), by))
    matches.sort(key=lambda match: match.after.key)
    return Matching(tuple(matches), tuple(sorted(left.values())), tuple(sorted(arrived.values())), tuple(reused))


def _is_reuse(match: Match, previous: Snapshot, current: Snapshot) -> bool:
    """Another model under an old key: the names mean two models or are nothing alike, and no figure is the same.

    Of two models that the catalogue knows one figure is enough to see that it is not the name that was put right.
    """
    if _known_apart(match.before.raw, match.after.raw):
        fewest = 1
    elif _unrelated(match.before.raw, match.after.raw):
        fewest = FEWEST_FIGURES
    else:
        return False
    before, after = _said(previous, match.before), _said(current, match.after)
    shared = before.keys() & after.keys()
    return len(shared) >= fewest and all(before[name] != after[name] for name in shared)


def _known_apart(one: str, other: str) -> bool:
    """Whether the catalogue understands both names, as two models; a release stage alone makes no other model."""
    before, after = resolve(one), resolve(other)
    if "unresolved" in (before.how, after.how):
        return False
    return (_words(before.model), before.pair) != (_words(after.model), after.pair)


def _unrelated(one: str, other: str) -> bool:
    """Whether two names, of which one at least is not understood, are no spellings of one name."""
    if "unresolved" not in (resolve(one).how, resolve(other).how):
        return False
    first, second = sorted(re.sub(r"[\W_]+", "", name.lower()) for name in (one, other))
    return SequenceMatcher(None, first, second).ratio() < ALIKE


def _words(raw: str) -> frozenset[str]:
    """The words of a name but for its release stage."""
    return frozenset(re.split(r"[^a-z0-9.]+", raw.lower())) - _STAGES


def _unique_pairs(left: Traits, arrived: Traits) -> Pairs:
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


def _names(rows: Rows) -> Traits:
    return {key: row.raw for key, row in rows.items()}


def _identities(rows: Rows) -> Traits:
    """Model, variant, pair and host; a name that nothing was understood of proves nothing."""
    names = {key: resolve(row.raw) for key, row in rows.items()}
    return {key: (name.identity, name.host) for key, name in names.items() if name.how != "unresolved"}


def _fingerprints(snapshot: Snapshot, rows: Rows, shared: Collection[str]) -> Traits:
    """All figures of each row that has two or more on shared benchmarks: one alone, or zeros, can be a coincidence."""
    prints = {key: tuple(it for it in _scores(snapshot, row) if it[0] in shared) for key, row in rows.items()}
    return {
        key: figures
        for key, figures in prints.items()
        if len(figures) >= FEWEST_FIGURES and any(value for _name, value in figures)
    }


def _mostly_alike(previous: Snapshot, left: Rows, current: Snapshot, arrived: Rows, shared: Collection[str]) -> Pairs:
    """Rows that left and came with three figures or more that nobody else of them has, and two thirds of all alike:
    a row that was renamed in the week in which a part of it was measured again."""
    before, after = (
        {key: {it for it in _scores(snapshot, row) if it[0] in shared} for key, row in rows.items()}
        for snapshot, rows in ((previous, left), (current, arrived))
    )
    was, now = (Counter(figure for figures in week.values() for figure in figures) for week in (before, after))
    has = {figure: key for key, figures in after.items() for figure in figures if now[figure] == was[figure] == 1}
    own = Counter((key, has[figure]) for key, figures in before.items() for figure in figures & has.keys() if figure[1])
    return _only_once(
        [
            (one, other)
            for (one, other), count in own.items()
            if count >= FEWEST_OWN_FIGURES
            and 3 * len(before[one] & after[other]) >= 2 * max(len(before[one]), len(after[other]))
        ]
    )


def _scores(snapshot: Snapshot, row: Row) -> list[tuple[str, Decimal]]:
    """The row's scores by benchmark. Money is left out: it is put right too often, and shared by too many."""
    return [
        (name, snapshot.scores[name][row.key].value)
        for name, about in sorted(snapshot.benchmarks.items())
        if row.key in snapshot.scores[name] and not (about.inputs or about.unit.startswith("USD"))
    ]


def _offers(snapshot: Snapshot, rows: Rows) -> Traits:
    """Whole offers that say at least two things, with the words of the name but for its release stage."""
    said = {key: tuple(_offered(snapshot, key)) for key in rows}
    return {
        key: (snapshot.offers[key].host, offered, _words(rows[key].raw))
        for key, offered in said.items()
        if len(offered) >= FEWEST_FIGURES
    }


def _offered(snapshot: Snapshot, key: str) -> Iterator[tuple[str, Decimal]]:
    """The prices and sizes of a row's offer that are known, by field or name."""
    if (offer := snapshot.offers.get(key)) is not None:
        fields = {name: getattr(offer, name) for name in ("input", "output", "context", "max_output")}
        for name, figure in (fields | dict(offer.details)).items():
            if (known := snapshot.known(figure)) is not None:
                yield name, known


def _said(snapshot: Snapshot, row: Row) -> dict[str, Decimal]:
    """All figures of a row, by benchmark or field of its offer."""
    return {**dict(_scores(snapshot, row)), **dict(_offered(snapshot, row.key))}


def _returned(previous: Snapshot, left: Rows, came: Collection[str], memory: Memory) -> Pairs:
    """Rows that left while one came back that had all their figures: a change of name was taken back."""
    remembered: dict[str, set[str]] = defaultdict(set)
    had: dict[tuple[str, Decimal], set[str]] = defaultdict(set)  # by benchmark or field and value: the keys
    for (key, name), values in memory.recent.items():
        if key in came:
            remembered[key].add(name)
            for value in values:
                had[name, value].add(key)
    found = []
    for before, row in left.items() if had else ():
        said = _said(previous, row)
        equal = Counter(key for figure in said.items() for key in had.get(figure, ()))
        found += [
            (before, after)
            for after, count in equal.items()
            if count >= FEWEST_FIGURES and count == len(said.keys() & remembered[after])
        ]
    return _only_once(found)


def _only_once(pairs: Pairs) -> Pairs:
    """The pairs neither side of which stands in another: a row that could be either of two is proved to be neither."""
    from_, to = Counter(before for before, _after in pairs), Counter(after for _before, after in pairs)
    return [(before, after) for before, after in pairs if from_[before] == to[after] == 1]


def _moves(left: Rows, arrived: Rows) -> Pairs:
    """Rows of a prefix that left while the same names arrived under one other prefix: nearly all of both."""
    from_, to = (Counter(key.rpartition("/")[0] for key in rows) for rows in (left, arrived))
    tails: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in arrived:
        prefix, _, tail = key.rpartition("/")
        if to[prefix] >= FEWEST_MOVED:
            tails[tail].append((prefix, key))
    moves: dict[tuple[str, str], Pairs] = defaultdict(list)
    for key in left:
        prefix, _, tail = key.rpartition("/")
        for other, moved in tails.get(tail, ()) if from_[prefix] >= FEWEST_MOVED else ():
            moves[prefix, other].append((key, moved))
    return _only_once(
        [
            pair
            for (before, after), pairs in moves.items()
            if len(pairs) >= FEWEST_MOVED and 100 * len(pairs) >= MOST_MOVED_PERCENT * max(from_[before], to[after])
            for pair in pairs
        ]
    )
