"""An edition through a real Postfix: TLS, a log-in, mailboxes; its parts and signatures read by others."""

import email
import email.policy
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine
from tests import builders as b
from tests.delivery.postfix import PASSWORD, USER, Postfix, absent, postfix, wait_for
from tests.delivery.test_signing import ED25519, RSA, verified, written
from tests.outgoing import some_contents

from digest.config import sections
from digest.config.settings import Settings
from digest.delivery import sending, signing
from digest.delivery.outbox import Mailing
from digest.delivery.transports import Envelope, Turn
from digest.errors import DeliveryError
from digest.rendering.email import render

pytestmark = [pytest.mark.long, pytest.mark.skipif(bool(absent()), reason=absent() or "it is there")]

READERS = 100


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    with tempfile.TemporaryDirectory(prefix="postfix-") as folder, postfix(Path(folder)) as made:
        yield made


@pytest.fixture
def relayed(server: Postfix, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings by which mail goes to the relay, whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    relay = {"host": "localhost", "port": server.port, "tls": "starttls", "user": USER, "password": PASSWORD}
    changed = {"smtp": sections.Smtp.model_validate(relay), "delivery": sections.Delivery(transport="smtp")}
    return settings.model_copy(update=changed)


def send(engine: Engine, settings: Settings, mailing: Mailing, now: datetime) -> int:
    contents = some_contents(render(b.an_edition(), settings), settings)
    tally = sending.drain(engine, settings, mailing, contents, sending.transport_of(settings), lambda: now)
    return tally["sent"]


def defects(mail: EmailMessage) -> list[str]:
    """What the parser of the standard library finds wrong in a mail's parts and headers."""
    found = [repr(defect) for part in mail.walk() for defect in part.defects]
    return found + [f"{name}: {defect!r}" for name, value in mail.items() for defect in value.defects]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_edition_reaches_the_mailboxes_of_a_real_relay(
    engine: Engine,
    server: Postfix,
    relayed: Settings,
    add_readers: Callable[..., list[int]],
    queue: Callable[[], Mailing],
    now: datetime,
    tmp_path: Path,
) -> None:
    keys = {"rsa": written(tmp_path / "rsa.pem", RSA), "ed25519": written(tmp_path / "ed25519.pem", ED25519)}
    names = [f"r{number}@example.test" for number in range(READERS)]
    add_readers(0, *names)
    signing_settings = relayed.model_copy(update={"dkim": sections.Dkim(domain="digest.example", keys=keys)})
    assert send(engine, signing_settings, queue(), now) == READERS
    contents = [path.read_bytes() for path in wait_for(server.inbox, READERS)]
    mails = [email.message_from_bytes(content, policy=email.policy.default) for content in contents]
    assert Counter(mail["Delivered-To"] for mail in mails) == dict.fromkeys(names, 1)
    assert [fault for mail in mails for fault in defects(mail)] == []
    html = [mail.get_body(("html",)) for mail in mails]
    assert all(part is not None and "unsubscribe/" in part.get_content() for part in html)
    signers = signing.signers(signing_settings.dkim)
    assert all(verified(content, signers) == [True, True] for content in contents)
    said = server.log.read_text()
    assert "Anonymous TLS connection established" in said
    assert f"sasl_method=PLAIN, sasl_username={USER}" in said


def test_a_relay_that_nobody_vouches_for_gets_neither_password_nor_mail(
    server: Postfix, relayed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    mail = Envelope(1, "1@x", "news@example.test", "ann@example.test", b"Subject: x\r\n\r\nx\r\n")
    with sending.transport_of(relayed) as transport, pytest.raises(DeliveryError, match="cannot be trusted"):
        transport.carry([mail], lambda ready: Turn(ready, ()), [])
