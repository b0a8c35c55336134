"""Hostile text in every field of an edition stays text: in each template of mail, letters and feeds, in each chart."""

import functools
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, get_args

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import etree
from tests import builders as b
from tests.hostile import (
    PIECES,
    Put,
    check_line,
    check_markup,
    check_said,
    check_words,
    configured,
    forget_templates,
    hostile,
    planted,
    read,
    strings,
    tame,
    templates_filled,
)
from tests.rendering.pictures import a_cloud, a_history
from tests.rendering.test_feeds import everything

from digest.config.assets import asset
from digest.config.settings import Settings
from digest.delivery.outbox import Letter
from digest.edition.content import Cover, Edition, Note
from digest.edition.markdown import as_html, as_text, opening_of, parsed
from digest.edition.rendered import Rendered
from digest.edition.renditions import TOPICS, Duty, Rendition
from digest.edition.section_facts import GoesStale, HeldBack, NextEdition, TopTie
from digest.edition.story_facts import Edit
from digest.edition.watch_facts import Crossing, Threshold, Watched
from digest.language import LOCALES, speaking
from digest.rendering import fragments
from digest.rendering.cards import card_alt, card_of
from digest.rendering.charts import rank_history_svg, score_by_price_svg
from digest.rendering.email import render
from digest.rendering.feeds import atom, entry_of, feed_of, json_feed, sitemap
from digest.rendering.fragments import join, place
from digest.rendering.letters import letter
from digest.rendering.pages import archive_row, section_facts
from digest.rendering.renditions import assemble
from digest.rendering.templates import ANY_SLOT, KEEP_SLOT, WATCH_SLOT, fill

ON = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
TAGS = {"p", "h3", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "a", "br"}
FOLDERS = ("email/", "text/", "feeds/", "web/charts/", "web/edition/")


@pytest.fixture(autouse=True, scope="module")
def _no_row_folds_away() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fragments, "MOST_BYTES", 10**7)
        yield


class Told(NamedTuple):
    """All that is made of one edition: pages, texts of mails and lines of their headers, what is said elsewhere, XML,
    pictures, JSON."""

    pages: Mapping[str, str]
    texts: Mapping[str, str]
    lines: Mapping[str, str]
    said: Mapping[str, str]
    documents: Mapping[str, bytes]
    charts: Mapping[str, bytes]
    json: Mapping[str, bytes]


def a_note(body: str) -> Note:
    tokens = parsed(body)
    paragraphs, links = as_text(opening_of(tokens))
    cover = Cover(file="a.png", media_type="image/png", sha256="0" * 64, alt="A line")
    return Note(
        title="A look",
        on=date(2026, 4, 29),
        author="The editor",
        cover=cover,
        words=9,
        html=as_html(opening_of(tokens)),
        text=paragraphs,
        links=links,
        whole=as_html(tokens),
        more=True,
        draft=True,
    )


@functools.cache
def full_edition() -> Edition:
    """Two rows of everything, with each source health and each thing to watch."""
    name = b.a_name("gpt-5.5", "xhigh", thinking="64k", date="2026-04-27", host="Vertex AI")
    tie = TopTie(title="LiveBench", first=name, second=name, gap=Decimal("0.4"), unit="%")
    ahead = (
        HeldBack(title="Arena"),
        GoesStale(title="Vectara", changed_on=ON.date(), on=ON.date()),
        tie,
        NextEdition(starts=ON.date()),
    )
    odd = b.a_source("Odd", "quarantined", 5, detail="a factor of 20")
    health = (*everything().health, odd, b.a_source("New", "new", 3))
    lists = {"boards": "places", "movers": "movers", "prices": "priced", "arrivals": "models", "gone": "names"}
    brief = {
        section: tuple(it.model_copy(update={rows: getattr(it, rows)[:2]}) for it in getattr(everything(), section))
        for section, rows in lists.items()
    }
    told = {"ahead": ahead, "health": health, "last_subjects": ("gpt",), "promoted": (b.a_promoted(), b.a_promoted())}
    edits = (Edit(section="movers", story="none", dropped=True),)
    return everything().model_copy(update={**brief, **told, "edits": edits})


