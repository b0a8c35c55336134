"""DKIM signatures (RFC 6376, RFC 8463) over the final bytes of a message: relaxed/relaxed, RSA and Ed25519.

Signing is the relay's work by default; here it is done where [dkim] names keys. The same message, keys and moment are
always the same signature.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from digest.config.sections import Dkim
from digest.errors import ConfigError

SHORTEST_RSA = 2048
"""Bits. RFC 8301 section 3.2 wants 1024 at least and 2048 rather; large receivers believe no less."""

# What a receiver shows or acts on. From stands twice, so that nobody can add another (RFC 6376 section 8.15).
_COVERED = (
    *(b"from", b"from", b"subject", b"date", b"message-id", b"to", b"reply-to", b"list-id", b"list-unsubscribe"),
    *(b"list-unsubscribe-post", b"mime-version", b"content-type"),
)
_FIELD = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t]{2,}|\t")
_LINE = 72


class Signer(NamedTuple):
    """One key of a domain, under the selector that its public half is published at."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    @property
    def record(self) -> str:
        """The TXT record of `<selector>._domainkey.<domain>` that receivers check with (RFC 6376 section 3.6.1)."""
        public = self.key.public_key()
        if isinstance(self.key, RSAPrivateKey):
            kind, shown = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, shown = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={kind}; p={b64encode(shown).decode()}"


def signers(settings: Dkim) -> tuple[Signer, ...]:
    """The keys that sign, none where the relay does. Raises ConfigError for a key file that cannot be used."""
    found = []
    for selector, path in settings.keys.items():
        try:
            found.append(Signer(settings.domain, selector, _private_key(path, path.stat().st_mtime_ns)))
        except OSError as error:
            raise _unusable(path, f"cannot be read: {error.strerror}; make it readable, or name another") from error
    return tuple(found)


def sign(content: bytes, keys: Sequence[Signer], at: int) -> bytes:
    """The message with a signature of each key before it. `content` has CRLF line ends and is not dot-stuffed; `at` is
    the moment of the signature in seconds since 1970."""
    head, _, body = content.partition(b"\r\n\r\n")
    fields = dict(_relaxed(field) for field in _FIELD.split(head))
    names = [name for name in _COVERED if name in fields]
    covered = [
        name + b":" + fields[name] + b"\r\n" for name in dict.fromkeys(names)
    ]  # of the second From there is none
    body_hash = b64encode(sha256(_relaxed_body(body)).digest()).decode()
    signed = b""
    for key in keys:
        header = (
            f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n d={key.domain}; s={key.selector}; t={at};"
            f"\r\n h={_folded(b':'.join(names).decode(), ':')};\r\n bh={body_hash};\r\n b="
        )
        name, value = _relaxed(header.encode())
        signature = b64encode(_signature(key.key, b"".join([*covered, name, b":", value]))).decode()
        pieces = (signature[start : start + _LINE] for start in range(0, len(signature), _LINE))
        signed += header.encode() + "\r\n ".join(pieces).encode() + b"\r\n"
    return signed + content


def _signature(key: RSAPrivateKey | Ed25519PrivateKey, hashed: bytes) -> bytes:
    digest = sha256(hashed).digest()
    if isinstance(key, RSAPrivateKey):
        return key.sign(digest, PKCS1v15(), Prehashed(SHA256()))
    return key.sign(digest)  # of the hash, not of what was hashed (RFC 8463 section 3)


def _relaxed(field: bytes) -> tuple[bytes, bytes]:
    """A header field's name and value (RFC 6376 section 3.4.2), without the line end."""
    name, _, value = field.partition(b":")
    return name.rstrip(b" \t").lower(), _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4: runs of blanks are one, none ends a line, no empty line ends the body."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:  # each time half of what is left: many times faster than a pattern
        body = body.replace(b"  ", b" ")
    body = body.replace(b" \r\n", b"\r\n").rstrip(b" ")
    while body.endswith(b"\r\n"):
        body = body[:-2]
    return body + b"\r\n" if body else b""


def _folded(text: str, between: str) -> str:
    """A list on lines of at most _LINE characters."""
    lines = [""]
    for piece in re.findall(f"[^{between}]+{between}?", text):
        if len(lines[-1]) + len(piece) > _LINE:
            lines.append("")
        lines[-1] += piece
    return "\r\n  ".join(lines)


@lru_cache(maxsize=8)
def _private_key(path: Path, changed: int) -> RSAPrivateKey | Ed25519PrivateKey:  # noqa: ARG001 (a new file, a new key)
    content = path.read_bytes()
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        raise _unusable(
            path, "is locked with a password; store it without one, readable to this program alone"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(path, "holds no private key in PEM; make one with `openssl genrsa 2048`") from None
    if isinstance(key, RSAPrivateKey) and key.key_size < SHORTEST_RSA:
        what = f"is an RSA key of {key.key_size} bits, which receivers distrust; make one with `openssl genrsa 2048`"
        raise _unusable(path, what)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise _unusable(path, "is neither an RSA nor an Ed25519 key, and DKIM knows no other; make one of these")
    return key


def _unusable(path: Path, why: str) -> ConfigError:
    return ConfigError(f"the DKIM key {path} of [dkim.keys] {why}.")
