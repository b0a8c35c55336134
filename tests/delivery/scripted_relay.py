"""A relay on loopback, byte by byte, that does to its messages what no relay should.

A message's number is that of its MAIL command, counted from 1 over all connections. `received` are the recipients of
the messages that it took, whatever it answered.
"""

import re
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

ENDED = b"421 4.3.2 closing down\r\n"


@dataclass
class Fault:
    """What happens at a command of one message: what is said instead of the reply, and whether that is the end.

    `say` None is the reply itself. `keep` says whether a message at its dot is taken. `then` close is in order, cut is
    a reset, stall is silence for as long as the test lasts.
    """

    at: str
    say: bytes | None = None
    then: str = "go on"
    keep: bool = False


@dataclass
class ScriptedRelay:
    port: int = 0
    pipelining: bool = True
    tls: ssl.SSLContext | None = None  # spoken from the first byte
    greeting: Callable[[int], bytes] = lambda _session: b"220 relay.example\r\n"  # of each session, from 1
    refuses: bytes = b""  # commands that are answered with 502
    offers: tuple[bytes, ...] = ()  # extensions beside the usual
    reply: Callable[[bytes], list[bytes]] = lambda text: [text]  # a reply as the packets that it is sent in
    fault_of: Callable[[int, str], Fault | None] = lambda _number, _recipient: None
    received: list[str] = field(default_factory=list)
    sessions: int = 0
    messages: int = 0
    ended: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)


class _OverError(Exception):
    """The connection is at its end."""


@dataclass
class _Connection:
    relay: ScriptedRelay
    sock: socket.socket
    session: int
    number: int = 0
    recipient: str = ""

    def serve(self) -> None:
        with suppress(_OverError, OSError):
            self.talk()
        self.sock.close()

    def talk(self) -> None:
        if self.relay.tls is not None:
            self.sock = self.relay.tls.wrap_socket(self.sock, server_side=True)
        self.lines = self.sock.makefile("rb")
        greeting = self.relay.greeting(self.session)
        self.say(greeting)
        if greeting.startswith(b"421"):
            raise _OverError
        for line in self.lines:
            self.hear(line.strip())

    def hear(self, line: bytes) -> None:
        command = line[:4].upper()
        if self.relay.refuses and command in self.relay.refuses.split():
            self.say(b"502 5.5.1 not here\r\n")
        elif command == b"EHLO":
            offered = [b"relay.example", *self.relay.offers, b"SIZE 100000000"]
            offered += [b"PIPELINING"] if self.relay.pipelining else []
            self.say(b"".join(b"250-" + one + b"\r\n" for one in offered[:-1]) + b"250 " + offered[-1] + b"\r\n")
        elif command == b"MAIL":
            with self.relay.lock:
                self.relay.messages += 1
                self.number, self.recipient = self.relay.messages, ""
            self.answer("MAIL", b"250 2.1.0 fine\r\n")
        elif command == b"RCPT":
            (recipient,) = re.findall(rb"<(.*)>", line)
            self.recipient = recipient.decode()
            if not self.answer("RCPT", b"250 2.1.5 fine\r\n").startswith(b"2"):
                self.recipient = ""
        elif command == b"DATA":
            if not self.recipient:
                self.say(b"503 5.5.1 whose?\r\n")
            elif self.answer("DATA", b"354 go on\r\n").startswith(b"354"):
                self.take_body()
        elif command == b"QUIT":
            self.say(b"221 2.0.0 bye\r\n")
            raise _OverError
        elif command == b"RSET":
            self.recipient = ""
            self.say(b"250 2.0.0 fine\r\n")
        else:
            self.say(b"500 5.5.2 what?\r\n")

    def take_body(self) -> None:
        fault = self.relay.fault_of(self.number, self.recipient)
        if fault is not None and fault.at == "body":
            self.lines.read(100)
            self.end(fault, fault.say or b"")
        for line in self.lines:
            if line == b".\r\n":
                break
        else:
            raise _OverError
        if fault is None or fault.at != "dot" or fault.keep:
            with self.relay.lock:
                self.relay.received.append(self.recipient)
        self.answer("dot", b"250 2.0.0 queued\r\n")
        self.recipient = ""

    def answer(self, stage: str, usual: bytes) -> bytes:
        """Say what is usual at a command, or what the script has; what was said."""
        fault = self.relay.fault_of(self.number, self.recipient)
        if fault is None or fault.at != stage:
            self.say(usual)
            return usual
        said = usual if fault.say is None else fault.say
        self.end(fault, said)
        return said

    def end(self, fault: Fault, said: bytes) -> None:
        for piece in [said] if fault.say is not None else self.relay.reply(said):
            self.sock.sendall(piece)
        if fault.then == "stall":
            self.relay.ended.wait(30)
            raise _OverError
        if fault.then == "cut":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _OverError
        if fault.then == "close":
            self.sock.shutdown(socket.SHUT_WR)
            self.sock.settimeout(5)
            while self.sock.recv(65536):  # else what was said before might be lost with a reset
                pass
            raise _OverError

    def say(self, text: bytes) -> None:
        for packet in self.relay.reply(text):
            self.sock.sendall(packet)


@contextmanager
def scripted_relay(**options: object) -> Iterator[ScriptedRelay]:
    made = ScriptedRelay(**options)  # type: ignore[arg-type]
    threads: list[Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made.port = listening.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    sock, _ = listening.accept()
                except OSError:
                    return
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                made.sessions += 1
                threads.append(Thread(target=_Connection(made, sock, made.sessions).serve, daemon=True))
                threads[-1].start()

        accepting = Thread(target=accept)
        accepting.start()
        try:
            yield made
        finally:
            made.ended.set()
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()
    for thread in threads:
        thread.join(5)
