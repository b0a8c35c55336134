"""Editions as feeds: what RFC 4287 and JSON Feed 1.1 ask for, which edition tells of which topic, nothing hostile."""

import functools
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import etree, html
from tests import builders as b
from tests.edition.corrections import a_correction
from tests.edition.test_versus import compare
from tests.rendering.pictures import HOSTILE as MIXED
from tests.rendering.test_email import HOSTILE
from tests.rendering.test_picks_section import picks_of
from tests.snapshots import a_board as a_snapshot

from digest.edition.content import Edition, Note, Receipt
from digest.edition.facts import Fact
from digest.edition.pick_facts import Pick
from digest.edition.renditions import TOPICS, Topic
from digest.edition.section_facts import NextEdition, Renamed
from digest.language import speaking
from digest.rendering.feeds import Entry, atom, entry_of, feed_of, json_feed, sitemap, tells

SERIES = b.some_settings().series
ON = datetime(2026, 5, 4, 9, 0, 30, tzinfo=UTC)
ATOM = {"a": "http://www.w3.org/2005/Atom"}
PAGE = "https://digest.example/editions/2026-W18"
TRUSTED = {"week", "previous_week", "html", "whole", "sha256", "file", "links", "change", "receipt", "receipts", "id"}
"""Text that no source and no editor chooses, or that is markup which was sanitised where it was read."""


@functools.cache
def everything() -> Edition:
    """An edition with something in each of its sections, and a receipt for each of its figures."""
    note = Note(title="A look", on=date(2026, 4, 29), words=2, html="<p>Two.</p>", text=(), whole="<p>Two.</p>", more=0)
    renamed = Renamed(change="r", source="a", title="A", before=b.a_name("one"), after=b.a_name("two"), rows=1)
    rows = {"alpha": 80, "beta": 60}
    return b.a_full_edition().model_copy(
        update={
            "corrections": (a_correction(),),
            "renamed": (renamed,),
            "picks": picks_of(cyd=90),
            "side_by_side": compare(["alpha", "beta"], a_snapshot({"Coding": rows, "IF": rows, "Language": rows})),
            "note": note,
            "ahead": (NextEdition(starts=date(2026, 5, 4)),),
            "receipts": tuple(a_receipt(id_) for id_ in ("c1", "m1", "p", "a")),
        }
    )


def a_receipt(id_: str) -> Receipt:
    about = {"source": "a", "title": "A", "url": "https://a.example", "licence": "MIT", "measure": "m", "unit": "%"}
    return Receipt(id=id_, **about, previous=None, current=None)


def hostile(value: Any, text: str) -> Any:
    """A fact in which every text that comes from outside is `text`. A choice among given words stays what it is."""
    if isinstance(value, Fact):
        fields = {field: about.annotation for field, about in type(value).model_fields.items()}
        kept = (
            TRUSTED | {"title", "needs", "missing"} if isinstance(value, Pick) else TRUSTED
        )  # a need is called what the operator says
        free = [field for field, kind in fields.items() if "Literal" not in str(kind) and field not in kept]
        return value.model_copy(update={field: hostile(getattr(value, field), text) for field in free})
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(hostile(item, text) for item in value)
    return text if isinstance(value, str) else value


def entries_of(edition: Edition) -> list[Entry]:
    found = [entry_of(edition, SERIES, ON, topic) for topic in (None, *TOPICS)]
    return [entry for entry in found if entry is not None]


def parsed(*entries: Entry) -> Any:
    return etree.fromstring(atom(feed_of(SERIES, entries, "atom")))


def texts(node: Any, path: str) -> list[str]:
    return [str(found) for found in node.xpath(path, namespaces=ATOM)]


def test_an_atom_feed_has_what_the_standard_asks_for() -> None:
    (entry,) = entries_of(everything())[:1]
    feed = parsed(entry)
    assert etree.QName(feed).text == "{http://www.w3.org/2005/Atom}feed"
    for parent, once in (("/a:feed", ("id", "title", "updated", "author")), ("//a:entry", ("id", "title", "updated"))):
        for element in once:
            assert len(feed.xpath(f"{parent}/a:{element}", namespaces=ATOM)) == 1, element
    assert texts(feed, "/a:feed/a:link[@rel='self']/@href") == ["https://digest.example/feed.atom"]
    assert texts(feed, "//a:entry/a:link[@rel='alternate']/@href") == texts(feed, "//a:entry/a:id/text()") == [PAGE]
    assert texts(feed, "//a:updated/text()") == ["2026-05-04T09:00:30Z"] * 2
    assert texts(feed, "//a:content/@type") == ["html"]


def test_a_json_feed_has_what_the_standard_asks_for() -> None:
    (entry,) = entries_of(everything())[:1]
    feed = json.loads(json_feed(feed_of(SERIES, [entry], "json", "models")))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["title"], feed["feed_url"]) == ("Digest: New models", "https://digest.example/feed/models.json")
    (item,) = feed["items"]
    assert item.keys() == {"id", "url", "title", "summary", "content_html", "date_published"}
    assert (item["id"], item["date_published"], item["content_html"]) == (PAGE, "2026-05-04T09:00:30Z", entry.html)


def test_a_feed_in_german_says_so_and_is_called_so() -> None:
    with speaking("de"):
        feed = feed_of(SERIES, (), "atom", "models")
        xml, document = etree.fromstring(atom(feed)), json.loads(json_feed(feed))
    assert feed.title == "Digest: Neue Modelle"
    assert xml.get("{http://www.w3.org/XML/1998/namespace}lang") == document["language"] == "de"


def test_a_feed_without_an_entry_is_a_feed() -> None:
    assert texts(parsed(), "/a:feed/a:updated/text()") == ["1970-01-01T00:00:00Z"]
    assert json.loads(json_feed(feed_of(SERIES, [], "json")))["items"] == []


