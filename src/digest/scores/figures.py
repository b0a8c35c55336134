"""Rows -> figures, by a source's declaration: each cell parsed once, refused with its place where it is no figure."""

import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import compress
from typing import Any, TypeGuard, TypeVar

from digest.config.source import Aggregates, Column, LongForm, Prices, Source
from digest.errors import CaptureError
from digest.scores.aggregates import plain_means, weighted_means, with_aggregate_benchmarks, with_aggregate_scores
from digest.scores.reading import Block, Field, Record, Table, field, table
from digest.scores.snapshot import Benchmark, Capture, Offer, Row, Score, Snapshot
from digest.scores.weights import packaged_weights

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
        reading.end()
        reading.refuse_what_is_gone()
        if reading.given > reading.held:
            reading.refuse_what_is_doubled(table(data, source))
        return _snapshot(reading, capture, source)
    except CaptureError as error:
        raise CaptureError(f"{capture.source}, {capture.on}: {_printable(error)}; the capture was left out.") from error


def _printable(fault: CaptureError) -> str:
    """A fault quotes foreign bytes; this is fit for a log, a terminal and a text column of either database."""
    said = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(fault)[:LONGEST_FAULT])
    return said if len(str(fault)) <= LONGEST_FAULT else f"{said}…"


def _snapshot(reading: "_Reading", capture: Capture, source: Source) -> Snapshot:
    scores: Mapping[str, Mapping[str, Score]] = reading.scores
    benchmarks = reading.benchmarks
    if source.aggregates:
        means = _means(source.aggregates, capture.on, benchmarks)
        benchmarks = with_aggregate_benchmarks(benchmarks, means, source.margin)
        scores = with_aggregate_scores(scores, benchmarks, [mean.name for mean in means])
    if source.kind == "scores" and not scores.get(source.lead or ""):
        raise CaptureError(f'no row has a score under the lead benchmark "{source.lead}"')
    zero_is_missing = source.prices is not None and source.prices.zero_is_missing
    return Snapshot(capture, reading.rows, benchmarks, scores, reading.offers, source.lead, zero_is_missing)


def _means(aggregates: Aggregates, on: date, published: Collection[str]) -> tuple[Benchmark, ...]:
    if aggregates.weighted:
        return weighted_means(packaged_weights(), published, aggregates.overall)
    categories = aggregates.in_force(on)
    gone = sorted({member for members in categories.values() for member in members if member not in published})
    if gone:
        raise CaptureError(f'the column "{gone[0]}", which the category map of that day wants, is gone')
    return plain_means(categories, aggregates.overall)


class _Once(dict[Any, Read]):
    """What texts say, each read when it is met first."""

    def __init__(self, read: Callable[[Any], Read]) -> None:
        self.read = read

    def __missing__(self, texts: Any) -> Read:
        self[texts] = found = self.read(texts)
        return found


