"""(facts) -> a sentence. The words of an edition's masthead and sections, in the order of the page.

Everything is made from facts alone, so the HTML and the text part tell the same. Price lists have their words in
price_words.py, sources in health_words.py; what the edition says first (subject, headline, "In brief") is chosen in
opening.py, in these words.
"""

from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from digest.edition.content import (
    Arrival,
    Arrivals,
    Board,
    Correction,
    Disagreement,
    Edition,
    Gone,
    MethodNote,
    Mover,
    Movers,
    Name,
    Place,
    PriceList,
    Proof,
    Renamed,
    Said,
)
from digest.edition.numbers import (
    Cell,
    apart,
    arrow,
    benchmark_name,
    capital,
    change,
    counted,
    day,
    full,
    gap,
    listed,
    monday,
    ordinal,
    plain,
    score,
    several,
    shown,
    tokens,
    variant,
)


def masthead_week(edition: Edition) -> str:
    year, number = edition.week.split("-W")
    return f"Week {int(number)}, {year}"


def document_title(edition: Edition) -> str:
    return f"{shown(edition.series)} No. {edition.number}"


def dates(edition: Edition) -> str:
    """The days of both captures where all sources that are told share them, else both weeks."""
    captures = {
        (health.previous.on, health.current.on)
        for health in edition.health
        if health.was_read and health.previous and health.current
    }
    if len(captures) == 1:
        before, now = captures.pop()
        return f"{day(now)} compared with {day(before)}"
    return f"Week of {day(edition.starts)} compared with week of {day(monday(edition.previous_week))}"


def board_heading(board: Board) -> str:
    tied = bool(board.places) and board.places[0].tied
    outcome = {
        "new_leader": "a tie at the top" if tied else "a new first",
        "new_but_tied": "a tie at the top",
        "new_within_noise": "another first, within noise",
        "unchanged": "the same first, tied" if tied else "no change at the top",
        "not_comparable": "not comparable with the week before",
        "first_capture": "a first look",
        "not_read": "not read this week",
    }[board.leader]
    return f"{shown(board.title)}: {outcome}"


def board_note(board: Board) -> str:
    unit = {"%": " in percent", "rating": " rating"}.get(board.unit, "")
    sentences = [f"{measure(board)}{unit}, top {len(board.places)} of {counted(board.ranked)} ranked."]
    if not board.higher_is_better:
        sentences.append("Lower is better.")
    return " ".join(sentences)


def bars_note(board: Board) -> str:
    """How the bars are read, where a page draws them."""
    return "Two bars that overlap are not told apart." if board.uncertainty in ("margin", "interval") else ""


class Band(NamedTuple):
    """Neighbouring rows of one best rank; without a label where the row is told apart from its neighbours."""

    label: str
    first: bool
    places: tuple[Place, ...]


def bands(board: Board) -> list[Band]:
    groups = [(band, tuple(places)) for band, places in groupby(board.places, key=lambda place: place.band)]
    return [
        Band(
            f"Tied for {ordinal(band)}: {_tie_rule(board)}" if any(place.tied for place in places) else "",
            position == 0,
            places,
        )
        for position, (band, places) in enumerate(groups)
    ]


def _tie_rule(board: Board) -> str:
    if board.uncertainty == "margin" and board.margin is not None:
        return f"within {gap(board.margin, board.unit)}"
    return {"interval": "their intervals overlap", "stderr": "within the 95% uncertainty"}.get(
        board.uncertainty, "equal scores"
    )


def movement(place: Place) -> str:
    """`▲ up 1`, `▼ down 3`, `new`, `same`; empty when there is nothing to compare with."""
    if place.movement in ("up", "down"):
        before = place.previous.rank if place.previous else None
        steps = f" {abs(before - place.rank)}" if before is not None else ""
        return f"{arrow(place.movement == 'up')} {place.movement}{steps}"
    return place.movement or ""


