"""Models side by side on the web: one address for each set of models, and bars that say what the figures say."""

from typing import Any

import pytest
from lxml import html
from sqlalchemy import Engine
from tests.rendering.test_email import HOSTILE
from tests.web.newest import BEFORE, BOARD, a_week, with_sources
from tests.web.visitors import Client, Site, words

from digest.config.settings import Settings
from digest.edition.versus import versus
from digest.web import versus as room

PAIR = "/versus/gpt-5.4/gpt-5.5"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_sources(settings)


@pytest.fixture
def client(site: Site) -> Client:
    return site.client


def test_the_form_asks_for_models_that_a_board_has(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = html.fromstring(client.get("/versus").text)
    assert page.xpath("//datalist/option/@value") == ["claude-opus-4-7", "gpt-5.4", "gpt-5.5", "zeta"]
    assert page.xpath("//form[@method='get']/@action") == ["/versus"]


def test_without_a_capture_there_is_nothing_to_compare(client: Client) -> None:
    assert "No source was read yet" in words(client.get("/versus"))
    assert "No source was read yet" in words(client.get(PAIR))


@pytest.mark.parametrize(
    "path",
    ["/versus?a=gpt-5.5&b=gpt-5.4&c=", "/versus?a=GPT-5.5&b=%20gpt-5.4", "/versus/gpt-5.5/gpt-5.4",
     "/versus/GPT-5.4/GPT-5.5"],
)  # fmt: skip
def test_every_spelling_and_order_leads_to_one_address(client: Client, engine: Engine, path: str) -> None:
    a_week(engine)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (308, PAIR)
    assert client.get(PAIR).status_code == 200


def test_a_stated_variant_stays_in_the_address(client: Client, engine: Engine) -> None:
    a_week(engine)
    moved = client.get("/versus?a=GPT-5.5-xhigh&b=gpt-5.4")
    assert moved.headers["Location"] == "/versus/gpt-5.4/gpt-5.5-xhigh"
    assert client.get(moved.headers["Location"]).status_code == 200


def test_a_name_with_a_slash_has_its_address_in_the_query(client: Client, engine: Engine) -> None:
    a_week(engine, {"lab/odd one": 3, "gpt-5.4": 2})
    page = client.get("/versus?a=gpt-5.4&b=lab%2Fodd+one")
    assert page.status_code == 200
    assert "lab/odd one" in words(page)


def test_a_tie_has_no_winner_and_a_lead_has_one(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = client.get(PAIR)
    assert "within our margin of 1.0 point" in words(page)
    rows = {row.xpath("string(th)").strip(): row for row in html.fromstring(page.text).xpath("//tbody/tr")}
    assert not rows["main"].xpath("td[contains(@class, 'ahead')]")
    assert [cell.text for cell in rows["coding"].xpath("td[contains(@class, 'ahead')]")] == ["82.5"]


def test_length_bars_start_at_zero_and_reach_as_far_as_the_figure(client: Client, engine: Engine) -> None:
    a_week(engine)
    bars = html.fromstring(client.get(PAIR).text).xpath("//svg[@class='length']")[:2]
    assert [bar.xpath("rect[2]/@width") for bar in bars] == [["77.5"], ["82.5"]]
    assert not any(bar.xpath("rect[2]/@x") for bar in bars)
    assert [bar.xpath("rect[1]/@width") for bar in bars] == [["100"]] * 2


def test_a_difference_bar_stands_on_the_side_of_the_better_one(client: Client, engine: Engine) -> None:
    a_week(engine, {"main": {"alpha": 10, "beta": 30}, "other": {"alpha": 50, "beta": 40}})
    main, other = html.fromstring(client.get("/versus/alpha/beta").text).xpath("//svg[@class='difference']/rect")
    assert (main.get("class"), main.get("x"), main.get("width")) == ("b", "50.0", "48.0")
    assert (other.get("class"), other.get("x"), other.get("width")) == ("a", "26.0", "24.0")


def test_prices_and_questions_are_answered_from_the_newest_list(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = words(client.get(PAIR))
    assert "gpt-5.4. gpt-5.5 costs twice as much: $5.00 in and $30.00 out per 1M tokens" in page
    assert "Both take 1.05M tokens (Sample prices, Mon 27 Apr 2026)." in page


def test_three_models_stand_side_by_side(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = html.fromstring(client.get("/versus/gpt-5.4/gpt-5.5/zeta").text)
    assert page.xpath("string(//h1)") == "gpt-5.4 vs gpt-5.5 vs zeta"
    assert not page.xpath("//svg[@class='difference']")


def test_an_unknown_name_is_no_page_but_names_the_nearest(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = client.get("/versus/gpt-5.6/zeta")
    assert page.status_code == 404
    assert "the nearest are gpt-5.5" in words(page)
    assert "digest resolve" not in words(client.get("/versus/qqqqqq/zeta"))


def test_one_model_twice_is_said_to_be_the_same(client: Client, engine: Engine) -> None:
    a_week(engine)
    page = client.get("/versus/gpt-5.5/GPT-5.5")
    assert page.status_code == 400
    assert "are the same; name two models" in words(page)


def test_the_same_question_is_computed_once_until_there_are_newer_figures(
    client: Client, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def compare(*given: Any) -> Any:
        asked.append(given)
        return versus(*given)

    monkeypatch.setattr(room, "versus", compare)
    a_week(engine, on=BEFORE)
    for path in (PAIR, PAIR, "/versus/zeta/nobody", "/versus/zeta/nobody"):
        client.get(path)
    assert len(asked) == 2
    a_week(engine, {"gpt-5.5": 10, "gpt-5.4": 90})
    assert "gpt-5.4 is clearly ahead" in words(client.get(PAIR))


def test_who_has_the_page_is_told_that_it_is_the_same(client: Client, engine: Engine) -> None:
    a_week(engine)
    tag = client.get(PAIR).headers["ETag"]
    assert client.get(PAIR, headers={"If-None-Match": tag}).status_code == 304
    assert client.head(PAIR).status_code == 200


@pytest.mark.parametrize("name", ["%00", "%ED%A0%80", "a" * 5000, "%2E%2E", "{{7*7}}", "' OR 1=1--", "<script>"])
def test_any_other_word_is_no_page(client: Client, engine: Engine, name: str) -> None:
    a_week(engine)
    page = client.get(f"/versus/gpt-5.4/{name}")
    assert page.status_code == 404
    assert "<script" not in page.text


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_add_no_element_attribute_or_address(client: Client, engine: Engine, kind: str) -> None:
    text = HOSTILE[kind].encode("utf-8", "ignore").decode().replace("\0", "")
    a_week(engine, {**BOARD, "coding": {text: 2, "gpt-5.4": 1}, text: {text: 5, "gpt-5.4": 6}})
    page = client.get("/versus", params={"a": text, "b": "gpt-5.4"})
    page = client.get(page.headers["Location"]) if page.status_code == 308 else page
    document = html.fromstring(page.text)
    assert not document.xpath("//main//script | //main//img | //@style | //@*[starts-with(name(), 'on')]")
    assert all(link.startswith(("/", "https://")) for link in document.xpath("//@href"))
