"""Requests of providers in the documented shape, written for these tests and signed with keys of ours."""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from digest.delivery.bounces import verp
from digest.delivery.providers.events import Event
from digest.delivery.reasons import CONSEQUENCES, Suppress

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
KEYS = [b"n" * 32]
WHOSE = verp.Whose(41, 4711)
TOKEN = verp.sign(*WHOSE, KEYS)
READER = "ann.smith@example.org"
MESSAGE_ID = "0123456789abcdef0123456789abcdef@news.example"

POSTMARK_SECRET = "hook:a password"
MAILGUN_SECRET = "key-0123456789abcdef"

NO_USER = f"550 5.1.1 <{READER}>: user unknown"
FULL = f"552 5.2.2 <{READER}>: mailbox full"
BLOCKED = "550 5.7.1 our spam policy, see https://example.org/192.0.2.7"


class Request(NamedTuple):
    headers: dict[str, str]
    body: bytes


def suppresses(event: Event) -> Suppress:
    """When the reader gets no more mail because of it."""
    if event.kind in ("complained", "unsubscribed"):
        return "at_once"
    return CONSEQUENCES[event.reason].suppress if event.kind == "bounced" and event.reason else "never"


def memory() -> Callable[[str, datetime], bool]:
    """What was seen, as the database keeps it."""
    names: dict[str, datetime] = {}

    def seen(name: str, until: datetime) -> bool:
        before = name in names and names[name] >= NOW
        names.setdefault(name, until)
        return before

    return seen


def postmark(kind: str, secret: str = POSTMARK_SECRET, **facts: Any) -> Request:
    record = {
        "RecordType": kind,
        "MessageStream": "broadcast",
        "ServerID": 23,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {"delivery": TOKEN},
        "Tag": None,
        **facts,
    }
    authorization = b64encode(secret.encode()).decode()
    return Request({"authorization": f"Basic {authorization}"}, json.dumps(record).encode())


def postmark_bounce(kind: str, details: str = "", **facts: Any) -> Request:
    return postmark(
        "Bounce",
        **{
            "ID": 4_323_372_036_854_775_807,
            "Type": kind,
            "TypeCode": 1,
            "Email": READER,
            "Details": details,
            "BouncedAt": "2026-05-04T09:29:00.1234567Z",
            "Inactive": True,
            "From": "weekly@news.example",
            **facts,
        },
    )


def mailgun(kind: str, secret: str = MAILGUN_SECRET, token: str = "a" * 50, at: int = SECONDS, **facts: Any) -> Request:
    signature = hmac.digest(secret.encode(), f"{at}{token}".encode(), "sha256").hex()
    data = {
        "event": kind,
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": SECONDS - 60.25,
        "recipient": READER,
        "log-level": "error",
        "message": {"headers": {"message-id": MESSAGE_ID, "to": READER, "subject": None}},
        "user-variables": {"delivery": TOKEN, "other": 1},
        **facts,
    }
    signed = {"signature": {"timestamp": str(at), "token": token, "signature": signature}, "event-data": data}
    return Request({"content-type": "application/json"}, json.dumps(signed).encode())


def mailgun_failure(severity: str, reason: str, code: int, message: str) -> Request:
    status = {"code": code, "message": message, "description": "", "enhanced-code": None, "attempt-no": 1}
    facts: dict[str, Any] = {"severity": severity, "reason": reason, "delivery-status": status}
    return mailgun("failed", **facts)
