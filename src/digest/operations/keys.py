"""Operators' keys: made and shown once, listed, revoked, asked for by the API."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from digest.database import reading, writing
from digest.errors import UsageError
from digest.operations import store
from digest.operations.store import ApiKey, Scope

SCOPES: Mapping[Scope, str] = {
    "subscribe": "sign people up",
    "read": "see who reads",
    "write": "take readers off and erase them",
}

PREFIX = "dk_"
"""What every key begins with, so that a scanner for leaked secrets knows one."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


def add_key(engine: Engine, name: str, scopes: Sequence[str], now: datetime) -> str:
    """Make a key: `dk_` and 32 random bytes in base64url. It is given here and nowhere again.

    Raises UsageError for a name that is taken or none, and where no scope of SCOPES is named.
    """
    if not _NAME.fullmatch(name):
        raise UsageError("a key's name has letters, digits, dots, dashes and underscores, 60 at most.")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise UsageError(f"name at least one scope, of {', '.join(SCOPES)}.")
    key = PREFIX + secrets.token_urlsafe(32)
    with writing(engine) as connection:
        try:
            store.add_key(connection, name, _hash(key), [scope for scope in SCOPES if scope in scopes], now)
        except IntegrityError:
            raise UsageError(f"there is, or was, a key {name}; take another name.") from None  # it would show the hash
    return key


def opened_by(engine: Engine, key: str) -> ApiKey | None:
    """What a key opens; None for one that is not ours or was revoked.

    It is looked up by its hash: how long that takes says nothing about any key.
    """
    if not key.startswith(PREFIX) or not key.isascii():
        return None
    with reading(engine) as connection:
        found = store.find_key(connection, _hash(key))
    return found if found is not None and found.revoked_at is None else None


def list_keys(engine: Engine) -> list[ApiKey]:
    """Every key, those that were revoked too; never the key itself."""
    with reading(engine) as connection:
        return list(store.all_keys(connection))


def revoke_key(engine: Engine, name: str, now: datetime) -> None:
    """Close a key at once. Raises UsageError where none of this name is open."""
    with writing(engine) as connection:
        if not store.revoke_key(connection, name, now):
            raise UsageError(f'no key "{name:.60}" is open; `digest keys list` shows them.')


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
