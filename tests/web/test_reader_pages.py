"""Signing up, confirming, asking for a link: what a visitor sees, what is stored, and what nobody learns."""

import logging
import re
import time
from datetime import timedelta
from typing import Any

import pytest
import responses
from lxml import html
from sqlalchemy import Engine
from tests import builders as b
from tests.subscribers.country_files import nested, write
from tests.web.visitors import KEYS, Client, Site, error_of, words

from digest.config.settings import Settings
from digest.database import writing
from digest.edition import store as editions
from digest.edition.rendered import Rendered
from digest.errors import StorageError
from digest.subscribers import links
from digest.web import abuse, signing_up

UTF16 = "email=ada@example.org&agree=yes".encode("utf-16")
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
UTF7 = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}
PART = b"--x\r\nContent-Disposition: form-data; name=a%s\r\n\r\n%s\r\n--x--"
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_up, "ANSWER_AFTER", 0.001)


@pytest.fixture
def published(engine: Engine, settings: Settings, site: Site, rendered: Rendered) -> None:
    """Week 18's edition, approved."""
    with writing(engine) as connection:
        drafted = editions.save_draft(connection, b.an_edition(), rendered, editions.envelope_of(settings), site.now)
        editions.save_approval(connection, "2026-W18", drafted.content_hash, site.now)


def _behind_a_proxy(site: Site, **more: Any) -> Site:
    """A site whose proxy, the visitor of these tests, names the country."""
    known = {"trusted_proxies": ["127.0.0.0/8"], "country_header": "CF-IPCountry", **more}
    location = site.settings.location.model_copy(update=known)
    return Site(site.engine, site.settings.model_copy(update={"location": location}))


# The sign-up page


def test_the_sign_up_page_has_all_topics_on_and_no_consent_given(visitor: Client) -> None:
    page = html.fromstring(visitor.get("/").text)
    assert len(page.xpath("//input[@name='topics'][@checked]")) == 5
    assert len(page.xpath("//input[@type='checkbox'][@disabled][@checked][not(@name)]")) == 1
    (agree,) = page.xpath("//input[@name='agree']")
    assert ("checked" in agree.attrib, "required" in agree.attrib) == (False, True)
    assert "Yes, send me the weekly digest. I can withdraw at any time." in page.text_content()


def test_the_latest_edition_is_shown_beside_the_form(visitor: Client, published: None) -> None:
    page = html.fromstring(visitor.get("/").text)
    (card,) = page.xpath("//section")
    assert "gpt-5.5 xhigh ties for first on LiveBench" in card.text_content()
    assert [row.text_content() for row in card.xpath(".//tbody/tr/th")] == [
        "gpt-5.5 xhigh", "gpt-5.4 xhigh", "gemini-3.1-pro-preview high",
    ]  # fmt: skip
    assert "/editions/2026-W18" in card.xpath(".//@href")


def test_without_an_edition_there_is_no_card(visitor: Client) -> None:
    page = visitor.get("/")
    assert page.status_code == 200
    assert not html.fromstring(page.text).xpath("//section")


def test_an_edition_with_nothing_but_failures_has_a_card_without_a_table(
    visitor: Client, engine: Engine, settings: Settings, site: Site, rendered: Rendered
) -> None:
    empty = b.an_empty_edition(health=(b.a_failed_source(),))
    with writing(engine) as connection:
        drafted = editions.save_draft(connection, empty, rendered, editions.envelope_of(settings), site.now)
        editions.save_approval(connection, "2026-W18", drafted.content_hash, site.now)
    card = html.fromstring(visitor.get("/").text).xpath("//section")
    assert len(card) == 1
    assert not card[0].xpath(".//table")


@pytest.mark.parametrize(
    ("country", "told", "age"),
    [
        ("DE", "you seem to be in Germany (rules of the European Union and the EEA)", "16"),
        ("EE", "you seem to be in Estonia (rules of the European Union and the EEA)", "16"),
        ("US", "you seem to be in the United States (rules of the United States)", "13"),
        ("NP", "You seem to be in Nepal, whose rules we do not know, so the strictest hold", "18"),
        ("XX", "We cannot tell your country, so the strictest rules hold", "18"),
    ],
)
def test_the_page_says_where_it_takes_the_visitor_to_be_and_which_rules_follow(
    site: Site, country: str, told: str, age: str
) -> None:
    page = words(_behind_a_proxy(site).client.get("/", headers={"CF-IPCountry": country}))
    assert told in page
    assert f"You must be {age} or older" in page


