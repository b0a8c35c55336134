"""A board's top models over the weeks: each week's places, which of them were ties, and that in words."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

from digest.changes.ranking import Standing, leaderboard
from digest.edition.numbers import benchmark_name, day, listed, shown
from digest.language import _, ngettext
from digest.scores.catalog import resolve
from digest.scores.snapshot import Snapshot

WEEKS = 12
_TOP = 10  # models below it are not drawn; a place below it is drawn as "below"
_MOST = 8
_NAMED = 3

_Model = tuple[str, str]
"""A model's id, and that of the one it worked together with, or nothing."""


_MadeUp = dict[str, tuple[tuple[str, ...], tuple[Decimal, ...]]]
"""By benchmark: what it is the mean of, and by which weights."""


class Placing(NamedTuple):
    """The place of a model's best row in a week, counted over all rows; `first` says that it could be the first one
    within uncertainty."""

    rank: int
    first: bool


class Track(NamedTuple):
    """A model's place in each week of its history; None where it was not ranked or nothing was read."""

    title: str
    places: tuple[Placing | None, ...]


class RankHistory(NamedTuple):
    """The places of a board's top models. All tuples but `tracks` and `first` have one entry for each of `weeks`, the
    Mondays of ISO weeks without a hole between them.

    `read` says whether the week brought a capture. `tied` is how many rows from the top could be first within
    uncertainty, 0 where nothing was read. `anew` says that the benchmark is made up otherwise than in the capture
    before, so that no place can be held against an earlier one. `tracks` are ordered by their last place; `first` are
    the titles of all models that could be first in the last week that was read.
    """

    source: str
    benchmark: str
    higher_is_better: bool
    weeks: tuple[date, ...]
    read: tuple[bool, ...]
    tied: tuple[int, ...]
    anew: tuple[bool, ...]
    tracks: tuple[Track, ...]
    first: tuple[str, ...]

    @property
    def last(self) -> int:
        """The place among `weeks` of the last one that was read."""
        return max(place for place, read in enumerate(self.read) if read)


def rank_history(leads: Mapping[date, Snapshot], title: str, until: date, weeks: int = WEEKS) -> RankHistory | None:
    """The history of `weeks` weeks up to that of the day `until`, from each week's snapshot by its Monday.

    `title` is the source's. It starts with the first week that was read; None where none was, or no row was ranked.
    """
    monday = until - timedelta(days=until.weekday())
    asked = [monday - timedelta(weeks=back) for back in reversed(range(weeks))]
    boards = {monday: leaderboard(leads[monday], leads[monday].lead or "") for monday in asked if monday in leads}
    boards = {monday: board for monday, board in boards.items() if board}
    if not boards:
        return None
    mondays = tuple(monday for monday in asked if monday >= min(boards))
    best = {monday: _best(leads[monday], board) for monday, board in boards.items()}
    last = best[max(boards)]
    order = sorted(last, key=lambda model: (last[model][0].rank, model))
    top = [model for model in order if last[model][0].rank <= _TOP][:_MOST]
    newest = leads[max(boards)]
    about = newest.benchmarks[newest.lead or ""]
    return RankHistory(
        source=title,
        benchmark=about.title or about.name,
        higher_is_better=about.higher_is_better,
        weeks=mondays,
        read=tuple(monday in boards for monday in mondays),
        tied=tuple(_tied(boards.get(monday, ())) for monday in mondays),
        anew=_anew(mondays, {monday: _made_up(leads[monday]) for monday in boards}),
        tracks=tuple(
            Track(last[model][1], tuple(best.get(monday, {}).get(model, (None,))[0] for monday in mondays))
            for model in top
        ),
        first=tuple(last[model][1] for model in order if last[model][0].first),
    )


def _best(snapshot: Snapshot, standings: Sequence[Standing]) -> dict[_Model, tuple[Placing, str]]:
    """The best row of each model, with its title."""
    best: dict[_Model, tuple[Placing, str]] = {}
    for standing in standings:
        name = resolve(snapshot.rows[standing.key].raw)
        best.setdefault((name.model, name.pair or ""), (Placing(standing.rank, standing.band == 1), name.title))
    return best


def _tied(standings: Sequence[Standing]) -> int:
    return len(list(takewhile(lambda standing: standing.band == 1, standings)))


