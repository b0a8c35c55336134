"""Mailgun: an HMAC over timestamp and token, one event a request. Pure.

The signature does not cover the event, so whoever saw one could send another under it: each token is taken once.
The message carries its own token as the variable `delivery`. The secret is the webhook signing key.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field

from digest.delivery.bounces import verp
from digest.delivery.providers.events import (
    CLOCKS_DIFFER,
    Event,
    Kind,
    Shape,
    Text,
    Verified,
    check_age,
    event,
    forged,
    moment,
    parsed,
    wanted,
)
from digest.delivery.reasons import Reason

_PROVIDER = "Mailgun"
_LONGEST_RETRY = timedelta(hours=12)  # it goes on trying for 8
_KINDS: Mapping[str, tuple[Kind, Reason]] = {
    "delivered": ("delivered", "unknown"),
    "failed": ("bounced", "unknown"),
    "rejected": ("bounced", "relay_fault"),
    "complained": ("complained", "unknown"),
    "unsubscribed": ("unsubscribed", "unknown"),
}
# Why a permanent failure: on a list of Mailgun's own from an earlier event, or refused. Else its reply has to tell.
_REASONS: Mapping[str, tuple[Kind, Reason]] = {
    "suppress-bounce": ("bounced", "mailbox_disabled"),
    "suppress-complaint": ("complained", "unknown"),
    "suppress-unsubscribe": ("unsubscribed", "unknown"),
    "espblock": ("bounced", "blocked_policy"),
    "old": ("bounced", "unreachable"),
}


class _Signature(Shape):
    timestamp: str
    token: str
    signature: str


class _Status(Shape):
    code: int | None = None
    enhanced: Text = Field("", alias="enhanced-code")
    message: Text = ""
    description: Text = ""


class _Message(Shape):
    headers: dict[str, Text] = Field({})


class _Told(Shape):
    event: str
    id: str
    at: AwareDatetime = Field(alias="timestamp")
    severity: Text = ""
    reason: Text = ""
    recipient: Text = ""
    status: _Status = Field(_Status(), alias="delivery-status")
    message: _Message = _Message()
    variables: dict[str, object] = Field({}, alias="user-variables")


class _Signed(Shape):
    signature: _Signature
    data: dict[str, object] = Field(alias="event-data")


def verify(
    headers: Mapping[str, str],  # noqa: ARG001 (all providers are asked alike)
    body: bytes,
    secret: str,
    keys: Sequence[bytes],
    now: datetime,
) -> Verified:
    """The events of one request, which counts once; none for what tells nothing of a delivery.

    `keys` sign our tokens. Raises ForgedError for a bad or old signature, PayloadError for another form, ConfigError
    without a secret.
    """
    told = parsed(_Signed, body, _PROVIDER)
    signed = f"{told.signature.timestamp}{told.signature.token}".encode()
    expected = hmac.digest(wanted(secret, _PROVIDER).encode(), signed, "sha256").hex().encode()
    if not hmac.compare_digest(told.signature.signature.encode(), expected):
        raise forged(_PROVIDER, "has no good signature")
    at = moment(told.signature.timestamp, _PROVIDER)
    check_age(at, now, _LONGEST_RETRY, _PROVIDER)
    once = f"mailgun:token:{told.signature.token}", at + _LONGEST_RETRY + CLOCKS_DIFFER
    return Verified(read(told.data, keys), once)


def read(data: Mapping[str, object], keys: Sequence[bytes]) -> tuple[Event, ...]:
    """The event of a payload's `event-data`, which is also what Mailgun's event log holds; unsigned."""
    return (_event(parsed(_Told, data, _PROVIDER), keys),) if str(data.get("event")) in _KINDS else ()


def _event(told: _Told, keys: Sequence[bytes]) -> Event:
    kind, stated = _KINDS[told.event]
    if told.severity == "temporary":
        kind, stated = "deferred", "temporary"
    elif kind == "bounced":
        kind, stated = _REASONS.get(told.reason, (kind, stated))
    return event(
        f"mailgun:{told.id}",
        kind,
        told.at,
        keys,
        token=str(told.variables.get(verp.METADATA, "")),
        stated=stated,
        status=told.status.enhanced,
        answer=f"{told.status.code or ''} {told.status.message or told.status.description or ''}".strip(),
        message_id=told.message.headers.get("message-id", ""),
        address=told.recipient,
    )
