"""What an edition says first: its subject, preheader, headline and "In brief".

A `Point` is one thing worth telling; `points` puts them in order. Everything here is read off that one list, which is
why subject, headline and "In brief" cannot contradict each other.
"""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from digest.edition.content import Board, Edition, MethodNote, Name, Place, Priced, PriceList
from digest.edition.numbers import (
    benchmark_name,
    capital,
    clip,
    counted,
    day,
    full,
    gap,
    less_or_more,
    listed,
    score,
    several,
    shown,
    title,
)
from digest.edition.wording import (
    arrivals_sentence,
    by_trouble,
    checked_rows,
    dates,
    disagreement_sentence,
    doubt,
    health_sentences,
    measure,
    method_sentence,
    of_an_offer,
    price_sentence,
    rank_words,
    remade_sentence,
    sources_fresh,
    top_score,
    top_two,
)

SUBJECT_ROOM = 50
PREHEADER_ROOM = 85


class Point(NamedTuple):
    """One thing worth telling, from a few words for the subject to two sentences for the page."""

    short: str
    headline: str
    lead: str
    brief: str
    detail: str


def subject(edition: Edition) -> str:
    """At most 50 characters: the first point, and the next one that still fits."""
    first, *others = points(edition)
    both = (f"{first.short} · {other.short}" for other in others)
    return clip(next((line for line in both if len(line) <= SUBJECT_ROOM), first.short), SUBJECT_ROOM)


def preheader(edition: Edition) -> str:
    """At most 85 characters: facts that the subject does not hold, else what was compared with what."""
    taken = subject(edition)
    line = ""
    for point in points(edition)[1:]:
        longer = f"{line} {point.brief}".strip()
        if point.short not in taken and len(longer) <= PREHEADER_ROOM:
            line = longer
    return line or clip(f"{capital(sources_fresh(edition))}. {dates(edition)}.", PREHEADER_ROOM)


def headline(edition: Edition) -> str:
    return points(edition)[0].headline


def lead(edition: Edition) -> str:
    return points(edition)[0].lead


def in_brief(edition: Edition) -> list[Point]:
    """At most three points beside the one that the headline tells."""
    return points(edition)[1:4]


def points(edition: Edition) -> list[Point]:
    """What the edition has to tell, most important first; never empty."""
    leaders = [*_leaders(edition), *_remade(edition)]
    news = [
        *leaders,
        *_revisions(edition),
        *_arrivals(edition),
        *_moves(edition),
        *_price_changes(edition),
        *_disagreements(edition),
        *_departures(edition),
        *_other_prices(edition),
        *_new_measures(edition),
        *_offers_disputed(edition),
    ]
    opening = [] if leaders else list(_quiet(edition) if news else _nothing(edition))
    return [
        *opening,
        *news,
        *_troubles(edition, ("failed", "quarantined") if news else ("failed", "quarantined", "stale")),
    ]


def _leaders(edition: Edition) -> Iterator[Point]:
    changed = [board for board in edition.boards if board.places and board.leader in ("new_leader", "new_but_tied")]
    for tie in (False, True):
        for board in changed:
            if (board.leader == "new_but_tied" or board.places[0].tied) is tie:
                yield (_tie if tie else _lead)(board, len(edition.boards) > 1)


def _lead(board: Board, one_of_many: bool) -> Point:
    who, ahead, runner_up = top_two(board)
    by = f" by {ahead}" if ahead else ""
    where = f" on {shown(board.title, 20)}" if one_of_many else ""
    long = f"{who} takes #1{where}{by}"
    beyond = f" beyond {doubt(board)}" if board.uncertainty != "none" else ""
    against = f"{ahead} ahead of {runner_up},{beyond}" if beyond else f"{ahead} ahead of {runner_up}"
    before = f" {full(board.previous_leader)} was first before." if board.previous_leader else ""
    return Point(
        short=long if len(long) <= SUBJECT_ROOM else _fit(board.places[0].name, f" takes #1{by}"),
        headline=f"{who} takes first place on {shown(board.title)}",
        lead=f"Its {top_score(board)} on {measure(board)} is {against if ahead else 'the only score'}.{before}",
        brief=f"{who} takes first place on {shown(board.title)}.",
        detail=f"{_scores(board.places[:3], board)}.",
    )


