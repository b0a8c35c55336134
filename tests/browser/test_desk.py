"""The editor's desk as a program, driven in the browser: what an editor sees, does, breaks and mends."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, ViewportSize, expect
from tests.browser.accessibility import low_contrasts, violations
from tests.desk.conftest import Opened, Program, demo_week, opened

__all__ = ["demo_week", "opened"]

pytestmark = pytest.mark.browser

BRIEF = 'heading(_("In brief"))'
expect.set_options(timeout=60_000)  # the checks take some seconds, on a busy machine more
WIDE: ViewportSize = {"width": 1500, "height": 1000}


def answering(*statuses: int) -> pytest.MarkDecorator:
    """A desk that refuses something with these statuses, each of which the browser says aloud, and with no other."""
    return pytest.mark.parametrize("desk", [statuses], indirect=True)


@pytest.fixture
def desk(chromium: Browser, opened: Opened, request: pytest.FixtureRequest) -> Iterator[tuple[Program, Page]]:
    with at_the_desk(chromium, opened, statuses=getattr(request, "param", ())) as found:
        yield found


@contextmanager
def at_the_desk(
    chromium: Browser, opened: Opened, statuses: Sequence[int] = (), **how: Any
) -> Iterator[tuple[Program, Page]]:
    """The desk open in the browser; whatever the browser complains of fails the test."""
    with opened() as program, chromium.new_context(viewport=how.pop("viewport", WIDE), **how) as context:
        context.set_default_timeout(60_000)
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(program.address)
        yield program, page
        told = {f"status of {status}" for status in statuses}
        assert {words for words in told if any(words in line for line in said)} == told
        told.add("ERR_INCOMPLETE_CHUNKED_ENCODING")
        assert [line for line in said if not any(words in line for words in told)] == []
        assert "Traceback" not in program.complaints


def mail(page: Page, width: int = 600) -> FrameLocator:
    return page.frame_locator(f"iframe[name=mail-{width}]")


def ground(page: Page) -> str:
    """The colour behind the wide mail."""
    body = mail(page).locator("body")
    found: str = body.evaluate("body => getComputedStyle(body).backgroundColor")
    return found


def checked(page: Page) -> None:
    expect(page.locator("#part-checks")).to_contain_text(re.compile(r"\d+ fail, \d+ warn, \d+ pass"))


def approved(page: Page) -> None:
    checked(page)
    page.click("#approve-go")
    expect(page.locator("#part-approve .state")).to_contain_text("Approved")


def seconds_until(work: Callable[[], None], seen: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    seen()
    return time.perf_counter() - start


def test_the_file_that_the_browser_gets_leads_to_the_desk(chromium: Browser, opened: Opened) -> None:
    with opened(browser='echo "$@" >visited') as program, chromium.new_context() as context:
        page = context.new_page()
        page.goto(program.visited)
        expect(page.locator("h1")).to_have_text("Desk")
        assert program.address.rpartition("/")[2] not in page.url


def test_a_changed_template_is_seen_at_once_and_the_page_keeps_its_place(desk: tuple[Program, Page]) -> None:
    program, page = desk
    page.click("#view-dark")
    expect(page.locator("#view-dark")).to_have_attribute("aria-current", "true")
    middle = page.locator("#middle")
    middle.evaluate("column => { column.scrollTop = 900 }")
    page.locator("#as > summary").click()
    took = seconds_until(
        lambda: add_words(program),
        lambda: expect(mail(page).locator("body")).to_contain_text("In brief, as changed"),
    )
    print(f"a changed template is seen after {took:.2f} s")
    assert middle.evaluate("column => column.scrollTop") == 900
    expect(page.locator("#view-dark")).to_have_attribute("aria-current", "true")
    assert page.locator("#as").get_attribute("open") is not None


def add_words(program: Program) -> None:
    program.change("templates/email/brief.mjml", 'heading(_("In brief"))', 'heading(_("In brief") ~ ", as changed")')


def test_each_view_shows_the_mail_in_its_way(desk: tuple[Program, Page]) -> None:
    _program, page = desk
    light = ground(page)
    assert mail(page, 375).locator("h1").bounding_box() is not None
    page.click("#view-dark")
    expect(page.locator("iframe[name=mail-600]")).to_have_attribute("src", re.compile("view=dark"))
    expect(mail(page).locator("body")).to_have_css("background-color", "rgb(14, 16, 20)")
    assert light == "rgb(243, 244, 241)"
    page.click("#view-images-off")
    expect(mail(page).locator("body")).to_have_css("background-color", light)
    page.click("#view-text")
    expect(page.locator("#part-mails pre")).to_contain_text("Unsubscribe")
    page.click("#view-raw")
    expect(page.locator("#part-mails pre")).to_contain_text("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    page.click("#view-headers")
    expect(page.locator(".headers")).to_contain_text("RFC 8058")


def test_a_german_and_a_korean_reader_get_what_their_rules_ask_for(desk: tuple[Program, Page]) -> None:
    _program, page = desk
    page.click("#as > summary")
    page.fill("#as-email", "ada@example.org")
    page.click("#as-reader-go")
    expect(page.locator("#part-controls")).to_contain_text("As ada@example.org")
    expect(page.locator("#part-why")).to_contain_text("The country is DE")
    expect(mail(page).locator("body")).not_to_contain_text("You agreed on")
    page.click("#as > summary")
    page.select_option("#as-country", "KR")
    page.click("#as-made-up-go")
    expect(page.locator("#part-why")).to_contain_text("The country is KR")
    page.click("#duties-summary")
    expect(page.locator("#part-why")).to_contain_text("In South Korea an edition says when and how you agreed")
    expect(mail(page).locator("body")).to_contain_text("You agreed on")
    page.click("#as > summary")
    page.select_option("#as-country", "DE")
    page.select_option("#as-locale", "de")
    page.click("#as-made-up-go")
    expect(mail(page).locator("body")).to_contain_text("In Kürze")


def test_a_broken_template_says_file_and_line_and_the_next_save_mends_it(desk: tuple[Program, Page]) -> None:
    program, page = desk
    program.change("templates/email/brief.mjml", BRIEF, 'heading(_("In brief")')
    fault = page.locator("#part-fault")
    expect(fault.locator("h2")).to_have_text(re.compile(r"templates/email/brief\.mjml line \d+"))
    expect(fault.locator(".here")).to_contain_text('heading(_("In brief")')
    expect(mail(page).locator("body")).to_contain_text("In brief")
    expect(page.locator("#approve-go")).to_be_disabled()
    program.change("templates/email/brief.mjml", 'heading(_("In brief")', BRIEF)
    expect(fault.locator("h2")).to_have_count(0)


def test_an_unknown_tag_of_mjml_says_file_and_line(desk: tuple[Program, Page]) -> None:
    program, page = desk
    program.change("templates/email/brief.mjml", "<mj-table", "<mj-tabel")
    expect(page.locator("#part-fault h2")).to_have_text(re.compile(r"templates/email/brief\.mjml line \d+"))


def test_a_broken_config_says_file_and_line_and_the_next_save_mends_it(desk: tuple[Program, Page]) -> None:
    program, page = desk
    program.change("config.toml", "postal_address", "postal_adress")
    fault = page.locator("#part-fault")
    expect(fault.locator("h2")).to_have_text(re.compile(r"config\.toml line \d+"))
    expect(fault).to_contain_text('did you mean "postal_address"?')
    program.change("config.toml", "postal_adress", "postal_address")
    expect(fault.locator("h2")).to_have_count(0)
    program.change("config.toml", "[mail]", "[mail")
    expect(fault.locator("h2")).to_have_text(re.compile(r"config\.toml line \d+"))


def test_a_note_is_written_in_the_page_broken_in_an_editor_and_mended(desk: tuple[Program, Page]) -> None:
    program, page = desk
    words = "---\ntitle: A word\ndate: 2026-03-12\ndraft: false\n---\n\nThe top is new.\n"
    page.fill("#note-text", words)
    page.click("#note-go")
    expect(page.locator("#part-said")).to_contain_text("The note is saved.")
    expect(page.locator("#note-title")).to_contain_text("4 words, goes out")
    expect(mail(page).locator("body")).to_contain_text("The top is new.")
    program.change("notes/2026-W11.md", "draft: false", "draft: maybe")
    expect(page.locator("#part-fault h2")).to_have_text(re.compile(r"notes/2026-W11\.md line 4"))
    program.change("notes/2026-W11.md", "draft: maybe", "draft: true")
    expect(page.locator("#part-fault h2")).to_have_count(0)
    expect(page.locator("#part-mails")).to_contain_text("The note is still a draft")


@answering(409, 413)
def test_a_note_that_changed_on_the_disk_meanwhile_is_not_written_over(desk: tuple[Program, Page]) -> None:
    program, page = desk
    page.fill("#note-text", "---\ntitle: A word\ndate: 2026-03-12\n---\n\nOne.\n")
    page.click("#note-go")
    expect(page.locator("#note-title")).to_contain_text("goes out")
    page.fill("#note-text", "---\ntitle: Mine\ndate: 2026-03-12\n---\n\nMine.\n")
    program.change("notes/2026-W11.md", "One.", "Another one.")
    expect(mail(page).locator("body")).to_contain_text("Another one.")
    expect(page.locator("#note-text")).to_have_value(re.compile("Mine."))
    page.click("#note-go")
    expect(page.locator("#part-said")).to_contain_text("was changed by another program meanwhile")
    note = program.folder / "notes" / "2026-W11.md"
    assert "Another one." in note.read_text()
    page.wait_for_timeout(1000)
    assert "Mine." in page.input_value("#note-text")
    note.write_text(note.read_text().replace("Another one.", "A third one."))
    expect(mail(page).locator("body")).to_contain_text("A third one.")
    assert "Mine." in page.input_value("#note-text")
    page.fill("#note-text", "x" * 300_000)
    page.click("#note-go")
    expect(page.locator("#failed")).to_have_text("That is more than the 256 kB that the desk takes at once.")
    assert page.input_value("#note-text") == "x" * 300_000
    page.reload()
    assert "A third one." in page.input_value("#note-text")


def test_what_was_typed_after_a_save_is_saved_too(desk: tuple[Program, Page]) -> None:
    program, page = desk
    for words in ("One.", "Two."):
        page.fill("#note-text", f"---\ntitle: A word\ndate: 2026-03-12\n---\n\n{words}\n")
        page.click("#note-go")
        expect(mail(page).locator("body")).to_contain_text(words)
    assert "Two." in (program.folder / "notes" / "2026-W11.md").read_text()


def test_a_save_while_another_is_under_way_goes_over_it(desk: tuple[Program, Page]) -> None:
    """The second waits for the first; the third is pressed on the page that the first came back with."""
    program, page = desk
    sent: list[Route] = []
    page.route("**/note", lambda route: sent.append(route))

    def save(words: str) -> None:
        page.fill("#note-text", f"---\ntitle: A word\ndate: 2026-03-12\n---\n\n{words}\n")
        page.click("#note-go")

    def let_through(number: int) -> None:
        while len(sent) < number:
            page.wait_for_timeout(20)
        sent[number - 1].continue_()

    save("One.")
    save("Two.")
    let_through(1)
    expect(mail(page).locator("body")).to_contain_text("One.")
    while len(sent) < 2:
        page.wait_for_timeout(20)
    save("Three.")
    let_through(2)
    let_through(3)
    expect(mail(page).locator("body")).to_contain_text("Three.")
    assert "Three." in (program.folder / "notes" / "2026-W11.md").read_text()


def is_fetched(route: Route) -> bool:
    """Whether the page's own script asks."""
    return route.request.resource_type == "fetch"


