"""Captures and snapshots in the database. A stored snapshot is never changed; its bytes are kept for the receipt."""

import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlmodel import col

from digest.scores.snapshot import Benchmark, Capture, Offer, Row, Score, Snapshot
from digest.scores.tables import BlobTable, CaptureTable, FailureTable, OfferTable, RowTable, ScoreTable


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server said of the bytes, for the next conditional request (RFC 9110, section 8.8)."""

    etag: str | None = None
    last_modified: str | None = None


NO_VALIDATORS = Validators()


def add_snapshot(
    connection: Connection,
    snapshot: Snapshot,
    data: bytes,
    validators: Validators = NO_VALIDATORS,
    doubt: str | None = None,
) -> bool:
    """Store a capture with its bytes and figures. False when that source already has one of that moment.

    With a `doubt`, what speaks against it, it is stored and quarantined.
    """
    capture = snapshot.capture
    if find_capture(connection, capture.source, capture.at) is not None:
        return False
    if connection.scalar(select(col(BlobTable.sha256)).where(col(BlobTable.sha256) == capture.sha256)) is None:
        packed = zlib.compress(data, 6)
        connection.execute(insert(BlobTable).values(sha256=capture.sha256, size=len(data), deflated=packed))
    capture_id = connection.execute(
        insert(CaptureTable)
        .values(
            source=capture.source,
            on=capture.on,
            at=capture.at,
            sha256=capture.sha256,
            content=snapshot.content,
            lead=snapshot.lead,
            zero_is_missing=snapshot.zero_is_missing,
            benchmarks=_benchmarks_text(snapshot.benchmarks.values()),
            etag=validators.etag,
            last_modified=validators.last_modified,
            doubt=doubt,
        )
        .returning(col(CaptureTable.id))
    ).scalar_one()
    for table, rows in (
        (RowTable, [{"key": row.key, "raw": row.raw} for row in snapshot.rows.values()]),
        (
            ScoreTable,
            [
                {"benchmark": name, "key": key, **score._asdict()}
                for name, column in snapshot.scores.items()
                for key, score in column.items()
            ],
        ),
        (
            OfferTable,
            [
                {"key": key, **offer._asdict(), "details": _details_text(offer)}
                for key, offer in snapshot.offers.items()
            ],
        ),
    ):
        if rows:
            connection.execute(insert(table), [{"capture_id": capture_id, **row} for row in rows])
    return True


def add_failure(connection: Connection, source: str, on: date, at: datetime, detail: str) -> None:
    """Remember a fetch that brought nothing, with its one sentence."""
    connection.execute(insert(FailureTable).values(source=source, on=on, at=at, detail=detail))


def find_capture(connection: Connection, source: str, at: datetime) -> Capture | None:
    """The capture of one moment."""
    return _one_capture(connection, col(CaptureTable.source) == source, col(CaptureTable.at) == at)


def bytes_of_day(connection: Connection, source: str, on: date) -> set[str]:
    """The sha256 of every capture of a day in the series' calendar, whatever its moment."""
    found = select(col(CaptureTable.sha256)).where(col(CaptureTable.source) == source, col(CaptureTable.on) == on)
    return set(connection.scalars(found))


def newest_capture(connection: Connection, source: str, until: date) -> Capture | None:
    """A source's state: its newest believable capture not after a day."""
    return _one_capture(connection, col(CaptureTable.source) == source, col(CaptureTable.on) <= until, _BELIEVED)


def stamp(connection: Connection) -> tuple[int | None, int, int | None]:
    """Three numbers of which one is another whenever a capture was stored or accepted, or a fetch failed."""
    captures = select(func.max(col(CaptureTable.id)), func.count(col(CaptureTable.accepted_at)))
    newest, accepted = connection.execute(captures).one()
    return newest, accepted, connection.scalar(select(func.max(col(FailureTable.id))))


def newest_before(connection: Connection, source: str, moment: datetime) -> Capture | None:
    """The newest believable capture before a moment."""
    return _one_capture(connection, col(CaptureTable.source) == source, col(CaptureTable.at) < moment, _BELIEVED)


def quarantined(connection: Connection, source: str, since: date, until: date) -> tuple[Capture, str] | None:
    """The newest capture of these days that waits for a person, with what speaks against it; None if a later capture
    is believed."""
    days = (col(CaptureTable.source) == source, col(CaptureTable.on).between(since, until))
    waiting = _one_capture(connection, *days, ~_BELIEVED)
    believed = newest_capture(connection, source, until)
    if waiting is None or (believed is not None and believed.at > waiting.at):
        return None
    doubt = connection.scalar(select(col(CaptureTable.doubt)).where(_is(waiting)))
    return waiting, doubt or ""


def accept(connection: Connection, capture: Capture, now: datetime) -> None:
    """A person believes a quarantined capture."""
    connection.execute(update(CaptureTable).where(_is(capture)).values(accepted_at=now))