def _tie(board: Board, one_of_many: bool) -> Point:
    who, ahead, runner_up = top_two(board)
    long = f"{who} ties for #1 on {shown(board.title, 20)}"
    inside = f"{ahead} ahead of {runner_up} is inside {doubt(board)}" if ahead else f"{runner_up} has the same score"
    tied = [place for place in board.places if place.band == board.places[0].band]
    return Point(
        short=long if one_of_many and len(long) <= SUBJECT_ROOM else _fit(board.places[0].name, " ties for #1"),
        headline=f"{who} ties for first on {shown(board.title)}",
        lead=f"Its {top_score(board)} stands at the top of {measure(board)}, but {inside}.",
        brief=f"The top of {shown(board.title)} is a tie.",
        detail=f"{_scores(tied[:4], board, len(tied[4:]))}: no difference beyond {doubt(board)}.",
    )


def _scores(places: Sequence[Place], board: Board, more: int = 0) -> str:
    return listed([f"{full(place.name)} {score(place.score.value, board.unit)}" for place in places], more)


def _fit(name: Name | str, rest: str) -> str:
    """Who and what in the subject's room: with the variant where that fits, else as much of the title as does."""
    if isinstance(name, Name):
        name = full(name) if len(full(name)) <= SUBJECT_ROOM - len(rest) else title(name)
    return clip(name, SUBJECT_ROOM - len(rest)) + rest


def _remade(edition: Edition) -> Iterator[Point]:
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
            )


def _revisions(edition: Edition) -> Iterator[Point]:
    told = {board.source for board in edition.boards if board.leader == "not_comparable"}
    for note in edition.method:
        if note.kind in ("benchmark_revised", "scale_shifted") and note.source not in told:
            if note.kind == "scale_shifted":
                what = f"{shown(note.title, 24)} moved its whole scale"
                said = method_sentence(note)
                yield Point(_fit(what, _no_model(note)), what, said, f"{what}.", said)
                continue
            moved = f"{benchmark_name(note.benchmark)} score"
            yield Point(
                short=_fit(several(note.rows, moved), f" moved{_no_model(note)}"),
                headline=f"{shown(note.title)} changed how it measures",
                lead=method_sentence(note),
                brief=f"{capital(several(note.rows, moved, words=True))} moved{_no_model(note)}.",
                detail=f"{shown(note.title)} makes it up differently now.",
            )


def _no_model(note: MethodNote) -> str:
    """Said only where no score of that source moved for a reason of a model's own."""
    return "" if note.models_moved else "; no model did"


def _arrivals(edition: Edition) -> Iterator[Point]:
    told = ("new_leader", "new_but_tied")
    leading = {
        board.source
        for board in edition.boards
        if board.leader in told and board.places and board.places[0].movement == "new"
    }
    for arrivals in edition.arrivals:
        rest = arrivals.rows - 1 if arrivals.source in leading else arrivals.rows
        more = "more new entries" if rest < arrivals.rows else "new entries"
        short = f"{counted(rest)} {more if rest != 1 else more.replace('entries', 'entry')}"
        place = f" on {shown(arrivals.title, 20)}" if len(edition.arrivals) > 1 else ""
        best = [
            f"{full(new.name)} {_rank_and_score(new.rank, new.tied, new.value, arrivals.unit)}"
            for new in arrivals.models[:3]
        ]
        if rest:  # the only new row is otherwise the one that is told as the new first
            yield Point(
                short=short + place,
                headline=f"{capital(arrivals_sentence(arrivals))[:-1]}",
                lead=f"{listed(best, len(arrivals.models[3:]) + arrivals.folded)}.",
                brief=arrivals_sentence(arrivals),
                detail=f"{listed(best, len(arrivals.models[3:]) + arrivals.folded)}.",
            )


