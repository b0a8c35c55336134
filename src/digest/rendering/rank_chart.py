"""Places over weeks: facts -> a sheet. The first place is on top, the last week at the right, beside the names."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from digest.edition.history import Placing, RankHistory, Track, below
from digest.edition.numbers import shown
from digest.language import _, pgettext, written_day
from digest.rendering.drawing import BOLD, Area, Box, Dot, Form, Path, Sheet, Words, shortened, spread, width_of

_LINE = 1.3  # from one name to the next, in sizes of type


class _Grid(NamedTuple):
    """Where weeks and places lie. `lanes` counts the drawn places, of which the last holds all those below `deepest`
    where there are any; `small` and `big` are radii."""

    form: Form
    columns: tuple[float, ...]
    step: float
    top: float
    lane: float
    deepest: int
    lanes: int
    bottom: float
    small: float
    big: float

    @property
    def left(self) -> float:
        return self.columns[0]

    @property
    def right(self) -> float:
        return self.columns[-1]

    def height(self, rank: int) -> float:
        """The middle of a place's lane."""
        return self.top + (min(rank, self.lanes) - 0.5) * self.lane


def rank_sheet(facts: RankHistory, form: Form) -> Sheet:
    """Lines by place, broken where a week is missing or the benchmark is another. What could be first within
    uncertainty has a big dot, and rows that tie for it a band; what is below the drawn places has a hollow dot."""
    grid = _grid(facts, form)
    ends = [(track, end) for track in facts.tracks if (end := track.places[facts.last])]
    legend = list(_legend(facts, grid))
    return Sheet(
        form=form,
        height=grid.bottom + 2.4 * form.size + 1.7 * form.size * len(legend),
        areas=tuple(_tie_bands(facts, grid)),
        paths=(*_rules(facts, grid), *_lines(facts, ends, grid), *_leads(facts, ends, grid)),
        dots=(*_dots(facts, grid), *(dot for dot, _words in legend if dot)),
        words=(*_ticks(facts, grid), *_notes(facts, grid), *_names(ends, grid), *(words for _dot, words in legend)),
    )


def _grid(facts: RankHistory, form: Form) -> _Grid:
    wide = form.layout == "wide"
    deepest = below(facts)
    deeper = any(held.rank > deepest for track in facts.tracks for held in track.places if held)
    ranks = width_of(f"{deepest + deeper}{'+' * deeper}", form.size)
    left = max(ranks + 15, *(width_of(label, form.size) / 2 for label in _days(facts)))
    right = form.width - (250 if wide else 164)
    step = (right - left) / max(len(facts.weeks) - 1, 1)
    columns = tuple(right - step * back for back in reversed(range(len(facts.weeks))))
    radii = (3.5, 5.0) if wide else (2.5, 3.8)
    top = 2 * form.size if any(facts.anew) else 0.5 * form.size
    lane, lanes = 34 if wide else 27, deepest + deeper
    bottom = top + max(lanes * lane, len(facts.tracks) * _LINE * form.size)
    return _Grid(form, columns, step, top, lane, deepest, lanes, bottom, *radii)


def _tie_bands(facts: RankHistory, grid: _Grid) -> Iterator[Area]:
    """A band over the weeks in which so many rows tie for the first place, from the first of them to the last."""
    for tied, weeks in groupby(zip(facts.tied, grid.columns, strict=True), key=lambda week: week[0]):
        columns = [x for _tied, x in weeks]
        if tied > 1:
            left = max(columns[0] - grid.step / 2, grid.left - 10)
            right = min(columns[-1] + grid.step / 2, grid.right + 10)
            yield Area("tie", Box(left, grid.top, right, grid.top + min(tied, grid.deepest) * grid.lane))


def _rules(facts: RankHistory, grid: _Grid) -> Iterator[Path]:
    """A hairline for each place, a dotted line for each week without a capture, a dashed one before a new benchmark."""
    for rank in range(1, grid.lanes + 1):
        yield Path("rule", ((grid.left - 8, grid.height(rank)), (grid.right + 8, grid.height(rank))))
    for x, read, anew in zip(grid.columns, facts.read, facts.anew, strict=True):
        if not read:
            yield Path("missing", ((x, grid.top), (x, grid.bottom)))
        if anew:
            yield Path("anew", ((x - grid.step / 2, grid.top), (x - grid.step / 2, grid.bottom)))


