"""What folds away first: rows from the bottom, the movers' before all, and nothing that is not counted."""

from itertools import pairwise
from typing import Any

import pytest
from tests import builders as b
from tests.edition.corrections import a_correction
from tests.rendering.test_feeds import everything

from digest.edition.content import Edition
from digest.edition.folding import rows_of, shorter
from digest.edition.section_facts import Renamed

LISTS = {"boards": "places", "movers": "movers", "prices": "priced", "arrivals": "models", "gone": "names"}
SHARED = ("disagreements", "corrections", "renamed", "method")
FOLDED = ("movers", "prices", "arrivals", "gone", *SHARED)


def long_edition() -> Edition:
    """Ten rows or more in each list of two sources."""
    full = everything()
    places = tuple(b.a_place(n + 1, b.a_name(f"m{n}"), f"{90 - n}", band=1 if n < 6 else n + 1) for n in range(12))
    gone = b.some_gone(names=tuple(b.a_name(f"left-{n}") for n in range(12)))
    renamed = Renamed(change="r", source="a", title="A", before=b.a_name("one"), after=b.a_name("two"), rows=1)
    movers, arrivals, prices = (b.some_movers(), b.some_arrivals(), b.some_prices())
    lists: dict[str, tuple[Any, ...]] = {
        "boards": (b.a_board(places=places), b.a_rating_board()),
        "movers": (movers, movers.model_copy(update={"movers": movers.movers * 6})),
        "prices": (prices.model_copy(update={"priced": prices.priced * 2}), prices),
        "arrivals": (arrivals.model_copy(update={"models": arrivals.models * 3}),),
        "gone": (gone, gone),
        "disagreements": (b.a_disagreement(),) * 10,
        "corrections": (a_correction(),) * 10,
        "renamed": (renamed,) * 10,
        "method": (b.a_method_note(),) * 10,
    }
    return full.model_copy(update=lists)


def lengths(edition: Edition, section: str) -> list[int]:
    rows = getattr(edition, section)
    return [len(getattr(part, LISTS[section])) for part in rows] if section in LISTS else [len(rows)]


def told(edition: Edition, section: str) -> int:
    """The rows of a section, listed and counted."""
    if section not in LISTS:
        return len(getattr(edition, section)) + int(getattr(edition, f"{section}_folded"))
    return sum(len(getattr(part, LISTS[section])) + part.folded for part in getattr(edition, section))


def folding() -> list[Edition]:
    return [long_edition(), *shorter(long_edition())]


def test_each_step_leaves_something_out_until_there_is_nothing_to_leave_out() -> None:
    steps = folding()
    assert all(rows_of(less) < rows_of(more) or changed(more, less) in LISTS for more, less in pairwise(steps))
    assert list(shorter(steps[-1])) == []
    assert list(shorter(b.an_empty_edition())) == []


def test_the_first_rows_that_go_are_the_last_movers_of_the_longest_list() -> None:
    first, second = folding()[1:3]
    assert (lengths(first, "movers"), lengths(second, "movers")) == ([2, 11], [2, 10])
    assert first.movers[1].movers == long_edition().movers[1].movers[:11]
    assert [first.movers[1].folded, second.movers[1].folded] == [1, 2]


def test_sections_come_to_three_rows_in_their_order_and_boards_after_them_to_their_first_band() -> None:
    order = [changed(more, less) for more, less in pairwise(folding())]
    assert list(dict.fromkeys(order))[:9] == [*FOLDED, "boards"]
    at = next(step for step in folding() if lengths(step, "boards") == [6, 3])
    assert all(max(lengths(at, section)) == 3 for section in FOLDED)
    assert [place.band for place in at.boards[0].places] == [1] * 6


def changed(more: Edition, less: Edition) -> str:
    (field,) = {
        field.removesuffix("_folded") for field in Edition.model_fields if getattr(more, field) != getattr(less, field)
    }
    return field


@pytest.mark.parametrize("section", FOLDED)
def test_a_row_that_folds_away_is_counted_while_its_section_stands(section: str) -> None:
    whole = told(long_edition(), section)
    for step in folding():
        if len(getattr(step, section)) == len(getattr(long_edition(), section)) or section in SHARED:
            assert told(step, section) == whole


def test_the_shortest_edition_keeps_what_is_never_left_out() -> None:
    whole, last = long_edition(), folding()[-1]
    kept = ("series", "number", "note", "health", "ahead", "stories", "receipts", "standings")
    assert all(getattr(last, field) == getattr(whole, field) for field in kept)
    assert last.boards == (whole.boards[0].model_copy(update={"places": whole.boards[0].places[:3]}),)
    assert [len(last.corrections), len(last.method)] == [1, 1]
    for section in ("movers", "prices", "arrivals", "gone", "disagreements", "renamed", "picks", "side_by_side"):
        assert not getattr(last, section), section


def test_rows_go_before_any_section_goes_whole() -> None:
    steps = folding()
    first = next(at for at, step in enumerate(steps) if step.side_by_side is None)
    assert all(length <= 1 for section in FOLDED for length in lengths(steps[first], section))
    assert all(lengths(step, "boards") >= [3, 3] for step in steps[:first])


def test_rows_are_counted_with_picks_and_the_side_by_side() -> None:
    edition = b.an_empty_edition(boards=(b.a_board(),), movers=(b.some_movers(),))
    assert rows_of(edition) == len(b.a_board().places) + len(b.some_movers().movers)
    more = {"picks": everything().picks, "side_by_side": everything().side_by_side}
    assert rows_of(edition.model_copy(update=more)) == rows_of(edition) + len(everything().picks) + 1


def test_every_section_that_counts_what_it_does_not_list_folds() -> None:
    lists = {field: it for field in Edition.model_fields if isinstance(it := getattr(long_edition(), field), tuple)}
    counted = {field for field, parts in lists.items() if any(hasattr(part, "folded") for part in parts)}
    assert counted | {field for field in lists if f"{field}_folded" in Edition.model_fields} == set(FOLDED)
