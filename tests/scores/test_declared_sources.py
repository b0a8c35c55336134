"""The six sources of config.toml, and sources of other shapes: what a declaration alone reads."""

from datetime import date
from decimal import Decimal

import pytest
from tests.captures import declared, read_file, read_text

from digest.scores.snapshot import Offer, Score


@pytest.mark.parametrize(
    ("source", "name", "rows"),
    [
        ("livebench", "2026-01-19.csv", 3),
        ("aider", "2026-03-02.yml", 3),
        ("lmarena_text", "2026-03-02.json", 3),
        ("vectara", "2026-03-02.md", 3),
        ("litellm", "2026-03-02.json", 3),
        ("genai_prices", "2026-03-02.json", 5),
    ],
)
def test_every_packaged_source_reads_a_file_of_its_shape(source: str, name: str, rows: int) -> None:
    snapshot = read_file(source, name)
    assert (snapshot.capture.source, len(snapshot.rows)) == (source, rows)
    assert snapshot.lead is None or snapshot.scores[snapshot.lead]


# LiveBench: CSV with aggregates


def test_the_overall_is_the_mean_of_the_category_means() -> None:
    scores = read_file("livebench", "2026-01-19.csv").scores
    assert scores["category:Reasoning"]["aurora-2-high"].value == 80
    assert scores["category:IF"]["aurora-2-high"].value == 30
    assert scores["overall"]["aurora-2-high"].value == 60


def test_an_aggregate_names_what_it_is_the_mean_of() -> None:
    benchmarks = read_file("livebench", "2026-01-19.csv").benchmarks
    assert benchmarks["category:Coding"].inputs == ("code_generation", "code_completion")
    assert "category:Coding" in benchmarks["overall"].inputs
    assert (benchmarks["overall"].margin, benchmarks["typos"].inputs) == (Decimal("1.0"), ())


def test_the_category_map_in_force_on_the_day_of_the_capture_counts() -> None:
    before, after = read_file("livebench", "2026-01-19.csv"), read_file("livebench", "2026-01-26.csv")
    assert before.scores["category:Data Analysis"]["aurora-2-high"].value == 40
    assert after.scores["category:Data Analysis"]["aurora-2-high"].value == 30
    assert after.benchmarks["category:Data Analysis"].inputs[0] == "consecutive_events"


def test_a_short_row_within_a_csv_has_missing_cells_which_are_not_zero() -> None:
    snapshot = read_file("livebench", "2026-01-19.csv")
    assert "borealis-1-mini" in snapshot.rows
    assert "borealis-1-mini" not in snapshot.scores["zebra_puzzle"]
    assert snapshot.scores["AMPS_Hard"]["borealis-1-mini"] == Score(Decimal("33.25"))


def test_a_row_has_an_aggregate_only_where_it_has_every_input() -> None:
    scores = read_file("livebench", "2026-01-19.csv").scores
    assert "borealis-1-mini" in scores["category:Coding"]
    assert "borealis-1-mini" not in scores["category:Reasoning"]
    assert "borealis-1-mini" not in scores["overall"]


def test_a_zero_is_a_score_and_counts_in_its_means() -> None:
    scores = read_file("livebench", "2026-01-19.csv").scores
    assert scores["python"]["cirrus-large-thinking"].value == 0
    assert scores["category:Agentic Coding"]["cirrus-large-thinking"].value == 0
    assert scores["overall"]["cirrus-large-thinking"].value == 66


def test_the_wildcard_reads_every_column_that_is_no_name() -> None:
    snapshot = read_file("livebench", "2026-01-26.csv")
    tasks = [name for name, about in snapshot.benchmarks.items() if not about.inputs]
    assert len(tasks) == 23
    assert "consecutive_events" in tasks
    assert "model" not in tasks


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n\n", "\n \n", "\n,\n"])
def test_blank_lines_and_line_ends_of_any_kind_are_no_rows(end: str) -> None:
    for text in (f"model,score{end}aurora-2,1{end}borealis-1,2{end}", f"model,score{end}aurora-2,1{end}borealis-1,2"):
        assert list(read_text(text).rows) == ["aurora-2", "borealis-1"]


def test_a_byte_order_mark_is_no_part_of_the_first_header() -> None:
    assert list(read_text(b"\xef\xbb\xbfmodel,score\naurora-2,1\n").rows) == ["aurora-2"]


# Aider: YAML with keys of its own


