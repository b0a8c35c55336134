"""The return path of a delivery names it, so that what comes back is known to be about it (VERP). Pure.

    bounce+<token>@example.org

A token is the mailing's id in 4 bytes, the subscriber's in 8, then HMAC-SHA256 (RFC 2104) over purpose and both, cut to
12 bytes: 48 hexadecimal digits. Not base64 as in links: on its way back through other people's mail systems a local
part may lose its capitals. With a name of up to 15 octets before it, it is within the 64 of RFC 5321 section 4.5.3.1.1.
Providers that set a return path of their own get the token as the metadata `METADATA` of the message instead.
"""

import hmac
import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

METADATA = "delivery"
"""The name under which a provider keeps the token of a message and gives it back with its events."""

_PURPOSE = b"bounce"  # no purpose of subscribers.links begins so, and its payload has another length
_MAILING_BYTES = 4
_PAYLOAD_BYTES = 12
_MAC_BYTES = 12
# The sign before it may come back encoded (xtext of RFC 3461, quoted-printable, a link's), in digits as ours.
_TOKEN = re.compile(
    rb"(?:(?<![0-9a-f])|(?<=[+%=]2b)|(?<==3d))([0-9a-f]{48})(?![0-9a-f])",
    re.IGNORECASE,
)
_MOST_TRIED = 200  # candidates in one message; hostile mail may hold thousands


class Whose(NamedTuple):
    """The delivery that something is about."""

    mailing_id: int
    subscriber_id: int


def sign(mailing_id: int, subscriber_id: int, keys: Sequence[bytes]) -> str:
    """The token of a delivery, signed with the first key. Ids that need more than 4 and 8 bytes raise OverflowError."""
    payload = mailing_id.to_bytes(_MAILING_BYTES, "big") + subscriber_id.to_bytes(8, "big")
    return (payload + _mac(payload, keys[0])).hex()


def return_path(mailbox: str, mailing_id: int, subscriber_id: int, keys: Sequence[bytes]) -> str:
    """The envelope sender of a delivery: the token as a subaddress (RFC 5233) of the bounce mailbox."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{sign(mailing_id, subscriber_id, keys)}@{domain}"


def read(token: str, keys: Sequence[bytes]) -> Whose | None:
    """The delivery that a token names, if any of the keys signed it; capitals do not matter. Else None."""
    if len(token) != 2 * (_PAYLOAD_BYTES + _MAC_BYTES) or not token.isascii() or not token.isalnum():
        return None
    try:
        raw = bytes.fromhex(token)
    except ValueError:
        return None
    payload, given = raw[:_PAYLOAD_BYTES], raw[_PAYLOAD_BYTES:]
    if not any(hmac.compare_digest(given, _mac(payload, key)) for key in keys):
        return None
    return Whose(int.from_bytes(payload[:_MAILING_BYTES], "big"), int.from_bytes(payload[_MAILING_BYTES:], "big"))


def find(content: bytes, keys: Sequence[bytes]) -> Whose | None:
    """The first delivery that a genuine token anywhere in these bytes names, however it is wrapped; else None."""
    for found in islice(_TOKEN.finditer(content), _MOST_TRIED):
        if whose := read(found[1].decode("ascii"), keys):
            return whose
    return None


def _mac(payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + payload, "sha256")[:_MAC_BYTES]
