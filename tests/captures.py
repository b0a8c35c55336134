"""What the input side is tested with: small files in each source's shape, declarations, a web server, git."""

import hashlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.source import Source
from digest.scores.figures import read
from digest.scores.snapshot import Capture, Snapshot

DATA = Path(__file__).parent / "data"
MONDAY = date(2026, 3, 2)

Answer = Callable[[BaseHTTPRequestHandler], None]


def packaged(name: str) -> Source:
    """The declaration of a source in config.toml."""
    return load_settings(asset("config.toml")).sources[name]


def declared(**changes: Any) -> Source:
    """A source with one benchmark `score` and the model's name in `model`; CSV unless said otherwise."""
    facts = {"title": "Sample", "url": "https://sample.example/", "kind": "scores", "format": "csv", "model": "model"}
    return Source.model_validate({**facts, "columns": {"score": {}}, "lead": "score", **changes})


def capture(data: bytes = b"", source: str = "sample", on: date = MONDAY) -> Capture:
    at = datetime.combine(on, time.min, UTC)
    return Capture(source, on, at, hashlib.sha256(data).hexdigest(), len(data))


def read_text(text: str | bytes, source: Source | None = None, on: date = MONDAY) -> Snapshot:
    data = text if isinstance(text, bytes) else text.encode()
    return read(data, capture(data, on=on), source or declared())


def read_file(source: str, name: str) -> Snapshot:
    """Read one of the small files as the source of config.toml that it belongs to."""
    data = (DATA / source / name).read_bytes()
    on = date.fromisoformat(name.partition(".")[0])
    return read(data, capture(data, source, on), packaged(source))


def body(data: bytes, status: int = 200, **headers: str) -> Answer:
    """Answers with these bytes; a header's underscores stand for hyphens."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(data)

    return answer


class Server:
    """A web server on loopback. It gives `answers` in order, the last one again and again, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def take(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(request)


@contextmanager
def serving(*answers: Answer) -> Iterator[Server]:
    server = Server(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.take(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Listener(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up in the middle is what some tests are about

    with Listener(("127.0.0.1", 0), Handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        server.url = f"http://127.0.0.1:{listener.server_port}/"
        yield server
        listener.shutdown()
        thread.join()


def git(folder: Path, *words: str, at: str = "2026-01-01T00:00:00Z") -> None:
    """Run git in a folder, at a moment, whatever the settings of who runs the tests."""
    nobodys = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = {f"GIT_{role}_{part}": "Ada" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": at for role in ("AUTHOR", "COMMITTER")}
    subprocess.run(["git", "-C", folder, *words], check=True, env={**os.environ, **nobodys, **who, **when})
