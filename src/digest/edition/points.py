"""What an edition has to tell of its boards, one `Point` for each thing, from a few words to two sentences.

Subject, headline and "In brief" (opening.py) are read off one list of these, so they cannot contradict each other.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from digest.edition.content import Edition
from digest.edition.facts import Name
from digest.edition.numbers import (
    benchmark_name,
    capital,
    clip,
    counted,
    full,
    gap,
    in_words,
    listed,
    score,
    shown,
    title,
)
from digest.edition.overrides import dropped
from digest.edition.section_facts import Arrival, Arrivals, Board, Gone, MethodNote, Mover, Movers, Place
from digest.edition.source_words import method_sentence
from digest.edition.wording import (
    arrivals_sentence,
    beyond,
    inside,
    measure,
    new_rows,
    rank_words,
    remade_sentence,
    top_score,
    top_two,
)
from digest.language import _, ngettext

SUBJECT_ROOM = 50
TOP = 10
"""So many rows of a board are its top."""

_CHANGED = ("new_leader", "new_but_tied", "new_within_noise")


class Point(NamedTuple):
    """One thing worth telling, from a few words for the subject to two sentences for the page; `section` and `source`
    say which of the edition's stories it stands for. `story` is the id of the one that an editor has a word on."""

    short: str
    headline: str
    lead: str
    brief: str
    detail: str
    section: str = ""
    source: str = ""
    story: str = ""


def fit(name: Name | str, said: Callable[[str], str]) -> str:
    """What is said of a name in the subject's room: with the variant where that fits, else as much of the title as
    does."""
    room = SUBJECT_ROOM - len(said(""))
    if isinstance(name, Name):
        name = full(name) if len(full(name)) <= room else title(name)
    return said(clip(name, room))


def leaders(edition: Edition) -> Iterator[Point]:
    """Leads before ties, and ties before what noise has brought to the top."""
    changed = [board for board in edition.boards if board.places and board.leader in _CHANGED]
    for told in (_lead, _tie, _first_by_noise):
        for board in changed:
            tied = board.places[0].tied or board.leader == "new_but_tied"
            if told is (_tie if tied else _first_by_noise if board.leader == "new_within_noise" else _lead):
                yield told(board, len(edition.boards) > 1)


def _lead(board: Board, one_of_many: bool) -> Point:
    who, ahead, _other = top_two(board)
    long = _takes_first(who, ahead, shown(board.title, 20) if one_of_many else "")
    headline = _("%(who)s takes first place on %(where)s", who=who, where=shown(board.title))
    return Point(
        short=long
        if len(long) <= SUBJECT_ROOM
        else fit(board.places[0].name, lambda who: _takes_first(who, ahead, "")),
        headline=headline,
        lead=f"{_how_clearly(board)} {_first_before(board)}".strip(),
        brief=f"{headline}.",
        detail=f"{_scores(board.places[:3], board)}.",
        section="boards",
        source=board.source,
    )


def _takes_first(who: str, ahead: str, where: str) -> str:
    """That a model leads now; how far and on which board where that is given."""
    if ahead and where:
        return _("%(who)s takes #1 on %(where)s by %(gap)s", who=who, where=where, gap=ahead)
    if ahead:
        return _("%(who)s takes #1 by %(gap)s", who=who, gap=ahead)
    return _("%(who)s takes #1 on %(where)s", who=who, where=where) if where else _("%(who)s takes #1", who=who)


def _how_clearly(board: Board) -> str:
    """How far the first row is ahead, and what that is measured against."""
    _who, ahead, other = top_two(board)
    said = {"score": top_score(board), "measure": measure(board)}
    if not ahead:
        return _("Its %(score)s on %(measure)s is the only score.", **said)
    if board.uncertainty == "none":
        return _("Its %(score)s on %(measure)s is %(ahead)s ahead of %(other)s.", **said, ahead=ahead, other=other)
    return _(
        "Its %(score)s on %(measure)s is %(ahead)s ahead of %(other)s, %(beyond)s.",
        **said,
        ahead=ahead,
        other=other,
        beyond=beyond(board),
    )


