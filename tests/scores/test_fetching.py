"""Fetching from a real server on loopback: polite, bounded, and never from inside the house unless it is allowed."""

import gzip
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.captures import Answer, body, serving
from urllib3.util.retry import Retry

from digest.config.sections import Fetch
from digest.errors import CaptureError
from digest.scores.sources import Fetched, _is_public, fetch
from digest.scores.store import NO_VALIDATORS, Validators

HERE = Fetch(allow_http=True, allow_private_addresses=True, retries=2, connect_seconds=2, total_seconds=10)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)


def get(url: str, limits: Fetch = HERE, validators: Validators = NO_VALIDATORS) -> Fetched:
    return fetch(url, limits, validators)


def limits(**changes: Any) -> Fetch:
    return HERE.model_copy(update=changes)


def refused(url: str, chosen: Fetch = HERE) -> str:
    """The one sentence with which a fetch fails."""
    with pytest.raises(CaptureError) as caught:
        get(url, chosen)
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert sentence.endswith((".", "?"))
    return sentence


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def raw(*parts: bytes, pause: float = 0) -> Answer:
    """Answers with these bytes as they are, and hangs up."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        for part in parts:
            request.wfile.write(part)
            request.wfile.flush()
            time.sleep(pause)
        request.close_connection = True

    return answer


def test_the_bytes_come_back_with_what_the_server_says_of_them() -> None:
    with serving(body(b"model,score\n", ETag='"one"', Last_Modified="Mon, 02 Mar 2026 00:00:00 GMT")) as server:
        fetched = get(server.url)
    assert fetched == Fetched(b"model,score\n", Validators('"one"', "Mon, 02 Mar 2026 00:00:00 GMT"))
    assert server.asked[0]["user-agent"].startswith("digest/")
    assert "if-none-match" not in server.asked[0]


def test_a_server_is_asked_only_for_what_changed() -> None:
    known = Validators('"one"', "Mon, 02 Mar 2026 00:00:00 GMT")
    with serving(body(b"", 304)) as server:
        fetched = get(server.url, validators=known)
    assert fetched == Fetched(None, known)
    assert server.asked[0]["if-none-match"] == '"one"'
    assert server.asked[0]["if-modified-since"] == "Mon, 02 Mar 2026 00:00:00 GMT"


@pytest.mark.parametrize("etag", ["x" * 2_000, "\x01", ""])
def test_a_validator_that_is_none_is_forgotten(etag: str) -> None:
    with serving(body(b"model", ETag=etag)) as server:
        assert get(server.url).validators == NO_VALIDATORS


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(status: int) -> None:
    with serving(body(b"later", status, Retry_After="7"), body(b"model")) as server:
        assert get(server.url).data == b"model"
    assert len(server.asked) == 2


def test_a_server_that_stays_busy_is_given_up_with_its_status() -> None:
    with serving(body(b"later", 503)) as server:
        assert refused(server.url) == "127.0.0.1 answered with status 503; is the address right?"
    assert len(server.asked) == 1 + HERE.retries


@pytest.mark.parametrize("status", [204, 206, 401, 404, 410])
def test_any_other_answer_is_told_at_once(status: int) -> None:
    with serving(body(b"", status)) as server:
        assert f"status {status}" in refused(server.url)
    assert len(server.asked) == 1


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip bomb"])
def test_a_body_beyond_the_limit_is_left_there(packed: bool) -> None:
    data = b"0" * 3_000_000
    answer = body(gzip.compress(data), Content_Encoding="gzip") if packed else body(data)
    with serving(answer) as server:
        assert "more than 1 MB ([fetch] max_megabytes)" in refused(server.url, limits(max_megabytes=1))


def test_a_body_of_just_the_limit_is_taken_and_unpacked() -> None:
    data = b"0123456789" * 100_000
    with serving(body(gzip.compress(data), Content_Encoding="gzip")) as server:
        assert get(server.url, limits(max_megabytes=1)).data == data


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    with serving(raw(b"HTTP/1.0 200 OK\r\n\r\nmodel,", b"score\n")) as server:
        assert get(server.url).data == b"model,score\n"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nmodel,\r\n"
BROKEN: dict[str, Answer] = {
    "shorter than its length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nmodel,"),
    "ends within a chunk": raw(CHUNKED + b"6\r\nsco"),
    "ends without the last chunk": raw(CHUNKED),
    "no HTTP": raw(b"220 mail.example ESMTP\r\n"),
    "nothing": raw(),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_breaks_off_is_refused(answer: Answer) -> None:
    with serving(answer) as server:
        assert refused(server.url) == "127.0.0.1 cannot be reached, or broke off; the next run tries again."


@pytest.mark.parametrize(
    ("data", "coding", "fault"),
    [
        (gzip.compress(b"model,score\n")[:-9], "gzip", "127.0.0.1: the file ends in the middle of its gzip data."),
        (b"model,score\n", "gzip", "127.0.0.1: the file is not valid gzip."),
        (b"model,score\n", "br", "127.0.0.1 sent a content coding other than gzip, which was not asked for."),
    ],
    ids=["cut", "plain", "brotli"],
)
def test_a_coded_body_is_refused_unless_it_is_whole_and_gzip(data: bytes, coding: str, fault: str) -> None:
    with serving(body(data, Content_Encoding=coding)) as server:
        assert refused(server.url) == fault
    assert server.asked[0]["accept-encoding"] == "gzip"


def test_a_whole_chunked_body_is_taken() -> None:
    with serving(raw(CHUNKED + b"6\r\nscore\n\r\n0\r\n\r\n")) as server:
        assert get(server.url).data == b"model,score\n"


@pytest.mark.parametrize("length", [b"", b"Content-Length: 1000\r\n"], ids=["without a length", "with a length"])
def test_a_server_that_sends_a_byte_at_a_time_is_left_in_time(length: bytes) -> None:
    drops = [b"HTTP/1.0 200 OK\r\n" + length + b"\r\n", *[b"x"] * 120]
    began = time.monotonic()
    with serving(raw(*drops, pause=0.05)) as server:
        sentence = refused(server.url, limits(total_seconds=0.4))
        assert time.monotonic() - began < 4
    assert "took more than 0.4 s ([fetch] total_seconds)" in sentence


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with serving(raw(b"", pause=0.5)) as server:
        sentence = refused(server.url, limits(connect_seconds=0.05, retries=0))
    assert sentence == "127.0.0.1 did not answer in time; the next run tries again."


def test_a_port_that_nobody_listens_on_is_told() -> None:
    assert "127.0.0.1 cannot be reached" in refused(f"http://127.0.0.1:{free_port()}/")


def test_a_host_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "nowhere.example cannot be reached" in refused("http://nowhere.example/")


@pytest.mark.parametrize(
    "url", ["ftp://sample.example/x", "file:///etc/passwd", "sample.csv", "https://", "https://[::1"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert "is no web address" in refused(url)


# Where a fetch may lead


def test_plain_http_is_refused_unless_it_is_allowed() -> None:
    with serving(body(b"model")) as server:
        assert "[fetch] allow_http would allow http://" in refused(server.url, limits(allow_http=False))
    assert server.asked == []


INSIDE = [
    *("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "192.168.1.1", "0.0.0.0"),
    *("[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[fe80::1]", "[fd00::1]"),
    *("2130706433", "0x7f.1", "127.1"),
]


@pytest.mark.parametrize("host", INSIDE)
def test_an_address_inside_the_house_is_refused_unless_it_is_allowed(host: str) -> None:
    with serving(body(b"model")) as server:
        url = server.url.replace("127.0.0.1", host)
        sentence = refused(url, limits(allow_private_addresses=False))
    assert "leads to the private address" in sentence
    assert server.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("2002:0808:0808::1", True),
        ("64:ff9b::808:808", True),
        ("2002:7f00:0001::1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("100.64.0.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fec0::1", False),
        ("ff0e::1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_only_addresses_that_the_registries_call_global_are_public(address: str, public: bool) -> None:
    assert _is_public(address) is public


def resolving(*addresses: str) -> Callable[..., list[Any]]:
    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving("93.184.215.14", "10.0.0.1"))
    sentence = refused("http://rebound.example/", limits(allow_private_addresses=False))
    assert "rebound.example leads to the private address 10.0.0.1" in sentence


def to(url: str) -> Answer:
    return body(b"", 302, Location=url)


def test_a_redirect_is_followed() -> None:
    with serving(body(b"model")) as end, serving(to(end.url)) as start:
        assert get(start.url).data == b"model"


def test_a_redirect_into_the_house_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first server passes for a public one; the second is what it tries to reach."""
    monkeypatch.setattr("digest.scores.sources._is_public", lambda address: address == "127.0.0.1")
    with serving(body(b"secret")) as inside, serving(to(inside.url.replace("127.0.0.1", "127.0.0.2"))) as start:
        sentence = refused(start.url, limits(allow_private_addresses=False))
    assert "127.0.0.2 leads to the private address 127.0.0.2" in sentence
    assert inside.asked == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "https://[::1"])
def test_a_redirect_to_anything_but_the_web_is_refused(url: str) -> None:
    with serving(to(url)) as server:
        refused(server.url, limits(retries=0))


def test_the_body_of_a_redirect_is_not_waited_for() -> None:
    began = time.monotonic()
    with serving(body(b"model")) as end:
        start = f"HTTP/1.1 302 Found\r\nLocation: {end.url}\r\nContent-Length: 9\r\n\r\n".encode()
        with serving(raw(start, pause=6)) as server:
            assert get(server.url).data == b"model"
            assert time.monotonic() - began < 4


def test_a_redirect_without_end_is_left() -> None:
    with serving(to("/again")) as server:
        assert "redirects more than 5 times" in refused(server.url)
    assert len(server.asked) == 6


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serving(body(b"model")) as server:
        assert get(server.url).data == b"model"
