"""The examples of reverse proxies keep no network address and pass the visitor's on as the program expects it."""

import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
CADDY = (DEPLOY / "caddy" / "Caddyfile").read_text()
NGINX = (DEPLOY / "nginx" / "digest.conf").read_text()


def directives(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_nginx_writes_neither_who_asked_nor_what_for() -> None:
    servers = NGINX.count("\nserver {")
    assert (
        directives(NGINX).count("access_log off;") == directives(NGINX).count("error_log stderr emerg;") == servers == 2
    )


def test_nginx_passes_on_whom_it_spoke_to_and_nothing_that_a_visitor_wrote() -> None:
    assert re.findall(r"X-Forwarded-For (\S+);", NGINX) == ["$remote_addr"]
    assert "proxy_add_x_forwarded_for" not in NGINX


def test_caddy_writes_no_access_log_and_takes_the_visitor_out_of_its_error_log() -> None:
    site = CADDY.partition("\nnews.example.org {")[2]
    assert not [line for line in directives(site) if line.startswith("log")]
    taken_out = re.findall(r"request>(\S+) delete", CADDY)
    assert set(taken_out) == {"remote_ip", "remote_port", "client_ip", "uri", "headers"}


def test_what_is_for_operators_is_not_open_to_the_world() -> None:
    assert "@inside path /metrics /readyz" in directives(CADDY)
    assert [line for line in directives(NGINX) if line.endswith("{ return 404; }")] == [
        "location = /metrics { return 404; }",
        "location = /readyz { return 404; }",
    ]


class Proxy(NamedTuple):
    """An nginx with the example's settings; `logs` is where it would write, `upstream` what it forwards to."""

    plain: int
    encrypted: int
    logs: Path
    upstream: HTTPServer

    def ask(self, path: str, **headers: str) -> "Answer":
        context = ssl._create_unverified_context()
        return answer_of(HTTPSConnection("127.0.0.1", self.encrypted, context=context, timeout=30), path, **headers)


class Answer(NamedTuple):
    status: int
    body: bytes
    location: str | None


def answer_of(connection: HTTPConnection, path: str, **headers: str) -> Answer:
    with closing(connection):
        connection.request("GET", path, headers={"Host": "news.example.org", **headers})
        with connection.getresponse() as found:
            return Answer(found.status, found.read(), found.headers["Location"])


class Upstream(BaseHTTPRequestHandler):
    """Answers with the lines of X-Forwarded-For that reached it."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write("|".join(self.headers.get_all("X-Forwarded-For") or []).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin") or shutil.which("nginx")
    if program is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is not there")
    upstream = HTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever).start()
    plain, encrypted = free_port(), free_port()
    (tmp_path / "nginx.conf").write_text(around(tmp_path))
    (tmp_path / "digest.conf").write_text(moved(NGINX, tmp_path, plain, encrypted, upstream.server_port))
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*words, "-subj", "/CN=news.example.org"], cwd=tmp_path, check=True, capture_output=True)
    running = subprocess.Popen([program, "-p", str(tmp_path), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        wait_for(encrypted)
        yield Proxy(plain, encrypted, tmp_path, upstream)
    finally:
        running.terminate()
        running.wait(timeout=30)
        upstream.shutdown()
        upstream.server_close()


def around(folder: Path) -> str:
    """What a distribution's nginx.conf says, an access log included."""
    places = "".join(f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    logs = f"error_log {folder}/error.log; pid {folder}/pid; daemon off; master_process off;"
    return f"{logs} events {{}} http {{ {places} access_log {folder}/access.log; include digest.conf; }}"


def moved(text: str, folder: Path, plain: int, encrypted: int, upstream: int) -> str:
    text = re.sub(r".*listen \[::\].*\n", "", text).replace("http://127.0.0.1:8000", f"http://127.0.0.1:{upstream}")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace(
        "listen 443 ", f"listen 127.0.0.1:{encrypted} "
    )
    return re.sub(r"/etc/letsencrypt/live/[^/]+/(full|priv)\w+\.pem", own_files(folder), text)


def own_files(folder: Path) -> Callable[[re.Match[str]], str]:
    return lambda found: str(folder / ("cert.pem" if found[1] == "full" else "key.pem"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as knocking:
            if knocking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def test_behind_nginx_a_forged_address_is_gone_and_the_visitors_is_there(proxy: Proxy) -> None:
    assert proxy.ask("/", **{"X-Forwarded-For": "203.0.113.9"}).body == b"127.0.0.1"


def test_nginx_shows_operators_pages_to_nobody_and_sends_plain_requests_to_https(proxy: Proxy) -> None:
    assert [proxy.ask(path).status for path in ("/metrics", "/readyz", "/healthz")] == [404, 404, 200]
    answer = answer_of(HTTPConnection("127.0.0.1", proxy.plain, timeout=30), "/editions?page=2")
    assert (answer.status, answer.location) == (301, "https://news.example.org/editions?page=2")


def test_nginx_keeps_nothing_of_a_visitor_even_when_the_program_is_down(proxy: Proxy) -> None:
    assert proxy.ask("/unsubscribe/token").status == 200
    proxy.upstream.shutdown()
    proxy.upstream.server_close()
    assert proxy.ask("/unsubscribe/token").status == 502
    written = "".join(path.read_text() for path in proxy.logs.glob("*.log"))
    assert "127.0.0.1" not in written
    assert "token" not in written
