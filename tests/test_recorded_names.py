"""The 1,456 names resolved by hand beside the checkout: how many the rules and aliases understand, and none merged."""

import csv
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from digest.scores.catalog import Catalog, packaged_catalog, resolve

TRUTH = Path(__file__).parents[2] / "shared" / "data" / "catalog" / "identity_truth.csv"
BOARDS = ("livebench", "aider", "vectara", "lmarena_text")
PRICE_LISTS = ("litellm", "genai_prices")
Row = dict[str, str]

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not TRUTH.is_file(), reason="the names resolved by hand are not beside the checkout"),
]


@cache
def models() -> tuple[Row, ...]:
    """The rows that are models at all; `last_updated` and the like have no right answer."""
    with TRUTH.open(encoding="utf-8", newline="") as file:
        return tuple(row for row in csv.DictReader(file) if row["kind"] != "not_a_model")


def certain(*sources: str) -> list[Row]:
    return [row for row in models() if row["source"] in sources and "DOUBTFUL" not in row["note"]]


def is_right(row: Row, catalog: Catalog | None = None) -> bool:
    name = resolve(row["raw"], catalog)
    stated = (name.model, name.effort or "", name.thinking or "", name.date or "", name.pair is not None)
    variant = (row["variant_effort"], row["variant_thinking"], row["variant_date"])
    return stated == (row["canonical_id"], *variant, row["kind"] == "pair")


def share_right(rows: list[Row], catalog: Catalog | None = None) -> float:
    return sum(is_right(row, catalog) for row in rows) / len(rows)


def merged(rows: Iterable[Row], catalog: Catalog | None = None) -> dict[str, set[str]]:
    """The ids that two different models were given, by all names or, with fewer aliases, by what rules took apart.

    A name spelled exactly as another model's id (lmarena's `mistral-medium`) can be told from it by an alias alone.
    """
    given = defaultdict(set)
    for row in rows:
        model = resolve(row["raw"], catalog).model
        is_spelled_as_another = catalog is not None and row["canonical_id"] != model == row["raw"]
        if not is_spelled_as_another:
            given[model].add(row["canonical_id"])
    return {model: meant for model, meant in given.items() if len(meant) > 1}


def without_aliases_of(rows: list[Row]) -> Catalog:
    """The packaged catalogue without every alias that one of the names resolves by."""
    full = packaged_catalog()
    needed = [row["raw"] for row in rows if resolve(row["raw"]).how == "alias"]
    dropped = set()
    for spelling in full.aliases:
        rest = replace(full, aliases={known: alias for known, alias in full.aliases.items() if known != spelling})
        if any(resolve(raw, rest) != resolve(raw) for raw in needed):
            dropped.add(spelling)
    return replace(full, aliases={known: alias for known, alias in full.aliases.items() if known not in dropped})


def test_99_percent_of_the_boards_names_are_understood() -> None:
    rows = certain(*BOARDS)
    assert len(rows) == 479
    assert share_right(rows) >= 0.99


def test_97_percent_of_the_price_lists_names_are_understood() -> None:
    rows = certain(*PRICE_LISTS)
    assert len(rows) == 960
    assert share_right(rows) >= 0.97


def test_no_two_different_models_are_ever_merged() -> None:
    assert merged(models()) == {}


def test_every_model_and_codename_resolved_by_hand_is_known() -> None:
    assert [row["raw"] for row in models() if resolve(row["raw"]).how == "unresolved"] == []


def test_hosts_are_those_found_by_hand() -> None:
    def parts(host: str | None) -> set[str]:
        return {part for part in (host or "").split("; ") if part and not part.startswith("tier")}

    rows = certain(*BOARDS, *PRICE_LISTS)
    assert [row["raw"] for row in rows if parts(resolve(row["raw"]).host) != parts(row["host_or_region"])] == []


@pytest.mark.parametrize("seed", range(10))
def test_rules_alone_understand_90_percent_of_names_whose_aliases_are_gone(seed: int) -> None:
    rows = certain(*BOARDS, *PRICE_LISTS)
    tenth = random.Random(seed).sample(rows, len(rows) // 10)
    rules = without_aliases_of(tenth)
    assert share_right(tenth, rules) >= 0.90
    assert merged(rows, rules) == {}


def test_rules_alone_merge_nothing_when_the_catalogue_knows_no_model() -> None:
    nothing_known = replace(packaged_catalog(), models={}, aliases={})
    rows = certain(*BOARDS, *PRICE_LISTS)
    assert share_right(rows, nothing_known) >= 0.90
    assert merged(rows, nothing_known) == {}