def standing(board: Board) -> str:
    """How the first two rows stand to each other."""
    who, ahead, runner_up = top_two(board)
    if len(board.places) < 2:
        return f"{who} {top_score(board)} is the only row." if board.places else ""
    if not ahead:
        return f"{who} and {runner_up} have the same score."
    if board.places[0].tied:
        return f"{who} is {ahead} ahead of {runner_up}, which is inside {doubt(board)}: a tie."
    rule = f", which is beyond {doubt(board)}" if board.uncertainty != "none" else "; no uncertainty is published"
    return f"{who} is {ahead} ahead of {runner_up}{rule}."


def remade_sentence(board: Board) -> str:
    """Of a board whose lead benchmark is another than before: what can and what cannot be compared."""
    said = "It is made up differently now: figures of before and after are not comparable."
    if any(place.movement for place in board.places):
        return f"{said} Places are compared on what both weeks share."
    return said


def unranked(board: Board) -> str:
    """A sentence about the rows without a rank, or nothing."""
    if not board.unranked:
        return ""
    is_not = (
        "is not ranked, because its scores are" if board.unranked == 1 else "are not ranked, because their scores are"
    )
    return f"{capital(several(board.unranked, 'row', words=True))} {is_not} incomplete."


def receipt(board: Board) -> str:
    """The exact figures of the first two rows, the publisher's own name of the first, and both captures."""
    exact = [plain(place.score.value, 2) for place in board.places[:2] if place.score.value is not None]
    row = f"; row {shown(board.places[0].name.raw, 80)}" if board.places else ""
    return f"Receipt: {listed(exact)}{row}; {captures(board)}"


def captures(section: Board | Movers | PriceList) -> str:
    """Both captures of a section: their days and the start of their hashes."""
    before = f" Before: {_capture(section.previous)}." if section.previous else ""
    return f"{_capture(section.current)}.{before}"


def _capture(proof: Proof) -> str:
    return f"{day(proof.on)}, sha256 {proof.sha256[:8]}"


def rank_words(rank: int | None, tied: bool) -> str:
    return "not ranked" if rank is None else f"#{rank}, tied" if tied else f"#{rank}"


def top_two(board: Board) -> tuple[str, str, str]:
    """The first row, how far it is ahead of the second (empty when it is not), and the second."""
    first, second = board.places[0], board.places[1] if len(board.places) > 1 else None
    if second is None or first.score.value is None or second.score.value is None:
        return full(first.name), "", "another row"
    far = first.score.value - second.score.value
    return full(first.name), gap(far, board.unit) if far else "", full(second.name)


def top_score(board: Board) -> str:
    return score(board.places[0].score.value, board.unit)


def doubt(board: Board) -> str:
    """What a difference has to exceed on this board."""
    if board.uncertainty == "margin" and board.margin is not None:
        return f"the margin of {gap(board.margin, board.unit)}"
    return {"interval": "the published intervals", "stderr": "the 95% uncertainty"}.get(
        board.uncertainty, "equal scores"
    )


def measure(board: Board | Movers) -> str:
    """Source and benchmark: `LiveBench overall`, with a comma where the two share a word."""
    source, benchmark = shown(board.title), benchmark_name(board.benchmark)
    shared = set(source.lower().split()) & set(benchmark.lower().split())
    return f"{source}{',' if shared else ''} {benchmark}"


_CAUSES = {
    "rerun": ("Re-run", "rerun", "the source measured it again"),
    "correction": ("Correction", "correction", "the source corrected its figure"),
    "beyond_uncertainty": ("New evidence", "evidence", "beyond its uncertainty"),
    "beyond_threshold": ("New evidence", "evidence", "beyond the threshold"),
}


def cause(mover: Mover) -> tuple[str, str, str]:
    """The chip's label, its kind, and the reason in words."""
    return _CAUSES.get(mover.reason, ("Changed", "neutral", shown(mover.reason.replace("_", " "))))


