"""What is held about a reader as their page shows it: names of fields and words of ours, in the language spoken."""

from collections.abc import Mapping
from typing import Any

from digest.edition.renditions import TOPICS
from digest.language import message_of, pgettext

_SAID_BY_US = ("derived", "ended", "format", "kind", "method", "outcome", "quiet_weeks", "state", "topics")
"""The fields whose values are words of ours; all others stand as they are stored."""


def in_words(held: Mapping[str, Any]) -> dict[str, Any]:
    """The same facts, in the same order, with each field's name and our own words as a reader reads them."""
    fields, words = _fields(), _words()

    def worded(field: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {fields.get(name, name.replace("_", " ")): worded(name, one) for name, one in value.items()}
        if isinstance(value, list):
            return [worded(field, one) for one in value]
        return words.get(value, value) if field in _SAID_BY_US and isinstance(value, str) else value

    return {fields.get(name, name.replace("_", " ")): worded(name, one) for name, one in held.items()}


def _fields() -> dict[str, str]:
    return {
        "at": pgettext("a field of what is held", "at"),
        "categories": pgettext("a field of what is held", "categories"),
        "category": pgettext("a field of what is held", "category"),
        "changed_at": pgettext("a field of what is held", "changed at"),
        "choices": pgettext("a field of what is held", "choices"),
        "confirmed_at": pgettext("a field of what is held", "confirmed at"),
        "consent": pgettext("a field of what is held", "consent"),
        "country": pgettext("a field of what is held", "country"),
        "deliveries": pgettext("a field of what is held", "deliveries"),
        "derived": pgettext("a field of what is held", "derived"),
        "detail": pgettext("a field of what is held", "detail"),
        "email": pgettext("a field of what is held", "email"),
        "ended": pgettext("a field of what is held", "ended"),
        "format": pgettext("a field of what is held", "format"),
        "kind": pgettext("a field of what is held", "kind"),
        "locale": pgettext("a field of what is held", "locale"),
        "method": pgettext("a field of what is held", "method"),
        "models": pgettext("a field of what is held", "models"),
        "needs": pgettext("a field of what is held", "needs"),
        "next_attempt_at": pgettext("a field of what is held", "next attempt at"),
        "number": pgettext("a field of what is held", "number"),
        "outcome": pgettext("a field of what is held", "outcome"),
        "paused_until": pgettext("a field of what is held", "paused until"),
        "proof": pgettext("a field of what is held", "proof"),
        "providers": pgettext("a field of what is held", "providers"),
        "quiet_weeks": pgettext("a field of what is held", "quiet weeks"),
        "reconfirm_by": pgettext("a field of what is held", "reconfirm by"),
        "regime": pgettext("a field of what is held", "regime"),
        "regime_version": pgettext("a field of what is held", "regime version"),
        "requested_at": pgettext("a field of what is held", "requested at"),
        "state": pgettext("a field of what is held", "state"),
        "thresholds": pgettext("a field of what is held", "thresholds"),
        "topics": pgettext("a field of what is held", "topics"),
        "until": pgettext("a field of what is held", "until"),
        "watch_list": pgettext("a field of what is held", "watch list"),
        "week": pgettext("a field of what is held", "week"),
        "withdrawn_at": pgettext("a field of what is held", "withdrawn at"),
        "wording": pgettext("a field of what is held", "wording"),
        "wording_hash": pgettext("a field of what is held", "wording hash"),
        "wording_text": pgettext("a field of what is held", "wording text"),
    }


def _words() -> dict[str, str]:
    own = {
        "bounced": pgettext("what is held", "bounced"),
        "changed": pgettext("what is held", "changed"),
        "complained": pgettext("what is held", "complained"),
        "confirmation": pgettext("what is held", "confirmation"),
        "confirmation link": pgettext("what is held", "confirmation link"),
        "confirmed": pgettext("what is held", "confirmed"),
        "database": pgettext("what is held", "database"),
        "declared": pgettext("what is held", "declared"),
        "deferred": pgettext("what is held", "deferred"),
        "edition": pgettext("what is held", "edition"),
        "expired": pgettext("what is held", "expired"),
        "failed": pgettext("what is held", "failed"),
        "full": pgettext("what is held", "full"),
        "header": pgettext("what is held", "header"),
        "held": pgettext("what is held", "held"),
        "import": pgettext("what is held", "import"),
        "link to keep it": pgettext("what is held", "link to keep it"),
        "note": pgettext("what is held", "note"),
        "one-click unsubscribe": pgettext("what is held", "one-click unsubscribe"),
        "pause button": pgettext("what is held", "pause button"),
        "paused": pgettext("what is held", "paused"),
        "pending": pgettext("what is held", "pending"),
        "preferences": pgettext("what is held", "preferences"),
        "preferences page": pgettext("what is held", "preferences page"),
        "requested": pgettext("what is held", "requested"),
        "sent": pgettext("what is held", "sent"),
        "short": pgettext("what is held", "short"),
        "sign-up form": pgettext("what is held", "sign-up form"),
        "skip": pgettext("what is held", "skip"),
        "skipped": pgettext("what is held", "skipped"),
        "text": pgettext("what is held", "text"),
        "uncertain": pgettext("what is held", "uncertain"),
        "undo of unsubscribing": pgettext("what is held", "undo of unsubscribing"),
        "unknown": pgettext("what is held", "unknown"),
        "unsubscribe link": pgettext("what is held", "unsubscribe link"),
        "withdrawn": pgettext("what is held", "withdrawn"),
    }
    return own | {title: message_of(title) for title in TOPICS.values()}
