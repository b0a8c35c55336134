"""SMTP to a real server on loopback, well-behaved and not."""

import smtplib
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.delivery.relay import Relay, free_port, relay
from tests.delivery.test_signing import ED25519, verified

from digest.config import sections
from digest.delivery.outcomes import Outcome, of_reply
from digest.delivery.signing import Signer, sign
from digest.delivery.transports import Envelope, Turn
from digest.delivery.transports.smtp import Smtp
from digest.delivery.transports.smtp_session import _Client
from digest.errors import DeliveryError


def wait_for_the_relay(transport: Smtp) -> bytes:
    """Wait until the relay says something or hangs up, and leave it to be read."""
    (session,) = transport._sessions
    assert session._smtp.sock is not None
    try:
        return session._smtp.sock.recv(1, socket.MSG_PEEK)
    except ConnectionResetError:
        return b""


CONTENT = b"Subject: one\r\n\r\n\r\n two.\r\n=2E.\r\nend\r\n"


@pytest.fixture
def server() -> Iterator[Relay]:
    with relay(enable_SMTPUTF8=False) as made:
        yield made


def smtp(port: int, **changed: Any) -> Smtp:
    return Smtp(sections.Smtp(host="127.0.0.1", port=port, tls="none", timeout_seconds=5).model_copy(update=changed))


def deliver(transport: Smtp, name: str, before_dot: Callable[[], bool] = lambda: True) -> Outcome:
    (outcome,) = deliver_all(transport, [name], before_dot)
    return outcome


def envelope(number: int, name: str) -> Envelope:
    return Envelope(number, "1@x", "news@digest.example", f"{name}@example.org", CONTENT)


def deliver_all(transport: Smtp, names: Sequence[str], before_dot: Callable[[], bool] = lambda: True) -> list[Outcome]:
    """The outcomes of messages to these names, in their order, as many at once as the transport carries."""
    envelopes = [envelope(number, name) for number, name in enumerate(names)]
    done: list[tuple[int, Outcome]] = []
    left, allowed = envelopes[transport.width :], set[int]()

    def look_anew() -> None:
        """What was allowed and not handed over is claimed again, as a sender does."""
        again = {number for number, outcome in done if outcome.kind == "withheld"} & allowed
        left[:0] = [envelopes[number] for number in sorted(again)]
        done[:] = [one for one in done if one[0] not in again]
        allowed.difference_update(again)

    def advance(ready: Sequence[int]) -> Turn:
        look_anew()
        following, left[:] = left[: transport.width], left[transport.width :]
        may = ready if ready and before_dot() else ()
        allowed.update(may)
        return Turn(may, following)

    batch = envelopes[: transport.width]
    while batch:
        transport.carry(batch, advance, done)
        look_anew()
        batch, left[:] = left[: transport.width], left[transport.width :]
    assert sorted(number for number, _outcome in done) == list(range(len(names)))
    return [outcome for _number, outcome in sorted(done, key=lambda one: one[0])]


def test_a_message_arrives_as_it_was(server: Relay) -> None:
    with smtp(server.port) as transport:
        assert deliver(transport, "ann") == Outcome("sent", "dot: 250 2.0.0 queued")
    assert server.received == [("ann@example.org", CONTENT)]


def test_a_connection_is_used_for_as_many_messages_as_is_said(server: Relay) -> None:
    with smtp(server.port, messages_per_connection=3) as transport:
        assert {deliver(transport, f"r{number}").kind for number in range(7)} == {"sent"}
    assert server.sessions == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("busy", "deferred"),
        ("unknown", "failed"),
        ("policy", "deferred"),
        ("closing", "deferred"),
        ("later", "deferred"),
        ("toobig", "content"),
        ("silent", "uncertain"),
    ],
)
def test_trouble_with_one_reader_leaves_the_next_alone(server: Relay, name: str, kind: str) -> None:
    with smtp(server.port) as transport:
        outcomes = [deliver(transport, "before"), deliver(transport, name), deliver(transport, "after")]
    assert [outcome.kind for outcome in outcomes] == ["sent", kind, "sent"]
    assert "example.org" not in outcomes[1].said


def test_a_connection_cut_in_the_body_is_tried_again_later(server: Relay) -> None:
    with smtp(server.port) as transport:
        assert deliver(transport, "cut", lambda: wait_for_the_relay(transport) == b"").kind == "deferred"
        assert deliver(transport, "after").kind == "sent"
    assert server.recipients == ["after@example.org"]


def test_a_message_withheld_before_the_dot_is_not_accepted(server: Relay) -> None:
    with smtp(server.port) as transport:
        assert deliver(transport, "left", lambda: False).kind == "withheld"
        assert deliver(transport, "ann").kind == "sent"
    assert server.recipients == ["ann@example.org"]