def test_a_view_that_was_chosen_stays_after_a_save(desk: tuple[Program, Page]) -> None:
    _program, page = desk
    page.fill("#note-text", "---\ntitle: A word\ndate: 2026-03-12\n---\n\nOne.\n")
    page.click("#view-dark")
    expect(mail(page).locator("body")).to_have_css("background-color", "rgb(14, 16, 20)")
    live: list[Route] = []  # held, so that what is shown is the answer to the save
    page.route(re.compile(r"view=dark$"), lambda it: live.append(it) if is_fetched(it) else it.continue_())
    page.click("#note-go")
    expect(page.locator("#part-said")).to_contain_text("The note is saved.")
    expect(mail(page).locator("body")).to_contain_text("One.")
    expect(mail(page).locator("body")).to_have_css("background-color", "rgb(14, 16, 20)")
    assert "view=dark" in page.url
    page.unroute_all()  # and what was held goes on


@answering(409)
def test_a_save_that_was_pressed_twice_writes_over_nobody(desk: tuple[Program, Page]) -> None:
    program, page = desk
    page.fill("#note-text", "---\ntitle: Mine\ndate: 2026-03-12\n---\n\nMine.\n")
    note = program.folder / "notes" / "2026-W11.md"
    note.parent.mkdir()
    note.write_text("---\ntitle: Theirs\ndate: 2026-03-12\n---\n\nTheirs.\n")
    page.dblclick("#note-go")
    expect(page.locator("#part-said")).to_contain_text("was changed by another program meanwhile")
    page.wait_for_timeout(1000)
    assert "Theirs." in note.read_text()
    assert "Mine." in page.input_value("#note-text")


