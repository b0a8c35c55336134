"""What providers' interfaces over HTTP have in common: what is known of a request that failed, and the way of a batch.

A provider cannot take a message from a request that it has not got whole. So the body is given to the library piece by
piece: where the last piece was not asked for, nothing was accepted. From then on only an answer tells.
"""

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Literal, NamedTuple

import requests

from digest import __version__
from digest.delivery.outcomes import Kind, Outcome
from digest.delivery.reasons import Reason
from digest.delivery.transports import Advance, Envelope
from digest.edition.numbers import several
from digest.errors import DeliveryError

_LONGEST_ANSWER = 1_000_000  # bytes; one to 50 messages has some 10,000
_PIECE = 16_384
_NO_ADDRESS = frozenset(" \t\r\n<>,;")  # of a list of addresses, or of a second header

# What a status means that is no success (RFC 9110 section 15), where the provider does not say more.
_STATUSES: Mapping[int, tuple[Kind, Reason]] = {
    408: ("deferred", "temporary"),
    413: ("content", "too_large"),
    429: ("deferred", "temporary"),
    503: ("deferred", "temporary"),
}


class Answer(NamedTuple):
    """What a provider answered; the body is empty where it broke off."""

    status: int
    body: bytes


class Lost(NamedTuple):
    """No answer came. `sent`: nothing, for there was no connection; part of the request; or all of it."""

    sent: Literal["nothing", "part", "all"]
    why: str


@dataclass(frozen=True, slots=True)
class Interface:
    """Where a provider is, and what each request proves itself with: a header or a log-in."""

    provider: str
    url: str
    timeout: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)


def session(interface: Interface) -> requests.Session:
    """A connection that is kept, or several. No redirect is followed and nothing repeated: a message may be in it."""
    made = requests.Session()
    made.trust_env = False  # no log-in from a file of the machine, no proxy that reads the mail
    made.auth = interface.login
    made.headers.update(interface.headers)
    made.headers["User-Agent"] = f"digest/{__version__}"
    made.headers["Accept"] = "application/json"
    return made


def post(to: requests.Session, interface: Interface, path: str, payload: bytes, kind: str) -> Answer | Lost:
    """Send a payload of a media type and wait for the answer."""
    body, end = io.BytesIO(payload), time.monotonic() + interface.timeout
    try:
        with to.post(
            interface.url + path,
            data=body,
            headers={"Content-Type": kind},
            timeout=interface.timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            return Answer(response.status_code, _read(response, end))
    except (requests.RequestException, OSError) as error:
        given = body.tell()
        return Lost("nothing" if not given else "part" if given < len(payload) else "all", _why(error))


def get(to: requests.Session, interface: Interface, path: str) -> Answer | Lost:
    """Ask for something that changes nothing."""
    end = time.monotonic() + interface.timeout
    try:
        with to.get(interface.url + path, timeout=interface.timeout, allow_redirects=False, stream=True) as response:
            return Answer(response.status_code, _read(response, end))
    except (requests.RequestException, OSError) as error:
        return Lost("nothing", _why(error))


def reach(to: requests.Session, interface: Interface) -> None:
    """Open a connection that the next request uses, so that no message waits for one. Raises DeliveryError."""
    try:
        to.head(interface.url, timeout=interface.timeout, allow_redirects=False)
    except (requests.RequestException, OSError) as error:
        raise unreachable(interface, _why(error)) from None


def checked(answer: Answer | Lost, interface: Interface, expected: int) -> Answer:
    """The answer to a request that mails nothing. Raises DeliveryError where it is another than when all is well."""
    section = f"[{interface.provider.lower()}]"
    if isinstance(answer, Lost):
        raise unreachable(interface, answer.why)
    if answer.status in (401, 403):
        raise DeliveryError(f"{interface.provider} refuses the token ({answer.status}); check {section} token.")
    if answer.status != expected:
        raise DeliveryError(f"{interface.provider} answers {answer.status}; check {section}, or ask its status page.")
    return answer


def unreachable(interface: Interface, why: str) -> DeliveryError:
    return DeliveryError(
        f"{interface.provider} at {interface.url} {why}; check [{interface.provider.lower()}] url and the network. "
        "Nothing is lost; send again to go on."
    )


def carry(
    interface: Interface,
    batch: Sequence[Envelope],
    advance: Advance,
    done: list[tuple[int, Outcome]],
    hand_over: Callable[[Sequence[Envelope]], Sequence[Outcome | Lost]],
) -> None:
    """The way of every batch: what cannot be sent, the permission, the request, what became of each message.

    A batch of which no message has an answer ends it, so that no more is in doubt than that: raises DeliveryError.
    """
    while batch:
        sendable = [one for one in batch if _NO_ADDRESS.isdisjoint(one.recipient) and one.recipient.isprintable()]
        ready = {one.delivery_id for one in sendable}
        unsendable = Outcome("failed", "the address has a character that no provider takes", "no_such_mailbox")
        done += [(one.delivery_id, unsendable) for one in batch if one.delivery_id not in ready]
        turn = advance(sorted(ready))
        done += [(number, Outcome("withheld")) for number in sorted(ready) if number not in turn.allowed]
        allowed = [one for one in sendable if one.delivery_id in turn.allowed]
        found = hand_over(allowed) if allowed else ()
        outcomes = [_of_lost(one) if isinstance(one, Lost) else one for one in found]
        done += [(envelope.delivery_id, outcome) for envelope, outcome in zip(allowed, outcomes, strict=True)]
        if gone := next((one for one in found if isinstance(one, Lost) and one.sent == "nothing"), None):
            raise unreachable(interface, gone.why)
        if outcomes and all(outcome.kind == "uncertain" for outcome in outcomes):
            raise DeliveryError(
                f"{interface.provider} does not tell what became of {several(len(outcomes), 'message')} "
                f'("{outcomes[0].said}"), so sending stopped; look at its log of activity, then send again to go on.'
            )
        batch = list(turn.following)


def of_status(status: int, said: str) -> Outcome:
    """What an answer means that does not say what became of the message."""
    if status in _STATUSES:
        kind, reason = _STATUSES[status]
        return Outcome(kind, said, reason)
    if 300 <= status < 500:  # redirects, too: there is no such interface there
        return Outcome("refused", said, "relay_fault")
    return Outcome("uncertain", said)  # a success that cannot be read; a fault of the other side, before or after


def for_each(outcome: Outcome | Lost, messages: Sequence[Envelope]) -> list[Outcome | Lost]:
    return list(repeat(outcome, len(messages)))


def _of_lost(lost: Lost) -> Outcome:
    if lost.sent == "all":
        return Outcome("uncertain", f"the request was sent, and the provider {lost.why}")
    return Outcome("deferred", f"the provider {lost.why}", "temporary")


def _read(response: requests.Response, end: float) -> bytes:
    """The answer's body, empty where it breaks off, goes on for too long or does not end. One that is whole is taken
    however late: it tells what became of messages."""
    read, late = b"", False
    try:
        for piece in response.iter_content(_PIECE):
            read += piece
            if len(read) > _LONGEST_ANSWER or late:
                return b""
            late = time.monotonic() > end
    except (requests.RequestException, OSError):
        return b""
    return read


def _why(error: Exception) -> str:
    """What happened, without the library's words: those may quote a request."""
    match error:
        case requests.exceptions.SSLError():
            return "shows a certificate that cannot be trusted, or speaks no TLS"
        case requests.exceptions.Timeout():
            return "did not answer in time"
        case _:
            return "cannot be reached, or hung up"
