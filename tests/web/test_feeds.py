"""The feeds, the map of the site and what robots are told: of approved editions alone, and sent only when changed."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import Engine
from tests import builders as b
from tests.web.visitors import Client

from digest.config.settings import Settings
from digest.database import metadata, writing
from digest.edition import store
from digest.edition.numbers import monday
from digest.edition.rendered import Rendered
from digest.edition.renditions import TOPICS
from digest.web.app import create_app
from digest.web.feeds import ENTRIES

FEEDS = ["/feed.atom", "/feed.json", *(f"/feed/{topic}.{ending}" for topic in TOPICS for ending in ("atom", "json"))]
ATOM = {"a": "http://www.w3.org/2005/Atom", "s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
Publish = Callable[..., None]


@pytest.fixture
def client(engine: Engine, settings: Settings, clock: Callable[[], datetime]) -> Client:
    return Client(create_app(engine, settings, clock))


@pytest.fixture
def publish(engine: Engine, settings: Settings, now: datetime, rendered: Rendered) -> Publish:
    """Stores the edition of a week and approves it, one minute later for each week of the year."""

    def published(week: str = "2026-W18", *, approve: bool = True, **changes: Any) -> None:
        edition = b.an_edition(**{"week": week, "starts": monday(week), **changes})
        with writing(engine) as connection:
            drafted = store.save_draft(connection, edition, rendered, store.envelope_of(settings), now)
            if approve:
                at = now + timedelta(minutes=int(week[-2:]))
                store.save_approval(connection, week, drafted.content_hash, at)

    return published


def ids(client: Client, path: str) -> list[str]:
    """The ids of a feed's entries, in whichever of the two formats."""
    answer = client.get(path)
    if path.endswith("json"):
        return [item["id"] for item in json.loads(answer.content)["items"]]
    return [str(found) for found in etree.fromstring(answer.content).xpath("//a:entry/a:id/text()", namespaces=ATOM)]


@pytest.mark.parametrize("path", FEEDS)
def test_every_feed_is_of_its_type_and_names_itself(client: Client, publish: Publish, path: str) -> None:
    publish()
    answer = client.get(path)
    kind = "application/feed+json" if path.endswith("json") else "application/atom+xml"
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, kind)
    assert f"https://digest.example{path}" in answer.text
    assert (client.head(path).status_code, client.post(path).status_code) == (200, 405)


@pytest.mark.parametrize("path", ["/feed.atom", "/feed.json"])
def test_a_feed_has_what_was_approved_the_newest_first(client: Client, publish: Publish, path: str) -> None:
    for week in ("2026-W17", "2026-W18"):
        publish(week)
    publish("2026-W19", approve=False)
    assert ids(client, path) == [f"https://digest.example/editions/2026-W{number}" for number in (18, 17)]
    publish("2026-W18", approve=False, quiet=True)
    assert ids(client, path) == ["https://digest.example/editions/2026-W17"]


def test_a_feed_ends_after_so_many_editions(client: Client, publish: Publish) -> None:
    for number in range(1, ENTRIES + 4):
        publish(f"2026-W{number:02}")
    assert len(ids(client, "/feed.atom")) == ENTRIES


def test_the_feed_of_a_topic_leaves_out_weeks_without_news_of_it(client: Client, publish: Publish) -> None:
    publish("2026-W17", movers=())
    publish("2026-W18")
    assert ids(client, "/feed/scores.atom") == ["https://digest.example/editions/2026-W18#scores"]
    assert len(ids(client, "/feed/prices.json")) == 2


def test_a_feed_is_sent_again_only_when_it_changed(client: Client, publish: Publish) -> None:
    publish()
    first = client.get("/feed.atom")
    assert first.headers["Last-Modified"] == "Mon, 04 May 2026 09:18:00 GMT"
    for known in (
        {"If-None-Match": f'"x", W/{first.headers["ETag"]}'},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        again = client.get("/feed.atom", headers=known)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    publish("2026-W19")
    for known in ({"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}):
        assert client.get("/feed.atom", headers=known).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {"If-Modified-Since": "yesterday"}, {"If-Modified-Since": "Mon, 04 May 2026 09:18:00"}, {"If-None-Match": ""},
        {"If-None-Match": '"x"', "If-Modified-Since": "Mon, 04 May 2036 09:18:00 GMT"},
    ],
)  # fmt: skip
def test_a_condition_that_cannot_be_read_or_does_not_hold_gets_the_feed(
    client: Client, publish: Publish, sent: dict[str, str]
) -> None:
    publish()
    assert client.get("/feed.atom", headers=sent).status_code == 200


@pytest.mark.parametrize(
    "path", ["/feed", "/feed.rss", "/feed/nothing.atom", "/feed/models.rss", "/feed/models", "/feed."]
)
def test_no_other_feed_is_there(client: Client, publish: Publish, path: str) -> None:
    publish()
    assert client.get(path).status_code == 404


def test_what_was_tampered_with_or_cannot_be_read_is_in_no_feed_and_takes_nothing_else_along(
    client: Client, publish: Publish, engine: Engine
) -> None:
    table = metadata.tables["edition"]
    for week, content in (("2026-W17", "{}"), ("2026-W18", None), ("2026-W19", None)):
        publish(week)
        with writing(engine) as connection:
            row = connection.execute(table.select().where(table.c.week == week)).mappings().one()
            forged = row["content"].replace("LiveBench", "Forged") if week == "2026-W18" else content or row["content"]
            connection.execute(table.update().where(table.c.week == week).values(content=forged))
    assert ids(client, "/feed.atom") == ["https://digest.example/editions/2026-W19"]
    assert client.get("/editions").text.count("/editions/2026-W") == 1


def test_before_any_edition_every_feed_is_empty_and_none_is_missing(client: Client) -> None:
    assert [ids(client, path) for path in FEEDS] == [[]] * len(FEEDS)


def test_the_map_names_every_edition_and_no_page_that_is_not_there(client: Client, publish: Publish) -> None:
    publish()
    document = etree.fromstring(client.get("/sitemap.xml").content)
    places = [str(place) for place in document.xpath("//s:loc/text()", namespaces=ATOM)]
    assert "https://digest.example/editions/2026-W18" in places
    assert [client.get(place.removeprefix("https://digest.example")).status_code for place in places] == [200] * len(
        places
    )


def test_robots_are_told_where_the_map_is(client: Client) -> None:
    answer = client.get("/robots.txt")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text.endswith("\n\nSitemap: https://digest.example/sitemap.xml\n")
