"""An edition on the web: the note that the mail cuts is whole there, of approved editions alone, and harmless."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlalchemy import Connection, Engine
from tests import builders as b
from tests.edition.test_notes import HOSTILE as HOSTILE_NOTES
from tests.rendering.test_email import HOSTILE
from tests.rendering.test_feeds import everything, hostile
from tests.web.visitors import Client

from digest.config.settings import Settings
from digest.database import metadata, writing
from digest.edition import store
from digest.edition.content import Cover, Edition
from digest.edition.notes import load_note
from digest.edition.numbers import monday
from digest.edition.rendered import Rendered
from digest.rendering.email import render
from digest.web.app import create_app

WEEK = "2026-W18"
PAGE, COVER = f"/editions/{WEEK}", f"/editions/{WEEK}/cover"
PNG = b"\x89PNG\r\n\x1a\n and the rest"
LONG = f"{'Word ' * 60}end.\n\n{'Word ' * 30}the *rest* of it."
WITH_COVER = 'cover_image: cover.png\ncover_alt: A "line" that rises <b>\n'
Publish = Callable[..., Edition]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "cover.png").write_bytes(PNG)
    return folder


@pytest.fixture
def desk(settings: Settings, notes: Path) -> Settings:
    return settings.model_copy(update={"series": settings.series.model_copy(update={"notes": notes})})


@pytest.fixture
def client(engine: Engine, desk: Settings, clock: Callable[[], datetime]) -> Client:
    return Client(create_app(engine, desk, clock))


@pytest.fixture
def publish(engine: Engine, desk: Settings, notes: Path, now: datetime, rendered: Rendered) -> Publish:
    """Stores week 18's edition with a note of `body`, below `head` in its front matter, and approves it."""

    def published(body: str = LONG, head: str = "", *, approve: bool = True, **changes: Any) -> Edition:
        text = f"---\ntitle: A first look\ndate: 2026-04-29\n{head}---\n{body}"
        (notes / f"{WEEK}.md").write_text(text, encoding="utf-8")
        edition = b.an_edition(**{"note": load_note(notes, WEEK), **changes})
        with writing(engine) as connection:
            drafted = store.save_draft(connection, edition, rendered, store.envelope_of(desk), now)
            if approve:
                store.save_approval(connection, WEEK, drafted.content_hash, now)
        return edition

    return published


@pytest.fixture
def others(engine: Engine, desk: Settings, now: datetime, rendered: Rendered) -> Callable[..., None]:
    """Stores and approves editions of other weeks."""

    def published(*weeks: str) -> None:
        with writing(engine) as connection:
            for week in weeks:
                edition = b.an_edition(week=week, starts=monday(week))
                drafted = store.save_draft(connection, edition, rendered, store.envelope_of(desk), now)
                store.save_approval(connection, week, drafted.content_hash, now)

    return published


def _words(page: str) -> str:
    return " ".join(html.fromstring(page).text_content().split())


def test_the_link_of_a_mail_that_cuts_its_note_opens_all_of_it(
    client: Client, publish: Publish, desk: Settings
) -> None:
    mail = html.fromstring(render(publish(), desk).html)
    (link,) = mail.xpath("//a[. = 'The rest is on the web']/@href")
    assert "the rest of it" not in mail.text_content()
    page = client.get(link.removeprefix(desk.series.base_url))
    assert page.status_code == 200
    assert "the <em>rest</em> of it." in page.text


def test_a_mail_with_the_whole_note_has_no_link_to_the_web(publish: Publish, desk: Settings) -> None:
    rendered = render(publish("Short."), desk)
    assert "/editions/" not in rendered.html + rendered.text


def test_the_page_says_first_what_the_mail_says_first(client: Client, publish: Publish, desk: Settings) -> None:
    mail = html.fromstring(render(publish(head="author: Ann\n"), desk).html)
    page = html.fromstring(client.get(PAGE).text)
    assert page.findtext(".//title") == f"{mail.xpath('//h1')[0].text_content()} · Digest"
    for ours, theirs in (("//h1", "//h1"), ("//p[@class='lead']", "//h1/following-sibling::p")):
        assert [one.text_content() for one in page.xpath(ours)] == [mail.xpath(theirs)[0].text_content()]
    points = mail.xpath("//tr[td[1]/b[. = '1']]/../tr/td[2]")
    assert [point.text_content() for point in page.xpath("//ol/li")] == [point.text_content() for point in points] != []


