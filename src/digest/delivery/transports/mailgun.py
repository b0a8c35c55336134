"""Mailgun: one finished message a request, several requests at once (POST /v3/<domain>/messages.mime).

Its batch form fills one message's blanks for many readers, which our messages with a watch list each cannot be. So each
message goes as it was built, byte for byte, and has an answer of its own.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import requests
from urllib3 import encode_multipart_formdata

from digest.config import sections
from digest.delivery.bounces import verp
from digest.delivery.outcomes import Kind, Outcome
from digest.delivery.reasons import Reason
from digest.delivery.redaction import redacted
from digest.delivery.transports import Advance, Envelope, http
from digest.errors import ConfigError

_PROVIDER = "Mailgun"
# Why a request is bad (400), by what its message says, in lower case. Else the operator is to read it.
_WORDS: Mapping[str, tuple[Kind, Reason]] = {
    "to parameter is not a valid address": ("failed", "no_such_mailbox"),
    "message is too big": ("content", "too_large"),
    "message exceeds": ("content", "too_large"),
}


class Mailgun:
    repeatable = False
    width = 8

    def __init__(self, settings: sections.Mailgun) -> None:
        self._interface, self._path = _interface(settings), _path(settings)
        self._sessions: list[requests.Session] = []
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        for session in self._sessions:
            session.close()
        self._sessions = []

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
        if not self._sessions:
            opened = [http.session(self._interface) for _ in range(self.width)]
            http.reach(opened[0], self._interface)
            self._sessions = opened
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.width)
        http.carry(self._interface, batch, advance, done, self._hand_over)

    def _hand_over(self, messages: Sequence[Envelope]) -> Sequence[Outcome | http.Lost]:
        assert self._pool is not None
        return list(self._pool.map(self._send, self._sessions, messages))  # a session carries one message at a time

    def _send(self, session: requests.Session, message: Envelope) -> Outcome | http.Lost:
        payload, kind = encode_multipart_formdata(_fields(message))
        answer = http.post(session, self._interface, self._path, payload, kind)
        return answer if isinstance(answer, http.Lost) else _outcome(answer, message)


def probe(settings: sections.Mailgun) -> str:
    """Ask to send a message that has neither reader nor content, which is refused for that. Raises DeliveryError and
    ConfigError for what would refuse any message: a sending key may ask for nothing else."""
    interface = _interface(settings)
    payload, kind = encode_multipart_formdata({"o:testmode": "yes"})
    with http.session(interface) as asking:
        answer = http.post(asking, interface, _path(settings), payload, kind)
    http.checked(answer, interface, 400)
    return f"{_PROVIDER} answers and knows the token for {settings.domain}"


def _interface(settings: sections.Mailgun) -> http.Interface:
    token = settings.token.get_secret_value()
    if not (token and settings.domain):
        raise ConfigError(
            "[mailgun] wants a domain and a token; set the sending key, best in a secret file named mailgun__token."
        )
    return http.Interface(_PROVIDER, settings.url, settings.timeout_seconds, login=("api", token))


def _path(settings: sections.Mailgun) -> str:
    return f"/v3/{settings.domain}/messages.mime"


def _fields(message: Envelope) -> dict[str, str | tuple[str, bytes, str]]:
    """Tracking off, and the variable that comes back with its events."""
    fields: dict[str, str | tuple[str, bytes, str]] = {
        "to": message.recipient,
        "o:tracking": "no",
        "o:tracking-clicks": "no",
        "o:tracking-opens": "no",
        "message": ("message.eml", message.content, "message/rfc822"),
    }
    return {**fields, f"v:{verp.METADATA}": message.token} if message.token else fields


def _outcome(answer: http.Answer, message: Envelope) -> Outcome:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        told = None
    facts = told if isinstance(told, dict) else {}
    if answer.status == 200 and facts.get("id"):
        return Outcome("sent", f"{_PROVIDER}: 200 {redacted(str(facts.get('message', '')))}".rstrip())
    words = str(facts.get("message", ""))
    said = f"{_PROVIDER}: {answer.status} {redacted(words, [message.recipient])}".rstrip()
    if answer.status == 400:
        for known, (kind, reason) in _WORDS.items():
            if known in words.lower():
                return Outcome(kind, said, reason)
    return http.of_status(answer.status, said)
