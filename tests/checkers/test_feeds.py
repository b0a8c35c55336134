"""Every feed, as others read it: Atom by a parser that is not ours, JSON Feed by that and by the format's schema."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import atoma
import pytest
from jsonschema_rs import Draft7Validator
from tests.checkers.installed import from_npm
from tests.checkers.visits import HOSTILE_TEXTS, SETTINGS, full_edition, publish
from tests.web.test_feeds import FEEDS
from tests.web.visitors import Client, Site

from digest.database import open_database
from digest.language import ENGLISH, LOCALES
from digest.operations.demo import NOW, run_demo
from digest.web.app import create_app

# What the parser asks of an XML element is deprecated since Python 3.12.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:atoma.*")

ATOM = [path for path in FEEDS if path.endswith(".atom")]


class Read(NamedTuple):
    """A feed's entry, or the feed itself, as a program that reads feeds has it."""

    id: str | None
    title: str | None
    at: datetime | None
    link: str | None
    html: str | None


def read_atom(data: bytes) -> list[Read]:
    """The feed and its entries. Raises FeedParseError where the feed has no id."""
    feed = atoma.parse_atom_bytes(data)
    assert all(one.authors for one in (feed, *feed.entries))  # RFC 4287, sections 4.1.1 and 4.1.2
    (own,) = [link.href for link in feed.links if link.rel == "self"]
    return [Read(feed.id_, feed.title.value, feed.updated, own, ""), *map(_entry, feed.entries)]


def _entry(entry: Any) -> Read:
    (link,) = [link.href for link in entry.links if link.rel == "alternate"]
    assert entry.content.text_type == atoma.atom.AtomTextType.html
    return Read(entry.id_, entry.title.value, entry.updated, link, entry.content.value)


def read_json(data: bytes) -> list[Read]:
    """The feed and its items. Raises FeedParseError where one that JSON Feed 1.1 asks for is missing."""
    feed = atoma.parse_json_feed_bytes(data)
    items = [Read(item.id_, item.title, item.date_published, item.url, item.content_html) for item in feed.items]
    return [Read(feed.feed_url, feed.title, None, feed.feed_url, ""), *items]


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    return Draft7Validator(json.loads(from_npm("jsonfeed-schema/schema-v1.1.json").read_bytes()), validate_formats=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The demo's site."""
    done = run_demo(tmp_path_factory.mktemp("demo"))
    engine = open_database(done.settings.database.url)
    yield Client(create_app(engine, done.settings, lambda: NOW))
    engine.dispose()


@pytest.fixture(params=["", *HOSTILE_TEXTS])
def site(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> Iterator[Client]:
    """A site with one edition that has something for each feed; its names are hostile, or are not."""
    shutil.copy(sqlite_template, tmp_path / "digest.db")
    engine = open_database(f"sqlite:///{tmp_path / 'digest.db'}")
    site = Site(engine, SETTINGS)
    publish(site, full_edition(HOSTILE_TEXTS.get(request.param)))
    yield site.client
    engine.dispose()


def whole(path: str, client: Client, language: str = ENGLISH) -> None:
    """Both formats of a feed hold the same, and each has all that its standard asks for."""
    of_atom = read_atom(client.get(f"{path}?lang={language}").content)
    of_json = read_json(client.get(f"{path.replace('.atom', '.json')}?lang={language}").content)
    assert [one for one in of_atom if not (one.id and one.title and one.at and one.at.tzinfo and one.link)] == []
    assert of_atom[1:] == of_json[1:]
    assert all(one.html for one in of_atom[1:])


@pytest.mark.parametrize("language", LOCALES)
def test_the_demos_feeds_are_read_by_another_program(demo: Client, language: str) -> None:
    for path in ATOM:
        whole(path, demo, language)
    assert len(read_atom(demo.get(ATOM[0]).content)) == 2  # the feed and its one edition


def test_feeds_with_something_in_each_are_read_by_another_program(site: Client) -> None:
    for path in ATOM:
        whole(path, site)
        assert len(read_atom(site.get(path).content)) == 2, path


def test_json_feeds_follow_the_schema(site: Client, demo: Client, schema: Draft7Validator) -> None:
    for client in (site, demo):
        for path in FEEDS:
            if path.endswith(".json"):
                errors = [error.message for error in schema.iter_errors(client.get(path).json())]
                assert errors == [], path


def test_what_is_no_feed_is_refused(demo: Client, schema: Draft7Validator) -> None:
    """The checkers do find what is wrong."""
    with pytest.raises(atoma.FeedParseError):
        read_atom(re.sub(b"<id>.*?</id>", b"", demo.get("/feed.atom").content))
    feed = demo.get("/feed.json").json()
    with pytest.raises(atoma.FeedParseError):
        read_json(json.dumps(feed | {"title": None}).encode())
    assert not schema.is_valid(feed | {"feed_url": "nowhere"})
    assert not schema.is_valid(feed | {"items": [{**feed["items"][0], "date_published": "today"}]})