def _anew(mondays: Sequence[date], made_up: Mapping[date, _MadeUp]) -> tuple[bool, ...]:
    """Whether a week's lead is another benchmark, or made up otherwise, than that of the week read before it."""
    before: _MadeUp | None = None
    anew = []
    for monday in mondays:
        now = made_up.get(monday)
        anew.append(now is not None and before is not None and now != before)
        before = now or before
    return tuple(anew)


def _made_up(snapshot: Snapshot) -> _MadeUp:
    """The lead, and what its figures are means of, down to what is measured."""
    known: _MadeUp = {}
    waiting = [snapshot.lead or ""]
    while waiting:
        about = snapshot.benchmarks.get(name := waiting.pop())
        if name not in known:
            known[name] = (about.inputs, about.weights) if about else ((), ())
            waiting.extend(known[name][0])
    return known


# In words


def finding(history: RankHistory) -> str:
    """Who is first, in one sentence: `gpt-5.5 and gpt-5.4 tie for first on LiveBench`."""
    titles = [shown(title) for title in history.first]
    names, alone, source = listed(titles[:_NAMED], len(titles[_NAMED:])), len(titles) == 1, shown(history.source)
    if history.read[-1]:
        if alone:
            return _("%(name)s is first on %(source)s", name=names, source=source)
        return _("%(names)s tie for first on %(source)s", names=names, source=source)
    on = day(history.weeks[history.last])
    if alone:
        return _(
            "%(name)s is first on %(source)s in the last capture, of the week of %(day)s",
            name=names,
            source=source,
            day=on,
        )
    return _(
        "%(names)s tie for first on %(source)s in the last capture, of the week of %(day)s",
        names=names,
        source=source,
        day=on,
    )


def told(history: RankHistory) -> str:
    """What the picture shows: every line's first and last place, missing weeks, and where places cannot be compared."""
    sentences = [
        ngettext(
            "%(source)s, %(benchmark)s: places of %(count)s model by the best row of each, "
            "from the week of %(first)s to that of %(last)s.",
            "%(source)s, %(benchmark)s: places of %(count)s models by the best row of each, "
            "from the week of %(first)s to that of %(last)s.",
            len(history.tracks),
            source=shown(history.source),
            benchmark=benchmark_name(history.benchmark),
            first=day(history.weeks[0], year=True),
            last=day(history.weeks[-1], year=True),
        )
    ]
    if not history.higher_is_better:
        sentences.append(_("Lower scores are better."))
    sentences.append(f"{'; '.join(_course(track, history) for track in history.tracks)}.")
    missing = [day(monday) for monday, read in zip(history.weeks, history.read, strict=True) if not read]
    if missing:
        sentences.append(
            ngettext(
                "No capture in the week of %(weeks)s.",
                "No capture in the weeks of %(weeks)s.",
                len(missing),
                weeks=listed(missing),
            )
        )
    sentences += [
        _(
            "The benchmark is made up anew from the week of %(day)s on; earlier places do not compare.",
            day=day(monday),
        )
        for monday, anew in zip(history.weeks, history.anew, strict=True)
        if anew
    ]
    return " ".join(sentences)


def _course(track: Track, history: RankHistory) -> str:
    """`gpt-5.4: #1 to #2, tied for first`, over the weeks that compare; and since when, if not since the first."""
    begins = max((week for week, anew in enumerate(history.anew) if anew), default=0)
    ranked = [(week, held) for week, held in enumerate(track.places) if held and week >= begins]
    (since, start), (_week, end) = ranked[0], ranked[-1]
    course = [
        f"#{end.rank}" if start.rank == end.rank else _("#%(first)s to #%(last)s", first=start.rank, last=end.rank)
    ]
    if end.first and len(history.first) > 1:
        course.append(_("tied for first"))
    if any(history.read[begins:since]):
        course.append(_("ranked since %(day)s", day=day(history.weeks[since])))
    return f"{shown(track.title)}: {', '.join(course)}"


def below(history: RankHistory) -> int:
    """The last place that is drawn as such; whatever is below it shares one line, `counted` from it on."""
    ranks = [held.rank for track in history.tracks for held in track.places if held]
    return min(max(ranks), _TOP)