def test_permission_is_asked_once_after_the_reader_is_accepted(server: Relay) -> None:
    asked: list[str] = []

    def allow(name: str) -> bool:
        asked.append(name)
        return True

    with smtp(server.port) as transport:
        for name in ("unknown", "ann", "later"):
            deliver(transport, name, partial(allow, name))
    assert asked == ["ann", "later"]


def test_an_error_before_the_dot_sends_nothing(server: Relay) -> None:
    def fail() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), smtp(server.port) as transport:
        deliver(transport, "ann", fail)
    assert server.received == []


def test_an_old_session_that_the_relay_ended_is_opened_anew() -> None:
    with relay() as server, smtp(server.port) as transport:
        assert deliver(transport, "ann").kind == "sent"
        server.end_sessions()
        assert wait_for_the_relay(transport) == b""
        assert deliver(transport, "ben").kind == "sent"
    assert server.recipients == ["ann@example.org", "ben@example.org"]
    assert server.sessions == 2


def test_a_non_ascii_address_fails_alone_where_the_relay_cannot_take_it(server: Relay) -> None:
    with smtp(server.port) as transport:
        assert deliver(transport, "jürgen").kind == "failed"
        assert deliver(transport, "ann").kind == "sent"


def test_a_non_ascii_address_is_served_where_the_relay_offers_it() -> None:
    with relay(enable_SMTPUTF8=True) as server, smtp(server.port) as transport:
        assert deliver(transport, "jürgen").kind == "sent"
        assert deliver(transport, "ann").kind == "sent"
    assert server.recipients == ["ann@example.org", "jürgen@example.org"]


def test_an_unreachable_relay_is_one_sentence() -> None:
    port = free_port()
    with pytest.raises(DeliveryError) as caught, smtp(port) as transport:
        deliver(transport, "ann")
    assert str(caught.value) == (
        f"the relay 127.0.0.1:{port} cannot be reached (Connection refused); check [smtp] host and port. "
        "Nothing is lost; send again to go on."
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tls": "starttls"}, "does not offer what \\[smtp\\] asks for"),
        ({"tls": "tls"}, "speaks no TLS there"),
        ({"user": "ann", "password": SecretStr("secret")}, "does not offer what \\[smtp\\] asks for"),
    ],
)
def test_a_relay_that_lacks_what_is_asked_for_is_one_sentence(
    server: Relay, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(DeliveryError, match=reason) as caught, smtp(server.port, **changed) as transport:
        deliver(transport, "ann")
    assert "secret" not in str(caught.value)
    assert server.received == []


def heard(said: bytes) -> tuple[int, bytes] | None:
    """What is made of the bytes that a relay says before it ends the connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        client = _Client()
        client.sock = ours
        try:
            return client.getreply()
        except smtplib.SMTPServerDisconnected:
            return None
        finally:
            client.close()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"250 2.0.0 fine\r\n", (250, b"2.0.0 fine")),
        (b"250-one\r\n250-\r\n250 two\r\n", (250, b"one\n\ntwo")),
        (b"354\r\n", (354, b"")),
        (b"550 \xff\xfe\n", (550, b"\xff\xfe")),
        (b"250 one\r\n550 two\r\n", (250, b"one")),
        *((said, None) for said in (b"", b"250", b"250 fine", b"25 x\r\n", b"199 x\r\n", b"600 x\r\n", b"2500 x\r\n")),
        *((said, None) for said in (b"250-one\r\n", b"250-one\r\n550 two\r\n", b" 250 x\r\n", b"2_5 x\r\n", b"\r\n")),
        *((said, None) for said in (b"250 " + b"x" * 9000 + b"\r\n", b"250-x\r\n" * 101 + b"250 x\r\n")),
    ],
)
def test_a_reply_is_read_whole_or_not_at_all(said: bytes, expected: tuple[int, bytes] | None) -> None:
    assert heard(said) == expected


@given(
    st.lists(st.one_of(st.sampled_from([b"250", b"354", b"550", b"-", b" ", b"\r\n", b"\n"]), st.binary()), max_size=9)
)
def test_whatever_a_relay_says_is_a_reply_or_none(pieces: list[bytes]) -> None:
    answer = heard(b"".join(pieces))
    assert answer is None or 200 <= answer[0] < 600
    if answer is not None:
        assert of_reply("dot", *answer).kind in ("sent", "deferred", "failed", "refused", "content", "uncertain")


def test_a_mail_signed_here_is_believed_as_it_arrived(server: Relay) -> None:
    key = Signer("digest.example", "s", ED25519)
    content = sign(CONTENT.replace(b"Subject", b"From: <news@digest.example>\r\nSubject"), [key], 0)
    done: list[tuple[int, Outcome]] = []
    with smtp(server.port) as transport:
        one = Envelope(1, "1@x", "news@digest.example", "ann@example.org", content)
        transport.carry([one], lambda ready: Turn(ready, ()), done)
    ((_, arrived),) = server.received
    assert verified(arrived, [key]) == [True]
