"""What an operator sees at a glance: editions, how sending goes, sources, readers, what came back, who did what."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from digest import audit
from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import counting, outbox
from digest.delivery.outbox import Mailing, State
from digest.edition import store as editions
from digest.edition.store import Published
from digest.operations.status import SendingState, Status, read_status, sending_state
from digest.subscribers import growth

_EDITIONS = 12
MONTHS = 12
_ACTS = 50
_A_WHILE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Month:
    """Readers whose consent lived at the end of a month (2026-05), by regime."""

    name: str
    readers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Overview:
    """`editions` are the newest that are published, with their mailing and its deliveries by state; `months` the last
    twelve, the oldest first; `reasons` why readers left in the last 90 days; `acts` the newest lines of the audit log,
    the newest first."""

    status: Status
    sending: SendingState
    editions: Sequence[tuple[Published, Mailing | None, Mapping[State, int]]]
    months: Sequence[Month]
    reasons: Mapping[str, int]
    acts: Sequence[audit.Entry]


def overview(engine: Engine, settings: Settings, now: datetime) -> Overview:
    """All of it at a moment."""
    status, sending = read_status(engine, settings, now), sending_state(engine, settings, now)
    with reading(engine) as connection:
        return Overview(
            status=status,
            sending=sending,
            editions=[_mailed(connection, one) for one in editions.published(connection, _EDITIONS)],
            months=_months(growth.comings_and_goings(connection), f"{now:%Y-%m}"),
            reasons=growth.reasons_for_leaving(connection, now - _A_WHILE),
            acts=audit.read(connection, most=_ACTS)[::-1],
        )


def _mailed(connection: Connection, one: Published) -> tuple[Published, Mailing | None, Mapping[State, int]]:
    mailing = outbox.find(connection, one.week)
    return one, mailing, counting.tally(connection, mailing.id) if mailing else {}


def _months(turns: Iterable[tuple[str, str, int]], this: str) -> list[Month]:
    """The last months up to this one; in one in which nobody came or went all is as before."""
    by_month: dict[str, Counter[str]] = {}
    for month, regime, by in turns:
        by_month.setdefault(month, Counter())[regime or "ZZ"] += by
    found: list[Month] = []
    live = Counter[str]()
    month = min(by_month, default=this)
    while month <= this:
        live.update(by_month.get(month, Counter()))
        found.append(Month(month, dict(+live)))
        month = _next(month)
    return found[-MONTHS:]


def _next(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{year + number // 12}-{number % 12 + 1:02}"