@pytest.mark.parametrize(
    ("desk", "name"), [((), "data/consent_regimes.toml"), ((500,), "templates/desk/parts.html")], indirect=["desk"]
)
def test_a_file_that_the_page_itself_is_made_with_breaks_and_is_mended(desk: tuple[Program, Page], name: str) -> None:
    program, page = desk
    checked(page)
    expect(page.locator("#approve-go")).to_be_enabled()
    path = program.folder / name
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole + "\nx = = 1 {% if %}\n", encoding="utf-8")
    said = page.locator("#failed:not([hidden]), #part-fault .fault")
    expect(said).to_contain_text(re.compile(rf"{re.escape(name.partition('/')[2])}.* line \d+"))
    expect(page.locator("#approve-go")).to_be_disabled()
    path.write_text(whole, encoding="utf-8")
    expect(said).to_have_count(0)
    expect(page.locator("#approve-go")).to_be_enabled()


def test_a_broken_link_is_an_error_that_leads_to_its_section_and_blocks_the_approval(
    desk: tuple[Program, Page],
) -> None:
    program, page = desk
    checked(page)
    expect(page.locator("#approve-go")).to_be_enabled()
    note = "---\ntitle: A word\ndate: 2026-03-12\n---\n\nSee [the page](http://127.0.0.1:9/gone).\n"
    page.fill("#note-text", note)
    page.click("#note-go")
    expect(page.locator("#note-title")).to_contain_text("goes out")
    page.click("#try-links-go")
    broken = page.locator(".finding.error", has_text="The link “the page”")
    expect(broken).to_have_count(1)
    expect(page.locator("#approve-go")).to_be_disabled()
    expect(page.locator("#blocked")).to_contain_text(re.compile("Mend .* failing checks? first"))
    broken.locator("a").click()
    assert page.evaluate("document.getElementById('middle').scrollTop") > 0
    program.change("notes/2026-W11.md", "[the page](http://127.0.0.1:9/gone)", "no page")
    expect(broken).to_have_count(0)


