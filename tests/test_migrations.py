"""A database of an older version is brought up to this one, with what it holds."""

import json
import multiprocessing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, func, insert, inspect, select, text

from digest import database
from digest.database import SCHEMA_VERSION, open_database, reading, schema_version, writing
from digest.scores.store import load_snapshot, newest_capture
from digest.subscribers import store
from digest.subscribers.consent import broken, fold
from tests.snapshots import MONDAY

MIGRATIONS = Path(database.__file__).parent / "migrations"
AGREED = "2026-02-28 00:00:00.000000+00:00"
MEAN = {"name": "overall", "title": "", "unit": "%", "higher_is_better": True, "margin": "1.0", "relative": False}
MEAN |= {"zero_is_missing": False, "shared": False, "inputs": ["a", "b"]}


def migrate(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def emptied(engine: Engine) -> None:
    tables = inspect(engine).get_table_names()
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.rollback()
        cascade = "" if engine.dialect.name == "sqlite" else "CASCADE"
        for table in tables:
            connection.execute(text(f'DROP TABLE "{table}" {cascade}'))
        connection.commit()


def test_the_consents_of_the_version_before_are_chained_with_their_rules_and_hold(engine: Engine) -> None:
    emptied(engine)
    migrate(engine, "0002")
    with writing(engine) as connection:
        for number, (country, kinds) in enumerate({"KR": ["confirmed"], None: ["confirmed", "withdrawn"]}.items()):
            connection.execute(
                text(
                    "INSERT INTO subscriber (id, email, email_key, state, country, locale, topics, created_at, "
                    "confirmed_at, withdrawn_at) "
                    "VALUES (:id, :key, :key, :state, :country, 'en', '[]', :at, :at, :gone)"
                ),
                {"id": number, "key": f"r{number}@example.org", "state": kinds[-1], "country": country, "at": AGREED}
                | {"gone": AGREED if len(kinds) > 1 else None},
            )
            for kind in kinds:
                connection.execute(
                    text(
                        "INSERT INTO consent_event (subscriber_id, kind, at, method, wording, country) "
                        "VALUES (:id, :kind, :at, :method, 'v1', :country)"
                    ),
                    {"id": number, "kind": kind, "at": AGREED, "method": f"by {kind}"}
                    | {"country": country if kind == "confirmed" else None},
                )
    migrate(engine, "head")
    with reading(engine) as connection:
        logs = list(store.logs(connection))
        readers = store.get(connection, [0, 1])
    assert [broken(links) for _number, links, _row in logs] == [None, None]
    for number, links, row in logs:
        assert readers[number].consent == fold(link.event for link in links)
        assert row is not None
        assert (row["reader_log_number"], row["reader_log_hash"]) == (len(links), links[-1].hash)
    assert (readers[0].consent.regime, readers[1].consent.regime) == ("KR", "ZZ")
    assert readers[0].consent.reconfirm_by == datetime(2028, 2, 28, tzinfo=UTC)


def test_a_capture_of_the_first_version_is_read_by_this_one(engine: Engine) -> None:
    emptied(engine)
    migrate(engine, "0001")
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO blob (sha256, size, deflated) VALUES ('f', 0, '')"))
        connection.execute(
            text(
                'INSERT INTO capture (id, source, "on", at, sha256, content, lead, benchmarks) '
                "VALUES (1, 'board', :day, :at, 'f', 'c', 'overall', :benchmarks)"
            ),
            {"day": MONDAY, "at": f"{MONDAY} 00:00:00.000000", "benchmarks": json.dumps([MEAN])},
        )
        connection.execute(text("INSERT INTO \"row\" (capture_id, key, raw) VALUES (1, 'one', 'one')"))
    migrate(engine, "head")
    with reading(engine) as connection:
        capture = newest_capture(connection, "board", MONDAY)
        assert capture is not None
        overall = load_snapshot(connection, capture).benchmarks["overall"]
    assert overall.inputs == ("a", "b")
    assert overall.weights == (Decimal(1), Decimal(1))
    assert overall.least == Decimal(2)


def test_of_processes_that_find_an_empty_database_at_once_one_makes_the_tables(
    engine: Engine, database_url: str
) -> None:
    emptied(engine)
    engine.dispose()  # a connection is no other process's
    forked = multiprocessing.get_context("fork")
    at_once = forked.Barrier(3)

    def opens() -> None:
        at_once.wait()
        open_database(database_url).dispose()

    opening = [forked.Process(target=opens) for _ in range(3)]
    for process in opening:
        process.start()
    for process in opening:
        process.join(60)
    assert [process.exitcode for process in opening] == [0, 0, 0]
    assert schema_version(engine) == SCHEMA_VERSION


VALUES: Mapping[type, Callable[[int], Any]] = {
    int: lambda number: number,
    bool: lambda _number: True,
    float: lambda number: number / 2,
    Decimal: Decimal,
    bytes: lambda number: bytes([number]),
    date: lambda number: date(2026, 2, number),
    datetime: lambda number: datetime(2026, 2, number, tzinfo=UTC),
    str: lambda number: f"x{number}",
}
WORDS = {
    **dict.fromkeys(("state", "kind"), "confirmed"),
    **dict.fromkeys(("benchmarks", "topics"), "[]"),
    **dict.fromkeys(("content", "rendered", "envelope", "detail", "raw"), "{}"),
}
"""What columns hold that a migration reads, or may read."""


def fill(engine: Engine, number: int) -> None:
    """A row in every table, with that number wherever one goes, so that references hold; a value in every column."""
    tables = MetaData()
    tables.reflect(engine)
    with writing(engine) as connection:
        for table in tables.sorted_tables:
            row = {it.name: WORDS.get(it.name) or VALUES[it.type.python_type](number) for it in table.columns}
            if table.name != "alembic_version":
                connection.execute(insert(table), row)


def counted(engine: Engine) -> dict[str, int]:
    tables = MetaData()
    tables.reflect(engine)
    with reading(engine) as connection:
        return {it.name: connection.scalar(select(func.count()).select_from(it)) or 0 for it in tables.sorted_tables}


def shape(engine: Engine) -> dict[str, list[str]]:
    """All that the database says of its tables."""
    seen = inspect(engine)
    asked = (seen.get_columns, seen.get_pk_constraint, seen.get_foreign_keys, seen.get_unique_constraints)
    more = (seen.get_indexes, seen.get_check_constraints)
    return {
        name: sorted(json.dumps(ask(name), default=str) for ask in (*asked, *more)) for name in seen.get_table_names()
    }


def test_each_version_is_brought_to_the_next_with_a_row_in_every_table(engine: Engine) -> None:
    of_new = shape(engine)
    emptied(engine)
    for number in range(1, int(SCHEMA_VERSION) + 1):
        before = counted(engine)
        migrate(engine, f"{number:04}")
        after = counted(engine)
        assert {name: after.get(name) for name in before} == before
        fill(engine, number)
    assert shape(engine) == of_new