def _is(capture: Capture) -> ColumnElement[bool]:
    return (col(CaptureTable.source) == capture.source) & (col(CaptureTable.at) == capture.at)


_BELIEVED = col(CaptureTable.doubt).is_(None) | col(CaptureTable.accepted_at).is_not(None)


def load_validators(connection: Connection, capture: Capture) -> Validators:
    """What to ask the server with whether it still has the bytes of a capture."""
    row = connection.execute(
        select(col(CaptureTable.etag), col(CaptureTable.last_modified)).where(
            col(CaptureTable.source) == capture.source, col(CaptureTable.at) == capture.at
        )
    ).one()
    return Validators(row.etag, row.last_modified)


def changed_on(connection: Connection, capture: Capture) -> date:
    """The day since which the source has said what it says in this capture."""
    said = connection.execute(
        select(col(CaptureTable.on), col(CaptureTable.content))
        .where(col(CaptureTable.source) == capture.source, col(CaptureTable.at) <= capture.at, _BELIEVED)
        .order_by(col(CaptureTable.at).desc())
    )
    since, content = capture.on, None
    for day, what in said:
        if content is not None and what != content:
            break
        since, content = day, what
    return since


def last_failure(connection: Connection, source: str, since: date, until: date) -> str | None:
    """Why the newest fetch from `since` until `until` brought nothing; None where a capture of those days is there."""
    newest = newest_capture(connection, source, until)
    if newest is not None and newest.on >= since:
        return None
    return connection.scalar(
        select(col(FailureTable.detail))
        .where(col(FailureTable.source) == source, col(FailureTable.on).between(since, until))
        .order_by(col(FailureTable.at).desc())
        .limit(1)
    )


def newest_snapshots(connection: Connection, sources: Iterable[str], until: date) -> dict[str, Snapshot]:
    """The newest believed snapshot of each source that has one, by the source's id."""
    captures = {source: newest_capture(connection, source, until) for source in sources}
    return {source: load_snapshot(connection, capture) for source, capture in captures.items() if capture}


def load_snapshot(connection: Connection, capture: Capture) -> Snapshot:
    """A stored snapshot, whole, as it was read."""
    stored = connection.execute(
        select(
            col(CaptureTable.id),
            col(CaptureTable.lead),
            col(CaptureTable.zero_is_missing),
            col(CaptureTable.benchmarks),
        ).where(col(CaptureTable.source) == capture.source, col(CaptureTable.at) == capture.at)
    ).one()
    benchmarks = _benchmarks(stored.benchmarks)
    scores: dict[str, dict[str, Score]] = {name: {} for name in benchmarks}
    for benchmark, key, value, low, high, stderr, n in connection.execute(
        select(
            col(ScoreTable.benchmark),
            col(ScoreTable.key),
            col(ScoreTable.value),
            col(ScoreTable.low),
            col(ScoreTable.high),
            col(ScoreTable.stderr),
            col(ScoreTable.n),
        ).where(col(ScoreTable.capture_id) == stored.id)
    ):
        scores[benchmark][key] = Score(value, low, high, stderr, n)
    rows = connection.execute(select(col(RowTable.key), col(RowTable.raw)).where(col(RowTable.capture_id) == stored.id))
    offers = connection.execute(
        select(
            col(OfferTable.key),
            col(OfferTable.host),
            col(OfferTable.input),
            col(OfferTable.output),
            col(OfferTable.context),
            col(OfferTable.max_output),
            col(OfferTable.details),
        ).where(col(OfferTable.capture_id) == stored.id)
    )
    return Snapshot(
        capture=capture,
        rows={key: Row(key, raw) for key, raw in rows},
        benchmarks=benchmarks,
        scores=scores,
        offers={
            key: Offer(host, asked, answered, _whole(context), _whole(most), _details(details))
            for key, host, asked, answered, context, most, details in offers
        },
        lead=stored.lead,
        zero_is_missing=stored.zero_is_missing,
    )


def recent_values(
    connection: Connection, before: Capture, since: date, keys: Mapping[str, str]
) -> dict[tuple[str, str], set[Decimal]]:
    """The values that rows had in the captures before one, from `since` on, by (row key, benchmark or field).

    `keys` goes from each key that a row went by then to the one it goes by now, which the values are told under.
    """
    earlier = select(col(CaptureTable.id)).where(
        col(CaptureTable.source) == before.source,
        col(CaptureTable.at) < before.at,
        col(CaptureTable.on) >= since,
        _BELIEVED,
    )
    found: dict[tuple[str, str], set[Decimal]] = defaultdict(set)
    for some in _batched(sorted(keys), 500):
        scores = select(col(ScoreTable.key), col(ScoreTable.benchmark), col(ScoreTable.value))
        for key, benchmark, value in connection.execute(
            scores.where(col(ScoreTable.capture_id).in_(earlier), col(ScoreTable.key).in_(some))
        ):
            found[keys[key], benchmark].add(value)
        offers = select(OfferTable).where(col(OfferTable.capture_id).in_(earlier), col(OfferTable.key).in_(some))
        for offer in connection.execute(offers).mappings():
            now = keys[offer["key"]]
            for field in ("input", "output", "context", "max_output"):
                if offer[field] is not None:
                    found[now, field].add(offer[field])
            for name, price in _details(offer["details"]):
                found[now, name].add(price)
    return dict(found)


