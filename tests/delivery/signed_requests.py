"""Events of SendGrid and Amazon SES in the documented shape, signed with keys of ours."""

import json
from base64 import b64encode
from datetime import timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.delivery import provider_requests as p
from tests.delivery.provider_requests import NOW

from digest.delivery.providers import sendgrid

TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
PLACE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
CURVE_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signed_by_sendgrid(body: bytes, key: ec.EllipticCurvePrivateKey = CURVE_KEY, at: int = p.SECONDS) -> dict[str, str]:
    """The headers of a request with this body."""
    signature = b64encode(key.sign(str(at).encode() + body, ec.ECDSA(SHA256()))).decode()
    return {sendgrid.SIGNATURE.lower(): signature, sendgrid.TIMESTAMP: str(at)}


def grid(kind: str, **facts: Any) -> dict[str, Any]:
    return {
        "email": p.READER,
        "timestamp": p.SECONDS - 60,
        "smtp-id": f"<{p.MESSAGE_ID}>",
        "event": kind,
        "category": ["edition"],
        "sg_event_id": f"ZGVsaXZlcmVkLTA-{kind}",
        "sg_message_id": "14c5d75ce93.dfd.64b469",
        "delivery": p.TOKEN,
        **facts,
    }


@cache
def amazon(days_ago: int) -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key and its certificate, which is valid for a year."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begin = NOW - timedelta(days=days_ago)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, begin, begin + timedelta(days=365))
    return key, builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def sns(message: object, kind: str = "Notification", days_ago: int = 100, **facts: Any) -> dict[str, Any]:
    """A message of SNS, signed; `facts` are in it before it is signed."""
    told = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-05-04T09:29:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": PLACE,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        **facts,
    }
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
    signature = amazon(days_ago)[0].sign(signed.encode(), padding.PKCS1v15(), SHA256())
    return {**told, "Signature": b64encode(signature).decode()}


def about(kind: str, name: str = "notificationType", **facts: Any) -> dict[str, Any]:
    mail = {
        "timestamp": "2026-05-04T09:00:00.000Z",
        "source": "weekly@news.example",
        "messageId": "0107018f-3c8d",
        "destination": [p.READER],
        "tags": {"delivery": [p.TOKEN], "ses:from-domain": ["news.example"]},
    }
    return {name: kind, "mail": mail, **facts}


def bounced(type_: str, subtype: str, **recipient: str) -> dict[str, Any]:
    recipients = [{"emailAddress": p.READER, **recipient}]
    facts = {"bounceType": type_, "bounceSubType": subtype, "bouncedRecipients": recipients, "feedbackId": "0107-f"}
    return about("Bounce", bounce={**facts, "timestamp": "2026-05-04T09:28:00.000Z", "reportingMTA": "dns; a"})


def complained(**facts: Any) -> dict[str, Any]:
    told = {"complainedRecipients": [{"emailAddress": p.READER}], "feedbackId": "0107-c", **facts}
    return about("Complaint", complaint={**told, "timestamp": "2026-05-04T09:28:00.000Z"})


DELIVERED = {"timestamp": "2026-05-04T09:28:00.000Z", "recipients": [p.READER], "smtpResponse": "250 ok"}
LATE = {"timestamp": "2026-05-04T09:28:00.000Z", "delayType": "MailboxFull", "delayedRecipients": [
    {"emailAddress": p.READER, "status": "4.2.2", "diagnosticCode": "smtp; 452 4.2.2 full"}]}  # fmt: skip
