"""What an edition says first: its subject, preheader, headline and "In brief".

All are read off one list of points, each of which stands for a section and is worth what the weightiest story there is
(stories.py).
"""

from collections.abc import Collection, Iterator
from math import ceil

from digest.edition.content import Board, Edition, Fact
from digest.edition.health_words import by_trouble, checked_rows, sources_fresh, trouble
from digest.edition.numbers import capital, clip, counted, listed, several, shown
from digest.edition.points import (
    SUBJECT_ROOM,
    TOP,
    Point,
    arrivals,
    departures,
    leaders,
    moves,
    new_measures,
    remade,
    revisions,
    still_first,
)
from digest.edition.price_points import corrections, disagreements, offers_disputed, other_prices, price_changes
from digest.edition.stories import MATERIAL
from digest.edition.wording import dates, document_title

PREHEADER_ROOM = 85
_WORDS_A_MINUTE = 230
_WORDS_A_ROW = 12
_OFF_THE_PAGE = ("stories", "standings", "receipts", "side_by_side", "criteria", "leaders", "others")


def subject(edition: Edition) -> str:
    """At most 50 characters, the fact first, and never the subject of the edition before."""
    last = (edition.last_subject or "").casefold()
    other = (line for line in _subjects(edition) if line.casefold() != last)
    return next(other, clip(document_title(edition), SUBJECT_ROOM))


def _subjects(edition: Edition) -> Iterator[str]:
    """The first point with the next one that fits beside it, then alone, then with the week's number."""
    first, *others = points(edition)
    both = (f"{first.short} · {other.short}" for other in others)
    yield from (line for line in both if len(line) <= SUBJECT_ROOM)
    yield clip(first.short, SUBJECT_ROOM)
    week = f" · week {int(edition.week.partition('-W')[2])}"
    yield clip(first.short.partition(" · ")[0], SUBJECT_ROOM - len(week)) + week


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


def reading_time(edition: Edition) -> str:
    """`3 min read`: the words of the opening, and a dozen for each row below it."""
    said = [headline(edition), lead(edition), *(f"{point.brief} {point.detail}" for point in in_brief(edition))]
    words = sum(len(sentence.split()) for sentence in said) + _WORDS_A_ROW * _rows(edition)
    return f"{max(1, ceil(words / _WORDS_A_MINUTE))} min read"


def _rows(value: object) -> int:
    """The facts that stand in a list, at any depth; what is not on the page is no row."""
    if isinstance(value, Fact):
        return sum(_rows(getattr(value, name)) for name in type(value).model_fields if name not in _OFF_THE_PAGE)
    return sum(1 + _rows(item) for item in value if isinstance(item, Fact)) if isinstance(value, tuple) else 0


def points(edition: Edition) -> list[Point]:
    """What the edition has to tell, most important first; never empty."""
    tops = [*leaders(edition), *remade(edition)]
    news = [
        *tops,
        *revisions(edition),
        *arrivals(edition),
        *moves(edition),
        *price_changes(edition),
        *disagreements(edition),
        *departures(edition),
        *other_prices(edition),
        *new_measures(edition),
        *corrections(edition),
    ]
    worth: dict[tuple[str, str], int] = {}
    for story in edition.stories:
        worth[story.section, story.source] = max(story.value, worth.get((story.section, story.source), 0))
    news.sort(key=lambda point: -worth.get((point.section, point.source), 0))
    disputed = list(offers_disputed(edition))
    read = any(source.was_read for source in edition.health)
    opening = list(_quiet(edition) if news or (disputed and read) else _nothing(edition))
    if tops or _moves_the_boards(edition):
        opening = []
    states = ("failed", "quarantined") if news else ("failed", "quarantined", "stale")
    return [*opening, *news, *_troubles(edition, states), *disputed]


def _moves_the_boards(edition: Edition) -> bool:
    """Whether a story of weight is about a board, so that the edition does not begin with what stayed the same."""
    on_boards = ("movers", "arrivals", "method")
    return any(story.value >= MATERIAL and story.section in on_boards for story in edition.stories)


def _quiet(edition: Edition) -> Iterator[Point]:
    """That the tops stand as they stood, said only of boards that were read and had a week before; else, in a quiet
    week, that nothing of weight changed."""
    read = [health for health in edition.health if health.was_read]
    sources = {health.source for health in read}
    boards = [it for it in edition.boards if it.source in sources and it.places and it.leader == "unchanged"]
    if boards and all(place.movement == "same" for board in boards for place in board.places):
        top = min(max(board.ranked for board in boards), *map(_steady, boards))
        where = listed([shown(board.title) for board in boards])
        rows = (
            f"the first {several(top, 'row', words=True)} keep their rank" if top > 1 else "the first row stays first"
        )
        still = still_first(boards[0])
        what = f"No change in the top {top}" if top > 1 else "No change at the top"
        short = f"No top-{top} change" if top > 1 else what
        yield Point(short, what, f"On {where} {rows}. {still}", f"{what}.", still)
    elif edition.quiet:
        said = f"We checked {checked_rows(read)} against the week before."
        where = shown(read[0].title, 24) if len(read) == 1 else several(len(read), "source", words=True)
        what = f"Nothing of weight changed on {where}"
        yield Point("A quiet week", what, said, f"{what}.", said)


def _steady(board: Board) -> int:
    """How many rows from the top stand where they stood; ten are enough, and where all rows do there are as many."""
    steady = len(board.places) if board.steady is None else board.steady
    return min(steady, TOP) if steady < board.ranked else TOP


def _nothing(edition: Edition) -> Iterator[Point]:
    """The one thing to say when there is no news: what was read and stayed the same, or that nothing could be read."""
    same = [health for health in edition.health if health.was_read and health.status != "new"]
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
        states = {health.status for health in edition.health}
        failed, unread = states & {"failed", "quarantined"}, states & {"fresh", "unchanged"}
        what = "No source could be read this week" if failed else "No source said anything new this week"
        what = "No source was read this week" if unread and not failed else what
        said = "That does not say nothing changed; it says we do not know."
        yield Point(what, what, said, f"{what}.", said)


def _troubles(edition: Edition, states: Collection[str]) -> Iterator[Point]:
    for health in by_trouble(edition):
        if health.status in states:
            what, said = trouble(health)
            yield Point(clip(what, SUBJECT_ROOM), what, said, f"{what}.", said)
