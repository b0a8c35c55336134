"""What cannot be believed is refused in one sentence that names the source, the place and the fault, and quickly."""

import gzip
import time
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.captures import DATA, capture, declared, packaged, read_text

from digest.config.source import Source
from digest.errors import CaptureError
from digest.scores.figures import LONGEST_FAULT, read
from digest.scores.sources import gunzip

FILES = {
    "csv": "livebench/2026-01-26.csv",
    "yaml": "aider/2026-03-02.yml",
    "markdown": "vectara/2026-03-02.md",
    "json": "litellm/2026-03-02.json",
}
FORMATS = tuple(FILES)
QUICKLY = 3.0
"""Seconds of this process; what is meant are the hours that a hostile file could take."""

by_model: dict[str, Any] = {"format": "json", "rows": [{"key_as": "model"}]}
JSON = declared(**by_model)
YAML = declared(**{**by_model, "format": "yaml"})
CSV = declared()
MARKDOWN = declared(format="markdown")
PRICES = declared(**by_model, kind="offers", columns={}, lead=None, prices={"input": "in", "host": "host"})


def refused(text: str | bytes, source: Source) -> str:
    """The sentence with which a file is refused."""
    began = time.process_time()
    with pytest.raises(CaptureError) as caught:
        read_text(text, source)
    assert time.process_time() - began < QUICKLY
    sentence = str(caught.value)
    assert sentence.startswith("sample, 2026-03-02: ")
    assert sentence.endswith("; the capture was left out.")
    assert sentence.isprintable()
    assert len(sentence) < LONGEST_FAULT + 100
    return sentence


def file_and_source(format: str) -> tuple[bytes, Source]:
    name = FILES[format]
    return (DATA / name).read_bytes(), packaged(name.partition("/")[0])


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("empty", [b"", b"\n \n", b"\xef\xbb\xbf"], ids=["nothing", "blank", "only a byte order mark"])
def test_an_empty_file_is_refused(format: str, empty: bytes) -> None:
    _, source = file_and_source(format)
    assert "the file is empty" in refused(empty, source)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_ends_in_the_middle_of_a_row_is_refused(format: str) -> None:
    data, source = file_and_source(format)
    middle = {"csv": b",77,77", "yaml": b"onds_per_case: 11.2", "markdown": b".2 %|99.5", "json": b'ub",'}[format]
    refused(data[: data.rindex(middle)], source)


@pytest.mark.parametrize("cut", ["| b | 2 |", "| b | 2", "| b |", "| b", "|"])
def test_a_markdown_table_whose_last_row_is_short_is_a_cut_file(cut: str) -> None:
    sentence = refused(f"| model | score | n |\n|---|---|---|\n| a | 1 | 7 |\n{cut}", MARKDOWN)
    assert "the file ends in the middle of a row (line 4)" in sentence


@pytest.mark.parametrize("table", ["| model | score |\n|-|-|\n| a | 1 |", "model | score\n-|-\na | 1\n"])
def test_a_markdown_table_may_end_the_file(table: str) -> None:
    assert list(read_text(table, MARKDOWN).rows) == ["a"]


def test_a_short_last_row_of_a_csv_is_a_cut_file() -> None:
    assert "the file ends in the middle of a row (line 3)" in refused("model,score,n\na,1,2\nb,2\n", CSV)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("page", ["<!DOCTYPE html><title>Sign in</title>", "\n<html><body>Too many requests</body>"])
def test_a_web_page_in_place_of_the_file_is_told_as_one(format: str, page: str) -> None:
    _, source = file_and_source(format)
    assert f"the file is an HTML page, not {format}" in refused(page, source)


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_that_are_no_utf_8_are_refused_with_their_place(format: str) -> None:
    data, source = file_and_source(format)
    assert "not UTF-8 at byte 30" in refused(data[:30] + b"\xff" + data[30:], source)


@pytest.mark.parametrize(
    ("format", "old", "new", "named"),
    [
        ("csv", "zebra_puzzle", "striped_puzzle", "zebra_puzzle"),
        ("csv", "model,", "name,", "model"),
        ("yaml", "pass_rate_2:", "pass_rate:", "pass_rate_2"),
        ("yaml", "test_cases:", "cases:", "test_cases"),
        ("yaml", "dirname:", "run:", "dirname"),
        ("markdown", "|Hallucination Rate", "|Rate", "Hallucination Rate"),
        ("json", "output_cost_per_token", "output_price", "output_cost_per_token"),
        ("json", "max_output_tokens", "max_tokens", "max_output_tokens"),
    ],
)
def test_a_column_that_is_gone_is_named(format: str, old: str, new: str, named: str) -> None:
    data, source = file_and_source(format)
    sentence = refused(data.decode().replace(old, new), source)
    assert named in sentence


