"""A reader's own pages: preferences, pause, what we hold, being forgotten, leaving and its undo."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import Engine
from tests import builders as b
from tests.web.visitors import KEYS, Client, Site, error_of, words

from digest.config.settings import Settings
from digest.database import writing
from digest.edition import store as editions
from digest.edition.rendered import Rendered
from digest.edition.watch_facts import WatchList
from digest.subscribers import links, store

Chosen = dict[str, Any]


@pytest.fixture
def reader(site: Site) -> int:
    return site.reader("ada@example.org", country="DE", derived="header", regime="DE")


@pytest.fixture
def path(site: Site, reader: int) -> str:
    return site.link(reader, "preferences")


@pytest.fixture(autouse=True)
def _published(engine: Engine, settings: Settings, site: Site, rendered: Rendered) -> None:
    """Week 18's edition, approved, so that there is something to follow."""
    with writing(engine) as connection:
        drafted = editions.save_draft(connection, b.an_edition(), rendered, editions.envelope_of(settings), site.now)
        editions.save_approval(connection, "2026-W18", drafted.content_hash, site.now)


def _form_of(page: str) -> Chosen:
    """What a browser would send by pressing Save on the page as it stands."""
    (form,) = html.fromstring(page).xpath("//form[.//input[@name='add']]")
    sent: dict[str, list[str]] = {}
    for field in form.xpath(".//input[@name][not(@type='checkbox' or @type='radio') or @checked]"):
        sent.setdefault(field.get("name"), []).append(field.get("value"))
    for field in form.xpath(".//select"):
        sent[field.get("name")] = field.xpath("./option[@selected]/@value") or field.xpath("./option[1]/@value")
    return dict(sent)


def _kept(site: Site, reader: int) -> store.Subscriber:
    with site.engine.connect() as connection:
        return store.get(connection, [reader])[reader]


# Preferences


def test_the_page_shows_what_is_kept(site: Site, visitor: Client, path: str) -> None:
    page = visitor.get(path)
    assert "ada@example.org, subscribed since Mon 4 May 2026" in words(page)
    assert "country DE, and 1 consent event." in words(page)
    form = _form_of(page.text)
    assert form["topics"] == ["models", "scores", "leaderboards", "prices", "comparisons"]
    assert (form["format"], form["quiet_weeks"], form["country"]) == (["full"], ["note"], ["DE"])


def test_saving_the_page_as_it_stands_changes_nothing(site: Site, visitor: Client, path: str) -> None:
    before = site.stored()
    saved = visitor.post(path, data=_form_of(visitor.get(path).text))
    assert html.fromstring(saved.text).xpath("string(//*[@role='status'])").split() == ["✓", "Saved,", "09:00", "UTC"]
    assert site.stored() == before


def test_every_choice_is_kept_and_shown(site: Site, visitor: Client, path: str, reader: int) -> None:
    chosen = {"topics": ["prices", "models"], "format": "short", "quiet_weeks": "skip", "country": "FR", "add": ""}
    form = _form_of(visitor.post(path, data=chosen).text)
    assert form == _form_of(visitor.get(path).text)
    assert form["topics"] == ["models", "prices"]
    assert (form["format"], form["quiet_weeks"], form["country"]) == (["short"], ["skip"], ["FR"])
    kept = _kept(site, reader)
    assert (kept.topics, kept.consent.country, kept.consent.derived) == (("models", "prices"), "FR", "declared")


def test_a_watch_list_grows_and_shrinks(site: Site, visitor: Client, path: str, reader: int) -> None:
    for name in ("GPT 5.5", "kimi-k2.6"):
        page = visitor.post(path, data={**_form_of(visitor.get(path).text), "add": name})
    rows = [row.text_content().split() for row in html.fromstring(page.text).xpath("//li[.//input[@name='remove']]")]
    assert [row[:3] for row in rows] == [["gpt-5.5", "model", "Remove"], ["kimi-k2.6", "model", "Remove"]]
    visitor.post(path, data={**_form_of(page.text), "remove": ["gpt-5.5"]})
    assert _kept(site, reader).watch == WatchList(models=("kimi-k2.6",))