def test_every_country_can_be_chosen_instead(visitor: Client) -> None:
    options = html.fromstring(visitor.get("/").text).xpath("//details//select[@name='country']/option")
    assert [option.get("value") for option in options[:3]] == ["", "AF", "AX"]
    assert len(options) == 250


# Signing up


def test_a_request_is_stored_with_its_topics_and_one_confirmation_mail_is_queued(site: Site, visitor: Client) -> None:
    answer = visitor.post("/subscribe", data=site.filled(topics=["prices", "models"], country="FR"))
    assert (answer.status_code, "<h1>Check your mail</h1>" in answer.text) == (200, True)
    stored = repr(site.stored())
    assert "'Ada@Example.org', 'ada@example.org'" in stored
    assert '["models", "prices"]' in stored
    assert "'FR', 'declared', 'FR'" in stored
    assert stored.count("'requested'") == 2  # the state and the event
    assert stored.count("'confirmation'") == 1


def test_a_country_that_a_proxy_names_is_kept_and_the_address_that_it_names_is_not(site: Site) -> None:
    site = _behind_a_proxy(site)
    where = {"CF-IPCountry": "KR", "X-Forwarded-For": "203.0.113.77"}
    site.client.post("/subscribe", data=site.filled(), headers=where)
    stored = repr(site.stored())
    assert "'KR', 'header', 'KR'" in stored
    assert "203.0.113" not in stored


def test_the_answer_is_the_same_for_who_is_new_known_asked_gone_or_complained(site: Site, visitor: Client) -> None:
    site.reader("known@example.org")
    site.reader("asked@example.org", "requested")
    site.reader("gone@example.org", "confirmed", "withdrawn")
    site.reader("angry@example.org", "confirmed", "complained")
    site.reader("bounced@example.org", "confirmed", "bounced")
    addresses = [f"{who}@example.org" for who in ("new", "known", "asked", "gone", "angry", "bounced")]
    answers = [visitor.post("/subscribe", data=site.filled(email=address)) for address in (*addresses, *addresses)]
    assert len({(answer.status_code, answer.content, repr(answer.headers)) for answer in answers}) == 1
    assert not any(address in answers[0].text for address in addresses)


def test_no_answer_comes_before_its_time_whatever_the_database_did(
    site: Site, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise StorageError("the database is locked")

    monkeypatch.setattr(signing_up, "ANSWER_AFTER", 0.2)
    for status, path in ((200, "/subscribe"), (200, "/preferences"), (503, "/subscribe")):
        if status == 503:
            monkeypatch.setattr("digest.membership.signing_up.sign_up", locked)
        started = time.monotonic()
        assert visitor.post(path, data=site.filled()).status_code == status
        assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"email": "ada"}, "email", "must have an @-sign"),
        ({"email": "ada@example.org\r\nBcc: eve@example.org"}, "email", "Email is no address"),
        ({"email": ""}, "email", "Write the address"),
        ({"email": None}, "email", "Write the address"),
        ({"agree": None}, "agree", "Tick this box"),
    ],
)
def test_what_is_wrong_is_said_below_its_field_and_what_was_typed_stays(
    site: Site, visitor: Client, changes: dict[str, Any], field: str, told: str
) -> None:
    before = site.stored()
    answer = visitor.post("/subscribe", data=site.filled(topics=["prices"], country="IT", **changes))
    assert answer.status_code == 400
    assert told in error_of(answer, field)
    page = html.fromstring(answer.text)
    assert page.xpath("//input[@name='topics'][@checked]/@value") == ["prices"]
    assert page.xpath("//select[@name='country']/option[@selected]/@value") == ["IT"]
    assert (
        page.xpath("string(//input[@name='email']/@value)").split()
        == (changes.get("email", "Ada@Example.org") or "").split()
    )
    assert site.stored() == before


def test_all_that_is_wrong_is_said_at_once(site: Site, visitor: Client) -> None:
    answer = visitor.post("/subscribe", data=site.filled(email="x", agree=None, topics=[]))
    assert "Choose at least one" in answer.text
    assert error_of(answer, "email")
    assert error_of(answer, "agree")


@pytest.mark.parametrize("changes", [{"topics": ["gossip"]}, {"locale": "tlh"}, {"country": "Freedonia"}])
def test_a_choice_that_was_never_offered_is_refused(site: Site, visitor: Client, changes: dict[str, Any]) -> None:
    before = site.stored()
    answer = visitor.post("/subscribe", data=site.filled(**changes))
    assert answer.status_code == 400
    assert "✕" in words(answer)
    assert site.stored() == before


