"""Score by price: facts -> a sheet. The best is on top, the cheapest at the left, on a logarithmic axis."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from digest.edition.frontier import ScoreByPrice, Spot
from digest.edition.naming import shown_unit
from digest.edition.numbers import capital, money, plain, shown
from digest.language import _
from digest.rendering.drawing import (
    BOLD,
    Box,
    Dot,
    Form,
    Path,
    Scale,
    Sheet,
    Words,
    labels,
    linear,
    logarithmic,
    shortened,
    width_of,
)

_RULE = 2.0  # how much room a line takes from a label, on either side


class _Plot(NamedTuple):
    """Where scores and prices lie. Prices are put onto the scale by their logarithm. `small` and `big` are radii."""

    form: Form
    box: Box
    scores: Scale
    prices: Scale
    small: float
    big: float

    def dot(self, spot: Spot) -> Dot:
        kind, radius = ("unbeaten", self.big) if spot.unbeaten else ("beaten", self.small)
        return Dot(kind, self.prices.at(spot.price.log10()), self.scores.at(spot.score), radius)


def price_sheet(facts: ScoreByPrice, form: Form) -> Sheet:
    """A dot for each model, filled and joined by a staircase where nothing is both cheaper and better; a name at each
    dot that has room for one, those of the staircase first, then the best."""
    plot = _plot(facts, form)
    stairs = tuple(_stairs(facts.unbeaten, plot))
    legend = list(_legend(facts, plot))
    return Sheet(
        form=form,
        height=plot.box.bottom + 3.6 * form.size + 1.7 * form.size * len(legend),
        areas=(),
        paths=(*_rules(plot), Path("stairs", stairs)),
        dots=(
            *(plot.dot(spot) for spot in sorted(facts.spots, key=lambda it: it.unbeaten)),
            *(dot for dot, _ in legend),
        ),
        words=(*_ticks(facts, plot), *_names(facts, plot, stairs), *(words for _, words in legend)),
    )


def _plot(facts: ScoreByPrice, form: Form) -> _Plot:
    wide = form.layout == "wide"
    top, bottom = 2.2 * form.size, 2.2 * form.size + (400 if wide else 250)
    ends = (bottom, top) if facts.higher_is_better else (top, bottom)
    scores = linear([spot.score for spot in facts.spots], *ends, 8 if wide else 6)
    left = max(width_of(label, form.size) for label in _score_labels(scores)) + 8
    right = form.width - form.size
    prices = logarithmic([spot.price for spot in facts.spots], left, right, 8 if wide else 4)
    return _Plot(form, Box(left, top, right, bottom), scores, prices, *((3.5, 5.0) if wide else (2.8, 3.8)))


def _score_labels(scores: Scale) -> list[str]:
    places = max(-int(tick.normalize().as_tuple().exponent) for tick in scores.ticks)
    return [plain(tick, max(places, 0)) for tick in scores.ticks]


def _rules(plot: _Plot) -> Iterator[Path]:
    for tick in plot.scores.ticks:
        yield Path("rule", ((plot.box.left, plot.scores.at(tick)), (plot.box.right, plot.scores.at(tick))))
    for tick in plot.prices.ticks:
        x = plot.prices.at(tick)
        yield Path("rule", ((x, plot.box.bottom), (x, plot.box.bottom + 5)))


def _stairs(unbeaten: Sequence[Spot], plot: _Plot) -> Iterator[tuple[float, float]]:
    """From the cheapest to the best: for each price, the best score that it buys."""
    dots = [plot.dot(spot) for spot in unbeaten]
    for dot, after in pairwise(dots):
        yield dot.x, dot.y
        yield after.x, dot.y
    yield dots[-1].x, dots[-1].y
    yield plot.box.right, dots[-1].y


def _ticks(facts: ScoreByPrice, plot: _Plot) -> Iterator[Words]:
    """Both axes, with what they measure over the one and below the other."""
    form, size = plot.form, plot.form.size
    for tick, label in zip(plot.scores.ticks, _score_labels(plot.scores), strict=True):
        yield Words("tick", plot.box.left - 8, plot.scores.at(tick) + 0.35 * size, "end", label)
    taken = 0.0
    for tick in plot.prices.ticks:
        label = money((Decimal(10) ** tick).quantize(_like(tick)))
        half = width_of(label, size) / 2
        x = min(max(plot.prices.at(tick), half), form.width - half)
        if x - half >= taken:
            yield Words("tick", x, plot.box.bottom + 5 + 1.2 * size, "middle", label)
            taken = x + half + 0.5 * size
    scores = f"{facts.where}, {facts.unit}"
    if not facts.higher_is_better:
        scores = _("%(figures)s, lower is better", figures=scores)
    prices = _("%(prices)s, log scale", prices=capital(shown_unit(facts.price_unit)))
    for text, y in ((scores, size), (prices, plot.box.bottom + 3 * size)):
        yield Words("note", 0, y, "start", shortened(shown(text, 120), size, form.width))


def _like(tick: Decimal) -> Decimal:
    """One digit of the figure that a logarithm is of."""
    return Decimal(1).scaleb(int(tick.to_integral_value(rounding="ROUND_FLOOR")))


def _names(facts: ScoreByPrice, plot: _Plot, stairs: Sequence[tuple[float, float]]) -> Iterator[Words]:
    sign = -1 if facts.higher_is_better else 1
    order = sorted(facts.spots, key=lambda spot: (not spot.unbeaten, sign * spot.score, spot.price, spot.model))
    wanted = [(plot.dot(spot), BOLD if spot.unbeaten else "model", shown(spot.title)) for spot in order]
    lines = [
        Box(min(x, to_x) - _RULE, min(y, to_y) - _RULE, max(x, to_x) + _RULE, max(y, to_y) + _RULE)
        for (x, y), (to_x, to_y) in pairwise(stairs)
    ]
    within = Box(plot.box.left, 1.3 * plot.form.size, plot.form.width, plot.box.bottom)
    return labels(wanted, within, lines, plot.form.size)


def _legend(facts: ScoreByPrice, plot: _Plot) -> Iterator[tuple[Dot, Words]]:
    """What the two kinds of dots mean."""
    y = plot.box.bottom + 4.8 * plot.form.size
    meanings = (
        ("unbeaten", plot.big, _("no model is both cheaper and better")),
        ("beaten", plot.small, _("some model is")),
    )
    for kind, radius, meaning in meanings:
        if kind == "unbeaten" or len(facts.unbeaten) < len(facts.spots):
            yield (
                Dot(kind, radius + 1, y - 0.32 * plot.form.size, radius),
                Words("note", 18, y, "start", meaning),
            )
            y += 1.7 * plot.form.size
