"""Readers who agreed elsewhere, added with the proof: one, or all of a file.

    lines -> newcomer() -> what is known of the address -> added, or left alone with a reason

A file is read whole before anything is stored, into a temporary file that has no name; then it is stored in one
transaction. Both go a piece at a time, so its size does not matter, and reading it keeps no other writer waiting.
"""

import csv
import pickle
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Literal, NamedTuple

from sqlalchemy import Connection, Engine

from digest.config.settings import Settings
from digest.database import writing
from digest.errors import DigestError, StorageError, UsageError
from digest.language import LOCALES
from digest.membership.addresses import email_key
from digest.membership.signing_up import parse_country, parse_locale, parse_topics
from digest.subscribers import regimes, store
from digest.subscribers.consent import LIVE, WORDINGS, ConsentEvent, Kind, State, hash_of
from digest.subscribers.store import Newcomer

REQUIRED = ("email", "consented_at", "method", "wording")
OPTIONAL = ("country", "locale", "topics")
EXPORTED = ("state", "regime", "reconfirm_by")
"""What an export has beside: of another state than confirmed nothing is taken, and the rest follows from a consent."""

Outcome = Literal["added", "known", "withdrawn", "refused", "lapsed", "skipped", "wrong"]
"""
added: a new reader.                          known: there already, or in an earlier line.
withdrawn: left, complained, bounced or lapsed here; stays away.       refused: was erased; stays away.
lapsed: the consent has to be renewed by now. skipped: an export's line of a reader whose consent did not live.
wrong: cannot be read; then nothing of the file is stored.
"""

_CHUNK = 2000  # lines held at once
_REST = "fields without a column"
_FAULTS_SHOWN = 5
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")
_LONGEST: Mapping[str, int] = {"method": 200, "wording": 10_000}
_FIRST_YEAR = 1971  # the year of the first mail between two machines

_AWAY: Mapping[State, tuple[Outcome, str]] = {
    "confirmed": ("known", "subscribed already, or in an earlier line"),
    "requested": ("known", "asked to sign up and has yet to confirm"),
    "withdrawn": ("withdrawn", "unsubscribed"),
    "complained": ("withdrawn", "reported a mail as spam"),
    "bounced": ("withdrawn", "the mailbox did not exist"),
    "expired": ("withdrawn", "did not renew the consent in time"),
}
_LEAVING: tuple[Kind, ...] = ("withdrawn", "bounced", "expired")
_ERASED = "asked to be forgotten"
_LAPSED = "by the rules of {regime} this consent had to be renewed by {until:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or a dry run would have done: how many lines came to what, by `Outcome`."""

    added: int = 0
    known: int = 0
    withdrawn: int = 0
    refused: int = 0
    lapsed: int = 0
    skipped: int = 0


class _Line(NamedTuple):
    """A line of the file: whom it names, or at once what became of it and why."""

    number: int
    who: Newcomer | None
    outcome: Outcome | None
    reason: str


def newcomer(fields: Mapping[str, str], settings: Settings, now: datetime) -> Newcomer:
    """A reader from the texts of a form or a line. Raises UsageError with the reason, never naming the address.

    `fields` holds email, consented_at (ISO 8601: a date, or a time with its zone), method and wording (the words that
    were agreed to), and perhaps country (ISO 3166), locale (BCP 47) and topics (of TOPICS, separated by semicolons).
    """
    texts = {name: (fields.get(name) or "").strip() for name in (*REQUIRED, *OPTIONAL)}
    missing = [name for name in REQUIRED if not texts[name]]
    if missing:
        raise UsageError(f"{' and '.join(missing)} missing")
    for name, most in _LONGEST.items():
        if len(texts[name]) > most or _CONTROL.search(texts[name]):
            raise UsageError(f"{name} holds control characters or more than {most:,} characters")
    key = email_key(texts["email"])
    at = _moment(texts["consented_at"], settings.series.zone)
    if at > now:
        raise UsageError("consented_at is in the future")
    topics = [topic.strip() for topic in texts["topics"].split(";") if topic.strip()]
    return Newcomer(
        email=texts["email"],
        email_key=key,
        event=_consent(settings, at, texts["method"], texts["wording"], parse_country(texts["country"])),
        locale=parse_locale(_language(texts["locale"])),
        topics=parse_topics(topics),
    )


