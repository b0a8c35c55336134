"""The doctor: is everything there that the program stands on, and does the consent log hold?"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import assert_never
from urllib.parse import urlsplit

from jinja2 import TemplateSyntaxError
from sqlalchemy import Connection, Engine

from digest.config.assets import asset
from digest.config.settings import Settings
from digest.database import SCHEMA_VERSION, reading
from digest.delivery import signing
from digest.delivery.sending import transport_of
from digest.delivery.transports import mailgun, postmark, smtp_session
from digest.edition.numbers import several
from digest.errors import DeliveryError, DigestError
from digest.membership.proving import Standing, faults_of
from digest.operations import dns_records, restoring_store
from digest.operations.findings import Finding, Level
from digest.operations.posting import signing_key
from digest.rendering.templates import environment_of
from digest.subscribers import store
from digest.subscribers.consent import Consent
from digest.subscribers.location import database_age
from digest.subscribers.regimes import packaged_regimes

_SHOWN = 5
_CLOCKS_DIFFER = timedelta(minutes=5)


def examine(
    engine: Engine, settings: Settings, now: datetime, lookup: dns_records.Lookup | None = None
) -> Iterator[Finding]:
    """All that can be looked at with a database, in order. A look that fails is a finding, and the next follows.

    `lookup` asks the DNS; without it, nobody is asked.
    """
    looks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("database", lambda: _database(engine)),
        ("restored copy", lambda: _restored(engine)),
        ("consent log", lambda: consent_log(engine, now)),
        ("link keys", lambda: _link_keys(engine, settings)),
        ("transport", lambda: _transport(settings)),
        ("DKIM", lambda: _dkim(settings)),
        ("DNS", lambda: dns_records.examine(settings, lookup) if lookup else iter(())),
        ("alerts", lambda: _alerts(settings)),
        ("regimes", lambda: _regimes(engine, settings)),
        ("country database", lambda: _country_database(settings, now)),
        ("templates", _templates),
    )
    for what, look in looks:
        try:
            yield from look()
        except DigestError as error:
            yield Finding(what, "fail", str(error))


def _database(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as connection:
        store.check(connection)
    yield Finding("database", "ok", f"{engine.dialect.name} answers; its tables are those of version {SCHEMA_VERSION}.")


def _restored(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as connection:
        waits = restoring_store.held(connection)
    if waits is not None:
        yield Finding("restored copy", "warn", waits_for_a_person(waits))


def waits_for_a_person(waits: restoring_store.Restored) -> str:
    """What a restored copy needs, as a sentence."""
    return (
        f"this is a copy of {waits.backed_up_at:%Y-%m-%d %H:%M} UTC that was restored; it sends nothing until a person "
        "has looked at it: digest accept-restore"
    )


def consent_log(engine: Engine, now: datetime) -> Iterator[Finding]:
    """Every log, held against itself and against the reader's row; read in pieces, whatever their number."""
    faults, wrong, logs, ahead = list[str](), 0, 0, 0
    with reading(engine) as connection:
        try:
            for number, faulty, newest in _read_logs(connection):
                logs += 1
                ahead += newest > now + _CLOCKS_DIFFER
                wrong += bool(faulty)
                faults += [f"log {number}: {fault}" for fault in faulty] if wrong <= _SHOWN else []
        except ValueError:  # a moment that is none, a choice that is none: nothing that this program wrote
            wrong += 1
            faults.append(f"after {several(logs, 'log')} there is a row that cannot be read")
        without = store.without_log(connection)
    if without:
        yield Finding("consent log", "fail", f"{several(without, 'reader')} with no event at all: {_RESTORE}")
    if wrong:
        more = f"; and {wrong - _SHOWN} more" if wrong > _SHOWN else ""
        yield Finding("consent log", "fail", f"{'; '.join(faults)}{more}: {_RESTORE}")
    if not (wrong or without):
        yield Finding("consent log", "ok", f"{several(logs, 'log')}, and every chain holds.")
    if ahead:
        said = f"{several(ahead, 'log')} with events later than this machine's clock: set the clock (NTP)."
        yield Finding("clock", "warn", said)


_RESTORE = "somebody wrote to the database by another way; compare it with a backup before the next mail."


def _read_logs(connection: Connection) -> Iterator[tuple[int, tuple[str, ...], datetime]]:
    """Each log's number, what is wrong with it, and the moment of its newest event."""
    for number, links, row in store.logs(connection):
        standing = None
        if row is not None:
            consent = Consent(**{one.name: row[f"reader_{one.name}"] for one in fields(Consent)})
            standing = Standing(consent, row["reader_log_number"], row["reader_log_hash"])
        yield number, tuple(faults_of(links, standing)), max(link.event.at for link in links)


def _link_keys(engine: Engine, settings: Settings) -> Iterator[Finding]:
    with reading(engine) as connection:
        kept = store.keeps_link_key(connection)
    if settings.links.keys:
        yield Finding("link keys", "ok", f"{several(len(settings.links.keys), 'key')} in [links] keys.")
    elif kept:
        said = "the key is kept in the database: who holds a backup can sign links; [links] keys keeps it apart."
        yield Finding("link keys", "note", said)
    else:
        yield Finding("link keys", "note", "there is no key yet; the first link makes one, kept in the database.")


