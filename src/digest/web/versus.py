"""Models side by side: a form that asks for them, and a page at one address for each set of them.

An address names models by canonical id, in the order of the alphabet; any other spelling leads there. A name that
cannot stand in a path, such as one with a slash, stands in the query.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, NamedTuple
from urllib.parse import quote, urlencode
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from digest.config.settings import Settings
from digest.edition.compared import benchmarks_of, called, figures
from digest.edition.entrants import Wanted, row_of
from digest.edition.numbers import exact
from digest.edition.versus import versus
from digest.edition.versus_facts import Compared, Matchup, Versus
from digest.errors import DigestError, UsageError
from digest.language import LOCALES, _, pgettext, spoken
from digest.scores.catalog import resolve
from digest.scores.snapshot import Snapshot
from digest.web.boards import Newest, newest, revalidated
from digest.web.pages import LOOK, Here, Site

MOST_MODELS = 3
LONGEST_NAME = 200
_KEPT = 256
_PLACES = ("a", "b", "c")
_HALF, _LONGEST = Decimal(50), Decimal(48)  # of a difference bar's 100: one side, and the longest bar

router = APIRouter()


# One side by side for each set of names, kept as long as its captures are the newest


class Answered(NamedTuple):
    """The names as an address spells them, and the side by side, or why there is none."""

    names: tuple[str, ...]
    found: Versus | DigestError


_answers: WeakKeyDictionary[Newest, Callable[[tuple[str, ...], str], Answered]] = WeakKeyDictionary()


def answer(site: Site, known: Newest, asked: Sequence[str]) -> Answered:
    """The models side by side, in the order of the alphabet. Refusals are kept as well: they cost as much. What is
    kept is kept by the language, too, in which a refusal lists names."""
    kept = _answers.get(known)
    if kept is None:
        kept = _answers[known] = _keeping(known.snapshots, site.settings)
    return kept(tuple(asked), spoken())


def _keeping(snapshots: Mapping[str, Snapshot], settings: Settings) -> Callable[[tuple[str, ...], str], Answered]:
    @lru_cache(_KEPT)
    def answered(asked: tuple[str, ...], _language: str) -> Answered:
        names = tuple(sorted(canonical(name, list(snapshots.values())) for name in asked))
        try:
            return Answered(names, versus(names, snapshots, settings))
        except DigestError as error:
            return Answered(names, error)

    return answered


def canonical(name: str, snapshots: Sequence[Snapshot]) -> str:
    """The canonical id, with the variant where the name states one; the name as it is where no such spelling stands for
    the same rows."""
    text = " ".join(name.split())
    known = resolve(text)
    for spelled in (known.model, "-".join([known.model, *known.variant.values()])):
        other = resolve(spelled)
        alike = other.identity == known.identity and _rows(spelled, snapshots) == _rows(text, snapshots)
        if alike and any(_rows(text, snapshots)):
            return spelled
    return text


def _rows(text: str, snapshots: Sequence[Snapshot]) -> list[str | None]:
    return [row_of(Wanted(text, resolve(text)), snapshot) for snapshot in snapshots]


def address(site: Site, names: Sequence[str]) -> str:
    """Where the side by side of these names is found."""
    if in_query(names):
        return f"{site.root}/versus?{urlencode(dict(zip(_PLACES, names, strict=False)))}"
    return f"{site.root}/versus/{'/'.join(quote(name, safe='') for name in names)}"


def in_query(names: Sequence[str]) -> bool:
    """Whether one of the names cannot be a segment of a path (RFC 3986, sections 3.3 and 5.2.4)."""
    return any("/" in name or "\\" in name or not name.strip(".") for name in names)


# What the page shows beside the facts


class Bar(NamedTuple):
    """The lengths of a benchmark's bars from zero, in per cent of the track, None where one was not measured; and of
    two models the difference as (start, width) of 100, on the better one's side."""

    lengths: tuple[str | None, ...]
    difference: tuple[str, str] | None


def bars_of(matchup: Matchup) -> dict[str, Bar]:
    """The bars of every benchmark of a source; differences of one unit are on one scale."""
    every = list(_every(matchup))
    widest = {unit: max(one.spread for one in every if one.unit == unit) for unit in {one.unit for one in every}}
    return {one.benchmark: _bar(one, widest[one.unit]) for one in every}


def _every(matchup: Matchup) -> Iterator[Compared]:
    yield from filter(None, (matchup.lead, *(group.whole for group in matchup.categories), *benchmarks_of(matchup)))


