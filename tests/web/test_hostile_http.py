"""The real server and what no browser sends: it answers clearly or hangs up, blames itself for nothing, and lives."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest
from tests.real_server import Server, Visitor, filled, request, served

pytestmark = pytest.mark.long

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOST = b"Host: digest.example\r\n"


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "digest.db").write_bytes(sqlite_template.read_bytes())
    with served(f"sqlite:///{folder / 'digest.db'}", folder / "server") as made:
        yield made


@pytest.fixture(autouse=True)
def _lives_on(server: Server) -> Iterator[None]:
    """After each test the server answers as before, and has shown no traceback."""
    yield
    with Visitor(server) as visitor:
        assert (visitor.get("/healthz").status, visitor.get("/").status) == (200, 200)
    assert server.process.poll() is None
    assert b"Traceback" not in server.said


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500 + b"\r\n\r\n",
        b"\0\0\0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1e3\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST /subscribe HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 50_000 + b"\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_is_refused_as_such(server: Server, nonsense: bytes) -> None:
    with Visitor(server) as visitor:
        try:
            answer = visitor.ask(nonsense)
        except (ConnectionError, BrokenPipeError):
            return  # hung up while we were still talking
        assert 400 <= answer.status < 500
        assert b"Invalid HTTP request" in answer.body


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"OPTIONS * HTTP/1.1\r\n" + HOST, 404),
        (b"TRACE / HTTP/1.1\r\n" + HOST, 405),
        (b"CONNECT digest.example:443 HTTP/1.1\r\n" + HOST, 404),
        (b"GET http://digest.example/ HTTP/1.1\r\n" + HOST, 404),
        (b"GET //confirm// HTTP/1.1\r\n" + HOST, 404),
        (b"GET /confirm/%00%ff%0d%0a HTTP/1.1\r\n" + HOST, 404),
        (b"GET /confirm/" + b"%f0%9f" * 5000 + b" HTTP/1.1\r\n" + HOST, 404),
        (b"GET /my-data/x?format=%ff&format[]=\x7e HTTP/1.1\r\n" + HOST, 404),
        (b"GET /editions/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HOST, 404),
        (b"GET / HTTP/1.1\r\nHost: \r\n", 200),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + b"\xff" * 2000 + b"\r\n", 200),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n", 200),
        (b"GET / HTTP/1.0\r\n", 200),
        (b"GET / HTTP/9.9\r\n", 200),
        (b"BREW / HTTP/1.1\r\n" + HOST, 405),
    ],
)
def test_odd_requests_get_the_page_that_fits_them(server: Server, asked: bytes, status: int) -> None:
    with Visitor(server) as visitor:
        assert visitor.ask(asked + b"\r\n").status == status


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_100_mb_is_refused_early_and_takes_no_memory(server: Server, declared: bool) -> None:
    measured = psutil.Process(server.process.pid)
    before, sent = measured.memory_info().rss, 0
    extra = {"Content-Length": str(100 * 2**20)} if declared else {"Transfer-Encoding": "chunked"}
    piece = b"a" * 65_536 if declared else b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    with Visitor(server) as visitor:
        visitor.socket.sendall(request("PUT", "/subscribe", b"", {**FORM, **extra}).replace(b"PUT", b"POST"))
        visitor.socket.setblocking(False)
        answer = rest = b""
        while not answer and sent < 100 * 2**20:
            rest = rest or piece
            with suppress(BlockingIOError):
                written = visitor.socket.send(rest)
                sent, rest = sent + written, rest[written:]
            with suppress(BlockingIOError):
                answer = visitor.socket.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 413 ")
    assert sent < 20 * 2**20
    assert measured.memory_info().rss - before < 16 * 2**20


@pytest.mark.parametrize("said", [10, 900, 100_000])
def test_a_body_shorter_than_its_length_is_no_form(server: Server, said: int) -> None:
    body = request("POST", "/subscribe", b"email=ann", FORM).replace(b"Length: 9", f"Length: {said}".encode())
    with Visitor(server) as visitor:
        visitor.socket.sendall(body)
        visitor.socket.shutdown(socket.SHUT_WR)
        answer = visitor.socket.recv(65_536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


def test_what_follows_a_body_of_another_length_is_a_request_of_its_own(server: Server) -> None:
    wire = request("POST", "/subscribe", b"email=ann", FORM) + b"&agree=yes\r\n\r\n"
    with Visitor(server) as visitor:
        first = visitor.ask(wire)
        assert first.status == 400
        assert b"<h1>" in first.body
        assert b"Invalid HTTP request received." in visitor.answer().body


def test_requests_one_behind_the_other_are_answered_in_their_order(server: Server) -> None:
    kinds = [("GET", "/privacy", 200), ("GET", "/nothing", 404), ("DELETE", "/", 405), ("GET", "/healthz", 200)]
    wire = b"".join(request(method, path, b"", {}) for method, path, _ in kinds)
    visitor = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    with visitor:
        visitor.sendall(wire + request("GET", "/", b"", {"Connection": "close"}))
        said = b"".join(iter(lambda: visitor.recv(65_536), b""))
    statuses = [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [*(status for _, _, status in kinds), 200]


def test_a_form_of_one_byte_at_a_time_is_read_and_hinders_nobody(server: Server) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(Visitor(server)) for _ in range(100)]
        for one in slow:
            one.socket.sendall(request("POST", "/subscribe", b"x" * 5000, FORM)[:-5000] + b"e")
        with Visitor(server) as other:
            started = time.monotonic()
            assert other.get("/").status == 200
            assert time.monotonic() - started < 10
    with Visitor(server) as patient:
        for byte in request("POST", "/preferences", b"email=ann", FORM):
            patient.socket.sendall(bytes([byte]))
        assert patient.answer().status == 400


def test_many_who_hang_up_in_the_middle_leave_nothing_open(server: Server) -> None:
    measured = psutil.Process(server.process.pid)
    with Visitor(server) as visitor:
        visitor.get("/")
    before = measured.num_fds()

    def hang_up(number: int) -> None:
        with Visitor(server) as visitor:
            visitor.socket.sendall(request("POST", "/preferences", b"a" * 999, FORM)[: 60 + number])

    threads = [threading.Thread(target=hang_up, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(100):
        if measured.num_fds() <= before:
            break
        time.sleep(0.05)
    assert measured.num_fds() <= before + 2


def test_a_good_request_after_all_this_is_taken(server: Server) -> None:
    with Visitor(server) as visitor:
        assert b"<h1>" in visitor.post("/subscribe", filled("ada@example.org")).body
