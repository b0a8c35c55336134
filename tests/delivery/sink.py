"""A relay in a thread that takes mail as fast as it comes, pipelined or not, and remembers who got how many.

An answer to a final dot may take a while (`slow`), so that a sender can be killed while it waits for one.
"""

import random
import socket
import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Sink:
    """`got` counts messages by recipient; one is counted when its final dot arrives, whoever hears the answer."""

    slow: tuple[float, float] = (0.0, 0.0)
    port: int = 0
    got: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        sink: Sink = self.server.sink  # type: ignore[attr-defined]
        self.chance = random.Random(self.client_address[1])
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._say("220 sink")
            self._talk(sink)
        except OSError:
            pass  # the sender was killed

    def _talk(self, sink: Sink) -> None:
        recipient = ""
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"EHLO":
                self._say("250-sink\r\n250-PIPELINING\r\n250 8BITMIME")
            elif word == b"RCPT":
                recipient = line.partition(b"<")[2].partition(b">")[0].decode()
                self._say("250 2.1.5 ok")
            elif word == b"DATA":
                self._say("354 go on")
                if not self._body():
                    return
                with sink.lock:
                    sink.got[recipient] += 1
                time.sleep(self.chance.uniform(*sink.slow))
                self._say("250 2.0.0 ok")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 2.0.0 ok")

    def _body(self) -> bool:
        while line := self.rfile.readline():
            if line == b".\r\n":
                return True
        return False

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def sink(slow: tuple[float, float] = (0.0, 0.0)) -> Iterator[Sink]:
    made = Sink(slow)
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.sink = made  # type: ignore[attr-defined]
        made.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()
