"""Postmark: up to 500 messages a request, each its own answer (POST /email/batch).

It takes no finished message but its parts, and puts them together anew. So Date, the boundary and the encoding are its
own, and DKIM is too; the texts, the sender and the headers that readers' mail systems act on are those that were built.
"""

import json
import re
from collections.abc import Mapping, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self, cast

import requests

from digest.config import sections
from digest.delivery.bounces import verp
from digest.delivery.outcomes import Kind, Outcome
from digest.delivery.reasons import Reason
from digest.delivery.redaction import redacted
from digest.delivery.transports import Advance, Envelope, http
from digest.errors import ConfigError, DeliveryError

_PROVIDER = "Postmark"
# What one message's ErrorCode means. An unknown one stops the sending, and a person reads what it says.
_CODES: Mapping[int, tuple[Kind, Reason]] = {
    10: ("refused", "relay_fault"),  # the token
    100: ("deferred", "temporary"),  # maintenance
    300: ("refused", "relay_fault"),  # an invalid field; the reader's own is told apart below
    400: ("refused", "blocked_policy"),  # no such sender signature
    401: ("refused", "blocked_policy"),  # a sender signature that is not confirmed
    405: ("refused", "blocked_policy"),  # out of credits
    406: ("failed", "mailbox_disabled"),  # on its list of those who bounced, complained or left
    411: ("content", "content"),
    412: ("refused", "blocked_policy"),  # the account waits for approval
    413: ("refused", "blocked_policy"),  # the account may not send
    429: ("deferred", "temporary"),
}
_UNKNOWN: tuple[Kind, Reason] = ("refused", "relay_fault")
_INVALID_FIELD = 300
_RECIPIENT = re.compile(r"'To'")

# What has a field of its own, and what Postmark writes itself.
_OWN_FIELDS = frozenset(
    ("from", "to", "reply-to", "subject", "date", "mime-version", "content-type", "content-transfer-encoding")
)


class Postmark:
    repeatable = False
    width = 50  # of 500: as many may be in doubt after a crash

    def __init__(self, settings: sections.Postmark) -> None:
        self._interface, self._stream = _interface(settings), settings.stream
        self._session: requests.Session | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
        if self._session is None:
            opened = http.session(self._interface)
            http.reach(opened, self._interface)
            self._session = opened
        http.carry(self._interface, batch, advance, done, self._hand_over)

    def _hand_over(self, messages: Sequence[Envelope]) -> Sequence[Outcome | http.Lost]:
        assert self._session is not None
        payload = json.dumps([_fields(one, self._stream) for one in messages]).encode()
        answer = http.post(self._session, self._interface, "/email/batch", payload, "application/json")
        if isinstance(answer, http.Lost):
            return http.for_each(answer, messages)
        return _outcomes(answer, messages)


def probe(settings: sections.Postmark) -> str:
    """Ask for the message stream; nothing is mailed. What was found. Raises ConfigError and DeliveryError, also for a
    stream that would change what was approved."""
    interface = _interface(settings)
    with http.session(interface) as asking:
        answer = http.get(asking, interface, f"/message-streams/{settings.stream}")
    found = http.checked(answer, interface, 200)
    stream = _json(found.body)
    managed = stream.get("SubscriptionManagementConfiguration") if isinstance(stream, dict) else None
    if isinstance(managed, dict) and managed.get("UnsubscribeHandlingType") == "Postmark":
        raise DeliveryError(
            f"the message stream {settings.stream} adds an unsubscribe link of Postmark's own to every mail; ask its "
            "support for custom unsubscribe handling."
        )
    return f"{_PROVIDER} answers and knows the token and the message stream {settings.stream}"


def _interface(settings: sections.Postmark) -> http.Interface:
    token = settings.token.get_secret_value()
    if not token:
        raise ConfigError("[postmark] has no token; set the server's, best in a secret file named postmark__token.")
    return http.Interface(_PROVIDER, settings.url, settings.timeout_seconds, headers={"X-Postmark-Server-Token": token})


def _fields(envelope: Envelope, stream: str) -> dict[str, Any]:
    """A message as Postmark's fields. Its tracking is off; the metadata come back with its events."""
    message = message_from_bytes(envelope.content, policy=policy.default)
    headers = [
        {"Name": name, "Value": re.sub(r"[\r\n]+", "", value)}
        for name, value in message.raw_items()
        if name.lower() not in _OWN_FIELDS
    ]
    fields = {
        "From": str(message["From"]),
        "To": envelope.recipient,
        "ReplyTo": str(message["Reply-To"] or ""),
        "Subject": str(message["Subject"]),
        "Headers": [*headers, {"Name": "X-PM-KeepID", "Value": "true"}],
        "MessageStream": stream,
        "Metadata": {verp.METADATA: envelope.token} if envelope.token else {},
        "TrackOpens": False,
        "TrackLinks": "None",
    }
    for field, kind in (("TextBody", "plain"), ("HtmlBody", "html")):
        part = message.get_body((kind,))
        if part is not None:
            fields[field] = cast(EmailMessage, part).get_content()
    return fields


def _outcomes(answer: http.Answer, messages: Sequence[Envelope]) -> Sequence[Outcome]:
    """What became of each message: answers stand in the order of the messages."""
    told = _json(answer.body)
    if answer.status == 200:
        if not isinstance(told, list) or len(told) != len(messages):
            return [http.of_status(answer.status, f"{_PROVIDER}: 200, and an answer that cannot be read")] * len(
                messages
            )
        return [_outcome(one, message) for one, message in zip(told, messages, strict=True)]
    code, words = _told(told)
    said = f"{_PROVIDER}: {answer.status} {redacted(words, [one.recipient for one in messages])}".rstrip()
    kind, reason = _CODES.get(code or 0, _UNKNOWN)
    if answer.status == 422 and kind != "failed":  # it is said of all of them, so not that one reader is gone
        return [Outcome(kind, said, reason)] * len(messages)
    return [http.of_status(answer.status, said)] * len(messages)


def _outcome(told: object, message: Envelope) -> Outcome:
    code, words = _told(told)
    if code is None:
        return Outcome("uncertain", f"{_PROVIDER}: an answer that cannot be read")
    if code == 0:
        number = told.get("MessageID", "") if isinstance(told, dict) else ""
        return Outcome("sent", f"{_PROVIDER}: {redacted(str(number))}")
    said = f"{_PROVIDER}: {code} {redacted(words, [message.recipient])}".rstrip()
    if code == _INVALID_FIELD and _RECIPIENT.search(words):
        return Outcome("failed", said, "no_such_mailbox")
    kind, reason = _CODES.get(code, _UNKNOWN)
    return Outcome(kind, said, reason)


def _told(told: object) -> tuple[int | None, str]:
    """The ErrorCode and the Message of an answer."""
    if not isinstance(told, dict) or type(told.get("ErrorCode")) is not int:
        return None, ""
    return told["ErrorCode"], str(told.get("Message", ""))


def _json(body: bytes) -> object:
    try:
        return cast(object, json.loads(body))
    except (ValueError, RecursionError):
        return None
