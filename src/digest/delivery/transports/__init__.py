"""What carries mail: each transport is one file here and looks like `Transport` from outside."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from digest.delivery.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to one recipient. `message_id` is without angle brackets, the same each time the message is made.

    `content` is the whole message (RFC 5322) with CRLF line ends; no line of it begins with a dot, so that no transport
    has to look for one (RFC 5321, section 4.5.2). `token` names the delivery in a provider's events
    (`bounces.verp.sign`), empty where nothing tells of them.
    """

    delivery_id: int
    message_id: str
    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)
    token: str = field(default="", repr=False)


class Turn(NamedTuple):
    """What a sender answers when messages are ready: which deliveries may be made, and what comes next, which is made
    while it is read."""

    allowed: Collection[int]
    following: Iterable[Envelope]


Advance = Callable[[Sequence[int]], Turn]
"""Told which deliveries are ready, it commits that these are about to be handed over, and what became of those before.
"""


class Transport(Protocol):
    """Carries messages, some at a time; its connections last from `with` to the end of the block."""

    repeatable: bool
    """Delivering the same message again does nothing, so a delivery whose end is unknown may simply be repeated."""

    width: int
    """How many messages it asks leave for at once, and so how many may be in doubt after a crash."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
        """Deliver a batch of at most `width` messages, then what `advance` names next, as long as it names any.

        `advance` is called with messages that are as far as they can be without committing the other side, or that
        follow these closely, and only what it allows is handed over; what was allowed and is not handed over all the
        same is `withheld`. What becomes of each message is put into `done` before `advance` is called again, or before
        this returns or raises. Raises DeliveryError when nobody can be reached.
        """
        ...
