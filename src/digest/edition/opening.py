"""What an edition says first: its subject, preheader, headline and "In brief".

All are read off one list of points, each of which stands for a section and is worth what the weightiest story there is
(stories.py).
"""

from collections.abc import Collection, Iterator
from math import ceil

from digest.edition.content import Edition
from digest.edition.facts import Fact
from digest.edition.health_words import by_trouble, checked_rows, sources_fresh, trouble
from digest.edition.numbers import capital, clip, in_words, listed, shown
from digest.edition.overrides import arranged, dropped
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
from digest.edition.section_facts import Board, Health
from digest.edition.stories import MATERIAL
from digest.edition.story_points import as_edited, left_out
from digest.edition.wording import dates, document_title
from digest.language import _, ngettext

PREHEADER_ROOM = 85
_WORDS_A_MINUTE = 230
_WORDS_A_ROW = 12
_OFF_THE_PAGE = (
    *("stories", "standings", "receipts", "side_by_side", "criteria", "leaders", "others"),
    *("edits", "aside"),
)


def subject(edition: Edition) -> str:
    """At most 50 characters, the fact first, and never the subject of the edition before."""
    last = {line.casefold() for line in edition.last_subjects}
    other = (line for line in _subjects(edition) if line.casefold() not in last)
    return next(other, clip(document_title(edition), SUBJECT_ROOM))


def _subjects(edition: Edition) -> Iterator[str]:
    """The first point with the next one that fits beside it, then alone, then with the week's number."""
    first, *others = points(edition)
    both = (f"{first.short} · {other.short}" for other in others)
    yield from (line for line in both if len(line) <= SUBJECT_ROOM)
    yield clip(first.short, SUBJECT_ROOM)
    week = _("week %(number)s", number=int(edition.week.partition("-W")[2]))
    yield f"{clip(first.short.partition(' · ')[0], SUBJECT_ROOM - len(week) - 3)} · {week}"


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
    return _("%(minutes)s min read", minutes=max(1, ceil(words / _WORDS_A_MINUTE)))


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
    news = as_edited(news, edition)
    disputed = list(offers_disputed(edition))
    read = any(source.was_read for source in edition.health)
    opening = list(_quiet(edition) if news or (disputed and read) else _nothing(edition))
    if tops or _moves_the_boards(edition):
        opening = []
    if not news and dropped(edition.edits):
        opening = list(_in_figures(edition))
    states = ("failed", "quarantined") if news else ("failed", "quarantined", "stale")
    told = [*opening, *news, *_troubles(edition, states), *disputed]
    return arranged(told, lambda point: (point.section, point.story), edition.edits)


def _moves_the_boards(edition: Edition) -> bool:
    """Whether a story of weight is about a board, so that the edition does not begin with what stayed the same."""
    on_boards = ("movers", "arrivals", "method")
    return any(story.value >= MATERIAL and story.section in on_boards for story in edition.stories)


def _in_figures(edition: Edition) -> Iterator[Point]:
    """The one thing to say where an editor dropped all news: never that there was none."""
    week = int(edition.week.partition("-W")[2])
    what = _("Week %(number)s in figures", number=week)
    yield Point(what, what, left_out(edition), f"{what}.", left_out(edition))


def _quiet(edition: Edition) -> Iterator[Point]:
    """That the tops stand as they stood, said only of boards that were read and had a week before; else, in a quiet
    week, that nothing of weight changed."""
    read = [health for health in edition.health if health.was_read]
    sources = {health.source for health in read}
    boards = [it for it in edition.boards if it.source in sources and it.places and it.leader == "unchanged"]
    if boards and all(place.movement == "same" for board in boards for place in board.places):
        yield _same_top(boards)
    elif edition.quiet:
        said = _("We checked %(rows)s against the week before.", rows=checked_rows(read))
        what = _("Nothing of weight changed on %(where)s", where=_where(read))
        yield Point(_("A quiet week"), what, said, f"{what}.", said)


def _same_top(boards: list[Board]) -> Point:
    """So many rows stand where they stood on each of the boards."""
    top = min(max(board.ranked for board in boards), *map(_steady, boards))
    where, still = listed([shown(board.title) for board in boards]), still_first(boards[0])
    if top > 1:
        what, short = _("No change in the top %(top)s", top=top), _("No top-%(top)s change", top=top)
        rows = _("On %(where)s the first %(top)s rows keep their rank.", where=where, top=in_words(top))
    else:
        what = short = _("No change at the top")
        rows = _("On %(where)s the first row stays first.", where=where)
    return Point(short, what, f"{rows} {still}", f"{what}.", still)


def _where(read: list[Health], *, words: bool = True) -> str:
    """The one source by its title, several by their number."""
    if len(read) == 1:
        return shown(read[0].title, 24)
    number = {"count": in_words(len(read))} if words else {}
    return ngettext("%(count)s source", "%(count)s sources", len(read), **number)


def _steady(board: Board) -> int:
    """How many rows from the top stand where they stood; ten are enough, and where all rows do there are as many."""
    steady = len(board.places) if board.steady is None else board.steady
    return min(steady, TOP) if steady < board.ranked else TOP


def _nothing(edition: Edition) -> Iterator[Point]:
    """The one thing to say when there is no news: what was read and stayed the same, or that nothing could be read."""
    same = [health for health in edition.health if health.was_read and health.status != "new"]
    first = [health for health in edition.health if health.status == "new"]
    if same:
        yield _same_again(same, sum(board.within_noise for board in edition.movers))
    elif first:
        where = listed([shown(health.title, 30) for health in first[:3]], len(first[3:]))
        what = _("A first look at %(where)s", where=where)
        said = _("There is no earlier capture to compare with, so nothing in it is news yet.")
        yield Point(clip(what, SUBJECT_ROOM), what, said, f"{what}.", said)
    else:
        states = {health.status for health in edition.health}
        if states & {"failed", "quarantined"}:
            what = _("No source could be read this week")
        elif states & {"fresh", "unchanged"}:
            what = _("No source was read this week")
        else:
            what = _("No source said anything new this week")
        said = _("That does not say nothing changed; it says we do not know.")
        yield Point(what, what, said, f"{what}.", said)


def _same_again(same: list[Health], noisy: int) -> Point:
    """Sources that were read and brought nothing new; `noisy` scores moved within noise."""
    where, rows = _where(same, words=False), checked_rows(same)
    if all(health.status == "unchanged" for health in same):
        what = _("Nothing changed on %(where)s", where=where)
    elif noisy:
        what = _("Nothing beyond noise on %(where)s", where=where)
    else:
        what = _("No news on %(where)s", where=where)
    checked = _("%(rows)s checked", rows=rows)
    said = _("We checked %(rows)s against the week before.", rows=rows)
    if noisy:
        count = in_words(noisy)
        moved = ngettext(
            "%(count)s score moved within noise.", "%(count)s scores moved within noise.", noisy, count=count
        )
        said = f"{said} {capital(moved)}"
    return Point(f"{what} · {checked}" if len(what) + len(checked) < 48 else what, what, said, f"{what}.", said)


def _troubles(edition: Edition, states: Collection[str]) -> Iterator[Point]:
    for health in by_trouble(edition):
        if health.status in states:
            what, said = trouble(health)
            yield Point(clip(what, SUBJECT_ROOM), what, said, f"{what}.", said)
