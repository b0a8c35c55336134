"""(facts) -> a sentence in the language that is spoken: an edition's masthead and sections, in the order of the page.

Everything is made from facts alone, so the HTML and the text part tell the same. Price lists have their words in
price_words.py, sources in health_words.py; what the edition says first (subject, headline, "In brief") is chosen in
opening.py, in these words.
"""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import NamedTuple

from digest.edition.content import Edition
from digest.edition.facts import Proof
from digest.edition.numbers import (
    Cell,
    arrow,
    benchmark_name,
    capital,
    change,
    counted,
    day,
    full,
    gap,
    in_words,
    listed,
    monday,
    ordinal,
    plain,
    score,
    shown,
    variant,
)
from digest.edition.section_facts import Arrival, Arrivals, Board, Gone, Mover, Movers, Place, PriceList
from digest.language import N_, _, ngettext, pgettext


def masthead_week(edition: Edition) -> str:
    year, number = edition.week.split("-W")
    return _("Week %(number)s, %(year)s", number=int(number), year=year)


def document_title(edition: Edition) -> str:
    return _("%(series)s No. %(number)s", series=shown(edition.series), number=edition.number)


def dates(edition: Edition) -> str:
    """The days of both captures where all sources that are told share them, else both weeks."""
    captures = {
        (health.previous.on, health.current.on)
        for health in edition.health
        if health.was_read and health.previous and health.current
    }
    if len(captures) == 1:
        before, now = captures.pop()
        return _("%(now)s compared with %(before)s", now=day(now), before=day(before))
    starts, previous = day(edition.starts), day(monday(edition.previous_week))
    return _("Week of %(now)s compared with week of %(before)s", now=starts, before=previous)


def board_heading(board: Board) -> str:
    return _("%(board)s: %(outcome)s", board=shown(board.title), outcome=_outcome(board))


def _outcome(board: Board) -> str:
    """What became of the first place."""
    tied = bool(board.places) and board.places[0].tied
    match board.leader:
        case "new_but_tied":
            return _("a tie at the top")
        case "new_leader":
            return _("a tie at the top") if tied else _("a new first")
        case "new_within_noise":
            return _("another first, within noise")
        case "unchanged":
            return _("the same first, tied") if tied else _("no change at the top")
        case "not_comparable":
            return _("not comparable with the week before")
        case "first_capture":
            return _("a first look")
        case "not_read":
            return _("not read this week")


def board_note(board: Board) -> str:
    measured = measure(board)
    if board.unit == "%":
        measured = _("%(measure)s in percent", measure=measured)
    elif board.unit == "rating":
        measured = _("%(measure)s rating", measure=measured)
    places, ranked = len(board.places), counted(board.ranked)
    note = _("%(measured)s, top %(places)s of %(ranked)s ranked.", measured=measured, places=places, ranked=ranked)
    return note if board.higher_is_better else " ".join([note, _("Lower is better.")])


def bars_note(board: Board) -> str:
    """How the bars are read, where a page draws them."""
    return _("Two bars that overlap are not told apart.") if board.uncertainty in ("margin", "interval") else ""


class Band(NamedTuple):
    """Neighbouring rows of one best rank; without a label where the row is told apart from its neighbours."""

    label: str
    first: bool
    places: tuple[Place, ...]


def bands(board: Board) -> list[Band]:
    groups = [(band, tuple(places)) for band, places in groupby(board.places, key=lambda place: place.band)]
    return [
        Band(
            _("Tied for %(rank)s: %(rule)s", rank=ordinal(band), rule=_tie_rule(board))
            if any(place.tied for place in places)
            else "",
            position == 0,
            places,
        )
        for position, (band, places) in enumerate(groups)
    ]


def _tie_rule(board: Board) -> str:
    match board.uncertainty:
        case "margin" if board.margin is not None:
            return _("within %(gap)s", gap=gap(board.margin, board.unit))
        case "interval":
            return _("their intervals overlap")
        case "stderr":
            return _("within the 95%% uncertainty")
    return _("equal scores")


