"""Each page in each of its states: for those who see little, who have a small screen, who have a keyboard alone."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route
from sqlalchemy import text
from tests import builders as b
from tests.browser.accessibility import (
    FOCUSED,
    low_contrasts,
    overflowing,
    overflowing_when_zoomed,
    small_targets,
    tab_stops,
    violations,
)
from tests.browser.conftest import Serving
from tests.captures import declared
from tests.outgoing import some_outgoing
from tests.web.visitors import Site

from digest import audit
from digest.config.settings import Settings
from digest.database import writing
from digest.delivery import outbox
from digest.edition import store as editions
from digest.edition.rendered import Rendered
from digest.scores.store import add_failure
from digest.web import abuse

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

Form = dict[str, Any]
WATCHED = {"topics": ["models", "prices"], "add": "gpt-5.5"}
CAPTCHA = {"captcha": {"verify_url": "https://captcha.example/verify"}}


class State(NamedTuple):
    """A page in a state: its status, words in it, and the path, or path and form, that leads there, with a key of these
    scopes if it wants one."""

    status: int
    words: str
    reach: Callable[[Site], str | tuple[str, Form]]
    signup: Mapping[str, Any] = MappingProxyType({})
    published: bool = True
    scopes: tuple[str, ...] = ()

    def headers(self, site: Site) -> dict[str, str]:
        return site.key_header(*self.scopes) if self.scopes else {}


def own(purpose: str, *kinds: Any, later: timedelta = timedelta(0), act: str = "") -> Callable[[Site], str]:
    """The path of a page of a reader with these events, opened some time after it was made."""

    def reach(site: Site) -> str:
        link = site.link(site.reader("ada@example.org", *kinds), purpose)
        site.now += later
        return link + act

    return reach


def pressed(path: Callable[[Site], str], *forms: Form, act: str = "") -> Callable[[Site], tuple[str, Form]]:
    """Forms sent to a page one after the other, the last one by the browser, there or at an act below it."""

    def reach(site: Site) -> tuple[str, Form]:
        *before, last = forms or ({},)
        here = path(site)
        for form in before:
            send(site, here, form)
        return here + act, last

    return reach


def asked(path: str, times: int = 1, **changes: Any) -> Callable[[Site], tuple[str, Form]]:
    """The sign-up form with changes, sent so many times."""

    def reach(site: Site) -> tuple[str, Form]:
        for _ in range(times - 1):
            send(site, path, site.filled(**changes))
        return path, site.filled(**changes)

    return reach


def left_for_long(site: Site) -> tuple[str, Form]:
    path = own("unsubscribe")(site)
    send(site, path, {})
    site.now += timedelta(days=31)
    return f"{path}/undo", {}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"sources": {"lmarena_text": declared()}})


def overseen(site: Site) -> str:
    """The operator's page, with something under each of its heads."""
    for number, regime in enumerate(("US", "DE", "DE", "KR", "JP", "BR", "IN")):
        site.reader(f"r{number}@example.org", regime=regime)
    site.reader("left@example.org", "confirmed", "withdrawn", regime="DE", detail="often")
    with writing(site.engine) as connection:
        audit.write(connection, "approved", "2026-W18", "the editor", site.now)
        said = "a-name-as-long-as-some-are.raw.githubusercontent.com cannot be reached, or broke off"
        add_failure(connection, "lmarena_text", site.now.date(), site.now, said)
        outbox.queue(connection, some_outgoing(), "hash of what was approved", site.now)
    return "/admin"


def without_its_tables(site: Site) -> str:
    path = own("preferences")(site)
    with writing(site.engine) as connection:
        connection.execute(text("ALTER TABLE subscriber RENAME TO elsewhere"))
    return path


def send(site: Site, path: str, form: Form) -> None:
    answer = httpx.post(f"{site.settings.series.base_url}{path}", data=form, trust_env=False)
    assert answer.status_code < 500


TWO_DAYS, A_DAY = timedelta(hours=49), timedelta(hours=25)
confirming, choosing, leaving = own("confirm", "requested"), own("preferences"), own("unsubscribe")

