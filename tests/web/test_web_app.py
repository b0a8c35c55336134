"""The public pages: opening them changes nothing, pressing the button works at once."""

import hashlib
import logging
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import uvicorn
from sqlalchemy import Engine
from tests.web.visitors import KEYS, NOW, Client

from digest.config.settings import Settings
from digest.errors import DigestError, StorageError
from digest.subscribers import links
from digest.web.app import create_app

Rows = Callable[[str], list[dict[str, Any]]]
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def client(engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> Client:
    return Client(create_app(engine, settings, clock))


@pytest.fixture
def path(add_readers: Callable[[int], list[int]], settings: Settings) -> str:
    """The path of the unsubscribe page of a reader."""
    keys = [key.get_secret_value().encode() for key in settings.links.keys]
    return f"/unsubscribe/{links.sign(links.UNSUBSCRIBE, add_readers(1)[0], keys)}"


def test_opening_the_link_asks(client: Client, path: str, rows: Rows) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert f'<form method="post" action="{path}?lang=en">' in page.text
    assert "example.org" not in page.text
    assert rows("subscriber")[0]["state"] == "confirmed"


@pytest.mark.long
def test_a_thousand_openings_change_nothing(client: Client, path: str, rows: Rows) -> None:
    before = rows("subscriber"), rows("consent_event")
    for _ in range(500):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert (rows("subscriber"), rows("consent_event")) == before


def test_the_button_unsubscribes_at_once(client: Client, path: str, rows: Rows) -> None:
    page = client.post(path)
    assert page.status_code == 200
    assert "You are unsubscribed" in page.text
    assert rows("subscriber")[0]["state"] == "withdrawn"


def test_one_click_of_a_mail_program_unsubscribes_without_cookie_or_redirect(
    client: Client, path: str, rows: Rows
) -> None:
    answer = client.post(path, data=ONE_CLICK)
    assert answer.status_code == 200
    assert not answer.cookies
    assert rows("subscriber")[0]["state"] == "withdrawn"


def test_one_click_as_multipart_works_too(client: Client, path: str, rows: Rows) -> None:
    assert client.post(path, files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert rows("subscriber")[0]["state"] == "withdrawn"


def test_unsubscribing_twice_is_fine_and_says_so(client: Client, path: str, rows: Rows) -> None:
    client.post(path)
    again = client.post(path, data=ONE_CLICK)
    assert (again.status_code, "You had left already" in again.text) == (200, True)
    assert [event["kind"] for event in rows("consent_event")] == ["confirmed", "withdrawn"]


def test_the_log_tells_the_button_from_the_mail_programs_click_and_keeps_a_reason_of_ours(
    client: Client, settings: Settings, add_readers: Callable[..., list[int]], rows: Rows
) -> None:
    keys = [key.get_secret_value().encode() for key in settings.links.keys]
    paths = [f"/unsubscribe/{links.sign(links.UNSUBSCRIBE, number, keys)}" for number in add_readers(3)]
    for path, sent in zip(paths, ({"reason": "long"}, {"reason": "<script>"}, ONE_CLICK), strict=True):
        client.post(path, data=sent)
    told = [(event["method"], event["detail"]) for event in rows("consent_event") if event["kind"] == "withdrawn"]
    assert told == [("unsubscribe link", "long"), ("unsubscribe link", ""), ("one-click unsubscribe", "")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path[:-1],
        lambda path: path + "A",
        lambda path: path[:-1] + ("A" if path[-1] != "A" else "B"),
        lambda path: "/unsubscribe/" + links.sign("confirm", 1, KEYS, NOW),
        lambda _: "/unsubscribe/%F0%9F%92%A9",
        lambda _: "/unsubscribe/<script>alert(1)</script>",
        lambda _: "/unsubscribe/" + "A" * 5000,
    ],
)
def test_a_link_that_is_not_ours_gets_a_clear_page_and_changes_nothing(
    client: Client, path: str, rows: Rows, spoil: Callable[[str], str]
) -> None:
    for answer in (client.get(spoil(path)), client.post(spoil(path), data=ONE_CLICK)):
        assert answer.status_code == 404
        assert "<h1>" in answer.text
        assert "<script" not in answer.text
    assert rows("subscriber")[0]["state"] == "confirmed"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_other_pages_and_methods_are_told_apart_from_the_link(client: Client, path: str, method: str) -> None:
    assert client.request(method, "/docs").status_code == 404
    assert client.request(method, path).status_code == (200 if method in ("GET", "POST", "HEAD") else 405)


def test_every_answer_has_headers_that_keep_the_token_and_the_page_to_themselves(client: Client, path: str) -> None:
    for answer in (client.get(path), client.post(path), client.get("/nothing"), client.get("/healthz")):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert "set-cookie" not in answer.headers


def test_the_page_is_styled_by_what_its_policy_allows_and_loads_nothing(client: Client, path: str) -> None:
    page = client.get(path)
    (style,) = re.findall(r"(?s)<style>(.*?)</style>", page.text)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"(?i)<script|<link|<img|\bsrc=|\bstyle=|@import|url\(|https?:", page.text)


def test_what_the_operator_wrote_is_escaped(engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> None:
    series = settings.series.model_copy(update={"title": "<b>R&D</b>", "postal_address": "1 <Main> St"})
    page = Client(create_app(engine, settings.model_copy(update={"series": series}), clock)).get("/nothing").text
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in page
    assert "1 &lt;Main&gt; St" in page


def test_health_says_ok_only_while_the_database_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "ok\n")

    def silent(_: object) -> None:
        raise StorageError("the database cannot be opened")

    monkeypatch.setattr("digest.subscribers.store.check", silent)
    assert client.get("/healthz").status_code == 503


def test_a_database_in_trouble_is_a_page_that_asks_to_come_back(
    client: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise StorageError("the database is locked")

    monkeypatch.setattr("digest.membership.leaving.unsubscribe", locked)
    answer = client.post(path)
    assert answer.status_code == 503
    assert "try again" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_served_page_leaves_no_address_and_no_token_in_any_log(
    engine: Engine,
    settings: Settings,
    clock: Callable[[], datetime],
    path: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from digest.web import app as web

    servers: list[uvicorn.Server] = []

    class Recorded(uvicorn.Server):
        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

    monkeypatch.setattr("digest.web.app.uvicorn.Server", Recorded)
    with caplog.at_level(logging.DEBUG):
        thread = threading.Thread(target=web.serve, args=(create_app(engine, settings, clock), "127.0.0.1", 0))
        thread.start()
        while not (servers and servers[0].started):
            assert thread.is_alive()
            time.sleep(0.01)
        port = servers[0].servers[0].sockets[0].getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=60) as visitor:
            address = visitor.getsockname()
            visitor.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            assert b"200 OK" in b"".join(iter(lambda: visitor.recv(4096), b""))
        servers[0].should_exit = True
        thread.join(10)
    said = caplog.text + "".join(capfd.readouterr())
    assert f"{address[0]}:{address[1]}" not in said
    assert path.rpartition("/")[2] not in said


def test_a_port_that_is_taken_is_told_in_one_sentence(
    engine: Engine, settings: Settings, clock: Callable[[], datetime]
) -> None:
    from digest.web.app import serve

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(DigestError, match="cannot be listened on"):
        serve(create_app(engine, settings, clock), "127.0.0.1", taken.getsockname()[1])
