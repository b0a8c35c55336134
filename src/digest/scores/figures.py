"""Rows -> figures, by a source's declaration: each cell parsed once, refused with its place where it is no figure."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from digest.config import Column, LongForm, Prices, Source
from digest.errors import CaptureError
from digest.scores.reading import Field, Found, field, rows
from digest.scores.snapshot import Benchmark, Capture, Offer, Row, Score, Snapshot, with_aggregates

LONGEST_NAME = 500
LONGEST_FAULT = 500
MOST_DIGITS = 30
MOST_WHOLE = 2**31 - 1
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)


def read(data: bytes, capture: Capture, source: Source) -> Snapshot:
    """Read one capture. Raises CaptureError, naming the source, the place and the fault."""
    try:
        found = rows(data, source)
        reading = _LongReading(source, found) if source.long else _WideReading(source, found)
        for row in found:
            reading.take(row)
        reading.refuse_what_is_gone()
        return _snapshot(reading, capture, source)
    except CaptureError as error:
        raise CaptureError(f"{capture.source}, {capture.on}: {_printable(error)}; the capture was left out.") from error


def _printable(fault: CaptureError) -> str:
    """A fault quotes foreign bytes; this is fit for a log, a terminal and a text column of either database."""
    said = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(fault)[:LONGEST_FAULT])
    return said if len(str(fault)) <= LONGEST_FAULT else f"{said}…"


def _snapshot(reading: "_Reading", capture: Capture, source: Source) -> Snapshot:
    scores: Mapping[str, Mapping[str, Score]] = reading.scores
    benchmarks = dict(reading.benchmarks)
    if source.aggregates:
        categories = source.aggregates.in_force(capture.on)
        gone = sorted({member for members in categories.values() for member in members} - scores.keys())
        if gone:
            raise CaptureError(f'the column "{gone[0]}", which the category map of that day wants, is gone')
        scores, inputs = with_aggregates(scores, categories, source.aggregates.overall)
        benchmarks |= {name: Benchmark(name, margin=source.margin, inputs=members) for name, members in inputs.items()}
    if source.kind == "scores" and not scores.get(source.lead or ""):
        raise CaptureError(f'no row has a score under the lead benchmark "{source.lead}"')
    return Snapshot(capture, reading.rows, benchmarks, scores, reading.offers, source.lead)


class _Reading:
    """Collects what the rows say; remembers which declared fields were ever there."""

    def __init__(self, source: Source, found: list[Found]) -> None:
        self.source = source
        self.members = dict.fromkeys(name for row in found for name in row.record)
        self.rows: dict[str, Row] = {}
        self.benchmarks: dict[str, Benchmark] = {}
        self.scores: dict[str, dict[str, Score]] = {}
        self.offers: dict[str, Offer] = {}
        self.flat = source.format in ("csv", "markdown")
        self.fields: dict[str, Field] = {}
        self.unseen: set[str] = set()
        self.declare(source.model, source.key)
        if source.prices:
            prices = source.prices
            self.declare(prices.input, prices.output, prices.context, prices.max_output, prices.host, prices.details)

    def declare(self, *names: str | None) -> None:
        for name in names:
            if name is not None and name not in self.fields:
                self.fields[name] = field(name, self.source, self.members)
                self.unseen.add(name)

    def value(self, name: str, found: Found) -> Any:
        value = self.fields[name](found.record)
        if value is not None:
            self.unseen.discard(name)
        return None if value in self.source.missing else value

    def refuse_what_is_gone(self) -> None:
        if self.unseen:
            raise CaptureError(f'the field "{min(self.unseen)}" is gone: no row has it')

    def take(self, found: Found) -> None:
        raise NotImplementedError

    def row(self, found: Found) -> Row | None:
        """The row's key and name; None for one to skip."""
        raw = self.text(self.source.model, found)
        key = self.text(self.source.key, found) if self.source.key is not None else raw
        return None if key in self.source.skip or raw in self.source.skip else Row(key, raw)

    def text(self, name: str, found: Found) -> str:
        value = self.value(name, found)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise CaptureError(f'{found.place} has no text in "{name}"')
        _refuse_unfit_name(value, f'{found.place}: "{name}"')
        return value.strip()

    def number(self, name: str | None, found: Found, strip: str = "") -> Decimal | None:
        """A figure, None where the row does not say one. Raises CaptureError for what is no finite number."""
        if name is None or (value := self.value(name, found)) is None:
            return None
        if isinstance(value, str):
            bare = value.strip()
            if not bare and self.flat:
                return None
            if strip and strip not in bare:
                raise _no_figure(name, found, value, f'lacks the "{strip}" that config.toml strips')
            if not (self.flat or strip):
                raise _no_figure(name, found, value, "is a text where a number belongs")
            bare = bare.replace(strip, "", 1).strip() if strip else bare
            if not _NUMBER.fullmatch(bare):
                raise _no_figure(name, found, value, "is no number")
            figure = Decimal(bare)
        elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            figure = Decimal(value)
        else:
            raise _no_figure(name, found, value, "is no number")
        size = abs(figure.adjusted()), len(figure.as_tuple().digits)  # a zero may have an exponent, too
        if not figure.is_finite() or max(size) > MOST_DIGITS:
            raise _no_figure(name, found, value, "is no number to believe")
        return figure

    def whole(self, name: str | None, found: Found) -> int | None:
        figure = self.number(name, found)
        if figure is not None and not (figure == int(figure) and 0 <= figure <= MOST_WHOLE):
            raise CaptureError(
                f'{found.place}: "{name}" is {figure}, where a whole number up to {MOST_WHOLE:,} belongs'
            )
        return None if figure is None else int(figure)

    def score(self, name: str, column: Column, found: Found) -> Score | None:
        value = self.number(name, found, column.strip)
        if value is None:
            return None
        low, high, stderr = (
            self.number(part, found, column.strip) for part in (column.low, column.high, column.stderr)
        )
        n = self.whole(column.n, found)
        if stderr is not None and stderr < 0:
            raise CaptureError(f'{found.place}: "{column.stderr}" is {stderr}, a standard error below zero')
        if low is not None and high is not None and not low <= value <= high:
            raise CaptureError(f'{found.place}: "{name}" is {value}, outside its own interval {low} to {high}')
        if column.scale == 1:
            return Score(value, low, high, stderr, n)
        low, high, stderr = (None if part is None else part * column.scale for part in (low, high, stderr))
        return Score(value * column.scale, low, high, stderr, n)

    def offer(self, key: str, found: Found) -> None:
        prices = self.source.prices
        if prices is None:
            return
        money = [self.number(part, found) for part in (prices.input, prices.output)]
        if any(amount is not None and amount < 0 for amount in money):
            raise CaptureError(f"{found.place} asks a price below zero")
        offered, asked = (None if amount is None else amount * prices.scale for amount in money)
        self.offers[key] = Offer(
            host=self.text(prices.host, found) if prices.host and self.value(prices.host, found) else None,
            input=offered,
            output=asked,
            context=self.whole(prices.context, found),
            max_output=self.whole(prices.max_output, found),
            details=self.details(prices, found),
        )

    def details(self, prices: Prices, found: Found) -> tuple[tuple[str, Decimal], ...]:
        """Every number inside the declared details, by the way to it."""
        inside = self.value(prices.details, found) if prices.details else None
        return tuple(sorted((name, number * prices.scale) for name, number in _numbers(inside, "")))

    def benchmark(self, name: str, column: Column) -> Benchmark:
        return Benchmark(
            name=name,
            unit=column.unit,
            higher_is_better=column.higher_is_better,
            margin=column.margin if column.margin is not None else self.source.margin,
            relative=self.source.relative,
            zero_is_missing=column.zero_is_missing,
            shared=column.benchmark is not None,
        )


