"""Bytes -> rows, by a source's declaration alone: JSON, CSV, YAML, a Markdown table.

In `csv` and `markdown` a field is a column's header as it stands; in `json` and `yaml` it is the name of a row's member
or a JMESPath expression over the row. What cannot be believed is refused with one CaptureError; nothing of it is kept.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, compress, islice
from operator import itemgetter
from typing import Any, NamedTuple

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from digest.config.source import Level, Source
from digest.errors import CaptureError

ROWS_AT_ONCE = 250
CHARACTERS_AT_ONCE = 50_000
LONGEST_LINE = 100_000
LONGEST_CELL = 5_000
DEEPEST = 100
MOST_ALIASES = 1_000
MOST_MERGED = 10_000
_PLAIN_FIELD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_BAR = re.compile(r"(?<!\\)\|")
_NEW_LINE = re.compile(r"\r\n?|\n")
_INLINE = MarkdownIt("commonmark")

Record = Any
"""A row as found: in a flat table the list of its cells, None for each that it lacks; else its members by name."""

Field = Callable[[Record], Any]


class Block(NamedTuple):
    """Some rows of a table: `numbers` count them in the whole, from 0. In a flat one their cells lie in columns."""

    numbers: Sequence[int]
    records: Sequence[Record] = ()
    columns: Sequence[Sequence[Any]] = ()

    def record(self, index: int) -> Record:
        return [column[index] for column in self.columns] if self.columns else self.records[index]

    def only(self, wanted: Sequence[object]) -> "Block":
        """The rows for which there is something in `wanted`."""
        numbers, records, *columns = (
            list(compress(part, wanted)) for part in (self.numbers, self.records, *self.columns)
        )
        return Block(numbers, records, columns)


class Table(NamedTuple):
    """The rows of a file, to be gone through once, in blocks; the last is given when the file is known to be whole.

    `members` are the names that the rows have, in order; in a flat table (CSV, Markdown) they are its header, with the
    position of each cell. `place` says, for a sentence, where the row of a number stands, from 0.
    """

    members: Mapping[str, int]
    blocks: Iterator[Block]
    place: Callable[[int], str]
    flat: bool


def table(data: bytes, source: Source) -> Table:
    """Decode a file and find its rows. Raises CaptureError with the place and the fault, here or on the way through."""
    found = _table(data, _decode(data, source), source)
    blocks = _held_back(found.blocks)
    first = next(blocks, None)
    if first is None:
        raise CaptureError("the file holds no rows where config.toml says that they are")
    return found._replace(blocks=chain([first], blocks))


def _in_blocks(records: Iterator[Record], *, flat: bool, taken: int = 0) -> Iterator[Block]:
    while some := list(islice(records, ROWS_AT_ONCE)):
        numbers = range(taken, taken + len(some))
        yield Block(numbers, columns=list(zip(*some, strict=True))) if flat else Block(numbers, some)
        taken += len(some)


def _held_back(blocks: Iterator[Block]) -> Iterator[Block]:
    """Each block once the next one was found: nobody is given the last rows of a file that turns out to be cut."""
    held = None
    for block in blocks:
        if held:
            yield held
        held = block
    if held:
        yield held


def _decode(data: bytes, source: Source) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaptureError(f"the file is not UTF-8 at byte {error.start}") from error
    if not text or text.isspace():
        raise CaptureError("the file is empty")
    if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise CaptureError(f"the file is an HTML page, not {source.format}")
    if source.format != "json" and _has_a_long_line(text):
        for number, line in enumerate(text.splitlines(), start=1):
            if len(line) > LONGEST_LINE:
                raise CaptureError(f"line {number} has {len(line):,} characters; {LONGEST_LINE:,} is the most")
    return text


def _has_a_long_line(text: str) -> bool:
    """Whether a line may be too long, by leaps: told by line feeds alone, of which any line has one at most."""
    start = 0
    while len(text) - start > LONGEST_LINE:
        start = text.rfind("\n", start, start + LONGEST_LINE + 1) + 1
        if not start:
            return True
    return False


def _table(data: bytes, text: str, source: Source) -> Table:
    match source.format:
        case "csv":
            return _csv_table(data, text)
        case "markdown":
            return _markdown_table(text, source)
        case "json":
            return _nested_table(_descend(_json_document(text), source))
        case "yaml":
            return _nested_table(_descend(_yaml_document(text), source))


def _csv_table(data: bytes, text: str) -> Table:
    """The rows under a header (RFC 4180), read from bytes known to be UTF-8 as they are asked for."""

    def place(number: int) -> str:
        lines = _csv_lines(data)
        next(islice(_csv_rows(lines), 1 + number, None))  # a line is asked for once, by a fault: none is kept
        return f"line {lines.line_num}"

    rows = _csv_rows(_csv_lines(data))
    header = next(rows)
    plain = '"' not in text and "\r" not in text  # then a line is a row, and a comma parts two cells (section 2)
    blocks = _split_blocks(data, text, len(header)) if plain else _in_blocks(rows, flat=True)
    return Table(_positions(header), blocks, place, flat=True)


def _split_blocks(data: bytes, text: str, width: int) -> Iterator[Block]:
    """The rows of a file without quotes, without a parser; from the block on that has one too long, too short or maybe
    empty, with all care."""
    start, taken = text.find("\n") + 1 or len(text), 0
    while start < len(text):
        end = text.rfind("\n", start, start + CHARACTERS_AT_ONCE) + 1 or text.find("\n", start) + 1 or len(text)
        lines = text[start:end].removesuffix("\n") + "\n"
        marked = lines.replace("\n", ",\n,")  # each row has a cell more, and nothing stands after the last
        cells = marked.split(",")
        ends, rows = cells[width :: width + 1], (len(marked) - len(lines)) // 2
        columns = [cells[place :: width + 1] for place in range(width)]
        columns[0].pop()
        whole = ends.count("\n") == len(ends) == rows and len(cells) == rows * (width + 1) + 1
        if not (whole and all(map(str.strip, set(columns[0])))):
            yield from _in_blocks(islice(_csv_rows(_csv_lines(data)), 1 + taken, None), flat=True, taken=taken)
            return
        yield Block(range(taken, taken + rows), columns=columns)
        start, taken = end, taken + rows


def _csv_lines(data: bytes) -> Any:
    return csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline=""), strict=True)


def _csv_rows(lines: Any) -> Iterator[list[Any]]:
    """The header, then every row that says something, as long as the header."""
    short = ""
    try:
        header = next(lines)
        if not header:
            raise CaptureError("the first line, where the header belongs, is empty")
        _refuse_doubled(header)
        yield header
        width = len(header)
        for cells in lines:
            if len(cells) != width or short or not cells[0] or cells[0].isspace():
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) > width:
                    raise CaptureError(f"line {lines.line_num} has {len(cells)} cells under {width} headers")
                short = f"line {lines.line_num}" if len(cells) < width else ""
                cells += [None] * (width - len(cells))
            yield cells
    except csv.Error as error:
        raise CaptureError(f"line {lines.line_num} is not valid CSV ({error})") from error
    if short:  # a short row inside is the publisher's own; at the end the file was cut
        raise CaptureError(f"the file ends in the middle of a row ({short}); it was cut short")


def _markdown_table(text: str, source: Source) -> Table:
    """The rows of the one table that has all declared columns (GitHub Flavored Markdown, section 4.10)."""
    wanted = {source.model, *source.columns} - {"*"}
    markdown = MarkdownIt("commonmark").enable("table").disable("inline")  # a cell is parsed when it is wanted
    tables = [table for table in _tables(markdown.parse(text)) if wanted <= set(_cells(*table[0]))]
    if len(tables) != 1:
        raise CaptureError(f"{len(tables) or 'no'} tables have all the columns {', '.join(sorted(wanted))}")
    (heads, heading), *body = tables[0]
    header = _cells(heads, heading)
    _refuse_doubled(header)
    lines = _NEW_LINE.split(text.rstrip())
    if body and body[-1][1] == len(lines) and _bars(lines[-1]) < _bars(lines[heading - 1]):
        raise CaptureError(f"the file ends in the middle of a row (line {len(lines)}); it was cut short")
    rows = (_cells(contents, line) for contents, line in body)
    return Table(_positions(header), _in_blocks(rows, flat=True), lambda number: f"line {body[number][1]}", flat=True)


def _nested_table(found: Iterable[tuple[Record, str]]) -> Table:
    rows = list(found)
    members = _positions(name for record, _place in rows for name in record)
    records = (record for record, _place in rows)
    return Table(members, _in_blocks(records, flat=False), lambda number: rows[number][1], flat=False)


def _positions(names: Iterable[str]) -> dict[str, int]:
    return {name: position for position, name in enumerate(dict.fromkeys(names))}


def _tables(tokens: list[Token]) -> Iterator[list[tuple[list[str], int]]]:
    """Each table as its rows of unparsed cells, the header first, with their line numbers."""
    table: list[tuple[list[str], int]] = []
    for token in tokens:
        if token.type == "table_open":
            table = []
        elif token.type == "tr_open":
            table.append(([], (token.map or [0])[0] + 1))
        elif token.type == "inline" and table and token.level >= 3:
            table[-1][0].append(token.content)
        elif token.type == "table_close":
            yield table
            table = []


def _cells(contents: list[str], line: int) -> list[str]:
    """What the cells of one row say, without links, emphasis and other marks."""
    longest = max(map(len, contents))
    if longest > LONGEST_CELL:
        raise CaptureError(f"line {line} has a cell of {longest:,} characters; {LONGEST_CELL:,} is the most")
    marks = [_INLINE.parseInline(content)[0].children or [] for content in contents]
    return ["".join(mark.content for mark in cell if mark.type in ("text", "code_inline")).strip() for cell in marks]


def _bars(line: str) -> int:
    return len(_BAR.findall(line.strip()))


def _refuse_doubled(header: list[str]) -> None:
    if doubled := _doubled(header):
        raise CaptureError(f'two columns have the header "{doubled[0]}"')


def _doubled(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _json_document(text: str) -> Any:
    def constant(word: str) -> None:
        raise CaptureError(f"the file holds {word}, which is no number")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise CaptureError(f'the key "{_doubled(key for key, _ in pairs)[0]}" stands twice')
        return members

    try:
        return json.loads(text, parse_float=Decimal, parse_constant=constant, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise CaptureError(
            f"the file is not valid JSON at line {error.lineno}, column {error.colno} ({error.msg})"
        ) from error
    except RecursionError as error:
        raise CaptureError("the file is nested too deeply") from error
    except (ValueError, ArithmeticError) as error:  # thousands of digits, or an exponent of many
        raise CaptureError("the file holds a number beyond all bounds") from error


class _Yaml(yaml.CSafeLoader):
    """The safe loader, with exact decimals, dates left as text and no key twice."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > MOST_MERGED:  # checked at every level, so that merge keys cannot multiply
            raise CaptureError(f"line {node.start_mark.line + 1} has more than {MOST_MERGED:,} keys")

    def whole(self, node: yaml.ScalarNode) -> int:
        number: int = self.construct_yaml_int(node)
        if number.bit_length() > 1_000:  # a hexadecimal one escapes the interpreter's bound on digits
            raise CaptureError(f"line {node.start_mark.line + 1} holds a number beyond all bounds")
        return number

    def exact(self, node: yaml.ScalarNode) -> Decimal:
        text = str(self.construct_scalar(node)).replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
        try:
            return Decimal(text)
        except ArithmeticError as error:
            raise CaptureError(f'line {node.start_mark.line + 1} holds "{text:.40}", which is no number') from error

    def unique(self, node: yaml.MappingNode) -> dict[str, Any]:
        if isinstance(node, yaml.MappingNode):  # its own keys, before those that it merges in
            own = (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
            if doubled := _doubled(own):
                raise CaptureError(f'line {node.start_mark.line + 1}: the key "{doubled[0]}" stands twice')
        return {str(key): value for key, value in self.construct_mapping(node, deep=True).items()}


_Yaml.add_constructor("tag:yaml.org,2002:int", _Yaml.whole)
_Yaml.add_constructor("tag:yaml.org,2002:float", _Yaml.exact)
_Yaml.add_constructor("tag:yaml.org,2002:map", _Yaml.unique)
_Yaml.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: str(node.value))


