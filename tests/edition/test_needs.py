"""What readers ask for: needs by name and weight, and the file that says which benchmarks answer them."""

import io
from decimal import Decimal
from pathlib import Path

import pytest

from digest.config.assets import asset
from digest.edition.needs import load_needs, packaged_needs, plain_name, weights_of
from digest.errors import ConfigError, UsageError
from digest.language import extract_titles


def test_the_packaged_needs_are_those_of_the_decision_matrix() -> None:
    assert packaged_needs().needs.keys() >= {
        "coding", "math", "search", "instructions", "long_context", "multimodal", "cost", "latency", "privacy",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["search", "Search and browsing", "SEARCH", "search-and_browsing"])
def test_a_need_is_found_by_id_or_title_whatever_its_spelling(text: str) -> None:
    assert weights_of([f"{text}=2.5"], packaged_needs()) == {"search": Decimal("2.5")}


def test_a_need_without_a_weight_has_the_weight_1_and_one_of_weight_0_is_left_out() -> None:
    assert weights_of(["coding", "math=0"], packaged_needs()) == {"coding": 1}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["codng=2"], r'^there is no need "codng"; did you mean coding\?$'),
        (["zzzzz"], r"^there is no need \"zzzzz\"; there are coding, agents, "),
        (["coding=-1"], r"^--need coding=-1: a weight is a number from 0 to 1,000,000; "),
        (["coding=much"], r"^--need coding=much: a weight is a number"),
        (["coding=NaN"], r"a weight is a number"),
        (["coding="], r"a weight is a number"),
        (["coding=0", "math=0"], r"^every need has the weight 0, so nothing is asked for; "),
        (["coding=1", "coding=2"], r"^--need coding is given two weights, 1 and 2; give it one\.$"),
    ],
)
def test_needs_that_cannot_be_meant_are_refused_in_one_sentence(asked: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        weights_of(asked, packaged_needs())


def test_a_hostile_need_is_named_harmlessly() -> None:
    with pytest.raises(UsageError) as refused:
        weights_of(["\x1b[31m‮" + "x" * 10_000], packaged_needs())
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300


def test_names_are_compared_without_case_hyphens_and_the_word_category() -> None:
    assert plain_name("category:Agentic_Coding") == plain_name(" agentic-coding ") == "agentic coding"


FILE = 'blend = { input = 3, output = 1 }\namong = 10\noverall = []\n[needs.x]\ntitle = "X"\nasks = "x"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FILE, r"needs\.x names no benchmark and no other measure"),
        (FILE + 'measure = "smell"', r"needs\.x\.measure: input should be"),
        (FILE + "measures = 1", r"needs\.x\.measures: extra inputs"),
        (FILE.replace("output = 1", "output = 0"), r"blend\.output: "),
        ("among = ", r"cannot be read"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "needs.toml").write_text(text)
    with pytest.raises(ConfigError, match=rf"needs\.toml.*{said}"):
        load_needs(tmp_path / "needs.toml")


def test_every_title_of_the_data_is_a_message_and_no_other_text_is() -> None:
    written = (
        b'[needs.a]\ntitle = "Coding"\nasks = "code"\n\n[needs.b]\ntitle = "L\\u00e4rm & 100%"\nmeasure = "price"\n'
    )
    found = list(extract_titles(io.BytesIO(written), (), (), {}))
    assert found == [(2, None, "Coding", []), (1, None, "Lärm & 100%", [])]


def test_the_titles_that_come_with_the_program_are_extracted_for_translation() -> None:
    with (asset("data") / "needs.toml").open("rb") as file:
        said = {title for _line, _function, title, _comments in extract_titles(file, (), (), {})}
    assert said == {need.title for need in packaged_needs().needs.values()}
