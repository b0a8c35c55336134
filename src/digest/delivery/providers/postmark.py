"""Postmark: Basic authentication (RFC 7617), one event a request. Pure.

The message carries its token as the metadata `delivery`. The secret is "user:password" as in the webhook's settings.
"""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import AwareDatetime, Field

from digest.delivery.bounces import verp
from digest.delivery.providers.events import Event, Kind, Shape, Text, Verified, event, forged, header, parsed, wanted
from digest.delivery.reasons import Reason

_PROVIDER = "Postmark"
# A bounce's Type. What is not here is a bounce whose reason its details have to tell.
_BOUNCES: Mapping[str, tuple[Kind, Reason]] = {
    "HardBounce": ("bounced", "no_such_mailbox"),
    "BadEmailAddress": ("bounced", "no_such_mailbox"),
    "DnsError": ("bounced", "domain_gone"),
    "ManuallyDeactivated": ("bounced", "mailbox_disabled"),
    "Blocked": ("bounced", "blocked_policy"),
    "SpamNotification": ("bounced", "blocked_policy"),
    "DMARCPolicy": ("bounced", "blocked_policy"),
    "SMTPApiError": ("bounced", "relay_fault"),
    "InboundError": ("bounced", "relay_fault"),
    "TemplateRenderingFailed": ("bounced", "relay_fault"),
    "VirusNotification": ("bounced", "content"),
    "Transient": ("deferred", "temporary"),
    "SpamComplaint": ("complained", "unknown"),
    "Unsubscribe": ("unsubscribed", "unknown"),
}
_NO_EVENTS = ("AutoResponder", "ChallengeVerification", "OpenRelayTest", "Subscribe")


class _Record(Shape):
    kind: str = Field("", alias="RecordType")


class _Message(Shape):
    id: str = Field(alias="MessageID")
    metadata: dict[str, str] = Field({}, alias="Metadata")


class _Bounce(_Message):
    number: int = Field(alias="ID")
    type: Text = Field("", alias="Type")
    email: Text = Field("", alias="Email")
    details: Text = Field("", alias="Details")
    at: AwareDatetime = Field(alias="BouncedAt")


class _Delivery(_Message):
    recipient: Text = Field("", alias="Recipient")
    at: AwareDatetime = Field(alias="DeliveredAt")


class _Change(_Message):
    recipient: Text = Field("", alias="Recipient")
    suppress: bool = Field(alias="SuppressSending")
    reason: Text = Field("", alias="SuppressionReason")
    at: AwareDatetime = Field(alias="ChangedAt")


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secret: str,
    keys: Sequence[bytes],
    now: datetime,  # noqa: ARG001 (all providers are asked alike)
) -> Verified:
    """The events of one request; none for what tells nothing of a delivery. `keys` sign our tokens.

    Raises ForgedError for another password, PayloadError for another form, ConfigError without a secret.
    """
    scheme, _, given = header(headers, "Authorization").partition(" ")
    try:
        credentials = b64decode(given.strip(), validate=True)
    except (binascii.Error, ValueError):
        credentials = b""
    expected = wanted(secret, _PROVIDER).encode()
    if scheme.lower() != "basic" or not hmac.compare_digest(credentials, expected):
        raise forged(_PROVIDER, "has another password")
    return Verified(read(body, keys))


def read(record: bytes | Mapping[str, object], keys: Sequence[bytes]) -> tuple[Event, ...]:
    """The events of a record as Postmark sends it to a webhook; unsigned."""
    match parsed(_Record, record, _PROVIDER).kind:
        case "Bounce" | "SpamComplaint" as kind:
            return _bounce(parsed(_Bounce, record, _PROVIDER), keys, complaint=kind == "SpamComplaint")
        case "Delivery":
            told = parsed(_Delivery, record, _PROVIDER)
            name = f"postmark:delivery:{told.id}:{told.at.isoformat()}"
            return (event(name, "delivered", told.at, keys, token=_token(told), address=told.recipient),)
        case "SubscriptionChange":
            return _change(parsed(_Change, record, _PROVIDER), keys)
        case _:
            return ()


def _bounce(told: _Bounce, keys: Sequence[bytes], *, complaint: bool) -> tuple[Event, ...]:
    if told.type in _NO_EVENTS:
        return ()
    kind, stated = _BOUNCES.get(told.type, ("bounced", "unknown"))
    return (
        event(
            f"postmark:bounce:{told.number}",
            "complained" if complaint else kind,
            told.at,
            keys,
            token=_token(told),
            stated=stated,
            answer=told.details.removeprefix("smtp;").strip(),
            address=told.email,
        ),
    )


def _change(told: _Change, keys: Sequence[bytes]) -> tuple[Event, ...]:
    """A reader came on the list of those who get nothing. So do bounces and complaints, with events of their own."""
    if not told.suppress or told.reason != "ManualSuppression":
        return ()
    name = f"postmark:change:{told.id}:{told.at.isoformat()}"
    return (event(name, "unsubscribed", told.at, keys, token=_token(told), address=told.recipient),)


def _token(told: _Message) -> str:
    return told.metadata.get(verp.METADATA, "")