def _yaml_document(text: str) -> Any:
    try:
        _refuse_yaml_that_grows(text)
        return yaml.load(text, Loader=_Yaml)  # noqa: S506 (a safe loader of ours)
    except yaml.MarkedYAMLError as error:
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CaptureError(f"the file is not valid YAML{line} ({error.problem})") from error
    except yaml.YAMLError as error:
        raise CaptureError(f"the file is not valid YAML ({_first(error)})") from error
    except (ValueError, LookupError) as error:  # a tag such as !!int before what is none
        raise CaptureError("the file holds a YAML value that is not what its tag says") from error


def _refuse_yaml_that_grows(text: str) -> None:
    """The loader works by recursion in C, which ends the process where it is too deep; aliases multiply."""
    depth = aliases = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > DEEPEST:
            raise CaptureError(f"the file is nested too deeply; {DEEPEST} levels are the most")
        if aliases > MOST_ALIASES:
            raise CaptureError(f"the file has more than {MOST_ALIASES:,} YAML aliases")


def _descend(document: Any, source: Source) -> Iterator[tuple[Record, str]]:
    """Walk down the declared levels. A row sees its own members and what each level named on the way."""

    def visit(node: Any, levels: list[Level], named: Mapping[str, Any], place: str) -> Iterator[tuple[Record, str]]:
        level, *deeper = levels
        inside = search(level.each, node)
        if inside is None and named:
            return  # a branch without the list that others have
        for key, element, where in _members(inside, level.each, place):
            if key in source.skip:
                continue
            names = {level.key_as: key} if level.key_as else {}
            if level.as_:
                names[level.as_] = element
            if deeper:
                yield from visit(element, deeper, {**named, **names}, where)
            elif isinstance(element, Mapping):
                yield {**element, **named, **names}, where
            elif level.as_:
                yield {**named, **names}, where
            else:
                raise CaptureError(f"{where} is no object; name it in `skip` if it is no model")

    yield from visit(document, source.rows, {}, "")