def test_a_name_that_nobody_knows_is_told_below_the_field_with_the_nearest_and_all_stays_typed(
    site: Site, visitor: Client, path: str
) -> None:
    before = site.stored()
    page = visitor.post(path, data={**_form_of(visitor.get(path).text), "topics": ["prices"], "add": "gpt-5.55"})
    assert page.status_code == 400
    assert "gpt-5.5" in error_of(page, "add").replace("gpt-5.55", "")
    form = _form_of(page.text)
    assert (form["topics"], form["add"]) == (["prices"], ["gpt-5.55"])
    assert site.stored() == before


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"topics": []}, "Choose at least one"),
        ({"topics": ["gossip"]}, "models, scores"),
        ({"format": "loud"}, "Format is none of"),
        ({"quiet_weeks": "never"}, "neither note nor skip"),
        ({"country": "Freedonia"}, "Country is no ISO 3166 code"),
        ({"add": "<script>alert(1)</script>"}, "<script>alert(1)</script>"),
    ],
)
def test_a_choice_that_cannot_be_is_told_and_changes_nothing(
    site: Site, visitor: Client, path: str, changes: Chosen, told: str
) -> None:
    before = site.stored()
    page = visitor.post(path, data={**_form_of(visitor.get(path).text), **changes})
    assert (page.status_code, told in words(page)) == (400, True)
    assert not html.fromstring(page.text).xpath("//script")
    assert site.stored() == before


def test_a_pause_holds_the_mail_until_it_is_ended(site: Site, visitor: Client, path: str, reader: int) -> None:
    paused = visitor.post(f"{path}/pause", data={"weeks": "4"})
    assert "Paused until Mon 1 Jun 2026" in words(paused)
    assert _kept(site, reader).consent.paused_until == site.now + timedelta(weeks=4)
    (button,) = html.fromstring(paused.text).xpath("//button[@name='weeks']")
    assert (button.get("value"), button.text) == ("0", "End the pause")
    assert "Pause for 4 weeks" in words(visitor.post(f"{path}/pause", data={"weeks": "0"}))
    assert _kept(site, reader).consent.paused_until is None


def test_who_left_sees_that_no_mail_comes(site: Site, visitor: Client) -> None:
    reader = site.reader("bob@example.org", "confirmed", "withdrawn")
    assert "You get no mail from us at present" in words(visitor.get(site.link(reader, "preferences")))


# What we hold, and being forgotten


def test_what_we_hold_can_be_read_and_taken_along(site: Site, visitor: Client, reader: int) -> None:
    path = site.link(reader, "my-data")
    assert "ada@example.org" in words(visitor.get(path))
    taken = visitor.get(f"{path}?format=json")
    assert taken.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert taken.headers["Cache-Control"] == "no-store"
    assert taken.json()["email"] == "ada@example.org"
    assert [event["kind"] for event in taken.json()["proof"]] == ["confirmed"]


def test_forgetting_asks_first_and_then_leaves_no_address(site: Site, visitor: Client, reader: int) -> None:
    path = site.link(reader, "forget")
    assert "<h1>Erase everything?</h1>" in visitor.get(path).text
    assert "ada@example.org" in repr(site.stored())
    assert "<h1>You are forgotten</h1>" in visitor.post(path).text
    assert "ada@example.org" not in repr(site.stored())


def test_after_being_forgotten_no_link_opens_anything(site: Site, visitor: Client, reader: int) -> None:
    visitor.post(site.link(reader, "forget"))
    before = site.stored()
    for purpose in ("preferences", "my-data", "forget"):
        for ask in (visitor.get, visitor.post):
            answer = ask(site.link(reader, purpose))
            assert answer.status_code in (200, 405, 410)
            assert "ada@" not in answer.text
    assert visitor.post(site.link(reader, "unsubscribe")).status_code == 200
    assert visitor.post(site.link(reader, "unsubscribe") + "/undo").status_code == 410
    assert site.stored() == before


# Links


