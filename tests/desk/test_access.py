"""Nobody but the person who started the desk reads or drives it: no page elsewhere, no other user of the machine."""

from pathlib import Path

import pytest
from tests.desk.visiting import HERE, PORT, Editor

from digest.desk.access import Door
from digest.desk.state import Desk


@pytest.fixture
def editor(desk: Desk) -> Editor:
    """In front of a desk on which there is nothing yet: it opens all the same."""
    desk.first.set()
    return Editor(desk)


def refused(answer: object) -> bool:
    """Turned away, and told nothing: no word, no cookie, no hint of what is behind the door."""
    status, text = answer.status_code, answer.text  # type: ignore[attr-defined]
    names = set(answer.headers)  # type: ignore[attr-defined]
    return bool(status == 403 and text == "" and names <= {"content-length", "content-type", "cache-control"})


def test_the_address_opens_the_desk_and_the_redirect_takes_the_token_out(editor: Editor) -> None:
    path = editor.door.address.removeprefix(HERE)
    answer = editor.ask("GET", path, headers={"Sec-Fetch-Site": "none"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{editor.door.room}/")
    assert answer.headers["referrer-policy"] == "no-referrer"
    cookie = answer.headers["set-cookie"]
    assert cookie == f"desk={editor.door.session}; HttpOnly; Path={editor.door.room}/; SameSite=strict"
    assert editor.get().status_code == 200


def test_a_visit_that_began_in_a_file_is_led_on_by_the_desk(editor: Editor, tmp_path: Path) -> None:
    leading = editor.door.lead(tmp_path)
    answer = editor.ask("GET", editor.door.address.removeprefix(HERE), headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["referrer-policy"]) == (200, "no-referrer")
    assert f'content="0;url={editor.door.room}/"' in answer.text
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert not leading.exists()


def test_the_token_opens_nothing_a_second_time(editor: Editor) -> None:
    path = editor.door.address.removeprefix(HERE)
    assert editor.ask("GET", path).status_code == 200
    assert refused(editor.ask("GET", path))
    assert refused(editor.ask("GET", "/open/None"))


def test_a_look_ahead_does_not_use_the_token_up(editor: Editor) -> None:
    path = editor.door.address.removeprefix(HERE)
    assert refused(editor.ask("HEAD", path))
    assert editor.ask("GET", path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/open/", "/open/guess", "/events", "/mail/600", "/docs", "/openapi.json"])
def test_another_user_of_the_machine_is_told_nothing(editor: Editor, path: str) -> None:
    assert refused(editor.ask("GET", path))
    assert refused(editor.ask("GET", editor.door.room + path))
    assert refused(editor.ask("POST", editor.door.room + path, headers={"Origin": HERE}))


@pytest.mark.parametrize("cookie", ["desk=", "desk=guess", "other=1", "desk", "desk=\xff", "=;;="])
def test_a_guessed_cookie_opens_nothing(editor: Editor, cookie: str) -> None:
    assert refused(editor.ask("GET", f"{editor.door.room}/", headers=[(b"cookie", cookie.encode("latin-1"))]))


@pytest.mark.parametrize(
    "others", ["{}; theme", "x=a b; {}", '{}; y="', "{}; desk=another", "desk=another; {}", "a[b]=c; {};", " {} ;;="]
)
def test_odd_cookies_of_another_local_server_keep_nobody_out(editor: Editor, others: str) -> None:
    assert editor.get(Cookie=others.format(editor.cookie)).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", ""])
def test_a_name_that_was_pointed_at_this_machine_is_not_the_desk(editor: Editor, host: str) -> None:
    assert refused(editor.get(Host=host))
    assert refused(editor.post("/links", {}, Host=host, Origin=f"http://{host}"))
    assert refused(editor.ask("GET", editor.door.address.removeprefix(HERE), headers={"Host": host}))
    assert editor.door.token is not None


def test_the_desk_answers_to_localhost_too(editor: Editor) -> None:
    assert editor.get(Host=f"localhost:{PORT}").status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"http://127.0.0.1:{PORT + 1}", f"https://127.0.0.1:{PORT}", ""]
)
@pytest.mark.parametrize("path", ["/as", "/note", "/links", "/approve"])
def test_a_page_elsewhere_cannot_act(editor: Editor, path: str, origin: str) -> None:
    assert refused(editor.post(path, {}, Origin=origin))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_an_act_comes_from_the_desks_own_page(editor: Editor, site: str) -> None:
    assert refused(editor.post("/links", {}, Sec_Fetch_Site=site))
    assert editor.post("/links", {}).status_code == 303


def test_an_act_that_does_not_say_where_it_comes_from_is_none(editor: Editor) -> None:
    path = f"{editor.door.room}/links"
    assert refused(editor.ask("POST", path, headers={"Cookie": editor.cookie}))


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}]
)
def test_the_stream_of_events_is_the_desks_own_pages(editor: Editor, headers: dict[str, str]) -> None:
    assert refused(editor.get("/events", **headers))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_elsewhere_cannot_put_the_desk_into_itself(editor: Editor, site: str) -> None:
    assert refused(editor.get("/", Sec_Fetch_Site=site))
    assert refused(editor.get("/mail/600", Sec_Fetch_Site=site))


def test_what_opens_the_desk_is_in_no_log() -> None:
    door = Door(PORT)
    assert not {door.token, door.session, door.room} & set(repr(door).replace("'", " ").split())
    assert repr(door) == f"Door(port={PORT})"


def test_looking_is_the_only_thing_a_get_does(editor: Editor) -> None:
    for path in ("/as", "/note", "/links", "/approve"):
        assert editor.get(path).status_code == 405
