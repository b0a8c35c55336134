"""Builders of snapshots for tests: a board from a table of figures, a price list from a table of offers."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from digest.scores.snapshot import Benchmark, Capture, Offer, Row, Score, Snapshot

MONDAY = date(2026, 4, 27)


def a_capture(source: str = "board", on: date = MONDAY, data: bytes = b"") -> Capture:
    at = datetime(on.year, on.month, on.day, tzinfo=UTC)
    return Capture(source, on, at, sha256(data or str((source, on)).encode()).hexdigest(), len(data))


def a_score(figure: Any) -> Score:
    """80.7, or (80.7, low, high), or a Score."""
    if isinstance(figure, Score):
        return figure
    value, *bounds = (Decimal(str(part)) for part in (figure if isinstance(figure, tuple) else (figure,)))
    return Score(value, low=bounds[0], high=bounds[1]) if bounds else Score(value)


def a_board(
    figures: Mapping[str, Any] | Mapping[str, Mapping[str, Any]],
    *,
    source: str = "board",
    on: date = MONDAY,
    **about: Any,
) -> Snapshot:
    """{row: figure} on the lead benchmark "main", or {benchmark: {row: figure}} with the first as lead."""
    nested = all(isinstance(value, Mapping) for value in figures.values())
    columns: Mapping[str, Mapping[str, Any]] = figures if nested else {"main": figures}
    scores = {name: {key: a_score(figure) for key, figure in column.items()} for name, column in columns.items()}
    rows = {key: Row(key, key) for column in scores.values() for key in column}
    return Snapshot(
        capture=a_capture(source, on),
        rows=rows,
        benchmarks={name: Benchmark(name, **about) for name in scores},
        scores=scores,
        lead=next(iter(scores)),
    )


def a_price_list(offers: Mapping[str, Offer], *, source: str = "prices", on: date = MONDAY) -> Snapshot:
    return Snapshot(a_capture(source, on), {key: Row(key, key) for key in offers}, offers=offers)


def an_offer(asked: Any = None, answered: Any = None, context: int | None = None, host: str | None = None) -> Offer:
    price, output = (None if part is None else Decimal(str(part)) for part in (asked, answered))
    return Offer(host=host, input=price, output=output, context=context)
