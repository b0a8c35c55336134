"""What several editions tell of the same thing, told once: as it was before the oldest, as it is after the newest.

A reader who got no mail for three weeks wants to know what became of a score since then, not each of its steps, and
nothing at all of what is back where it was.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from digest.edition.content import Edition
from digest.edition.facts import Disagreement, Figure, Name
from digest.edition.pick_facts import Pick
from digest.edition.section_facts import (
    Arrival,
    Arrivals,
    Board,
    MethodNote,
    Money,
    Mover,
    Movers,
    Place,
    Priced,
    PriceList,
    Renamed,
)
from digest.edition.story_facts import Aside
from digest.edition.watch_facts import Measure

_CHANGED = ("new_leader", "new_but_tied", "new_within_noise")
_NOTHING = Aside()


Entry: TypeAlias = Board | Place | Arrival | Mover | Priced | Disagreement | MethodNote | Renamed | Measure | Pick


class Thread(NamedTuple):
    """One thing that an edition tells, or several do in turn. `fact` is the same in every edition for the same thing.

    `id` is the change's own where one edition tells it, else made of the first and the last. `section` is what the
    entry stands in, where it stands in one. `news` is False for what is only kept to be told with something newer.
    """

    id: str
    fact: tuple[str, ...]
    entry: Entry
    section: Board | Arrivals | Movers | PriceList | None
    source: str
    benchmark: str
    models: frozenset[str]
    news: bool = True
    needs: frozenset[str] = frozenset()


class Withdrawn(NamedTuple):
    """A row that left a source."""

    source: str
    name: Name


class Retold(NamedTuple):
    """What editions tell together: the newest first, and the rows that left and are not back."""

    threads: tuple[Thread, ...]
    withdrawn: tuple[Withdrawn, ...]


def retold(editions: Sequence[Edition]) -> Retold:
    """What editions that follow on one another tell together; `editions` are in the order of their weeks."""
    told: dict[tuple[str, ...], Thread] = {}
    gone: dict[tuple[str, str], Withdrawn] = {}
    for edition in editions:
        for thread in _once(edition):
            earlier = told.pop(thread.fact, None)
            merged = _merged(earlier, thread) if earlier else thread
            if merged is not None:  # what says no more than the newest alone is the newest alone
                told[thread.fact] = thread if merged.entry == thread.entry else merged
            if isinstance(thread.entry, Arrival | Priced) and thread.news:
                gone.pop((thread.source, thread.entry.name.raw), None)
        for left in (*edition.gone, *(edition.aside or _NOTHING).gone):
            for name in left.names:
                gone[left.source, name.raw] = Withdrawn(left.source, name)
        told = {fact: thread for fact, thread in told.items() if (thread.source, _raw(thread)) not in gone}
    return Retold(tuple(thread for thread in reversed(told.values()) if thread.news), tuple(gone.values()))


def tellable(editions: Sequence[Edition]) -> dict[str, Thread]:
    """Every thread that a reader may be told in the newest edition, whichever was the last one they got, by its id."""
    starts = range(len(editions) - 1, -1, -1)
    return {thread.id: thread for start in starts for thread in retold(editions[start:]).threads}


def _raw(thread: Thread) -> str:
    return thread.entry.name.raw if isinstance(thread.entry, Place | Arrival | Mover | Priced) else ""


def _once(edition: Edition) -> Iterator[Thread]:
    """The threads of one edition, the last section first; of one row only what says most of it."""
    told: dict[tuple[str, ...], Thread] = {}
    for thread in _threads(edition):
        known = told.get(thread.fact)
        if known is not None and type(known.entry) is type(thread.entry):  # two rows of one name: never one thing
            thread = thread._replace(fact=(*thread.fact, thread.id))
        told[thread.fact] = thread
    return reversed(list(told.values()))


def _threads(edition: Edition) -> Iterator[Thread]:
    for board in edition.boards:
        news = board.leader in _CHANGED and board.change is not None
        models = frozenset(name.model for name in (board.previous_leader, *_leaders(board)) if name)
        id_ = board.change or _id(edition.week, "first", board.source)
        yield Thread(id_, ("first", board.source), board, board, board.source, board.benchmark, models, news)
        for place in board.places:
            id_ = _id(edition.week, "place", board.source, place.name.raw)
            yield _of_a_row(id_, place, board, news=place.movement in ("up", "down"))
    for pick in edition.picks:
        id_, fact = _id(edition.week, "pick", *pick.needs), ("pick", *pick.needs)
        names = [choice.name.model for choice in (*pick.leaders, *(pick.change.before if pick.change else ()))]
        news, needs = pick.change is not None, frozenset(pick.needs)
        yield Thread(id_, fact, pick, None, "", "", frozenset(names), news, needs)
    aside = edition.aside or _NOTHING
    for arrivals in (*edition.arrivals, *aside.arrivals):
        for arrival in arrivals.models:
            yield _of_a_row(arrival.change, arrival, arrivals)
    for movers in (*edition.movers, *aside.movers):
        for mover in movers.movers:
            yield _of_a_row(mover.change, mover, movers)
    for prices in (*edition.prices, *aside.prices):
        for priced in prices.priced:
            name = priced.name
            variant = (name.effort or "", name.thinking or "", name.date or "", name.host or "")
            what = ("price", prices.source, name.model, *variant)
            yield Thread(priced.change, what, priced, prices, prices.source, "", frozenset({name.model}))
    for told in (*edition.disagreements, *aside.disagreements):
        fact, models = ("disagreement", told.fact), frozenset({told.name.model})
        yield Thread(told.change, fact, told, None, told.said[0].source, told.measure, models)
    for note in (*edition.method, *aside.method):
        yield Thread(note.change, ("method", note.change), note, None, note.source, note.benchmark, frozenset())
    for renamed in (*edition.renamed, *aside.renamed):
        models = frozenset({renamed.before.model, renamed.after.model})
        yield Thread(renamed.change, ("renamed", renamed.change), renamed, None, renamed.source, "", models)
    table, leads = edition.standings, {(board.source, board.benchmark) for board in edition.boards}
    for one in table.measures if table else ():
        if one.first and (one.source, one.benchmark) not in leads:
            yield _of_a_measure(edition.week, one)


def _of_a_row(
    id_: str, entry: Place | Arrival | Mover, section: Board | Arrivals | Movers, news: bool = True
) -> Thread:
    benchmark = "" if isinstance(section, Arrivals) else section.benchmark
    fact, models = ("row", section.source, entry.name.raw), frozenset({entry.name.model})
    return Thread(id_, fact, entry, section, section.source, benchmark, models, news)


def _of_a_measure(week: str, measure: Measure) -> Thread:
    """Who could be first in a category."""
    id_, fact = _id(week, "top", measure.source, measure.benchmark), ("top", measure.source, measure.benchmark)
    models = frozenset(name.model for name in (*measure.first, *measure.first_before))
    return Thread(id_, fact, measure, None, measure.source, measure.benchmark, models, _is_news(measure))


def _is_news(one: Measure) -> bool:
    """Whether who could be first is news: a newcomer is among them, or none of those who were. That a neighbour comes
    into the tie or drops out of it may be noise."""
    return one.comparable and (bool(one.entered) or _names(one.first).isdisjoint(_names(one.first_before)))


def _names(names: Sequence[Name]) -> set[tuple[str | None, ...]]:
    return {(name.model, name.effort, name.thinking, name.date) for name in names}


def _leaders(board: Board) -> list[Name]:
    return [board.places[0].name] if board.places else []


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


# Two editions, one thing


def _merged(old: Thread, new: Thread) -> Thread | None:
    """The two as one, from before the older to after the newer; None where the newer undoes the older."""
    id_ = f"{old.id.partition('-')[0]}-{new.id}"
    match old.entry, new.entry:
        case Board() as was, Board() as now:
            return _board(was, now, new._replace(id=id_, models=old.models | new.models))
        case (Place() | Arrival() | Mover()) as row, (Place() | Mover()) as now:
            return _row(row, now, old, new._replace(id=id_))
        case Pick() as was, Pick() as now:
            return _picked(was, now, new._replace(id=id_, models=old.models | new.models))
        case Priced() as was, Priced() as now:
            entry = _priced(was, now)
            return new._replace(id=id_, entry=entry) if entry else None
        case Measure() as was, Measure() as now:
            entered = _names((*was.entered, *now.entered))
            whole = now.model_copy(
                update={
                    "first_before": was.first_before,
                    "comparable": was.comparable and now.comparable,
                    "entered": tuple(name for name in now.first if _names([name]) <= entered),
                }
            )
            return new._replace(id=id_, entry=whole, news=_is_news(whole), models=old.models | new.models)
        case _:
            return new


def _picked(was: Pick, now: Pick, thread: Thread) -> Thread:
    """The pick now, and the one before the older edition."""
    change = now.change or was.change
    if was.change and change:
        change = change.model_copy(update={"before": was.change.before})
    before = _names([choice.name for choice in change.before]) if change else set()
    news = change is not None and before != _names([choice.name for choice in now.leaders])
    return thread._replace(entry=now.model_copy(update={"change": change}), news=news)


def _board(was: Board, now: Board, thread: Thread) -> Thread | None:
    """The first place: who holds it now, and who held it before the older edition."""
    if now.leader in ("not_comparable", "first_capture") or was.leader in ("not_comparable", "first_capture"):
        return thread._replace(entry=now, news=False)
    before = was.previous_leader if was.leader != "unchanged" else now.previous_leader
    holder = next(iter(_leaders(now)), None)
    if before is None or holder is None or _names([before]) == _names([holder]):
        whole = now.model_copy(update={"leader": "unchanged", "previous_leader": None})
        return thread._replace(entry=whole, section=whole, news=False)
    leader = now.leader if now.leader in _CHANGED else was.leader
    whole = now.model_copy(update={"leader": leader, "previous_leader": before})
    return thread._replace(entry=whole, section=whole, news=True)


def _row(was: Place | Arrival | Mover, now: Place | Mover, old: Thread, thread: Thread) -> Thread:
    after = now.score if isinstance(now, Place) else now.after
    if isinstance(was, Arrival):  # still new to a reader who was not told of it
        band = {"band": now.band, "tied": now.tied} if isinstance(now, Place) else {}
        entry = was.model_copy(update={"value": after.value, "rank": after.rank, **band})
        return thread._replace(entry=entry, section=old.section, benchmark="")
    before = _before(was)
    if isinstance(now, Mover) or isinstance(was, Mover):
        mover = now if isinstance(now, Mover) else was
        assert isinstance(mover, Mover)
        section = thread.section if isinstance(now, Mover) else old.section
        whole = mover.model_copy(update={"name": now.name, "before": before or mover.before, "after": after})
        return thread._replace(entry=whole, section=section, news=whole.before.value != whole.after.value)
    steps = (before.rank - now.rank) if before and before.rank is not None else 0
    movement = "up" if steps > 0 else "down" if steps < 0 else now.movement if before is None else "same"
    place = now.model_copy(update={"previous": before, "movement": movement})
    return thread._replace(entry=place, news=movement in ("up", "down"))


def _before(row: Place | Mover) -> Figure | None:
    """What a row said before; one that kept its place said what it says."""
    if isinstance(row, Mover):
        return row.before
    return row.previous or (row.score if row.movement == "same" else None)


def _priced(was: Priced, now: Priced) -> Priced | None:
    if now.what == "withdrawn" and was.what == "new":
        return None
    earlier = {money.measure: money for money in was.figures}
    figures = [
        Money(measure=money.measure, before=earlier.pop(money.measure, money).before, after=money.after)
        for money in now.figures
    ]
    figures += earlier.values()
    what = "new" if was.what == "new" else "changed" if was.what == "withdrawn" else now.what
    if what == "changed":
        figures = [money for money in figures if money.before != money.after]
    return now.model_copy(update={"what": what, "figures": tuple(figures)}) if figures else None
