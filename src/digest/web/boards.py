"""Leaderboards: each source's newest ranking, in an order that a visitor chooses by a link.

What is shown is computed from the newest captures and kept in memory until there are newer ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from itertools import pairwise
from threading import Lock
from typing import Annotated, Literal, NamedTuple, get_args
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Engine
from starlette.exceptions import HTTPException

from digest.changes.noise import apart, basis
from digest.changes.ranking import Standing, leaderboard
from digest.database import reading
from digest.edition.facts import Figure
from digest.edition.naming import proof_of, shown_name
from digest.edition.numbers import title, variant
from digest.edition.section_facts import Board, Place
from digest.edition.wording import Band, bands
from digest.language import N_, _
from digest.rendering.email import Axis, axis_of, bar_of
from digest.scores import store as scores
from digest.scores.catalog import packaged_catalog, resolve
from digest.scores.snapshot import Capture, Snapshot
from digest.web.conditional import conditional
from digest.web.pages import LOOK, Here, Site
from digest.weekly.calendar import Week

Sort = Literal["place", "model", "maker"]
_HEADS: Mapping[Sort, str] = {"place": N_("Place"), "model": N_("Model"), "maker": N_("Maker")}
_TOP = 10
_KEPT_BOARDS = 200

router = APIRouter()


# The newest captures


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Newest:
    """The newest believed captures and snapshots by source, `week` that of the newest of them, and boards made of them
    by (source, benchmark), of which a bounded number is kept."""

    captures: Mapping[str, Capture]
    week: Week
    snapshots: Mapping[str, Snapshot]
    standings: Callable[[str, str], tuple[Standing, ...]]


_newest: WeakKeyDictionary[Engine, Newest] = WeakKeyDictionary()
_loading = Lock()


def newest(site: Site) -> Newest | None:
    """What the newest captures say; None where there is no capture yet. They are read once, by one visitor."""
    with reading(site.engine) as connection:
        until = Week.now(site.clock(), site.settings.series.zone).ends
        found = {name: scores.newest_capture(connection, name, until) for name in site.settings.enabled_sources}
        captures = {name: capture for name, capture in found.items() if capture is not None}
        if not captures:
            return None
        with _loading:
            known = _newest.get(site.engine)
            if known is None or known.captures != captures:
                snapshots = {name: scores.load_snapshot(connection, capture) for name, capture in captures.items()}
                known = _newest[site.engine] = _of(captures, snapshots)
    return known


def _of(captures: Mapping[str, Capture], snapshots: Mapping[str, Snapshot]) -> Newest:
    @lru_cache(_KEPT_BOARDS)
    def standings(source: str, benchmark: str) -> tuple[Standing, ...]:
        return leaderboard(snapshots[source], benchmark)

    week = Week.of(max(capture.on for capture in captures.values()))
    return Newest(captures, week, snapshots, standings)


def revalidated(request: Request, page: Response) -> Response:
    """A page that a client may keep for a while, with its tag, or 304 for who has it."""
    answer = conditional(request, bytes(page.body), page.headers["Content-Type"])
    for name in ("Content-Security-Policy", "Content-Language", "Vary"):
        answer.headers[name] = page.headers[name]
    return answer


# Boards


def benchmark_named(snapshot: Snapshot, category: str | None) -> str | None:
    """The benchmark that ranks a source, or the one of that name, whatever its case; a category before a benchmark."""
    if category is None:
        return snapshot.lead
    names = {name.removeprefix("category:").casefold(): name for name in reversed(list(snapshot.benchmarks))}
    return names.get(category.casefold().removeprefix("category:"))


def chosen_boards(site: Site, known: Newest, source: str | None, category: str | None) -> list[tuple[str, str]]:
    """(source, benchmark) of the boards that are asked for. A board without a ranked row is none."""
    boards = [
        (name, benchmark)
        for name, snapshot in known.snapshots.items()
        if source in (None, name) and (benchmark := benchmark_named(snapshot, category)) is not None
    ]
    return [board for board in boards if board[0] in site.settings.sources and known.standings(*board)]


class Bar(NamedTuple):
    """An interval on the axis, in per cent of its length: where it begins, how long it is, where the figure stands."""

    start: str
    width: str
    point: str


class Line(NamedTuple):
    """A row of the table."""

    place: Place
    maker: str
    bar: Bar | None


class Head(NamedTuple):
    """A column's head: where a click on it leads, and how the table is sorted by it now."""

    label: str
    address: str
    sorted: Literal["ascending", "descending"] | None