def _rank_and_score(rank: int | None, tied: bool, value: Decimal | None, unit: str) -> str:
    return f"{score(value, unit)} ({rank_words(rank, tied)})" if value is not None else f"({rank_words(rank, tied)})"


def _moves(edition: Edition) -> Iterator[Point]:
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
                short=_fit(mover.name, f" {way} {gap(after - before, board.unit)}"),
                headline=f"{who} is {way} {gap(after - before, board.unit)} on {shown(board.title)}",
                lead=f"{figures}{direction}.{others}",
                brief=f"{who} is {way} {gap(after - before, board.unit)}.",
                detail=f"{figures}{direction}.{others}",
            )


def _price_changes(edition: Edition) -> Iterator[Point]:
    for prices in edition.prices:
        changed = [priced for priced in prices.priced if priced.what == "changed"]
        if changed:
            yield _price_point(prices, changed[0], _how_changed(changed[0]))


def _other_prices(edition: Edition) -> Iterator[Point]:
    """The first price entry of a list in which no price changed."""
    for prices in edition.prices:
        if prices.priced and not any(priced.what == "changed" for priced in prices.priced):
            first = prices.priced[0]
            news = {"new": "is priced", "withdrawn": "loses a price", "filled_in": "has a price filled in"}
            yield _price_point(prices, first, news.get(first.what, "has a new price"))


def _price_point(prices: PriceList, priced: Priced, news: str) -> Point:
    who = full(priced.name)
    more = len(prices.priced) - 1 + prices.folded
    others = f", and {several(more, 'more entry')}" if more else ""
    said = f"{price_sentence(priced)} Source: {shown(prices.title)}, {day(prices.on)}{others}."
    if priced.what == "changed" and any(figure.measure != "context" for figure in priced.figures):
        said += " The source does not say whether it is a cut, a rise or a fix."
    return Point(_fit(priced.name, f" {news}"), f"{who} {news}", said, f"{who} {news}.", said)


def _how_changed(priced: Priced) -> str:
    """`at half price` or `costs 25% less` when that is true of every changed price, else `has new prices`."""
    ways = {
        less_or_more(money.before, money.after)
        for money in priced.figures
        if money.measure != "context" and money.before is not None and money.after is not None
    }
    way = ways.pop() if len(ways) == 1 else ""
    if not any(money.measure != "context" for money in priced.figures):
        return "has another context window"
    if all(money.measure == "run_cost" for money in priced.figures) and way:
        return "costs half to run" if way == "half" else f"costs {way} to run"
    return "at half price" if way == "half" else f"costs {way}" if way else "has a new price"


def _disagreements(edition: Edition) -> Iterator[Point]:
    """The first disagreement, where it is about a score: those come before prices and sizes."""
    for disagreement in edition.disagreements[:1]:
        if of_an_offer(disagreement):
            return
        who, said = full(disagreement.name), disagreement_sentence(disagreement)
        more = len(edition.disagreements) + edition.disagreements_folded - 1
        others = f" {capital(several(more, 'more disagreement', words=True))}." if more else ""
        yield Point(
            short=_fit(disagreement.name, ": two sources disagree"),
            headline=f"Two sources disagree on {who}",
            lead=f"{said}{others}",
            brief=f"Two sources disagree on {who}.",
            detail=f"{said}{others}",
        )


def _offers_disputed(edition: Edition) -> Iterator[Point]:
    """Two lists that differ on prices and sizes, in one line."""
    for disagreement in edition.disagreements[:1]:
        if of_an_offer(disagreement):
            one, other = (shown(said.title, 24) for said in disagreement.said)
            count = len(edition.disagreements) + edition.disagreements_folded
            what = f"Sources differ on {several(count, 'listed figure', words=True)}"
            detail = f"The widest gap: {disagreement_sentence(disagreement)}"
            yield Point(f"{one} and {other} disagree", what, detail, f"{what}.", detail)


