"""Signed links: a token proves that we gave this reader this link for this purpose. Pure.

A token is base64url (RFC 4648 section 5) of the subscriber's id in 8 bytes, for a link that expires the moment it was
made in 4 more, then HMAC-SHA256 (RFC 2104) over purpose and payload, cut to 16 or 18 bytes: 32 or 40 characters. 24 and
30 bytes leave no spare bits, so a token can be written in one way only.
"""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

UNSUBSCRIBE = "unsubscribe"
"""The purpose of the link in every mail. It never expires: a mail may be opened years later."""

KEEP = "keep"
"""Renews a consent that is about to lapse; in the mails of the weeks before. It tells and shows nothing."""

LIFETIMES = {
    "confirm": timedelta(hours=48),
    "preferences": timedelta(hours=24),
    "my-data": timedelta(hours=24),
    "forget": timedelta(hours=24),
}
"""How long a link works, by its purpose. Those of no lifetime work for ever."""

_ID_BYTES = 8
_MOMENT_BYTES = 4
_LATEST = 0xFFFFFFFF  # seconds; what 4 bytes hold
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # in seconds from here, 4 bytes reach into the year 2156


class Read(NamedTuple):
    """What a token says: whose it is, and when it was made, if it expires."""

    subscriber_id: int
    made_at: datetime | None
    expired: bool


def sign(purpose: str, subscriber_id: int, keys: Sequence[bytes], made_at: datetime | None = None) -> str:
    """A token for one reader and one purpose, signed with the first key. One that expires wants the moment."""
    payload = subscriber_id.to_bytes(_ID_BYTES, "big")
    if purpose in LIFETIMES:
        if made_at is None:
            raise ValueError(f"a link for {purpose} wants the moment it was made")
        payload += seconds(made_at).to_bytes(_MOMENT_BYTES, "big")
    return urlsafe_b64encode(payload + _mac(purpose, payload, keys[0])).decode("ascii")


def read(token: str, purpose: str, keys: Sequence[bytes], now: datetime) -> Read | None:
    """What a token says, if any of the keys signed it for this purpose; else None. It may be over: see `expired`."""
    lifetime = LIFETIMES.get(purpose)
    size = _ID_BYTES + (_MOMENT_BYTES if lifetime else 0)
    if len(token) != (size + _mac_bytes(size)) * 4 // 3 or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token)
    except binascii.Error:
        return None
    if urlsafe_b64encode(raw).decode("ascii") != token:  # the decoder skips characters it does not know
        return None
    payload, given = raw[:size], raw[size:]
    if not any(hmac.compare_digest(given, _mac(purpose, payload, key)) for key in keys):
        return None
    subscriber_id = int.from_bytes(payload[:_ID_BYTES], "big")
    if lifetime is None:
        return Read(subscriber_id, None, expired=False)
    made_at = _EPOCH + timedelta(seconds=int.from_bytes(payload[_ID_BYTES:], "big"))
    return Read(subscriber_id, made_at, expired=not -_CLOCKS_DIFFER <= now - made_at <= lifetime)


_CLOCKS_DIFFER = timedelta(minutes=5)  # between two machines of one operator


def seconds(moment: datetime) -> int:
    """A moment as a token holds it: whole seconds since 2020, never before and never beyond 4 bytes."""
    return min(max(int((moment - _EPOCH).total_seconds()), 0), _LATEST)


def _mac_bytes(size: int) -> int:
    return 16 if size == _ID_BYTES else 18


def _mac(purpose: str, payload: bytes, key: bytes) -> bytes:
    # Purposes are fixed words, none the beginning of another: no other purpose and payload give the same message.
    return hmac.digest(key, purpose.encode() + payload, "sha256")[: _mac_bytes(len(payload))]
