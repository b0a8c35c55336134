"""Why a message was refused, from its codes and the words beside them. Pure.

The enhanced status code (RFC 3463 and the registry of RFC 5248) says most, then the reply code (RFC 5321 section 4.2).
Codes lie: full mailboxes and blocked senders come as 5.1.1, unknown readers as 5.7.1. So the words are read too, and
where they disagree, they may always spare a reader, but condemn one only where the code is vague.
"""

import re
from collections.abc import Mapping
from itertools import islice
from typing import cast

from digest.delivery.reasons import CONSEQUENCES, Reason, severity
from digest.delivery.reasons.phrases import reason_in

# Permanent failures by subject and detail of the enhanced status code, the longest match first.
_PERMANENT: Mapping[str, Reason] = {
    "0": "unknown",
    "1": "unknown",
    "1.1": "no_such_mailbox",
    "1.2": "domain_gone",
    "1.3": "no_such_mailbox",  # the address cannot be one
    "1.6": "moved",
    "1.7": "blocked_policy",  # the sender's address
    "1.8": "blocked_policy",
    "1.10": "null_mx",
    "2": "unknown",
    "2.1": "mailbox_disabled",
    "2.2": "mailbox_full",
    "2.3": "mailbox_limit",
    "2.4": "their_system",  # a list that cannot be expanded
    "3": "their_system",
    "3.4": "too_large",
    "4": "unreachable",
    "4.3": "their_system",  # directory, routing, loop
    "4.4": "domain_gone",
    "4.6": "their_system",
    "4.310": "domain_gone",  # Exchange Online: the domain is not in the DNS
    "5": "relay_fault",
    "6": "content",
    "6.7": "smtputf8",  # RFC 6531
    "6.8": "smtputf8",
    "6.9": "smtputf8",
    "7": "blocked_policy",
    "7.13": "mailbox_disabled",
    "7.17": "moved",  # the mailbox, or its domain, has another owner now (RFC 7293)
    "7.18": "moved",
}
# Those that began as 4.x.x and were given up: no code of this class says that a mailbox is no more.
_GIVEN_UP: Mapping[str, Reason] = {
    "2.1": "mailbox_disabled",
    "2.2": "mailbox_full",
    "2.3": "mailbox_limit",
    "3": "their_system",
    "4.4": "domain_gone",
    "4.6": "their_system",
    "5": "relay_fault",
    "6": "content",
    "7": "blocked_policy",
}
# Codes that systems give for want of a better one; and 5.1.10, which Exchange gives for an unknown mailbox.
_VAGUE = frozenset({"1.10", "4.1", "7.1", "5.1", "5.2", *(f"{subject}.0" for subject in range(8))})
# Replies without an enhanced code. All but one are vague; 5xx that is not here complains about what we said.
_BY_CODE: Mapping[int, Reason] = {
    550: "unknown",
    551: "moved",
    552: "too_large",
    553: "unknown",
    554: "blocked_policy",
    556: "null_mx",
}

_STATUS = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)", re.ASCII)
_REPLY = re.compile(r"(?<![\d.])([45][0-5]\d)(?=[ -]|$)", re.ASCII)
_MOST_READ = 2000  # characters of a text; the codes stand at its beginning


def classify(status: str = "", code: int = 0, text: str = "") -> Reason:
    """Why a message was refused for good, from an enhanced status code ("5.1.1"), a reply code (550) and the words.

    A code that is not given ("" or 0), or is as vague as 5.0.0, is looked for in the text. A status that contradicts
    the reply code is not believed. Never raises; "unknown" where nothing tells.
    """
    status = best_status(status, text)
    if status and code and status[0] != str(code)[0]:
        status = ""
    code = code or _reply_code(text)
    return _settled(
        reason_in(text), coded(status, code), vague=_is_vague(status, code), given_up=_given_up(status, code)
    )


def coded(status: str, code: int) -> Reason:
    """What the codes alone say; the status, where there is one."""
    found = _STATUS.fullmatch(status)
    if found is None:
        if not 500 <= code < 600:
            return "unreachable" if 400 <= code < 500 else "unknown"
        return _BY_CODE.get(code, "relay_fault")
    table, otherwise = (_PERMANENT, "unknown") if found[1] == "5" else (_GIVEN_UP, "unreachable")
    return table.get(f"{found[2]}.{found[3]}") or table.get(found[2]) or cast(Reason, otherwise)


def best_status(status: str, text: str) -> str:
    """The enhanced status code that says most: the given one, or one in the text if the given one is vague."""
    found = _STATUS.search(status)
    candidates = [found[0]] if found else []
    candidates += [one[0] for one in islice(_STATUS.finditer(text[:_MOST_READ]), 20)]
    return next((one for one in candidates if one[2:] not in _VAGUE), candidates[0] if candidates else "")


def _settled(told: Reason | None, coded: Reason, *, vague: bool, given_up: bool) -> Reason:
    if told is None:
        return coded
    if vague and not (given_up and CONSEQUENCES[told].suppress == "at_once"):
        return told
    return told if severity(told) < severity(coded) else coded


def _is_vague(status: str, code: int) -> bool:
    return status[0] == "4" or status[2:] in _VAGUE if status else code != 556


def _given_up(status: str, code: int) -> bool:
    """Whether it began as "not now": then nothing said that the mailbox is no more."""
    return status[0] == "4" if status else 400 <= code < 500


def _reply_code(text: str) -> int:
    found = _REPLY.search(text[:_MOST_READ])
    return int(found[0]) if found else 0
