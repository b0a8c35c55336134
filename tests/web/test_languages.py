"""Pages in a language: the visitor's, or that of the reader whose page it is; and what was shown is what is stored."""

from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import Engine, text
from tests.web.newest import ID, a_receipt, a_week, publish, with_sources
from tests.web.visitors import Client, Site, error_of, words

from digest.config.settings import Settings
from digest.database import writing
from digest.language import speaking
from digest.subscribers import store
from digest.subscribers.consent import WORDINGS, hash_of
from digest.web import signing_up
from digest.web.countries import countries, country_name

GERMAN = {"Accept-Language": "de-AT, en;q=0.5"}
PUBLIC = ("/", "/editions", "/editions/2026-W18", f"/changes/{ID}", "/leaderboard?source=board", "/versus",
          "/versus/gpt-5.4/gpt-5.5", "/method", "/privacy", "/preferences")  # fmt: skip


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_up, "ANSWER_AFTER", 0.001)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_sources(settings)


@pytest.fixture
def published(engine: Engine) -> None:
    """The newest captures, and week 18's edition with a receipt, approved."""
    a_week(engine)
    publish(engine, [a_receipt()])


@pytest.fixture
def anna(site: Site) -> int:
    """A reader who reads German."""
    number = site.reader("anna@example.org", country="DE", derived="header", regime="DE")
    with writing(site.engine) as connection:
        connection.execute(text("UPDATE subscriber SET locale = 'de'"))
    return number


def kept(site: Site, number: int) -> tuple[str, list[tuple[str, str, str]]]:
    """A reader's language, and of each event its kind with the words agreed to and their hash."""
    with site.engine.connect() as connection:
        events = [link.event for link in store.log(connection, number)]
        locale = store.get(connection, [number])[number].locale
    return locale, [(event.kind, event.wording, event.wording_hash) for event in events]


def hidden(page: str, name: str) -> str:
    (value,) = html.fromstring(page).xpath("//input[@type='hidden'][@name=$name]/@value", name=name)
    return str(value)


# The visitor's


@pytest.mark.parametrize("path", PUBLIC)
def test_a_public_page_is_found_in_each_language_and_leads_to_itself_in_the_other(
    visitor: Client, published: None, path: str
) -> None:
    for asked, lang, other in ((path, "en", "de"), (path + ("&" if "?" in path else "?") + "lang=de", "de", "en")):
        page = html.fromstring(visitor.get(asked).text)
        assert page.get("lang") == lang
        there = page.xpath("//link[@hreflang]/@hreflang"), page.xpath("//link[@hreflang]/@href")
        assert there[0] == ["en", "de", "x-default"]
        assert page.xpath("//link[@rel='canonical']/@href") == [there[1][there[0].index(lang)]]
        (link,) = page.xpath("//footer//a[@hreflang=@lang]")
        assert (link.get("lang"), link.text) == (other, {"de": "Deutsch", "en": "English"}[other])
        assert html.fromstring(visitor.get(link.get("href")).text).get("lang") == other


def test_a_form_is_answered_in_the_language_in_which_it_was_shown(site: Site, visitor: Client) -> None:
    page = visitor.get("/?lang=de").text
    (action,) = html.fromstring(page).xpath("//form/@action")
    wrong = visitor.post(action, data=site.filled(email="ada", agree=None))
    assert "Das ist keine gültige E-Mail-Adresse." in error_of(wrong, "email")
    assert "Kreuzen Sie dies an" in error_of(wrong, "agree")
    assert "<h1>Sehen Sie in Ihr Postfach</h1>" in visitor.post(action, data=site.filled()).text


def test_what_is_kept_in_memory_is_kept_by_language(visitor: Client, published: None) -> None:
    for path in ("/editions", "/editions/2026-W18", f"/changes/{ID}", "/leaderboard", "/versus/gpt-5.4/gpt-5.5",
                 "/versus/zeta/gpt-5.6"):  # fmt: skip
        english = visitor.get(path)
        german = visitor.get(path, headers=GERMAN)
        assert words(german) != words(english)
        assert german.headers.get("ETag", "de") != english.headers.get("ETag", "en")
        assert visitor.get(path).text == english.text


