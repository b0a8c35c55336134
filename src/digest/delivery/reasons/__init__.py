"""Why a message was not taken, in one closed vocabulary, and what follows from it. Pure.

An SMTP reply, a returned message and a provider's event all end here, by `codes.classify` and `phrases.reason_in`.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

Reason = Literal[
    "no_such_mailbox",
    "moved",
    "null_mx",
    "domain_gone",
    "mailbox_disabled",
    "mailbox_full",
    "mailbox_limit",
    "blocked_by_reader",
    "forward_failed",
    "smtputf8",
    "their_system",
    "unreachable",
    "unknown",
    "blocked_policy",
    "relay_fault",
    "content",
    "too_large",
    "temporary",
    "unreadable",
]
"""
no_such_mailbox: the address is nobody's.                    moved: it was the reader's, and is another's or nobody's.
null_mx: the domain says that it takes no mail (RFC 7505).   domain_gone: the domain or its mail server is not found.
mailbox_disabled: it is there and takes nothing.             mailbox_full: over its quota.
mailbox_limit: longer than this one mailbox takes.           blocked_by_reader: the reader's own rule refuses us.
forward_failed: it passes mail on to another address, which failed.
smtputf8: the way there carries no non-ASCII address.        their_system: the reader's mail system is at fault.
unreachable: given up after trying for long.                 unknown: it failed, and nothing says why.
blocked_policy: this sender, or its authentication, is refused.
relay_fault: our relay is set up wrongly, or misunderstood.  content: what the message holds is refused.
too_large: longer than the system takes.                     temporary: not now; it is still being tried.
unreadable: something came back, in a form that we cannot read.
"""

Suppress = Literal["never", "in_a_row", "at_once"]
"""When a reader whose mail fails for a reason gets no more of it: after this once, after several editions in a row
that failed for such reasons, or never, for it tells nothing about the reader."""


class Consequence(NamedTuple):
    """What follows from a reason: for the reader, and who has to mend it."""

    suppress: Suppress
    fault: Literal["reader", "operator", "edition", "nobody"]


CONSEQUENCES: Mapping[Reason, Consequence] = {
    "no_such_mailbox": Consequence("at_once", "reader"),
    "moved": Consequence("at_once", "reader"),  # whoever has the address now never asked for our mail
    "null_mx": Consequence("at_once", "reader"),
    "domain_gone": Consequence("in_a_row", "reader"),  # or a name server that failed on our side for a day
    "mailbox_disabled": Consequence("in_a_row", "reader"),
    "mailbox_full": Consequence("in_a_row", "reader"),
    "mailbox_limit": Consequence("in_a_row", "reader"),
    "blocked_by_reader": Consequence("in_a_row", "reader"),
    "forward_failed": Consequence("in_a_row", "reader"),  # one of a team's addresses, or the only one
    "smtputf8": Consequence("in_a_row", "reader"),
    "their_system": Consequence("in_a_row", "reader"),
    "unreachable": Consequence("in_a_row", "reader"),
    "unknown": Consequence("in_a_row", "reader"),
    "blocked_policy": Consequence("never", "operator"),
    "relay_fault": Consequence("never", "operator"),
    "content": Consequence("never", "edition"),
    "too_large": Consequence("never", "edition"),
    "temporary": Consequence("never", "nobody"),
    "unreadable": Consequence("never", "nobody"),
}

_MILDEST_FIRST: tuple[Suppress, ...] = get_args(Suppress)


def milder(one: Reason, other: Reason) -> Reason:
    """Of two views of one failure the one that spares the reader more; the second where both weigh the same.

    "unknown" is no view.
    """
    if one == "unknown" or other == "unknown":
        return other if one == "unknown" else one
    return one if severity(one) < severity(other) else other


def severity(reason: Reason) -> int:
    """How hard a reason weighs on the reader: 0 never, 1 in a row, 2 at once."""
    return _MILDEST_FIRST.index(CONSEQUENCES[reason].suppress)
