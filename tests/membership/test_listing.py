"""Readers are listed, exported, taken off and erased by the operator."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.membership.conftest import Add, addresses, log_of

from digest.config.settings import Settings
from digest.database import metadata, open_database, writing
from digest.errors import UsageError
from digest.membership import importing, listing
from digest.membership.listing import Filter
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer

Rows = Callable[[str], list[dict[str, Any]]]


def exported(engine: Engine, form: Any = "csv", which: Filter = listing.EVERYONE) -> str:
    file = io.StringIO(newline="")
    listing.export(engine, file, form, which)
    return file.getvalue()


def test_readers_are_listed_by_state_country_and_language(engine: Engine, add: Add) -> None:
    add("ann@example.org", country="DE")
    add("ben@example.org", "withdrawn", country="DE")
    add("cho@example.org", country="KR")

    def found(**which: Any) -> list[str]:
        return [one.email[:3] for one in listing.list_subscribers(engine, Filter(**which))]

    assert found() == ["ann", "ben", "cho"]
    assert found(country="DE") == ["ann", "ben"]
    assert found(country="DE", state="confirmed") == ["ann"]
    assert found(locale="de") == []


def test_an_export_imports_again_as_the_same_readers(
    engine: Engine, settings: Settings, add: Add, tmp_path: Path, now: datetime
) -> None:
    add("Ann@bücher.example", country="US-CA", topics="prices;models")
    add("=cmd@example.org", method="+form", wording="'-yes\nplease", country="KR")
    add("'+quoted@example.org", wording="2026-11/en")
    add("left@example.org", "withdrawn")
    (tmp_path / "out.csv").write_bytes(exported(engine).encode())
    other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    done = importing.import_csv(other, settings, tmp_path / "out.csv", now)
    assert (done.added, done.skipped) == (3, 1)
    confirmed = Filter("confirmed")
    assert exported(other) == exported(engine, which=confirmed)
    kept = [one.consent for one in listing.list_subscribers(engine, confirmed)]
    assert [one.consent for one in listing.list_subscribers(other)] == kept
    other.dispose()


def test_no_cell_of_an_export_is_a_formula(engine: Engine, add: Add) -> None:
    add("=1+1@example.org", method="@SUM(A1)", wording="-2+3")
    (row,) = csv.DictReader(io.StringIO(exported(engine), newline=""))
    assert (row["email"], row["method"], row["wording"]) == ("'=1+1@example.org", "'@SUM(A1)", "'-2+3")


def test_an_export_as_json_is_one_array(engine: Engine, add: Add) -> None:
    assert json.loads(exported(engine, "json")) == []
    add("=ann@example.org", country="DE", topics="prices")
    add("ben@example.org")
    first, _second = json.loads(exported(engine, "json"))
    assert first["email"] == "=ann@example.org"
    assert (first["topics"], first["country"], first["wording"]) == (["prices"], "DE", "One email a week")


def test_who_renewed_is_exported_with_the_newest_wording(engine: Engine, add: Add, now: datetime) -> None:
    number = add()
    with writing(engine) as connection:
        store.append(connection, number, ConsentEvent("confirmed", now, "link", "2026-11/en"))
    (row,) = csv.DictReader(io.StringIO(exported(engine), newline=""))
    assert (row["wording"], row["method"], row["consented_at"]) == ("2026-11/en", "link", now.isoformat())


def test_removing_withdraws_and_keeps_the_log(engine: Engine, add: Add, now: datetime, rows: Rows) -> None:
    add()
    assert listing.remove(engine, "ANN@example.org", now)
    assert not listing.remove(engine, "ann@example.org", now)
    assert [event["kind"] for event in rows("consent_event")] == ["confirmed", "withdrawn"]
    assert addresses(engine) == {"ann@example.org": "withdrawn"}


def test_an_unknown_address_is_said_to_be_so_without_naming_it(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    with pytest.raises(UsageError, match="no reader has this address") as caught:
        listing.remove(engine, "ann@example.org", now)
    assert "ann" not in str(caught.value)
    with pytest.raises(UsageError, match="no reader has this address"):
        listing.erase(engine, settings, "ann@example.org", now)


def test_erasing_leaves_a_log_without_a_name(
    engine: Engine, settings: Settings, add: Add, now: datetime, rows: Rows
) -> None:
    number = add("Ann@example.org")
    assert listing.erase(engine, settings, "ann@example.org", now)
    assert not listing.erase(engine, settings, "ann@example.org", now)
    assert [link.event.kind for link in log_of(engine, number)] == ["confirmed", "erased"]
    assert addresses(engine) == {}
    with engine.connect() as connection:
        tables = [repr(connection.execute(table.select()).all()) for table in metadata.sorted_tables]
    assert not any("ann@" in text.lower() for text in tables)


def test_many_readers_are_exported_in_pieces(engine: Engine, now: datetime) -> None:
    event = ConsentEvent("confirmed", now - timedelta(days=1), "form", "yes")
    with writing(engine) as connection:
        names = [f"r{number:04}@example.org" for number in range(4500)]
        store.add(connection, [Newcomer(name, name, event) for name in names], now)
    assert [row["email"] for row in csv.DictReader(io.StringIO(exported(engine)))] == names
