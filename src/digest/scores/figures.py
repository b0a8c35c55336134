"""Rows -> figures, by a source's declaration: each cell parsed once, refused with its place where it is no figure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import compress
from operator import itemgetter
from typing import Any, TypeVar

from digest.config import Column, LongForm, Prices, Source
from digest.errors import CaptureError
from digest.scores.reading import Field, Record, Table, field, table
from digest.scores.snapshot import Benchmark, Capture, Offer, Row, Score, Snapshot, with_aggregates

LONGEST_NAME = 500
LONGEST_FAULT = 500
MOST_DIGITS = 30
MOST_WHOLE = 2**31 - 1
Read = TypeVar("Read")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)


def read(data: bytes, capture: Capture, source: Source) -> Snapshot:
    """Read one capture. Raises CaptureError, naming the source, the place and the fault."""
    try:
        found = table(data, source)
        reading = _LongReading(source, found, source.long) if source.long else _WideReading(source, found)
        for block in found.blocks:
            reading.take(block)
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


class _Known(dict[Any, Any]):
    """What was read from texts, each read when it is first asked for."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self.read = read

    def __missing__(self, text: Any) -> Any:
        self[text] = result = self.read(text)
        return result


class _Reading:
    """Collects what the rows say; remembers which declared fields were ever there."""

    def __init__(self, source: Source, found: Table) -> None:
        self.source = source
        self.found = found
        self.block: list[Record] = []  # the rows in hand, and those of them that are not skipped
        self.kept: list[Record] = []
        self.taken = 0
        self.rows: dict[str, Row] = {}
        self.benchmarks: dict[str, Benchmark] = {}
        self.scores: dict[str, dict[str, Score]] = {}
        self.offers: dict[str, Offer] = {}
        self.fields: dict[str, Field] = {}
        self.unseen: set[str] = set()
        self.declare(source.model, source.key)
        if source.prices:
            prices = source.prices
            self.declare(prices.input, prices.output, prices.context, prices.max_output, prices.host, prices.details)
        self.rows_of = self.each(self.row, source.model, source.key)

    def declare(self, *names: str | None) -> None:
        for name in names:
            if name is not None and name not in self.fields:
                self.fields[name] = field(name, self.found)
                self.unseen.add(name)

    def each(self, read: Callable[[Record], Read], *names: str | None) -> Callable[[list[Record]], Iterable[Read]]:
        """`read` of every row of a block; in a flat table once for all rows that say the same in the named fields."""
        if not self.found.flat:
            return lambda block: map(read, block)
        said = itemgetter(*(self.found.members[name] for name in names if name is not None))
        known = _Known(lambda texts: read(next(record for record in self.kept if said(record) == texts)))
        return lambda block: map(known.__getitem__, map(said, block))

    def place(self, record: Record) -> str:
        """Where a row of the block in hand stands."""
        return self.found.place(self.taken + next(i for i, other in enumerate(self.block) if other is record))

    def value(self, name: str, record: Record) -> Any:
        value = self.fields[name](record)
        if value is not None:
            self.unseen.discard(name)
        return None if value in self.source.missing else value

    def refuse_what_is_gone(self) -> None:
        if self.unseen:
            raise CaptureError(f'the field "{min(self.unseen)}" is gone: no row has it')

    def take(self, block: list[Record]) -> None:
        """Take what the rows of a block say."""
        self.block = self.kept = block
        rows = list(self.rows_of(block))
        if not all(rows):
            self.kept = list(compress(block, rows))
        self.take_rows([row for row in rows if row], self.kept)
        self.taken += len(block)

    def take_rows(self, rows: list[Row], block: list[Record]) -> None:
        raise NotImplementedError

    def row(self, record: Record) -> Row | None:
        """The row's key and name; None for one to skip."""
        raw = self.text(self.source.model, record)
        key = self.text(self.source.key, record) if self.source.key is not None else raw
        return None if key in self.source.skip or raw in self.source.skip else Row(key, raw)

    def text(self, name: str, record: Record) -> str:
        value = self.value(name, record)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise CaptureError(f'{self.place(record)} has no text in "{name}"')
        if fault := _unfit(value):
            raise CaptureError(f'{self.place(record)}: "{name}" {fault}')
        return value.strip()

    def number(self, name: str | None, record: Record, strip: str = "") -> Decimal | None:
        """A figure, None where the row does not say one. Raises CaptureError for what is no finite number."""
        if name is None or (value := self.value(name, record)) is None:
            return None
        if isinstance(value, str):
            bare = value.strip()
            if not bare and self.found.flat:
                return None
            if strip and strip not in bare:
                raise self.no_figure(name, record, value, f'lacks the "{strip}" that config.toml strips')
            if not (self.found.flat or strip):
                raise self.no_figure(name, record, value, "is a text where a number belongs")
            bare = bare.replace(strip, "", 1).strip() if strip else bare
            if not _NUMBER.fullmatch(bare):
                raise self.no_figure(name, record, value, "is no number")
            figure = Decimal(bare)
        elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            figure = Decimal(value)
        else:
            raise self.no_figure(name, record, value, "is no number")
        size = abs(figure.adjusted()), len(figure.as_tuple().digits)  # a zero may have an exponent, too
        if not figure.is_finite() or max(size) > MOST_DIGITS:
            raise self.no_figure(name, record, value, "is no number to believe")
        return figure

    def whole(self, name: str | None, record: Record) -> int | None:
        figure = self.number(name, record)
        if figure is not None and not (figure == int(figure) and 0 <= figure <= MOST_WHOLE):
            raise CaptureError(
                f'{self.place(record)}: "{name}" is {figure}, where a whole number up to {MOST_WHOLE:,} belongs'
            )
        return None if figure is None else int(figure)

    def scores_of(self, name: str, column: Column) -> Callable[[list[Record]], Iterable[Score | None]]:
        """How to take a column's scores from a block of rows."""
        said = (name, column.low, column.high, column.stderr, column.n)
        return self.each(lambda record: self.score(name, column, record), *said)

    def score(self, name: str, column: Column, record: Record) -> Score | None:
        value = self.number(name, record, column.strip)
        if value is None:
            return None
        low, high, stderr = (
            self.number(part, record, column.strip) for part in (column.low, column.high, column.stderr)
        )
        n = self.whole(column.n, record)
        if stderr is not None and stderr < 0:
            raise CaptureError(f'{self.place(record)}: "{column.stderr}" is {stderr}, a standard error below zero')
        if low is not None and high is not None and not low <= value <= high:
            raise CaptureError(f'{self.place(record)}: "{name}" is {value}, outside its own interval {low} to {high}')
        if column.scale == 1:
            return Score(value, low, high, stderr, n)
        low, high, stderr = (None if part is None else part * column.scale for part in (low, high, stderr))
        return Score(value * column.scale, low, high, stderr, n)

    def offer(self, key: str, record: Record) -> None:
        prices = self.source.prices
        if prices is None:
            return
        money = [self.number(part, record) for part in (prices.input, prices.output)]
        if any(amount is not None and amount < 0 for amount in money):
            raise CaptureError(f"{self.place(record)} asks a price below zero")
        offered, asked = (None if amount is None else amount * prices.scale for amount in money)
        self.offers[key] = Offer(
            host=self.text(prices.host, record) if prices.host and self.value(prices.host, record) else None,
            input=offered,
            output=asked,
            context=self.whole(prices.context, record),
            max_output=self.whole(prices.max_output, record),
            details=self.details(prices, record),
        )

    def details(self, prices: Prices, record: Record) -> tuple[tuple[str, Decimal], ...]:
        """Every number inside the declared details, by the way to it."""
        inside = self.value(prices.details, record) if prices.details else None
        return tuple(sorted((name, number * prices.scale) for name, number in _numbers(inside, "")))

    def no_figure(self, name: str, record: Record, value: object, why: str) -> CaptureError:
        # Never a whole list: YAML aliases can make one without end out of a small file.
        shown = repr(str(value)[:40]) if isinstance(value, (str, int, Decimal)) else "a list or an object"
        return CaptureError(f'{self.place(record)}: "{name}" is {shown}, which {why}')

    def benchmark(self, name: str, column: Column) -> Benchmark:
        return Benchmark(
            name=name,
            title=column.title,
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


def _unfit(name: str) -> str:
    """Why a name cannot be stored, indexed and printed: it is to be short, of characters that both databases take."""
    if _NO_TEXT.search(name):
        return "holds a character that is no text"
    size = len(name.encode())
    return f"has {size:,} bytes; {LONGEST_NAME} is the most for a name" if size > LONGEST_NAME else ""


class _WideReading(_Reading):
    """A row a model, a column a benchmark."""

    def __init__(self, source: Source, found: Table) -> None:
        super().__init__(source, found)
        self.columns = dict(source.columns)
        wildcard = self.columns.pop("*", None)
        helpers = {name for c in self.columns.values() for name in (c.low, c.high, c.stderr, c.n) if name}
        if wildcard:
            known = {source.model, source.key, *source.ignore, *helpers, *self.fields}
            known |= {name for level in source.rows for name in (level.as_, level.key_as)}
            self.columns = {name: wildcard for name in found.members if name not in known} | self.columns
        for name in self.columns:
            if fault := _unfit(name):
                raise CaptureError(f'the column "{name}" {fault}')
        self.declare(*self.columns, *sorted(helpers))
        self.benchmarks = {
            column.benchmark or name: self.benchmark(column.benchmark or name, column)
            for name, column in self.columns.items()
        }
        self.scores = {name: {} for name in self.benchmarks}

        self.takes = [
            (self.scores_of(name, column), self.scores[column.benchmark or name])
            for name, column in self.columns.items()
        ]

    def take_rows(self, rows: list[Row], block: list[Record]) -> None:
        for row, record in zip(rows, block, strict=True):
            if row.key in self.rows:
                raise CaptureError(f'{self.place(record)}: the key "{row.key}" stands twice')
            self.rows[row.key] = row
            self.offer(row.key, record)
        for scores_of, scores in self.takes:
            for row, score in zip(rows, scores_of(block), strict=True):
                if score is not None:
                    scores[row.key] = score


class _LongReading(_Reading):
    """A row a score: its benchmark is named in the row."""

    def __init__(self, source: Source, found: Table, long: LongForm) -> None:
        super().__init__(source, found)
        self.long = long
        self.declare(long.name, long.value, long.low, long.high, long.stderr, long.n)
        self.columns_of = self.each(self.column, long.name)
        self.scores_of_rows = self.scores_of(long.value, long)

    def take_rows(self, rows: list[Row], block: list[Record]) -> None:
        for row, column, score, record in zip(
            rows, self.columns_of(block), self.scores_of_rows(block), block, strict=True
        ):
            key = row.key
            if key in column:
                name = self.text(self.long.name, record)
                raise CaptureError(f'{self.place(record)}: the key "{key}" stands twice under "{name}"')
            self.rows[key] = row
            if score is not None:
                column[key] = score

    def column(self, record: Record) -> dict[str, Score]:
        """The scores of the benchmark that the row names."""
        name = self.text(self.long.name, record)
        if name not in self.benchmarks:
            self.benchmarks[name] = self.benchmark(name, self.long)
        return self.scores.setdefault(name, {})
