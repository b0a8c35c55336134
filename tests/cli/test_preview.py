"""`digest preview` says what is wrong with an edition before anybody gets it, and takes pictures of it."""

import builtins
import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text
from tests.browser.conftest import CHROMIUM
from tests.rendering.test_lint import MAIL

from digest.cli import preview as preview_command
from digest.cli import run
from digest.config.assets import asset
from digest.database import open_database, writing
from digest.desk.access import Door
from digest.desk.state import Desk
from digest.operations.demo import run_demo

WEEK = "2026-W11"


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Preview = Callable[..., Ran]


@pytest.fixture(scope="session")
def demo_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo's approved edition, to be copied."""
    folder = tmp_path_factory.mktemp("demo")
    run_demo(folder)
    return folder / "digest.db"


@pytest.fixture
def preview(
    demo_week: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Preview:
    """Runs `digest preview` on a copy of the demo's week."""
    shutil.copy(demo_week, tmp_path / "digest.db")
    monkeypatch.setenv("DIGEST_DATABASE__URL", f"sqlite:///{tmp_path / 'digest.db'}")
    config = asset("data") / "demo" / "config.toml"

    def preview(*words: str) -> Ran:
        capsys.readouterr()
        status = run(["preview", *words, "--config", str(config)])
        return Ran(status, *capsys.readouterr())

    return preview


def spoil(folder: Path, old: str, new: str) -> None:
    """Change what is stored of the edition."""
    engine = open_database(f"sqlite:///{folder / 'digest.db'}")
    change = text("UPDATE edition SET rendered = replace(rendered, :old, :new) WHERE instr(rendered, :old)")
    with writing(engine) as connection:
        assert connection.execute(change, {"old": old, "new": new}).rowcount == 1
    engine.dispose()


def test_the_demos_edition_and_the_letters_pass_every_check(preview: Preview) -> None:
    ran = preview(WEEK, "--check")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"{WEEK}: 0 errors, ")
    assert ran.out.endswith(f"Next  digest send {WEEK}\n")


def test_an_error_is_one_line_that_says_where_what_and_what_to_do_and_fails(preview: Preview, tmp_path: Path) -> None:
    spoil(tmp_path, 'href=\\"https://digest.example/preferences\\"', 'href=\\"javascript:x\\"')
    ran = preview("--check")
    assert ran.status == 1
    first = ran.out.splitlines()[0]
    assert first.startswith("error   links, ")
    assert "The link “Preferences” is none of the web: “javascript:x”. Give it an https address" in first


def test_as_json_each_finding_has_the_same_six_keys(preview: Preview, tmp_path: Path) -> None:
    spoil(tmp_path, 'href=\\"https://digest.example/preferences\\"', 'href=\\"\\"')
    ran = preview(WEEK, "--check", "--json")
    findings = json.loads(ran.out)
    assert ran.status == 1
    assert {tuple(one) for one in findings} == {("level", "check", "section", "rendition", "what", "do")}
    assert findings[0]["level"] == "error"
    assert all(all(one.values()) for one in findings)


def test_without_an_option_it_opens_the_desk_and_prints_its_address(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, doors = Queue[str](), [Door(8765), Door(8765)]

    def serve(desk: Desk, port: int, say: Callable[[Door], None]) -> None:
        assert (str(desk.week), desk.shown_as.email, port) == (WEEK, "ada@example.org", 8765)
        say(doors[-1])

    monkeypatch.setattr(preview_command, "serve", serve)
    monkeypatch.setattr("webbrowser.open", opened.put)
    assert preview(WEEK, "--as", "Ada@example.org", "--port", "8765", "--no-open").status == 0
    assert doors.pop().leading is None
    ran = preview(WEEK, "--as", "Ada@example.org", "--port", "8765")
    assert (ran.status, ran.out) == (0, f"the desk of {WEEK}: {doors[0].address}\n")
    assert (page := opened.get(timeout=60)).startswith("file:///")
    assert str(doors[0].token) not in page
    assert opened.empty()


def test_what_is_no_address_is_wrong_usage(preview: Preview) -> None:
    ran = preview(WEEK, "--as", "nobody", "--no-open")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("digest: email is no address: ")


def test_a_mail_that_could_not_be_sent_at_all_is_one_sentence(preview: Preview, tmp_path: Path) -> None:
    spoil(tmp_path, "digestSlot7unsubscribeUrl7", "digestSlotNot")
    ran = preview("--check")
    assert ran.status == 1
    assert "has no unsubscribe link in it; draft it again." in ran.err


def test_a_week_without_an_edition_is_one_sentence(preview: Preview) -> None:
    ran = preview("2020-W01", "--check")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "digest: there is no edition of 2020-W01 yet; run `digest draft` first.\n"


def width_of(picture: bytes) -> int:
    """Of a PNG (ISO/IEC 15948, section 11.2.2), in its own pixels."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width: int = struct.unpack(">I", picture[16:20])[0]
    return width


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_pictures_are_named_by_week_and_mail_and_show_it_light_dark_and_without_images(
    preview: Preview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = [
        replace(MAIL, rendition=name) for name in ("full, en, ZZ", "full, en, DE", "full, de, DE", "short, en, ZZ")
    ]
    monkeypatch.setattr(preview_command, "specimens", lambda stored, settings: [*mails, replace(MAIL, html=None)])
    ran = preview(WEEK, "--screenshot", str(tmp_path / "pictures"))
    assert (ran.status, ran.out) == (0, "")
    taken = {path.name: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    views = [(wide, look) for wide in (600, 375) for look in ("light", "dark", "light-images-off")]
    assert {name: width_of(picture) for name, picture in taken.items()} == {
        f"{WEEK}-{mail}-{wide}-{look}.png": wide * 2
        for mail in ("full-en-ZZ", "full-de-DE", "short-en-ZZ")
        for wide, look in views
    }
    light, dark, bare = (taken[f"{WEEK}-full-en-ZZ-600-{look}.png"] for look in ("light", "dark", "light-images-off"))
    assert light == bare != dark


def test_a_missing_browser_is_one_sentence(preview: Preview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    ran = preview("--screenshot", str(tmp_path / "pictures"))
    assert ran.status == 1
    assert ran.err.startswith("digest: pictures want a browser, and none of chromium, ")
    assert ran.err.count("\n") == 1


def test_a_browser_that_does_not_start_is_one_sentence(
    preview: Preview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: shutil.__file__)
    ran = preview("--screenshot", str(tmp_path / "pictures"))
    assert ran.status == 1
    assert ran.err.startswith("digest: Chromium took no picture: ")
    assert ran.err.count("\n") == 1


def test_a_missing_playwright_is_one_sentence(
    preview: Preview, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("playwright"):
            raise ImportError(name)
        return known(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    ran = preview("--screenshot", str(tmp_path / "pictures"))
    assert ran.err == "digest: pictures want Playwright; install it with `pip install 'digest-newsletter[preview]'`.\n"


def test_a_folder_that_cannot_be_made_is_one_sentence(preview: Preview, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = preview("--screenshot", str(tmp_path / "file" / "pictures"))
    assert ran.status == 1
    assert "cannot be made" in ran.err
