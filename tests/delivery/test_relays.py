"""Two relays, of which the second is for when the first lets nobody in; and relays that speak TLS."""

import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from tests.delivery.relay import free_port
from tests.delivery.scripted_relay import ENDED, Fault, ScriptedRelay, scripted_relay
from tests.delivery.test_smtp import deliver_all

from digest.config import sections
from digest.delivery.transports.smtp import Smtp
from digest.errors import DeliveryError

NAMES = [f"r{number}" for number in range(12)]
READERS = sorted(f"{name}@example.org" for name in NAMES)


@pytest.fixture
def second() -> Iterator[ScriptedRelay]:
    with scripted_relay() as made:
        yield made


def smtp(port: int, second: int | None = None, **changed: Any) -> Smtp:
    settings = sections.Smtp(port=port, tls="none", timeout_seconds=30, sessions=3).model_copy(update=changed)
    fallback = None if second is None else sections.Relay(port=second, tls="none")
    return Smtp(settings.model_copy(update={"fallback": fallback}))


def outcomes(transport: Smtp, names: Sequence[str] = NAMES) -> list[str]:
    with transport:
        return [outcome.kind for outcome in deliver_all(transport, names)]


def test_mail_goes_to_the_second_relay_where_the_first_is_not_there(second: ScriptedRelay) -> None:
    assert outcomes(smtp(free_port(), second.port)) == ["sent"] * 12
    assert sorted(second.received) == READERS
    assert second.sessions == 3


LOGIN = {"user": "ann", "password": SecretStr("secret")}


@pytest.mark.parametrize(
    ("script", "changed"),
    [
        ({"greeting": lambda _: b"421 4.3.2 too busy\r\n"}, {}),
        ({"greeting": lambda _: b"554 5.7.1 not you\r\n"}, {}),
        ({"greeting": lambda _: b"hello\r\n"}, {}),
        ({"greeting": lambda _: b""}, {"timeout_seconds": 2}),
        ({"greeting": lambda _: b"220-more\r\n" * 5000}, {}),
        ({"greeting": lambda _: b"220 " + b"x" * 100_000}, {}),
        ({"refuses": b"EHLO HELO"}, {}),
        ({}, {"tls": "tls"}),
        ({}, {"tls": "starttls"}),
        ({"offers": (b"STARTTLS",)}, {"tls": "starttls"}),
        ({"offers": (b"AUTH PLAIN",)}, LOGIN),
        ({"offers": (b"AUTH PLAIN",)}, {"user": "ännchen", "password": SecretStr("x")}),
    ],
    ids=[
        "421",
        "554",
        "nonsense",
        "silence",
        "endless",
        "long",
        "EHLO",
        "no TLS",
        "no STARTTLS",
        "STARTTLS",
        "AUTH",
        "ä",
    ],
)
def test_mail_goes_to_the_second_relay_where_the_first_lets_nobody_in(
    second: ScriptedRelay, script: dict[str, Any], changed: dict[str, Any]
) -> None:
    with scripted_relay(**script) as first:
        assert outcomes(smtp(first.port, second.port, **changed)) == ["sent"] * 12
        assert first.sessions == 1
        assert first.received == []
    assert sorted(second.received) == READERS


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("RCPT", b"550 5.1.1 no such user\r\n"), "failed"),
        (Fault("RCPT", b"450 4.2.0 greylisted\r\n"), "deferred"),
        (Fault("RCPT", ENDED, "close"), "deferred"),
        (Fault("dot", b"550 5.7.1 policy\r\n"), "deferred"),
    ],
)
def test_a_refusal_of_a_message_is_no_reason_to_try_the_second(second: ScriptedRelay, fault: Fault, kind: str) -> None:
    with scripted_relay(fault_of=lambda *_: fault) as first:
        assert outcomes(smtp(first.port, second.port), ["ann"]) == [kind]
    assert second.sessions == 0


def test_a_relay_that_ends_half_way_leaves_the_rest_to_the_second(second: ScriptedRelay) -> None:
    with scripted_relay(
        greeting=lambda session: b"220 fine\r\n" if session <= 3 else b"421 4.3.2 closing\r\n",
        fault_of=lambda number, _: Fault("MAIL", ENDED, "close") if number > 5 else None,
    ) as first:
        assert outcomes(smtp(first.port, second.port)) == ["sent"] * 12
    assert len(first.received) == 5
    assert sorted(first.received + second.received) == READERS
    assert second.sessions == 3


def test_a_relay_that_allows_two_sessions_is_not_left(second: ScriptedRelay) -> None:
    with scripted_relay(greeting=lambda session: b"220 fine\r\n" if session <= 2 else b"421 4.7.0 enough\r\n") as first:
        assert outcomes(smtp(first.port, second.port)) == ["sent"] * 12
        assert first.sessions <= 4  # two that it let in, and hardly any that were tried in vain
    assert sorted(first.received) == READERS
    assert second.sessions == 0


def test_two_relays_that_let_nobody_in_are_both_named(second: ScriptedRelay) -> None:
    ports = free_port(), free_port()
    with pytest.raises(DeliveryError) as caught:
        outcomes(smtp(*ports))
    assert str(caught.value) == (
        f"the relay 127.0.0.1:{ports[0]} cannot be reached (Connection refused); check [smtp] host and port. "
        f"And the relay 127.0.0.1:{ports[1]} cannot be reached (Connection refused); check [smtp.fallback] host and "
        "port. Nothing is lost; send again to go on."
    )


def test_a_log_in_that_cannot_be_written_is_one_sentence_without_it(second: ScriptedRelay) -> None:
    with scripted_relay(offers=(b"AUTH PLAIN",)) as first, pytest.raises(DeliveryError) as caught:
        outcomes(smtp(first.port, user="ann", password=SecretStr("pässword")))
    assert "check [smtp] host, user and password, all ASCII" in str(caught.value)
    assert "pässword" not in repr(caught.value.__cause__) + str(caught.value)
    assert caught.value.__suppress_context__


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS with a certificate for 127.0.0.1 that this process trusts."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    (tmp_path / "relay.pem").write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "relay.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "relay.pem")
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lockstep"])
def test_mail_goes_over_tls(trusted: ssl.SSLContext, version: ssl.TLSVersion, pipelining: bool) -> None:
    trusted.minimum_version = trusted.maximum_version = version
    with scripted_relay(tls=trusted, pipelining=pipelining) as first:
        assert outcomes(smtp(first.port, tls="tls")) == ["sent"] * 12
    assert sorted(first.received) == READERS
    assert first.sessions == 3


@pytest.mark.parametrize("say", [b"354 go on\r\n" + ENDED, b"354 go on\r\n"])
def test_what_a_relay_says_before_the_dot_is_heard_through_tls(trusted: ssl.SSLContext, say: bytes) -> None:
    broken = Fault("DATA", say, "close")
    with scripted_relay(tls=trusted, fault_of=lambda number, _: broken if number == 4 else None) as first:
        transport = smtp(first.port, tls="tls")
        found = outcomes(transport)
    assert sorted(found) == ["deferred"] + ["sent"] * 11 or (say == b"354 go on\r\n" and "uncertain" in found)
    assert len(first.received) == 11


def test_a_certificate_of_nobody_is_refused(trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        scripted_relay(tls=trusted) as first,
        pytest.raises(DeliveryError, match=r"shows a certificate that cannot be trusted .*; check \[smtp\] host"),
    ):
        outcomes(smtp(first.port, tls="tls"))
    assert first.received == []
