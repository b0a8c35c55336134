"""(thread) -> the row of a watch list; (Watched) -> its sentences. In the words of the sections they come from."""

from collections.abc import Sequence
from typing import NamedTuple

from digest.edition.facts import Disagreement, Name
from digest.edition.naming import shown_unit
from digest.edition.numbers import (
    benchmark_name,
    capital,
    day,
    full,
    in_words,
    listed,
    monday,
    money,
    plain,
    rounded,
    score,
    shown,
)
from digest.edition.pick_facts import Pick
from digest.edition.pick_words import title
from digest.edition.price_words import price_cell, price_sentence
from digest.edition.retelling import Thread
from digest.edition.section_facts import (
    Arrival,
    Arrivals,
    Board,
    MethodNote,
    Mover,
    Movers,
    Place,
    Priced,
    PriceList,
    Renamed,
)
from digest.edition.source_words import disagreement_sentence, method_sentence, renamed_sentence
from digest.edition.watch_facts import Crossing, Measure, Watched
from digest.edition.wording import cause, coverage, measure, moved_score, movement, rank_words
from digest.language import _, ngettext, pgettext

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
            told = _("New on %(source)s.", source=shown(arrivals.title))
            told = f"{told} {coverage(arrivals, new)}".strip()
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
            return Row(told.name, "", disagreement_sentence(told), pgettext("a figure", "disputed"))
        case MethodNote() as note, _:
            return Row(None, benchmark_name(note.benchmark), method_sentence(note))
        case Renamed() as renamed, _:
            return Row(renamed.after, "", renamed_sentence(renamed), pgettext("a row", "renamed"))
        case entry, section:
            raise TypeError(f"a {type(entry).__name__} stands in no {type(section).__name__}")


def _first(board: Board) -> Row:
    """Who holds a board's first place. A tie is said to be one, and a lead within noise as well."""
    first, before = board.places[0], board.previous_leader
    match board.leader:
        case "new_but_tied":
            told = _("Tied for first on %(board)s.", board=measure(board))
        case "new_within_noise":
            told = _("First, within noise, on %(board)s.", board=measure(board))
        case _:
            told = _("First on %(board)s.", board=measure(board))
    if before:
        told += " " + _("Before, %(models)s was first.", models=full(before))
    return Row(first.name, "", told, rank_words(first.rank, first.tied), score(first.score.value, board.unit))


def _place(place: Place, board: Board) -> Row:
    now, before = place.score.value, place.previous.value if place.previous else None
    figure = score(now, board.unit)
    if now == before:
        told = _("%(board)s: %(figure)s, score unchanged.", board=measure(board), figure=figure)
    else:
        told = f"{measure(board)}: {figure}."
    tone = {"up": "good", "down": "bad"}.get(place.movement or "", "plain")
    return Row(place.name, "", told, rank_words(place.rank, place.tied), movement(place), tone)


def _price(priced: Priced, prices: PriceList) -> Row:
    told = f"{shown(prices.title)}: {price_sentence(priced)}"
    match priced.what:
        case "new":
            return Row(priced.name, "", told, _("new price"))
        case "filled_in":
            return Row(priced.name, "", told, _("price known"))
        case "withdrawn":
            value = pgettext("a price", "withdrawn")
            return Row(priced.name, "", _no_price_any_more(priced, prices), value, tone="bad")
    moved = next((money.measure for money in priced.figures if money.measure != "context"), None)
    if moved is None:
        return Row(priced.name, "", told, _("context"))
    cell = price_cell(priced, moved)
    return Row(priced.name, "", told, pgettext("what changed", "price"), cell.change, cell.tone)