def test_the_page_tells_every_section_of_the_mail_in_its_order(
    client: Client, publish: Publish, desk: Settings
) -> None:
    told = {field: getattr(everything(), field) for field in type(everything()).model_fields if field != "note"}
    mail = html.fromstring(render(publish(**told), desk).html)
    page = html.fromstring(client.get(PAGE).text)
    renamed = {"From the editor": "A first look", "Source health": "Sources"}
    sections = [heading.text_content() for heading in mail.xpath("//h2") if heading.text_content() != "Your watch list"]
    there = [renamed.get(section, section) for section in sections]  # all that the mail has room for
    assert [it for heading in page.xpath("//h2") if (it := heading.text_content()) in there] == there
    assert len(page.xpath("//h2[@id]")) == len({*page.xpath("//h2/@id")}) == 16


def test_the_page_tells_every_figure_of_the_mail(client: Client, publish: Publish, desk: Settings) -> None:
    told = {field: getattr(everything(), field) for field in type(everything()).model_fields if field != "note"}
    mail = html.fromstring(render(publish(**told), desk).html)
    page = _words(client.get(PAGE).text)
    figures = {b.text_content() for b in mail.xpath("//td[contains(@style, 'right')]/b")}
    assert len(figures) > 10
    assert {figure for figure in figures if figure not in page} == set()


def test_a_figure_leads_to_its_receipt_where_the_edition_has_one(client: Client, publish: Publish) -> None:
    publish(receipts=everything().receipts)
    page = html.fromstring(client.get(PAGE).text)
    assert "81.3" in page.xpath("//a[@href='/changes/m1']/text()")
    assert {link for link in page.xpath("//@href") if "/changes/" in link} == {
        f"/changes/{it}" for it in ("c1", "m1", "p", "a")
    }
    publish()
    assert "/changes/" not in client.get(PAGE).text


def test_a_bar_is_the_interval_of_its_row_and_uses_no_style(client: Client, publish: Publish) -> None:
    publish(boards=(b.a_board(),))
    page = client.get(PAGE).text
    first = html.fromstring(page).xpath("(//svg[@class='bar'])[1]/rect")
    assert [(rect.get("class"), rect.get("x"), rect.get("width")) for rect in first] == [
        ("b-first", "74.4%", "7.1%"), ("b-first", "81.5%", "7.1%"), ("b-point", "81.5%", "2"),
    ]  # fmt: skip
    assert " style=" not in page


def test_the_edition_before_and_the_one_after_are_linked(
    client: Client, publish: Publish, others: Callable[..., None]
) -> None:
    publish()
    others("2026-W16", "2026-W17", "2026-W21")
    page = html.fromstring(client.get(PAGE).text)
    assert page.xpath("//a[@rel='prev']/@href | //a[@rel='next']/@href") == ["/editions/2026-W17", "/editions/2026-W21"]


def test_a_page_says_to_searchers_and_networks_what_it_is(client: Client, publish: Publish) -> None:
    publish()
    page = html.fromstring(client.get(PAGE).text)
    (card,) = page.xpath("//meta[@property='og:image']/@content")
    assert page.xpath("//link[@rel='canonical']/@href") == [f"https://digest.example{PAGE}"]
    assert page.xpath("//link[@rel='alternate'][@type]/@href") == ["/feed.atom", "/feed.json"]
    assert (
        page.xpath("//*[@itemprop='headline']")[0].text_content()
        == page.xpath("//meta[@property='og:title']/@content")[0]
    )
    assert page.xpath("//meta[@itemprop='datePublished']/@content") == ["2026-05-04T09:00:00Z"]
    picture = client.get(card.removeprefix("https://digest.example"))
    assert (picture.headers["Content-Type"], picture.headers["Cache-Control"]) == (
        "image/png", "public, max-age=31536000, immutable",
    )  # fmt: skip
    assert picture.content.startswith(b"\x89PNG")


def test_a_card_under_another_name_is_not_kept_for_long_and_is_not_sent_twice(client: Client, publish: Publish) -> None:
    publish()
    answer = client.get(f"{PAGE}/card.png?old")
    assert answer.headers["Cache-Control"] == "public, max-age=600"
    again = client.get(f"{PAGE}/card.png", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_an_edition_of_an_older_version_still_has_a_page(client: Client, publish: Publish, engine: Engine) -> None:
    edition = publish()
    old = edition.model_dump_json(exclude_defaults=True)
    table = metadata.tables["edition"]
    with writing(engine) as connection:
        row = connection.execute(table.select()).mappings().one()
        content = store.fingerprint(old, row["rendered"], row["envelope"])
        connection.execute(table.update().values(content=old, content_hash=content, approved_hash=content))
    assert client.get(PAGE).status_code == client.get("/editions").status_code == 200
    assert "In brief" in client.get(PAGE).text


def test_the_archive_lists_what_was_approved_the_newest_first_and_fifty_a_page(
    client: Client, publish: Publish, others: Callable[..., None]
) -> None:
    others(*(f"2025-W{number:02}" for number in range(1, 53)))
    publish()
    first, second = (html.fromstring(client.get(path).text) for path in ("/editions", "/editions?page=2"))
    listed = [page.xpath("//ol[@class='editions']//@href") for page in (first, second)]
    assert [len(links) for links in listed] == [50, 3]
    assert listed[0][:2] == [PAGE, "/editions/2025-W52"]
    assert first.xpath("//a[@rel='next']/@href") == ["/editions?page=2"]
    assert second.xpath("//a[@rel='prev']/@href") == ["/editions"]
    assert second.xpath("//h2[@class='year']/text()") == ["2025"]


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "99999", "١", "1%00"])
def test_a_page_that_the_archive_does_not_have_is_none(client: Client, publish: Publish, page: str) -> None:
    publish()
    assert client.get(f"/editions?page={page}").status_code == 404


