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

from digest.config import Hooks, Settings
from digest.database import open_database
from digest.errors import DeliveryError
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
