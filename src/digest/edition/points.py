"""What an edition has to tell of its boards, one `Point` for each thing, from a few words to two sentences.

Subject, headline and "In brief" (opening.py) are read off one list of these, so they cannot contradict each other.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from digest.edition.content import Arrivals, Board, Edition, MethodNote, Name, Place
from digest.edition.numbers import (
    benchmark_name,
    capital,
    clip,
    full,
    gap,
    listed,
    score,
    several,
    shown,
    title,
)
from digest.edition.wording import (
    arrivals_sentence,
    doubt,
    measure,
    method_sentence,
    rank_words,
    remade_sentence,
    top_score,
    top_two,
)

SUBJECT_ROOM = 50
TOP = 10
"""So many rows of a board are its top."""

_CHANGED = ("new_leader", "new_but_tied", "new_within_noise")


class Point(NamedTuple):
    """One thing worth telling, from a few words for the subject to two sentences for the page; `section` and `source`
    say which of the edition's stories it stands for."""

    short: str
    headline: str
    lead: str
    brief: str
    detail: str
    section: str = ""
    source: str = ""


def fit(name: Name | str, rest: str) -> str:
    """Who and what in the subject's room: with the variant where that fits, else as much of the title as does."""
    if isinstance(name, Name):
        name = full(name) if len(full(name)) <= SUBJECT_ROOM - len(rest) else title(name)
    return clip(name, SUBJECT_ROOM - len(rest)) + rest


def leaders(edition: Edition) -> Iterator[Point]:
    """Leads before ties, and ties before what noise has brought to the top."""
    changed = [board for board in edition.boards if board.places and board.leader in _CHANGED]
    for told in (_lead, _tie, _first_by_noise):
        for board in changed:
            tied = board.places[0].tied or board.leader == "new_but_tied"
            if told is (_tie if tied else _first_by_noise if board.leader == "new_within_noise" else _lead):
                yield told(board, len(edition.boards) > 1)


def _lead(board: Board, one_of_many: bool) -> Point:
    who, ahead, runner_up = top_two(board)
    by = f" by {ahead}" if ahead else ""
    where = f" on {shown(board.title, 20)}" if one_of_many else ""
    long = f"{who} takes #1{where}{by}"
    beyond = f" beyond {doubt(board)}" if board.uncertainty != "none" else ""
    against = f"{ahead} ahead of {runner_up},{beyond}" if beyond else f"{ahead} ahead of {runner_up}"
    before = f" {full(board.previous_leader)} was first before." if board.previous_leader else ""
    return Point(
        short=long if len(long) <= SUBJECT_ROOM else fit(board.places[0].name, f" takes #1{by}"),
        headline=f"{who} takes first place on {shown(board.title)}",
        lead=f"Its {top_score(board)} on {measure(board)} is {against if ahead else 'the only score'}.{before}",
        brief=f"{who} takes first place on {shown(board.title)}.",
        detail=f"{_scores(board.places[:3], board)}.",
        section="boards",
        source=board.source,
    )


def _tie(board: Board, one_of_many: bool) -> Point:
    who, ahead, runner_up = top_two(board)
    long = f"{who} ties for #1 on {shown(board.title, 20)}"
    inside = (
        f"a lead of {ahead} over {runner_up} is inside {doubt(board)}" if ahead else f"{runner_up} has the same score"
    )
    tied = [place for place in board.places if place.band == board.places[0].band]
    return Point(
        short=long if one_of_many and len(long) <= SUBJECT_ROOM else fit(board.places[0].name, " ties for #1"),
        headline=f"{who} ties for first on {shown(board.title)}",
        lead=f"Its {top_score(board)} stands at the top of {measure(board)}, but {inside}.",
        brief=f"The top of {shown(board.title)} is a tie.",
        detail=f"{_scores(tied[:4], board, len(tied[4:]))}: no difference beyond {doubt(board)}.",
        section="boards",
        source=board.source,
    )


