"""What carries mail: each transport is one file here and looks like `Transport` from outside."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from digest.delivery.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message to one recipient. `message_id` is without angle brackets, the same each time the message is made.

    `content` is the whole message (RFC 5322) with CRLF line ends, not dot-stuffed.
    """

    message_id: str
    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


class Transport(Protocol):
    """Carries messages one at a time; its connection lasts from `with` to the end of the block."""

    repeatable: bool
    """Delivering the same message again does nothing, so a delivery whose end is unknown may simply be repeated."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def deliver(self, envelope: Envelope, before_dot: Callable[[], bool]) -> Outcome:
        """Deliver one message.

        Everything that can be done without committing the other side is done first; then `before_dot` is called once,
        and only if it answers True is the message handed over. Raises DeliveryError when nobody can be reached.
        """
        ...