def test_two_rows_of_one_name_stand_side_by_side_under_their_keys() -> None:
    snapshot = read_file("aider", "2026-03-02.yml")
    rows = {
        row.key: snapshot.scores["pass_rate_2"][row.key].value for row in snapshot.rows.values() if "bor" in row.raw
    }
    assert rows == {
        "2026-02-21-10-00-00--borealis-1-diff": Decimal("16.4"),
        "2026-02-22-10-00-00--borealis-1-whole": Decimal("8.0"),
    }


def test_a_share_carries_the_number_of_its_cases() -> None:
    scores = read_file("aider", "2026-03-02.yml").scores
    assert scores["pass_rate_2"]["2026-02-20-10-00-00--aurora-2-diff"] == Score(Decimal("81.30"), n=225)


def test_a_number_in_yaml_keeps_its_digits() -> None:
    scores = read_file("aider", "2026-03-02.yml").scores
    assert str(scores["total_cost"]["2026-02-20-10-00-00--aurora-2-diff"].value) == "12.0150"


def test_a_cost_of_zero_is_kept_and_marked_as_unknown_by_its_benchmark() -> None:
    snapshot = read_file("aider", "2026-03-02.yml")
    costs = snapshot.scores["total_cost"]
    assert costs["2026-02-21-10-00-00--borealis-1-diff"].value == 0
    assert "2026-02-22-10-00-00--borealis-1-whole" not in costs
    assert snapshot.benchmarks["total_cost"].zero_is_missing
    assert not snapshot.benchmarks["total_cost"].higher_is_better


# Arena: nested JSON, one score a row


def test_a_rating_has_the_interval_that_is_published_with_it() -> None:
    scores = read_file("lmarena_text", "2026-03-02.json").scores
    assert scores["full"]["aurora-2"] == Score(Decimal("1440.0625"), Decimal("1432.25"), Decimal("1447.5"))
    assert str(scores["full"]["borealis-1"].value) == "1400.123456789012"


def test_a_model_that_is_missing_in_a_category_is_missing_only_there() -> None:
    snapshot = read_file("lmarena_text", "2026-03-02.json")
    assert set(snapshot.scores["korean"]) == {"aurora-2"}
    assert set(snapshot.scores["full"]) == set(snapshot.rows)
    assert all(about.relative for about in snapshot.benchmarks.values())


# Vectara: a Markdown table


def test_the_table_with_the_declared_columns_is_read_and_other_tables_are_not() -> None:
    snapshot = read_file("vectara", "2026-03-02.md")
    assert list(snapshot.rows) == ["aurora-labs/aurora-2", "Borealis-AI/Borealis_1-mini", "cirrus/cirrus-large"]


def test_lower_is_better_where_it_is_declared() -> None:
    benchmarks = read_file("vectara", "2026-03-02.md").benchmarks
    assert not benchmarks["Hallucination Rate"].higher_is_better
    assert benchmarks["Answer Rate"].higher_is_better


def test_a_sign_that_is_declared_is_taken_off_a_figure() -> None:
    scores = read_file("vectara", "2026-03-02.md").scores
    assert scores["Hallucination Rate"]["aurora-labs/aurora-2"].value == Decimal("1.8")
    assert scores["Hallucination Rate"]["cirrus/cirrus-large"].value == 0
    assert scores["Average Summary Length (Words)"]["cirrus/cirrus-large"].value == Decimal("81.4")


# Price lists


def test_keys_that_are_no_models_are_skipped() -> None:
    assert set(read_file("litellm", "2026-03-02.json").offers) == {
        "aurora-2",
        "borealis/borealis-1",
        "hub/cirrus-large",
    }


def test_a_price_per_token_becomes_an_exact_price_per_million() -> None:
    offer = read_file("litellm", "2026-03-02.json").offers["aurora-2"]
    assert offer == Offer("aurora", Decimal("0.019"), Decimal("12.5"), 2_000_000, 64_000)


def test_a_free_model_and_one_without_a_price_are_told_apart() -> None:
    offers = read_file("litellm", "2026-03-02.json").offers
    assert offers["borealis/borealis-1"] == Offer("borealis", Decimal(0), Decimal(0), 128_000)
    assert offers["hub/cirrus-large"] == Offer(host="hub")