def settings_of(put: Put) -> Settings:
    plain, said = b.some_settings(), configured(put)
    texts = {name: said(getattr(plain.series, name)) for name in ("title", "tagline", "postal_address", "contact")}
    return plain.model_copy(update={"series": plain.series.model_copy(update=texts)})


def told(put: Put, note: Note) -> Told:
    """Everything that is rendered of the full edition with `put` at work in each of its texts."""
    edition = planted(full_edition().model_copy(update={"note": note}), put)
    made = [*of_mail(edition, put), *of_letters(put), *of_feeds(edition, put), *of_pictures(edition, put)]
    kinds: dict[str, dict[str, Any]] = {kind: {} for kind in Told._fields}
    for kind, name, content in made:
        assert name not in kinds[kind]
        kinds[kind][name] = content
    return Told(**kinds)


Made = Iterator[tuple[str, str, Any]]


def of_mail(edition: Edition, put: Put) -> Made:
    duties = {"XX": (Duty("complaints"), Duty("consent"), Duty("notice", put("Law 1.")), Duty("label", put("(AD)")))}
    earlier = planted(b.an_edition(week="2026-W17"), put)
    rendered = render(edition, settings_of(put), [earlier], duties)
    for locale in LOCALES:
        one = rendered.in_language(locale)
        mail = assemble(rendered, Rendition(locale, regime="XX"))
        short = assemble(rendered, Rendition(locale, format="short"))
        assert mail.html is not None
        assert short.html is not None
        with speaking(locale):
            lists = [join(watched(put, one, at), one) for at in range(0, len(one.fragments), 8)]
        for at, part in enumerate(lists):
            whole = mail.html.replace(place(WATCH_SLOT), part.html).replace(place(KEEP_SLOT), mail.keep.html)
            yield "pages", f"mail, list {at}, {locale}", whole
            yield "texts", f"mail, list {at}, {locale}", mail.text + mail.keep.text + part.text
        yield "pages", f"short mail, {locale}", short.html
        yield "texts", f"short mail, {locale}", short.text
        yield "lines", f"subject, {locale}", mail.subject
        yield "lines", f"preheader, {locale}", one.preheader


def watched(put: Put, rendered: Rendered, at: int) -> Watched:
    """A list of crossings and names, and the eight stories from that one on."""
    line = Threshold(category=put("Coding"), at_least=Decimal(75), under=Decimal(3))
    crossing = Crossing(
        threshold=line,
        name=put("kimi-k2.6"),
        source=put("LiveBench"),
        score=Decimal("77.5"),
        price_source=put("LiteLLM prices"),
        unit=put("USD"),
        price=Decimal("0.95"),
        price_before=Decimal(4),
    )
    names = (put("gpt-5.4-mini"), put("o1"))
    more = {"unchanged": names, "moved": names, "withdrawn": names, "crossings": (crossing,) if not at else ()}
    return Watched(since="2026-W17", missed=1, stories=tuple(rendered.fragments)[at : at + 8], **more)


def of_letters(put: Put) -> Made:
    for kind in get_args(Letter):
        for locale in LOCALES:
            mail = letter(kind, settings_of(put), locale)
            yield "pages", f"{kind}, {locale}", mail.html
            yield "texts", f"{kind}, {locale}", mail.text
            yield "lines", f"{kind}, {locale}", mail.subject


def of_feeds(edition: Edition, put: Put) -> Made:
    series = settings_of(put).series
    for topic in (None, *TOPICS):
        entry = entry_of(edition, series, ON, topic)
        assert entry is not None, topic
        name = topic or "all"
        yield "pages", f"entry, {name}", entry.html
        yield "said", f"entry, {name}", f"{entry.title}\n{entry.summary}"
        yield "documents", f"Atom, {name}", atom(feed_of(series, [entry], "atom", topic))
        yield "json", f"JSON feed, {name}", json_feed(feed_of(series, [entry], "json", topic))
    for on_page in (True, False):
        facts = section_facts(edition, "https://digest.example", on_page=on_page)
        yield "pages", f"sections, {on_page}", fill("web/edition/sections.html", facts)
    yield "documents", "sitemap", sitemap([(configured(put)("https://digest.example/"), ON)])