STATES = {
    "signing up": State(200, "Latest edition, No. 18", lambda _: "/"),
    "signing up before any edition": State(200, "Silence is honest", lambda _: "/", published=False),
    "signing up with mistakes": State(
        400, "Choose at least one", asked("/subscribe", email="x", agree=None, topics=[])
    ),
    "signing up too fast": State(400, "faster than a person", asked("/subscribe", opened="")),
    "signing up with a CAPTCHA": State(400, "proof that you are a person", asked("/subscribe"), CAPTCHA),
    "check your mail": State(200, "Check your mail", asked("/subscribe")),
    "too many requests": State(429, "Too many requests", asked("/subscribe", 2), {"per_network": 1}),
    "confirmations are paused": State(503, "taking a breath", asked("/subscribe", 2), {"in_all": 1}),
    "confirming": State(200, "One click left", confirming),
    "confirmed": State(200, "You are in", pressed(confirming)),
    "confirmed before": State(200, "You are in already", pressed(confirming, {}, {})),
    "confirming too late": State(410, "too old", own("confirm", "requested", later=TWO_DAYS)),
    "confirming by a broken link": State(404, "not one of ours", lambda _: "/confirm/x"),
    "asking for a link": State(200, "mail you a link", lambda _: "/preferences"),
    "asking for a link with a mistake": State(400, "must have an @-sign", asked("/preferences", email="x")),
    "a link is on its way": State(200, "is on its way", asked("/preferences")),
    "preferences": State(200, "Add to the list", choosing),
    "preferences saved": State(200, "Saved, 09:00 UTC", pressed(choosing, WATCHED)),
    "preferences with a name nobody knows": State(
        400, "gpt-9", pressed(choosing, WATCHED, {**WATCHED, "add": "gpt-9"})
    ),
    "preferences without a topic": State(400, "Choose at least one, or leave", pressed(choosing, {"topics": []})),
    "preferences in a pause": State(200, "Paused until", pressed(choosing, {"weeks": "4"}, act="/pause")),
    "preferences of who left": State(200, "You get no mail", own("preferences", "confirmed", "withdrawn")),
    "preferences too late": State(410, "too old", own("preferences", later=A_DAY)),
    "unsubscribing": State(200, "Unsubscribe?", leaving),
    "unsubscribed": State(200, "You are unsubscribed", pressed(leaving)),
    "unsubscribed before": State(200, "You had left already", pressed(leaving, {}, {})),
    "undone": State(200, "You are subscribed", pressed(own("unsubscribe"), {}, {}, act="/undo")),
    "undone too late": State(410, "The time to undo is over", left_for_long),
    "paused": State(200, "Paused until", pressed(leaving, act="/pause")),
    "nothing to pause": State(409, "nothing to pause", pressed(own("unsubscribe", "requested"), act="/pause")),
    "my data": State(200, "What we hold about you", own("my-data")),
    "erasing": State(200, "Erase everything?", own("forget")),
    "erased": State(200, "You are forgotten", pressed(own("forget"))),
    "privacy": State(200, "What we do not store", lambda _: "/privacy"),
    "method": State(200, "What is not news", lambda _: "/method"),
    "editions": State(200, "No. 18", lambda _: "/editions"),
    "no editions": State(200, "No edition has come out yet", lambda _: "/editions", published=False),
    "an edition": State(200, "In brief", lambda _: "/editions/2026-W18"),
    "the API": State(200, "Authorization: Bearer", lambda _: "/api/docs"),
    "the operator's page": State(200, "7 pending", overseen, scopes=("read",)),
    "the operator's page of a new house": State(
        200, "None was approved yet", lambda _: "/admin", published=False, scopes=("read",)
    ),
    "the operator's page with a key of another use": State(
        403, "This key is for something else", lambda _: "/admin", scopes=("subscribe",)
    ),
    "no such page": State(404, "There is no such page", lambda _: "/nowhere"),
    "no form at all": State(400, "could not be read", lambda _: ("/subscribe", {"email": "\0"})),
    "a page that only acts": State(405, "cannot be done here", lambda _: "/subscribe"),
    "a form that is too large": State(413, "That is too much", asked("/subscribe", leave_this_empty="x" * 70_000)),
    "the database is gone": State(503, "did not work just now", without_its_tables),
}


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(java_script_enabled=False) as context:
        context.set_default_timeout(60_000)
        yield context.new_page()


@pytest.fixture
def publish(rendered: Rendered) -> Callable[[Site], None]:
    """Week 18's edition, approved."""

    def publish(site: Site) -> None:
        edition, envelope = b.an_edition(), editions.envelope_of(site.settings)
        with writing(site.engine) as connection:
            drafted = editions.save_draft(connection, edition, rendered, envelope, site.now)
            editions.save_approval(connection, "2026-W18", drafted.content_hash, site.now)

    return publish


