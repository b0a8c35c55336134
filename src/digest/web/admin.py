"""The operator's page: how all of it stands, to whoever has a key that reads. Nothing on it acts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, HTTPException, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from digest.language import speaking
from digest.membership.leaving import REASONS
from digest.operations.keys import opened_by
from digest.operations.overview import MONTHS, Month, overview
from digest.web.pages import LOOK, Here

router = APIRouter(include_in_schema=False)

_ASKS = {"WWW-Authenticate": 'Basic realm="operators", charset="UTF-8"'}  # RFC 7617


class _Basic(HTTPBasic):
    """What is no name and key at all is asked for them in the same words."""

    def make_authenticate_headers(self) -> dict[str, str]:
        return _ASKS


_asked = _Basic(auto_error=False)

_REGIONS = 5  # drawn by themselves, the others together
_WIDE, _HIGH = 640.0, 200.0


class Bar(NamedTuple):
    """A piece of a column of the chart: the lower left is at x and y + high; `shade` is its region's, from 0."""

    x: float
    y: float
    wide: float
    high: float
    shade: int
    said: str


@router.api_route("/admin", methods=LOOK)
def admin(site: Here, given: Annotated[HTTPBasicCredentials | None, Depends(_asked)]) -> Response:
    """The key is asked for as a password, under any name. Raises HTTPException: 401; 403 if it may not read."""
    key = opened_by(site.engine, given.password) if given else None
    if key is None:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "a key is wanted that is open.", _ASKS)
    if "read" not in key.scopes:
        raise HTTPException(HTTPStatus.FORBIDDEN, "this wants a key with the scope read.")
    found = overview(site.engine, site.settings, site.clock())
    regions = _regions(found.months)
    rows = [(month.name, _row(month, regions)) for month in found.months]
    with speaking("en"):  # what operators are told is English everywhere
        return site.page(
            "admin.html",
            found=found,
            regions=regions,
            rows=rows[::-1],
            bars=list(_bars(rows, regions)),
            wide=_WIDE,
            high=_HIGH,
            reasons={REASONS.get(reason, "no reason given"): count for reason, count in found.reasons.items()},
        )


def _regions(months: Sequence[Month]) -> list[str]:
    """The regions with the most readers now, and `others` where there are more."""
    now = Counter(months[-1].readers if months else {})
    largest = [name for name, _count in now.most_common(_REGIONS)]
    known = {name for month in months for name in month.readers}
    return [*largest, "others"] if len(known) > len(largest) else largest


def _row(month: Month, regions: Sequence[str]) -> list[int]:
    """A month's readers in each of the regions."""
    rest = sum(count for name, count in month.readers.items() if name not in regions)
    return [rest if region == "others" else month.readers.get(region, 0) for region in regions]


def _bars(rows: Sequence[tuple[str, Sequence[int]]], regions: Sequence[str]) -> Iterator[Bar]:
    """A column a month, the regions one on another."""
    most = max((sum(counts) for _month, counts in rows), default=0)
    step = _WIDE / MONTHS  # a new house has one narrow column
    for number, (month, counts) in enumerate(rows):
        top = _HIGH
        for shade, count in enumerate(counts):
            if count:
                high = _HIGH * count / most
                top -= high
                said = f"{month}: {count:,} in {regions[shade]}"
                yield Bar(round(number * step, 1), round(top, 1), round(step * 0.8, 1), round(high, 1), shade, said)
