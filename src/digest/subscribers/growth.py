"""How many readers there are over time, and why they leave: counts from the consent log, of no reader alone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, case, cast, func, literal, or_, select, union_all

import digest.subscribers.tables  # noqa: F401 (the import registers the tables)
from digest.database import metadata
from digest.subscribers.consent import LIVE

_event = metadata.tables["consent_event"]


_ENDS = ("withdrawn", "complained", "bounced", "expired", "erased")


def comings_and_goings(connection: Connection) -> Iterator[tuple[str, str, int]]:
    """How many more readers had a live consent at the end of each month than at its beginning: month as 2026-05 (UTC),
    regime, and the difference, which may be negative. Who moves to another regime goes in one and comes in the other.
    """
    stands = _as_it_stood(_month(connection, _event.c.at)).subquery()
    reader, place = stands.c.subscriber_id, stands.c.number
    before = [
        func.lag(stands.c[name]).over(partition_by=reader, order_by=place).label(f"{name}_before")
        for name in ("turn", "regime")
    ]
    steps = select(stands, *before).subquery()
    lives, lived = steps.c.turn == LIVE, func.coalesce(steps.c.turn_before, "") == LIVE
    moves = steps.c.regime != steps.c.regime_before
    comes = select(steps.c.month, steps.c.regime, literal(1).label("by")).where(lives, or_(~lived, moves))
    goes = select(steps.c.month, steps.c.regime_before, literal(-1)).where(lived, or_(~lives, moves))
    both = union_all(comes, goes).subquery()
    found = select(both.c.month, both.c.regime, func.sum(both.c.by)).group_by(both.c.month, both.c.regime)
    found = found.having(func.sum(both.c.by) != 0)
    yield from (tuple(row) for row in connection.execute(found.order_by(both.c.month, both.c.regime)))


def _as_it_stood(month: ColumnElement[str]) -> Select[Any]:
    """After each event that may change either: the kind of the reader's last turn, a consent or its end, and their
    regime, which is the last that an event named; empty where none did."""
    reader, place = _event.c.subscriber_id, _event.c.number
    turn, named = case((_event.c.kind.in_((LIVE, *_ENDS)), _event.c.kind)), func.nullif(_event.c.regime, "")
    # Neither database skips NULLs in last_value: so each value and the NULLs after it are numbered alike.
    numbered = (
        select(
            reader,
            place,
            month.label("month"),
            turn.label("turn"),
            named.label("regime"),
            func.count(turn).over(partition_by=reader, order_by=place).label("of_turn"),
            func.count(named).over(partition_by=reader, order_by=place).label("of_regime"),
        )
        .where(or_(turn.is_not(None), named.is_not(None)))
        .subquery()
    )
    last = {
        name: func.max(numbered.c[name]).over(partition_by=(numbered.c.subscriber_id, numbered.c[f"of_{name}"]))
        for name in ("turn", "regime")
    }
    named_last = func.coalesce(last["regime"], "").label("regime")
    kept = (numbered.c.subscriber_id, numbered.c.number, numbered.c.month)
    return select(*kept, last["turn"].label("turn"), named_last)


def reasons_for_leaving(connection: Connection, since: datetime) -> dict[str, int]:
    """How many withdrew since a moment, by the reason they gave; empty for none."""
    withdrawn = (_event.c.kind == "withdrawn", _event.c.at >= since)
    counted = select(_event.c.detail, func.count()).where(*withdrawn).group_by(_event.c.detail)
    return {reason: int(count) for reason, count in connection.execute(counted.order_by(_event.c.detail))}


def _month(connection: Connection, at: ColumnElement[Any]) -> ColumnElement[str]:
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", at), "YYYY-MM")
    return func.substr(cast(at, String), 1, 7)
