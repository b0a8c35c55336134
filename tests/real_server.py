"""`digest serve` as a process of its own, and a visitor who writes bytes to it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from digest.edition.renditions import TOPICS
from digest.subscribers import links
from digest.web import abuse

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
KEYS = (b"0123456789abcdef0123456789abcdef",)
PLANTED = Path(__file__).with_name("planted.py")


@dataclass(frozen=True)
class Server:
    """A process that serves; what it said stands in two files."""

    process: subprocess.Popen[bytes]
    folder: Path

    @cached_property
    def port(self) -> int:
        told = self.folder / "stdout"
        for _ in range(600):
            if (said := told.read_text()).endswith("\n"):
                return int(said.rpartition(":")[2])
            assert self.process.poll() is None, (self.folder / "stderr").read_text()
            time.sleep(0.05)
        raise AssertionError("the server did not say where it is")

    @property
    def said(self) -> bytes:
        """All that the process has written to stdout and stderr."""
        return (self.folder / "stdout").read_bytes() + (self.folder / "stderr").read_bytes()


@contextmanager
def served(
    database_url: str, folder: Path, *words: str, fault: str = "", **sections: Mapping[str, Any]
) -> Iterator[Server]:
    """`digest serve --debug` on a port of its own; `fault` is one of planted.py, sections are those of config.toml."""
    folder.mkdir(exist_ok=True)
    configure(database_url, folder, **sections)
    program = [str(PLANTED), fault] if fault else ["-m", "digest"]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, *program, "serve", "--port=0", "--debug", f"--now={NOW.isoformat()}", *words],
            cwd=folder,
            stdout=out,
            stderr=err,
            env=os.environ,
        )
        try:
            server = Server(process, folder)
            _ = server.port
            yield server
        finally:
            process.terminate()
            process.wait(30)


def configure(database_url: str, folder: Path, **sections: Mapping[str, Any]) -> None:
    """Write a config.toml that sends mail into a Maildir of the folder, knows the keys of the tests and asks no source
    before Sunday."""
    known: dict[str, Mapping[str, Any]] = {
        "database": {"url": database_url},
        "series": {"base_url": "https://digest.example", "contact": "desk@digest.example"},
        "schedule": dict.fromkeys(("snapshot", "draft", "approval", "send"), "sun 23:00"),
        "links": {"keys": [key.decode() for key in KEYS]},
        "mail": {"from_address": "news@digest.example", "list_id": "weekly.digest.example"},
    }
    lines = []
    for name, keys in {**known, **sections}.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    (folder / "config.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


class Answer(NamedTuple):
    """An answer as it came. `head` is without its Date line; times are seconds from the request's first byte."""

    status: int
    head: bytes
    body: bytes
    first: float
    whole: float


class Visitor:
    """One connection, kept alive, from an address of loopback."""

    def __init__(self, server: Server, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, request: bytes) -> Answer:
        """Write a request, or anything else, and read one answer. Raises ConnectionError where none comes."""
        started = time.perf_counter()
        self.socket.sendall(request)
        return self.answer(started, head=request.startswith(b"HEAD"))

    def answer(self, started: float = 0.0, *, head: bool = False) -> Answer:
        received = self._left or self._more(b"")
        first = time.perf_counter() - started
        while b"\r\n\r\n" not in received:
            received = self._more(received)
        top, _, body = received.partition(b"\r\n\r\n")
        lines = top.split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), None)
        while not head and (length is None or len(body) < length):
            if not (more := self.socket.recv(65536)):
                break
            body += more
        whole = time.perf_counter() - started
        body, self._left = body[:length], b"" if length is None else body[length:]
        kept = b"\r\n".join(line for line in lines if not line.lower().startswith(b"date:"))
        return Answer(int(lines[0].split()[1]), kept, body, first, whole)

    def _more(self, received: bytes) -> bytes:
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError("the server hung up without an answer")
        return received + more

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask(request("GET", path, b"", headers))

    def post(self, path: str, fields: Mapping[str, Any], **headers: str) -> Answer:
        """Send a form. In a header's name _ stands for -."""
        body = urlencode(fields, doseq=True).encode()
        return self.ask(request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **headers}))


def request(method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A request on the wire (RFC 9112)."""
    lines = [f"{method} {path} HTTP/1.1", "Host: digest.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def filled(email: str, **changes: Any) -> dict[str, Any]:
    """A sign-up form, or one that asks for a link, as a person sends it."""
    opened = abuse.form_token(KEYS, NOW - timedelta(minutes=1))
    return {
        "email": email,
        "topics": list(TOPICS),
        "agree": "yes",
        abuse.HONEYPOT: "",
        abuse.TOKEN_FIELD: opened,
        **changes,
    }


def link(purpose: str, number: int, made_at: datetime = NOW) -> str:
    """The path of a page of a reader's own."""
    return f"/{purpose}/{links.sign(purpose, number, KEYS, made_at)}"