def test_a_nested_field_that_is_gone_is_named() -> None:
    source = declared(format="json", columns={"metrics.accuracy": {"benchmark": "accuracy"}}, lead="accuracy")
    assert '"metrics.accuracy" is gone' in refused('[{"model": "a", "metrics": {"f1": 0.5}}]', source)


def test_a_lead_without_a_single_score_is_refused() -> None:
    assert 'no row has a score under the lead benchmark "score"' in refused("model,score\na,\nb,\n", CSV)


# Figures that are none


NO_FIGURES = [
    *(".nan", "NaN", ".inf", "-.inf", "Infinity", "-Infinity", "1e999", "1e-999", "1e99999999999999999999", "0e999"),
    *("0x" + "f" * 9_000, "9" * 9_000, "0." + "1" * 9_000, "true", "1,5", "1 000", "１", "[1]", "{x: 1}"),
]


@pytest.mark.parametrize(
    ("source", "template"),
    [
        (CSV, "model,score\na,1\nb,%s\n"),
        (MARKDOWN, "| model | score |\n|---|---|\n| a | 1 |\n| b | %s |\n"),
        (YAML, "a:\n  score: 1\nb:\n  score: %s\n"),
        (JSON, '{"a": {"score": 1}, "b": {"score": %s}}'),
    ],
    ids=["csv", "markdown", "yaml", "json"],
)
@pytest.mark.parametrize("figure", NO_FIGURES, ids=lambda figure: f"{figure[:12]}-{len(figure)}")
def test_what_is_no_finite_number_of_sensible_size_is_refused(source: Source, template: str, figure: str) -> None:
    refused(template % figure, source)


@pytest.mark.parametrize("source", [JSON, YAML], ids=["json", "yaml"])
def test_a_number_as_a_text_is_refused_where_the_format_has_numbers(source: Source) -> None:
    sentence = refused('{"a": {"score": 1}, "b": {"score": "81.3"}}', source)
    assert """"b": "score" is '81.3', which is a text where a number belongs""" in sentence


def test_a_figure_that_is_none_is_named_by_line_and_column() -> None:
    assert """line 3: "score" is 'n/a', which is no number""" in refused("model,score\na,1\nb,n/a\n", CSV)


def test_a_figure_without_the_sign_that_is_declared_is_refused() -> None:
    source = declared(columns={"score": {"strip": "%"}})
    assert 'lacks the "%"' in refused("model,score\na,1 %\nb,0.02\n", source)


@pytest.mark.parametrize("price", ["-1", "-0.0000001", "-1e-9"])
def test_a_price_below_zero_is_refused(price: str) -> None:
    text = f'{{"a": {{"in": 1, "host": "h"}}, "b": {{"in": {price}}}}}'
    assert '"b" asks a price below zero' in refused(text, PRICES)


@pytest.mark.parametrize(
    ("column", "row"),
    [
        ({"low": "low", "high": "high"}, "a,50,60,70,1,1"),
        ({"stderr": "se"}, "a,50,40,60,-1,1"),
        ({"n": "n"}, "a,50,40,60,1,2.5"),
        ({"n": "n"}, "a,50,40,60,1,-3"),
        ({"n": "n"}, "a,50,40,60,1,3000000000"),
    ],
)
def test_an_uncertainty_that_cannot_be_is_refused(column: dict[str, str], row: str) -> None:
    text = f"model,score,low,high,se,n\nb,50,40,60,1,9\n{row}\n"
    assert "line 3" in refused(text, declared(columns={"score": column}))


# Things that stand twice


@pytest.mark.parametrize(
    ("source", "text", "named"),
    [
        (JSON, '{"a": {"score": 1}, "b": {"score": 2}, "a": {"score": 3}}', 'the key "a"'),
        (JSON, '{"a": {"score": 1, "score": 2}}', 'the key "score"'),
        (YAML, "a: {score: 1}\nb: {score: 2}\na: {score: 3}\n", 'line 1: the key "a"'),
        (YAML, "a: {score: 1}\nb: {score: 2, score: 2}\n", 'line 2: the key "score"'),
        (CSV, "model,score,score\na,1,2\n", 'the header "score"'),
        (MARKDOWN, "| model | score | score |\n|-|-|-|\n| a | 1 | 2 |\n", 'the header "score"'),
        (CSV, "model,score\na,1\nb,2\na,3\n", 'line 4: the key "a"'),
        (MARKDOWN, "| model | score |\n|-|-|\n| a | 1 |\n| a | 2 |\n", 'line 4: the key "a"'),
    ],
)
def test_what_stands_twice_is_refused(source: Source, text: str, named: str) -> None:
    assert named in refused(text, source)