def test_what_was_typed_comes_back_as_text(site: Site, visitor: Client) -> None:
    hostile = "\"><script>alert(1)</script>' onfocus=x"
    answer = visitor.post("/subscribe", data=site.filled(email=hostile, **{abuse.TOKEN_FIELD: hostile}))
    page = html.fromstring(answer.text)
    assert not page.xpath("//script | //@onfocus")
    assert page.xpath("//input[@name='email']/@value") == [hostile]


# Against programs


def test_a_program_that_fills_in_what_nobody_sees_learns_nothing_and_changes_nothing(
    site: Site, visitor: Client
) -> None:
    before = site.stored()
    for path in ("/subscribe", "/preferences"):
        caught = visitor.post(path, data=site.filled(**{abuse.HONEYPOT: "https://spam.example"}))
        assert site.stored() == before
    assert caught.text == visitor.post("/preferences", data=site.filled()).text


def test_a_form_that_comes_back_too_fast_asks_to_press_once_more_and_then_works(site: Site, visitor: Client) -> None:
    fresh = html.fromstring(visitor.get("/").text).xpath(f"//input[@name='{abuse.TOKEN_FIELD}']/@value")[0]
    answer = visitor.post("/subscribe", data=site.filled(**{abuse.TOKEN_FIELD: fresh}))
    assert (answer.status_code, "Press the button again" in answer.text) == (400, True)
    again = html.fromstring(answer.text).xpath(f"//input[@name='{abuse.TOKEN_FIELD}']/@value")[0]
    assert again == fresh
    site.now += timedelta(seconds=2)
    assert visitor.post("/subscribe", data=site.filled(**{abuse.TOKEN_FIELD: again})).status_code == 200


@pytest.mark.parametrize("token", [None, "", "x", "A" * 24, links.sign(links.UNSUBSCRIBE, 1, KEYS)])
def test_a_form_with_a_token_that_is_not_ours_gets_a_new_one(site: Site, visitor: Client, token: str | None) -> None:
    answer = visitor.post("/subscribe", data=site.filled(**{abuse.TOKEN_FIELD: token}))
    assert answer.status_code == 400
    (given,) = html.fromstring(answer.text).xpath(f"//input[@name='{abuse.TOKEN_FIELD}']/@value")
    assert given == abuse.form_token(KEYS, site.now)


@pytest.mark.parametrize(
    ("most", "status", "told"),
    [("per_network", 429, "too many requests from here"), ("in_all", 503, "Too many requests come in at once")],
)
def test_too_many_requests_get_the_same_page_for_every_address(site: Site, most: str, status: int, told: str) -> None:
    site.reader("known@example.org")
    signup = site.settings.signup.model_copy(update={most: 2})
    site = Site(site.engine, site.settings.model_copy(update={"signup": signup}))
    addresses = [f"r{n}@example.org" for n in range(4)]
    answers = [site.client.post("/subscribe", data=site.filled(email=one)) for one in (*addresses, "known@example.org")]
    assert [answer.status_code for answer in answers] == [200, 200, status, status, status]
    assert len({answer.content for answer in answers[2:]}) == 1
    assert told in words(answers[2])
    assert answers[2].headers["Retry-After"] == "3600"
    # Who is subscribed can ask for their link while sign-ups are paused.
    assert site.client.post("/preferences", data=site.filled()).status_code == (429 if status == 429 else 200)
    assert len(site.stored()["brake"]) == (status == 503)


@responses.activate
def test_a_captcha_that_is_configured_must_be_passed(site: Site) -> None:
    captcha = {"verify_url": "https://captcha.example/verify", "field": "proof", "secret": "s"}
    signup = site.settings.signup.model_validate({"captcha": captcha})
    site = Site(site.engine, site.settings.model_copy(update={"signup": signup}))
    responses.post("https://captcha.example/verify", json={"success": False})
    responses.post("https://captcha.example/verify", json={"success": True})
    assert html.fromstring(site.client.get("/").text).xpath("//input[@name='proof']")
    refused = site.client.post("/subscribe", data=site.filled(proof="1"))
    assert (refused.status_code, "did not hold" in error_of(refused, "captcha")) == (400, True)
    assert site.client.post("/subscribe", data=site.filled(proof="2")).status_code == 200


# Bodies that no form sends