def moved_score(movers: Movers, mover: Mover) -> Cell:
    before, after = mover.before.value, mover.after.value
    if before is None or after is None:
        return Cell(score(after, movers.unit), was=f"was {score(before, movers.unit)}")
    good = (after > before) is movers.higher_is_better
    way = f"{arrow(after > before)} {change(before, after, movers.unit)}"
    return Cell(score(after, movers.unit), way, "good" if good else "bad", f"was {score(before, movers.unit)}")


def moved_rank(mover: Mover) -> Cell:
    before, after = mover.before.rank, mover.after.rank
    if before is None or after is None or before == after:
        return Cell(rank_words(after, False), "same rank" if after is not None and before == after else "")
    rises = after < before
    way = f"{arrow(rises)} {'up' if rises else 'down'} {abs(before - after)}"
    return Cell(rank_words(after, False), way, "good" if rises else "bad")


def movers_title(movers: Movers) -> str:
    return f"{measure(movers)}{'' if movers.higher_is_better else ' (lower is better)'}"


def movers_note(movers: Movers) -> str:
    """What is not in the table: further moves, and what was left out as noise."""
    sentences = []
    if movers.folded:
        sentences.append(f"{capital(several(movers.folded, 'more score', words=True))} moved beyond noise.")
    if movers.within_noise:
        sentences.append(
            f"Left out as noise: {several(movers.within_noise, 'score')} on {shown(movers.title)} moved, "
            f"{'but not' if movers.within_noise == 1 else 'none'} beyond uncertainty."
        )
    if movers.elsewhere:
        more = " more" if movers.movers else ""
        changes = f"{several(movers.elsewhere, f'{more} change'.strip(), words=True)} on other benchmarks"
        sentences.append(f"{capital(changes)} {'is' if movers.elsewhere == 1 else 'are'} not listed here.")
    return " ".join(sentences)


def arrivals_sentence(arrivals: Arrivals) -> str:
    """How many rows are new, and of how many models where that is another number."""
    models = len(arrivals.models) + arrivals.folded
    of = f" of {several(models, 'model', words=True)}" if models != arrivals.rows else ""
    return f"{capital(several(arrivals.rows, 'new row', words=True))}{of} on {shown(arrivals.title)}."


def coverage(arrivals: Arrivals, arrival: Arrival) -> str:
    """`23 of 23 tasks. Also high #6, 76.2; low #30, 69.1.` Of a table's columns only that some are missing."""
    noun = arrivals.counted_as[:-1]
    told = arrival.benchmarks and (noun == "task" or arrival.measured < arrival.benchmarks)
    tasks = f"{arrival.measured} of {several(arrival.benchmarks, noun)}." if told else ""
    also = "; ".join(
        f"{variant(other.name) or full(other.name)} {rank_words(other.rank, False)}"
        + (f", {score(other.value, arrivals.unit)}" if other.value is not None else "")
        for other in arrival.also
    )
    more = f"; {several(arrival.more, 'more variant')}" if arrival.more else ""
    return f"{tasks} {f'Also {also}{more}.' if also else ''}".strip()


def not_listed(folded: int, noun: str) -> str:
    """`2 more models are not listed here.`, or nothing."""
    return f"{several(folded, f'more {noun}')} {'is' if folded == 1 else 'are'} not listed here." if folded else ""


def gone_sentence(gone: Gone) -> str:
    rows = len(gone.names) + gone.folded
    names = listed([full(name) for name in gone.names], gone.folded)
    return f"{capital(several(rows, 'row', words=True))} left {shown(gone.title)}: {names}."


_DISPUTED = {"input": "input price", "output": "output price", "run_cost": "run cost", "context": "context window"}


def disputes(edition: Edition) -> list[tuple[Name, list[Disagreement]]]:
    """The disagreements by model, in the order in which each model comes first."""
    by_model: dict[Name, list[Disagreement]] = {}
    for disagreement in edition.disagreements:
        by_model.setdefault(disagreement.name, []).append(disagreement)
    return list(by_model.items())


def of_an_offer(disagreement: Disagreement) -> bool:
    """Whether it is about a price or a size, not a score."""
    return disagreement.unit == "tokens" or disagreement.unit.startswith("USD")


