"""What others are told by HTTP: a signed POST (Standard Webhooks, https://www.standardwebhooks.com/)."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from digest.config.sections import Hooks
from digest.errors import ConfigError, DeliveryError

_TIMEOUT = (5, 20)  # seconds to connect, and to wait for the answer


def post(url: str, hooks: Hooks, about: str, kind: str, data: Mapping[str, Any], now: datetime) -> None:
    """POST `{"type", "timestamp", "data"}` to an address of the operator's.

    `about` makes the message's id, the same each time: who gets one twice can tell. Raises ConfigError for a secret
    that cannot be used, DeliveryError where the other side does not answer with a success; it names the host alone, for
    the rest of an address may hold a token.
    """
    key, where = signing_key(hooks), urlsplit(url).hostname
    body = json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False).encode()
    name, moment = f"msg_{hashlib.sha256(about.encode()).hexdigest()[:32]}", str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "digest-newsletter",
        "webhook-id": name,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{signature(key, name, moment, body)}",
    }
    try:
        with requests.post(
            url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True
        ) as answer:
            status = answer.status_code
    except requests.RequestException as error:
        raise DeliveryError(f"the hook at {where} cannot be reached; check [hooks]. It is tried again.") from error
    if not 200 <= status < 300:
        raise DeliveryError(f"the hook at {where} answers {status}; see its log. It is tried again.")


def signature(key: bytes, name: str, moment: str, body: bytes) -> str:
    """What a receiver makes of the headers and the body, with the same key."""
    return base64.b64encode(hmac.digest(key, f"{name}.{moment}.".encode() + body, "sha256")).decode()


def signing_key(hooks: Hooks) -> bytes:
    """What the messages are signed with. Raises ConfigError where [hooks] secret is none."""
    secret = hooks.secret.get_secret_value()
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < 24:
        raise ConfigError(
            "[hooks] secret is not of the form whsec_ and at least 24 bytes in base64; make one with "
            "`echo whsec_$(openssl rand -base64 32)`."
        )
    return key