def test_the_picture_of_an_edition_is_named_with_the_language_that_it_is_drawn_in(
    visitor: Client, published: None
) -> None:
    cards = [
        html.fromstring(visitor.get(f"/editions/2026-W18?lang={lang}").text).xpath("//meta[@property='og:image']")[0]
        for lang in ("en", "de")
    ]
    english, german = (visitor.get(card.get("content").removeprefix("https://digest.example")) for card in cards)
    assert "immutable" in english.headers["Cache-Control"]
    assert "immutable" in german.headers["Cache-Control"]
    assert german.content != english.content


def test_feeds_are_english_unless_their_address_says_otherwise(visitor: Client, published: None) -> None:
    english = visitor.get("/feed.atom", headers=GERMAN).text
    german = visitor.get("/feed.atom?lang=de").text
    assert "ties for first on LiveBench" in english
    assert "Platz 1" in german
    assert visitor.get("/feed.atom").text == english
    assert "/feed.atom?lang=de" in visitor.get("/?lang=de").text
    there = '<link rel="{}" type="{}" href="https://digest.example/{}?lang=de"/>'
    assert there.format("self", "application/atom+xml", "feed.atom") in german
    assert there.format("alternate", "text/html", "editions/2026-W18") in german


def test_a_redirect_keeps_the_language_that_the_address_names(visitor: Client, published: None) -> None:
    moved = visitor.get("/versus?a=gpt-5.5&b=gpt-5.4&lang=de")
    assert moved.headers["Location"] == "/versus/gpt-5.4/gpt-5.5?lang=de"


def test_figures_days_and_plurals_are_written_as_in_the_language(visitor: Client, published: None) -> None:
    assert "80,71\u00a0% am Mo., 27. April 2026, 79,25\u00a0% am Mo., 20. April 2026." in visitor.get(
        f"/changes/{ID}?lang=de"
    ).text.replace("&nbsp;", "\u00a0")
    told = words(visitor.get("/leaderboard?source=board&lang=de"))
    assert "4 mit Rang." in told
    assert "sha256 b654ca47" in told


def test_countries_stand_in_the_order_of_the_language_by_the_names_it_has() -> None:
    assert list(countries())[:4] == ["AF", "AX", "AL", "DZ"]
    with speaking("de"):
        assert list(countries().values())[:4] == ["Afghanistan", "Ägypten", "Ålandinseln", "Albanien"]
        assert (country_name("FR"), country_name("XY"), country_name(None)) == ("Frankreich", "XY", "")
        assert len(countries()) == 249


# The reader's own


@pytest.mark.parametrize(
    ("purpose", "told"),
    [
        ("preferences", "Ihre Einstellungen"),
        ("my-data", "Was wir über Sie gespeichert haben"),
        ("forget", "Alles löschen?"),
        ("unsubscribe", "Abmelden?"),
    ],
)
def test_a_readers_page_speaks_their_language_whatever_the_browser_says(
    site: Site, visitor: Client, anna: int, purpose: str, told: str
) -> None:
    path = site.link(anna, purpose)
    assert f"<h1>{told}</h1>" in visitor.get(path, headers={"Accept-Language": "en"}).text
    english = visitor.get(f"{path}?lang=en", headers=GERMAN)
    assert html.fromstring(english.text).get("lang") == english.headers["Content-Language"] == "en"


def test_every_act_of_a_reader_is_answered_in_their_language(site: Site, visitor: Client, anna: int) -> None:
    leaving, choosing = site.link(anna, "unsubscribe"), site.link(anna, "preferences")
    acts = [(f"{choosing}/pause", {"weeks": "4"}), (f"{leaving}/pause", {}), (leaving, {}), (leaving, {}),
            (f"{leaving}/undo", {}), (choosing, {"topics": []}), (site.link(anna, "forget"), {})]  # fmt: skip
    for path, form in acts:
        assert html.fromstring(visitor.post(path, data=form).text).get("lang") == "de", path
    assert html.fromstring(visitor.get(choosing).text).get("lang") == "en"  # there is nobody any more