def test_the_same_edition_gives_the_same_bytes_and_the_same_id_when_it_is_corrected() -> None:
    one, again = entries_of(everything()), entries_of(everything().model_copy(update={"quiet": True, "gone": ()}))
    assert atom(feed_of(SERIES, one, "atom")) == atom(feed_of(SERIES, entries_of(everything()), "atom"))
    assert {entry.id for entry in one} == {entry.id for entry in again} == {PAGE, *(f"{PAGE}#{it}" for it in TOPICS)}


def test_an_entry_tells_the_sections_of_the_mail_in_their_order() -> None:
    document = html.fromstring(entries_of(everything())[0].html)
    assert [heading.text_content() for heading in document.xpath("//h2")] == [
        "In brief", "LiveBench: a tie at the top", "Arena text: no change at the top",
        "Vectara hallucination: a new first", "Movers", "New models", "Rows that left", "Prices",
        "Side by side: alpha and beta", "Best pick by need", "Sources disagree", "Corrections", "Names and measuring",
        "A look", "Sources", "What to watch next",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "headings"),
    [
        ("models", ["New models", "Rows that left"]),
        ("scores", ["Movers"]),
        ("prices", ["Prices"]),
        ("comparisons", ["Side by side: alpha and beta", "Best pick by need"]),
    ],
)
def test_an_entry_of_a_topic_tells_of_nothing_else(topic: Topic, headings: list[str]) -> None:
    entry = entry_of(everything(), SERIES, ON, topic)
    assert entry is not None
    assert [heading.text_content() for heading in html.fromstring(entry.html).xpath("//h2")] == headings


def test_an_entry_of_a_topic_is_called_what_the_edition_says_first_of_it() -> None:
    entry = entry_of(b.an_empty_edition(prices=(b.a_halved_price(),)), SERIES, ON, "prices")
    assert entry is not None
    assert "gpt-5.5-pro" in entry.title


QUIET = b.an_empty_edition(boards=(b.a_quiet_board(),), health=(b.a_source(),), picks=picks_of())


@pytest.mark.parametrize("topic", TOPICS)
def test_a_week_without_news_of_a_topic_has_no_entry_in_its_feed(topic: Topic) -> None:
    assert not tells(QUIET, topic)
    assert tells(everything(), topic)
    assert entry_of(QUIET, SERIES, ON, topic) is None
    assert entry_of(QUIET, SERIES, ON) is not None


def test_every_address_in_a_feed_is_whole_and_receipts_are_linked() -> None:
    links = [
        link for entry in entries_of(everything()) for link in html.fromstring(entry.html).xpath("//@href | //@src")
    ]
    assert all(urlsplit(link).scheme == "https" and urlsplit(link).hostname for link in links)
    assert "https://digest.example/changes/m1" in links


def test_a_site_below_a_folder_says_so_in_every_address() -> None:
    series = SERIES.model_copy(update={"base_url": "https://digest.example/weekly/"})
    entry = entry_of(everything(), series, ON)
    assert entry is not None
    assert feed_of(series, [entry], "atom").address == "https://digest.example/weekly/feed.atom"
    own = [link for link in html.fromstring(entry.html).xpath("//@href") if "//digest.example" in link]
    assert all(link.startswith("https://digest.example/weekly/") for link in (entry.id, *own))


def test_an_edition_of_an_older_version_is_an_entry() -> None:
    old = Edition.model_validate_json(b.an_edition().model_dump_json(exclude_defaults=True))
    assert entry_of(old, SERIES, ON) is not None


def _shape(feed: Any, contents: list[str]) -> Iterator[set[str]]:
    yield {node.tag for node in feed.iter()} | set(texts(feed, "//@href"))
    for content in contents:
        document = html.fromstring(content)
        yield {node.tag for node in document.iter()}
        yield {attribute.attrname for attribute in document.xpath("//@*")}
        yield set(document.xpath("//@href | //@src"))


@pytest.mark.parametrize("kind", [*HOSTILE, "mixed", "link"])
def test_what_is_hostile_in_any_field_stays_words(kind: str) -> None:
    text = {**HOSTILE, "mixed": MIXED, "link": "javascript:alert(1)"}[kind].encode("utf-8", "ignore").decode()
    evil, tame = entries_of(hostile(everything(), text)), entries_of(hostile(everything(), "tame"))
    feed = parsed(*evil)
    contents = texts(feed, "//a:content/text()")
    assert contents == [item["content_html"] for item in json.loads(json_feed(feed_of(SERIES, evil, "json")))["items"]]
    shapes = zip(_shape(feed, contents), _shape(parsed(*tame), [entry.html for entry in tame]), strict=True)
    assert all(ours <= theirs for ours, theirs in shapes)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", "".join(contents))


def test_what_no_xml_document_may_hold_is_left_out() -> None:
    note = everything().note
    assert note is not None
    edition = everything().model_copy(
        update={"note": note.model_copy(update={"whole": "<p>a\x00\x0b\uffff\ud800z</p>"})}
    )
    entry = entry_of(edition, SERIES, ON)
    assert entry is not None
    assert "<p>az</p>" in texts(parsed(entry), "//a:content/text()")[0]


def test_a_map_of_the_site_escapes_its_addresses_and_says_when_they_changed() -> None:
    document = etree.fromstring(sitemap([("https://a.example/?b&c", ON), ("https://a.example/d", None)]))
    names = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
    assert document.xpath("//s:loc/text()", namespaces=names) == ["https://a.example/?b&c", "https://a.example/d"]
    assert document.xpath("//s:lastmod/text()", namespaces=names) == ["2026-05-04T09:00:30Z"]
