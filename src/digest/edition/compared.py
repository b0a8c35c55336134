"""How the figures of a side by side are written: each with the decimals that its comparison needs, and as bars."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from digest.edition.facts import Proof
from digest.edition.numbers import (
    benchmark_name,
    day,
    exact,
    full,
    gap,
    plain,
    score,
    shown,
    title,
)
from digest.edition.versus_facts import Compared, Matchup, Versus
from digest.language import _, pgettext

POINTS = ("%", "points")
_EXACT = 6  # decimals beyond which two figures are shown alike
_ROWS = (3, 6)  # so many categories make a table of their own, and so many rows fill it
_HALF, _LONGEST = Decimal(50), Decimal(46)  # per cent of a difference bar's width: one side, the longest bar


def called(versus: Versus) -> tuple[str, ...]:
    """How each contender is named: by title, where two share that with the variant, else by the publisher's row."""
    names = [contender.name for contender in versus.contenders]
    titles, fulls = [title(name) for name in names], [full(name) for name in names]
    raws = [shown(name.raw) for name in names]
    for place, name in enumerate(raws):
        if raws.count(name) > 1:
            raws[place] = f"{name} ({place + 1})"
    return tuple(
        next((spelling[place] for spelling in (titles, fulls) if spelling.count(spelling[place]) == 1), raws[place])
        for place in range(len(names))
    )


def figures(compared: Compared, *, whole: bool = False) -> tuple[str | None, ...]:
    """Each contender's figure, in its unit: all with one decimal, ratings and, with `whole`, all points with none.

    They have more decimals where different figures would look equal, and a tie of different figures is never shown in
    whole numbers: what is said of two figures must be seen in them.
    """
    places = _places(compared, whole=whole)
    return tuple(None if result is None else _figure(result.value, compared, places) for result in compared.results)


def _places(compared: Compared, *, whole: bool = False) -> int:
    """With how many decimals different figures look different."""
    results = [result for result in compared.results if result is not None]
    tied = {result.value for result in results if result.outcome == "tie"}
    different = len({result.value for result in results})
    start = 0 if whole and len(tied) < 2 else 1
    enough = (
        places
        for places in range(start, _EXACT + 1)
        if len({_figure(result.value, compared, places) for result in results}) == different
    )
    return next(enough, _EXACT)


def _figure(value: Decimal, compared: Compared, places: int) -> str:
    if compared.unit in POINTS:
        return plain(value, places)
    if compared.unit == "rating":
        return plain(value, max(places, 1) - 1)
    return score(value, compared.unit, max(places, 1))


def either(items: Sequence[str]) -> str:
    """`a, b or c`"""
    if len(items) < 2:
        return "".join(items)
    return _("%(all_but_last)s or %(last)s", all_but_last=", ".join(items[:-1]), last=items[-1])


def measure(compared: Compared) -> str:
    return benchmark_name(compared.title)


def difference(compared: Compared, names: Sequence[str]) -> str:
    """`gpt-5.5 by 5.1 points`, or `tie`: the difference of the two figures before they are rounded."""
    if compared.winner is None:
        return pgettext("of two figures", "tie")
    ahead = gap(lead_of(compared), compared.unit)
    return pgettext("how far a model is ahead", "%(name)s by %(gap)s", name=names[compared.winner], gap=ahead)


def lead_of(compared: Compared) -> Decimal:
    """How far the first is from the second."""
    one, other = (compared.results[place] for place in compared.order[:2])
    return abs(one.value - other.value) if one and other else Decimal(0)


class Difference(NamedTuple):
    """A row of the compact side by side: two figures, who is ahead, and the cells of the bar as (kind, width)."""

    title: str
    figures: tuple[str, str]
    winner: int | None
    words: str
    bar: tuple[tuple[str, str], ...]


def differences(versus: Versus) -> list[Difference]:
    """The three to six largest differences of two contenders on their first source, on one scale, the largest first:
    of its categories where there are enough, else of its benchmarks."""
    if not versus.matchups or len(versus.contenders) != 2:
        return []
    matchup = versus.matchups[0]
    groups = [(shown(group.title), group.whole) for group in matchup.categories if group.whole]
    every = groups if len(groups) >= _ROWS[0] else [(measure(one), one) for one in benchmarks_of(matchup) if one.scored]
    if matchup.overall and matchup.lead:
        every = [pair for pair in every if pair[1].benchmark != matchup.lead.benchmark]
    rows = sorted(every, key=lambda pair: pair[1].spread, reverse=True)[: _ROWS[1]]
    scale = max((compared.spread for _title, compared in rows), default=Decimal(0))
    names = called(versus)
    return [
        Difference(label, _two(compared), compared.winner, difference(compared, names), _bar(compared, scale))
        for label, compared in rows
    ]


def _two(compared: Compared) -> tuple[str, str]:
    one, other = figures(compared)
    return one or "", other or ""


def _bar(compared: Compared, scale: Decimal) -> tuple[tuple[str, str], ...]:
    """Two halves around a line, the bar on the side of the better one; a cell of no width is left out."""
    length = compared.spread / scale * _LONGEST if scale else Decimal(0)
    kind = "tie" if compared.winner is None else "lead"
    one, other = (length, Decimal(0)) if compared.order[0] == 0 else (Decimal(0), length)
    cells = [("blank", _HALF - one), (kind, one), ("line", None), (kind, other), ("blank", _HALF - other)]
    return tuple(
        (cell, "1" if width is None else f"{exact(width)}%")
        for cell, width in cells
        if width is None or width >= Decimal("0.05")
    )


def benchmarks_of(matchup: Matchup) -> list[Compared]:
    """Every benchmark that measured two contenders, by category."""
    return [one for group in matchup.categories for one in group.benchmarks] + list(matchup.other)


def receipt(source: str, proof: Proof) -> str:
    """`LiveBench, Mon 27 Apr 2026`."""
    return f"{shown(source)}, {day(proof.on, year=True)}"


def receipts(versus: Versus) -> list[str]:
    """Where every figure comes from: source, day, and the start of the sha256 of the bytes."""
    told = {one.source: (one.title, one.current) for one in versus.matchups}
    told |= {one.source: (one.title, one.current) for one in versus.offers}
    return [f"{receipt(source, proof)}, {proof.sha256[:8]}" for source, proof in told.values()]