def load_bytes(connection: Connection, sha256: str) -> bytes | None:
    """The fetched bytes behind a receipt."""
    packed = connection.scalar(select(col(BlobTable.deflated)).where(col(BlobTable.sha256) == sha256))
    return None if packed is None else zlib.decompress(packed)


def _details_text(offer: Offer) -> str | None:
    return json.dumps({name: str(price) for name, price in offer.details}) if offer.details else None


def _details(text: str | None) -> tuple[tuple[str, Decimal], ...]:
    return tuple((name, Decimal(price)) for name, price in json.loads(text).items()) if text else ()


def _batched(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Slices of at most `size`: a statement has room for so many parameters."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _whole(number: Decimal | None) -> int | None:
    return None if number is None else int(number)


def _one_capture(connection: Connection, *conditions: ColumnElement[bool]) -> Capture | None:
    row = connection.execute(
        select(
            col(CaptureTable.source),
            col(CaptureTable.on),
            col(CaptureTable.at),
            col(CaptureTable.sha256),
            col(BlobTable.size),
        )
        .join(BlobTable, col(BlobTable.sha256) == col(CaptureTable.sha256))
        .where(*conditions)
        .order_by(col(CaptureTable.at).desc())
        .limit(1)
    ).first()
    return Capture(row.source, row.on, row.at, row.sha256, row.size) if row else None


def _benchmarks_text(benchmarks: Iterable[Benchmark]) -> str:
    return json.dumps([asdict(about) for about in benchmarks], default=str)


def _benchmarks(text: str) -> dict[str, Benchmark]:
    known = {}
    for about in json.loads(text):
        about |= {name: tuple(about[name]) for name in ("inputs", "also")}
        about |= {"weights": tuple(map(Decimal, about["weights"]))}
        about |= {name: Decimal(about[name]) for name in ("margin", "least") if about[name] is not None}
        known[about["name"]] = Benchmark(**about)
    return known


def leads_of_weeks(connection: Connection, source: str, until: date, weeks: int) -> dict[date, Snapshot]:
    """What a source ranked by in so many ISO weeks, the last of them that of the day `until`: by the week's Monday, its
    newest believed snapshot with the scores of the lead benchmark and the rows that have one, and no more. A week
    without a capture, or without a lead, is missing.
    """
    last = until - timedelta(days=until.weekday())
    newest = {
        row.on - timedelta(days=row.on.weekday()): row
        for row in connection.execute(
            select(
                col(CaptureTable.id),
                col(CaptureTable.source),
                col(CaptureTable.on),
                col(CaptureTable.at),
                col(CaptureTable.sha256),
                col(CaptureTable.lead),
                col(CaptureTable.benchmarks),
                col(CaptureTable.zero_is_missing),
                col(BlobTable.size),
            )
            .join(BlobTable, col(BlobTable.sha256) == col(CaptureTable.sha256))
            .where(
                col(CaptureTable.source) == source,
                col(CaptureTable.on).between(last - timedelta(weeks=weeks - 1), last + timedelta(days=6)),
                _BELIEVED,
            )
            .order_by(col(CaptureTable.at))
        )
    }
    return {monday: _lead_of(connection, row) for monday, row in newest.items() if row.lead is not None}


def _lead_of(connection: Connection, stored: Any) -> Snapshot:
    """A capture's row of the database -> its snapshot, with the scores of the lead alone."""
    rows: dict[str, Row] = {}
    scores: dict[str, Score] = {}
    for key, raw, value, low, high, stderr, n in connection.execute(
        select(
            col(RowTable.key),
            col(RowTable.raw),
            col(ScoreTable.value),
            col(ScoreTable.low),
            col(ScoreTable.high),
            col(ScoreTable.stderr),
            col(ScoreTable.n),
        )
        .join(
            ScoreTable,
            (col(ScoreTable.capture_id) == col(RowTable.capture_id)) & (col(ScoreTable.key) == col(RowTable.key)),
        )
        .where(col(RowTable.capture_id) == stored.id, col(ScoreTable.benchmark) == stored.lead)
    ):
        rows[key], scores[key] = Row(key, raw), Score(value, low, high, stderr, n)
    return Snapshot(
        capture=Capture(stored.source, stored.on, stored.at, stored.sha256, stored.size),
        rows=rows,
        benchmarks=_benchmarks(stored.benchmarks),
        scores={stored.lead: scores},
        lead=stored.lead,
        zero_is_missing=stored.zero_is_missing,
    )
