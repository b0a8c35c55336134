"""One approved edition, many renditions: each holds what its readers chose and what their region asks, nothing else."""

import functools
import re
from collections.abc import Iterator
from itertools import combinations

import pytest
from lxml import html
from tests import builders as b
from tests.rendering.test_email import HOSTILE, check_golden
from tests.rendering.test_picks_section import picks_of

from digest.edition.content import Edition
from digest.edition.rendered import Rendered
from digest.edition.renditions import TOPICS, Duty, Rendition, Topic
from digest.edition.store import fingerprint
from digest.edition.watch_facts import WatchList
from digest.edition.watching import followed, watched
from digest.rendering.email import render
from digest.rendering.fragments import MOST_BYTES, join, place
from digest.rendering.renditions import Mail, assemble
from digest.rendering.templates import (
    ANY_SLOT,
    CONSENT_SLOT,
    CONSENTED_SLOT,
    KEEP_SLOT,
    LAPSES_SLOT,
    UNSUBSCRIBE_SLOT,
    page_of,
    preferences_of,
)
from digest.rendering.text import put

SETTINGS = b.some_settings()
DUTIES = {
    "DE": (Duty("identity"), Duty("address"), Duty("unsubscribe")),
    "KR": (Duty("consent"), Duty("label", "(광고)")),
    "JP": (Duty("complaints"),),
    "ZZ": (Duty("complaints"), Duty("consent")),
    "AR": (Duty("notice", "Article 27, paragraph 3."), Duty("notice", 'Decree 1558/01 <"quoted">.')),
}
HEADS: dict[Topic, tuple[str, ...]] = {
    "models": ("New models", "Rows that left"),
    "scores": ("Movers",),
    "leaderboards": ("LiveBench: a tie", "Arena text: no change"),
    "prices": ("Prices",),
    "comparisons": ("Best pick by need",),
}
FOR_ALL = ("In brief", "Sources disagree", "Names and measuring", "Source health")
CHOICES = [
    *(Rendition(topics=topics) for count in range(6) for topics in combinations(TOPICS, count)),
    Rendition(format="short"),
    Rendition(format="short", topics=("models",)),
]


def an_edition() -> Edition:
    """A week with something for every topic, and something for everybody."""
    boards = (b.a_board(), b.a_rating_board())
    for_all = {"disagreements": (b.a_disagreement(),), "method": (b.a_method_note(),)}
    return b.an_edition(boards=boards, gone=(b.some_gone(),), picks=picks_of(cyd=90), **for_all)


@functools.cache
def rendered() -> Rendered:
    return render(an_edition(), SETTINGS, duties=DUTIES)


def rich(mail: Mail) -> str:
    assert mail.html is not None
    return mail.html


def headings(mail: Mail) -> list[str]:
    return [" ".join(node.text_content().split()) for node in html.fromstring(rich(mail)).xpath("//h2")]


def underlined(mail: Mail) -> list[str]:
    return re.findall(r"(?m)^(.+)\n-{3,}$", ANY_SLOT.sub("", mail.text))


def slots(part: str) -> set[str]:
    return {re.sub(r"digestSlot7([A-Za-z]+)7.*", r"\1", slot) for slot in ANY_SLOT.findall(part)}


# What readers chose


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: "+".join((choice.format, *choice.topics)))
def test_a_mail_holds_the_chosen_sections_and_those_for_everybody_in_both_parts(choice: Rendition) -> None:
    mail = assemble(rendered(), choice)
    chosen = () if choice.format == "short" else choice.topics or tuple(TOPICS)
    for found in (headings(mail), underlined(mail)):
        for topic, heads in HEADS.items():
            for head in heads:
                assert any(head in one for one in found) is (topic in chosen), (head, found)
        assert [one for one in found if one in FOR_ALL] == list(FOR_ALL)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: "+".join((choice.format, *choice.topics)))
def test_every_choice_leaves_whole_markup_without_a_trace_of_what_was_left_out(choice: Rendition) -> None:
    mail = assemble(rendered(), choice)
    source = rich(mail)
    for tag in ("table", "tbody", "tr", "td", "th", "div", "p"):
        assert len(re.findall(rf"<{tag}[\s>]", source)) == source.count(f"</{tag}>"), tag
    assert not re.search(r"<!--\s*-->|\n\n", source)
    assert outlook_sees(source)
    assert slots(source) == slots(mail.text) == {"unsubscribeUrl", "watchList", "keep", "consent"}
    assert len(source.encode()) < MOST_BYTES
    assert html.fromstring(source).xpath("count(//h1)") == 1