def go(page: Page, site: Site, where: str | tuple[str, Form]) -> int:
    """Open a page, or send a form to it as a button does; its status."""
    path, form = where if isinstance(where, tuple) else (where, None)

    def posted(route: Route) -> None:
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        route.continue_(method="POST", headers=fields, post_data=urlencode(form or {}, doseq=True))

    url = f"{site.settings.series.base_url}{path}"
    if form is not None:
        page.route(url, posted)
    answer = page.goto(url)
    assert answer is not None
    return answer.status


@pytest.mark.parametrize("name", STATES)
def test_every_page_is_for_everyone(
    page: Page, serving: Serving, settings: Settings, publish: Callable[[Site], None], name: str
) -> None:
    state = STATES[name]
    signup = type(settings.signup).model_validate(dict(state.signup))
    with serving(settings.model_copy(update={"signup": signup})) as site:
        if state.published:
            publish(site)
        where = state.reach(site)
        page.set_extra_http_headers(state.headers(site))
        assert go(page, site, where) == state.status
        assert state.words in page.inner_text("body")
        for width, scheme in ((1200, "dark"), (375, "light")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert violations(page) == []
            assert low_contrasts(page) == []
            assert overflowing(page) == []
            assert small_targets(page) == []
        assert overflowing_when_zoomed(page) == []


IN_GERMAN = (
    "signing up with mistakes",
    "preferences saved",
    "confirming",
    "unsubscribed",
    "my data",
    "privacy",
    "an edition",
)


@pytest.mark.parametrize("name", IN_GERMAN)
def test_longer_words_have_room_too(
    page: Page, serving: Serving, settings: Settings, publish: Callable[[Site], None], name: str
) -> None:
    with serving(settings) as site:
        publish(site)
        where = STATES[name].reach(site)
        go(page, site, (f"{where[0]}?lang=de", where[1]) if isinstance(where, tuple) else f"{where}?lang=de")
        assert page.locator("html").get_attribute("lang") == "de"
        assert violations(page) == []
        for width in (375, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert overflowing(page) == []
            assert small_targets(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") == width


HEAD = ["Digest", "Archive", "Leaderboard", "Compare", "Method", "Sign up"]
FOOT = ["Method", "Atom", "JSON feed", "Privacy: no tracking pixels, no IP addresses stored", "Deutsch"]
TOPICS = ["New models", "Score changes", "Leaderboard shifts", "Prices and context", "Side by side and best picks"]
AGREE = "Yes, send me the weekly digest. I can withdraw at any time."


@pytest.fixture
def site(serving: Serving, settings: Settings, publish: Callable[[Site], None]) -> Iterator[Site]:
    with serving(settings) as site:
        publish(site)
        yield site


def test_the_keyboard_reaches_all_of_the_sign_up_page_in_its_order(page: Page, site: Site) -> None:
    go(page, site, "/")
    asked = ["Email address", *TOPICS, "Language", AGREE, "Say where you are", "Send me the confirmation email"]
    assert tab_stops(page) == [*HEAD, *asked, "Read No. 18", "All editions", *FOOT]


def test_the_keyboard_reaches_all_of_the_preferences_in_their_order(page: Page, site: Site) -> None:
    path = choosing(site)
    send(site, path, WATCHED)
    go(page, site, path)
    chosen = [*TOPICS, "Remove gpt-5.5", "Add to the list", "Full edition", "Send a short note", "Language", "Country"]
    acts = ["Save preferences", "Pause for 4 weeks", "See or download", "Erase", "Unsubscribe"]
    assert tab_stops(page) == [*HEAD, *chosen, *acts, *FOOT]


def test_the_keyboard_alone_signs_a_reader_up(page: Page, site: Site) -> None:
    go(page, site, "/")
    site.now += abuse.SHORTEST
    page.keyboard.press("Tab")
    for words, keys in {"Email address": "ada@example.org", "Score changes": " ", AGREE: " "}.items():
        while page.evaluate(FOCUSED) != words:
            page.keyboard.press("Tab")
        page.keyboard.type(keys)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == "Check your mail"
    assert '["models", "leaderboards", "prices", "comparisons"]' in repr(site.stored())


def test_focus_goes_to_what_is_wrong_and_to_the_way_back(page: Page, site: Site) -> None:
    go(page, site, asked("/subscribe", email="x")(site))
    assert page.evaluate(FOCUSED) == "Email address"
    go(page, site, pressed(leaving)(site))
    assert page.evaluate(FOCUSED) == "Undo, keep me subscribed"
