"""Amazon SES through SNS: RSA with SHA-256 (SignatureVersion 2), one event a request, a recipient each. Pure.

The message carries its token as the tag `delivery`. The secret is the ARN of the topic: anybody may have Amazon sign
messages of a topic of their own, so a good signature alone proves nothing.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate
from pydantic import AwareDatetime, Field, RootModel

from digest.delivery.bounces import verp
from digest.delivery.providers.events import (
    REMEMBERED,
    Event,
    Kind,
    Shape,
    Text,
    Verified,
    check_age,
    event,
    forged,
    parsed,
    wanted,
)
from digest.delivery.reasons import Reason

_PROVIDER = "Amazon SES"
_REGION = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{1,30}):\d{12}:[A-Za-z0-9_.-]{1,256}", re.ASCII)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""The fields that a signature covers, in their order; Subject only where there is one."""

# bounceType and bounceSubType. Where there is no more than "General", the reply has to tell.
_REASONS: Mapping[tuple[str, str], Reason] = {
    ("Permanent", "NoEmail"): "no_such_mailbox",
    ("Permanent", "Suppressed"): "mailbox_disabled",
    ("Permanent", "OnAccountSuppressionList"): "mailbox_disabled",
    ("Transient", "MailboxFull"): "mailbox_full",
    ("Transient", "MessageTooLarge"): "too_large",
    ("Transient", "ContentRejected"): "content",
    ("Transient", "AttachmentRejected"): "content",
}


class Confirmation(NamedTuple):
    """Amazon asks whether this webhook wants a topic's messages. Who agrees opens the link; nothing here does."""

    topic: str
    link: str


class _Envelope(Shape):
    type: str = Field(alias="Type")
    id: str = Field(alias="MessageId")
    at: AwareDatetime = Field(alias="Timestamp")
    topic: str = Field(alias="TopicArn")
    message: str = Field(alias="Message")
    version: str = Field(alias="SignatureVersion")
    signature: str = Field(alias="Signature")
    certificate: str = Field(alias="SigningCertURL")
    link: str = Field("", alias="SubscribeURL")


class _Fields(RootModel[dict[str, object]]):
    """All fields, for the signature: it is over them as they came."""


class _Recipient(Shape):
    address: str = Field("", alias="emailAddress")
    status: Text = ""
    diagnostic: Text = Field("", alias="diagnosticCode")


class _Bounce(Shape):
    type: str = Field("Undetermined", alias="bounceType")
    subtype: str = Field("", alias="bounceSubType")
    recipients: list[_Recipient] = Field(alias="bouncedRecipients")
    at: AwareDatetime = Field(alias="timestamp")
    id: str = Field(alias="feedbackId")


class _Complaint(Shape):
    recipients: list[_Recipient] = Field(alias="complainedRecipients")
    type: Text = Field("", alias="complaintFeedbackType")
    at: AwareDatetime = Field(alias="timestamp")
    id: str = Field(alias="feedbackId")


class _Delivery(Shape):
    recipients: list[str]
    at: AwareDatetime = Field(alias="timestamp")


class _Delay(Shape):
    recipients: list[_Recipient] = Field(alias="delayedRecipients")
    at: AwareDatetime = Field(alias="timestamp")


class _Mail(Shape):
    id: str = Field(alias="messageId")
    tags: dict[str, list[str]] = Field({})


class _Told(Shape):
    notification: str = Field("", alias="notificationType")
    event: str = Field("", alias="eventType")
    mail: _Mail
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None
    delivery: _Delivery | None = None
    delay: _Delay | None = Field(None, alias="deliveryDelay")


class _AnyTold(Shape):
    notification: str = Field("", alias="notificationType")
    event: str = Field("", alias="eventType")


_KINDS = ("Bounce", "Complaint", "Delivery", "DeliveryDelay")