def _transport(settings: Settings) -> Iterator[Finding]:
    match settings.delivery.transport:
        case "maildir":
            yield _maildir(settings)
        case "smtp":
            yield from _relays(settings)
        case "postmark":
            yield Finding("transport", "ok", f"{postmark.probe(settings.postmark)}.")
        case "mailgun":
            yield Finding("transport", "ok", f"{mailgun.probe(settings.mailgun)}.")
        case other:
            assert_never(other)


def _relays(settings: Settings) -> Iterator[Finding]:
    """Each relay by itself: mail goes on with one of two, but then there is no other left."""
    for relay in filter(None, (settings.smtp, settings.smtp.fallback)):
        try:
            smtp_session.connect(relay, settings.smtp.timeout_seconds).close()
        except DeliveryError as error:
            yield Finding("transport", "fail", str(error))
        else:
            yield Finding("transport", "ok", f"the relay {relay.host}:{relay.port} answers.")


def _maildir(settings: Settings) -> Finding:
    folder = settings.delivery.maildir
    with transport_of(settings):
        try:
            with tempfile.TemporaryFile(dir=folder / "tmp"):
                pass
        except OSError as error:
            raise DeliveryError(
                f"the Maildir {folder} cannot be written: {error.strerror}; make it writable."
            ) from error
    return Finding("transport", "ok", f"the Maildir {folder} can be written; nothing is mailed by it.")


def _dkim(settings: Settings) -> Iterator[Finding]:
    """A signature counts for the sender only if it is of its domain or one above it (RFC 7489 section 3.1.1)."""
    if not settings.dkim.keys:
        yield Finding("DKIM", "note", "the relay signs the mails, or nobody does: [dkim] names no key.")
    for address in filter(None, (settings.mail.from_address, settings.mail.letters_address)):
        of = address.rpartition("@")[2].lower()
        if settings.dkim.keys and of != settings.dkim.domain and not of.endswith(f".{settings.dkim.domain}"):
            said = (
                f"mail from {of} is signed for {settings.dkim.domain}, so DMARC does not count it: align [dkim] domain."
            )
            yield Finding("DKIM", "fail", said)
    for key in signing.signers(settings.dkim):
        said = f"{key.algorithm} signs; the TXT record of {key.selector}._domainkey.{key.domain} is: {key.record}"
        yield Finding("DKIM", "ok", said)


def _alerts(settings: Settings) -> Iterator[Finding]:
    """Who is told what needs a person. Nobody is asked: to a hook nothing is said that is not so."""
    hooks = settings.hooks
    ways = [f"{several(len(settings.alerts.mail_to), 'address')} by mail"] if settings.alerts.mail_to else []
    ways += [f"the hook at {urlsplit(hooks.alerts).hostname}"] if hooks.alerts else []
    if ways:
        yield Finding("alerts", "ok", f"what needs a person is told to {' and '.join(ways)}.")
    else:
        said = "nobody is told what needs a person, for [alerts] mail_to and [hooks] alerts are empty; name one."
        yield Finding("alerts", "note", said)
    if settings.alerts.mail_to and settings.delivery.transport == "maildir":
        said = "alerts go into the Maildir with all mail, so nobody gets them: set [delivery] transport, or a hook."
        yield Finding("alerts", "note", said)
    if hooks.alerts or hooks.editions:
        signing_key(hooks)  # else nothing could be told to either; it says why


def _regimes(engine: Engine, settings: Settings) -> Iterator[Finding]:
    """What a program cannot do is said of the regions where readers live; docs/consent.md has all of it."""
    table = packaged_regimes(settings.consent.regimes)
    yield Finding("regimes", "ok", f"version {table.version}, {several(len(table.by_code), 'region')}.")
    with reading(engine) as connection:
        here = store.regimes_of_readers(connection)
    for regime in map(table.of, sorted(here)):
        for note in regime.operator_notes:
            yield Finding("regimes", "note", f"{regime.name}: {note}")


def _country_database(settings: Settings, now: datetime) -> Iterator[Finding]:
    path = settings.location.database
    if not path.is_file():
        said = f"there is no {path}, so only what readers or a proxy say tells a country: run `digest geoip update`."
        yield Finding("country database", "note", said)
    elif said := database_age(path, now):
        yield Finding("country database", "warn", said)
    else:
        yield Finding("country database", "ok", f"{path} is young enough.")


def _templates() -> Iterator[Finding]:
    """Each file is read and parsed; what it asks for shows when it is filled."""
    root, count = asset("templates"), 0
    for path in sorted(root.rglob("*")):
        if path.suffix not in (".html", ".mjml", ".txt", ".xml"):
            continue
        name = path.relative_to(root).as_posix()
        try:
            environment_of(root).parse(path.read_text(encoding="utf-8"))
            count += 1
        except (OSError, UnicodeDecodeError) as error:
            yield Finding("templates", "fail", f"templates/{name} cannot be read: {error}; install the program anew.")
        except TemplateSyntaxError as error:
            yield Finding("templates", "fail", f"templates/{name} line {error.lineno}: {error.message}; correct it.")
    level: Level = "ok" if count else "fail"
    yield Finding("templates", level, f"{several(count, 'template')} can be read.")
