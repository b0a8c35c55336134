"""Logs: one JSON document a line, or a line for a person, and no address of a mailbox or a machine in either."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from tests.canaries import FOUR, SIX

from digest.operations import logs

MAIL = "ada.lovelace+news@example.org"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before[0], before[1]
    structlog.reset_defaults()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_elsewhere_than_at_a_terminal_each_line_is_a_document(out: io.StringIO) -> None:
    logs.configure(out)
    structlog.get_logger("digest.scheduler").info("done", week="2026-W19", stage="draft")
    logging.getLogger("digest.delivery.progress").info("mailing %d: %d dealt with", 1, 50)
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["event"], first["week"], first["stage"], first["level"]) == ("done", "2026-W19", "draft", "info")
    assert (second["event"], second["logger"]) == ("mailing 1: 50 dealt with", "digest.delivery.progress")
    assert first["timestamp"].endswith("Z")


def test_at_a_terminal_a_line_is_for_a_person(out: io.StringIO) -> None:
    logs.configure(out, json=False)
    structlog.get_logger("digest").error("could not be done", week="2026-W19")
    assert "could not be done" in out.getvalue()
    assert not out.getvalue().startswith("{")


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("address", [MAIL, FOUR, SIX, f"<{MAIL}>", f"mailto:{MAIL}", f"[{FOUR}]:25"])
@pytest.mark.parametrize(
    "fields",
    [
        lambda one: {"problem": f"no user {one} here"},
        lambda one: {"deep": {"list": [one, {one: 1}]}},
        lambda one: {"error": ValueError(one)},
        lambda one: {"raw": one.encode()},
        lambda one: {"many": {one}},
    ],
)
def test_an_address_is_in_no_line_wherever_it_stood(out: io.StringIO, address: str, fields: Any, as_json: bool) -> None:
    logs.configure(out, json=as_json)
    structlog.get_logger("digest").warning(f"about {address}", **fields(address))
    logging.getLogger("library").warning("about %s", address, extra=fields(address))
    said = out.getvalue()
    assert len(said.splitlines()) == 2
    for secret in ("ada.lovelace", "example.org", FOUR, SIX):
        assert secret not in said


@pytest.mark.parametrize("as_json", [True, False])
def test_an_exception_is_told_by_its_kind_and_place_and_not_by_its_words(out: io.StringIO, as_json: bool) -> None:
    logs.configure(out, json=as_json)
    try:
        raise RuntimeError(f"cannot write to Ada Lovelace <{MAIL}>")
    except RuntimeError:
        logging.getLogger("library").exception("a job failed")
        structlog.get_logger("digest").exception("a job failed")
    said = out.getvalue()
    assert said.count("RuntimeError in test_an_exception_is_told_by_its_kind") == 2
    assert "Lovelace" not in said


def test_libraries_that_talk_too_much_are_quiet(out: io.StringIO) -> None:
    logs.configure(out)
    for name in ("apscheduler.executors.default", "uvicorn.access", "procrastinate.worker"):
        logging.getLogger(name).warning("something")
    assert out.getvalue() == ""
