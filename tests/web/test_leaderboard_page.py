"""Leaderboards on the web: ranks, bands and bars say what the code decides, and links sort without a script."""

from typing import Any

import pytest
from lxml import html
from sqlalchemy import Engine
from tests.rendering.test_email import HOSTILE
from tests.web.newest import BOARD, a_week, with_sources
from tests.web.visitors import Client, Site, words

from digest.config.settings import Settings

ONE = "/leaderboard?source=board"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_sources(settings)


@pytest.fixture
def client(site: Site) -> Client:
    return site.client


def models(client: Client, path: str) -> list[str]:
    page = html.fromstring(client.get(path).text)
    return [" ".join(cell.text_content().split()) for cell in page.xpath("//tbody//th[@scope='row']")]


def test_without_a_capture_nothing_is_said_of_any_board(client: Client) -> None:
    page = client.get("/leaderboard")
    assert page.status_code == 200
    assert "No leaderboard was read yet." in words(page)


def test_rows_that_are_not_told_apart_stand_in_one_band(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = html.fromstring(client.get(ONE).text)
    (first,) = page.xpath("//tbody[@class='first']")
    assert first.xpath("string(tr[1]/th)") == "Tied for 1st: within 1.0 point"
    assert [row.xpath("string(td[1])") for row in first.xpath("tr[position() > 1]")] == ["1", "2"]
    assert models(client, ONE) == ["gpt-5.5 xhigh", "gpt-5.4 xhigh", "claude-opus-4-7", "zeta"]


def test_bars_of_rows_overlap_as_far_as_they_are_tied(client: Client, engine: Engine) -> None:
    a_week(engine)
    bars = html.fromstring(client.get(ONE).text).xpath("//svg/rect")
    one, other, third = ((float(bar.get("x")), float(bar.get("x")) + float(bar.get("width"))) for bar in bars[:3])
    assert other[1] > one[0]
    assert third[1] < other[0]


def test_a_link_sorts_by_model_or_maker_and_once_more_turns_it_round(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = html.fromstring(client.get(ONE).text)
    by_model, by_maker = page.xpath("//thead//a[starts-with(., 'M')]/@href")
    rising = models(client, by_model)
    assert rising == ["claude-opus-4-7", "gpt-5.4 xhigh", "gpt-5.5 xhigh", "zeta"]
    (turned,) = html.fromstring(client.get(by_model).text).xpath("//th[@aria-sort='ascending']/a/@href")
    assert models(client, turned) == rising[::-1]
    assert models(client, by_maker)[0] == "claude-opus-4-7"


def test_who_has_no_known_maker_comes_last_in_either_direction(client: Client, engine: Engine) -> None:
    a_week(engine)
    assert models(client, f"{ONE}&sort=maker&dir=asc")[-1] == models(client, f"{ONE}&sort=maker&dir=desc")[-1] == "zeta"


@pytest.mark.parametrize("sort", ["value", "key; drop", "__class__", ""])
def test_an_order_that_is_not_known_is_the_order_of_places(client: Client, engine: Engine, sort: str) -> None:
    a_week(engine)
    assert client.get(ONE, params={"source": "board", "sort": sort}).text == client.get(ONE).text


def test_a_category_or_benchmark_has_a_board_of_its_own(client: Client, engine: Engine) -> None:
    a_week(engine)
    path = "/leaderboard?source=board&category=CODING"
    assert models(client, path) == ["claude-opus-4-7", "gpt-5.5 xhigh", "gpt-5.4 xhigh"]
    assert "One row is not ranked, because its scores are incomplete." in words(client.get(path))


def test_the_overview_has_ten_rows_and_links_to_all(client: Client, engine: Engine) -> None:
    a_week(engine, {f"model-{number}": 90 - 2 * number for number in range(12)})
    assert len(models(client, "/leaderboard")) == 10
    (link,) = html.fromstring(client.get("/leaderboard").text).xpath("//a[starts-with(., 'All 12 rows')]/@href")
    assert len(models(client, link)) == 12


def test_a_newer_capture_takes_the_place_of_the_older_at_once(client: Client, engine: Engine, site: Site) -> None:
    a_week(engine, {"old-model": 1}, on=site.now.date().replace(month=4, day=20))
    assert models(client, ONE) == ["old-model"]
    a_week(engine, {"new-model": 1})
    assert models(client, ONE) == ["new-model"]


def test_lower_is_better_is_said_and_ranks_so(client: Client, engine: Engine) -> None:
    a_week(engine, {"low": 1, "high": 5}, higher_is_better=False)
    assert models(client, ONE) == ["low", "high"]
    assert "Lower is better." in words(client.get(ONE))


@pytest.mark.parametrize("query", ["source=nobody", "source=prices", "category=nothing", "source=board&category=x"])
def test_a_board_that_there_is_not_is_no_page(client: Client, engine: Engine, query: str) -> None:
    a_week(engine)
    assert client.get(f"/leaderboard?{query}").status_code == 404


def test_who_has_the_page_is_told_that_it_is_the_same(client: Client, engine: Engine) -> None:
    a_week(engine)
    tag = client.get(ONE).headers["ETag"]
    assert client.get(ONE, headers={"If-None-Match": tag}).status_code == 304
    assert client.head(ONE).status_code == 200


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_add_no_element_attribute_or_address(client: Client, engine: Engine, kind: str) -> None:
    text = HOSTILE[kind].encode("utf-8", "ignore").decode().replace("\0", "")
    figures: dict[str, Any] = {"main": {**BOARD["main"], text: 60}, "coding": BOARD["coding"]}
    a_week(engine, figures)
    page = html.fromstring(client.get(ONE).text)
    assert len(page.xpath("//tbody//th[@scope='row']")) == 5
    assert not page.xpath("//main//script | //main//img | //@style | //@*[starts-with(name(), 'on')]")
    assert all(link.startswith(("/", "https://")) for link in page.xpath("//@href"))