def _members(inside: Any, each: str, place: str) -> Iterator[tuple[str, Any, str]]:
    if isinstance(inside, Mapping):
        for key, element in inside.items():
            yield key, element, f'"{key:.80}"' if not place else f'{place}, "{key:.80}"'
    elif isinstance(inside, list):
        for index, element in enumerate(inside, start=1):
            yield "", element, f"row {index}" if not place else f"{place}, row {index}"
    else:
        raise CaptureError(f'there is neither a list nor an object at "{each}"{" of " + place if place else ""}')


def search(expression: str, node: Any) -> Any:
    """The JMESPath expression's value, None where nothing is there. Raises CaptureError if it cannot be used."""
    if expression == "@":
        return node
    try:
        return jmespath.search(expression, node)
    except JMESPathError as error:
        raise CaptureError(f'the expression "{expression}" of config.toml cannot be used ({_first(error)})') from error


def _first(error: Exception) -> str:
    return str(error).splitlines()[0]


def field(name: str, found: Table) -> Field:
    """How to take a field: by its name where the rows have members of that name, else by a JMESPath expression.

    Raises CaptureError where a flat table has no such column.
    """
    if found.flat:
        if name not in found.members:
            raise CaptureError(f'the field "{name}" is gone: no row has it')
        return itemgetter(found.members[name])
    if name in found.members or _PLAIN_FIELD.fullmatch(name):
        return lambda record: record.get(name)
    return lambda record: search(name, record)