def test_a_link_that_is_over_is_told_in_the_readers_language(site: Site, visitor: Client, anna: int) -> None:
    path = site.link(anna, "preferences")
    site.now += timedelta(days=2)
    assert "<h1>Dieser Link ist zu alt</h1>" in visitor.get(path).text


def test_a_reader_may_change_the_language_and_is_answered_in_the_new_one(
    site: Site, visitor: Client, anna: int
) -> None:
    path = site.link(anna, "preferences")
    form = {"topics": ["models"], "locale": "en"}
    assert "Saved, 09:00 UTC" in words(visitor.post(path, data=form))
    assert kept(site, anna)[0] == "en"
    assert "Gespeichert, 09:00 UTC" in words(visitor.post(path, data={**form, "locale": "de"}))


def test_what_is_wrong_with_a_choice_is_told_below_its_field_in_the_readers_language(
    site: Site, visitor: Client, anna: int
) -> None:
    publish(site.engine)
    path = site.link(anna, "preferences")
    wrong = visitor.post(path, data={"topics": ["models"], "add": "gpt-5.55"})
    assert error_of(wrong, "add").startswith(
        "✕ Fehler: „gpt-5.55“ lässt sich nicht verfolgen; meinten Sie gpt-5.5 oder"
    )
    assert "Wählen Sie mindestens eines, oder melden Sie sich ab." in words(visitor.post(path, data={"topics": []}))


def test_what_is_held_has_its_own_words_translated_and_no_others(site: Site, visitor: Client, anna: int) -> None:
    page = html.fromstring(visitor.get(site.link(anna, "my-data")).text)
    told: dict[str, Any] = {
        row.text: " ".join(row.getnext().text_content().split()) for row in page.xpath("//dl/dd/dl/dt")
    }
    assert (told["Stand"], told["Land"], told["ermittelt aus"]) == ("bestätigt", "DE", "Kopfzeile")
    assert told["Themen"].startswith("Neue Modelle")
    assert "anna@example.org" in page.text_content()


# What is agreed to


def test_the_words_that_the_form_shows_are_those_that_are_stored(site: Site, visitor: Client) -> None:
    for number, (shown, chosen) in enumerate((("de", "de"), ("en", "de"), ("de", "en"))):
        page = visitor.get(f"/?lang={shown}").text
        version = hidden(page, "wording")
        assert WORDINGS[version] in page
        assert html.fromstring(page).xpath("//select[@name='locale']/option[@selected]/@value") == [shown]
        form = site.filled(email=f"r{number}@example.org", locale=chosen, wording=version)
        visitor.post(f"/subscribe?lang={shown}", data=form)
        with site.engine.connect() as connection:
            reader = store.find(connection, f"r{number}@example.org")
        assert reader is not None
        assert kept(site, reader.id) == (chosen, [("requested", f"2026-11/{shown}", hash_of(WORDINGS[version]))])


def test_the_words_that_are_confirmed_are_those_that_the_page_shows(site: Site, visitor: Client) -> None:
    for lang in ("de", "en"):
        number = site.reader(f"{lang}@example.org", "requested")
        path = f"{site.link(number, 'confirm')}?lang={lang}"
        version = hidden(visitor.get(path).text, "wording")
        visitor.post(path, data={"wording": version})
        assert kept(site, number)[1][-1] == ("confirmed", f"2026-11/{lang}", hash_of(WORDINGS[version]))


def test_words_that_were_never_ours_are_stored_as_the_newest_of_ours(site: Site, visitor: Client) -> None:
    visitor.post("/subscribe", data=site.filled(wording="You owe me money.", locale="de"))
    assert "You owe me money." not in repr(site.stored())
    assert "2026-11/de" in repr(site.stored())