def _first_before(board: Board) -> str:
    return _("%(who)s was first before.", who=full(board.previous_leader)) if board.previous_leader else ""


def _tie(board: Board, one_of_many: bool) -> Point:
    who, _ahead, _other = top_two(board)
    where = shown(board.title)
    long = _("%(who)s ties for #1 on %(where)s", who=who, where=shown(board.title, 20))
    tied = [place for place in board.places if place.band == board.places[0].band]
    rows = _scores(tied[:4], board, len(tied[4:]))
    if board.uncertainty == "none":
        detail = _("%(rows)s: equal scores.", rows=rows)
    else:
        detail = _("%(rows)s: no difference %(beyond)s.", rows=rows, beyond=beyond(board))
    return Point(
        short=long
        if one_of_many and len(long) <= SUBJECT_ROOM
        else fit(board.places[0].name, lambda who: _("%(who)s ties for #1", who=who)),
        headline=_("%(who)s ties for first on %(where)s", who=who, where=where),
        lead=_why_no_lead(board),
        brief=_("The top of %(where)s is a tie.", where=where),
        detail=detail,
        section="boards",
        source=board.source,
    )


def _why_no_lead(board: Board) -> str:
    """Why the row that stands first is not said to lead."""
    _who, ahead, other = top_two(board)
    said = {"score": top_score(board), "measure": measure(board), "other": other}
    if not ahead:
        return _("Its %(score)s stands at the top of %(measure)s, but %(other)s has the same score.", **said)
    return _(
        "Its %(score)s stands at the top of %(measure)s, but a lead of %(ahead)s over %(other)s is %(inside)s.",
        **said,
        ahead=ahead,
        inside=inside(board),
    )


