"""Hostile text in every field of what is captured, published, configured and typed stays text on every page."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests import builders as b
from tests.captures import declared
from tests.hostile import (
    PIECES,
    Put,
    check_markup,
    configured,
    forget_templates,
    hostile,
    planted,
    tame,
    templates_filled,
)
from tests.outgoing import some_outgoing
from tests.rendering.test_hostile_content import a_note, full_edition
from tests.snapshots import a_board, a_price_list, an_offer
from tests.web.newest import ID, a_receipt, capture
from tests.web.visitors import Site

from digest import audit
from digest.config.assets import asset
from digest.config.settings import Settings
from digest.database import open_database, writing
from digest.delivery import outbox
from digest.edition import store as editions
from digest.edition.content import Edition
from digest.edition.rendered import Rendered
from digest.edition.renditions import TOPICS
from digest.edition.watch_facts import Threshold, WatchList
from digest.scores import store as scores
from digest.subscribers import store

pytestmark = pytest.mark.long

TWO_DAYS = timedelta(hours=49)
CAPTCHA = {"verify_url": "https://captcha.example/verify", "field": "proof"}
PUBLIC = (
    "/",
    "/?lang=de",
    "/editions",
    "/editions?page=0",
    "/editions/2026-W18",
    "/editions/2026-W18?lang=de",
    "/leaderboard",
    "/leaderboard?lang=de",
    "/leaderboard?source=livebench",
    "/versus",
    f"/changes/{ID}",
    f"/changes/{ID}?lang=de",
    "/method",
    "/privacy",
    "/api/docs",
    "/nowhere",
)


def storable(put: Put) -> Put:
    """The same without what no database holds."""
    return lambda said: put(said).encode("utf-8", "ignore").decode().replace("\0", "")


def a_site(folder: Path, template: Path, settings: Settings, put: Put) -> Site:
    """A site of its own on which `put` was at work in all that is configured, captured and published."""
    folder.mkdir()
    shutil.copy(template, folder / "digest.db")
    said = configured(put)
    about = {"licence": said("CC BY"), "home": said("https://board.example/")}
    sources = {name: declared(title=said(title), **about) for name, title in TITLES.items()}
    series = {name: said("Ours") for name in ("title", "tagline", "postal_address", "contact")}
    told = settings.model_copy(
        update={"series": settings.series.model_copy(update=series), "sources": {**settings.sources, **sources}}
    )
    site = Site(open_database(f"sqlite:///{folder / 'digest.db'}"), told)
    captures(site.engine, put)
    for week in ("2026-W17", "2026-W18"):
        publish(site, an_edition(put, week))
    return site


ORDERED_BY_NAME = ("/versus", "two", "three")
ROWS = {"gpt-5.5-xhigh": 80, "gpt-5.4": 79, "lab/zeta": 50}
TITLES = {"livebench": "LiveBench", "litellm": "LiteLLM prices"}


def captures(engine: Engine, put: Put) -> None:
    for on, more in ((date(2026, 4, 20), 0), (date(2026, 4, 27), 5)):
        rows = {put(name).strip(): Decimal(value) for name, value in ROWS.items()}
        rows[put("gpt-5.4").strip()] += more
        figures = {put("main"): rows, f"category:{put('Coding')}": rows, put("IF"): rows}
        offers = {
            put(name).strip(): an_offer(5, 30 - more, 1_000_000, host=put("Azure")) for name in ("gpt-5.5", "gpt-5.4")
        }
        board = a_board(figures, source="livebench", on=on, margin=Decimal(1), title=put("accuracy"), unit=put("%"))
        capture(engine, board, a_price_list(offers, source="litellm", on=on))


def an_edition(put: Put, week: str) -> Edition:
    """The full edition with a receipt, of sources that the site knows."""
    boards = (b.a_board(change=ID), *full_edition().boards[1:])
    note = a_note("\n\n".join(piece for piece in PIECES if len(piece) < 100))
    whole = full_edition().model_copy(update={"week": week, "boards": boards, "note": note, "receipts": (a_receipt(),)})
    edition: Edition = planted(whole, put, kept=("source",))
    return edition


def publish(site: Site, edition: Edition) -> None:
    rendered = Rendered(subject=edition.week, preheader="", html="", text="")
    with writing(site.engine) as connection:
        envelope = editions.envelope_of(site.settings)
        drafted = editions.save_draft(connection, edition, rendered, envelope, site.now)
        editions.save_approval(connection, edition.week, drafted.content_hash, site.now)


# Every page in turn

Visits = Iterator[tuple[str, str]]


def visits(site: Site, put: Put) -> Visits:
    """All that a visitor, a reader and who types what they like are shown, by what they did."""
    for path in PUBLIC:
        yield path, site.client.get(path).text
    yield from of_versus(site, put)
    yield from of_signing_up(site, put)
    yield from of_choosing(site, put)
    yield from of_leaving(site)
    yield from of_overseeing(site, put)
    with writing(site.engine) as connection:
        connection.execute(text("ALTER TABLE edition RENAME TO elsewhere"))
    yield "the database is gone", site.client.get("/editions").text


def of_versus(site: Site, put: Put) -> Visits:
    """A name that nobody can ask for leads to the page of a name that nobody has."""
    two = {"a": put("gpt-5.5-xhigh").strip(), "b": put("gpt-5.4").strip()}
    for name, asked in (("two", two), ("three", {**two, "c": put("lab/zeta").strip()})):
        yield f"{name}, unknown", site.client.get("/versus", params={**asked, "b": put("o9")}).text
        page = site.client.get("/versus", params=asked)
        page = site.client.get(page.headers["Location"]) if page.status_code == 308 else page
        yield name if page.status_code == 200 else f"{name}, unknown", page.text


def of_signing_up(site: Site, put: Put) -> Visits:
    typed = {"email": put("x"), "topics": [put("models")], "locale": put("en"), "country": put("DE"), "agree": put("")}
    client = site.client
    yield "mistakes", client.post("/subscribe", data=site.filled(**typed)).text
    yield "no link", client.post("/preferences", data=site.filled(email=put("x"))).text
    yield "no form yet", client.get("/preferences").text
    yield "signed up", client.post("/subscribe", data=site.filled()).text
    yield "link", client.post("/preferences", data=site.filled()).text
    confirming = site.link(site.reader("new@example.org", "requested"), "confirm")
    for name in ("confirmed", "confirmed before"):
        yield f"{name}, asked", client.get(confirming).text
        yield name, client.post(confirming).text
    yield "broken link", client.get(f"/confirm/{put('x').encode('ascii', 'ignore').hex()}").text
    late = site.link(site.reader("late@example.org", "requested"), "confirm")
    site.now += TWO_DAYS
    yield "too late", client.get(late).text
    proof = site.settings.signup.captcha.model_copy(update=CAPTCHA)
    signup = site.settings.signup.model_copy(update={"captcha": proof})
    guarded = Site(site.engine, site.settings.model_copy(update={"signup": signup}), site.now)
    yield "CAPTCHA", guarded.client.get("/").text


def of_choosing(site: Site, put: Put) -> Visits:
    number = site.reader("bob@example.org", **{name: put("x") for name in ("detail", "regime", "wording")})
    watch = WatchList(
        **{name: (put(name), put("o1")) for name in ("models", "providers", "benchmarks", "categories", "needs")},
        thresholds=(Threshold(category=put("Coding"), at_least=Decimal(75), under=Decimal(3)),),
    )
    with writing(site.engine) as connection:
        store.save_choices(connection, number, locale="en", topics=(), format="full", quiet_weeks="note", watch=watch)
    path = site.link(number, "preferences")
    yield "preferences", site.client.get(path).text
    wrong = {"topics": [put("models")], "add": put("gpt-9"), "country": put("DE"), "locale": put("en")}
    yield "preferences with mistakes", site.client.post(path, data={**wrong, "remove": [put("o1")]}).text
    yield "preferences saved", site.client.post(path, data={"topics": list(TOPICS), "remove": [put("o1")]}).text
    yield "preferences paused", site.client.post(f"{path}/pause", data={"weeks": "4"}).text
    yield "my data", site.client.get(site.link(number, "my-data")).text


def of_leaving(site: Site) -> Visits:
    number, client = site.reader("eve@example.org"), site.client
    path = site.link(number, "unsubscribe")
    for name, act in (("paused", "/pause"), ("left", ""), ("left before", ""), ("undone", "/undo"), ("left", "")):
        yield f"{name}{act}, asked", client.get(path).text
        yield f"{name}{act}", client.post(path + act).text
    nobody = site.link(site.reader("nobody@example.org", "requested"), "unsubscribe")
    yield "nothing to pause", client.post(f"{nobody}/pause").text
    forgetting = site.link(site.reader("gone@example.org"), "forget")
    yield "forgetting", client.get(forgetting).text
    yield "forgotten", client.post(forgetting).text


def of_overseeing(site: Site, put: Put) -> Visits:
    site.reader("far@example.org", regime=put("US"))
    site.reader("off@example.org", "confirmed", "withdrawn", regime=put("US"), detail=put("often"))
    with writing(site.engine) as connection:
        audit.write(connection, "approved", "2026-W18", put("the editor"), site.now)
        outbox.queue(connection, some_outgoing(), "hash of what was approved", site.now)
        scores.add_failure(connection, "livebench", site.now.date(), site.now, put("no answer"))
    yield "operator", site.client.get("/admin", headers=site.key_header("read")).text


@pytest.fixture
def site_of(tmp_path: Path, sqlite_template: Path, settings: Settings) -> Callable[[str, Put], Site]:
    return lambda name, put: a_site(tmp_path / name, sqlite_template, settings, put)


@pytest.mark.parametrize(("seed", "before"), [(0, True), (7, False), (19, True)])
def test_no_text_becomes_anything_but_text_on_any_page(
    site_of: Callable[[str, Put], Site], seed: int, before: bool
) -> None:
    put, put_tame = storable(hostile(seed, before=before)), storable(tame(seed, before=before))
    found = dict(visits(site_of("hostile", put), put))
    harmless = dict(visits(site_of("tame", put_tame), put_tame))
    for name, page in found.items():
        check_markup(page, harmless[name], alike=name not in ORDERED_BY_NAME)


def test_every_template_of_a_page_is_filled_with_hostile_text(site_of: Callable[[str, Put], Site]) -> None:
    put = storable(hostile(1))
    forget_templates()
    pages = dict(visits(site_of("hostile", put), put))
    assert len(pages) > 40
    root = asset("templates")
    known = {path.relative_to(root).as_posix() for path in (root / "web").rglob("*.*")} - {"web/style.css"}
    assert known == {name for name in templates_filled() if name.startswith("web/")}