def _no_price_any_more(priced: Priced, prices: PriceList) -> str:
    was = []
    for figure in priced.figures:
        if figure.before and figure.measure == "input":
            was.append(pgettext("a price", "%(price)s in", price=money(figure.before)))
        if figure.before and figure.measure == "output":
            was.append(pgettext("a price", "%(price)s out", price=money(figure.before)))
    source = shown(prices.title)
    if not was:
        return _("%(list)s gives no price any more.", list=source)
    return _("%(list)s gives no price any more; it was %(prices)s per 1M tokens.", list=source, prices=listed(was))


def _pick(pick: Pick) -> Row:
    now = _names([choice.name for choice in pick.leaders])
    before = _names([choice.name for choice in pick.change.before]) if pick.change else ""
    told = _("Now %(now)s. Before, %(before)s.", now=now or _("no model"), before=before or _("no model"))
    match pick.outcome:
        case "pick":
            return Row(None, title(pick), told, _("new pick"))
        case "tie":
            return Row(None, title(pick), told, _("a tie"))
        case "none":
            return Row(None, title(pick), told, pgettext("behind a need", "no pick"))


def _top(one: Measure) -> Row:
    """Who could be first in a category: a tie is told as one."""
    tied, source, models = len(one.first) > 1, shown(one.title), _names(one.first)
    if tied:
        told = _("%(models)s tie for first on %(source)s.", models=models, source=source)
    else:
        told = _("%(models)s is first on %(source)s.", models=models, source=source)
    if before := _names(one.first_before):
        were = len(one.first_before) > 1
        was = (
            _("Before, %(models)s tied for first.", models=before)
            if were
            else _("Before, %(models)s was first.", models=before)
        )
        told = f"{told} {was}"
    return Row(None, capital(benchmark_name(one.benchmark)), told, _("a tie") if tied else _("new first"))


def _names(names: Sequence[Name]) -> str:
    return listed([full(name) for name in names[:_TIED]], len(names[_TIED:]))


def crossing_row(crossing: Crossing) -> Row:
    """A model that a reader's threshold lets through now."""
    line = crossing.threshold
    least = rounded(line.at_least, 1)
    asked = _(
        "You asked for at least %(at_least)s under %(under)s.",
        at_least=plain(least, 0 if least == least.to_integral_value() else 1),
        under=money(line.under),
    )
    told = _(
        "%(figure)s in %(category)s on %(board)s; lowest price by %(list)s in %(unit)s.",
        figure=score(crossing.score, "%"),
        category=shown(line.category),
        board=shown(crossing.source),
        list=shown(crossing.price_source),
        unit=shown_unit(crossing.unit),
    )
    was = "" if crossing.price_before is None else _("was %(price)s", price=money(crossing.price_before))
    return Row(None, shown(crossing.name), f"{told} {asked}", money(crossing.price), was)


def since(watched: Watched) -> str:
    """Over what time it is told."""
    if not watched.missed:
        return _("What changed this week for what you follow.")
    return ngettext(
        "What changed since %(day)s for what you follow, with %(count)s edition that you did not get.",
        "What changed since %(day)s for what you follow, with %(count)s editions that you did not get.",
        watched.missed,
        count=in_words(watched.missed),
        day=day(monday(watched.since)),
    )


def standing_still(watched: Watched) -> str:
    """What holds still, what moved without a story, and what is gone; or that nothing is to be told."""
    sentences = []
    if not (watched.crossings or watched.stories or watched.withdrawn):
        sentences.append(_("No story of this edition is about what you follow."))
    if watched.withdrawn:
        sentences.append(_("No longer listed: %(models)s.", models=_titles(watched.withdrawn)))
    if watched.unchanged:
        sentences.append(_("Unchanged: %(models)s.", models=_titles(watched.unchanged)))
    if watched.moved:
        moved = _titles(watched.moved)
        sentences.append(_("Moved within noise, or further down than this mail lists: %(models)s.", models=moved))
    return " ".join(sentences)


def _titles(titles: Sequence[str]) -> str:
    return listed([shown(title) for title in titles[:_NAMED]], len(titles[_NAMED:]))
