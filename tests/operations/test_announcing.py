"""A hook is told of a new edition and its changes, once."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from responses import RequestsMock
from sqlalchemy import Engine

from digest.config.sections import Hooks
from digest.config.settings import Settings
from digest.database import metadata, open_database, writing
from digest.errors import DeliveryError
from digest.operations import restoring_store
from digest.operations.announcing import announce
from digest.operations.demo import NOW, run_demo

HOOK = "https://partner.example/editions"


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[Engine, Settings]]:
    """An edition that was sent, and settings that name a hook."""
    settings = run_demo(tmp_path / "demo").settings
    secret = SecretStr(f"whsec_{base64.b64encode(bytes(32)).decode()}")
    engine = open_database(settings.database.url)
    yield engine, settings.model_copy(update={"hooks": Hooks(editions=HOOK, secret=secret)})
    engine.dispose()


def test_a_new_edition_is_told_once_with_what_changed(published: tuple[Engine, Settings]) -> None:
    with RequestsMock() as web:
        web.post(HOOK, status=200)
        assert announce(*published, NOW)
        assert not announce(*published, NOW + timedelta(hours=1))
        (call,) = web.calls
    body = call.request.body if isinstance(call.request.body, bytes) else b""
    said = json.loads(body)
    assert said["type"] == "edition.published"
    assert said["data"]["week"] == said["data"]["current"]["week"] == "2026-W11"
    assert said["data"]["page"].endswith("/editions/2026-W11")
    assert {"leader_changed", "model_added"} & {change["kind"] for change in said["data"]["changes"]}
    assert all(change["news"] for change in said["data"]["changes"])


def test_a_hook_that_does_not_answer_is_tried_again(published: tuple[Engine, Settings]) -> None:
    with RequestsMock() as web:
        web.post(HOOK, status=503)
        with pytest.raises(DeliveryError, match="answers 503"):
            announce(*published, NOW)
        web.replace("POST", HOOK, status=200)
        assert announce(*published, NOW)


def test_without_a_hook_nothing_is_told(published: tuple[Engine, Settings]) -> None:
    engine, settings = published
    with RequestsMock():
        assert not announce(engine, settings.model_copy(update={"hooks": Hooks()}), NOW)


def test_of_two_editions_that_nobody_was_told_of_the_older_comes_first(published: tuple[Engine, Settings]) -> None:
    engine, settings = published
    with writing(engine) as connection:
        rest = ", ".join(column.name for column in metadata.tables["edition"].c if column.name != "week")
        connection.exec_driver_sql(f"INSERT INTO edition (week, {rest}) SELECT '2026-W10', {rest} FROM edition")
        columns = "kind, content_hash, queued_at, audience, control"
        connection.exec_driver_sql(f"INSERT INTO mailing (week, {columns}) SELECT '2026-W10', {columns} FROM mailing")
    with RequestsMock() as web:
        web.post(HOOK, status=503)
        with pytest.raises(DeliveryError, match="answers 503"):
            announce(engine, settings, NOW)
        web.reset()
        web.post(HOOK, status=200)
        assert announce(engine, settings, NOW) == 2
        bodies = [call.request.body for call in web.calls]
    told = [json.loads(body)["data"]["week"] for body in bodies if isinstance(body, bytes)]
    assert told == ["2026-W10", "2026-W11"]


def test_a_restored_copy_tells_of_an_edition_once_a_person_accepted_it(published: tuple[Engine, Settings]) -> None:
    engine, settings = published
    with writing(engine) as connection:
        restoring_store.hold(connection, NOW)
    with RequestsMock(assert_all_requests_are_fired=False) as web:
        web.post(HOOK, status=200)
        assert announce(engine, settings, NOW) == 0
        assert not web.calls
        with writing(engine) as connection:
            restoring_store.lift(connection)
        assert announce(engine, settings, NOW) == 1


@pytest.mark.parametrize("control", ["paused", "aborted"])
def test_an_edition_that_a_person_halted_is_not_told_as_published(
    published: tuple[Engine, Settings], control: str
) -> None:
    with writing(published[0]) as connection:
        connection.exec_driver_sql(f"UPDATE mailing SET control = '{control}'")
    with RequestsMock():
        assert announce(*published, NOW) == 0


def test_a_week_that_a_restored_copy_closed_is_not_told_as_published(published: tuple[Engine, Settings]) -> None:
    with writing(published[0]) as connection:
        connection.exec_driver_sql("DELETE FROM delivery")
        connection.exec_driver_sql("DELETE FROM mailing")
        restoring_store.close_weeks(connection, ["2026-W11"], NOW)
    with RequestsMock():
        assert announce(*published, NOW) == 0


def test_a_hook_that_is_new_is_not_told_what_is_old(published: tuple[Engine, Settings]) -> None:
    with RequestsMock():
        assert announce(*published, NOW + timedelta(days=15)) == 0
