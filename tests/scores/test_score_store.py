"""Captures and snapshots, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.captures import DATA, MONDAY, capture, read_file, read_text

from digest.database import reading, writing
from digest.scores import store
from digest.scores.snapshot import Benchmark, Capture, Offer, Row, Score, Snapshot
from digest.scores.store import Validators

DIGITS = "81.300000000000000000000000010"
FILES = [
    ("livebench", "2026-01-26.csv"),
    ("aider", "2026-03-02.yml"),
    ("lmarena_text", "2026-03-02.json"),
    ("vectara", "2026-03-02.md"),
    ("litellm", "2026-03-02.json"),
    ("genai_prices", "2026-03-02.json"),
]


def add(engine: Engine, snapshot: Snapshot, data: bytes = b"bytes", validators: Validators | None = None) -> bool:
    with writing(engine) as connection:
        return store.add_snapshot(connection, snapshot, data, validators or Validators())


def load(engine: Engine, capture: Capture) -> Snapshot:
    with reading(engine) as connection:
        return store.load_snapshot(connection, capture)


def of_day(days: int, text: str = "model,score\na,1\n") -> Snapshot:
    """A snapshot of so many days after MONDAY."""
    return read_text(text, on=MONDAY + timedelta(days=days))


@pytest.fixture
def state(engine: Engine) -> Callable[[int], Capture | None]:
    """The newest capture until so many days after MONDAY."""

    def state(days: int) -> Capture | None:
        with reading(engine) as connection:
            return store.newest_capture(connection, "sample", MONDAY + timedelta(days=days))

    return state


@pytest.mark.parametrize(("source", "name"), FILES)
def test_a_snapshot_of_every_packaged_source_loads_as_it_was_stored(engine: Engine, source: str, name: str) -> None:
    snapshot = read_file(source, name)
    assert add(engine, snapshot, (DATA / source / name).read_bytes())
    loaded = load(engine, snapshot.capture)
    assert loaded == snapshot
    assert loaded.content == snapshot.content


def test_every_field_of_a_snapshot_comes_back_to_its_last_digit(engine: Engine) -> None:
    figure = Decimal(DIGITS)
    snapshot = Snapshot(
        capture=capture(b"bytes"),
        rows={"k": Row("k", "Aurora 2 (high) 漢字 😀"), "l": Row("l", "aurora")},
        benchmarks={
            "b": Benchmark("b", "", "words", False, Decimal("0.50"), True, True, True),
            "c": Benchmark("c", inputs=("b",)),
        },
        scores={"b": {"k": Score(figure, -figure, figure, figure, 2**31 - 1), "l": Score(Decimal(0))}, "c": {}},
        offers={"k": Offer("host", figure, Decimal("0.000000000000000000019"), 2**31 - 1, 0), "l": Offer()},
        lead="b",
        zero_is_missing=True,
    )
    add(engine, snapshot)
    loaded = load(engine, snapshot.capture)
    assert loaded == snapshot
    assert str(loaded.scores["b"]["k"].value) == DIGITS


@pytest.mark.parametrize("figure", ["1E+30", "-1E-30", "0.1", "100", "1.0", "9" * 30])
def test_a_figure_of_any_size_that_is_read_can_be_stored(engine: Engine, figure: str) -> None:
    snapshot = of_day(0, f"model,score\na,{figure}\n")
    add(engine, snapshot)
    assert load(engine, snapshot.capture).scores["score"]["a"].value == Decimal(figure)


def test_a_name_of_the_longest_kind_can_be_stored(engine: Engine) -> None:
    """An index entry of PostgreSQL holds 2,704 bytes; what does not compress comes closest."""
    name = "".join(chr(0x4E00 + 37 * number % 20_000) for number in range(166))
    snapshot = of_day(0, f"model,score\n{name},1\n")
    scores = {name[::-1]: snapshot.scores["score"]}
    add(engine, replace(snapshot, benchmarks={name[::-1]: Benchmark(name[::-1])}, scores=scores))
    assert name in load(engine, snapshot.capture).scores[name[::-1]]


def test_the_same_capture_twice_changes_nothing(engine: Engine, rows: Callable[[str], list[dict[str, Any]]]) -> None:
    assert add(engine, of_day(0))
    before = rows("capture")
    assert not add(engine, of_day(0, "model,score\na,2\n"))
    assert rows("capture") == before
    assert load(engine, of_day(0).capture).scores["score"]["a"].value == 1


def test_the_fetched_bytes_come_back_by_their_hash(engine: Engine) -> None:
    data = bytes(range(256)) * 99
    snapshot = replace(of_day(0), capture=capture(data))
    add(engine, snapshot, data)
    with reading(engine) as connection:
        assert store.load_bytes(connection, snapshot.capture.sha256) == data
        assert store.load_bytes(connection, "0" * 64) is None


def test_bytes_that_two_captures_share_are_kept_once(engine: Engine) -> None:
    for days in (0, 7):
        add(engine, replace(of_day(days), capture=capture(b"bytes", on=MONDAY + timedelta(days=days))))
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM blob").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM capture").scalar() == 2


def test_a_source_s_state_is_its_newest_capture_until_a_day(engine: Engine, state: Callable[..., Any]) -> None:
    for days in (0, 14):
        add(engine, of_day(days))
    assert state(-1) is None
    assert [found.on for found in map(state, (0, 13, 14, 99))] == [of_day(days).capture.on for days in (0, 0, 14, 14)]


def test_of_two_captures_of_a_day_the_later_is_the_state(engine: Engine, state: Callable[..., Any]) -> None:
    early = of_day(0)
    late = replace(early, capture=replace(early.capture, at=datetime(2026, 3, 2, 18, tzinfo=UTC)))
    assert add(engine, late)
    assert add(engine, early)
    assert state(0).at == late.capture.at


def test_a_capture_of_another_source_is_not_the_state(engine: Engine, state: Callable[..., Any]) -> None:
    add(engine, replace(of_day(0), capture=replace(of_day(0).capture, source="other")))
    assert state(0) is None


def test_what_to_ask_the_server_with_belongs_to_its_capture(engine: Engine) -> None:
    add(engine, of_day(0), validators=Validators('"one"', "Mon, 02 Mar 2026 00:00:00 GMT"))
    add(engine, of_day(7), validators=Validators('"two"'))
    with reading(engine) as connection:
        first, second = (store.load_validators(connection, of_day(days).capture) for days in (0, 7))
    assert first == Validators('"one"', "Mon, 02 Mar 2026 00:00:00 GMT")
    assert second == Validators('"two"', None)


def test_a_source_has_said_the_same_since_its_content_last_changed(engine: Engine) -> None:
    first, second, reordered = "model,score\na,1\n", "model,score\na,2\nb,1\n", "model,score\nb,1.0\na,2\n"
    texts = {0: first, 7: second, 14: reordered, 21: first}
    for days, text in texts.items():
        add(engine, of_day(days, text))
    with reading(engine) as connection:
        since = [store.changed_on(connection, of_day(days, text).capture) for days, text in texts.items()]
    assert since == [MONDAY + timedelta(days=days) for days in (0, 7, 7, 21)]


@pytest.mark.parametrize(
    ("captured", "failed", "told"),
    [
        ([], [], None),
        ([], [2], "of day 2"),
        ([0], [2, 4], None),
        ([-3], [2, 4], "of day 4"),
        ([-3], [-2], None),
        ([-3], [9], None),
    ],
)
def test_a_failure_is_told_for_days_without_a_capture(
    engine: Engine, captured: list[int], failed: list[int], told: str | None
) -> None:
    def day(number: int) -> date:
        return MONDAY + timedelta(days=number)

    for number in captured:
        add(engine, of_day(number))
    with writing(engine) as connection:
        for number in failed:
            at = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=number)
            store.add_failure(connection, "sample", day(number), at, f"of day {number}")
            store.add_failure(connection, "other", day(number), at + timedelta(hours=1), "of another source")
    with reading(engine) as connection:
        assert store.last_failure(connection, "sample", day(0), day(6)) == told


# What the weeks before say


def priced(days: int, **offers: Offer) -> Snapshot:
    """A price list of so many days after MONDAY."""
    rows = {key: Row(key, key) for key in offers}
    return Snapshot(replace(of_day(days).capture, source="prices"), rows, offers=offers)


def test_recent_values_are_those_of_the_captures_between_a_day_and_the_previous_one(engine: Engine) -> None:
    for days, score in ((0, 1), (7, 2), (14, 3), (21, 4)):
        add(engine, of_day(days, f"model,score\na,{score}\nb,9\n"))
    previous, since = of_day(21).capture, MONDAY + timedelta(days=7)
    with reading(engine) as connection:
        recent = store.recent_values(connection, previous, since, {"a": "a"})
    assert recent == {("a", "score"): {Decimal(2), Decimal(3)}}


def test_recent_values_of_a_renamed_row_stand_under_the_key_it_has_now(engine: Engine) -> None:
    add(engine, of_day(0, "model,score\nold,1\n"))
    add(engine, of_day(7, "model,score\nnew,2\n"))
    with reading(engine) as connection:
        keys = {"old": "new", "new": "new"}
        recent = store.recent_values(connection, of_day(14).capture, MONDAY, keys)
    assert recent == {("new", "score"): {Decimal(1), Decimal(2)}}


def test_recent_values_of_an_offer_are_its_prices_sizes_and_details(engine: Engine) -> None:
    add(engine, priced(0, old=Offer("h", Decimal(3), None, 8_000, details=(("cached input", Decimal("0.3")),))))
    with reading(engine) as connection:
        recent = store.recent_values(connection, priced(7).capture, MONDAY, {"old": "new"})
    assert recent == {
        ("new", "input"): {Decimal(3)},
        ("new", "context"): {Decimal(8_000)},
        ("new", "cached input"): {Decimal("0.3")},
    }


def test_recent_values_of_more_rows_than_a_statement_takes_are_all_there(engine: Engine) -> None:
    keys = [f"m{number}" for number in range(1_100)]
    add(engine, of_day(0, "model,score\n" + "".join(f"{key},1\n" for key in keys)))
    with reading(engine) as connection:
        recent = store.recent_values(connection, of_day(7).capture, MONDAY, dict(zip(keys, keys, strict=True)))
    assert len(recent) == len(keys)