class Group(NamedTuple):
    """Neighbouring rows under one label, which is empty where there is nothing to say of them together."""

    label: str
    first: bool
    lines: tuple[Line, ...]


class Leading(NamedTuple):
    """Who is first in a category, alone or tied, with the figure."""

    title: str
    benchmark: str
    address: str
    first: Place
    tied: int
    unit: str


class View(NamedTuple):
    """A board as a page shows it."""

    board: Board
    axis: Axis | None
    heads: tuple[Head, ...]
    groups: tuple[Group, ...]
    leading: tuple[Leading, ...]
    self_reported: bool
    whole: str
    """The address of all of its rows; empty where they are all here."""


def board_of(site: Site, known: Newest, source: str, benchmark: str, most: int | None = None) -> Board:
    """The first `most` rows of a ranking, or all. It says nothing of the weeks before."""
    snapshot, standings = known.snapshots[source], known.standings(source, benchmark)
    about = snapshot.benchmarks[benchmark]
    tied = {it.key for pair in pairwise(standings) if not apart(pair[0].score, pair[1].score, about) for it in pair}
    return Board(
        source=source,
        title=site.settings.sources[source].title,
        benchmark=about.title or about.name,
        unit=about.unit,
        higher_is_better=about.higher_is_better,
        uncertainty=basis(standings[0].score, standings[0].score, about).value,
        margin=about.margin,
        leader="first_capture",
        previous_leader=None,
        change=None,
        places=tuple(_place(snapshot, standing, standing.key in tied) for standing in standings[:most]),
        ranked=len(standings),
        unranked=len(snapshot.rows) - len(standings),
        current=proof_of(snapshot.capture),
        previous=None,
    )


def _place(snapshot: Snapshot, standing: Standing, tied: bool) -> Place:
    score = standing.score
    return Place(
        name=shown_name(resolve(snapshot.rows[standing.key].raw)),
        rank=standing.rank,
        band=standing.band,
        tied=tied,
        score=Figure(value=score.value, rank=standing.rank, low=score.low, high=score.high),
        previous=None,
        movement=None,
    )


def _maker(place: Place) -> str:
    about = packaged_catalog().models.get(place.name.model)
    return (about.organisation if about else None) or ""


def _bar(place: Place, board: Board, axis: Axis | None) -> Bar | None:
    """The cells of a bar as lengths from the axis's start."""
    at, start, point = Decimal(0), None, None
    for kind, width in bar_of(place, board, axis) if axis else ():
        if kind == "point":
            point = at
            start = at if start is None else start
            continue
        if kind == "half" and start is None:
            start = at
        if kind == "blank" and point is not None:
            break
        at += Decimal(width.removesuffix("%"))
    return None if start is None or point is None else Bar(f"{start:f}", f"{at - start:f}", f"{point:f}")


def _sorted(lines: list[Line], sort: Sort, *, down: bool) -> list[Line]:
    """By the chosen column; what is equal there stays in the order of places. A maker who is not known comes last."""
    if sort == "place":
        return lines[::-1] if down else lines
    if sort == "model":
        return sorted(
            lines, key=lambda it: (title(it.place.name).casefold(), variant(it.place.name).casefold()), reverse=down
        )
    named = sorted((it for it in lines if it.maker), key=lambda it: it.maker.casefold(), reverse=down)
    return [*named, *(it for it in lines if not it.maker)]


