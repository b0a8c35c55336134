"""SendGrid: ECDSA on P-256 over timestamp and body, many events a request. Pure.

The message carries its token as the custom argument `delivery`, which comes back beside the event's own fields. The
secret is the verification key as the webhook's settings show it: base64 of the public key's DER (RFC 5480).
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import AwareDatetime, Field, RootModel

from digest.delivery.providers.events import (
    Event,
    Kind,
    Shape,
    Text,
    Verified,
    check_age,
    event,
    forged,
    header,
    moment,
    parsed,
    wanted,
)
from digest.delivery.reasons import Reason
from digest.errors import ConfigError

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

_PROVIDER = "SendGrid"
_LONGEST_RETRY = timedelta(hours=25)  # it goes on trying for 24
_KINDS: Mapping[str, Kind] = {
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounced",
    "dropped": "bounced",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}
# How it classes a bounce, or why it dropped the message without trying: it is on a list of an earlier event's.
_CLASSES: Mapping[str, Reason] = {
    "Invalid Address": "no_such_mailbox",
    "Mailbox Unavailable": "mailbox_disabled",
    "Reputation": "blocked_policy",
    "Frequency or Volume Too High": "blocked_policy",
    "Content": "content",
    "Technical": "their_system",
}
_DROPPED: Mapping[str, tuple[Kind, Reason]] = {
    "Bounced Address": ("bounced", "mailbox_disabled"),
    "Invalid": ("bounced", "no_such_mailbox"),
    "Spam Reporting Address": ("complained", "unknown"),
    "Unsubscribed Address": ("unsubscribed", "unknown"),
}


class _Told(Shape):
    event: str
    id: str = Field(alias="sg_event_id")
    at: AwareDatetime = Field(alias="timestamp")
    email: Text = ""
    type: Text = ""
    status: Text = ""
    reason: Text = ""
    response: Text = ""
    bounce_class: Text = Field("", alias="bounce_classification")
    smtp_id: Text = Field("", alias="smtp-id")
    delivery: Text = ""


class _Batch(RootModel[list[dict[str, object]]]):
    """Events, each of its own kind."""


def verify(headers: Mapping[str, str], body: bytes, secret: str, keys: Sequence[bytes], now: datetime) -> Verified:
    """The events of one request, without those that tell nothing of a delivery. `keys` sign our tokens.

    Raises ForgedError for a bad or old signature, PayloadError for another form, ConfigError for a key that is none.
    """
    timestamp = header(headers, TIMESTAMP)
    try:
        signature = b64decode(header(headers, SIGNATURE), validate=True)
        _public_key(secret).verify(signature, timestamp.encode() + body, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise forged(_PROVIDER, "has no good signature") from None
    check_age(moment(timestamp, _PROVIDER), now, _LONGEST_RETRY, _PROVIDER)
    return Verified(read(parsed(_Batch, body, _PROVIDER).root, keys))


def read(batch: Sequence[Mapping[str, object]], keys: Sequence[bytes]) -> tuple[Event, ...]:
    """The events among the records of a batch, as SendGrid sends it to a webhook; unsigned."""
    known = [one for one in batch if str(one.get("event")) in _KINDS]
    return tuple(_event(parsed(_Told, one, _PROVIDER), keys) for one in known)


def _event(told: _Told, keys: Sequence[bytes]) -> Event:
    kind, stated = _KINDS[told.event], _CLASSES.get(told.bounce_class, "unknown")
    if told.event == "deferred":
        stated = "temporary"
    elif told.event == "dropped":
        kind, stated = _DROPPED.get(told.reason, (kind, "relay_fault"))
    elif told.type == "blocked" and stated == "unknown":
        stated = "blocked_policy"
    return event(
        f"sendgrid:{told.id}",
        kind,
        told.at,
        keys,
        token=told.delivery,
        stated=stated,
        status=told.status,
        answer=told.reason or told.response,
        message_id=told.smtp_id,
        address=told.email,
    )


def _public_key(secret: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(b64decode(wanted(secret, _PROVIDER), validate=True))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigError("the verification key of SendGrid is none; copy it from the webhook's settings.")
    return key