def of_pictures(edition: Edition, put: Put) -> Made:
    history = a_history({put("gpt-5.5"): (1, 2), put("o3"): (2, 1)}, source=put("LiveBench"), benchmark=put("overall"))
    cloud = a_cloud(
        (put("gpt-5.5"), "80", "9"),
        (put("o3"), "70", "1"),
        **{name: put("x y") for name in ("where", "benchmark", "unit", "prices", "price_unit")},
    )
    for name, picture in (("ranks", rank_history_svg(history)), ("prices", score_by_price_svg(cloud))):
        yield "charts", name, picture.encode()
    row = archive_row(edition)
    yield "said", "archive", f"{row.headline}\n{row.lead}"
    yield "said", "card", card_alt(card_of(edition))


def notes() -> tuple[Note, Note]:
    """A note with every piece in it, and the same one without what looks like a slot."""
    body = "\n\n".join(f"{piece} {number}." for number, piece in enumerate(PIECES) if "mmm" not in piece)
    whole = a_note(body)
    texts = {"html": whole.html, "whole": whole.whole}
    clean = {name: ANY_SLOT.sub("(no name)", text) for name, text in texts.items()}
    paragraphs = [it.model_copy(update={"text": ANY_SLOT.sub("(no name)", it.text)}) for it in whole.text]
    return whole, whole.model_copy(update={**clean, "text": tuple(paragraphs)})


@pytest.mark.long
@settings(max_examples=5, derandomize=True, deadline=None, phases=[Phase.generate])
@given(st.integers(0, len(PIECES) - 1), st.booleans())
def test_no_text_of_an_edition_becomes_anything_but_text(seed: int, before: bool) -> None:
    bad, clean = notes()
    found, harmless = told(hostile(seed, before=before), bad), told(tame(seed, before=before), clean)
    for name, page in found.pages.items():
        check_markup(page, harmless.pages[name])
    for name, text in found.texts.items():
        check_words(text, harmless.texts[name])
    for line in found.lines.values():
        check_line(line)
    for name, text in found.said.items():
        check_said(text, harmless.said[name])
    for name, document in found.documents.items():
        root, twin = etree.fromstring(document), etree.fromstring(harmless.documents[name])
        assert shape(root) == shape(twin), name
        check_words("\n".join(root.itertext()), "\n".join(twin.itertext()))
    for name, picture in found.charts.items():
        root, twin = etree.fromstring(picture), etree.fromstring(harmless.charts[name])
        assert set(shape(root)) <= set(
            shape(twin)
        )  # a label stands where it has room, and is left out where it has none
        check_said("\n".join(root.itertext()))
    for name, document in found.json.items():
        one, other = (list(strings(json.loads(it))) for it in (document, harmless.json[name]))
        assert len(one) == len(other)
        check_said("\n".join(one), "\n".join(other))


def shape(node: Any) -> list[tuple[str, ...]]:
    """The elements of a document with the names of their attributes, but spans, in their order."""
    return [(it.tag, *sorted(it.attrib)) for it in node.iter() if it.tag != "span"]


def test_a_note_of_hostile_markdown_holds_only_what_a_note_may_hold() -> None:
    note = notes()[0]
    for markup in (note.html, note.whole):
        page = read(markup)
        assert {tag for tag, _attributes in page.elements} <= TAGS
        assert {name for _tag, attributes in page.elements for name, _value in attributes} <= {"href", "rel", "start"}
        assert all(address.startswith("https://") for address in page.addresses)


def test_every_template_of_mail_feeds_and_pictures_is_filled_with_hostile_text() -> None:
    forget_templates()
    told(hostile(0), notes()[0])
    root = asset("templates")
    known = {path.relative_to(root).as_posix() for path in root.rglob("*.*")}
    assert {name for name in known if name.startswith(FOLDERS)} - {"email/inline.css"} == {
        name for name in templates_filled() if name.startswith(FOLDERS)
    }