@pytest.mark.parametrize("purpose", ["preferences", "my-data", "forget"])
def test_a_link_to_own_pages_is_over_after_a_day(site: Site, visitor: Client, reader: int, purpose: str) -> None:
    path = site.link(reader, purpose)
    site.now += timedelta(hours=25)
    before = site.stored()
    answers = [visitor.get(path)] + [visitor.post(path)] * (purpose != "my-data")
    for answer in answers:
        assert (answer.status_code, "<h1>This link is too old</h1>" in answer.text) == (410, True)
        assert "ada@" not in answer.text
    assert site.stored() == before


@pytest.mark.parametrize("page", ["confirm", "preferences", "my-data", "forget", "unsubscribe"])
def test_a_link_opens_the_one_page_that_it_is_for(site: Site, visitor: Client, reader: int, page: str) -> None:
    others = [
        links.sign(purpose, reader, KEYS, site.now)
        for purpose in (*links.LIFETIMES, links.UNSUBSCRIBE)
        if purpose != page
    ]
    own = links.sign(page, reader, KEYS, site.now)
    spoilt = [own[:-1], own + "A", own[:-1] + ("A" if own[-1] != "A" else "B"), "", "%00", "%ED%A0%80", "A" * 5000]
    before = site.stored()
    for token in (*others, *spoilt):
        for method, more in (("GET", ""), ("POST", ""), ("POST", "/pause"), ("POST", "/undo")):
            answer = visitor.request(method, f"/{page}/{token}{more}")
            assert answer.status_code in (404, 405), (token, method, more)
            assert "<h1>" in answer.text
    assert site.stored() == before


# Leaving


def test_leaving_can_be_undone_by_the_same_link_for_a_month(site: Site, visitor: Client, reader: int) -> None:
    path = site.link(reader, "unsubscribe")
    left = visitor.post(path)
    assert html.fromstring(left.text).xpath("//form/@action") == [f"{path}/undo"]
    site.now += timedelta(days=30)
    assert "<h1>You are subscribed</h1>" in visitor.post(f"{path}/undo").text
    assert _kept(site, reader).consent.state == "confirmed"
    assert "You were subscribed all along" in visitor.post(f"{path}/undo").text


def test_after_a_month_undo_says_how_to_come_back(site: Site, visitor: Client, reader: int) -> None:
    path = site.link(reader, "unsubscribe")
    visitor.post(path)
    site.now += timedelta(days=31)
    answer = visitor.post(f"{path}/undo")
    assert (answer.status_code, "The time to undo is over" in answer.text) == (410, True)
    assert _kept(site, reader).consent.state == "withdrawn"


def test_pausing_instead_keeps_the_reader(site: Site, visitor: Client, reader: int) -> None:
    answer = visitor.post(site.link(reader, "unsubscribe") + "/pause")
    assert "<h1>Paused until Mon 1 Jun 2026</h1>" in answer.text
    assert _kept(site, reader).consent.state == "confirmed"


def test_who_has_left_has_nothing_to_pause(site: Site, visitor: Client, reader: int) -> None:
    path = site.link(reader, "unsubscribe")
    visitor.post(path)
    before = site.stored()
    assert visitor.post(f"{path}/pause").status_code == 409
    assert site.stored() == before


@pytest.mark.parametrize("act", ["", "/undo", "/pause"])
def test_opening_what_only_acts_changes_nothing(site: Site, visitor: Client, reader: int, act: str) -> None:
    path = site.link(reader, "unsubscribe") + act
    before = site.stored()
    for look in (visitor.get, visitor.head):
        assert look(path).status_code == (405 if act else 200)
    assert site.stored() == before


def test_no_page_of_the_mails_own_link_names_the_reader(site: Site, visitor: Client, reader: int) -> None:
    path = site.link(reader, "unsubscribe")
    acts: list[Callable[..., Any]] = [visitor.get, visitor.post, visitor.post]
    answers = [act(path) for act in acts] + [visitor.post(path + act) for act in ("/undo", "/pause", "/undo")]
    assert not any("example.org" in answer.text or "Germany" in answer.text for answer in answers)