def test_one_id_at_two_providers_is_two_offers() -> None:
    offers = read_file("genai_prices", "2026-03-02.json").offers
    assert offers["aurora/aurora-2"] == Offer("aurora", Decimal("1.25"), Decimal(10), 200_000)
    assert offers["hub/aurora-2"].host == "hub"


def test_of_a_tiered_price_the_base_is_read() -> None:
    offer = read_file("genai_prices", "2026-03-02.json").offers["aurora/aurora-2-long"]
    assert (offer.input, offer.output) == (Decimal("2.5"), Decimal(15))


def test_of_conditional_prices_the_newest_is_read() -> None:
    offer = read_file("genai_prices", "2026-03-02.json").offers["hub/aurora-2"]
    assert (offer.input, offer.output) == (Decimal(3), Decimal(12))


def test_a_provider_s_entry_without_prices_is_an_offer_that_names_none() -> None:
    offers = read_file("genai_prices", "2026-03-02.json").offers
    assert offers["hub/cirrus-image"] == Offer(host="hub")
    assert offers["hub/cirrus-free"].input == 0


# A seventh source: a declaration, no Python


def test_json_with_rows_two_levels_down_needs_a_declaration_alone() -> None:
    source = declared(
        format="json",
        rows=[{"each": "results.boards", "key_as": "board"}, {"each": "entries"}],
        model="system.name",
        key="join('@', [system.name, board])",
        columns={"metrics.accuracy": {"benchmark": "accuracy", "scale": "100", "stderr": "metrics.se"}},
        lead="accuracy",
    )
    entry = '{"system": {"name": "%s"}, "metrics": {"accuracy": %s, "se": 0.011}}'
    text = '{"results": {"boards": {"easy": {"entries": [%s, %s]}, "hard": {"entries": [%s]}}}}'
    filled = (entry % ("aurora-2", "0.875"), entry % ("borealis-1", "0.5"), entry % ("aurora-2", "0.25"))
    scores = read_text(text % filled, source).scores["accuracy"]
    assert {key: score.value for key, score in scores.items()} == {
        "aurora-2@easy": Decimal("87.500"),
        "borealis-1@easy": Decimal("50.0"),
        "aurora-2@hard": Decimal("25.00"),
    }
    assert scores["aurora-2@hard"].stderr == Decimal("1.1")


def test_a_csv_whose_first_header_is_empty_is_declared_by_that_name() -> None:
    source = declared(model="", columns={"*": {"unit": "points"}}, ignore=["Rank"], lead="Elo", missing=["-"])
    snapshot = read_text(",Rank,Elo,Votes\naurora-2,1,1200.5,300\nborealis-1,2,1100,-\n", source)
    assert list(snapshot.rows) == ["aurora-2", "borealis-1"]
    assert snapshot.scores["Elo"]["borealis-1"].value == 1100
    assert set(snapshot.scores["Votes"]) == {"aurora-2"}
    assert "Rank" not in snapshot.benchmarks


def test_yaml_with_anchors_and_merge_keys_is_read_as_it_says() -> None:
    source = declared(format="yaml", rows=[{"key_as": "model"}])
    snapshot = read_text("aurora-2: &base {score: 1.5, n: 3}\n2: {<<: *base, score: 2.50}\n", source)
    assert {key: str(score.value) for key, score in snapshot.scores["score"].items()} == {
        "aurora-2": "1.5",
        "2": "2.50",
    }


@pytest.mark.parametrize(
    ("cell", "value"), [("0", "0"), ("-1.5", "-1.5"), ("+2", "2"), (".5", "0.5"), ("7.", "7"), ("1.9e-08", "1.9E-8")]
)
def test_a_number_is_read_to_its_last_digit(cell: str, value: str) -> None:
    assert read_text(f"model,score\naurora-2,{cell}\n").scores["score"]["aurora-2"].value == Decimal(value)


def test_an_empty_cell_is_missing_and_not_zero() -> None:
    snapshot = read_text("model,score\naurora-2,\nborealis-1,0\n")
    assert snapshot.scores["score"] == {"borealis-1": Score(Decimal(0))}
    assert set(snapshot.rows) == {"aurora-2", "borealis-1"}


def test_content_is_the_same_whatever_the_order_of_the_rows() -> None:
    one, other = read_text("model,score\na,1\nb,2\n"), read_text("model,score\nb,2.0\na,1\n", on=date(2026, 3, 9))
    assert one.content == other.content
    assert one.content != read_text("model,score\na,1\nb,3\n").content