def _first_by_noise(board: Board, one_of_many: bool) -> Point:
    who, _ahead, _runner_up = top_two(board)
    where = shown(board.title)
    long = f"{who} tops {shown(board.title, 20)}, within noise"
    before = f" {full(board.previous_leader)} was first before." if board.previous_leader else ""
    said = f"Its {top_score(board)} is the best on {measure(board)}, but no score moved beyond {doubt(board)}.{before}"
    return Point(
        short=long if one_of_many and len(long) <= SUBJECT_ROOM else fit(board.places[0].name, " first, within noise"),
        headline=f"{who} comes first on {where}, within noise",
        lead=said,
        brief=f"{who} comes first on {where}, within noise.",
        detail=said,
        section="boards",
        source=board.source,
    )


def _scores(places: Sequence[Place], board: Board, more: int = 0) -> str:
    return listed([f"{full(place.name)} {score(place.score.value, board.unit)}" for place in places], more)


def still_first(board: Board) -> str:
    """Who is first as before: one row, or those that are tied now."""
    tied = [place for place in board.places if place.band == board.places[0].band]
    if not board.places[0].tied or len(tied) < 2:
        return f"First on {shown(board.title)} is still {_scores(board.places[:1], board)}."
    return f"Tied at the top of {shown(board.title)} are {_scores(tied[:4], board, len(tied[4:]))}."


def remade(edition: Edition) -> Iterator[Point]:
    """Boards whose figures are new because the benchmark is, not because a model is better."""
    moved = {board.source for board in edition.movers if board.movers or board.elsewhere}
    moved |= {note.source for note in edition.method if note.models_moved}
    for board in edition.boards:
        if board.leader == "not_comparable":
            what = f"{measure(board)} moved" if board.source in moved else f"{measure(board)} moved; no model did"
            notes = [method_sentence(note) for note in edition.method if note.source == board.source]
            yield Point(
                short=clip(what, SUBJECT_ROOM),
                headline=what,
                lead=" ".join([remade_sentence(board), *notes[:2]]),
                brief=f"{what}.",
                detail=remade_sentence(board),
                section="method",
                source=board.source,
            )


def revisions(edition: Edition) -> Iterator[Point]:
    told = {board.source for board in edition.boards if board.leader == "not_comparable"}
    for note in edition.method:
        if note.kind in ("benchmark_revised", "scale_shifted") and note.source not in told:
            if note.kind == "scale_shifted":
                what = f"{shown(note.title, 24)} moved its whole scale"
                said = method_sentence(note)
                yield Point(fit(what, _no_model(note)), what, said, f"{what}.", said, "method", note.source)
                continue
            moved = f"{benchmark_name(note.benchmark)} score"
            yield Point(
                short=fit(several(note.rows, moved), f" moved{_no_model(note)}"),
                headline=f"{shown(note.title)} changed how it measures",
                lead=method_sentence(note),
                brief=f"{capital(several(note.rows, moved, words=True))} moved{_no_model(note)}.",
                detail=f"{shown(note.title)} makes it up differently now.",
                section="method",
                source=note.source,
            )


def _no_model(note: MethodNote) -> str:
    """Said only where no score of that source moved for a reason of a model's own."""
    return "" if note.models_moved else "; no model did"


def arrivals(edition: Edition) -> Iterator[Point]:
    """One point a board; by name where a new row stands among the first ten and is not told as the new first."""
    leading = {
        board.source
        for board in edition.boards
        if board.leader in _CHANGED and board.places and board.places[0].movement == "new"
    }
    for arrivals in edition.arrivals:
        rest = arrivals.rows - 1 if arrivals.source in leading else arrivals.rows
        if not rest:  # the only new row is told as the new first
            continue
        best = [
            f"{full(new.name)} {_rank_and_score(new.rank, new.tied, new.value, arrivals.unit)}"
            for new in arrivals.models[:3]
        ]
        listing = f"{listed(best, len(arrivals.models[3:]) + arrivals.folded)}."
        more = "more new entry" if rest < arrivals.rows else "new entry"
        place = f" on {shown(arrivals.title, 20)}" if len(edition.arrivals) > 1 else ""
        point = Point(
            short=several(rest, more) + place,
            headline=arrivals_sentence(arrivals)[:-1],
            lead=listing,
            brief=arrivals_sentence(arrivals),
            detail=listing,
            section="arrivals",
            source=arrivals.source,
        )
        named = arrivals.source not in leading and arrivals.models[0].rank is not None
        yield _by_name(point, arrivals) if named and (arrivals.models[0].rank or 0) <= TOP else point