class _Reading:
    """Collects what the rows say; remembers which declared fields were ever there."""

    def __init__(self, source: Source, found: Table) -> None:
        self.source = source
        self.found = found
        self.block = Block(())  # the rows in hand, and which of them is looked at
        self.at = 0
        self.given = 0  # rows, or figures in long form: more than are held if one stands twice
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

    def each(self, read: Callable[[Record], Read], *names: str | None) -> Callable[[], list[Read]]:
        """`read` of every row in hand; in a flat table once for all rows that say the same in the named fields."""
        if not self.found.flat:
            return lambda: list(map(read, self.records()))
        places = [self.found.members[name] for name in names if name is not None]
        if len(places) == 1:
            known = _Once(lambda text: read({places[0]: text}))
        else:
            known = _Once(lambda texts: read(dict(zip(places, texts, strict=True))))

        def read_block() -> list[Read]:
            columns = [self.block.columns[place] for place in places]
            said = columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))
            try:
                return list(map(known.__getitem__, said))
            except CaptureError:
                read(self.record(next(index for index, texts in enumerate(said) if texts not in known)))
                raise  # never: with its row at hand it was refused again, and by its place

        return read_block

    def record(self, index: int) -> Record:
        self.at = index
        return self.block.record(index)

    def records(self) -> Iterator[Record]:
        return map(self.record, range(len(self.block.numbers)))

    def place(self) -> str:
        """Where the row that is looked at stands."""
        return self.found.place(self.block.numbers[self.at])

    def value(self, name: str, record: Record) -> Any:
        value = self.fields[name](record)
        if value is not None:
            self.unseen.discard(name)
        return None if value in self.source.missing else value

    def refuse_what_is_gone(self) -> None:
        if self.unseen:
            raise CaptureError(f'the field "{min(self.unseen)}" is gone: no row has it')

    @property
    def held(self) -> int:
        return len(self.rows)

    def refuse_what_is_doubled(self, again: Table) -> None:
        """Go through the rows once more, to say where the second one stands."""
        seen: set[str] = set()
        for self.block in again.blocks:
            for said in map(self.what_stands_once, self.records()):
                if said in seen:
                    raise CaptureError(f"{self.place()}: {said}")
                seen.update([said] if said else ())

    def what_stands_once(self, record: Record) -> str:
        """In words, what no second row may give; nothing of a row that is skipped."""
        row = self.row(record)
        return f'the key "{row.key}" stands twice' if row else ""

    def take(self, block: Block) -> None:
        """Take what the rows of a block say."""
        self.block, self.at = block, 0
        rows = self.rows_of()
        wanted = list(filter(None, rows))
        if len(wanted) < len(rows):
            self.block = block.only(rows)
        if wanted:
            self.take_rows(wanted)

    def take_rows(self, rows: list[Row]) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """All rows were taken."""

    def row(self, record: Record) -> Row | None:
        """The row's key and name; None for one to skip."""
        raw = self.text(self.source.model, record)
        key = self.text(self.source.key, record) if self.source.key is not None else raw
        return None if key in self.source.skip or raw in self.source.skip else _row(key, raw)

    def text(self, name: str, record: Record) -> str:
        value = self.value(name, record)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip():
            raise CaptureError(f'{self.place()} has no text in "{name}"')
        if fault := _unfit(value):
            raise CaptureError(f'{self.place()}: "{name}" {fault}')
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
                raise self.no_figure(name, value, f'lacks the "{strip}" that config.toml strips')
            if not (self.found.flat or strip):
                raise self.no_figure(name, value, "is a text where a number belongs")
            bare = bare.replace(strip, "", 1).strip() if strip else bare
            figure = _written(bare)
        else:
            figure = Decimal(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None
        if figure is None:
            raise self.no_figure(name, value, "is no number")
        long = len(str(value)) > MOST_DIGITS and len(figure.as_tuple().digits) > MOST_DIGITS
        if long or not figure.is_finite() or abs(figure.adjusted()) > MOST_DIGITS:  # a zero may have an exponent, too
            raise self.no_figure(name, value, "is no number to believe")
        return figure

    def whole(self, name: str | None, record: Record) -> int | None:
        figure = self.number(name, record)
        if figure is not None and not (figure == int(figure) and 0 <= figure <= MOST_WHOLE):
            raise CaptureError(
                f'{self.place()}: "{name}" is {figure}, where a whole number up to {MOST_WHOLE:,} belongs'
            )
        return None if figure is None else int(figure)

    def scores_of(self, name: str, column: Column) -> Callable[[], list[Score | None]]:
        """How to take a column's scores from the rows in hand."""
        said = (name, column.low, column.high, column.stderr, column.n)
        return self.each(lambda record: self.score(name, column, record), *said)

    def score(self, name: str, column: Column, record: Record) -> Score | None:
        value = self.number(name, record, column.strip)
        if value is None:
            return None
        if column.low is column.high is column.stderr is column.n is None:
            return _alone(str(value)) if column.scale == 1 else Score(value * column.scale)
        low, high, stderr = (
            self.number(part, record, column.strip) for part in (column.low, column.high, column.stderr)
        )
        n = self.whole(column.n, record)
        if stderr is not None and stderr < 0:
            raise CaptureError(f'{self.place()}: "{column.stderr}" is {stderr}, a standard error below zero')
        if low is not None and high is not None and not low <= value <= high:
            raise CaptureError(f'{self.place()}: "{name}" is {value}, outside its own interval {low} to {high}')
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
            raise CaptureError(f"{self.place()} asks a price below zero")
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
        """Every price inside the declared details, by the way to it."""
        inside = self.value(prices.details, record) if prices.details else None
        said: dict[str, Decimal] = {}
        for name, price in _prices(inside, ""):
            if fault := _unfit(name):
                raise CaptureError(f"{self.place()}: the name of a further price {fault}")
            if price < 0 or max(abs(price.adjusted()), len(price.as_tuple().digits)) > MOST_DIGITS:
                raise CaptureError(f'{self.place()}: "{name}" is {price}, no price to believe')
            if said.setdefault(name, price) != price:
                raise CaptureError(f'{self.place()} names two prices "{name}"')
        return tuple(sorted((name, price * prices.scale) for name, price in said.items()))

    def no_figure(self, name: str, value: object, why: str) -> CaptureError:
        # Never a whole list: YAML aliases can make one without end out of a small file.
        shown = repr(str(value)[:40]) if isinstance(value, (str, int, Decimal)) else "a list or an object"
        return CaptureError(f'{self.place()}: "{name}" is {shown}, which {why}')

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
            self_reported=self.source.self_reported if column.self_reported is None else column.self_reported,
        )


