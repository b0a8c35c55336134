"""Events of providers in one vocabulary, and what every webhook needs: a signature, no replay, no surprise. Pure.

A request is believed for its signature alone. Each event has an id that its provider gave it: told twice, it counts
once. A provider's own word ("HardBounce") is held against the reply of the reader's mail system that comes with it, and
the milder view of the two counts.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from digest.delivery.bounces import verp
from digest.delivery.bounces.reports import address_in
from digest.delivery.reasons import Reason, milder
from digest.delivery.reasons.codes import best_status, classify
from digest.delivery.redaction import redacted
from digest.errors import ConfigError, DigestError

Kind = Literal["delivered", "deferred", "bounced", "complained", "unsubscribed"]
"""
delivered: the reader's mail system took it.   deferred: not yet; the provider goes on trying.
bounced: it was given up, for `reason`.        complained: the reader reported it as spam.
unsubscribed: the reader left by the provider's own link or list.
"""

REMEMBERED = timedelta(days=30)
"""How long an event's id is remembered: no provider tells an event so late."""

CLOCKS_DIFFER = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Seen = Callable[[str, datetime], bool]
"""Whether a name was seen before; if not, it is from now on, until the moment given. It must be written in the
transaction in which the events are: rolled back together, the provider's next attempt counts."""

AnyShape = TypeVar("AnyShape", bound=BaseModel)


class ForgedError(DigestError):
    """A request that its provider did not sign, or signed too long ago; answer 403."""


class PayloadError(DigestError):
    """A request that is signed, but in a form that we do not know; answer 400."""


@dataclass(frozen=True, slots=True)
class Event:
    """What became of one message to one reader.

    `id` is unique among all providers. `whose` is the delivery as our own signed token names it, None where the event
    brings none; `message_id`, without its brackets, and `address`, in lower case, are what the provider names. `said`
    is the reader's mail system's answer without any address, `status` its enhanced status code or empty.
    """

    id: str
    kind: Kind
    at: datetime
    whose: verp.Whose | None = None
    reason: Reason | None = None
    status: str = ""
    said: str = ""
    message_id: str = ""
    address: str = field(default="", repr=False)


class Verified(NamedTuple):
    """The events of a request that its provider signed. `once` is what it may be taken for once, and until when that
    is to be remembered: nothing where each event's own id does."""

    events: tuple[Event, ...] = ()
    once: tuple[str, datetime] | None = None


Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""A text that may be null or missing."""


class Shape(BaseModel):
    """The part of a provider's payload that we read. Providers add fields; those are none of ours."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


def event(
    name: str,
    kind: Kind,
    at: datetime,
    keys: Sequence[bytes],
    *,
    token: str = "",
    stated: Reason = "unknown",
    status: str = "",
    answer: str = "",
    message_id: str = "",
    address: str = "",
) -> Event:
    """An event in our words. `stated` is the reason that the provider's own word stands for, `answer` the reply of the
    reader's mail system, `token` what came back as the message's metadata `verp.METADATA`."""
    failed = kind in ("bounced", "deferred")
    address = address_in(address)
    return Event(
        id=name,
        kind=kind,
        at=at,
        whose=verp.read(token, keys),
        reason=milder(stated, classify(status, 0, answer)) if failed else None,
        status=best_status(status, answer) if failed else "",
        said=redacted(answer, [address]) if failed else "",
        message_id=message_id.strip("<> ") if "@" in message_id else "",
        address=address,
    )


def new(told: Verified, now: datetime, seen: Seen) -> list[Event]:
    """The events that were not told before."""
    if told.once is not None and seen(*told.once):
        return []
    return [one for one in told.events if not seen(one.id, now + REMEMBERED)]


def parsed(shape: type[AnyShape], payload: bytes | str | object, provider: str) -> AnyShape:
    """A payload, JSON or already read, in the shape it has to have. Raises PayloadError, which quotes nothing of it."""
    try:
        if isinstance(payload, bytes | str):
            return shape.model_validate_json(payload)
        return shape.model_validate(payload)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors(include_input=False, include_url=False)[0]["loc"])
        raise PayloadError(
            f"an event of {provider} has another form than is known here{f', in {where}' if where else ''}; "
            "upgrade the program, or report it."
        ) from None


def header(headers: Mapping[str, str], name: str) -> str:
    """A request's header, whatever its capitals; empty if it has none."""
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def wanted(secret: str, provider: str) -> str:
    """The secret that events of a provider are checked with. Raises ConfigError if there is none: it would fit all."""
    if not secret:
        raise ConfigError(f"no secret is set for the events of {provider}; set it, or switch its webhook off.")
    return secret


def forged(provider: str, why: str) -> ForgedError:
    return ForgedError(f"a request that calls itself {provider} {why}; nothing was changed.")


def moment(timestamp: str, provider: str) -> datetime:
    """The moment that a request was signed at, from seconds since 1970. Raises ForgedError if it is none."""
    if re.fullmatch(r"[0-9]{1,11}", timestamp) is None:
        raise forged(provider, "does not say when it was signed")
    return _EPOCH + timedelta(seconds=int(timestamp))


def check_age(at: datetime, now: datetime, longest: timedelta, provider: str) -> None:
    """Raises ForgedError for a request that was signed longer ago, or is to be: it may be one that was seen before."""
    if not -CLOCKS_DIFFER <= now - at <= longest:
        raise forged(provider, "was signed at another time")
