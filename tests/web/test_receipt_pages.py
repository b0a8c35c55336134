"""A receipt: what an approved edition tells can be followed to both captures, and nothing else can."""

import pytest
from lxml import html
from sqlalchemy import Engine
from tests import builders as b
from tests.rendering.test_email import HOSTILE
from tests.web.newest import ID, a_receipt, publish
from tests.web.visitors import Site, words

from digest.database import metadata, writing

PAGE = f"/changes/{ID}"


def test_a_receipt_shows_both_captures_with_their_rows_values_and_whole_hashes(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt()])
    page = site.client.get(PAGE)
    assert page.status_code == 200
    cells = {
        row.xpath("string(th)"): [cell.text_content() for cell in row.xpath("td")]
        for row in html.fromstring(page.text).xpath("//table/tbody/tr")
    }
    assert cells["Value"] == ["80.71%", "79.25%"]
    assert cells["Row’s own id"] == ["row-2", "row-1"]
    assert cells["Name in the source"] == ["gpt-5.5", "GPT 5.5"]
    assert cells["sha256 of the bytes"] == ["b" * 64, "a" * 64]


def test_a_figure_that_no_change_tells_is_said_as_it_was_read(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt()])
    said = "gpt-5.5 on Sample board, main: 80.71% on Mon 27 Apr 2026, 79.25% on Mon 20 Apr 2026."
    assert said in words(site.client.get(PAGE))


def test_a_change_is_said_in_the_words_of_the_edition(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt()], boards=(b.a_board(change=ID),))
    assert "gpt-5.5 xhigh: Tied for first on LiveBench overall." in words(site.client.get(PAGE))


def test_the_licence_the_home_and_every_edition_that_tells_it_are_named(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt()], week="2026-W17", number=17)
    publish(engine, [a_receipt()], number=18, health=(b.a_source(source="board", home="https://board.example/"),))
    page = site.client.get(PAGE)
    assert "Licence of the data: CC BY 4.0" in words(page)
    links = html.fromstring(page.text).xpath("//main//li/a/@href")
    assert links == ["https://board.example/", "/editions/2026-W18", "/editions/2026-W17"]


def test_a_capture_without_the_row_says_so_and_is_no_zero(site: Site, engine: Engine) -> None:
    before = a_receipt().previous
    assert before is not None
    publish(engine, [a_receipt(previous=before.model_copy(update={"key": None, "raw": None, "value": None}))])
    page = words(site.client.get(PAGE))
    assert "no such row" in page
    assert "not known" in page


def test_a_first_capture_has_no_column_of_figures_before(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt(previous=None)])
    assert "in the first capture" in words(site.client.get(PAGE))


def test_what_no_approved_edition_tells_has_no_receipt(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt()], approve=False)
    assert site.client.get(PAGE).status_code == 404
    publish(engine, [a_receipt()])
    assert site.client.get(PAGE).status_code == 200
    publish(engine, [a_receipt()], approve=False, tagline="drafted anew")
    assert site.client.get(PAGE).status_code == 404


def test_an_edition_that_was_tampered_with_proves_nothing(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt()])
    assert site.client.get(PAGE).status_code == 200
    with writing(engine) as connection:
        table = metadata.tables["edition"]
        content = connection.execute(table.select()).mappings().one()["content"]
        connection.execute(table.update().values(content=content.replace("80.71", "90.71")))
    assert site.client.get(PAGE).status_code == 404


@pytest.mark.parametrize("id_", ["fedcba9876543210", ID.upper(), ID[:-1], f"{ID}0", "%25", "%00", "_" * 16])
def test_any_other_id_is_no_page(site: Site, engine: Engine, id_: str) -> None:
    publish(engine, [a_receipt()])
    assert site.client.get(f"/changes/{id_}").status_code == 404


def test_who_has_the_page_is_told_that_it_is_the_same(site: Site, engine: Engine) -> None:
    publish(engine, [a_receipt()])
    tag = site.client.get(PAGE).headers["ETag"]
    assert site.client.get(PAGE, headers={"If-None-Match": tag}).status_code == 304
    assert site.client.head(PAGE).status_code == 200


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_add_no_element_attribute_or_address(site: Site, engine: Engine, kind: str) -> None:
    def shape(text: str) -> list[set[str]]:
        side = a_receipt().current
        assert side is not None
        side = side.model_copy(update={"key": text, "raw": text})
        publish(engine, [a_receipt(title=text, url=text, licence=text, measure=text, unit=text, current=side)])
        page = html.fromstring(site.client.get(PAGE).text)
        attributes = {it.attrname for it in page.xpath("//@*")}
        return [{node.tag for node in page.iter()}, attributes, {*page.xpath("//@href")}]

    assert shape(HOSTILE[kind].encode("utf-8", "ignore").decode()) == shape("tame")
