"""Editions in the database: the facts, the rendered mail, and which content was approved."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError
from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.engine import Connection
from sqlmodel import Field, SQLModel, col

from digest.config.settings import Settings
from digest.database import UtcDateTime
from digest.edition.content import Edition
from digest.edition.facts import Fact
from digest.edition.rendered import Rendered
from digest.errors import StorageError
from digest.language import catalogues


class EditionTable(SQLModel, table=True):
    """`parts` is a JSON object of hashes of what the mail was made with and is not stored: its templates."""

    __tablename__ = "edition"

    week: str = Field(primary_key=True)
    number: int
    content: str
    rendered: str
    envelope: str
    content_hash: str
    drafted_at: datetime = Field(sa_type=UtcDateTime)
    approved_hash: str | None
    approved_at: datetime | None = Field(sa_type=UtcDateTime)
    parts: str = Field(default="{}", sa_column_kwargs={"server_default": "{}"})


_STANDS = and_(
    col(EditionTable.approved_hash) == col(EditionTable.content_hash), col(EditionTable.approved_at).is_not(None)
)


class Envelope(Fact):
    """What the mail says of its sender: part of what is approved, though it comes from the settings."""

    series: str
    base_url: str
    from_name: str
    from_address: str
    reply_to: str
    list_id: str
    postal_address: str = ""
    contact: str = ""
    commercial: bool = False
    regimes: str | None = None
    catalogues: str | None = None

    def is_that_of(self, other: "Envelope") -> bool:
        """Whether two say the same. One that was stored before editions carried regions' duties, or were told in
        several languages, knows of none."""
        late = {"postal_address", "contact", "commercial", "regimes"} if self.regimes is None else set()
        late |= {"catalogues"} if self.catalogues is None else set()
        return self.model_dump(exclude=late) == other.model_dump(exclude=late)


def envelope_of(settings: Settings, regimes: str = "") -> Envelope:
    """The envelope as the settings have it now, with the version of the consent regimes and of the words."""
    mail = settings.mail
    return Envelope(
        series=settings.series.title,
        base_url=settings.series.base_url,
        from_name=mail.from_name,
        from_address=mail.from_address,
        reply_to=mail.reply_to,
        list_id=mail.list_id,
        postal_address=settings.series.postal_address,
        contact=settings.series.contact,
        commercial=settings.series.commercial,
        regimes=regimes,
        catalogues=catalogues(),
    )


def fingerprint(content: str, rendered: str, envelope: str) -> str:
    """sha256 over the stored documents of the facts, of every rendered byte and of the envelope: what an editor
    approves. It is made of what is stored, so that an edition of an older version stays the one that was approved."""
    told = hashlib.sha256()
    for part in (content, rendered):
        told.update(hashlib.sha256(part.encode()).digest())
    return hashlib.sha256(f"{told.hexdigest()}\n{envelope}".encode()).hexdigest()


class ToldTable(SQLModel, table=True):
    """A disagreement that an edition tells; once it is approved, no later edition tells it again."""

    __tablename__ = "told"

    week: str = Field(foreign_key="edition.week", primary_key=True)
    fact: str = Field(primary_key=True)


@dataclass(frozen=True, slots=True)
class StoredEdition:
    """An edition as drafted. Approved is one whose `approved_hash` is `stored_hash`, the hash of what is stored.
    `templates` is the hash of those it was rendered with, empty where that was not kept; `heard` counts the week's
    overrides when it was drafted, None where that was not kept."""

    week: str
    edition: Edition
    rendered: Rendered
    envelope: Envelope
    content_hash: str
    stored_hash: str
    approved_hash: str | None
    templates: str = ""
    heard: int | None = None

    @property
    def approved(self) -> bool:
        """Whether what is stored is whole, and is what was approved."""
        return self.approved_hash == self.content_hash == self.stored_hash


def load_edition(connection: Connection, week: str) -> StoredEdition | None:
    """The edition of a week as it was stored. Raises StorageError where it is not what this version can read."""
    row = connection.execute(
        select(
            col(EditionTable.content),
            col(EditionTable.rendered),
            col(EditionTable.envelope),
            col(EditionTable.content_hash),
            col(EditionTable.approved_hash),
            col(EditionTable.parts),
        ).where(col(EditionTable.week) == week)
    ).first()
    if row is None:
        return None
    try:
        edition = Edition.model_validate_json(row.content)
        rendered, envelope = Rendered.model_validate_json(row.rendered), Envelope.model_validate_json(row.envelope)
    except ValidationError as error:
        raise StorageError(
            f"the stored edition of {week} cannot be read by this version; run `digest draft {week}` to make it anew."
        ) from error
    parts = json.loads(row.parts)
    return StoredEdition(
        week=week,
        edition=edition,
        rendered=rendered,
        envelope=envelope,
        content_hash=row.content_hash,
        stored_hash=fingerprint(row.content, row.rendered, row.envelope),
        approved_hash=row.approved_hash,
        templates=parts.get("templates", ""),
        heard=parts.get("heard"),
    )


def approved_before(connection: Connection, week: str, most: int) -> list[StoredEdition]:
    """The last editions before a week that were approved, the oldest first. A draft was told to nobody."""
    weeks = connection.scalars(
        select(col(EditionTable.week))
        .where(col(EditionTable.week) < week, col(EditionTable.approved_hash).is_not(None))
        .order_by(col(EditionTable.week).desc())
        .limit(most)
    )
    found = []
    for known in reversed(weeks.all()):
        with suppress(StorageError):  # what an old edition said is then missing from watch lists, and from nothing else
            found.append(load_edition(connection, known))
    return [stored for stored in found if stored is not None]


class Published(NamedTuple):
    """An edition that may be shown, without what it says: its week, the hash of its content, when it was approved."""

    week: str
    content_hash: str
    approved_at: datetime


_PUBLISHED = select(col(EditionTable.week), col(EditionTable.content_hash), col(EditionTable.approved_at)).where(
    _STANDS
)


def published(connection: Connection, most: int, skip: int = 0) -> list[Published]:
    """The editions whose approval stands, the newest first, without reading any of them."""
    newest = _PUBLISHED.order_by(col(EditionTable.week).desc()).limit(most).offset(skip)
    return [Published(row.week, row.content_hash, row.approved_at) for row in connection.execute(newest)]


def published_on(connection: Connection, week: str) -> Published | None:
    """The edition of a week, if its approval stands."""
    row = connection.execute(_PUBLISHED.where(col(EditionTable.week) == week)).first()
    return Published(row.week, row.content_hash, row.approved_at) if row else None


def published_beside(connection: Connection, week: str) -> tuple[str | None, str | None]:
    """The weeks of the published editions before and after a week."""
    known = col(EditionTable.week)
    before = connection.scalar(select(func.max(known)).where(known < week, _STANDS))
    return before, connection.scalar(select(func.min(known)).where(known > week, _STANDS))


def load_published(connection: Connection, one: Published) -> Edition | None:
    """What a published edition says; None where what is stored is not, or is not any more, what was approved.

    Raises StorageError where it is not what this version can read.
    """
    stored = load_edition(connection, one.week)
    whole = stored is not None and stored.approved and stored.content_hash == one.content_hash
    return stored.edition if stored and whole else None


def newest_approved(connection: Connection) -> StoredEdition | None:
    """The newest edition whose approval stands, as it was stored."""
    approved = select(col(EditionTable.week)).where(col(EditionTable.approved_hash) == col(EditionTable.content_hash))
    week = connection.scalar(approved.order_by(col(EditionTable.week).desc()).limit(1))
    stored = load_edition(connection, week) if week else None
    return stored if stored and stored.approved else None


def hashes_of(connection: Connection, week: str, *, hold: bool = False) -> tuple[str, str | None] | None:
    """The content hash of a week's edition and the approved one, whether or not this version can read the edition.

    With `hold` whoever else asks so waits until this transaction is over: drafting, approving and queueing a week are
    one after the other. (SQLite has one writer at a time anyway.)
    """
    columns = (col(EditionTable.content_hash), col(EditionTable.approved_hash))
    asked = select(*columns).where(col(EditionTable.week) == week)
    row = connection.execute(asked.with_for_update() if hold else asked).first()
    return (row.content_hash, row.approved_hash) if row else None


def weeks_since(connection: Connection, week: str) -> list[str]:
    """The weeks that have an edition, from this one on."""
    known = col(EditionTable.week)
    return list(connection.scalars(select(known).where(known >= week).order_by(known)))


def edition_number(connection: Connection, week: str) -> int:
    """The number an approved edition has; for a draft one more than the highest of those approved for other weeks."""
    approved = select(col(EditionTable.number)).where(col(EditionTable.approved_hash).is_not(None))
    known = connection.scalar(approved.where(col(EditionTable.week) == week))
    highest = connection.scalar(
        select(func.max(col(EditionTable.number))).where(
            col(EditionTable.approved_hash).is_not(None), col(EditionTable.week) != week
        )
    )
    return known if known is not None else (highest or 0) + 1


def save_draft(
    connection: Connection,
    edition: Edition,
    rendered: Rendered,
    envelope: Envelope,
    now: datetime,
    templates: str = "",
    heard: int = 0,
) -> StoredEdition:
    """Store a draft, with the hash of its templates and the number of overrides it was drafted with. The same content
    changes nothing; other content voids an approval."""
    documents = edition.document(), rendered.model_dump_json(), envelope.model_dump_json()
    content = fingerprint(*documents)
    known = hashes_of(connection, edition.week)
    same = known is not None and known[0] == content
    parts = {"parts": json.dumps({"templates": templates, "heard": heard})}
    values = {
        "content": documents[0],
        "number": edition.number,
        "rendered": documents[1],
        "envelope": documents[2],
        "content_hash": content,
        "drafted_at": now,
        "approved_hash": None,
        "approved_at": None,
    }
    if known is None:
        connection.execute(insert(EditionTable).values(week=edition.week, **values, **parts))
    else:
        changes = parts if same else {**values, **parts}
        connection.execute(update(EditionTable).where(col(EditionTable.week) == edition.week).values(**changes))
    approved = known[1] if known and same else None
    return StoredEdition(edition.week, edition, rendered, envelope, content, content, approved, templates, heard)


def save_approval(connection: Connection, week: str, content: str, now: datetime) -> None:
    """Pin the content that may be sent."""
    connection.execute(
        update(EditionTable)
        .where(col(EditionTable.week) == week, col(EditionTable.content_hash) == content)
        .values(approved_hash=content, approved_at=now)
    )


def approved_since(connection: Connection, moment: datetime) -> list[str]:
    """The weeks whose edition was approved after a moment."""
    later = select(col(EditionTable.week)).where(col(EditionTable.approved_at) > moment)
    return list(connection.scalars(later.order_by(col(EditionTable.week))))


def void_approval(connection: Connection, week: str) -> None:
    """Make a draft of a week's edition again."""
    same = col(EditionTable.week) == week
    connection.execute(update(EditionTable).where(same).values(approved_hash=None, approved_at=None))


def save_told(connection: Connection, week: str, facts: Iterable[str]) -> None:
    """Remember which disagreements this week's edition tells or counts, in place of what its last draft did."""
    connection.execute(delete(ToldTable).where(col(ToldTable.week) == week))
    told = [{"week": week, "fact": fact} for fact in dict.fromkeys(facts)]
    if told:
        connection.execute(insert(ToldTable), told)


def told_before(connection: Connection, week: str) -> frozenset[str]:
    """The disagreements that approved editions of earlier weeks told. A draft that nobody approved told nothing."""
    return frozenset(
        connection.scalars(
            select(col(ToldTable.fact))
            .join(EditionTable, col(EditionTable.week) == col(ToldTable.week))
            .where(col(ToldTable.week) < week, col(EditionTable.approved_hash).is_not(None))
        )
    )


def newest_edition(connection: Connection) -> str | None:
    """The week of the newest edition."""
    return connection.scalar(select(func.max(col(EditionTable.week))))