def _lines(facts: RankHistory, ends: Sequence[tuple[Track, Placing]], grid: _Grid) -> Iterator[Path]:
    """Of what is first now last, so that it is painted over the others."""
    for track, end in sorted(ends, key=lambda it: it[1].first):
        for run in _runs(track, facts):
            points = tuple((grid.columns[week], grid.height(held.rank)) for week, held in run)
            if len(points) > 1:
                yield Path("line-first" if end.first else "line", points)


def _runs(track: Track, facts: RankHistory) -> Iterator[list[tuple[int, Placing]]]:
    """The weeks that a line may be drawn through without a gap."""
    run: list[tuple[int, Placing]] = []
    for week, held in enumerate(track.places):
        if held is None or facts.anew[week]:
            yield run
            run = []
        if held is not None:
            run.append((week, held))
    yield run


def _dots(facts: RankHistory, grid: _Grid) -> Iterator[Dot]:
    for track in facts.tracks:
        for x, held in zip(grid.columns, track.places, strict=True):
            if held:
                kind = "below" if held.rank > grid.deepest else "first" if held.first else "place"
                yield Dot(kind, x, grid.height(held.rank), grid.big if held.first else grid.small)


def _leads(facts: RankHistory, ends: Sequence[tuple[Track, Placing]], grid: _Grid) -> Iterator[Path]:
    """From the last dot of each line to its name."""
    for (_track, end), y in zip(ends, _name_heights(ends, grid), strict=True):
        start = grid.columns[facts.last] + 8, grid.height(end.rank)
        yield Path("leader", (start, (grid.right + 18, y), (grid.right + 22, y)))


def _name_heights(ends: Sequence[tuple[Track, Placing]], grid: _Grid) -> list[float]:
    line = _LINE * grid.form.size
    heights = [grid.height(end.rank) for _track, end in ends]
    return spread(heights, line, grid.top + line / 2, grid.bottom - line / 2)


def _names(ends: Sequence[tuple[Track, Placing]], grid: _Grid) -> Iterator[Words]:
    x, size = grid.right + 26, grid.form.size
    for (track, end), y in zip(ends, _name_heights(ends, grid), strict=True):
        kind = BOLD if end.first else "model"
        text = shortened(f"#{end.rank} {shown(track.title)}", size, grid.form.width - x, bold=end.first)
        yield Words(kind, x, y + 0.35 * size, "start", text)


def _ticks(facts: RankHistory, grid: _Grid) -> Iterator[Words]:
    """Places at the left, `11+` for those below; days below, as many as have room, always the last."""
    size = grid.form.size
    for rank in range(1, grid.lanes + 1):
        label = str(rank) if rank <= grid.deepest else f"{rank}+"
        yield Words("tick", grid.left - 14, grid.height(rank) + 0.35 * size, "end", label)
    labels = _days(facts)
    room = max(width_of(label, size) for label in labels) + size
    every = max(1, -int(-room // grid.step)) if grid.step else 1
    for place in reversed(range(len(labels) - 1, -1, -every)):
        yield Words("tick", grid.columns[place], grid.bottom + 1.4 * size, "middle", labels[place])


def _days(facts: RankHistory) -> list[str]:
    return [written_day(monday, pgettext("day", "d MMM")) for monday in facts.weeks]


def _notes(facts: RankHistory, grid: _Grid) -> Iterator[Words]:
    """Over the last dashed line, what it means."""
    weeks = [week for week, anew in enumerate(facts.anew) if anew]
    if weeks:
        note = _("new benchmark")
        x, half = grid.columns[weeks[-1]] - grid.step / 2, width_of(note, grid.form.size) / 2
        yield Words("note", min(max(x, half), grid.form.width - half), 1.3 * grid.form.size, "middle", note)


def _legend(facts: RankHistory, grid: _Grid) -> Iterator[tuple[Dot | None, Words]]:
    """What the kinds of dots and the dotted lines mean, a line each, for those there are."""
    held = [held for track in facts.tracks for held in track.places if held]
    meanings = (
        ("first", grid.big, _("could be first, within uncertainty"), any(one.first for one in held)),
        ("below", grid.small, _("below #%(rank)s", rank=grid.deepest), grid.lanes > grid.deepest),
        ("", 0, _("dotted: no capture in that week"), not all(facts.read)),
    )
    y = grid.bottom + 3.2 * grid.form.size
    for kind, radius, meaning, there in meanings:
        if there:
            dot = Dot(kind, grid.left - 8, y - 0.32 * grid.form.size, radius) if kind else None
            yield dot, Words("note", grid.left + 4 if kind else grid.left - 13, y, "start", meaning)
            y += 1.7 * grid.form.size
