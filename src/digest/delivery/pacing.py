"""How fast a provider may be sent to: slowed down, closed, probed and recovered. Pure.

What one domain of a provider says of our sending holds for all of its domains. A provider that has had enough is
closed for a while, which doubles each time it says so again, up to four hours; then one message is tried, and its
answer decides. One that answers "too fast" is sent to at a rate, which halves when it says so again and doubles with
every few quiet minutes until it is none. What stands here is shared by all senders through the database.
"""

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from hashlib import sha256
from typing import Literal

from digest.config.assets import asset

Pace = Literal["keep", "slow", "pause"]
"""What an answer asks of our speed: nothing; to go slower; to stop for a while."""

RELAY = "*"
"""Stands for our relay itself, which all mail goes through."""

_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=4)
_FIRST_RATE = 10.0  # messages a second, of a provider that was sent to at any speed until it complained
_LOWEST_RATE = 0.1
_RECOVERED = 1000.0  # a rate that has grown to this is none
_DOUBLES_IN = timedelta(minutes=5)
_ONE_COMPLAINT = timedelta(seconds=10)  # what was on its way together complains together
_BURST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Throttle:
    """How a provider, a domain or the RELAY stands.

    `per_second` is the rate at `changed_at`, None for no limit; it is used up until `free_at`. `trips` closures came
    one after another; until `probed_until` a probe may be on its way. `said` is what the provider said, without any
    address. Of the relay, `plan_since` is the first day of the warm-up plan, and `handed` how many mails were handed
    over on `handed_on`; days are those of UTC.
    """

    provider: str
    changed_at: datetime
    per_second: float | None = None
    free_at: datetime | None = None
    closed_until: datetime | None = None
    trips: int = 0
    probed_until: datetime | None = None
    said: str = ""
    plan_since: date | None = None
    handed_on: date | None = None
    handed: int = 0


@cache
def providers() -> dict[str, tuple[str, ...]]:
    """The domains of each provider that has several or is very large, from data/mail_providers.toml."""
    table = tomllib.loads((asset("data") / "mail_providers.toml").read_text(encoding="utf-8"))
    return {name: tuple(domains) for name, domains in table.items()}


@cache
def _by_domain() -> dict[str, str]:
    return {domain: name for name, domains in providers().items() for domain in domains}


@lru_cache(maxsize=4096)
def provider_of(domain: str) -> str:
    """Who answers for a domain, given in ASCII and lower case: a provider's name, or a mark of the domain alone, which
    does not show it, for it may be one reader's own."""
    return _by_domain().get(domain) or f"domain-{sha256(domain.encode()).hexdigest()[:12]}"


def rate(throttle: Throttle, now: datetime) -> float | None:
    """Messages a second now, or None where there is no limit (any more)."""
    if throttle.per_second is None:
        return None
    grown = throttle.per_second * 2 ** min((now - throttle.changed_at) / _DOUBLES_IN, 50.0)
    return None if grown >= _RECOVERED else grown


def is_limited(throttle: Throttle, now: datetime) -> bool:
    """Whether it says anything still."""
    return throttle.closed_until is not None or rate(throttle, now) is not None


def is_closed(throttle: Throttle, now: datetime) -> bool:
    """Whether nothing goes there now: it is closed, or its probe is on the way."""
    if throttle.closed_until is None:
        return False
    return now < throttle.closed_until or (throttle.probed_until is not None and now < throttle.probed_until)


def room(throttle: Throttle, now: datetime, most: int, ceiling: float | None = None) -> int:
    """How many messages may go there now, at most `most`. `ceiling` is a rate that is never exceeded."""
    if is_closed(throttle, now):
        return 0
    if throttle.closed_until is not None:
        return min(1, most)  # the probe
    limit = _lower(rate(throttle, now), ceiling)
    if limit is None:
        return most
    spent = max(throttle.free_at or now - _BURST, now - _BURST)
    return 0 if spent > now else min(most, math.floor((now - spent).total_seconds() * limit) + 1)


def opens_at(throttle: Throttle, now: datetime) -> datetime:
    """When there is room again."""
    waits = (throttle.free_at, throttle.closed_until, throttle.probed_until)
    return max(now, *(moment for moment in waits if moment is not None))


def spend(throttle: Throttle, now: datetime, count: int, probe: timedelta, ceiling: float | None = None) -> Throttle:
    """After `count` messages were taken for it; an answer to a probe is waited for as long as `probe`."""
    if count and throttle.closed_until is not None:
        throttle = replace(throttle, probed_until=now + probe)
    limit = _lower(rate(throttle, now), ceiling)
    if limit is None:
        return throttle
    spent = max(throttle.free_at or now - _BURST, now - _BURST)
    return replace(throttle, free_at=spent + timedelta(seconds=count / limit))


def heed(throttle: Throttle | None, provider: str, pace: Pace, said: str, now: datetime) -> Throttle | None:
    """After an answer; None where nothing limits the provider (any more)."""
    if throttle is not None and not is_limited(throttle, now):
        throttle = None
    if pace == "keep":
        return _reopened(throttle, now)
    known = throttle or Throttle(provider, now - _ONE_COMPLAINT)
    if known.closed_until is not None and now < known.closed_until:
        return known  # it was on its way when the provider was closed
    if pace == "pause":
        pause = min(_FIRST_PAUSE * 2 ** min(known.trips, 10), _LONGEST_PAUSE)
        until = now + pause
        return replace(
            known, changed_at=now, closed_until=until, trips=known.trips + 1, probed_until=None, said=said, free_at=None
        )
    reopened = _reopened(known, now) or known
    if now - reopened.changed_at < _ONE_COMPLAINT:
        return reopened
    slower = _FIRST_RATE if (before := rate(reopened, now)) is None else max(before / 2, _LOWEST_RATE)
    return replace(reopened, changed_at=now, per_second=slower, free_at=now, said=said)


def _reopened(throttle: Throttle | None, now: datetime) -> Throttle | None:
    """A closed provider that answered its probe is open at a low rate; `trips` is kept until that has recovered."""
    if throttle is None or throttle.closed_until is None or now < throttle.closed_until:
        return throttle
    slow = max((throttle.per_second or 2 * _FIRST_RATE) / 2, _LOWEST_RATE)
    return replace(throttle, changed_at=now, per_second=slow, closed_until=None, probed_until=None, free_at=now)


def _lower(one: float | None, other: float | None) -> float | None:
    known = [limit for limit in (one, other) if limit is not None]
    return min(known) if known else None


def allowed_today(plan: Sequence[int], since: date, now: datetime) -> int | None:
    """How many messages a warm-up plan allows on the day of `now` (UTC), the first day being `since`; None once it is
    over."""
    day = (now.date() - since).days
    return plan[max(day, 0)] if day < len(plan) else None
