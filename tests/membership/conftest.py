"""Readers with proof of consent, and files of them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.membership import importing, listing
from digest.membership.addresses import email_key
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent, Kind, Link

PROOF = {"consented_at": "2026-01-02T03:04:05Z", "method": "form", "wording": "One email a week"}
HEAD = "email,consented_at,method,wording,country,locale,topics\n"

Write = Callable[[str], Path]
Add = Callable[..., int]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "readers.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def add(engine: Engine, settings: Settings, now: datetime) -> Add:
    """Adds a reader by proof and lets events of these kinds follow; answers with the number."""

    def add(email: str = "ann@example.org", *then: Kind, at: datetime = now, **fields: str) -> int:
        importing.add(engine, settings, importing.newcomer({"email": email, **PROOF, **fields}, settings, now), now)
        with writing(engine) as connection:
            found = store.find(connection, email_key(email))
            assert found is not None
            for kind in then:
                store.append(connection, found.id, ConsentEvent(kind, at, "a test"))
        return found.id

    return add


def addresses(engine: Engine) -> dict[str, str]:
    """Each address with its state."""
    return {one.email: one.consent.state for one in listing.list_subscribers(engine)}


def log_of(engine: Engine, number: int) -> tuple[Link, ...]:
    with reading(engine) as connection:
        return store.log(connection, number)