def _departures(edition: Edition) -> Iterator[Point]:
    for gone in edition.gone:
        rows = len(gone.names) + gone.folded
        if rows:
            what = f"{several(rows, 'row', words=True)} left {shown(gone.title)}"
            names = f"{listed([full(name) for name in gone.names[:3]], rows - len(gone.names[:3]))}."
            yield Point(
                f"{several(rows, 'row')} left {shown(gone.title, 30)}", capital(what), names, f"{capital(what)}.", names
            )


def _new_measures(edition: Edition) -> Iterator[Point]:
    told = {board.source for board in edition.boards if board.leader == "not_comparable"}
    for note in edition.method:
        if note.kind in ("benchmark_added", "benchmark_removed") and note.source not in told:
            verb = "added" if note.kind == "benchmark_added" else "dropped"
            what = f"{shown(note.title, 24)} {verb} {benchmark_name(note.benchmark)}"
            rows = f"{capital(several(note.rows, 'row', words=True))}"
            detail = f"{rows} {'had it' if verb == 'dropped' else 'have it'}."
            yield Point(clip(what, SUBJECT_ROOM), what, method_sentence(note), f"{what}.", detail)


def _quiet(edition: Edition) -> Iterator[Point]:
    """That the tops stand as they stood; said only of boards that were read and had a week before."""
    read = {health.source for health in edition.health if health.status in ("fresh", "unchanged")}
    boards = [
        board for board in edition.boards if board.source in read and board.places and board.leader == "unchanged"
    ]
    if boards and all(place.movement == "same" for board in boards for place in board.places):
        what = f"change in the top {max(len(board.places) for board in boards)}"
        where = listed([shown(board.title) for board in boards])
        still = f"First on {shown(boards[0].title)} is still {full(boards[0].places[0].name)}, {top_score(boards[0])}."
        yield Point(
            short=f"No top-{max(len(board.places) for board in boards)} change",
            headline=f"No {what}",
            lead=f"On {where} every row shown keeps its rank. {still}",
            brief=f"No {what}.",
            detail=still,
        )


def _nothing(edition: Edition) -> Iterator[Point]:
    """The one thing to say when there is no news: what was read and stayed the same, or that nothing could be read."""
    same = [health for health in edition.health if health.status in ("fresh", "unchanged")]
    first = [health for health in edition.health if health.status == "new"]
    if same:
        where = shown(same[0].title, 24) if len(same) == 1 else f"{counted(len(same))} sources"
        noisy = sum(board.within_noise for board in edition.movers)
        unchanged = all(health.status == "unchanged" for health in same)
        nothing = "Nothing changed" if unchanged else "Nothing beyond noise" if noisy else "No news"
        what = f"{nothing} on {where}"
        checked = f"{checked_rows(same)} checked"
        noise = f" {capital(several(noisy, 'score', words=True))} moved within noise." if noisy else ""
        said = f"We checked {checked_rows(same)} against the week before.{noise}"
        yield Point(f"{what} · {checked}" if len(what) + len(checked) < 48 else what, what, said, f"{what}.", said)
    elif first:
        where = listed([shown(health.title, 30) for health in first[:3]], len(first[3:]))
        said = "There is no earlier capture to compare with, so nothing in it is news yet."
        yield Point(
            clip(f"A first look at {where}", SUBJECT_ROOM),
            f"A first look at {where}",
            said,
            f"A first look at {where}.",
            said,
        )
    else:
        failed = any(health.status in ("failed", "quarantined") for health in edition.health)
        what = "No source could be read this week" if failed else "No source said anything new this week"
        said = "That does not say nothing changed; it says we do not know."
        yield Point(what, what, said, f"{what}.", said)


def _troubles(edition: Edition, states: Collection[str]) -> Iterator[Point]:
    for health in by_trouble(edition):
        if health.status in states:
            state = {"stale": "is stale", "failed": "could not be read", "quarantined": "is held back"}[health.status]
            said = " ".join(health_sentences(health))
            yield Point(
                _fit(shown(health.title, 40), f" {state}"),
                f"{shown(health.title, 40)} {state}",
                said,
                f"{shown(health.title, 40)} {state}.",
                said,
            )
