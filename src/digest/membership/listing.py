"""Readers as the operator sees them: listed, exported, taken off, erased."""

import csv
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple, TextIO

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.errors import UsageError
from digest.membership import leaving
from digest.membership.addresses import email_key
from digest.membership.importing import EXPORTED, OPTIONAL, REQUIRED
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent, State
from digest.subscribers.store import Subscriber

COLUMNS = (*REQUIRED, *OPTIONAL, *EXPORTED)
"""Of an export. The first seven are those of an import, so that what was exported can be imported again."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")  # what a spreadsheet takes for a formula, and what was made safe already


class Filter(NamedTuple):
    """Which readers: those in one state, country (ISO 3166) or language; None for any."""

    state: State | None = None
    country: str | None = None
    locale: str | None = None


EVERYONE = Filter()


def list_subscribers(engine: Engine, which: Filter = EVERYONE) -> Iterator[Subscriber]:
    """Readers by address, read in pieces."""
    with reading(engine) as connection:
        yield from store.everyone(connection, *which)


def export(engine: Engine, file: TextIO, form: Literal["csv", "json"], which: Filter = EVERYONE) -> int:
    """Write readers by address, in pieces: CSV (RFC 4180, safe from formulas), or a JSON array; how many there were.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it, which an import takes off again.
    """
    with reading(engine) as connection:
        found = (_facts(reader, wording) for reader, wording in store.with_wordings(connection, *which))
        return _write_csv(file, found) if form == "csv" else _write_json(file, found)


def _facts(reader: Subscriber, wording: str) -> dict[str, Any]:
    consent = reader.consent
    return {
        "email": reader.email,
        "consented_at": consent.confirmed_at.isoformat() if consent.confirmed_at else None,
        "method": consent.method,
        "wording": wording,
        "country": consent.country,
        "locale": reader.locale,
        "topics": reader.topics,
        "state": consent.state,
        "regime": consent.regime,
        "reconfirm_by": consent.reconfirm_by.isoformat() if consent.reconfirm_by else None,
    }


def _write_csv(file: TextIO, found: Iterator[dict[str, Any]]) -> int:
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    count = 0
    for facts in found:
        texts = {**facts, "topics": ";".join(facts["topics"])}
        rows.writerow(_escaped(texts[name] or "") for name in COLUMNS)
        count += 1
    return count


def _escaped(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _write_json(file: TextIO, found: Iterator[dict[str, Any]]) -> int:
    count, before = 0, "[\n"
    for facts in found:
        file.write(before + json.dumps(facts, ensure_ascii=False))
        count, before = count + 1, ",\n"
    file.write("[]\n" if not count else "\n]\n")
    return count


def find(engine: Engine, email: str) -> Subscriber | None:
    """The reader with this address. Raises UsageError for what is no address."""
    with reading(engine) as connection:
        return store.find(connection, email_key(email))


def remove(engine: Engine, email: str, now: datetime) -> bool:
    """Withdraw a reader's consent on their behalf. False if they had left already. Raises UsageError if unknown."""
    key = email_key(email)
    with writing(engine) as connection:
        known = store.find(connection, key, acting=True)
        if known is None:
            raise nobody()
        if known.consent.state in ("withdrawn", "complained"):
            return False
        store.append(connection, known.id, ConsentEvent("withdrawn", now, "removed by the operator"))
        return True


def erase(engine: Engine, settings: Settings, email: str, now: datetime) -> bool:
    """Forget a reader for ever: the address goes, a keyed hash that honours the refusal and the consent log stay.

    False if they were erased already. Raises UsageError if unknown.
    """
    key = email_key(email)
    with writing(engine) as connection:
        keys = store.link_keys(connection, settings.links, now)
        known = store.find(connection, key, acting=True)
        if known is None:
            if store.refused(connection, [key], keys):
                return False
            raise nobody()
        leaving.erase(connection, known.id, ConsentEvent("erased", now, "erased by the operator"), keys)
    return True


def nobody() -> UsageError:
    """That an address is nobody's, in words that do not repeat it."""
    return UsageError("no reader has this address; `digest subscribers list` shows who there is.")
