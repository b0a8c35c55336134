"""Why a message was refused, from the words of the mail system that refused it. Pure.

In English, as nearly all of them speak it; where one speaks otherwise the codes have to tell.
"""

import re

from digest.delivery.reasons import Reason
from digest.delivery.redaction import without_addresses

_READER = r"\b(?:user|mailbox|recipient|account|address|alias|addressee)"
_NOT = r"(?:does not|doesn't|did not|didn't|do not|don't)"


def _gap(words: int) -> str:
    """A blank with up to so many words in it."""
    return rf"(?: \S+){{0,{words}}} "


# The first that is found decides. Refusals of the sender and the message stand before those of the reader, for they
# name the reader too.
_PHRASES: tuple[tuple[Reason, tuple[str, ...]], ...] = (
    (
        "no_such_mailbox",
        ("recipient address rejected: access denied",),  # Exchange Online, of an address that its directory lacks
    ),
    (
        "relay_fault",
        (
            rf"relay(?:ing)?{_gap(2)}(?:denied|prohibited)",
            r"not (?:permitted|allowed) to relay|unable to relay|relaying not (?:permitted|allowed)",
            r"rcpthosts|authentication (?:is )?required|must (?:first )?authenticate|must issue a starttls",
        ),
    ),
    (
        "blocked_by_reader",
        (
            rf"(?:recipient|user|addressee){_gap(2)}(?:blocked|refuse[sd]) (?:you|the sender|mail)",
            r"blocked by (?:the |its )?(?:recipient|user|addressee)",
        ),
    ),
    (
        "blocked_policy",
        (
            r"spam|unsolicited|bulk mail|reputation|policy|barracuda|badmailfrom|gr[ea]ylist",
            r"\b(?:spf|dkim|dmarc|dnsbl|rbl|rdns|ptr|reverse dns)\b|(?:black|block|deny) ?list|\blisted (?:at|by|in)\b",
            r"unauthenticated|not authenticated|rate limit|too many (?:messages|connections|recipients)",
            rf"\bsender\b{_gap(3)}(?:rejected|denied|refused|blocked|invalid|not allowed|not authori[sz]ed)",
            rf"\b(?:client host|ip|server|network|domain){_gap(3)}(?:blocked|banned|refused)",
            rf"not (?:accept|allow)(?:ed|ing)? (?:mail|messages?|delivery){_gap(2)}from|message not allowed",
            r"will not accept delivery of this message",
        ),
    ),
    (
        "content",
        (
            r"virus|malware|infected|attachment|(?:banned|prohibited|message) content",
            r"\bcontent (?:was |is )?(?:rejected|refused|denied)",
        ),
    ),
    (
        "mailbox_full",
        (
            rf"\b(?:mailbox|inbox|quota|account|storage){_gap(4)}(?:is )?(?:full|exceed|over)",
            r"over ?quota|over (?:\S+ )?(?:disk |storage )?quota|mailboxfull|out of (?:storage|disk) ?space",
            rf"exceed\S*{_gap(4)}(?:quota|storage|mailbox)|disk quota",
        ),
    ),
    (
        "too_large",
        (
            rf"\b(?:message|mail|file|size|header){_gap(4)}(?:too (?:big|large|long)|exceed)",
            rf"exceed\S*{_gap(5)}size|size limit|too large|too big",
        ),
    ),
    (
        "mailbox_disabled",
        (
            rf"{_READER}{_gap(6)}(?:disabled|suspended|inactive|deactivated)",
            rf"(?:disabled|suspended|inactive|deactivated|expired) {_READER}",
            rf"\b(?:account|mailbox|user){_gap(3)}(?:expired|closed|locked|not active|no longer active)",
            r"\bmailbox (?:is )?(?:temporarily |currently )?(?:unavailable|not available)",
        ),
    ),
    ("null_mx", (rf"null ?mx|{_NOT} accept (?:any )?e?-?mail\b",)),
    (
        "domain_gone",
        (
            rf"\b(?:host|domain)(?: or domain)?(?: name)?{_gap(1)}(?:not found|{_NOT} exist)",
            r"\b(?:no such|unknown|unrouteable|bad destination) (?:mail )?(?:domain|host)|unrouteable address",
            r"nxdomain|name service|couldn't find any host|no (?:mx|mail) (?:record|exchanger)",
            r"non-?existent (?:hosts?|domain)",
        ),
    ),
    ("moved", (r"\b(?:user|recipient|mailbox|account) (?:has |was )?(?:moved|migrated)|owner (?:has )?changed",)),
    (
        "no_such_mailbox",
        (
            rf"{_READER}{_gap(3)}(?:unknown|not known|not found)|{_READER}{_gap(9)}{_NOT} exist",
            rf"(?:no such|unknown|non-?existent|unrecogni[sz]ed|illegal|invalid) (?:local )?(?:{_READER}|person)",
            r"unknown in (?:\S+ ){1,2}table|no mailbox (?:here )?by that name|recip(?:ient)?notfound",
            rf"(?:not a|no) (?:valid|known) {_READER}|{_NOT} have an? (?:\S+ )?account|no user \S+ here",
        ),
    ),
    ("their_system", (r"mail (?:\S+ )?loop|too many hops|hop count|loops back to",)),
    (
        "unreachable",
        (
            r"tim(?:ed|e) ?out|connection refused|(?:delivery time|message) expired|queue too long|retry time",
            r"(?:wasn't able|unable) to (?:establish|connect)|no route to host|network is unreachable|not responding",
        ),
    ),
)
_WORDS = tuple((reason, re.compile("|".join(phrases))) for reason, phrases in _PHRASES)
_LINK = re.compile(r"\bhttps?:\S*|\bwww\.\S*", re.IGNORECASE)  # "policy" in a link is not said
_APOSTROPHES = str.maketrans({"’": "'", "`": "'", "´": "'", "_": " "})


def reason_in(text: str) -> Reason | None:
    """What the words say; None where they tell nothing that we know."""
    # Without addresses, for spammer@example.org may be a reader; an address is no word, so it becomes a sign.
    said = without_addresses(_LINK.sub(" ", text)).replace("(address)", "@")
    plain = said.translate(_APOSTROPHES).lower()
    return next((reason for reason, words in _WORDS if words.search(plain)), None)
