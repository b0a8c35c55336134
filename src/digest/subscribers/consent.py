"""Consent: an append-only log of events, chained by hash, and the state that follows from it. Pure.

Nothing here names a person: an event holds what was agreed to, when and how, under a random number. Erasing a reader
takes the address away and leaves a log that proves what happened to nobody in particular.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import reduce
from hashlib import sha256
from typing import Literal, assert_never, get_args

Kind = Literal["requested", "confirmed", "changed", "paused", "withdrawn", "complained", "bounced", "expired", "erased"]
"""
requested: asked for the mail, not yet confirmed.        confirmed: agreed, or agreed again.
changed: chose otherwise; `detail` names what.           paused: `until` a moment, or no longer.
withdrawn: left; `detail` may hold a reason of ours.     complained: reported a mail as spam.
bounced: mail comes back, `detail` says why.             expired: not confirmed, or not renewed, in time.
erased: the address was forgotten.
"""

State = Literal["none", "requested", "confirmed", "withdrawn", "complained", "bounced", "expired", "erased"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LIVE: State = "confirmed"
"""The one state in which a reader may be mailed."""

WORDINGS = {
    "2026-11/en": "Yes, send me the weekly digest. I can withdraw at any time.",
    "2026-11/de": "Ja, schicken Sie mir den wöchentlichen Digest. Ich kann die Einwilligung jederzeit widerrufen.",
}
"""What the sign-up form asks a reader to agree to, by version and language. One that was shown is never edited."""


def wording(locale: str) -> tuple[str, str]:
    """The newest wording in a language, or in English: its version and its text."""
    in_it = [name for name in WORDINGS if name.endswith(f"/{locale}")]
    version = max(in_it or [name for name in WORDINGS if name.endswith("/en")])
    return version, WORDINGS[version]


def hash_of(text: str) -> str:
    """sha256 of a wording's UTF-8 bytes, in hex."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """What happened to a consent, and the proof of it.

    `at` is aware; `method` says how it was said ("sign-up form", "unsubscribe link"), `wording` to what (a version of
    WORDINGS, or an importer's own words) with its sha256. `country` is an ISO 3166 code, None if unknown, `derived` how
    it was learnt (declared, header, database, import), `regime` whose rules followed from it, in which version of the
    table. `until` is the end of a pause, or when a confirmed consent lapses; `detail` a closed word.
    """

    kind: Kind
    at: datetime
    method: str
    wording: str = ""
    wording_hash: str = ""
    country: str | None = None
    derived: str = ""
    regime: str = ""
    regime_version: str = ""
    until: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a chain: the event, its place (from 1), and the hash over it and the link before."""

    number: int
    event: ConsentEvent
    hash: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Where a reader stands. Each moment is that of the newest event of its kind.

    `method` is how the consent that stands was given, `ended` how it ended; `reconfirm_by` when it lapses.
    """

    state: State = "none"
    requested_at: datetime | None = None
    confirmed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    paused_until: datetime | None = None
    reconfirm_by: datetime | None = None
    country: str | None = None
    derived: str = ""
    regime: str = "ZZ"
    method: str = ""
    ended: str = ""

    def lives(self, now: datetime) -> bool:
        """Whether it stands, and has not lapsed: by itself it does so before anybody writes that it did."""
        return self.state == LIVE and (self.reconfirm_by is None or self.reconfirm_by > now)


def fold(events: Iterable[ConsentEvent]) -> Consent:
    """The state that follows from a log, read in the order in which it was written.

    Not in the order of `at`: a clock that was set back must never turn a withdrawal into a consent.
    """
    return reduce(_after, events, Consent())


def _after(consent: Consent, event: ConsentEvent) -> Consent:
    if consent.state == "erased":  # the number is retired; who comes back gets another
        return consent
    if event.country or event.regime:
        regime = event.regime or consent.regime
        consent = replace(consent, country=event.country, derived=event.derived, regime=regime)
    match event.kind:
        case "requested":
            # Asking again does not take back a consent that stands.
            state = consent.state if consent.state == LIVE else "requested"
            return replace(consent, state=state, requested_at=event.at)
        case "confirmed":
            return replace(
                consent,
                state=LIVE,
                confirmed_at=event.at,
                reconfirm_by=event.until,
                paused_until=None,
                method=event.method,
                ended="",
            )
        case "changed":
            return replace(consent, reconfirm_by=event.until) if event.until else consent
        case "paused":
            return replace(consent, paused_until=event.until)
        case "withdrawn":
            # A complaint stays one, and a dead mailbox: nobody signs such a reader up again by a form.
            state = consent.state if consent.state in ("complained", "bounced") else "withdrawn"
            return replace(_ended(consent, state, event), withdrawn_at=event.at)
        case "complained" | "erased":
            return _ended(consent, event.kind, event)
        case "bounced" | "expired":
            return _ended(consent, event.kind, event) if consent.state in (LIVE, "requested") else consent
        case other:
            assert_never(other)


def _ended(consent: Consent, state: State, event: ConsentEvent) -> Consent:
    return replace(consent, state=state, paused_until=None, reconfirm_by=None, ended=event.method)


def chain(events: Iterable[ConsentEvent], after: Link | None = None) -> tuple[Link, ...]:
    """Events as links that follow `after`, or begin a chain."""
    links: list[Link] = []
    for event in events:
        last = links[-1] if links else after
        number = last.number + 1 if last else 1
        links.append(Link(number, event, _hash(number, event, last.hash if last else "")))
    return tuple(links)


def broken(links: Sequence[Link]) -> int | None:
    """The number of the first link that does not follow from those before it; None where the chain holds."""
    before = ""
    for number, link in enumerate(links, start=1):
        if link.number != number or link.hash != _hash(number, link.event, before):
            return number
        before = link.hash
    return None


_FIELDS = tuple(one.name for one in fields(ConsentEvent))


def _hash(number: int, event: ConsentEvent, before: str) -> str:
    # What is empty is left out, so that a field that is added later changes no old hash.
    facts = {
        name: value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
        for name in _FIELDS
        if (value := getattr(event, name)) not in (None, "")
    }
    text = json.dumps([before, number, facts], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
