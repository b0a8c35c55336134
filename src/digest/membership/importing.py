"""A reader's life: added with proof of consent, listed, gone. Each step is one transaction."""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Engine

from digest.database import reading, writing
from digest.errors import DigestError, StorageError, UsageError
from digest.subscribers import links, store
from digest.subscribers.consent import ConsentEvent, State
from digest.subscribers.store import Newcomer, Subscriber

_REQUIRED = ("email", "consented_at", "method", "wording")
_OPTIONAL = ("country", "locale", "topics")
_REST = "fields without a column"
_FAULTS_SHOWN = 5
_COUNTRY = re.compile(r"[A-Z]{2}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: readers added, addresses that were there already, and readers who had left and stay away."""

    added: int
    known: int
    withdrawn: int


def newcomer(fields: Mapping[str, str], now: datetime, zone: tzinfo = UTC) -> Newcomer:
    """A reader from the texts of a form or a line. Raises UsageError with the reason, never naming the address.

    `fields` holds email, consented_at (ISO 8601: a date, or a time with its zone), method and wording, and perhaps
    country (ISO 3166), locale and topics (separated by semicolons).
    """
    if _REST in fields:
        raise UsageError("more fields than the head line names")
    texts = {name: (fields.get(name) or "").strip() for name in (*_REQUIRED, *_OPTIONAL)}
    missing = [name for name in _REQUIRED if not texts[name]]
    if missing:
        raise UsageError(f"{' and '.join(missing)} missing")
    country = texts["country"].upper() or None
    if country is not None and not _COUNTRY.fullmatch(country):
        raise UsageError("country is no ISO 3166 code of two letters, such as DE")
    if texts["locale"] and not _LOCALE.fullmatch(texts["locale"]):
        raise UsageError("locale is no language tag, such as en or pt-BR")
    consented_at = _moment(texts["consented_at"], zone)
    if consented_at > now:
        raise UsageError("consented_at is in the future")
    return Newcomer(
        email=texts["email"],
        email_key=email_key(texts["email"]),
        event=ConsentEvent("confirmed", consented_at, texts["method"], texts["wording"], country),
        locale=texts["locale"].replace("_", "-") or "en",
        topics=tuple(topic.strip() for topic in texts["topics"].split(";") if topic.strip()),
    )


def email_key(email: str) -> str:
    """An address in the form in which two are compared: local part case-folded, domain in ASCII (RFC 5890).

    Raises UsageError with the reason if it is no address that mail can be sent to.
    """
    try:
        valid = validate_email(email, check_deliverability=False)
    except EmailNotValidError as error:
        raise UsageError(f"email is no address: {str(error).rstrip('.')}") from error
    return f"{unicodedata.normalize('NFC', valid.local_part.casefold())}@{valid.ascii_domain.lower()}"


def add(engine: Engine, who: Newcomer, now: datetime) -> None:
    """Add one reader. Someone who left comes back only by a consent given after leaving.

    Raises DigestError if the reader is there already, or left after the consent that is shown.
    """
    with writing(engine) as connection:
        known = store.find(connection, who.email_key)
        if known is None:
            store.add(connection, [who], now)
        elif known.consent.state == "confirmed":
            raise DigestError("this address is subscribed already; nothing was changed.")
        elif known.consent.withdrawn_at is not None and who.event.at <= known.consent.withdrawn_at:
            raise DigestError(
                "this reader left after that consent was given; only a newer consent can bring them back."
            )
        else:
            store.append(connection, known.id, who.event)


def import_csv(engine: Engine, path: Path, now: datetime, zone: tzinfo = UTC) -> Imported:
    """Import readers from a CSV file (UTF-8, with a head line), all or none.

    Addresses that are there already are left alone, and who has withdrawn stays so whatever the file says.
    Raises DigestError naming the first bad lines and their reasons; then nothing was stored.
    """
    newcomers: dict[str, Newcomer] = {}
    faults: list[str] = []
    lines = 0
    for number, fields in _lines(path):
        lines += 1
        try:
            who = newcomer(fields, now, zone)
            newcomers.setdefault(who.email_key, who)
        except UsageError as error:
            faults.append(f"line {number}: {error}")
    if faults:
        more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        raise DigestError(
            f"{path.name} was not imported, {len(faults)} of {lines} lines are wrong: "
            f"{'; '.join(faults[:_FAULTS_SHOWN])}{more}. Mend them and import again; nothing was stored."
        )
    return _add_missing(engine, newcomers, lines, now)


def _add_missing(engine: Engine, newcomers: Mapping[str, Newcomer], lines: int, now: datetime) -> Imported:
    with writing(engine) as connection:
        known = store.states(connection, list(newcomers))
        missing = [who for key, who in newcomers.items() if key not in known]
        store.add(connection, missing, now)
    withdrawn = sum(state == "withdrawn" for state in known.values())
    return Imported(len(missing), lines - len(missing) - withdrawn, withdrawn)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and fields by column of a CSV file. Raises StorageError or DigestError for the file as a whole."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, restval="", restkey=_REST)
            columns: Sequence[str] = reader.fieldnames or ()
            absent = [name for name in _REQUIRED if name not in columns]
            unknown = [name for name in columns if name not in (*_REQUIRED, *_OPTIONAL)]
            if absent or unknown:
                wrong = f"has no column {', '.join(absent)}" if absent else f'has an unknown column "{unknown[0]:.40}"'
                raise DigestError(
                    f"{path.name} {wrong}; the head line wants {', '.join(_REQUIRED)} and may have "
                    f"{', '.join(_OPTIONAL)}."
                )
            for fields in reader:
                yield reader.line_num, fields
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DigestError(f"{path.name} is not UTF-8; save it as UTF-8 and import again.") from error
    except csv.Error as error:
        raise DigestError(f"{path.name} is no CSV file from line {reader.line_num + 1}: {error}.") from error


def list_subscribers(engine: Engine, state: State | None = None) -> Iterator[Subscriber]:
    """All readers by address, or those in one state."""
    with reading(engine) as connection:
        yield from store.everyone(connection, state)


def remove(engine: Engine, email: str, now: datetime) -> bool:
    """Withdraw a reader's consent on their behalf. False if they had left already. Raises UsageError if unknown."""
    with writing(engine) as connection:
        known = store.find(connection, email_key(email))
        if known is None:
            raise UsageError("no reader has this address; `digest subscribers list` shows who there is.")
        if known.consent.state == "withdrawn":
            return False
        store.append(connection, known.id, ConsentEvent("withdrawn", now, "removed by the operator"))
        return True


def unsubscribe_by_token(engine: Engine, token: str, keys: Sequence[bytes], now: datetime) -> bool:
    """Withdraw by a mail's link, at once. True whenever the link is ours, the second time too; False if it is not."""
    subscriber_id = links.read(token, links.UNSUBSCRIBE, keys)
    if subscriber_id is None:
        return False
    with writing(engine) as connection:
        known = store.get(connection, [subscriber_id]).get(subscriber_id)
        if known is not None and known.consent.state != "withdrawn":  # an erased reader has nothing to withdraw
            store.append(connection, subscriber_id, ConsentEvent("withdrawn", now, "unsubscribe link"))
    return True


def _moment(text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 date, from whose first moment in the series' zone the consent counts, or a time with its zone."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), zone)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("consented_at is no date such as 2026-04-30 or 2026-04-30T12:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageError("consented_at has a time without its zone; add Z or an offset")
    return moment
