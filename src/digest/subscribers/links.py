"""Signed links: a token proves that we gave this reader this link for this purpose. Pure.

A token is 32 characters of base64url (RFC 4648 section 5): the subscriber's id in 8 bytes, then HMAC-SHA256 (RFC 2104)
over purpose and id, cut to 16 bytes. 24 bytes leave no spare bits, so a token can be written in one way only.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

UNSUBSCRIBE = "unsubscribe"
"""The purpose of the link in every mail. It never expires: a mail may be opened years later."""

_ID_BYTES = 8
_MAC_BYTES = 16
_CHARACTERS = (_ID_BYTES + _MAC_BYTES) * 4 // 3


def sign(purpose: str, subscriber_id: int, keys: Sequence[bytes]) -> str:
    """A token for one reader and one purpose, signed with the first key."""
    payload = subscriber_id.to_bytes(_ID_BYTES, "big")
    return urlsafe_b64encode(payload + _mac(purpose, payload, keys[0])).decode("ascii")


def read(token: str, purpose: str, keys: Sequence[bytes]) -> int | None:
    """The subscriber's id, if any of the keys signed the token for this purpose; else None."""
    if len(token) != _CHARACTERS or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token)
    except binascii.Error:
        return None
    if urlsafe_b64encode(raw).decode("ascii") != token:  # the decoder skips characters it does not know
        return None
    payload, given = raw[:_ID_BYTES], raw[_ID_BYTES:]
    if any(hmac.compare_digest(given, _mac(purpose, payload, key)) for key in keys):
        return int.from_bytes(payload, "big")
    return None


def _mac(purpose: str, payload: bytes, key: bytes) -> bytes:
    # The id has a fixed length, so no other purpose and id give the same message.
    return hmac.digest(key, purpose.encode() + payload, "sha256")[:_MAC_BYTES]