def movement(place: Place) -> str:
    """`▲ up 1`, `▼ down 3`, `new`, `same`; empty when there is nothing to compare with."""
    match place.movement:
        case "up" | "down" as way:
            before = place.previous.rank if place.previous else None
            return _way(way == "up", abs(before - place.rank) if before is not None else None)
        case "new":
            return pgettext("rank", "new")
        case "same":
            return pgettext("rank", "same")
    return ""


def _way(rises: bool, steps: int | None) -> str:
    """`▲ up 1`, `▼ down 3`."""
    if rises:
        said = pgettext("rank", "up %(steps)s", steps=steps) if steps else pgettext("rank", "up")
    else:
        said = pgettext("rank", "down %(steps)s", steps=steps) if steps else pgettext("rank", "down")
    return f"{arrow(rises)} {said}"


def standing(board: Board) -> str:
    """How the first two rows stand to each other."""
    who, ahead, other = top_two(board)
    if len(board.places) < 2:
        return _("%(who)s %(score)s is the only row.", who=who, score=top_score(board)) if board.places else ""
    if not ahead:
        return _("%(who)s and %(other)s have the same score.", who=who, other=other)
    said = {"who": who, "ahead": ahead, "other": other}
    if board.places[0].tied:
        return _("%(who)s is %(ahead)s ahead of %(other)s, which is %(inside)s: a tie.", **said, inside=inside(board))
    if board.uncertainty == "none":
        return _("%(who)s is %(ahead)s ahead of %(other)s; no uncertainty is published.", **said)
    return _("%(who)s is %(ahead)s ahead of %(other)s, which is %(beyond)s.", **said, beyond=beyond(board))


def remade_sentence(board: Board) -> str:
    """Of a board whose lead benchmark is another than before: what can and what cannot be compared."""
    said = _("It is made up differently now: figures of before and after are not comparable.")
    if any(place.movement for place in board.places):
        return " ".join([said, _("Places are compared on what both weeks share.")])
    return said


def unranked(board: Board) -> str:
    """A sentence about the rows without a rank, or nothing."""
    if not board.unranked:
        return ""
    return capital(
        ngettext(
            "%(count)s row is not ranked, because its scores are incomplete.",
            "%(count)s rows are not ranked, because their scores are incomplete.",
            board.unranked,
            count=in_words(board.unranked),
        )
    )


def receipt(board: Board) -> str:
    """The exact figures of the first two rows, the publisher's own name of the first, and both captures."""
    exact = listed([plain(place.score.value, 2) for place in board.places[:2] if place.score.value is not None])
    if not board.places:
        return _("Receipt: %(figures)s; %(captures)s", figures=exact, captures=captures(board))
    row = shown(board.places[0].name.raw, 80)
    return _("Receipt: %(figures)s; row %(row)s; %(captures)s", figures=exact, row=row, captures=captures(board))


def captures(section: Board | Movers | PriceList) -> str:
    """Both captures of a section: their days and the start of their hashes."""
    now = f"{_capture(section.current)}."
    if section.previous is None:
        return now
    return " ".join([now, _("Before: %(capture)s.", capture=_capture(section.previous))])


def _capture(proof: Proof) -> str:
    return f"{day(proof.on)}, sha256 {proof.sha256[:8]}"


def rank_words(rank: int | None, tied: bool) -> str:
    if rank is None:
        return _("not ranked")
    return _("#%(rank)s, tied", rank=rank) if tied else f"#{rank}"


def top_two(board: Board) -> tuple[str, str, str]:
    """The first row, how far it is ahead of the second (empty when it is not), and the second."""
    first, second = board.places[0], board.places[1] if len(board.places) > 1 else None
    if second is None or first.score.value is None or second.score.value is None:
        return full(first.name), "", _("another row")
    far = first.score.value - second.score.value
    return full(first.name), gap(far, board.unit) if far else "", full(second.name)


def top_score(board: Board) -> str:
    return score(board.places[0].score.value, board.unit)


