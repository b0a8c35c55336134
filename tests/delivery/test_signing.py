"""Signatures that a verifier of others' making believes, on the bytes that go out, and keys that cannot be used."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests import builders as b
from tests.delivery.test_every_regime import OWN, REGIMES, rendered
from tests.delivery.test_message import ANN, KEYS, LETTER, MAILING

from digest.config import sections
from digest.config.settings import Settings
from digest.delivery import signing
from digest.delivery.message import build, compile_mail
from digest.delivery.outbox import Mailing
from digest.delivery.signing import Signer
from digest.edition.renditions import Rendition
from digest.errors import ConfigError
from digest.rendering.letters import letter
from digest.rendering.renditions import Mail, assemble

SENT = datetime(2024, 5, 4, 9, 0, tzinfo=UTC)  # a verifier refuses a moment that is still to come
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()


def written(path: Path, key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


@pytest.fixture(params=["rsa", "ed25519", "both"])
def signing_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    keys: dict[str, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey] = {"rsa": RSA, "ed25519": ED25519}
    chosen = keys if request.param == "both" else {request.param: keys[request.param]}
    files = {selector: written(tmp_path / f"{selector}.pem", key) for selector, key in chosen.items()}
    return b.some_settings().model_copy(update={"dkim": sections.Dkim(domain="localhost.localdomain", keys=files)})


def verified(content: bytes, keys: Sequence[Signer]) -> list[bool]:
    """What a receiver makes of each signature, the uppermost first, who finds these keys in the DNS."""

    def txt(name: bytes, timeout: int = 5) -> bytes | None:
        records = {f"{key.selector}._domainkey.{key.domain}.".encode(): key.record.encode() for key in keys}
        return records.get(name)

    def holds(number: int) -> bool:
        try:
            return bool(dkim.DKIM(content).verify(number, txt))
        except dkim.ValidationError:  # of another body
            return False

    return [holds(number) for number in range(len(keys))]


def signed(mail: Mail, settings: Settings, mailing: Mailing = MAILING) -> bytes:
    compiled = compile_mail(mail, replace(mailing, queued_at=SENT), settings, lapsing=OWN.keep is not None)
    return build(compiled, ANN, KEYS, OWN)


def some_mails(settings: Settings) -> Iterator[tuple[Mail, Mailing]]:
    for code in REGIMES:
        yield assemble(rendered(True), Rendition(format="full", regime=code)), MAILING
    yield assemble(rendered(True), Rendition(format="text")), MAILING
    for locale in ("en", "de"):
        yield letter("confirmation", settings, locale), LETTER


def test_every_regimes_mail_and_every_letter_is_believed(signing_settings: Settings) -> None:
    keys = signing.signers(signing_settings.dkim)
    for mail, mailing in some_mails(signing_settings):
        assert verified(signed(mail, signing_settings, mailing), keys) == [True] * len(keys)


def test_a_mail_is_signed_alike_each_time_and_is_as_it_was(signing_settings: Settings) -> None:
    mail = letter("confirmation", signing_settings)
    bare = signed(mail, signing_settings.model_copy(update={"dkim": sections.Dkim()}))
    content = signed(mail, signing_settings)
    assert content == signed(mail, signing_settings)
    assert content.endswith(b"\r\n" + bare)
    assert content.isascii()
    assert max(map(len, content[: -len(bare)].split(b"\r\n"))) <= 78


@pytest.mark.parametrize("name", ["Wöchentliches · 週刊", 'Ann "the editor" \\ Bee', "", "x" * 90])
def test_display_names_of_any_kind_are_signed(signing_settings: Settings, name: str) -> None:
    named = signing_settings.model_copy(update={"mail": sections.Mail(from_name=name)})
    keys = signing.signers(named.dkim)
    assert all(verified(signed(letter("confirmation", named), named), keys))


def test_the_signature_covers_what_a_reader_sees_and_its_sender_twice(signing_settings: Settings) -> None:
    content = signed(letter("confirmation", signing_settings), signing_settings)
    (names, *_) = re.findall(rb"(?s) h=(.*?);", content)
    assert re.sub(rb"\s", b"", names).split(b":") == [
        *(b"from", b"from", b"subject", b"date", b"message-id", b"to", b"reply-to", b"list-id", b"list-unsubscribe"),
        *(b"list-unsubscribe-post", b"mime-version", b"content-type"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.replace(b"Subject: ", b"Subject: Re: "),
        lambda content: content.replace(b"\r\nTo: ", b"\r\nFrom: <eve@example.net>\r\nTo: "),
        lambda content: content.replace(b"List-Unsubscribe: <https", b"List-Unsubscribe: <http"),
        lambda content: content.replace(b"List-Unsubscribe-Post: L", b"X-List-Unsubscribe-Post: L"),
        lambda content: content[:-40] + bytes([content[-40] ^ 1]) + content[-39:],
        lambda content: content + b"more\r\n",
    ],
)
def test_a_message_that_was_changed_is_not_believed(
    signing_settings: Settings, change: Callable[[bytes], bytes]
) -> None:
    keys = signing.signers(signing_settings.dkim)
    content = signed(letter("confirmation", signing_settings), signing_settings)
    assert change(content) != content
    assert not any(verified(change(content), keys))


def test_blanks_that_a_relay_may_change_break_nothing(signing_settings: Settings) -> None:
    keys = signing.signers(signing_settings.dkim)
    content = signed(letter("confirmation", signing_settings), signing_settings)
    assert all(verified(content.replace(b"\r\nTo: ", b"\r\nTO:  \t") + b" \r\n\r\n", keys))


@given(body=st.text(alphabet="a \t\r\n.", max_size=40), blanks=st.text(alphabet=" \t", max_size=4))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_is_hashed_as_the_verifier_does(body: str, blanks: str) -> None:
    key = Signer("digest.example", "s", ED25519)
    lines = body.replace("\r", "").replace("\n", "\r\n")
    content = f"From: <a@digest.example>\r\nSubject:{blanks}x{blanks}y{blanks}\r\n\r\n{lines}\r\n".encode()
    assert verified(signing.sign(content, [key], 0), [key]) == [True]


def refused(settings: sections.Dkim) -> str:
    with pytest.raises(ConfigError) as caught:
        signing.signers(settings)
    assert "PRIVATE" not in str(caught.value)
    return str(caught.value)


def test_a_key_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    locked = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (tmp_path / "locked.pem").write_bytes(locked)
    (tmp_path / "text.pem").write_text("no key")
    (tmp_path / "folder.pem").mkdir()
    written(tmp_path / "short.pem", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    written(tmp_path / "curve.pem", ec.generate_private_key(ec.SECP256R1()))
    expected = {
        "absent": "cannot be read: No such file or directory; make it readable, or name another",
        "folder": "cannot be read: Is a directory; make it readable, or name another",
        "text": "holds no private key in PEM; make one with `openssl genrsa 2048`",
        "short": "is an RSA key of 1024 bits, which receivers distrust; make one with `openssl genrsa 2048`",
        "curve": "is neither an RSA nor an Ed25519 key, and DKIM knows no other; make one of these",
        "locked": "is locked with a password; store it without one, readable to this program alone",
    }
    for name, why in expected.items():
        path = tmp_path / f"{name}.pem"
        said = refused(sections.Dkim(domain="digest.example", keys={"s": path}))
        assert said == f"the DKIM key {path} of [dkim.keys] {why}."