def test_a_model_that_stands_twice_in_a_category_is_refused() -> None:
    source = declared(format="json", columns={}, long={"name": "board", "value": "score"}, lead="all")
    row = '{"model": "a", "board": "all", "score": %d}'
    assert 'the key "a" stands twice under "all"' in refused(f"[{row % 1}, {row % 2}]", source)


def test_a_second_table_with_the_same_columns_is_refused() -> None:
    table = "| model | score |\n|-|-|\n| a | 1 |\n"
    assert "2 tables have all the columns model, score" in refused(f"{table}\n{table}", MARKDOWN)


# Names that are none


@pytest.mark.parametrize(
    "name", ["a\\u0000b", "\\ud800", "a\\udfff", "x" * 501, "漢" * 200, " ", ""], ids=lambda name: name[:8]
)
def test_a_name_that_no_database_takes_is_refused(name: str) -> None:
    refused(f'[{{"model": "{name}", "score": 1}}]', declared(format="json"))
    refused(f'{{"{name}": {{"score": 1}}}}', JSON)


@pytest.mark.parametrize("name", ["a\\u0000b", "\\ud800", "x" * 501], ids=lambda name: name[:8])
def test_a_host_or_a_benchmark_that_no_database_takes_is_refused(name: str) -> None:
    refused(f'{{"a": {{"in": 1, "host": "{name}"}}}}', PRICES)
    refused(f'{{"a": {{"score": 1, "{name}": 2}}}}', declared(**{**by_model, "columns": {"*": {}}}))


def test_terminal_codes_in_a_file_do_not_reach_the_terminal() -> None:
    sentence = refused("model,score\na,\x1b[2J\x07oops\n", CSV)
    assert "[2J" in sentence
    assert "\x1b" not in sentence


# Files made to exhaust


@pytest.mark.parametrize("format", FORMATS)
def test_a_line_of_ten_megabytes_is_refused_quickly(format: str) -> None:
    source = {"csv": CSV, "markdown": MARKDOWN, "yaml": YAML, "json": JSON}[format]
    start = '{"' if format == "json" else ""
    end = '": {"score": 1}}' if format == "json" else ""
    assert "10,000,000" in refused(start + "a" * 10_000_000 + end, source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (JSON, "[" * 200_000),
        (JSON, '{"a":' * 200_000),
        (YAML, "[\n" * 200_000),
        (YAML, "- " * 45_000),
        (YAML, "{a: \n" * 100_000),
        (YAML, "".join(" " * depth + "a:\n" for depth in range(300))),
    ],
)
def test_deep_nesting_is_refused_and_does_not_end_the_process(source: Source, text: str) -> None:
    assert "nested too deeply" in refused(text, source)


def test_yaml_aliases_that_multiply_are_refused() -> None:
    levels = "".join(f"  {n}: &n{n} [{', '.join([f'*n{n - 1}'] * 9)}]\n" for n in range(1, 200))
    assert "more than 1,000 YAML aliases" in refused(f"a:\n  0: &n0 [x]\n{levels}", YAML)


def test_a_few_yaml_aliases_without_end_are_not_written_out() -> None:
    levels = "".join(f"  {n}: &n{n} [{', '.join([f'*n{n - 1}'] * 9)}]\n" for n in range(1, 60))
    assert '"b": "score" is a list' in refused(f"a:\n  score: 1\n  0: &n0 [x]\n{levels}b: {{score: *n59}}\n", YAML)


def test_yaml_merge_keys_that_multiply_are_refused() -> None:
    wide = ", ".join(f"k{n}: 1" for n in range(2_000))
    text = f"a: &a {{score: 1, {wide}}}\nb: &b {{<<: [*a, *a, *a]}}\nc: {{<<: [*b, *b, *b]}}\n"
    assert "more than 10,000 keys" in refused(text, YAML)


@pytest.mark.parametrize("text", ["!!int ''", "!!bool 'x'", "!!float 'x'", "!!python/object:os.system x", "*nowhere"])
def test_a_yaml_tag_that_lies_is_refused(text: str) -> None:
    refused(f"a: {{score: {text}}}\n", YAML)