def inside(board: Board) -> str:
    """That a difference is no larger than it has to be on this board to count."""
    match board.uncertainty:
        case "margin" if board.margin is not None:
            return _("inside the margin of %(gap)s", gap=gap(board.margin, board.unit))
        case "interval":
            return _("inside the published intervals")
        case "stderr":
            return _("inside the 95%% uncertainty")
    return _("inside the uncertainty")


def beyond(board: Board) -> str:
    """That a difference is larger than it has to be on this board to count."""
    match board.uncertainty:
        case "margin" if board.margin is not None:
            return _("beyond the margin of %(gap)s", gap=gap(board.margin, board.unit))
        case "interval":
            return _("beyond the published intervals")
        case "stderr":
            return _("beyond the 95%% uncertainty")
    return _("beyond the uncertainty")


def measure(board: Board | Movers) -> str:
    """Source and benchmark: `LiveBench overall`, with a comma where the two share a word."""
    source, benchmark = shown(board.title), benchmark_name(board.benchmark)
    shared = set(source.lower().split()) & set(benchmark.lower().split())
    return f"{source}{',' if shared else ''} {benchmark}"


_CAUSES = {
    "rerun": (N_("Re-run"), "rerun", N_("the source measured it again")),
    "correction": (N_("Correction"), "correction", N_("the source corrected its figure")),
    "beyond_uncertainty": (N_("New evidence"), "evidence", N_("beyond its uncertainty")),
    "beyond_threshold": (N_("New evidence"), "evidence", N_("beyond the threshold")),
}


def cause(mover: Mover) -> tuple[str, str, str]:
    """The chip's label, its kind, and the reason in words."""
    if mover.reason not in _CAUSES:
        return _("Changed"), "neutral", shown(mover.reason.replace("_", " "))
    label, kind, reason = _CAUSES[mover.reason]
    return _(label), kind, _(reason)


def moved_score(movers: Movers, mover: Mover) -> Cell:
    before, after = mover.before.value, mover.after.value
    was = _("was %(figure)s", figure=score(before, movers.unit))
    if before is None or after is None:
        return Cell(score(after, movers.unit), was=was)
    good = (after > before) is movers.higher_is_better
    way = f"{arrow(after > before)} {change(before, after, movers.unit)}"
    return Cell(score(after, movers.unit), way, "good" if good else "bad", was)


def moved_rank(mover: Mover) -> Cell:
    before, after = mover.before.rank, mover.after.rank
    if before is None or after is None or before == after:
        return Cell(rank_words(after, False), _("same rank") if after is not None and before == after else "")
    rises = after < before
    return Cell(rank_words(after, False), _way(rises, abs(before - after)), "good" if rises else "bad")


def movers_title(movers: Movers) -> str:
    measured = measure(movers)
    return measured if movers.higher_is_better else _("%(measure)s (lower is better)", measure=measured)


def movers_note(movers: Movers) -> str:
    """What is not in the table: further moves, and what was left out as noise."""
    sentences = []
    if movers.folded:
        more = ngettext(
            "%(count)s more score moved beyond noise.",
            "%(count)s more scores moved beyond noise.",
            movers.folded,
            count=in_words(movers.folded),
        )
        sentences.append(capital(more))
    if movers.within_noise:
        sentences.append(
            ngettext(
                "Left out as noise: %(count)s score on %(source)s moved, but not beyond uncertainty.",
                "Left out as noise: %(count)s scores on %(source)s moved, none beyond uncertainty.",
                movers.within_noise,
                source=shown(movers.title),
            )
        )
    if movers.elsewhere:
        sentences.append(capital(_elsewhere(movers)))
    return " ".join(sentences)


def _elsewhere(movers: Movers) -> str:
    count = in_words(movers.elsewhere)
    if movers.movers:
        return ngettext(
            "%(count)s more change on other benchmarks is not listed here.",
            "%(count)s more changes on other benchmarks are not listed here.",
            movers.elsewhere,
            count=count,
        )
    return ngettext(
        "%(count)s change on other benchmarks is not listed here.",
        "%(count)s changes on other benchmarks are not listed here.",
        movers.elsewhere,
        count=count,
    )


