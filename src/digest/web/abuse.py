"""Against sign-ups nobody wants: limits, a field that only programs fill in, a minimum time, a CAPTCHA's answer."""

import binascii
import hmac
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Literal

import requests
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from digest.config.sections import Captcha, Signup
from digest.subscribers.location import Visit, daily_key

HONEYPOT = "leave_this_empty"
"""A field that people do not see and programs fill in."""

TOKEN_FIELD = "opened"  # noqa: S105
"""The field that holds the form's token."""

_NETWORKS_IN_AN_AREA = 5
"""So many networks' worth of requests an hour may come from one area (/16 or /48): one allocation is no crowd."""

PER_ADDRESS = 5
"""So many requests an hour for one mail address."""

PAUSE = timedelta(hours=1)
SHORTEST = timedelta(seconds=2)
LONGEST = timedelta(hours=24)

Verdict = Literal["free", "limited", "braked"]
"""limited: too many for this address, network or domain.   braked: too many in all, nothing is taken for an hour."""

_log = logging.getLogger(__name__)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_MOMENT_BYTES, _MAC_BYTES = 6, 12
_CAPTCHA_SECONDS = 5


class Limits:
    """How many requests one process takes in any hour. What it holds are counts by keyed hash, in memory alone.

    The key changes at midnight UTC, and the counts begin anew. A request that is refused counts for nothing, so
    memory is bounded by `in_all`. The moving window runs by the system's clock, which `limits.storage.memory` reads;
    `now` is for the day's key and the pause.
    """

    def __init__(self, settings: Signup) -> None:
        self._settings = settings
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._key_of, self._key = daily_key(), b""
        self._paused_until: datetime | None = None
        self._lock = Lock()

    def take(self, seen: Visit, email_key: str, now: datetime, *, signing_up: bool = True) -> Verdict:
        """Count a visitor's request for an address, if it may be taken. Only sign-ups count towards the brake, and only
        they stop with it: who is subscribed can always ask for their link."""
        with self._lock:
            if self._key != (key := self._key_of(now)):
                self._key, self._limiter = key, MovingWindowRateLimiter(MemoryStorage())
            if signing_up and self._paused_until and now < self._paused_until:
                return "braked"
            everyone, single = (RateLimitItemPerHour(self._settings.in_all), "all"), self._of_one(seen, email_key)
            if not all(self._limiter.test(*each) for each in single):
                return "limited"
            if signing_up and not self._limiter.test(*everyone):
                self._paused_until = now + PAUSE
                _log.warning("confirmations are paused for an hour: more than [signup] in_all were asked for")
                return "braked"
            for each in (*single, everyone) if signing_up else single:
                self._limiter.hit(*each)
            return "free"

    def _of_one(self, seen: Visit, email_key: str) -> list[tuple[RateLimitItemPerHour, str]]:
        kinds = {
            "network": (self._settings.per_network, seen.network),
            "area": (self._settings.per_network * _NETWORKS_IN_AN_AREA, seen.area),
            "domain": (self._settings.per_domain, email_key.rpartition("@")[2]),
            "address": (PER_ADDRESS, email_key),
        }
        return [
            (RateLimitItemPerHour(most), hmac.digest(self._key, f"{kind}:{value}".encode(), "sha256").hex())
            for kind, (most, value) in kinds.items()
        ]


def form_token(keys: Sequence[bytes], now: datetime) -> str:
    """When a form was opened, in milliseconds, signed with the first key: 24 characters of base64url."""
    payload = int((now - _EPOCH) / timedelta(milliseconds=1)).to_bytes(_MOMENT_BYTES, "big")
    return urlsafe_b64encode(payload + _mac(payload, keys[0])).decode("ascii")


def too_fast(token: str, keys: Sequence[bytes], now: datetime) -> bool:
    """Whether a form comes back faster than a person types, after more than a day, or with a token that is not ours."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except (binascii.Error, UnicodeEncodeError):
        return True
    payload, given = raw[:_MOMENT_BYTES], raw[_MOMENT_BYTES:]
    if not any(hmac.compare_digest(given, _mac(payload, key)) for key in keys):
        return True
    opened = _EPOCH + timedelta(milliseconds=int.from_bytes(payload, "big"))
    return not SHORTEST <= now - opened <= LONGEST


def _mac(payload: bytes, key: bytes) -> bytes:
    # "form" is not the beginning of any link's purpose, so no token of a form is one of a link, nor the reverse.
    return hmac.digest(key, b"form" + payload, "sha256")[:_MAC_BYTES]


def passes_captcha(
    captcha: Captcha, form: Mapping[str, str], post: Callable[..., requests.Response] = requests.post
) -> bool:
    """Whether the service that is configured, if any, takes a form's answer; no reply from it counts as a refusal.

    The check is the one that reCAPTCHA, hCaptcha, Turnstile and others share: secret and response go as a form, JSON
    with `success` comes back. The visitor's address, which they would take too, is not sent.
    """
    if captcha.verify_url is None:
        return True
    answer = form.get(captcha.field, "")
    if not answer:
        return False
    fields = {"secret": captcha.secret.get_secret_value(), "response": answer}
    try:
        reply = post(captcha.verify_url, data=fields, timeout=_CAPTCHA_SECONDS, allow_redirects=False)
        said = reply.json()
    except (requests.RequestException, ValueError) as error:
        _log.warning("the CAPTCHA's service did not answer (%s): nobody can sign up", type(error).__name__)
        return False
    return isinstance(said, dict) and said.get("success") is True