@pytest.mark.parametrize("opening", ["[", "![", "*a ", "`", "<a ", "&#", "\\"])
def test_markdown_made_to_be_slow_is_not(opening: str) -> None:
    began = time.process_time()
    prose = (opening * (9_000 // len(opening)) + "\n") * 40
    snapshot = read_text(f"{prose}\n| model | score |\n|---|---|\n| a | 1 |\n\n{prose}", MARKDOWN)
    assert list(snapshot.rows) == ["a"]
    assert time.process_time() - began < QUICKLY


def test_a_great_many_columns_are_checked_quickly() -> None:
    headers = ",".join(map(str, range(15_000)))
    assert 'the header "14999"' in refused(f"model,score,{headers},14999\na,1\n", CSV)
    members = ", ".join(f'"{n}": 1' for n in range(100_000))
    assert 'the key "99999"' in refused(f'{{"a": {{"score": 1, {members}, "99999": 2}}}}', JSON)


# gzip


def test_a_gzip_bomb_is_left_at_the_limit() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(CaptureError, match=r"more than 1 MB \(\[fetch\] max_megabytes\)"):
        gunzip(bomb, 1_000_000)


@pytest.mark.parametrize("keep", [-1, -8, -20, 12, 3])
def test_a_gzip_file_that_was_cut_is_refused(keep: int) -> None:
    packed = gzip.compress(bytes(range(256)) * 50)
    with pytest.raises(CaptureError, match="ends in the middle of its gzip data"):
        gunzip(packed[:keep], 1_000_000)


NO_GZIP = {
    "plain": b"model,score\n",
    "zlib": zlib.compress(b"abc"),
    "another checksum": gzip.compress(b"abc")[:-8] + b"\0" * 8,
}


@pytest.mark.parametrize("packed", NO_GZIP.values(), ids=NO_GZIP.keys())
def test_what_is_no_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(CaptureError, match="not valid gzip"):
        gunzip(packed, 1_000_000)


def test_a_gzip_file_of_several_members_is_read_whole() -> None:
    assert gunzip(gzip.compress(b"model,") + gzip.compress(b"score\n"), 12) == b"model,score\n"


# Anything at all


def pieces(*words: str) -> st.SearchStrategy[bytes]:
    """Bytes of any kind, and texts out of the words that the format gives a meaning."""
    text = st.lists(st.sampled_from(words) | st.text(max_size=3), max_size=40).map("".join)
    return st.binary(max_size=200) | text.map(lambda text: text.encode(errors="surrogatepass"))


ANYTHING: dict[str, tuple[Source, st.SearchStrategy[bytes]]] = {
    "csv": (CSV, pieces("model,score\n", "a,1\n", ",", '"', "\n", "\r", "1", "NaN", "-", "\0")),
    "markdown": (MARKDOWN, pieces("| model | score |\n|---|---|\n", "| a | 1 |\n", "|", "\n", "`", "[", "]", "\\|")),
    "yaml": (
        declared(format="yaml", columns={"*": {}}),
        pieces("- {model: a, score: 1}\n", "- ", "&a ", "*a", "<<: ", "{", "}", "[", "]", ", ", ": ", "\n", "!!int ")
        | pieces(
            "- {model: a", ", score: ", "1", ".inf", "0x1", "1:30", "2026-01-01", "~", "? ", "!!set ", "}\n", "1e9"
        ),
    ),
    "json": (
        declared(format="json", columns={"*": {}}),
        pieces('[{"model": "a", "score": 1}', "]", ", ", '"', "{", "}", ":", "1", "e9", "null", "\\ud800", "\\u0000")
        | pieces('[{"model": "a", "score": ', "1", "e", "9", "-", "0.", '"', "}]", "true", "NaN", ', "x": '),
    ),
}


def read_or_refused(data: bytes, source: Source) -> bool:
    """Whether the bytes give rows, or the one error for a capture with a sentence fit to print; others pass through."""
    try:
        return bool(read(data, capture(data), source).rows)
    except CaptureError as refusal:
        return str(refusal).isprintable()


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=150, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_any_bytes_give_a_snapshot_or_a_refusal(format: str, data: st.DataObject) -> None:
    source, anything = ANYTHING[format]
    assert read_or_refused(data.draw(anything), source)


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_a_file_with_a_piece_changed_gives_a_snapshot_or_a_refusal(format: str, data: st.DataObject) -> None:
    whole, source = file_and_source(format)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 30)))
    changed = whole[:start] + data.draw(st.binary(max_size=12)) + whole[end:]
    assert read_or_refused(changed, source)
