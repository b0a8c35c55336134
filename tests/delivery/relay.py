"""A relay on loopback that keeps what it is sent and misbehaves by order of the recipient's address."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ANSWERS = {
    "busy": "450 4.2.0 greylisted, try later",
    "unknown": "550 5.1.1 no such user",
    "full": "452 4.2.2 mailbox full",
    "policy": "550 5.7.1 this sender is not welcome",
    "denied": "554 5.7.1 relay access denied",
    "toofast": "421 4.7.28 too much mail from you",
    "closing": "421 4.3.2 closing down",
}


@dataclass
class Relay:
    """`received` holds (recipient, content) of every message accepted, `sessions` how many connections there were."""

    port: int
    received: list[tuple[str, bytes]] = field(default_factory=list)
    sessions: int = 0
    open: list[SMTP] = field(default_factory=list)

    def end_sessions(self) -> None:
        """As a relay does that has waited for long enough."""
        for server in self.open:
            assert server.transport is not None
            server.loop.call_soon_threadsafe(server.transport.close)
        self.open.clear()

    @property
    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _ in self.received)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.sessions += 1
        self.open.append(server)
        return answers

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return ANSWERS.get(address.partition("@")[0].partition("+")[0], "250 2.1.5 fine")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        name = envelope.rcpt_tos[0].partition("@")[0]
        if name == "toobig":
            return "552 5.3.4 message too big"
        if name == "later":
            return "451 4.3.0 try later"
        assert isinstance(envelope.content, bytes)
        self.received.append((envelope.rcpt_tos[0], envelope.content))
        if name == "silent":  # accepted, but the answer never gets there
            _hang_up(server)
        return "250 2.0.0 queued"


class _Server(SMTP):
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.envelope and self.envelope.rcpt_tos[:1] == ["cut@example.org"]:
            await self.push("354 go on")
            _hang_up(self)
        else:
            await super().smtp_DATA(arg)


def _hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def relay(**options: Any) -> Iterator[Relay]:
    """A relay that runs in a thread; `options` are those of aiosmtpd's SMTP class."""
    made = Relay(free_port())
    controller = _Controller(made, hostname="127.0.0.1", port=made.port, **options)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
