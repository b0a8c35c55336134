"""What folds away first where a mail would be too long: rows from the bottom of a list, the movers' before all. Pure.

Nobody knows how long a mail is before it is rendered. So this only says which edition is the next shorter one; whoever
renders measures, and takes the first that fits. A row that folds away is counted by its section, as are those that the
edition never listed.
"""

from collections.abc import Callable, Iterator
from functools import partial

from digest.edition.content import Edition
from digest.edition.section_facts import Board

_ROWS = {"movers": "movers", "prices": "priced", "arrivals": "models", "gone": "names", "boards": "places"}
"""The sections with a list for each source, and the field that its rows are in."""

_ORDER = ("movers", "prices", "arrivals", "gone", "disagreements", "corrections", "renamed", "method")
_SOME, _ONE = 3, 1
_PODIUM = 3  # rows of a board: two are told beside each other, and one says what comes below them


def shorter(edition: Edition) -> Iterator[Edition]:
    """Ever shorter editions, each of one row or one part less than the one before; ends with the shortest.

    Every list goes down to three rows, the longest of a section first, then boards go down to their first band, then
    boards to three rows and lists to one. What is too much even then goes as a whole: side by side, picks, lists, those
    of the last source first, and all boards but the first. The rest stays, and so does a row of corrections and of what
    is measured otherwise.
    """
    for step in _STEPS:
        while (less := step(edition)) is not None:
            edition = less
            yield edition


def rows_of(edition: Edition) -> int:
    """How many rows an edition lists; each pick is one, and so is the side by side."""
    lists = (getattr(part, rows) for section, rows in _ROWS.items() for part in getattr(edition, section))
    shared = (getattr(edition, section) for section in _ORDER if section not in _ROWS)
    return sum(map(len, (*lists, *shared, edition.picks))) + (edition.side_by_side is not None)


def _a_row_less(edition: Edition, section: str, least: int) -> Edition | None:
    """Without the last row of the section's longest list, the last of several; None where none is longer than that."""
    if section not in _ROWS:
        rows, folded = getattr(edition, section), f"{section}_folded"
        less = {section: rows[:-1], folded: getattr(edition, folded) + 1}
        return edition.model_copy(update=less) if len(rows) > least else None
    parts, field = getattr(edition, section), _ROWS[section]
    at = max(range(len(parts)), key=lambda at: (len(getattr(parts[at], field)), at), default=None)
    if at is None or len(rows := getattr(parts[at], field)) <= least:
        return None
    cut = parts[at].model_copy(update={field: rows[:-1], "folded": parts[at].folded + 1})
    return edition.model_copy(update={section: (*parts[:at], cut, *parts[at + 1 :])})


def _a_place_less(edition: Edition, least: Callable[[Board], int]) -> Edition | None:
    """Without the last row of the longest board, the last of several; None where none may lose one."""
    boards = edition.boards
    long = [at for at, board in enumerate(boards) if len(board.places) > max(least(board), _PODIUM)]
    if not long:
        return None
    at = max(long, key=lambda at: (len(boards[at].places), at))
    cut = boards[at].model_copy(update={"places": boards[at].places[:-1]})
    return edition.model_copy(update={"boards": (*boards[:at], cut, *boards[at + 1 :])})


def _first_band(board: Board) -> int:
    return sum(place.band == board.places[0].band for place in board.places)


def _a_part_less(edition: Edition, section: str, least: int = 0) -> Edition | None:
    """Without the last of the section's parts."""
    parts = getattr(edition, section)
    return edition.model_copy(update={section: parts[:-1]}) if len(parts) > least else None


def _without(edition: Edition, section: str, nothing: object) -> Edition | None:
    return edition.model_copy(update={section: nothing}) if getattr(edition, section) else None


_STEPS: tuple[Callable[[Edition], Edition | None], ...] = (
    *(partial(_a_row_less, section=section, least=_SOME) for section in _ORDER),
    partial(_a_place_less, least=_first_band),
    partial(_a_place_less, least=lambda _board: _PODIUM),
    *(partial(_a_row_less, section=section, least=_ONE) for section in _ORDER),
    partial(_without, section="side_by_side", nothing=None),
    partial(_without, section="picks", nothing=()),
    *(partial(_a_part_less, section=section) for section in ("movers", "prices", "arrivals", "gone")),
    *(partial(_a_row_less, section=section, least=0) for section in ("disagreements", "renamed")),
    partial(_a_part_less, section="boards", least=1),
)
