"""Returned mail that is written for people: by systems that make no reports, or in a report that was cut off; and
automatic answers (RFC 3834)."""

import email
import logging
import re
from email.policy import compat32
from email.utils import parseaddr
from html import unescape

import flufl.bounce

from digest.delivery.bounces.mime import Mime
from digest.delivery.bounces.reports import Finding, address_in, failure, says_late, telling_line
from digest.delivery.reasons.codes import best_status, classify

logging.getLogger("flufl.bounce").disabled = True  # it logs what it stumbles over, which is a reader's mail

_SYSTEMS = ("mailer-daemon", "mailerdaemon", "mail-daemon", "postmaster", "maildaemon")
_RETURNS = re.compile(
    r"undeliver|returned|deliver\S* (?:\S+ )?(?:fail|notif|problem|error|incomplete)|fail\S* (?:\S+ )?deliver"
    r"|failure notice|non remis|unzustellbar|no se (?:ha )?(?:podido )?entreg|mislukt|nicht zugestellt",
    re.IGNORECASE,
)
# At the beginning alone: the subject of the message that is late, or returned, may follow.
_WARNS = re.compile(r"^\W*(?:warning\b|delayed\b|delivery (?:\S+ ){0,2}\(?delay)", re.IGNORECASE)
# Where a system's own words end and the message that it returns begins: a line that says so, or its first header.
_COPY = re.compile(
    r"^[ \t]*-{2,20}[^\n]{0,60}(?:copy of|below this line|original message|message follows|returned message|headers)"
    r"|^(?:Return-Path|Received|List-Unsubscribe|MIME-Version):|^> ?Received:",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(r"<[^<>]{0,500}>")
_AUTOMATIC = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-vacation")
_AWAY = re.compile(
    r"^\W*(?:auto(?:mati\S+)?[ -]?(?:reply|response|antwort)|out of (?:the )?office|vacation|away from|abwesen"
    r"|réponse automatique|respuesta automática|risposta automatica|automatisch antwoord|resposta automática"
    r"|自动回复|自動回覆|自動応答|자동 응답)",
    re.IGNORECASE,
)
_MOST_READ = 40_000  # characters
_MOST_GUESSED = 64 * 1024  # bytes
_LONGEST_LINE = 998  # octets (RFC 5322 section 2.1.1); over longer ones the detectors of flufl.bounce take minutes


def notice(mime: Mime) -> Finding | None:
    """What a mail system says in its own words; None if none wrote this, or its words are not about a return."""
    failed = mime.header.get("x-failed-recipients", "")  # Exim, Gmail
    if not (failed or mime.report_type == "delivery-status" or _is_of_a_system(mime.header.get("from", ""))):
        return None
    subject, said = mime.header.get("subject", ""), _own_words(mime)
    addresses = tuple(filter(None, map(address_in, failed.split(",")[:5])))
    if _WARNS.search(subject) or says_late(said):
        return Finding("soft", "temporary", best_status("", said), telling_line(said), addresses)
    reason = classify("", 0, said)
    if reason == "unknown" and not (failed or mime.report_type or _RETURNS.search(subject)):
        return None
    return failure(reason, best_status("", said), telling_line(said), addresses)


def automatic(mime: Mime) -> Finding | None:
    """An answer that a program gave, by its header (RFC 3834 section 5) or by what such answers are called."""
    header = mime.header
    submitted = header.get("auto-submitted", "no").partition(";")[0].strip().lower()
    answers = submitted not in ("no", "") or any(name in header for name in _AUTOMATIC)
    if answers or "auto" in header.get("precedence", "").lower() or _AWAY.search(header.get("subject", "")):
        return Finding("auto_reply", said="automatic answer")
    return None


def guessed(raw: bytes) -> Finding | None:
    """What flufl.bounce makes of a message that nothing else here can read.

    It knows many old systems, but calls much permanent that is not, and raises on mail that is cut off. So it is only
    believed that something came back; the reason stays unreadable, which suppresses nobody.
    """
    lines = (line[:_LONGEST_LINE] for line in raw[:_MOST_GUESSED].splitlines())
    try:
        late, failed = flufl.bounce.all_failures(email.message_from_bytes(b"\n".join(lines), policy=compat32))
    except Exception:  # noqa: BLE001 (whatever it stumbles over, this message tells nothing)
        return None
    named = (address_in(one.decode("utf-8", "replace")) for one in sorted(late | failed))
    addresses = tuple(filter(None, named))[:5]
    return Finding("soft", "unreadable", said="returned in an unknown form", addresses=addresses) if addresses else None


def _is_of_a_system(sender: str) -> bool:
    name, address = parseaddr(sender)
    local = (address or sender).partition("@")[0].strip(" <>\"'").lower()
    return local in _SYSTEMS or "mail delivery" in name.lower()


def _own_words(mime: Mime) -> str:
    """What the system itself wrote, without the message that it returns."""
    part = next((one for one in mime.parts if one.type in ("text/plain", "text/html")), None)
    if part is None:
        return ""
    text = part.text[:_MOST_READ]
    if part.type == "text/html":
        text = unescape(_TAG.sub(" ", text))
    copy = _COPY.search(text)
    return text[: copy.start()] if copy else text
