"""Logs: lines for a person at a terminal, JSON documents elsewhere, and in neither an address of anybody.

What other modules and libraries say by the standard library's `logging` goes the same way.
"""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from digest.delivery.redaction import without_addresses

_NOISY = ("alembic", "procrastinate", "apscheduler", "uvicorn", "httpx", "urllib3")


def configure(stream: TextIO | None = None, *, json: bool | None = None) -> None:
    """Send all logs to `stream` (stderr), as JSON unless it is a terminal."""
    out = stream or sys.stderr
    as_json = not out.isatty() if json is None else json
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper("iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0)
    )
    handler = logging.StreamHandler(out)
    chain = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_exceptions, without_people, last]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=chain))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared[:3], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def complain(what: str) -> Callable[[str], None]:
    """Logs why something could not be done."""
    log = structlog.get_logger("digest")

    def tell(said: str) -> None:
        log.error("could not be done", what=what, problem=said)

    return tell


def without_exceptions(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Of an exception keep its kind and where it was raised: its words may hold what a reader typed, or a whole row."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        trace = error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        where = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else ""
        event["exception"] = f"{type(error).__name__}{where}"
    event.pop("stack_info", None)
    return event


def without_people(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace every address of a mailbox or a machine in an event, in keys and values however deep."""
    return cast(EventDict, _redacted(dict(event)))


def _redacted(value: Any) -> Any:
    match value:
        case bool() | int() | float() | None:
            return value
        case Mapping():
            return {without_addresses(str(key)): _redacted(inner) for key, inner in value.items()}
        case str():
            return without_addresses(value)
        case Sequence() | set() | frozenset() if not isinstance(value, bytes | bytearray):
            return [_redacted(inner) for inner in value]
        case _:
            return without_addresses(str(value))