def test_an_approval_falls_when_a_datum_changes(desk: tuple[Program, Page]) -> None:
    program, page = desk
    approved(page)
    expect(mail(page).locator("body")).not_to_contain_text("86.4")
    program.capture("model_report", "2026-03-13", "80.9", "86.4")
    expect(page.locator("#part-approve .voided")).to_contain_text("a board's figures changed")
    expect(page.locator("#approve-go")).to_be_visible()
    expect(mail(page).locator("body")).to_contain_text("86.4")


def test_an_approval_falls_when_a_setting_changes(desk: tuple[Program, Page]) -> None:
    program, page = desk
    approved(page)
    program.change("config.toml", 'postal_address = "1 Example', 'postal_address = "2 Example')
    expect(page.locator("#part-approve .voided")).to_contain_text("settings of the sender changed: postal_address")
    expect(page.locator("#approve-go")).to_be_visible()


def test_a_story_is_dropped_and_another_pinned_and_both_are_taken_back(desk: tuple[Program, Page]) -> None:
    _program, page = desk
    stories = page.locator("#part-stories > .stories > li")
    first, third = stories.nth(0).locator(".headline").inner_text(), stories.nth(2).locator(".headline").inner_text()
    stories.nth(0).locator(".edit > summary").click()
    stories.nth(0).get_by_role("button", name="Drop").click()
    expect(page.locator("#part-said")).to_contain_text("Dropped")
    expect(page.locator(".dropped .headline")).to_have_text(first)
    expect(mail(page).locator("h1")).not_to_have_text(first)
    pinned = stories.filter(has_text=third).filter(has=page.locator(".edit")).first
    pinned.locator(".edit > summary").click()
    pinned.get_by_role("button", name="Pin").click()
    expect(page.locator("#part-said")).to_contain_text("Pinned")
    expect(stories.nth(0).locator(".headline")).to_have_text(third)
    expect(page.locator("#part-log")).to_contain_text("overridden")
    words = page.get_by_role("button", name="Take back")
    for left in reversed(range(words.count())):
        words.first.click()
        expect(words).to_have_count(left)
    expect(stories.nth(0).locator(".headline")).to_have_text(first)