def _numbers(node: object, way: str) -> Iterator[tuple[str, Decimal]]:
    if isinstance(node, Mapping):
        for name, member in node.items():
            yield from _numbers(member, f"{way} {name}".strip())
    elif isinstance(node, list):
        for index, member in enumerate(node, start=1):
            yield from _numbers(member, f"{way} {index}".strip())
    elif isinstance(node, (int, Decimal)) and not isinstance(node, bool):
        yield way, Decimal(node)


def _no_figure(name: str, found: Found, value: object, why: str) -> CaptureError:
    # Never a whole list: YAML aliases can make one without end out of a small file.
    shown = repr(str(value)[:40]) if isinstance(value, (str, int, Decimal)) else "a list or an object"
    return CaptureError(f'{found.place}: "{name}" is {shown}, which {why}')


def _refuse_unfit_name(text: str, shown: str) -> None:
    """A name is stored, indexed and printed: short, and of characters that both databases take."""
    if _NO_TEXT.search(text):
        raise CaptureError(f"{shown} holds a character that is no text")
    if (size := len(text.encode())) > LONGEST_NAME:
        raise CaptureError(f"{shown} has {size:,} bytes; {LONGEST_NAME} is the most for a name")


class _WideReading(_Reading):
    """A row a model, a column a benchmark."""

    def __init__(self, source: Source, found: list[Found]) -> None:
        super().__init__(source, found)
        self.columns = dict(source.columns)
        wildcard = self.columns.pop("*", None)
        helpers = {name for c in self.columns.values() for name in (c.low, c.high, c.stderr, c.n) if name}
        if wildcard:
            known = {source.model, source.key, *source.ignore, *helpers, *self.fields}
            known |= {name for level in source.rows for name in (level.as_, level.key_as)}
            self.columns = {name: wildcard for name in self.members if name not in known} | self.columns
        for name in self.columns:
            _refuse_unfit_name(name, f'the column "{name}"')
        self.declare(*self.columns, *helpers)
        self.benchmarks = {
            column.benchmark or name: self.benchmark(column.benchmark or name, column)
            for name, column in self.columns.items()
        }
        self.scores = {name: {} for name in self.benchmarks}

    def take(self, found: Found) -> None:
        if (row := self.row(found)) is None:
            return
        if row.key in self.rows:
            raise CaptureError(f'{found.place}: the key "{row.key}" stands twice')
        self.rows[row.key] = row
        for name, column in self.columns.items():
            if (score := self.score(name, column, found)) is not None:
                self.scores[column.benchmark or name][row.key] = score
        self.offer(row.key, found)


class _LongReading(_Reading):
    """A row a score: its benchmark is named in the row."""

    def __init__(self, source: Source, found: list[Found]) -> None:
        super().__init__(source, found)
        self.long: LongForm = source.long or LongForm(name="", value="")
        self.declare(*(part for part in (self.long.name, self.long.value, self.long.low, self.long.high) if part))
        self.declare(*(part for part in (self.long.stderr, self.long.n) if part))

    def take(self, found: Found) -> None:
        if (row := self.row(found)) is None:
            return
        name = self.text(self.long.name, found)
        if name not in self.benchmarks:
            self.benchmarks[name] = self.benchmark(name, self.long)
            self.scores[name] = {}
        if row.key in self.scores[name]:
            raise CaptureError(f'{found.place}: the key "{row.key}" stands twice under "{name}"')
        self.rows[row.key] = row
        if (score := self.score(self.long.value, self.long, found)) is not None:
            self.scores[name][row.key] = score
