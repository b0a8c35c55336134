"""Who holds a key signs people up from a site of their own, sees who reads, and takes them off."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.web.visitors import Client, Site, words

from digest.membership import listing
from digest.operations.keys import add_key, revoke_key
from digest.operations.store import Scope
from digest.web import subscribers_api
from digest.web.problems import MOST_BYTES

PATH = "/api/v1/subscribers"
Rows = Callable[[str], list[dict[str, Any]]]
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask(site: Site) -> Ask:
    """A request with a key of all scopes, or of those named."""

    def ask(method: str, path: str, *scopes: Scope, **content: Any) -> httpx.Response:
        name = f"key{len(made)}"
        made[scopes] = made.get(scopes) or add_key(
            site.engine, name, scopes or ["subscribe", "read", "write"], site.now
        )
        headers = {"Authorization": f"Bearer {made[scopes]}", **content.pop("headers", {})}
        return site.client.request(method, PATH + path, headers=headers, **content)

    made: dict[tuple[Scope, ...], str] = {}
    return ask


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code
    return answer.status_code, said["detail"]


def test_signing_up_asks_by_mail_as_the_form_does(ask: Ask, site: Site, rows: Rows) -> None:
    sent = {"email": "Ada@example.org", "country": "DE", "topics": ["prices"]}
    answer = ask("POST", "", "subscribe", json=sent)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    (reader,) = listing.list_subscribers(site.engine)
    assert (reader.email, reader.consent.state, reader.topics) == ("Ada@example.org", "requested", ("prices",))
    (event,) = rows("consent_event")
    assert (event["method"], event["country"], event["derived"]) == ("operator's site", "DE", "declared")
    assert [row["state"] for row in rows("delivery")] == ["pending"]


def test_the_answer_is_the_same_for_who_is_there_and_who_asked(ask: Ask, site: Site, rows: Rows) -> None:
    site.reader("known@example.org")
    site.reader("left@example.org", "confirmed", "complained")
    names = ("known", "left", "new", "new")
    answers = [ask("POST", "", json={"email": f"{name}@example.org"}) for name in names]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}
    assert len(rows("delivery")) == 2  # a link for who is known, one confirmation for who is new


def test_readers_come_a_page_at_a_time(ask: Ask, site: Site) -> None:
    for number in range(5):
        site.reader(f"r{number}@example.org")
    found, after = [], "0"
    while after:
        page = ask("GET", f"?limit=2&after={after}", "read").json()
        found += [one["email"] for one in page["subscribers"]]
        after = page["next"]
    assert sorted(found) == [f"r{number}@example.org" for number in range(5)]


def test_readers_are_found_by_state_and_country(ask: Ask, site: Site) -> None:
    site.reader("ann@example.org", country="DE")
    site.reader("ben@example.org", "confirmed", "withdrawn")
    assert [one["email"] for one in ask("GET", "?country=DE").json()["subscribers"]] == ["ann@example.org"]
    assert [one["email"] for one in ask("GET", "?state=withdrawn").json()["subscribers"]] == ["ben@example.org"]


def test_one_reader_is_found_removed_and_erased(ask: Ask, site: Site) -> None:
    site.reader("ann@example.org")
    body = {"email": "ANN@example.org"}
    assert ask("POST", "/find", "read", json=body).json()["state"] == "confirmed"
    assert ask("POST", "/remove", "write", json=body).json() == {"state": "withdrawn"}
    assert ask("POST", "/remove", "write", json=body).json() == {"state": "withdrawn"}
    assert ask("POST", "/erase", "write", json=body).json() == {"state": "erased"}
    for path in ("/find", "/remove", "/erase"):
        assert problem(ask("POST", path, json=body)) == (404, "no reader has this address.")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [("POST", "", "subscribe"), ("GET", "", "read"), *(("POST", f"/{it}", it) for it in ("find", "remove", "erase"))],
)
def test_a_key_opens_what_its_scopes_say_and_no_more(ask: Ask, site: Site, method: str, path: str, scope: str) -> None:
    wanted = {"find": "read", "remove": "write", "erase": "write"}.get(scope, scope)
    others: list[Scope] = [one for one in ("subscribe", "read", "write") if one != wanted]
    content = {"json": {"email": "ann@example.org"}} if method == "POST" else {}
    assert problem(ask(method, path, *others, **content)) == (403, f"this wants a key with the scope {wanted}.")


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer dk_x", "Basic dk_x", "dk_x", "Bearer dk_ü"])
def test_without_a_key_that_is_open_nothing_is_answered(site: Site, header: str | None) -> None:
    site.reader("ann@example.org")
    headers = {"Authorization": header.encode()} if header else {}
    answer = site.client.get(PATH, headers=headers)
    assert problem(answer)[0] == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_key_that_was_revoked_is_closed_at_once(ask: Ask, site: Site) -> None:
    assert ask("GET", "").status_code == 200
    revoke_key(site.engine, "key0", site.now)
    assert ask("GET", "").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'"\xff"', 400),
        (b"[" * 15_000, 400),
        (b" " * (MOST_BYTES + 1), 413),
        (b"[]", 422),
        (b'{"email": 1}', 422),
        (b'{"email": "ann"}', 422),
        (b'{"email": "\\ud800@example.org"}', 422),
        (b'{"email": "a@example.org\\r\\nBcc: b@example.org"}', 422),
        (b'{"email": "ann@example.org", "country": "de"}', 422),
        (b'{"email": "ann@example.org", "locale": "tlh"}', 422),
        (b'{"email": "ann@example.org", "topics": ["coding"]}', 422),
        (b'{"email": "ann@example.org", "admin": true}', 422),
    ],
)
def test_what_cannot_be_taken_is_a_problem_that_repeats_nothing(
    ask: Ask, site: Site, body: bytes, status: int, rows: Rows
) -> None:
    answer = ask("POST", "", content=body, headers={"Content-Type": "application/json"})
    assert problem(answer)[0] == status
    assert "ann" not in answer.text
    assert rows("consent_event") == []


def test_a_key_that_asks_too_often_waits(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers_api, "A_MINUTE", 2)
    answers = [ask("GET", "") for _time in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "60"


def test_the_description_names_every_path_and_every_answer(visitor: Client) -> None:
    made = visitor.get("/api/openapi.json").json()
    kept_shut = {PATH, *(f"{PATH}/{name}" for name in ("find", "remove", "erase"))}
    assert kept_shut <= set(made["paths"])
    for path in kept_shut:
        for operation in made["paths"][path].values():
            assert {"400", "401", "403", "413", "422", "429", "503"} <= set(operation["responses"])
            assert operation["security"] == [{"HTTPBearer": []}]
            assert list(operation["responses"]["401"]["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in json.dumps(made)


def test_the_page_about_it_loads_nothing(visitor: Client) -> None:
    page = visitor.get("/api/docs")
    assert page.status_code == 200
    assert "POST /api/v1/subscribers/erase" in words(page)
    assert "<script" not in page.text
    assert 'src="http' not in page.text
