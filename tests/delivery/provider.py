"""A provider's HTTP interface on loopback that keeps what it is sent, and misbehaves by order of the test."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

Answer = Callable[["_Handler", list[dict[str, Any]]], None]
"""Answers one POST, of the messages in it; they are accepted if it says so with `accept`."""


@dataclass
class Provider:
    """`received` holds the fields of each message that was accepted. `answers` are for the next POSTs, in their order;
    after them all is well."""

    port: int = 0
    received: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    ended: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> list[str]:
        return sorted(message.get("To") or message["to"] for message in self.received)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_HEAD(self) -> None:
        self.reply(404, b"")

    def do_GET(self) -> None:
        known = self.headers["X-Postmark-Server-Token"] == "token"
        handling = {"UnsubscribeHandlingType": "Postmark" if self.path.endswith("/broadcast") else "Custom"}
        body = {"ID": self.path.rpartition("/")[2], "SubscriptionManagementConfiguration": handling}
        self.reply(200 if known else 401, json.dumps(body).encode())

    def do_POST(self) -> None:
        with self.provider.lock:
            self.provider.requests.append({"path": self.path, **self.headers})
            answer = self.provider.answers.pop(0) if self.provider.answers else all_is_well
        messages = self.messages(self.rfile.read(int(self.headers["Content-Length"])))
        answer(self, messages)

    def messages(self, body: bytes) -> list[dict[str, Any]]:
        kind = self.headers["Content-Type"]
        if kind == "application/json":
            found: list[dict[str, Any]] = json.loads(body)
            return found
        form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=policy.default)
        assert isinstance(form, EmailMessage)
        parts = list(form.iter_parts())
        fields = {str(part.get_param("name", header="content-disposition")): part for part in parts}
        boundary = form.get_boundary()
        raw = body.partition(b'filename="message.eml"')[2].partition(b"\r\n\r\n")[2]
        told = {name: part.get_payload() for name, part in fields.items() if name != "message"}
        return [{**told, "message": raw.partition(f"\r\n--{boundary}".encode())[0]}]

    def accept(self, messages: list[dict[str, Any]]) -> None:
        with self.provider.lock:
            self.provider.received += messages

    def reply(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        pass


_WRONG = {
    "inactive": (406, "You tried to send to a recipient that has been marked as inactive: inactive@example.org."),
    "invalid": (300, "Invalid 'To' address: 'invalid@example.org'."),
    "maintenance": (100, "The API is offline for maintenance"),
}


def all_is_well(handler: _Handler, messages: list[dict[str, Any]]) -> None:
    """Takes every message, but for readers whose name says otherwise."""
    if "mime" in handler.path:
        handler.accept(messages)
        handler.reply(200, b'{"id": "<1@digest.example>", "message": "Queued. Thank you."}')
        return
    told = []
    for message in messages:
        code, words = _WRONG.get(message["To"].partition("@")[0], (0, "OK"))
        if code == 0:
            handler.accept([message])
        told.append({"ErrorCode": code, "Message": words, "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817"})
    handler.reply(200, json.dumps(told).encode())


def says(status: int, body: str = "") -> Answer:
    """Takes nothing."""
    return lambda handler, _messages: handler.reply(status, body.encode())


def garbles(body: bytes) -> Answer:
    """Takes all, and nobody can read that it did."""

    def answer(handler: _Handler, messages: list[dict[str, Any]]) -> None:
        handler.accept(messages)
        handler.reply(200, body)

    return answer


def stalls(handler: _Handler, messages: list[dict[str, Any]]) -> None:
    """Takes all, and says nothing for longer than anybody waits."""
    handler.accept(messages)
    handler.provider.ended.wait(20)
    handler.close_connection = True


def trickles(handler: _Handler, messages: list[dict[str, Any]]) -> None:
    """Takes all, and answers so slowly that it never ends."""
    handler.accept(messages)
    handler.send_response(200)
    handler.send_header("Content-Length", "10000000")
    handler.end_headers()
    try:
        while not handler.provider.ended.is_set():
            handler.wfile.write(b" " * 20_000)
            time.sleep(0.2)
    except OSError:
        handler.close_connection = True


def hangs_up(handler: _Handler, messages: list[dict[str, Any]]) -> None:
    """Takes all, and ends the connection without a word."""
    handler.accept(messages)
    handler.hang_up()


def breaks_off(handler: _Handler, messages: list[dict[str, Any]]) -> None:
    """Takes all, and ends the connection in the middle of the answer."""
    handler.accept(messages)
    handler.reply(200, b'[{"ErrorCode": 0, ', length=4000)
    handler.hang_up()


@contextmanager
def provider() -> Iterator[Provider]:
    made = Provider()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": made}))
    server.daemon_threads = True
    made.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