def _first_by_noise(board: Board, one_of_many: bool) -> Point:
    who, _ahead, _other = top_two(board)
    long = _("%(who)s tops %(where)s, within noise", who=who, where=shown(board.title, 20))
    headline = _("%(who)s comes first on %(where)s, within noise", who=who, where=shown(board.title))
    best = _(
        "Its %(score)s is the best on %(measure)s, but no score moved %(beyond)s.",
        score=top_score(board),
        measure=measure(board),
        beyond=beyond(board),
    )
    said = f"{best} {_first_before(board)}".strip()
    return Point(
        short=long
        if one_of_many and len(long) <= SUBJECT_ROOM
        else fit(board.places[0].name, lambda who: _("%(who)s first, within noise", who=who)),
        headline=headline,
        lead=said,
        brief=f"{headline}.",
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
        first = _scores(board.places[:1], board)
        return _("First on %(where)s is still %(row)s.", where=shown(board.title), row=first)
    rows = _scores(tied[:4], board, len(tied[4:]))
    return _("Tied at the top of %(where)s are %(rows)s.", where=shown(board.title), rows=rows)


def remade(edition: Edition) -> Iterator[Point]:
    """Boards whose figures are new because the benchmark is, not because a model is better."""
    moved = {board.source for board in edition.movers if board.movers or board.elsewhere}
    moved |= {note.source for note in edition.method if note.models_moved}
    for board in edition.boards:
        if board.leader == "not_comparable":
            what = _moved(measure(board), models_too=board.source in moved)
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


def _moved(what: str, *, models_too: bool) -> str:
    """No model is said to have stood still where a score of that source moved for a reason of a model's own."""
    return _("%(what)s moved", what=what) if models_too else _("%(what)s moved; no model did", what=what)


def revisions(edition: Edition) -> Iterator[Point]:
    told = {board.source for board in edition.boards if board.leader == "not_comparable"}
    for note in edition.method:
        if note.source not in told and note.kind == "scale_shifted":
            yield _shifted(note)
        elif note.source not in told and note.kind == "benchmark_revised":
            yield _revised(note)


def _shifted(note: MethodNote) -> Point:
    what = _("%(source)s moved its whole scale", source=shown(note.title, 24))
    said = method_sentence(note)
    short = clip(what, SUBJECT_ROOM)
    if not note.models_moved:
        short = fit(what, lambda what: _("%(what)s; no model did", what=what))
    return Point(short, what, said, f"{what}.", said, "method", note.source)


def _revised(note: MethodNote) -> Point:
    models_too = note.models_moved > 0
    return Point(
        short=fit(_scores_of(note), lambda scores: _moved(scores, models_too=models_too)),
        headline=_("%(source)s changed how it measures", source=shown(note.title)),
        lead=method_sentence(note),
        brief=f"{capital(_moved(_scores_of(note, words=True), models_too=models_too))}.",
        detail=_("%(source)s makes it up differently now.", source=shown(note.title)),
        section="method",
        source=note.source,
    )


def _scores_of(note: MethodNote, *, words: bool = False) -> str:
    """`65 overall scores`"""
    return ngettext(
        "%(count)s %(benchmark)s score",
        "%(count)s %(benchmark)s scores",
        note.rows,
        count=in_words(note.rows) if words else counted(note.rows),
        benchmark=benchmark_name(note.benchmark),
    )


def arrivals(edition: Edition) -> Iterator[Point]:
    """One point a board; by name where a new row stands among the first ten and is not told as the new first."""
    out = dropped(edition.edits)
    leading = {
        board.source
        for board in edition.boards
        if board.leader in _CHANGED
        and board.places
        and board.places[0].movement == "new"
        and ("boards", board.change) not in out
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
        point = Point(
            short=_entries(arrivals, rest, one_of_many=len(edition.arrivals) > 1),
            headline=new_rows(arrivals),
            lead=listing,
            brief=arrivals_sentence(arrivals),
            detail=listing,
            section="arrivals",
            source=arrivals.source,
        )
        named = arrivals.source not in leading and arrivals.models[0].rank is not None
        yield _by_name(point, arrivals) if named and (arrivals.models[0].rank or 0) <= TOP else point


def arrivals_by_name(edition: Edition) -> Iterator[Point]:
    """A point for each new row that is listed, whatever its rank."""
    for arrivals in edition.arrivals:
        for new in arrivals.models:
            said = f"{full(new.name)} {_rank_and_score(new.rank, new.tied, new.value, arrivals.unit)}."
            point = Point("", "", said, "", said, "arrivals", arrivals.source)
            who, where = full(new.name), shown(arrivals.title)
            if new.rank is None:
                what = _("%(who)s is new on %(where)s", who=who, where=where)
                short = fit(new.name, lambda who: _("%(who)s is new", who=who))
            else:
                what = _enters(new, who, where)
                short = fit(new.name, lambda who, new=new: _enters(new, who, ""))  # type: ignore[misc]
            yield point._replace(short=short, headline=what, brief=f"{what}.")


def _entries(arrivals: Arrivals, rest: int, *, one_of_many: bool) -> str:
    """How many rows are new, and on which of several boards; more of them where the new first is told already."""
    if rest < arrivals.rows:
        said = ngettext("%(count)s more new entry", "%(count)s more new entries", rest)
    else:
        said = ngettext("%(count)s new entry", "%(count)s new entries", rest)
    return _("%(entries)s on %(where)s", entries=said, where=shown(arrivals.title, 20)) if one_of_many else said


def _by_name(point: Point, arrivals: Arrivals) -> Point:
    """The point told of its best new row."""
    best = arrivals.models[0]
    long = _enters(best, full(best.name), shown(arrivals.title, 20))
    return point._replace(
        short=long if len(long) <= SUBJECT_ROOM else fit(best.name, lambda who: _enters(best, who, "")),
        headline=_enters(best, full(best.name), shown(arrivals.title)),
        lead=f"{point.brief} {point.detail}",
    )


def _enters(new: Arrival, who: str, where: str) -> str:
    """At which rank a model is new, and on which board where that is given."""
    at = {"who": who, "rank": new.rank}
    if where and new.tied:
        return _("%(who)s enters %(where)s at #%(rank)s, tied", **at, where=where)
    if where:
        return _("%(who)s enters %(where)s at #%(rank)s", **at, where=where)
    return _("%(who)s enters at #%(rank)s, tied", **at) if new.tied else _("%(who)s enters at #%(rank)s", **at)


def _rank_and_score(rank: int | None, tied: bool, value: Decimal | None, unit: str) -> str:
    return f"{score(value, unit)} ({rank_words(rank, tied)})" if value is not None else f"({rank_words(rank, tied)})"


def moves(edition: Edition) -> Iterator[Point]:
    for board in edition.movers:
        for mover in board.movers[:1]:
            if mover.before.value is not None and mover.after.value is not None:
                yield _move(board, mover, mover.before.value, mover.after.value)


def _move(board: Movers, mover: Mover, before: Decimal, after: Decimal) -> Point:
    who, far, rises, where = full(mover.name), gap(after - before, board.unit), after > before, shown(board.title)
    figures = {"before": score(before, board.unit), "after": score(after, board.unit), "measure": measure(board)}
    if board.higher_is_better:
        said = _("%(before)s to %(after)s on %(measure)s.", **figures)
    else:
        said = _("%(before)s to %(after)s on %(measure)s; lower is better.", **figures)
    if more := len(board.movers) - 1 + board.folded:
        others = ngettext(
            "%(count)s other score moved too.", "%(count)s other scores moved too.", more, count=in_words(more)
        )
        said = f"{said} {capital(others)}"
    if rises:
        headline = _("%(who)s is up %(gap)s on %(where)s", who=who, gap=far, where=where)
        brief = _("%(who)s is up %(gap)s.", who=who, gap=far)
        short = fit(mover.name, lambda who: _("%(who)s up %(gap)s", who=who, gap=far))
    else:
        headline = _("%(who)s is down %(gap)s on %(where)s", who=who, gap=far, where=where)
        brief = _("%(who)s is down %(gap)s.", who=who, gap=far)
        short = fit(mover.name, lambda who: _("%(who)s down %(gap)s", who=who, gap=far))
    return Point(short, headline, lead=said, brief=brief, detail=said, section="movers", source=board.source)


def departures(edition: Edition) -> Iterator[Point]:
    for gone in edition.gone:
        rows = len(gone.names) + gone.folded
        if rows == 1:
            yield _left(gone)
        elif rows:
            what = capital(_rows_left(rows, in_words(rows), shown(gone.title)))
            short = _rows_left(rows, counted(rows), shown(gone.title, 30))
            said = f"{listed([full(name) for name in gone.names[:3]], rows - len(gone.names[:3]))}."
            yield Point(short, what, said, f"{what}.", said, "gone", gone.source)


def _left(gone: Gone) -> Point:
    """The one row that left, by name."""
    what = _("%(who)s left %(where)s", who=full(gone.names[0]), where=shown(gone.title))
    where = shown(gone.title, 20)
    short = fit(gone.names[0], lambda who: _("%(who)s left %(where)s", who=who, where=where))
    said = _("The source lists it no more.")
    return Point(short, what, said, f"{what}.", said, "gone", gone.source)


def _rows_left(rows: int, count: str, where: str) -> str:
    return ngettext("%(count)s row left %(where)s", "%(count)s rows left %(where)s", rows, count=count, where=where)


def new_measures(edition: Edition) -> Iterator[Point]:
    told = {board.source for board in edition.boards if board.leader == "not_comparable"}
    for note in edition.method:
        if note.kind in ("benchmark_added", "benchmark_removed") and note.source not in told:
            yield _added_or_dropped(note)


def _added_or_dropped(note: MethodNote) -> Point:
    about = {"source": shown(note.title, 24), "benchmark": benchmark_name(note.benchmark)}
    count = in_words(note.rows)
    if note.kind == "benchmark_added":
        what = _("%(source)s added %(benchmark)s", **about)
        rows = ngettext("%(count)s row has it.", "%(count)s rows have it.", note.rows, count=count)
    else:
        what = _("%(source)s dropped %(benchmark)s", **about)
        rows = ngettext("%(count)s row had it.", "%(count)s rows had it.", note.rows, count=count)
    short = clip(what, SUBJECT_ROOM)
    return Point(short, what, method_sentence(note), f"{what}.", capital(rows), "method", note.source)