def _consent(settings: Settings, at: datetime, method: str, wording: str, country: str | None) -> ConsentEvent:
    table = regimes.packaged_regimes(settings.consent.regimes)
    regime = table.of(country)
    return ConsentEvent(
        kind="confirmed",
        at=at,
        method=method,
        wording=wording,
        wording_hash=hash_of(WORDINGS.get(wording, wording)),  # our own export names the version
        country=country,
        derived="import" if country else "unknown",
        regime=regime.code,
        regime_version=table.version,
        until=regimes.reconfirm_by(regime, at, own_act=False),
    )


def _language(tag: str) -> str:
    """The language of ours that a tag asks for: `en_GB` -> `en`. One that we do not write is left as it is."""
    if tag and not _LOCALE.fullmatch(tag):
        raise UsageError("locale is no language tag, such as en or pt-BR")
    tag = tag.replace("_", "-")
    return next((known for known in (tag, tag.partition("-")[0].lower()) if known in LOCALES), tag)


def _moment(text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 date, from whose first moment in the series' zone the consent counts, or a time with its zone."""
    try:
        moment = datetime.combine(date.fromisoformat(text), time(), zone)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError("consented_at is no date such as 2026-04-30 or 2026-04-30T12:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageError("consented_at has a time without its zone; add Z or an offset")
    if moment.year < _FIRST_YEAR:
        raise UsageError(f"consented_at is before {_FIRST_YEAR}, when there was no mail")
    return moment


def add(engine: Engine, settings: Settings, who: Newcomer, now: datetime) -> None:
    """Add one reader. Someone who left comes back only by a consent given after leaving.

    Raises DigestError if the reader is there already, left after the consent that is shown, was erased, complained,
    or has to give the consent anew.
    """
    if _has_lapsed(who, now):
        raise DigestError(f"{_LAPSED.format(regime=who.event.regime, until=who.event.until)}; ask the reader anew.")
    with writing(engine) as connection:
        known = store.find(connection, who.email_key, acting=True)
        if known is None:
            keys = store.link_keys(connection, settings.links, now)
            if store.refused(connection, [who.email_key], keys):
                raise DigestError("this reader asked to be forgotten; only they can come back, by signing up.")
            store.add(connection, [who], now)
            return
        state = known.consent.state
        if state == LIVE:
            raise DigestError("this address is subscribed already; nothing was changed.")
        if state == "complained":
            raise DigestError("this reader reported a mail as spam; `digest bounces undo` takes it back at their word.")
        # Anybody may have asked for mail in their name since: a request that nobody confirmed changes nothing.
        left = [link.event.at for link in store.log(connection, known.id) if link.event.kind in _LEAVING]
        if left and who.event.at <= max(left):
            raise DigestError(
                "this reader left after that consent was given; only a newer consent can bring them back."
            )
        store.append(connection, known.id, who.event)


def import_csv(
    engine: Engine,
    settings: Settings,
    path: Path,
    now: datetime,
    *,
    dry_run: bool = False,
    report: Path | None = None,
    advance: Callable[[int], None] = lambda _lines: None,
) -> Imported:
    """Import readers from a CSV file (UTF-8, with a head line), all or none.

    Addresses that are there already are left alone, and who left or was erased stays away whatever the file says. A
    dry run does everything and then takes it back. `report` gets a line for each line of the file: its number, its
    Outcome and the reason, no address. `advance` hears of each line twice: when it was read, and when it was stored.

    Raises DigestError naming the first bad lines and their reasons; then nothing was stored.
    """
    with _reporting(report) as write, TemporaryFile() as spool:
        read = _spool(_parsed(path, settings, now), spool, advance)
        if read.wrong and report is None:
            raise _not_imported(path, read)
        counted: Counter[Outcome] = Counter()
        with writing(engine) as connection:
            keys = store.link_keys(connection, settings.links, now)
            for chunk in _spooled(spool):
                for number, outcome, reason in _stored(connection, chunk, keys, now):
                    counted[outcome] += 1
                    write(number, outcome, reason)
                advance(len(chunk))
            if dry_run or read.wrong:
                connection.rollback()
    if read.wrong:
        raise _not_imported(path, read)
    return Imported(
        counted["added"],
        counted["known"],
        counted["withdrawn"],
        counted["refused"],
        counted["lapsed"],
        counted["skipped"],
    )


class _Read(NamedTuple):
    """What was read: how many lines, how many of them wrong, and what is wrong with the first."""

    lines: int
    wrong: int
    faults: Sequence[str]


def _spool(lines: Iterator[_Line], spool: IO[bytes], advance: Callable[[int], None]) -> _Read:
    count, wrong, faults = 0, 0, list[str]()
    while chunk := list(islice(lines, _CHUNK)):
        pickle.dump(chunk, spool)
        bad = [f"line {line.number}: {line.reason}" for line in chunk if line.outcome == "wrong"]
        count, wrong = count + len(chunk), wrong + len(bad)
        faults = [*faults, *bad][:_FAULTS_SHOWN]
        advance(len(chunk))
    return _Read(count, wrong, faults)


def _spooled(spool: IO[bytes]) -> Iterator[list[_Line]]:
    end = spool.tell()
    spool.seek(0)
    while spool.tell() < end:
        yield pickle.load(spool)  # noqa: S301 (written a moment ago, by us, into a file that nobody else can open)


def _not_imported(path: Path, read: _Read) -> DigestError:
    more = f"; and {read.wrong - len(read.faults)} more" if read.wrong > len(read.faults) else ""
    return DigestError(
        f"{path.name} was not imported, {read.wrong} of {read.lines} lines are wrong: {'; '.join(read.faults)}{more}. "
        "Mend them and import again; nothing was stored."
    )


def _stored(
    connection: Connection, lines: Sequence[_Line], keys: Sequence[bytes], now: datetime
) -> Iterator[tuple[int, Outcome, str]]:
    """Add those of the lines that are new; answers with what became of each, in their order."""
    addresses = [line.who.email_key for line in lines if line.who]
    known: dict[str, State] = store.states(connection, addresses)
    erased = store.refused(connection, addresses, keys)
    fresh: list[Newcomer] = []
    for line in lines:
        who, outcome, reason = line.who, line.outcome, line.reason
        if who is not None:
            outcome, reason = "added", ""
            if who.email_key in known:
                outcome, reason = _AWAY[known[who.email_key]]
            elif who.email_key in erased:
                outcome, reason = "refused", _ERASED
            elif _has_lapsed(who, now):
                outcome, reason = "lapsed", _LAPSED.format(regime=who.event.regime, until=who.event.until)
            else:
                fresh.append(who)
                known[who.email_key] = LIVE
        yield line.number, outcome or "wrong", reason
    store.add(connection, fresh, now)


def _has_lapsed(who: Newcomer, now: datetime) -> bool:
    return who.event.until is not None and who.event.until <= now


def _parsed(path: Path, settings: Settings, now: datetime) -> Iterator[_Line]:
    for number, fields in _lines(path):
        state = fields.get("state") or LIVE
        try:
            if _REST in fields:
                raise UsageError("more fields than the head line names")
            if state == LIVE:
                yield _Line(number, newcomer(fields, settings, now), None, "")
            else:
                yield _Line(number, None, "skipped", f"its state is {state:.20}")
        except UsageError as error:
            yield _Line(number, None, "wrong", str(error).rstrip("."))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and fields by column of a CSV file. Raises StorageError or DigestError for the file as a whole."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, restval="", restkey=_REST)
            _check_head(path, reader.fieldnames or ())
            for fields in reader:
                yield reader.line_num, {name: _unescaped(text) for name, text in fields.items()}
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DigestError(f"{path.name} is not UTF-8; save it as UTF-8 and import again.") from error
    except csv.Error as error:
        raise DigestError(f"{path.name} is no CSV file from line {reader.line_num + 1}: {error}.") from error


def _check_head(path: Path, columns: Sequence[str]) -> None:
    absent = [name for name in REQUIRED if name not in columns]
    unknown = [name for name in columns if name not in (*REQUIRED, *OPTIONAL, *EXPORTED)]
    twice = [name for name, times in Counter(columns).items() if times > 1]
    if absent:
        wrong = f"has no column {', '.join(absent)}"
    elif unknown:
        wrong = f'has an unknown column "{unknown[0]:.40}"'
    elif twice:
        wrong = f'has the column "{twice[0]}" twice'
    else:
        return
    raise DigestError(
        f"{path.name} {wrong}; the head line wants {', '.join(REQUIRED)} and may have {', '.join(OPTIONAL)}."
    )


def _unescaped(text: object) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from reading it as a formula."""
    return (text[1:] if _ESCAPED.match(text) else text) if isinstance(text, str) else ""


@contextmanager
def _reporting(path: Path | None) -> Iterator[Callable[[int, Outcome, str], None]]:
    """Writes lines of a report, or nothing. Raises StorageError."""
    if path is None:
        yield lambda _line, _outcome, _reason: None
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("line", "outcome", "reason"))

            def write(number: int, outcome: Outcome, reason: str) -> None:
                rows.writerow((number, outcome, reason))

            yield write
    except OSError as error:
        raise StorageError(f"the report {path} cannot be written: {error.strerror}; nothing was stored.") from error