def verify(
    headers: Mapping[str, str],  # noqa: ARG001 (all providers are asked alike)
    body: bytes,
    secret: str,
    keys: Sequence[bytes],
    now: datetime,
    fetch: Callable[[str], bytes],
) -> Verified | Confirmation:
    """The events of one request, or a question. `keys` sign our tokens, the secret is the topic's ARN.

    `fetch` gets Amazon's certificate (PEM) from a link that was checked. Raises ForgedError for a bad or old signature,
    another topic or place of the certificate, PayloadError for another form, ConfigError without a topic.
    """
    told = parsed(_Envelope, body, _PROVIDER)
    region = _REGION.fullmatch(told.topic)
    if told.topic != wanted(secret, _PROVIDER) or region is None:
        raise forged(_PROVIDER, "is about another topic")
    if told.version != "2":
        raise forged(_PROVIDER, "has no signature of version 2; set SignatureVersion of the topic to 2")
    _check_places(told, region[1])
    check_age(told.at, now, REMEMBERED, _PROVIDER)
    _check_signature(told, parsed(_Fields, body, _PROVIDER), fetch(told.certificate), now)
    if told.type == "SubscriptionConfirmation":
        return Confirmation(told.topic, told.link)
    return Verified(read(told.message, keys) if told.type == "Notification" else ())


def read(message: str | Mapping[str, object], keys: Sequence[bytes]) -> tuple[Event, ...]:
    """The events of a notification's message, one a recipient; unsigned."""
    kind = parsed(_AnyTold, message, _PROVIDER)
    if (kind.notification or kind.event) not in _KINDS:
        return ()
    return tuple(_events(parsed(_Told, message, _PROVIDER), keys))


def _check_places(told: _Envelope, region: str) -> None:
    """Certificate and link have to be of the SNS of the topic's own region, and of nobody else."""
    end = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    host = re.escape(f"https://sns.{region}.{end}/")
    if re.fullmatch(rf"{host}SimpleNotificationService-[0-9A-Za-z]{{1,64}}\.pem", told.certificate) is None:
        raise forged(_PROVIDER, "names a certificate that is not Amazon's")
    if told.type == "SubscriptionConfirmation" and re.match(rf"{host}\?[!-~]{{1,2000}}\Z", told.link) is None:
        raise forged(_PROVIDER, "names a link that is not Amazon's")


def _check_signature(told: _Envelope, fields: _Fields, certificate: bytes, now: datetime) -> None:
    values = {name: fields.root.get(name) for name in _SIGNED.get(told.type, ())}
    if not values:
        raise forged(_PROVIDER, "is of no known type")
    signed = "".join(f"{name}\n{value}\n" for name, value in values.items() if isinstance(value, str))
    try:
        shown = load_pem_x509_certificate(certificate)
        key = shown.public_key()
        if not shown.not_valid_before_utc <= now <= shown.not_valid_after_utc or not isinstance(key, RSAPublicKey):
            raise forged(_PROVIDER, "shows a certificate that is not valid now")
        key.verify(b64decode(told.signature, validate=True), signed.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise forged(_PROVIDER, "has no good signature") from None


def _events(told: _Told, keys: Sequence[bytes]) -> list[Event]:
    transient = False
    if told.bounce is not None:
        at, name, recipients = told.bounce.at, told.bounce.id, told.bounce.recipients
        stated = _REASONS.get((told.bounce.type, told.bounce.subtype), "unknown")
        kind: Kind = "bounced"
        transient = told.bounce.type == "Transient" and stated == "unknown"
    elif told.complaint is not None:
        if told.complaint.type == "not-spam":
            return []
        at, name, recipients = told.complaint.at, told.complaint.id, told.complaint.recipients
        kind, stated = "complained", "unknown"
    elif told.delay is not None:
        at, recipients = told.delay.at, told.delay.recipients
        kind, stated, name = "deferred", "temporary", f"{told.mail.id}:{at.isoformat()}"
    elif told.delivery is not None:
        at, name = told.delivery.at, f"{told.mail.id}:delivery"
        recipients = [_Recipient(address=one) for one in told.delivery.recipients]
        kind, stated = "delivered", "unknown"
    else:
        return []
    return [
        event(
            f"ses:{name}:{place}",
            kind,
            at,
            keys,
            token=next(iter(told.mail.tags.get(verp.METADATA, [])), ""),
            # Automatic answers come as transient bounces, too, but with no answer of a mail system.
            stated="temporary" if transient and not (one.status or one.diagnostic) else stated,
            status=one.status,
            answer=one.diagnostic.removeprefix("smtp;").strip(),
            address=one.address,
        )
        for place, one in enumerate(recipients)
    ]
