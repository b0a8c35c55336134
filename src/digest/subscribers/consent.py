"""Consent: an append-only log of events, and the state that follows from it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Literal, assert_never

Kind = Literal["requested", "confirmed", "withdrawn"]
State = Literal["none", "requested", "confirmed", "withdrawn"]

LIVE: State = "confirmed"
"""The one state in which a reader may be mailed."""


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """What a reader did, and the proof of it.

    `at` is aware; `method` is how it was said ("sign-up form", "unsubscribe link"), `wording` what was agreed to, and
    `country` the ISO 3166 code the reader was routed by, None if unknown.
    """

    kind: Kind
    at: datetime
    method: str
    wording: str = ""
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """Where a reader stands. Each moment is that of the newest event of its kind."""

    state: State = "none"
    requested_at: datetime | None = None
    confirmed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    country: str | None = None


def fold(events: Iterable[ConsentEvent]) -> Consent:
    """The state that follows from a log, read in the order in which it was written.

    Not in the order of `at`: a clock that was set back must never turn a withdrawal into a consent.
    """
    return reduce(_after, events, Consent())


def _after(consent: Consent, event: ConsentEvent) -> Consent:
    consent = replace(consent, country=event.country or consent.country)
    match event.kind:
        case "requested":
            # Asking again does not take back a consent that stands.
            state: State = "confirmed" if consent.state == "confirmed" else "requested"
            return replace(consent, state=state, requested_at=event.at)
        case "confirmed":
            return replace(consent, state="confirmed", confirmed_at=event.at)
        case "withdrawn":
            return replace(consent, state="withdrawn", withdrawn_at=event.at)
        case other:
            assert_never(other)
