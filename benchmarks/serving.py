"""The archive page and a versus page, in requests a second, beside a plain Starlette that says hello.

Each server is a process of its own: the web application on a database with 52 editions and the newest recorded
captures (those of the demo where there are none), and an application of one route, both started by `web.app.serve`.
One client asks them in turn over the same number of kept connections and reads every answer to its end. What the
pages keep in memory they keep here too.
"""

import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from tests import builders as b

from benchmarks.importing import RECORDED
from digest.changes.ranking import leaderboard
from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.database import open_database, reading, writing
from digest.edition import store as editions
from digest.edition.numbers import monday
from digest.edition.rendered import Rendered
from digest.scores import store as scores
from digest.scores.catalog import resolve
from digest.scores.recorded import find_recorded
from digest.web.app import create_app, serve
from digest.weekly.collecting import backfill

ROUNDS, SECONDS, CONNECTIONS = 5, 1.5, 8
WEEKS = 52
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def run() -> None:
    """Print requests a second as shares of the hello's, the median of interleaved rounds."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/digest.db"
        names = filled(url)
        with serving("pages", url) as pages, serving("hello") as hello:
            versus = urlsplit(moved_to(pages, f"/versus?{urlencode(dict(zip('ab', names, strict=True)))}")).path
            asked = {"hello": (hello, "/"), "archive": (pages, "/editions"), "versus": (pages, versus)}
            rounds = [{name: rate(*where) for name, where in asked.items()} for _ in range(ROUNDS)]
    median = {name: statistics.median(one[name] for one in rounds) for name in asked}
    print(f"serve pages, {CONNECTIONS} connections, beside a Starlette that says hello:")
    print(f"  {median['archive'] / median['hello']:.2f} of its requests a second for the archive of {WEEKS} editions")
    print(f"  {median['versus'] / median['hello']:.2f} of them for {versus}")
    rates = ", ".join(f"{name} {per_second:.0f}/s" for name, per_second in median.items())
    print(f"  (medians of {ROUNDS} rounds: {rates})")


# The two servers


def settings() -> Settings:
    return load_settings(asset("config.toml") if RECORDED.is_dir() else asset("data") / "demo" / "config.toml")


def filled(url: str) -> list[str]:
    """A database with the newest capture of each source, and an approved edition of each week of the year before; the
    names of the two best models of the board with the most rows."""
    chosen, engine = settings(), open_database(url)
    captures, _skipped = find_recorded(RECORDED if RECORDED.is_dir() else asset("data") / "demo", chosen.sources)
    newest = list({capture.source: capture for capture in captures}.values())
    assert {result.outcome for result in backfill(engine, chosen, newest)} == {"stored"}
    publish(engine, chosen)
    with reading(engine) as connection:
        found = scores.newest_snapshots(connection, chosen.sources, NOW.date())
    engine.dispose()
    board = max((one for one in found.values() if one.lead is not None), key=lambda one: len(one.rows))
    assert board.lead is not None
    ranked = leaderboard(board, board.lead)
    return list(dict.fromkeys(resolve(board.rows[standing.key].raw).model for standing in ranked))[:2]


def publish(engine: Engine, chosen: Settings) -> None:
    rendered = Rendered(subject="Subject", preheader="", html="", text="")
    with writing(engine) as connection:
        for back in range(1, WEEKS + 1):
            year, number, _day = (NOW - timedelta(weeks=back)).isocalendar()
            week = f"{year}-W{number:02}"
            edition = b.an_edition(week=week, starts=monday(week))
            stored = editions.save_draft(connection, edition, rendered, editions.envelope_of(chosen), NOW)
            editions.save_approval(connection, week, stored.content_hash, NOW)


async def say_hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@contextmanager
def serving(*words: str) -> Iterator[int]:
    """A process that serves; its port."""
    command = [sys.executable, "-m", __name__, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.terminate()


# The client


def rate(port: int, path: str) -> float:
    """Requests a second that are answered, over connections that are kept."""
    until = time.perf_counter() + SECONDS
    answered = [0] * CONNECTIONS

    def asking(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while time.perf_counter() < until:
                assert ask(connection, path).startswith(b"HTTP/1.1 200 ")
                answered[place] += 1

    threads = [threading.Thread(target=asking, args=(place,)) for place in range(CONNECTIONS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answered)
    return sum(answered) / (time.perf_counter() - start)


def ask(connection: socket.socket, path: str) -> bytes:
    """The whole answer to a GET."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: digest.example\r\n\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1 << 18) or hung_up()
    head, _, body = received.partition(b"\r\n\r\n")
    left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) - len(body)
    while left:
        more = connection.recv(min(left, 1 << 18)) or hung_up()
        left -= len(more)
        received += more
    return received


def hung_up() -> bytes:
    raise ConnectionError("the server hung up without an answer")


def moved_to(port: int, path: str) -> str:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = ask(connection, path).decode()
    return head.partition("\r\nlocation: ")[2].partition("\r\n")[0]


def serve_one(kind: str, url: str = "") -> None:
    """Serve until terminated: the pages on a database, or the hello."""
    if kind == "hello":
        serve(Starlette(routes=[Route("/", say_hello)]), "127.0.0.1", 0)  # type: ignore[arg-type]
    else:
        serve(create_app(open_database(url), settings(), lambda: NOW), "127.0.0.1", 0)


if __name__ == "__main__":
    serve_one(*sys.argv[1:])