def test_the_archive_reads_an_edition_once_and_again_when_it_was_drafted_anew(
    client: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = store.load_edition

    def load(connection: Connection, week: str) -> store.StoredEdition | None:
        read.append(week)
        return real(connection, week)

    monkeypatch.setattr(store, "load_edition", load)
    publish()
    client.get("/editions")
    client.get("/editions")
    assert read == [WEEK]
    publish("Other words.", boards=(b.a_quiet_board(),), arrivals=(), movers=())
    assert "New #1, tied" not in client.get("/editions").text
    assert read == [WEEK, WEEK]


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"boards": (b.a_lower_is_better_board(),)}, "New #1"),
        ({"boards": (b.a_board(),)}, "New #1, tied"),
        ({"boards": (), "method": (b.a_method_note(kind="scale_shifted"),)}, "Method change"),
        ({"boards": (), "quiet": True}, "Quiet"),
    ],
)
def test_the_archive_says_what_kind_of_week_it_was(
    client: Client, publish: Publish, changes: dict[str, Any], label: str
) -> None:
    publish(**changes)
    page = html.fromstring(client.get("/editions").text)
    assert [chip.text for chip in page.xpath("//*[contains(@class, 'chip')]")] == [label]


def test_the_page_says_which_weeks_it_compares_and_who_wrote_the_note(client: Client, publish: Publish) -> None:
    publish(head="author: Ann\n")
    page = _words(client.get(PAGE).text)
    assert "No. 18 · Week 18, 2026 · Mon 27 Apr compared with Mon 20 Apr" in page
    assert "From the editor · Ann · Wed 29 Apr" in page


def test_every_source_is_linked_with_the_days_of_its_captures(client: Client, publish: Publish) -> None:
    publish(health=(b.a_source(), b.a_stale_source(home="javascript:alert(1)"), b.a_failed_source(current=None)))
    page = client.get(PAGE).text
    assert html.fromstring(page).xpath("//main//li/a/@href") == ["https://arena.example/", "https://livebench.example/"]
    assert "LiveBench ● Fresh 106 models. Capture of Mon 27 Apr, compared with Mon 20 Apr." in _words(page)
    assert "hallucination ○ Stale Capture of Mon 9 Feb. Vectara hallucination last changed Mon 9 Feb" in _words(page)
    assert "Arena text ✕ Failed No capture yet. Arena text could not be read" in _words(page)


def test_a_capture_of_another_year_names_it(client: Client, publish: Publish) -> None:
    old = b.WEEK_17.model_copy(update={"on": b.WEEK_17.on.replace(year=2025)})
    publish(health=(b.a_source(), b.a_stale_source(current=old)))
    assert "Capture of Sun 20 Apr 2025." in _words(client.get(PAGE).text)


def test_an_edition_without_a_note_has_a_page_without_one(client: Client, publish: Publish) -> None:
    publish(note=None)
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "From the editor" not in page.text
    assert "img-src" not in page.headers["Content-Security-Policy"]
    assert client.get(COVER).status_code == 404


def test_the_cover_is_shown_in_words_and_served_in_the_bytes_that_were_approved(
    client: Client, publish: Publish
) -> None:
    publish(head=WITH_COVER)
    page = client.get(PAGE)
    (picture,) = html.fromstring(page.text, base_url=f"https://digest.example{PAGE}").xpath("//img")
    picture.make_links_absolute()
    assert (picture.get("src"), picture.get("alt")) == (f"https://digest.example{COVER}", 'A "line" that rises <b>')
    assert "; img-src 'self';" in page.headers["Content-Security-Policy"]
    answer = client.get(COVER)
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, PNG, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_cover_that_is_gone_or_is_another_by_now_is_not_served(client: Client, publish: Publish, notes: Path) -> None:
    publish(head=WITH_COVER)
    (notes / "cover.png").write_bytes(PNG + b"!")
    assert client.get(COVER).status_code == 404
    (notes / "cover.png").unlink()
    assert client.get(COVER).status_code == 404
    (notes / "cover.png").mkdir()
    assert client.get(COVER).status_code == 404
    assert client.get(PAGE).status_code == 200