def disputed(disagreement: Disagreement) -> str:
    return _DISPUTED.get(disagreement.measure, benchmark_name(disagreement.measure))


def both_figures(disagreement: Disagreement) -> tuple[str, str]:
    """The two figures, with as many decimals as tell them apart."""
    one, other = (said.value for said in disagreement.said)
    if disagreement.measure == "context":
        short = tokens(one), tokens(other)
        return short if short[0] != short[1] else (counted(int(one)), counted(int(other)))
    return apart(one, other, "USD" if disagreement.measure in ("input", "output", "run_cost") else disagreement.unit)


def said_by(said: Said) -> str:
    return f"{shown(said.title)}, {day(said.on)}"


def disagreement_sentence(disagreement: Disagreement) -> str:
    return f"For {disputed(disagreement)}: {said_by_both(disagreement)}."


def said_by_both(disagreement: Disagreement) -> str:
    """`76.4 (Local LLM notes, Mon 2 Mar) and 42.0 (Side by side, Mon 9 Mar)`."""
    pairs = zip(disagreement.said, both_figures(disagreement), strict=True)
    return " and ".join(f"{figure} ({said_by(said)})" for said, figure in pairs)


def correction_sentence(correction: Correction) -> str:
    """What was printed, what is true, and on which days the source said so."""
    figures = [(correction.printed, correction.previous), (correction.true, correction.current)]
    said = (
        apart(correction.printed, correction.true, correction.unit)
        if correction.true is not None
        else (score(correction.printed, correction.unit), "not known")
    )
    printed, true = (f"{figure} on {day(proof.on)}" for figure, (_value, proof) in zip(said, figures, strict=True))
    where = f"{shown(correction.title)}, {benchmark_name(correction.benchmark)}"
    why = "took its figure back" if correction.true is None else "put its figure right; the model did not move"
    return f"{where}: {full(correction.name)} was printed as {printed} and is {true}. The source {why}."


def method_sentence(note: MethodNote) -> str:
    source, benchmark = shown(note.title), benchmark_name(note.benchmark)
    if note.kind == "benchmark_added":
        return f"{source} added {benchmark}, measured on {several(note.rows, 'row')}."
    if note.kind == "benchmark_removed":
        return f"{source} dropped {benchmark}, which {several(note.rows, 'row')} had."
    if note.kind == "scale_shifted":
        way = "up" if (note.shift or 0) > 0 else "down"
        others = f", with {several(note.rows - 1, 'other benchmark')}" if note.rows > 1 else ""
        return (
            f"{source} moved its whole {benchmark} scale {way} by {gap(note.shift or Decimal(0), note.unit)}{others}; "
            f"{'figures that moved otherwise are told as moves' if note.models_moved else 'no model moved with it'}."
        )
    return (
        f"{source} makes up {benchmark} differently now: {several(note.rows, 'score')} moved"
        f"{'' if note.models_moved else '; no model did'}. Figures of before and after are not comparable."
    )


def renamed_sentence(renamed: Renamed) -> str:
    """A row under another name is said to be one, so that nobody takes it for a launch."""
    if renamed.reused:
        one, other = shown(renamed.before.raw), shown(renamed.after.raw)
        return f"{shown(renamed.title)} gave the row of {one} to {other}: another model, so that neither moved."
    if renamed.rows > 1:
        before, after = renamed.before.title, renamed.after.title
        return f"{shown(renamed.title)} moved {several(renamed.rows, 'row')} from {shown(before)} to {shown(after)}."
    return f"{shown(renamed.title)} lists {shown(renamed.before.raw)} as {shown(renamed.after.raw)} now."


def why_you_get_this(edition: Edition) -> str:
    return f"You get this because you agreed to get {shown(edition.series)}. One email a week, never two."


def method_line() -> str:
    return (
        "How we tell: rows closer than the uncertainty named above them are tied. Figures are rounded; receipts give "
        "two decimals and the start of the sha256 of the bytes we read."
    )
