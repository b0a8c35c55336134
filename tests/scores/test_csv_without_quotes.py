"""A CSV file without quotes is split, one with quotes is parsed: both read the same rows and name the same lines."""

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.captures import declared, read_text

from digest.errors import CaptureError
from digest.scores import reading
from digest.scores.snapshot import Row

CELLS = st.sampled_from(
    ["a", "1", "", " ", "\t", "é", "x y", "\0", "\x0b", "\x1c", "\x85", "\u2028", "\ufeff", "12345678"]
)
ROWS = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=8)


def taken(text: str) -> list[Any]:
    """Every row with its number and the line that a fault in it would name, as far as they go; then the fault."""
    rows: list[Any] = []
    try:
        found = reading.table(text.encode(), declared(columns={"*": {}}, lead="one"))
        for block in found.blocks:
            rows += [(n, block.record(index), found.place(n)) for index, n in enumerate(block.numbers)]
    except CaptureError as fault:
        rows.append(str(fault))
    return rows


@given(st.integers(1, 3), ROWS, st.sampled_from(["", "\n", "\n\n", "\n ", " "]), st.sampled_from([3, 40, 50_000]))
@settings(max_examples=400, derandomize=True, deadline=None)
def test_what_is_split_is_what_would_be_parsed(width: int, rows: list[str], end: str, at_once: int) -> None:
    names = ["model", "one", "two"][:width]
    plain, quoted = (",".join(header) + "\n" + "\n".join(rows) + end for header in (names, ['"model"', *names[1:]]))
    with patch.object(reading, "CHARACTERS_AT_ONCE", at_once):
        split = taken(plain)
    parsed = taken(quoted)
    if split[-1:] == parsed[-1:] and isinstance(split[-1], str):
        split, parsed = split[-1:], parsed[-1:]  # a file that is refused may be refused some rows sooner
    assert split == parsed


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n"])
def test_a_fault_is_named_by_its_line_past_empty_lines_and_short_rows(ending: str, last: str) -> None:
    lines = ["model,one", "a,1", "", "b", "c,3", " , ", "d,4,5"]
    assert taken(ending.join(lines) + last)[-1] == "line 7 has 3 cells under 2 headers"


def test_a_key_under_two_names_goes_by_the_name_that_its_last_row_has() -> None:
    source = declared(columns={}, key="k", long={"name": "b", "value": "v"}, lead="x")
    said = read_text("k,model,b,v\nk,A,x,1\nk,B,y,2\nk,A,z,3\nq,A,x,1\nq,B,y,2\n", source)
    assert said.rows == {"k": Row("k", "A"), "q": Row("q", "B")}