@answering(409)
def test_a_reworded_headline_is_in_the_mail_and_one_with_another_figure_is_refused(
    desk: tuple[Program, Page],
) -> None:
    _program, page = desk
    story = page.locator("#part-stories > .stories > li").nth(0)
    story.locator(".edit > summary").click()
    story.locator("textarea").fill("Up by 99 points")
    story.get_by_role("button", name="Reword").click()
    expect(page.locator("#part-said .failed")).to_be_visible()
    words = story.locator(".headline").inner_text()
    story.locator("textarea").fill(f"Now {words}")
    story.get_by_role("button", name="Reword").click()
    expect(mail(page).locator("body")).to_contain_text(f"Now {words}")


@answering(409)
def test_a_test_goes_into_the_maildir_marked_as_one(desk: tuple[Program, Page]) -> None:
    program, page = desk
    page.click("#test-summary")
    page.fill("#test-to", "one@example.org, two@example.org")
    page.click("#test-go")
    expect(page.locator("#part-said")).to_contain_text("2 test mails sent; no reader got one.")
    mails = list((program.folder / "outbox" / "new").iterdir())
    assert len(mails) == 2
    assert all(b"Subject: [Test] " in mail.read_bytes() for mail in mails)
    assert "one@example.org" not in page.content().replace(page.input_value("#test-to"), "")
    page.fill("#test-to", " ".join(f"r{number}@example.org" for number in range(11)))
    page.click("#test-go")
    expect(page.locator("#part-said")).to_contain_text("at most 10 addresses; 11 were given")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1500, 800, 375])
