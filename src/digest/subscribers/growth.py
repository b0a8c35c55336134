"""How many readers there are over time, and why they leave: counts from the consent log, of no reader alone."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, cast, func, literal, select, union_all

import digest.subscribers.tables  # noqa: F401 (the import registers the tables)
from digest.database import metadata
from digest.subscribers.consent import LIVE

_event = metadata.tables["consent_event"]


def comings_and_goings(connection: Connection) -> Iterator[tuple[str, str, int]]:
    """How many more readers had a live consent at the end of each month than at its beginning: month as 2026-05 (UTC),
    regime, and the difference, which may be negative."""
    ends = ("withdrawn", "complained", "bounced", "expired", "erased")
    log = (_event.c.subscriber_id, _event.c.number)
    turns = (
        select(
            _event.c.kind,
            _month(connection, _event.c.at).label("month"),
            _event.c.regime,
            *(
                func.lag(column).over(partition_by=log[0], order_by=log[1]).label(f"{column.name}_before")
                for column in (_event.c.kind, _event.c.regime)
            ),
        )
        .where(_event.c.kind.in_((LIVE, *ends)))
        .subquery()
    )
    is_live, was_live = turns.c.kind == LIVE, func.coalesce(turns.c.kind_before, "") == LIVE
    comes = select(turns.c.month, turns.c.regime.label("regime"), literal(1).label("by")).where(is_live, ~was_live)
    goes = select(turns.c.month, turns.c.regime_before, literal(-1)).where(~is_live, was_live)
    both = union_all(comes, goes).subquery()
    found = select(both.c.month, both.c.regime, func.sum(both.c.by)).group_by(both.c.month, both.c.regime)
    yield from (tuple(row) for row in connection.execute(found.order_by(both.c.month, both.c.regime)))


def reasons_for_leaving(connection: Connection, since: datetime) -> dict[str, int]:
    """How many withdrew since a moment, by the reason they gave; empty for none."""
    withdrawn = (_event.c.kind == "withdrawn", _event.c.at >= since)
    counted = select(_event.c.detail, func.count()).where(*withdrawn).group_by(_event.c.detail)
    return {reason: int(count) for reason, count in connection.execute(counted.order_by(_event.c.detail))}


def _month(connection: Connection, at: ColumnElement[Any]) -> ColumnElement[str]:
    if connection.dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", at), "YYYY-MM")
    return func.substr(cast(at, String), 1, 7)