def outlook_sees(source: str) -> bool:
    """Whether tables stay balanced where conditional comments count as markup, none within another."""
    depth = 0
    for opened, closed in re.findall(r"(<!--\[if[^\]]*\]>)|(<!\[endif\]-->)", source):
        depth += 1 if opened else -1
        assert depth in (0, 1), closed
    bare = re.sub(r"<!--\[if[^\]]*\]>|<!\[endif\]-->", "", source)
    for tag in ("table", "tr", "td"):
        assert len(re.findall(rf"<{tag}[\s>]", bare)) == bare.count(f"</{tag}>"), tag
    return depth == 0


def test_no_choice_of_topics_means_all_of_them() -> None:
    everything = assemble(rendered(), Rendition())
    assert everything == assemble(rendered(), Rendition(topics=tuple(TOPICS)))
    assert "Your topics" not in everything.text
    assert "The whole edition" not in rich(everything)


def test_a_mail_that_left_something_out_says_so_before_the_sources_and_where_it_is() -> None:
    mail = assemble(rendered(), Rendition(topics=("models", "prices")))
    said = "Your topics: New models; Prices and context. The rest of this week is on the web."
    for part in (rich(mail), mail.text):
        folded = " ".join(part.split())
        assert folded.count(said) == 1
        assert folded.index(said) < folded.index("Source health")
        after = folded[folded.index(said) : folded.index("Source health")]
        assert page_of(an_edition(), SETTINGS) in after
        assert preferences_of(SETTINGS) in after


def test_only_a_whole_mail_says_how_long_it_takes_to_read() -> None:
    for choice in CHOICES:
        mail = assemble(rendered(), choice)
        whole = choice.format == "full" and len(choice.topics) in (0, len(TOPICS))
        assert ("min read" in rich(mail)) is ("min read" in mail.text) is whole


def test_a_short_mail_says_that_it_is_one() -> None:
    for topics in ((), ("models",)):
        mail = assemble(rendered(), Rendition(format="short", topics=topics))
        assert "You chose the short edition; all of this week is on the web." in mail.text
        assert "Your topics" not in mail.text


def test_nothing_is_said_where_the_week_had_nothing_to_leave_out() -> None:
    quiet = render(b.an_empty_edition(prices=(b.some_prices(),)), SETTINGS)
    assert "You" not in assemble(quiet, Rendition(topics=("prices",))).text.partition("Source health")[0]
    assert "Your topics: New models." in assemble(quiet, Rendition(topics=("models",))).text


def test_plain_text_alone_has_no_html_and_says_the_same() -> None:
    for topics in ((), ("scores",)):
        plain, full = (assemble(rendered(), Rendition(topics=topics, format=kind)) for kind in ("text", "full"))
        assert plain.html is None
        assert plain.text == full.text


def test_the_text_part_keeps_to_72_columns_without_a_gap_whatever_was_chosen() -> None:
    for choice in CHOICES:
        text = re.sub(rf"(?m)^{ANY_SLOT.pattern}\n+", "", assemble(rendered(), choice).text)
        assert [line for line in text.splitlines() if len(line) > 72 and "://" not in line] == []
        assert "\n\n\n" not in text


def test_a_watch_list_fits_every_choice() -> None:
    told = watched(WatchList(models=("gpt-5.5",)), followed([an_edition()]))
    part = join(told, rendered())
    assert "gpt-5.5" in part.html
    for choice in CHOICES:
        mail = assemble(rendered(), choice._replace(regime="ZZ"))
        assert len((rich(mail) + part.html + mail.keep.html).encode()) < MOST_BYTES


# In which language


def test_a_mail_in_german_is_german_in_every_line_that_is_put_in() -> None:
    mail = assemble(rendered(), Rendition("de", ("models", "prices"), regime="JP"))
    assert html.fromstring(rich(mail)).xpath("/html/@lang") == ["de"]
    for part in (rich(mail), mail.text):
        folded = " ".join(part.split())
        assert "Ihre Themen: Neue Modelle; Preise und Kontext. Der Rest dieser Woche steht im Web." in folded
        assert "Beschwerden: hello@digest.example" in folded
        assert "Die ganze Ausgabe" in folded
    for part in mail.keep:
        assert f"Ihre Einwilligung vom {CONSENTED_SLOT} erlischt am {LAPSES_SLOT}." in part


