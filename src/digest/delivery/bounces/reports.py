"""Reports made for programs: of delivery (RFC 3464, RFC 6533), of abuse (RFC 5965), of what was read (RFC 8098)."""

import re
from typing import Literal, NamedTuple

from digest.delivery.bounces.mime import Fields, Mime, Part, fields
from digest.delivery.reasons import CONSEQUENCES, Reason, severity
from digest.delivery.reasons.codes import best_status, classify
from digest.delivery.reasons.phrases import reason_in

Kind = Literal["hard", "soft", "delivered", "complaint", "auto_reply", "unknown"]
"""
hard: the reader cannot be reached under this address.        soft: it failed, or is late, for another reason.
delivered: a report of success, which only who asks for gets. complaint: the reader reported the mail as spam.
auto_reply: a program answered; it changes nothing.           unknown: none of these; a person may have written it.
"""


class Finding(NamedTuple):
    """What a returned message says: in `said` as it says it, with the addresses that it names."""

    kind: Kind
    reason: Reason | None = None
    status: str = ""
    said: str = ""
    addresses: tuple[str, ...] = ()


_DELIVERY = ("text/delivery-status", "text/global-delivery-status")
_ARRIVED = ("delivered", "relayed", "expanded")
_MOST_RECIPIENTS = 20
_OF_RECIPIENT = ("final-recipient", "original-recipient", "action", "status", "diagnostic-code")
_UNICODE = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")  # RFC 6533 section 3
# RFC 5965 section 7.3. Others are none: not-spam (RFC 6430), auth-failure (RFC 6591), virus.
_COMPLAINTS = ("abuse", "fraud", "other", "opt-out", "opt-out-list")
_MOST_READ = 4000  # characters of a notice
_LATE = re.compile(
    r"\b(?:delivery|message|mail)(?: \S+){0,4} delayed\b|not yet been delivered|could not send message for past"
    r"|will (?:be retried|keep trying)|still being (?:retried|tried)|(?:do not|don't) need to resend"
    r"|warning message only",
    re.IGNORECASE,
)


def says_late(text: str) -> bool:
    """Whether a notice only says that the message is still under way."""
    return _LATE.search(text[:_MOST_READ]) is not None


def telling_line(text: str) -> str:
    """The line of a notice that says why, as far as one does; else its beginning."""
    lines = [line for line in text[:_MOST_READ].splitlines() if line.strip()]
    return next((line for line in lines if best_status("", line) or reason_in(line)), " ".join(lines[:3]))


def failure(reason: Reason, status: str, said: str, addresses: tuple[str, ...] = ()) -> Finding:
    """The finding that a delivery failed for good."""
    kind: Kind = "hard" if CONSEQUENCES[reason].suppress == "at_once" else "soft"
    return Finding(kind, reason, status, said, addresses)


def delivery_status(mime: Mime) -> Finding | None:
    """What a delivery status notification says of the reader; None if this is none, or is cut off before it says it.

    Of several recipients, which an alias may stand for, the one that fared best counts. A report that is cut off may
    lack the words that spare the reader, so it never says that a mailbox is dead.
    """
    part = next((part for part in mime.parts if part.type in _DELIVERY), None)
    if part is None:
        return None
    recipients = [group for group in fields(part.text) if any(name in group for name in _OF_RECIPIENT)]
    notice = next((part.text for part in mime.parts if part.type == "text/plain"), "")
    found = [_of_recipient(group, notice) for group in recipients[:_MOST_RECIPIENTS]]
    best = min(found, key=_weight, default=None)
    return failure("unknown", *best[2:]) if best and best.kind == "hard" and part.cut else best


def _of_recipient(group: Fields, notice: str) -> Finding:
    said = group.get("diagnostic-code", "").partition(";")[2].strip() or group.get("diagnostic-code", "")
    status = best_status(group.get("status", ""), said)
    original, final = (address_in(group.get(name, "")) for name in ("original-recipient", "final-recipient"))
    addresses = tuple(dict.fromkeys(one for one in (original, final) if one))
    match _action(group, notice):
        case "delivered":
            return Finding("delivered", None, status, said, addresses)
        case "delayed":
            return Finding("soft", "temporary", status, said, addresses)
        case _:
            reason = classify(status, 0, said or notice)
            if reason == "unknown":
                reason = classify(status, 0, notice)
            if CONSEQUENCES[reason].suppress == "at_once" and original and final and original != final:
                reason = "forward_failed"
            return failure(reason, best_status(status, notice), said or telling_line(notice), addresses)


def _action(group: Fields, notice: str) -> Literal["delivered", "delayed", "failed"]:
    """What was done, or from what else stands there if the report is cut off before it says it."""
    action = group.get("action", "").partition(" ")[0].lower()
    if action in _ARRIVED or (not action and group.get("status", "").startswith("2.")):
        return "delivered"
    if action == "delayed" or (not action and (group.get("status", "").startswith("4.") or says_late(notice))):
        return "delayed"
    return "failed"


def _weight(finding: Finding) -> int:
    return -1 if finding.reason is None else severity(finding.reason)


def feedback(mime: Mime) -> Finding | None:
    """What an abuse report says; None if this is none."""
    for part in mime.parts:
        if part.type == "text/feedback-report":
            report = header_of(part)
            type_of = report.get("feedback-type", "").strip().lower()
            named = (address_in(report.get(name, "")) for name in ("original-rcpt-to", "removal-recipient"))
            kind: Kind = "complaint" if type_of in _COMPLAINTS else "unknown"
            return Finding(kind, said=f"feedback: {type_of}", addresses=tuple(filter(None, named)))
        # The older form of Outlook.com's junk mail reports: the message itself, with the reader added to its header.
        if part.type == "text/rfc822" and (reader := address_in(header_of(part).get("x-hmxmroriginalrecipient", ""))):
            return Finding("complaint", said="junk mail report", addresses=(reader,))
    return None


def disposition(mime: Mime) -> Finding | None:
    """A notification that the message was seen or deleted; None if this is none."""
    is_one = mime.report_type == "disposition-notification"
    if is_one or any(part.type.endswith("disposition-notification") for part in mime.parts):
        return Finding("auto_reply", said="disposition notification")
    return None


def address_in(value: str) -> str:
    """The address of a recipient field ("rfc822; Ann@example.org"), folded to lower case; "" if there is none."""
    kind, _, rest = value.partition(";")
    text = (rest if rest else kind).strip().strip("<>").strip()
    if "@" not in text or len(text) > 320 or any(char.isspace() for char in text):
        return ""
    return _UNICODE.sub(_character, text).lower()


def _character(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"


def header_of(part: Part) -> Fields:
    """The first group of fields in a part: a report's, or the header of a message that came back."""
    return next(iter(fields(part.text)), {})