def test_the_desk_is_for_everyone(chromium: Browser, opened: Opened, width: int, scheme: Any) -> None:
    viewport = {"width": width, "height": 900}
    with at_the_desk(chromium, opened, viewport=viewport, color_scheme=scheme) as (program, page):
        checked(page)
        program.change("config.toml", "[mail]", "[mail")
        expect(page.locator("#part-fault h2")).to_have_count(1)
        for details in page.locator("details").all()[:8]:
            details.evaluate("box => { box.open = true }")
        assert violations(page) == []
        assert low_contrasts(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_without_scripts_the_page_shows_the_draft_and_the_forms_work(chromium: Browser, opened: Opened) -> None:
    with at_the_desk(chromium, opened, java_script_enabled=False) as (_program, page):
        assert mail(page).locator("h1").inner_text()
        page.click("#view-text")
        assert "Unsubscribe" in page.inner_text("#part-mails")
        page.click("#as > summary")
        page.select_option("#as-country", "DE")
        page.click("#as-made-up-go")
        assert "a reader in DE" in page.inner_text("#part-controls")
        page.click("#try-links-go")
        assert "links" in page.inner_text("#part-checks")


def opened_wide(page: Page) -> None:
    """Everything that opens is open; of the stories the first."""
    page.locator("details:not(.stories details), .stories li:first-child details").evaluate_all(
        "all => all.forEach(box => { box.open = true })"
    )


def test_every_state_of_the_desk_is_for_everyone(desk: tuple[Program, Page]) -> None:
    program, page = desk
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        for width in (1500, 375):
            page.set_viewport_size({"width": width, "height": 900})
            opened_wide(page)
            wrong = violations(page) + low_contrasts(page)
            wide = page.evaluate("document.documentElement.scrollWidth")
            found[f"{state} at {width}"] = wrong + ([f"{wide} px wide"] if wide != width else [])
        page.set_viewport_size({"width": 1500, "height": 1000})
        page.locator("#as").evaluate("box => { box.open = false }")

    checked(page)
    look("with a story's form opened")
    for view, seen in (("text", "pre.sheet"), ("raw", "pre.sheet"), ("headers", ".headers")):
        page.click(f"#view-{view}")
        expect(page.locator(f"#view-{view}")).to_have_attribute("aria-current", "true")
        expect(page.locator(seen)).to_be_visible()
        look(view)
    page.click("#view-light")
    approved(page)
    look("approved")
    program.change("config.toml", 'postal_address = "1 Example', 'postal_address = "2 Example')
    expect(page.locator("#part-approve .voided")).to_be_visible()
    checked(page)
    look("voided")
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


PRESSED = "a[href], button:not([disabled]), summary, textarea, select, input:not([type=hidden]), iframe, [tabindex='0']"
REACHED = """() => {
    const here = document.activeElement;
    if (here === document.body) return '';
    here.dataset.reached = '';
    const ring = here.tagName === 'IFRAME' || getComputedStyle(here).outlineStyle !== 'none';
    return `${ring ? '' : 'no ring: '}${here.tagName} ${here.id}`;
}"""
# Of a group of radio buttons the tabulator reaches one, and the arrows the others (HTML, 4.10.5.1.17).
LEFT = """all => all.filter(one => one.checkVisibility() && !('reached' in one.dataset) &&
    !(one.type === 'radio' && one.form.querySelector(`[name="${one.name}"][data-reached]`))
).map(one => one.outerHTML.slice(0, 120))"""


def test_the_keyboard_reaches_everything(desk: tuple[Program, Page]) -> None:
    _program, page = desk
    checked(page)
    page.locator("details").evaluate_all("all => all.forEach(box => { box.open = true })")
    stops = []
    for _ in range(2000):  # through the links of both mails, too
        page.keyboard.press("Tab")
        if not (stop := page.evaluate(REACHED)):
            break
        stops.append(stop)
    assert page.evaluate("document.activeElement === document.body"), stops[-5:]
    assert [stop for stop in stops if stop.startswith("no ring")] == []
    assert page.locator(PRESSED).evaluate_all(LEFT) == []
    assert len(set(stops)) > 50
