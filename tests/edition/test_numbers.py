"""Figures, days and names are written as the style guide says."""

from datetime import date
from decimal import Decimal

import pytest
from tests.builders import a_name

from digest.edition import numbers


@pytest.mark.parametrize(
    ("value", "written"),
    [("80.71", "80.7"), ("80.25", "80.3"), ("80.35", "80.4"), ("-4.5", "−4.5"), ("-0.04", "0.0"), ("1E+30", "1.0e+30")],
)
def test_a_score_has_one_decimal_rounded_half_up(value: str, written: str) -> None:
    assert numbers.score(Decimal(value), "%") == written


def test_a_rating_is_whole_and_a_missing_score_is_no_zero() -> None:
    assert numbers.score(Decimal("1438.6795"), "rating") == "1439"
    assert numbers.score(None, "%") == "not measured"
    assert numbers.score(Decimal("12.34"), "s") == "12.3 s"


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        ("2.1", "%", "2.1 points"),
        ("1", "%", "1.0 point"),
        ("0.96", "%", "1.0 point"),
        ("0.04", "%", "0.04 points"),
        ("20.61", "rating", "21 points"),
        ("-3.2", "s", "3.2 s"),
        ("1.2", "USD", "$1.20"),
    ],
)
def test_a_gap_that_is_not_zero_never_reads_as_zero(value: str, unit: str, written: str) -> None:
    assert numbers.gap(Decimal(value), unit) == written


def test_a_change_has_a_sign_and_a_unit() -> None:
    assert numbers.change(Decimal("82.7"), Decimal("78.2"), "%") == "−4.5 pt"
    assert numbers.change(Decimal("79.6"), Decimal("81.3"), "%") == "+1.7 pt"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("5", "$5.00"),
        ("0.95", "$0.95"),
        ("0.1", "$0.10"),
        ("0.028", "$0.028"),
        ("0.00004", "$0.00004"),
        ("0", "$0.00"),
        ("15000", "$15,000.00"),
        (None, "not known"),
    ],
)
def test_a_price_that_is_not_zero_never_reads_as_zero(value: str | None, written: str) -> None:
    assert numbers.money(Decimal(value) if value else None) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(262144, "262K"), (1050000, "1.05M"), (1_000_000, "1M"), (999_999, "1M"), (10485760, "10.49M"), (512, "512")],
)
def test_tokens_are_counted_in_thousands_and_millions(value: int, written: str) -> None:
    assert numbers.tokens(Decimal(value)) == written


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("60", "30", "half"),
        ("0.20", "0.15", "25% less"),
        ("1", "1.2", "20% more"),
        ("1", "0.001", "over 99% less"),
        ("1000", "999", "under 1% less"),
        ("0", "5", ""),
        ("5", "0", ""),
    ],
)
def test_a_price_change_is_said_as_a_share_only_where_there_is_one(before: str, after: str, said: str) -> None:
    assert numbers.less_or_more(Decimal(before), Decimal(after)) == said


def test_days_weeks_and_ranks_need_no_locale() -> None:
    assert numbers.day(date(2026, 4, 27)) == "Mon 27 Apr"
    assert numbers.monday("2026-W01") == date(2025, 12, 29)
    assert [numbers.ordinal(rank) for rank in (1, 2, 3, 4, 11, 21, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "21st", "112th",
    ]  # fmt: skip


def test_counts_agree_with_their_noun() -> None:
    assert numbers.several(1, "row", words=True) == "one row"
    assert numbers.several(8, "new row", words=True) == "eight new rows"
    assert numbers.several(2687, "more price entry") == "2,687 more price entries"


def test_two_figures_that_differ_are_shown_apart() -> None:
    assert numbers.apart(Decimal("76.42"), Decimal("76.44"), "%") == ("76.42", "76.44")
    assert numbers.apart(Decimal("76.4"), Decimal("42"), "%") == ("76.4", "42.0")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("gpt\x00-5\x1b[31m", "gpt-5[31m"),
        ("good\u202emodel\u2066", "goodmodel"),
        ("two\nlines\u2028and\x85more", "two lines and more"),
        ("=?utf-8?q?A=0A_Bcc:_evil=40x?=", "utf-8?q?A=0A_Bcc:_evil=40x?="),
        ("==??=?x", "x"),
        ("\u200b\ufeff", "(no name)"),
        ("\ud800\uffff\ue000", "(no name)"),
        ("Qwen3.5 397B", "Qwen3.5 397B"),
    ],
)
def test_what_cannot_be_seen_is_taken_out_of_a_name(text: str, seen: str) -> None:
    assert numbers.shown(text) == seen


def test_a_long_name_is_clipped_with_an_ellipsis() -> None:
    assert numbers.shown("x" * 10_000) == "x" * 59 + "…"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (a_name("gpt-5.5", "xhigh"), "gpt-5.5 xhigh"),
        (a_name("claude-opus-4.6", "high", thinking="on"), "claude-opus-4.6 thinking, high"),
        (a_name("claude-opus-4.5", thinking="64k"), "claude-opus-4.5 thinking 64k"),
        (a_name("gpt-5.2", "none"), "gpt-5.2 no effort"),
        (a_name("kimi-k2.5", thinking="off"), "kimi-k2.5 no thinking"),
        (a_name("GPT-5.3-Codex-Spark", host="Vertex AI"), "GPT-5.3-Codex-Spark on Vertex AI"),
        (a_name("claude-opus-4-6", host="us.; bedrock"), "claude-opus-4-6 on bedrock, us"),
        (a_name("qwen3-32b", host="tier free"), "qwen3-32b tier free"),
        (a_name("gpt-5.2", "low", date="2025-12-11"), "gpt-5.2 2025-12-11, low"),
    ],
)
def test_a_model_is_shown_in_its_publishers_case_with_its_variant(name: object, written: str) -> None:
    assert numbers.full(name) == written  # type: ignore[arg-type]
