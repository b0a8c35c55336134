"""The desk as a program: the stream of what is new, who gets it, and how the program ends."""

import re
import signal
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.desk.conftest import Opened, Program

BRIEF = 'heading(_("In brief"))'


@contextmanager
def entered(program: Program) -> Iterator[httpx.Client]:
    """A browser that has opened the address; its base is the desk's path."""
    with httpx.Client(timeout=120) as client:
        moved = client.get(program.address, headers={"Sec-Fetch-Site": "none"})
        client.base_url = httpx.URL(f"http://{urlsplit(program.address).netloc}{moved.headers['location']}")
        yield client


def versions(lines: Iterator[str]) -> Iterator[int]:
    return (int(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))


def test_a_save_is_told_at_once_and_the_page_then_shows_it(opened: Opened) -> None:
    with opened() as program, entered(program) as client:
        assert "In brief" in client.get("mail/600").text
        with client.stream("GET", "events") as stream:
            news = versions(stream.iter_lines())
            next(news)
            start = time.perf_counter()
            program.change("templates/email/brief.mjml", BRIEF, 'heading("This week")')
            while "This week" not in client.get("mail/600").text:
                next(news)
            print(f"a save is told and shown after {time.perf_counter() - start:.2f} s")
            program.change("templates/email/brief.mjml", 'heading("This week")', "heading(")
            while not re.search(r"templates/email/brief\.mjml</code> line \d+", client.get("").text):
                next(news)
            program.change("templates/email/brief.mjml", "heading(", BRIEF)
            while 'class="fault"' in client.get("").text:
                next(news)


def test_only_this_machine_reaches_it_and_only_who_opened_it_is_answered(opened: Opened) -> None:
    with opened() as program:
        port = urlsplit(program.address).port
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 403
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
        for address in others:
            if not str(address).startswith("127."):
                with pytest.raises(OSError), socket.create_connection((str(address), port), timeout=5):
                    pass


def test_a_name_that_was_pointed_at_this_machine_reaches_the_running_desk_and_is_told_nothing(opened: Opened) -> None:
    """DNS rebinding: the browser sends what belongs to the name, here even the desk's own cookie, to our port."""
    with opened() as program:
        at = urlsplit(program.address)
        foreign = {"Host": f"evil.example:{at.port}", "Origin": f"http://evil.example:{at.port}"}
        turned_away = [httpx.get(program.address, headers=foreign)]
        with entered(program) as client:
            assert client.get("", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
            same = {**foreign, "Sec-Fetch-Site": "same-origin"}
            turned_away += [client.get(path, headers=same) for path in ("", "mail/600", "events", "desk.js")]
            turned_away += [
                client.post(path, headers=same, data={"text": "x"}) for path in ("note", "approve", "links")
            ]
        assert {(answer.status_code, answer.text) for answer in turned_away} == {(403, "")}
        assert not (program.folder / "notes").exists()


def test_no_command_line_holds_the_token_and_what_leads_the_browser_is_this_accounts_alone(opened: Opened) -> None:
    with opened(browser='echo "$@" >visited; sleep 10') as program:
        token = program.address.rpartition("/")[2]
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it has ended
                assert token.encode() not in line.read_bytes()
        leading = Path(program.visited.removeprefix("file://"))
        assert (stat.filemode(leading.stat().st_mode), stat.filemode(leading.parent.stat().st_mode)) == (
            "-rw-------",
            "drwx------",
        )
        assert f"url={program.address}" in leading.read_text()
        assert httpx.get(program.address).status_code == 200
        assert not leading.exists()
        assert httpx.get(program.address).status_code == 403


def test_what_leads_the_browser_is_gone_when_the_desk_was_never_opened(opened: Opened) -> None:
    with opened(browser='echo "$@" >visited') as program:
        assert Path(program.visited.removeprefix("file://")).exists()
    assert list((program.folder / "tmp").iterdir()) == []


def test_it_ends_when_it_is_told_to_though_a_page_is_open(opened: Opened) -> None:
    with opened() as program, entered(program) as client, client.stream("GET", "events") as stream:
        next(versions(stream.iter_lines()))
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(60) == 130  # as of any program that was interrupted
        assert "Traceback" not in program.complaints