def arrivals_sentence(arrivals: Arrivals) -> str:
    """How many rows are new, and of how many models where that is another number."""
    return f"{new_rows(arrivals)}."


def new_rows(arrivals: Arrivals) -> str:
    """The same without a full stop, as a headline has it."""
    source, models = shown(arrivals.title), len(arrivals.models) + arrivals.folded
    rows = ngettext("%(count)s new row", "%(count)s new rows", arrivals.rows, count=in_words(arrivals.rows))
    if models == arrivals.rows:
        return capital(_("%(rows)s on %(source)s", rows=rows, source=source))
    of = ngettext("%(count)s model", "%(count)s models", models, count=in_words(models))
    return capital(_("%(rows)s of %(models)s on %(source)s", rows=rows, models=of, source=source))


def coverage(arrivals: Arrivals, arrival: Arrival) -> str:
    """`23 of 23 tasks. Also high #6, 76.2; low #30, 69.1.` Of a table's columns only that some are missing."""
    are_tasks = arrivals.counted_as == "tasks"
    told = arrival.benchmarks and (are_tasks or arrival.measured < arrival.benchmarks)
    also = [
        f"{variant(other.name) or full(other.name)} {rank_words(other.rank, False)}"
        + (f", {score(other.value, arrivals.unit)}" if other.value is not None else "")
        for other in arrival.also
    ]
    if also and arrival.more:
        also.append(ngettext("%(count)s more variant", "%(count)s more variants", arrival.more))
    sentences = (
        _measured(arrival, are_tasks) if told else "",
        _("Also %(variants)s.", variants="; ".join(also)) if also else "",
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _measured(arrival: Arrival, are_tasks: bool) -> str:
    whole, part = arrival.benchmarks, arrival.measured
    if are_tasks:
        return ngettext("%(part)s of %(count)s task.", "%(part)s of %(count)s tasks.", whole, part=part)
    return ngettext("%(part)s of %(count)s column.", "%(part)s of %(count)s columns.", whole, part=part)


def not_listed(folded: int, noun: str) -> str:
    """`2 more models are not listed here.`, or nothing. The noun is one of _NOT_LISTED, in English."""
    return _NOT_LISTED[noun](folded) if folded else ""


_NOT_LISTED: Mapping[str, Callable[[int], str]] = {
    "model": lambda folded: ngettext(
        "%(count)s more model is not listed here.", "%(count)s more models are not listed here.", folded
    ),
    "correction": lambda folded: ngettext(
        "%(count)s more correction is not listed here.", "%(count)s more corrections are not listed here.", folded
    ),
    "disagreement": lambda folded: ngettext(
        "%(count)s more disagreement is not listed here.", "%(count)s more disagreements are not listed here.", folded
    ),
    "method change": lambda folded: ngettext(
        "%(count)s more method change is not listed here.", "%(count)s more method changes are not listed here.", folded
    ),
    "renamed row": lambda folded: ngettext(
        "%(count)s more renamed row is not listed here.", "%(count)s more renamed rows are not listed here.", folded
    ),
    "price entry": lambda folded: ngettext(
        "%(count)s more price entry is not listed here.", "%(count)s more price entries are not listed here.", folded
    ),
}


def gone_sentence(gone: Gone) -> str:
    rows = len(gone.names) + gone.folded
    return capital(
        ngettext(
            "%(count)s row left %(source)s: %(names)s.",
            "%(count)s rows left %(source)s: %(names)s.",
            rows,
            count=in_words(rows),
            source=shown(gone.title),
            names=listed([full(name) for name in gone.names], gone.folded),
        )
    )


def why_you_get_this(edition: Edition) -> str:
    return _(
        "You get this because you agreed to get %(series)s. One email a week, never two.", series=shown(edition.series)
    )


def method_line() -> str:
    return _(
        "How we tell: rows closer than the uncertainty named above them are tied. Figures are rounded; receipts give "
        "two decimals and the start of the sha256 of the bytes we read."
    )