def view(site: Site, known: Newest, source: str, benchmark: str, sort: Sort, *, down: bool, most: int | None) -> View:
    """A board with its bars, its tie bands where it stands in the order of places, and the links that sort it."""
    board = board_of(site, known, source, benchmark, most)
    axis = axis_of(board)
    snapshot = known.snapshots[source]
    lines = {id(place): Line(place, _maker(place), _bar(place, board, axis)) for place in board.places}
    if sort == "place" and not down:
        groups = [_group(band, [lines[id(place)] for place in band.places]) for band in bands(board)]
    else:
        groups = [Group("", False, tuple(_sorted(list(lines.values()), sort, down=down)))]
    category = None if benchmark == snapshot.lead else benchmark.removeprefix("category:")
    whole = most is not None and len(lines) < board.ranked
    return View(
        board=board,
        axis=axis,
        heads=tuple(_head(site, source, category, one, sort if not most else "place", down) for one in get_args(Sort)),
        groups=tuple(groups),
        leading=_leading(site, known, source),
        self_reported=snapshot.benchmarks[benchmark].self_reported,
        whole=address(site, source, category) if whole else "",
    )


def _group(band: Band, lines: list[Line]) -> Group:
    return Group(band.label, band.first and bool(band.label), tuple(lines))


def _head(site: Site, source: str, category: str | None, one: Sort, sort: Sort, down: bool) -> Head:
    """A click on the column that the table is sorted by turns it round."""
    now: Literal["ascending", "descending"] = "descending" if down else "ascending"
    turned = one == sort and not down
    return Head(
        _(_HEADS[one]),
        address(site, source, category, sort=one, dir="desc" if turned else "asc"),
        now if one == sort else None,
    )


def address(site: Site, source: str, category: str | None, **order: str) -> str:
    """The address of a board; the order of places is said by saying nothing."""
    asked = {"source": source, **({"category": category} if category else {})}
    if order and order != {"sort": "place", "dir": "asc"}:
        asked |= order
    return f"{site.root}/leaderboard?{urlencode(asked)}"


def _leading(site: Site, known: Newest, source: str) -> tuple[Leading, ...]:
    """Who leads on each of a source's aggregates other than the one that ranks it."""
    snapshot, found = known.snapshots[source], []
    for name, about in snapshot.benchmarks.items():
        if not about.inputs or name == snapshot.lead or not (standings := known.standings(source, name)):
            continue
        tied = sum(standing.band == standings[0].band for standing in standings)
        category = name.removeprefix("category:")
        found.append(
            Leading(
                about.title or category,
                name,
                address(site, source, category),
                _place(snapshot, standings[0], tied > 1),
                tied,
                about.unit,
            )
        )
    return tuple(found)


# The page


@router.api_route("/leaderboard", methods=LOOK)
def show(
    request: Request,
    site: Here,
    source: Annotated[str | None, Query(max_length=100)] = None,
    category: Annotated[str | None, Query(max_length=200)] = None,
    sort: str = "place",
    dir: str = "asc",
) -> Response:
    """All boards by their first rows, or one whole. An order that is not known is the order of places."""
    known = newest(site)
    if known is None:
        return site.page("leaderboard.html", path="/leaderboard", views=(), one=False)
    boards = chosen_boards(site, known, source, category)
    if not boards and (source is not None or category is not None):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    by: Sort = sort if sort in get_args(Sort) else "place"  # type: ignore[assignment]
    most, down = (None, dir == "desc") if source else (_TOP, False)
    views = [view(site, known, *board, by if source else "place", down=down, most=most) for board in boards]
    asked = urlencode({name: value for name, value in {"source": source, "category": category}.items() if value})
    path = f"/leaderboard?{asked}" if asked else "/leaderboard"
    return revalidated(request, site.page("leaderboard.html", path=path, views=views, one=source is not None))