def _by_name(point: Point, arrivals: Arrivals) -> Point:
    """The point told of its best new row."""
    best = arrivals.models[0]
    at = f"at {rank_words(best.rank, best.tied)}"
    long = f"{full(best.name)} enters {shown(arrivals.title, 20)} {at}"
    return point._replace(
        short=long if len(long) <= SUBJECT_ROOM else fit(best.name, f" enters {at}"),
        headline=f"{full(best.name)} enters {shown(arrivals.title)} {at}",
        lead=f"{point.brief} {point.detail}",
    )


def _rank_and_score(rank: int | None, tied: bool, value: Decimal | None, unit: str) -> str:
    return f"{score(value, unit)} ({rank_words(rank, tied)})" if value is not None else f"({rank_words(rank, tied)})"


def moves(edition: Edition) -> Iterator[Point]:
    for board in edition.movers:
        for mover in board.movers[:1]:
            before, after = mover.before.value, mover.after.value
            if before is None or after is None:
                continue
            who, way = full(mover.name), "up" if after > before else "down"
            figures = f"{score(before, board.unit)} to {score(after, board.unit)} on {measure(board)}"
            more = len(board.movers) - 1 + board.folded
            others = f" {capital(several(more, 'other score', words=True))} moved too." if more else ""
            direction = "" if board.higher_is_better else "; lower is better"
            yield Point(
                short=fit(mover.name, f" {way} {gap(after - before, board.unit)}"),
                headline=f"{who} is {way} {gap(after - before, board.unit)} on {shown(board.title)}",
                lead=f"{figures}{direction}.{others}",
                brief=f"{who} is {way} {gap(after - before, board.unit)}.",
                detail=f"{figures}{direction}.{others}",
                section="movers",
                source=board.source,
            )


def departures(edition: Edition) -> Iterator[Point]:
    for gone in edition.gone:
        rows = len(gone.names) + gone.folded
        if rows == 1:
            what = f"{full(gone.names[0])} left {shown(gone.title)}"
            short = fit(gone.names[0], f" left {shown(gone.title, 20)}")
            said = "The source lists it no more."
            yield Point(short, what, said, f"{what}.", said, "gone", gone.source)
        elif rows:
            what = f"{capital(several(rows, 'row', words=True))} left {shown(gone.title)}"
            short = f"{several(rows, 'row')} left {shown(gone.title, 30)}"
            said = f"{listed([full(name) for name in gone.names[:3]], rows - len(gone.names[:3]))}."
            yield Point(short, what, said, f"{what}.", said, "gone", gone.source)


def new_measures(edition: Edition) -> Iterator[Point]:
    told = {board.source for board in edition.boards if board.leader == "not_comparable"}
    for note in edition.method:
        if note.kind in ("benchmark_added", "benchmark_removed") and note.source not in told:
            verb = "added" if note.kind == "benchmark_added" else "dropped"
            what = f"{shown(note.title, 24)} {verb} {benchmark_name(note.benchmark)}"
            rows = f"{capital(several(note.rows, 'row', words=True))}"
            detail = f"{rows} {'had it' if verb == 'dropped' else 'have it'}."
            short = clip(what, SUBJECT_ROOM)
            yield Point(short, what, method_sentence(note), f"{what}.", detail, "method", note.source)
