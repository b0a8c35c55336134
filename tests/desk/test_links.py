"""Links are tried against real servers of this machine: what answers, what does not, and where none may lead."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from digest.config.settings import Settings
from digest.desk.links import Link, findings_of, links_of, tried
from digest.edition.rendered import Rendered


class Pages(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        seen.append(f"{self.command} {self.path}")
        status = {"/gone": 404, "/broken": 500, "/moved": 302}.get(self.path, 200)
        if self.path == "/only-get" and self.command == "HEAD":
            status = 405
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/here")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


seen: list[str] = []


@pytest.fixture
def here() -> Iterator[str]:
    seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def own(settings: Settings, here: str) -> Settings:
    return settings.model_copy(update={"series": settings.series.model_copy(update={"base_url": here})})


def test_each_link_is_tried_with_head_and_with_get_where_a_server_knows_no_head(own: Settings, here: str) -> None:
    found = dict(tried([f"{here}{path}" for path in ("/here", "/gone", "/broken", "/moved", "/only-get")], own))
    assert {address.removeprefix(here): fault for address, fault in found.items()} == {
        "/here": "",
        "/gone": "answers 404",
        "/broken": "answers 500",
        "/moved": "",
        "/only-get": "",
    }
    assert [one for one in seen if "only-get" in one] == ["HEAD /only-get", "GET /only-get"]


def test_no_link_but_the_series_own_may_lead_into_the_house(settings: Settings, here: str) -> None:
    ((_address, fault),) = tried([f"{here}/here"], settings)
    assert "private address" in fault
    assert seen == []


def test_an_address_that_only_begins_like_our_own_is_not_ours(own: Settings, here: str) -> None:
    ((_address, fault),) = tried([f"{here}0/here"], own)
    assert fault


def test_a_server_that_is_not_there_is_a_fault(own: Settings) -> None:
    ((_address, fault),) = tried(["http://127.0.0.1:9/"], own)
    assert fault


def page(*addresses: str) -> Rendered:
    links = "".join(f'<p><a href="{address}">to {number}</a></p>' for number, address in enumerate(addresses))
    return Rendered(subject="s", preheader="p", html=f"<html><body><h2>Prices</h2>{links}</body></html>", text="t")


def test_links_are_listed_once_with_their_section_and_none_that_is_a_readers_or_opens_later() -> None:
    rendered = page(
        "https://a.example/x",
        "https://a.example/x#part",
        "https://digest.example/editions/2026-W18",
        "https://digest.example/changes/abc",
        "https://digest.example/editions/2026-W17",
        "mailto:desk@digest.example",
        "#here",
        "digestSlot7unsubscribeUrl7q4ZkV2mXw",
    )
    assert links_of(rendered, "https://digest.example/", "2026-W18") == [
        Link("https://a.example/x", "Prices", "to 0"),
        Link("https://digest.example/editions/2026-W17", "Prices", "to 4"),
    ]


def test_a_broken_link_is_an_error_at_its_section_and_a_good_or_untried_one_is_none() -> None:
    links = [Link(f"https://a.example/{name}", "Prices", name) for name in ("good", "bad", "untried")]
    (finding,) = findings_of(links, {"https://a.example/good": "", "https://a.example/bad": "answers 404"})
    assert (finding.level, finding.check, finding.section) == ("error", "links", "Prices")
    assert "answers 404" in finding.what
