"""Editions as feeds in the language that is spoken: Atom (RFC 4287), JSON Feed 1.1; and the map of the site
(sitemaps.org). Pure.

An edition is one entry, in the feed of all editions and in that of each topic it tells something of.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from digest.config.sections import Series
from digest.edition.content import Edition
from digest.edition.opening import headline, lead, points
from digest.edition.renditions import TOPICS, Topic
from digest.edition.section_facts import Board
from digest.edition.wording import masthead_week
from digest.language import _, spoken
from digest.rendering.pages import section_facts
from digest.rendering.templates import fill, without_slots

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a feed without an entry was updated: RFC 4287 asks for a time, and the same one each time."""

SECTIONS: dict[Topic, tuple[str, ...]] = {
    "models": ("arrivals", "gone"),
    "scores": ("movers",),
    "leaderboards": ("boards",),
    "prices": ("prices",),
    "comparisons": ("side_by_side", "picks"),
}
"""The sections of each topic, by the Edition's field."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


class Entry(NamedTuple):
    """An edition in a feed. `html` has whole addresses alone; `on` is when the edition was approved."""

    id: str
    address: str
    title: str
    summary: str
    html: str
    on: datetime


class Feed(NamedTuple):
    """A feed, its newest entry first. `path` is where it is, without its ending."""

    title: str
    about: str
    author: str
    home: str
    address: str
    entries: tuple[Entry, ...]

    @property
    def updated(self) -> datetime:
        return max((entry.on for entry in self.entries), default=NEVER)


def entry_of(edition: Edition, series: Series, on: datetime, topic: Topic | None = None) -> Entry | None:
    """The entry of an edition that was approved at `on`; of a topic only what it tells of that, None where nothing.

    Its id is the edition's address, with the topic behind it, and stays the same when the edition is corrected.
    """
    if topic is not None and not tells(edition, topic):
        return None
    home = series.base_url.rstrip("/")
    address = f"{home}/editions/{edition.week}"
    facts = section_facts(edition, home, topic or "", on_page=False)
    html = re.sub(r"\n\s*\n", "\n", fill("feeds/entry.html", {**facts, "address": address})).strip()
    title, summary = _title(edition, topic)
    return Entry(
        id=f"{address}#{topic}" if topic else address,
        address=address,
        title=_clean(str(without_slots(title))),
        summary=_clean(str(without_slots(summary))),
        html=_clean(html),
        on=on,
    )


def tells(edition: Edition, topic: Topic) -> bool:
    """Whether an edition has news of a topic. Boards that stand as they stood are none, nor are picks that stayed."""
    match topic:
        case "leaderboards":
            return any(_moved(board) for board in edition.boards)
        case "scores":
            return any(movers.movers or movers.folded for movers in edition.movers)
        case "models":
            return bool(edition.arrivals or edition.gone)
        case "prices":
            return any(prices.priced or prices.folded for prices in edition.prices)
        case "comparisons":
            return edition.side_by_side is not None or any(pick.change for pick in edition.picks)


def _moved(board: Board) -> bool:
    return board.leader not in ("unchanged", "not_read") or any(
        place.movement in ("new", "up", "down") for place in board.places
    )


def _title(edition: Edition, topic: Topic | None) -> tuple[str, str]:
    """An entry's title and summary: what the edition says first, or says first of the topic."""
    if topic is None:
        return headline(edition), lead(edition)
    said = [point for point in points(edition) if point.section in SECTIONS[topic]]
    week = f"{_(TOPICS[topic])}, {masthead_week(edition)}"
    numbered = _("No. %(number)s: %(week)s.", number=edition.number, week=week)
    return (said[0].headline, said[0].lead) if said else (week, numbered)


def feed_of(series: Series, entries: Sequence[Entry], ending: str, topic: Topic | None = None) -> Feed:
    """The feed of these entries at its address, whose ending is `atom` or `json`."""
    home = series.base_url.rstrip("/")
    path = f"feed/{topic}.{ending}" if topic else f"feed.{ending}"
    title = f"{series.title}: {_(TOPICS[topic])}" if topic else series.title
    return Feed(title, series.tagline, series.title, f"{home}/editions", f"{home}/{path}", tuple(entries))


def atom(feed: Feed) -> bytes:
    """An Atom document (RFC 4287)."""
    return fill("feeds/feed.atom", {"feed": feed, "stamp": stamp}).encode()


def json_feed(feed: Feed) -> bytes:
    """A JSON Feed document, version 1.1 (jsonfeed.org)."""
    items = [
        {
            "id": entry.id,
            "url": entry.address,
            "title": entry.title,
            "summary": entry.summary,
            "content_html": entry.html,
            "date_published": stamp(entry.on),
        }
        for entry in feed.entries
    ]
    about = {"description": feed.about} if feed.about else {}
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        **about,
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": spoken(),
        "authors": [{"name": feed.author, "url": feed.home}],
        "items": items,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def sitemap(pages: Sequence[tuple[str, datetime | None]]) -> bytes:
    """A map of addresses and when each last changed, where that is known (sitemaps.org; 50,000 addresses at most)."""
    return fill("feeds/sitemap.xml", {"pages": pages, "stamp": stamp}).encode()


def stamp(moment: datetime) -> str:
    """A time in UTC (RFC 3339)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clean(text: str) -> str:
    """The text without what no XML document may hold."""
    return _NOT_XML.sub("", text)