def test_a_file_beside_the_note_that_is_no_cover_is_not_served(client: Client, publish: Publish, notes: Path) -> None:
    publish(head="")
    assert client.get(COVER).status_code == 404
    publish(head=WITH_COVER)
    assert client.get(f"/editions/{WEEK}/{WEEK}.md").status_code == 404


def test_what_was_not_approved_is_nowhere_on_the_web(client: Client, publish: Publish) -> None:
    publish(head=WITH_COVER, approve=False)
    for path in (PAGE, COVER):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "<h1>There is no such page</h1>" in answer.text
        assert "A first look" not in answer.text


def test_an_edition_that_was_drafted_anew_after_its_approval_is_taken_off(client: Client, publish: Publish) -> None:
    publish()
    assert client.get(PAGE).status_code == 200
    publish("Other words.", approve=False)
    assert client.get(PAGE).status_code == 404


def test_what_is_stored_but_is_not_what_was_approved_is_not_shown(
    client: Client, publish: Publish, engine: Engine
) -> None:
    publish()
    table = metadata.tables["edition"]
    with writing(engine) as connection:
        content = connection.execute(table.select()).mappings().one()["content"]
        connection.execute(table.update().values(content=content.replace("A first look", "A forged look")))
    assert client.get(PAGE).status_code == 404


@pytest.mark.parametrize(
    "week",
    [
        "2026-W17", "2026-W99", "2026-w18", "2026W18", "2026-04-27", "latest", "2026-W18%00", "%00", "2026-W18%0A",
        "٢٠٢٦-W18", "2026-W18/", "2026-W18%2F", "..%2F2026-W18", "%ED%A0%80", "' OR 1=1--", "A" * 5000,
    ],
)  # fmt: skip
def test_any_other_week_or_word_is_no_page(client: Client, publish: Publish, week: str) -> None:
    publish(head=WITH_COVER)
    for path in (f"/editions/{week}", f"/editions/{week}/cover"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "<h1>There is no such page</h1>" in answer.text


def test_looking_changes_nothing_and_pressing_is_not_offered(
    client: Client, publish: Publish, engine: Engine, notes: Path
) -> None:
    def everything() -> list[Any]:
        files = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sorted(notes.iterdir())]
        with engine.connect() as connection:
            tables = [connection.execute(table.select()).all() for table in metadata.sorted_tables]
        return [files, tables]

    publish(head=WITH_COVER)
    before = everything()
    for path in (PAGE, COVER):
        assert (client.get(path).status_code, client.head(path).status_code) == (200, 200)
        assert [client.request(method, path).status_code for method in ("POST", "PUT", "DELETE")] == [405] * 3
    assert everything() == before


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_title_or_name_adds_no_element_no_attribute_and_no_address(
    client: Client, publish: Publish, kind: str
) -> None:
    tame_note = publish().note
    assert tame_note is not None

    def shape(text: str) -> list[set[Any]]:
        told = {field: getattr(hostile(everything(), text), field) for field in type(everything()).model_fields}
        cover = Cover(file=text, media_type="image/png", sha256="0" * 64, alt=text)
        note = tame_note.model_copy(update={"title": text, "author": text, "cover": cover})
        # What a source is called in config.toml is the operator's own; a database is asked for its weeks by it.
        boards = [board.model_copy(update={"source": "board"}) for board in told["boards"]]
        publish(**{**told, "boards": tuple(boards), "note": note})
        answers = [client.get(path) for path in (PAGE, "/editions")]
        assert [answer.status_code for answer in answers] == [200, 200]
        page, archive = (html.fromstring(answer.text) for answer in answers)
        return [
            {node.tag for one in (page, archive) for node in one.iter()},
            {it.attrname for one in (page, archive) for it in one.xpath("//@*")},
            {*page.xpath("//@href"), *archive.xpath("//@href")},
        ]

    evil, tame = shape(HOSTILE[kind].encode("utf-8", "ignore").decode()), shape("tame")
    assert all(ours <= theirs for ours, theirs in zip(evil, tame, strict=True))


@pytest.mark.parametrize("markdown", HOSTILE_NOTES)
def test_a_hostile_note_is_as_harmless_on_the_web_as_in_the_mail(
    client: Client, publish: Publish, markdown: str
) -> None:
    publish(f"Words.\n\n{markdown}\n\nWords.", head=WITH_COVER)
    page = html.fromstring(client.get(PAGE).text)
    assert not page.xpath("//main//script | //main//style | //main//@style | //@*[starts-with(name(), 'on')]")
    assert page.xpath("//@src") == [COVER]
    assert all(link.startswith(("https://", "http://", "mailto:", "/")) for link in page.xpath("//main//@href"))