@pytest.mark.parametrize("path", ["/subscribe", "/preferences", "/preferences/{}", "/confirm/{}", "/forget/{}"])
@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"email=" + b"a" * 65_536, URLENCODED, 413),
        (b"email=%FF%FE", URLENCODED, 400),
        (b"email=\xff", URLENCODED, 400),
        (b"email=a%00b", URLENCODED, 400),
        (UTF16, {"Content-Type": "application/x-www-form-urlencoded; charset=utf-16"}, 400),
        (b"&".join([b"a=1"] * 300), URLENCODED, 400),
        (b"no parts", {"Content-Type": "multipart/form-data"}, 400),
        (PART % (b"", b"\xff"), MULTIPART, 400),
        (PART % (b"", b"+2AA-"), UTF7, 400),
        (PART % (b"; filename=b", b"c"), MULTIPART, 400),
    ],
)  # fmt: skip
def test_a_body_that_is_no_form_of_ours_gets_a_clear_page_and_changes_nothing(
    site: Site, visitor: Client, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    purpose = path.split("/")[1]
    reader = site.reader("ada@example.org", "requested") if "{}" in path else 0
    path = site.link(reader, purpose) if reader else path
    before = site.stored()
    answer = visitor.post(path, content=body, headers=headers)
    assert (answer.status_code, len(html.fromstring(answer.text).xpath("//h1"))) == (status, 1)
    assert site.stored() == before


@pytest.mark.parametrize(
    "field", ["email", "topics", "locale", "country", "agree", abuse.HONEYPOT, abuse.TOKEN_FIELD, "x"]
)
def test_no_field_can_carry_a_header_into_a_mail(site: Site, visitor: Client, field: str) -> None:
    answer = visitor.post("/subscribe", data=site.filled(**{field: "DE\r\nBcc: eve@example.org\r\n\r\nbody"}))
    assert answer.status_code in (200, 400)
    assert "Bcc" not in repr(site.stored())


# Confirming


def test_confirming_asks_first_tells_nobody_the_address_and_then_acts(site: Site, visitor: Client) -> None:
    path = site.link(site.reader("ada@example.org", "requested"), "confirm")
    asked = visitor.get(path)
    assert (asked.status_code, "example.org" in asked.text) == (200, False)
    done = visitor.post(path)
    assert "<h1>You are in</h1>" in done.text
    assert "'confirmed'" in repr(site.stored()["subscriber"])
    (own,) = [link for link in html.fromstring(done.text).xpath("//main//@href") if link.startswith("/preferences/")]
    assert "ada@example.org" in words(visitor.get(own))


def test_confirming_again_says_so_and_gives_no_link_to_the_readers_own_pages(site: Site, visitor: Client) -> None:
    path = site.link(site.reader("ada@example.org", "requested"), "confirm")
    visitor.post(path)
    before = site.stored()
    for answer in (visitor.get(path), visitor.post(path)):
        assert (answer.status_code, "<h1>You are in already</h1>" in answer.text) == (200, True)
        assert "/preferences/" not in answer.text
    assert site.stored() == before


def test_a_confirmation_link_is_over_after_two_days(site: Site, visitor: Client) -> None:
    path = site.link(site.reader("ada@example.org", "requested"), "confirm")
    site.now += timedelta(hours=49)
    before = site.stored()
    for answer in (visitor.get(path), visitor.post(path)):
        assert (answer.status_code, "<h1>This link is too old</h1>" in answer.text) == (410, True)
        assert "Sign up again" in answer.text
    assert site.stored() == before


# Asking for a link


def test_a_link_to_the_preferences_goes_by_mail_and_only_to_who_is_known(site: Site, visitor: Client) -> None:
    site.reader("ada@example.org")
    assert "<h1>Your preferences</h1>" in visitor.get("/preferences").text
    unknown = visitor.post("/preferences", data=site.filled(email="nobody@example.org"))
    assert "'preferences'" not in repr(site.stored())
    known = visitor.post("/preferences", data=site.filled(email="ADA@example.org"))
    assert repr(site.stored()).count("'preferences'") == 1
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


def test_an_address_that_is_none_is_told_below_its_field(site: Site, visitor: Client) -> None:
    answer = visitor.post("/preferences", data=site.filled(email="ada"))
    assert (answer.status_code, "@-sign" in error_of(answer, "email")) == (400, True)


# All pages


def _everything(site: Site) -> dict[str, bool]:
    """The pages there are, by path, and whether each is somebody's own."""
    reader, asked = site.reader("ada@example.org"), site.reader("bob@example.org", "requested")
    public = ["/", "/preferences", "/privacy", "/method", "/editions", "/editions/2026-W18", "/nothing"]
    own = [site.link(reader, purpose) for purpose in ("preferences", "my-data", "forget", "unsubscribe")]
    other = [site.link(asked, "confirm"), site.link(reader, "forget") + "x", "/confirm/x"]
    return {**dict.fromkeys(public, False), **dict.fromkeys((*own, *other), True)}


def test_looking_at_every_page_changes_nothing(site: Site, visitor: Client, published: None) -> None:
    paths = _everything(site)
    before = site.stored()
    for path in paths:
        codes = {visitor.get(path).status_code, visitor.head(path).status_code}
        assert len(codes) == 1
        assert codes <= {200, 404}
    assert site.stored() == before


def test_every_page_has_one_heading_a_language_a_title_and_labels_and_is_found_by_searchers_only_if_public(
    site: Site, visitor: Client, published: None
) -> None:
    for path, private in _everything(site).items():
        answer = visitor.get(path)
        page = html.fromstring(answer.text)
        assert (page.get("lang"), len(page.xpath("//h1")), bool(page.findtext(".//title"))) == ("en", 1, True), path
        for field in page.xpath("//input[not(@type='hidden')] | //select"):
            assert page.xpath("//label[@for=$id]", id=field.get("id", "")) or field.xpath("ancestor::label"), path
        assert bool(page.xpath("//meta[@name='robots'][@content='noindex']")) is private, path
        assert set(page.xpath("//link/@rel")) <= {"canonical", "alternate"}, path
        assert not re.search(r"<script|<img|\bsrc=|\bstyle=|@import|url\(", answer.text), path
        assert "set-cookie" not in answer.headers


def test_every_link_of_every_page_leads_somewhere(site: Site, visitor: Client, published: None) -> None:
    seen, waiting = set(), list(_everything(site))
    while waiting:
        path = waiting.pop()
        seen.add(path)
        own = [link for link in html.fromstring(visitor.get(path).text).xpath("//@href") if link.startswith("/")]
        waiting += [link for link in dict.fromkeys(own) if link not in (*seen, *waiting)]
        assert all(visitor.get(link).status_code == 200 for link in own)
    assert len(seen) > 12


def test_below_a_folder_every_link_and_form_stays_in_it(site: Site, published: None) -> None:
    series = site.settings.series.model_copy(update={"base_url": "https://example.org/digest/"})
    site = Site(site.engine, site.settings.model_copy(update={"series": series}))
    for path in _everything(site):
        page = html.fromstring(site.client.get(path).text)
        inner = [link for link in page.xpath("//@href | //@action") if not link.startswith("https://")]
        assert all(link.startswith(("/digest/", "?lang=")) for link in inner), path


@pytest.mark.parametrize("path", ["/subscribe", "/privacy", "/method", "/editions", "/preferences/x/pause"])
def test_a_method_that_a_page_does_not_have_gets_a_page_that_names_those_it_has(visitor: Client, path: str) -> None:
    answer = visitor.request("DELETE", path)
    assert (answer.status_code, "<h1>That cannot be done here</h1>" in answer.text) == (405, True)
    assert answer.headers["Allow"]


@pytest.mark.parametrize(("base", "told"), [("https://digest.example", True), ("http://127.0.0.1:8000", False)])
def test_a_browser_is_told_to_come_back_by_tls_where_the_site_has_it(site: Site, base: str, told: bool) -> None:
    series = site.settings.series.model_copy(update={"base_url": base})
    site = Site(site.engine, site.settings.model_copy(update={"series": series}))
    assert ("Strict-Transport-Security" in site.client.get("/").headers) is told


def test_a_crash_is_a_page_too_and_its_words_are_in_no_log(
    site: Site, visitor: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("cannot write to ada@example.org")

    monkeypatch.setattr("digest.membership.signing_up.sign_up", crash)
    with caplog.at_level(logging.DEBUG):
        answer = visitor.post("/subscribe", data=site.filled())
    assert (answer.status_code, "the fault is ours" in answer.text) == (500, True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "RuntimeError" in caplog.text
    assert "ada@" not in caplog.text.lower()


def test_the_country_database_is_credited_where_there_is_one(site: Site, tmp_path: Any) -> None:
    assert "db-ip.com" not in site.client.get("/privacy").text
    for kind, credited in (("DBIP-Country-Lite", True), ("GeoLite2-Country", False)):
        path = write(tmp_path / f"{kind}.mmdb", site.now, {"203.0.113.0/24": nested("DE")}, kind)
        assert ("db-ip.com" in _behind_a_proxy(site, database=path).client.get("/privacy").text) is credited


def test_the_list_of_editions_has_the_approved_ones_alone(
    visitor: Client, published: None, engine: Engine, settings: Settings, site: Site, rendered: Rendered
) -> None:
    with writing(engine) as connection:
        draft = b.an_edition(week="2026-W19", number=19)
        editions.save_draft(connection, draft, rendered, editions.envelope_of(settings), site.now)
    assert html.fromstring(visitor.get("/editions").text).xpath("//main//ol//@href") == ["/editions/2026-W18"]
