"""(thread) -> the row of a watch list; (Watched) -> its sentences. In the words of the sections they come from."""

from collections.abc import Sequence
from typing import NamedTuple

from digest.edition.content import (
    Arrival,
    Arrivals,
    Board,
    Crossing,
    Disagreement,
    Measure,
    MethodNote,
    Mover,
    Movers,
    Name,
    Pick,
    Place,
    Priced,
    PriceList,
    Renamed,
    Watched,
)
from digest.edition.numbers import (
    benchmark_name,
    capital,
    day,
    full,
    listed,
    monday,
    money,
    plain,
    score,
    several,
    shown,
)
from digest.edition.price_words import price_cell, price_sentence
from digest.edition.retelling import Thread
from digest.edition.wording import (
    cause,
    coverage,
    disagreement_sentence,
    measure,
    method_sentence,
    moved_score,
    movement,
    rank_words,
    renamed_sentence,
)

_NAMED = 8
_TIED = 4


class Row(NamedTuple):
    """One story of a watch list: whose, what happened in a sentence or two, and the figure. `title` stands where the
    story is no model's; `tone` is good, bad or plain, for the reader."""

    name: Name | None
    title: str
    detail: str
    value: str = ""
    change: str = ""
    tone: str = "plain"

    @property
    def label(self) -> str:
        """Whose story it is, on one line."""
        return full(self.name) if self.name else self.title


def row_of(thread: Thread) -> Row:
    """The row of a thread."""
    match thread.entry, thread.section:
        case Board() as board, _:
            return _first(board)
        case Place() as place, Board() as board:
            return _place(place, board)
        case Arrival() as new, Arrivals() as arrivals:
            told = f"New on {shown(arrivals.title)}. {coverage(arrivals, new)}".strip()
            return Row(new.name, "", told, rank_words(new.rank, new.tied), score(new.value, arrivals.unit))
        case Mover() as mover, Movers() as movers:
            cell = moved_score(movers, mover)
            told = f"{measure(movers)}, {cause(mover)[2]}; {cell.was}."
            return Row(mover.name, "", told, cell.value, cell.change, cell.tone)
        case Priced() as priced, PriceList() as prices:
            return _price(priced, prices)
        case Measure() as one, _:
            return _top(one)
        case Pick() as pick, _:
            return _pick(pick)
        case Disagreement() as told, _:
            return Row(told.name, "", disagreement_sentence(told), "disputed")
        case MethodNote() as note, _:
            return Row(None, benchmark_name(note.benchmark), method_sentence(note))
        case Renamed() as renamed, _:
            return Row(renamed.after, "", renamed_sentence(renamed), "renamed")
        case entry, section:
            raise TypeError(f"a {type(entry).__name__} stands in no {type(section).__name__}")


def _first(board: Board) -> Row:
    """Who holds a board's first place. A tie is said to be one, and a lead within noise as well."""
    first, before = board.places[0], board.previous_leader
    how = {"new_but_tied": "Tied for first", "new_within_noise": "First, within noise,"}.get(board.leader, "First")
    was = f" Before, {full(before)} was first." if before else ""
    told = f"{how} on {measure(board)}.{was}"
    return Row(first.name, "", told, rank_words(first.rank, first.tied), score(first.score.value, board.unit))


def _place(place: Place, board: Board) -> Row:
    now, before = place.score.value, place.previous.value if place.previous else None
    same = ", score unchanged" if now == before else ""
    told = f"{measure(board)}: {score(now, board.unit)}{same}."
    tone = {"up": "good", "down": "bad"}.get(place.movement or "", "plain")
    return Row(place.name, "", told, rank_words(place.rank, place.tied), movement(place), tone)


def _price(priced: Priced, prices: PriceList) -> Row:
    told = f"{shown(prices.title)}: {price_sentence(priced)}"
    if priced.what in ("new", "filled_in"):
        return Row(priced.name, "", told, "new price" if priced.what == "new" else "price known")
    if priced.what == "withdrawn":
        names = {"input": "in", "output": "out"}
        was = [f"{money(f.before)} {names[f.measure]}" for f in priced.figures if f.measure in names and f.before]
        before = f"; it was {listed(was)} per 1M tokens" if was else ""
        return Row(priced.name, "", f"{shown(prices.title)} gives no price any more{before}.", "withdrawn", tone="bad")
    moved = next((money.measure for money in priced.figures if money.measure != "context"), "context")
    cell = price_cell(priced, moved) if moved != "context" else None
    return Row(priced.name, "", told, "price" if cell else "context", *((cell.change, cell.tone) if cell else ()))


def _pick(pick: Pick) -> Row:
    now = _names([choice.name for choice in pick.leaders]) or "no model"
    before = _names([choice.name for choice in pick.change.before]) if pick.change else ""
    return Row(None, shown(pick.title), f"Now {now}. Before, {before or 'no model'}.", _PICKED[pick.outcome])


_PICKED = {"pick": "new pick", "tie": "a tie", "none": "no pick"}


def _top(one: Measure) -> Row:
    """Who could be first in a category: a tie is told as one."""
    now, before = _names(one.first), _names(one.first_before)
    told = f"{now} {'tie for first' if len(one.first) > 1 else 'is first'} on {shown(one.title)}."
    was = f" Before, {before} {'tied for first' if len(one.first_before) > 1 else 'was first'}." if before else ""
    return Row(None, capital(benchmark_name(one.benchmark)), told + was, "a tie" if len(one.first) > 1 else "new first")


def _names(names: Sequence[Name]) -> str:
    return listed([full(name) for name in names[:_TIED]], len(names[_TIED:]))


def crossing_row(crossing: Crossing) -> Row:
    """A model that a reader's threshold lets through now."""
    line = crossing.threshold
    wanted = f"at least {plain(line.at_least).removesuffix('.0')} under {money(line.under)}"
    told = (
        f"{score(crossing.score, '%')} in {shown(line.category)} on {shown(crossing.source)}; lowest price by "
        f"{shown(crossing.price_source)} in {shown(crossing.unit)}. You asked for {wanted}."
    )
    was = f"was {money(crossing.price_before)}" if crossing.price_before is not None else ""
    return Row(None, shown(crossing.name), told, money(crossing.price), was)


def since(watched: Watched) -> str:
    """Over what time it is told."""
    if not watched.missed:
        return "What changed this week for what you follow."
    editions = several(watched.missed, "edition", words=True)
    return f"What changed since {day(monday(watched.since))} for what you follow, with {editions} that you did not get."


def standing_still(watched: Watched) -> str:
    """What holds still, what moved without a story, and what is gone; or that nothing is to be told."""
    sentences = []
    if not (watched.crossings or watched.stories or watched.withdrawn):
        sentences.append("No story of this edition is about what you follow.")
    for said, names in (
        ("No longer listed", watched.withdrawn),
        ("Unchanged", watched.unchanged),
        ("Moved within noise, or further down than this mail lists", watched.moved),
    ):
        if names:
            sentences.append(f"{said}: {listed([shown(name) for name in names[:_NAMED]], len(names[_NAMED:]))}.")
    return " ".join(sentences)