def _prices(node: object, way: str) -> Iterator[tuple[str, Decimal]]:
    """Every number inside, by the words on the way to it.

    `{"above": 200000, "price": 6}` is the price of a tier, `input above 200K`. An object with a `when` goes by what it
    says there, in place of its number in a list: a list may be put in another order, or lose its first member.
    """
    if _is_number(node):
        yield way, Decimal(node)
    elif isinstance(node, Mapping):
        if node.keys() == {"above", "price"}:
            yield from _prices(node["price"], f"{way} above {_tokens(node['above'])}".strip())
            return
        way = f"{way} {_condition(node['when'])}".strip() if "when" in node else way
        for name, member in node.items():
            if name != "when":
                yield from _prices(member, f"{way} {name}".strip())
    elif isinstance(node, list):
        for index, member in enumerate(node, start=1):
            goes_by_itself = isinstance(member, Mapping) and not member.keys().isdisjoint({"above", "when"})
            yield from _prices(member, way if goes_by_itself else f"{way} {index}".strip())


def _is_number(node: object) -> TypeGuard[int | Decimal]:
    return isinstance(node, (int, Decimal)) and not isinstance(node, bool)


def _tokens(size: object) -> str:
    """200000 -> 200K, 1000000 -> 1M; what is no round number stays as it is."""
    if _is_number(size) and 0 < size <= MOST_WHOLE:
        for unit, letter in ((1_000_000, "M"), (1_000, "K")):
            if size % unit == 0:
                return f"{size // unit}{letter}"
    return str(size)


def _condition(said: object) -> str:
    """`{"start_date": "2026-03-13"}` in words: start_date 2026-03-13."""
    return " ".join(f"{name} {value}" for name, value in said.items()) if isinstance(said, Mapping) else str(said)


@lru_cache(maxsize=1 << 16)
def _written(text: str) -> Decimal | None:
    """The number that a text is; a week's capture writes most figures as the week before did."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


@lru_cache(maxsize=1 << 16)
def _row(key: str, raw: str) -> Row:
    """A row, one value for both weeks."""
    return Row(key, raw)


@lru_cache(maxsize=1 << 16)
def _alone(text: str) -> Score:
    """A number of which no more is said, by how it is written: one value for both weeks is soon compared."""
    return Score(Decimal(text))


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

    def take_rows(self, rows: list[Row]) -> None:
        self.given += len(rows)
        self.rows.update((row.key, row) for row in rows)
        if self.source.prices:
            for row, record in zip(rows, self.records(), strict=True):
                self.offer(row.key, record)
        for scores_of, scores in self.takes:
            for row, score in zip(rows, scores_of(), strict=True):
                if score is not None:
                    scores[row.key] = score


class _LongReading(_Reading):
    """A row a score: its benchmark is named in the row."""

    def __init__(self, source: Source, found: Table, long: LongForm) -> None:
        super().__init__(source, found)
        self.long = long
        self.columns: dict[str, list[Any]] = {}  # by benchmark, a row's key and its score in turn
        self.declare(long.name, long.value, long.low, long.high, long.stderr, long.n)
        self.columns_of = self.each(self.column, long.name)
        self.scores_of_rows = self.scores_of(long.value, long)

    def take_rows(self, rows: list[Row]) -> None:
        keys = [row.key for row in rows]
        self.rows.update(zip(keys, rows, strict=True))
        columns, scores = self.columns_of(), self.scores_of_rows()
        if not all(scores):
            columns, keys = list(compress(columns, scores)), list(compress(keys, scores))
        # into lists and not dicts: of a hundred of them only the ends need room in a processor's cache
        deque(map(list.extend, columns, zip(keys, filter(None, scores), strict=True)), maxlen=0)

    def end(self) -> None:
        self.given = sum(map(len, self.columns.values())) // 2
        for name, column in self.columns.items():
            cells = iter(column)
            self.scores[name] = dict(zip(cells, cells, strict=True))

    @property
    def held(self) -> int:
        return sum(map(len, self.scores.values()))

    def what_stands_once(self, record: Record) -> str:
        said = super().what_stands_once(record)
        scored = said and self.score(self.long.value, self.long, record) is not None
        return f'{said} under "{self.text(self.long.name, record)}"' if scored else ""

    def column(self, record: Record) -> list[Any]:
        """Where the scores of the benchmark go that the row names."""
        name = self.text(self.long.name, record)
        if name not in self.benchmarks:
            self.benchmarks[name] = self.benchmark(name, self.long)
        return self.columns.setdefault(name, [])