def test_a_mail_in_a_language_that_the_edition_was_not_rendered_in_is_english_in_every_line() -> None:
    english = rendered().model_copy(update={"translations": {}})
    for choice in CHOICES:
        assert assemble(english, choice._replace(locale="de")) == assemble(rendered(), choice)


# What a region's rules add


def footer(mail: Mail) -> Iterator[str]:
    yield mail.text[mail.text.index("You get this because") :]
    yield rich(mail)[rich(mail).index("You get this because") :]


@pytest.mark.parametrize(
    ("regime", "added"),
    [
        ("DE", set()),
        ("KR", {CONSENT_SLOT}),
        ("JP", {"Complaints: hello@digest.example"}),
        ("ZZ", {"Complaints: hello@digest.example", CONSENT_SLOT}),
        ("AR", {"Article 27, paragraph 3.", "Decree 1558/01"}),
        ("XX", {"Complaints: hello@digest.example", CONSENT_SLOT}),
    ],
)
def test_a_footer_holds_exactly_its_duties_and_always_the_base(regime: str, added: set[str]) -> None:
    mail = assemble(rendered(), Rendition(regime=regime))
    every = {CONSENT_SLOT, "Complaints: hello@digest.example", "Article 27, paragraph 3.", "Decree 1558/01"}
    base = ("Digest, 1 Example Street, 10115 Berlin, Germany", "Contact: hello@digest.example", UNSUBSCRIBE_SLOT)
    for part in footer(mail):
        assert {one for one in every if one in part} == added
        assert all(part.count(one) == 1 for one in (*base, preferences_of(SETTINGS), "never an IP"))


def test_a_label_stands_before_the_subject_of_its_region_alone() -> None:
    subjects = {regime: assemble(rendered(), Rendition(regime=regime)).subject for regime in DUTIES}
    assert subjects.pop("KR") == f"(광고) {rendered().subject}"
    assert set(subjects.values()) == {rendered().subject}


def test_without_duties_a_region_adds_nothing() -> None:
    plain = render(an_edition(), SETTINGS)
    assert assemble(plain, Rendition(regime="KR")) == assemble(plain, Rendition(regime="DE"))
    assert plain.regimes == {}


def test_a_notice_is_quoted_as_text() -> None:
    mail = assemble(rendered(), Rendition(regime="AR"))
    assert 'Decree 1558/01 <"quoted">.' in mail.text
    assert "<quoted" not in rich(mail)
    assert 'Decree 1558/01 <"quoted">.' in html.fromstring(rich(mail)).text_content()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_notice_or_label_places_no_link_and_no_header(kind: str) -> None:
    duties = {"ZZ": (Duty("notice", HOSTILE[kind] + UNSUBSCRIBE_SLOT), Duty("label", HOSTILE[kind]))}
    mail = assemble(render(b.an_empty_edition(), SETTINGS, duties=duties), Rendition())
    assert mail.text.count(UNSUBSCRIBE_SLOT) == rich(mail).count(UNSUBSCRIBE_SLOT) == 1
    assert mail.subject.isprintable()
    assert "=?" not in mail.subject
    assert html.fromstring(rich(mail)).xpath("//script | //img | //@onmouseover | //@onerror") == []


# The same bytes


def test_what_is_approved_covers_duties_and_every_line_that_may_be_put_in() -> None:
    edition, first = an_edition(), rendered()
    others = [
        render(edition, SETTINGS),
        *(first.model_copy(update={name: first.fragments["m1"]}) for name in ("rest", "keep")),
    ]
    prints = {fingerprint(edition.document(), one.model_dump_json(), "") for one in (first, *others)}
    assert len(prints) == 4


def test_stored_and_read_back_it_gives_the_same_mails() -> None:
    stored = Rendered.model_validate_json(rendered().model_dump_json())
    again = render(an_edition(), SETTINGS, duties=dict(reversed(DUTIES.items())))
    assert stored == again == rendered()
    assert again.model_dump_json() == rendered().model_dump_json()
    for choice in CHOICES:
        assert assemble(stored, choice) == assemble(rendered(), choice)


def test_a_mail_of_two_topics_with_duties_is_what_it_was() -> None:
    mail = assemble(rendered(), Rendition(topics=("models", "prices"), regime="KR"))
    check_golden("chosen.html", rich(mail).replace(place(KEEP_SLOT), mail.keep.html))
    check_golden("chosen.txt", f"Subject: {mail.subject}\n\n{put(mail.text, KEEP_SLOT, mail.keep.text)}")