def _bar(compared: Compared, widest: Decimal) -> Bar:
    values = [result.value if result else None for result in compared.results]
    track = Decimal(100) if compared.unit == "%" else max((value for value in values if value), default=Decimal(0))
    lengths = tuple(None if value is None else _share(value, track) for value in values)
    if len(values) != 2 or not widest:
        return Bar(lengths, None)
    width = compared.spread / widest * _LONGEST
    return Bar(lengths, (exact(_HALF - width if compared.order[0] == 0 else _HALF), exact(width)))


def _share(value: Decimal, track: Decimal) -> str:
    return exact(min(max(value / track * 100, Decimal(0)), Decimal(100))) if track else "0"


def known_models(known: Newest) -> list[str]:
    """The canonical ids of all models that a board has and that can be typed, for the form's list."""
    boards = (snapshot for snapshot in known.snapshots.values() if snapshot.lead is not None)
    models = {resolve(row.raw).model for snapshot in boards for row in snapshot.rows.values()}
    return sorted(model for model in models if model.isprintable())


# The pages


Name = Annotated[str, Query(max_length=LONGEST_NAME)]


@router.api_route("/versus", methods=LOOK)
def choose(request: Request, site: Here, a: str = "", b: str = "", c: str = "") -> Response:
    """The form; or what it asked for, at the address of that."""
    asked = [name for name in (a, b, c) if name.strip()]
    if len(asked) < 2:
        return _ask(site, newest(site), asked)
    return _side_by_side(request, site, asked, queried=True)


@router.api_route("/versus/{a}/{b}", methods=LOOK)
def of_two(request: Request, site: Here, a: str, b: str) -> Response:
    return _side_by_side(request, site, (a, b))


@router.api_route("/versus/{a}/{b}/{c}", methods=LOOK)
def of_three(request: Request, site: Here, a: str, b: str, c: str) -> Response:
    return _side_by_side(request, site, (a, b, c))


def _ask(
    site: Site, known: Newest | None, asked: Sequence[str], wrong: str = "", status: HTTPStatus = HTTPStatus.OK
) -> Response:
    models = known_models(known) if known else []
    typed = [*asked, "", "", ""][:MOST_MODELS]
    return site.page("versus_ask.html", status, models=models, typed=typed, wrong=wrong)


def _side_by_side(request: Request, site: Site, asked: Sequence[str], *, queried: bool = False) -> Response:
    known = newest(site)
    if known is None:
        return _ask(site, None, asked)
    if any(len(name) > LONGEST_NAME for name in asked):
        return _ask(site, known, (), _("No model has a name as long as that."), HTTPStatus.NOT_FOUND)
    names, found = answer(site, known, asked)
    if isinstance(found, DigestError):
        same = isinstance(found, UsageError)
        status = HTTPStatus.BAD_REQUEST if same else HTTPStatus.NOT_FOUND
        return _ask(site, known, asked, _wrong(found, same=same), status)
    here = address(site, names)
    if tuple(asked) != names or queried != in_query(names):
        return RedirectResponse(_in_same_language(request, here), HTTPStatus.PERMANENT_REDIRECT)
    return revalidated(request, _page(site, known, names, found, here))


def _wrong(found: DigestError, *, same: bool) -> str:
    """Why there is no side by side. The reason is in English; another language says what kind of reason it is."""
    if same:
        return pgettext("names of one and the same row", "%(reason)s", reason=reason(found))
    return pgettext("a model that no source has", "%(reason)s", reason=reason(found))


def _in_same_language(request: Request, here: str) -> str:
    """The address with the language that this request's address names, if it names one."""
    named = request.query_params.get("lang")
    return f"{here}{'&' if '?' in here else '?'}lang={named}" if named in LOCALES else here


def reason(error: DigestError) -> str:
    """Why there is no side by side, without the commands that only the operator has."""
    sentence = str(error)
    kept = sentence.partition(";")[0] + "." if "`" in sentence else sentence
    return kept[:1].upper() + kept[1:]


def _page(site: Site, known: Newest, names: Sequence[str], found: Versus, here: str) -> Response:
    main = found.matchups[0] if found.matchups else None
    lead = main.lead if main else None
    figured = figures(lead, whole=main.overall) if main and lead else (None,) * len(names)
    return site.page(
        "versus.html",
        versus=found,
        names=called(found),
        typed=[*names, "", ""][:MOST_MODELS],
        models=known_models(known),
        lead=lead,
        lead_figures=figured,
        main=main,
        bars={matchup.source: bars_of(matchup) for matchup in found.matchups},
        path=here.removeprefix(site.root),
    )
