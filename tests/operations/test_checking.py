"""Which mails of an edition are looked at: every region's rules, every topic, the largest watch list, the letters."""

import functools
from collections.abc import Sequence

from tests import builders as b

from digest.config.sections import Series
from digest.edition.content import Edition
from digest.edition.rendered import Rendered
from digest.edition.renditions import FORMATS, TOPICS, Duty
from digest.edition.store import StoredEdition, envelope_of
from digest.language import LOCALES
from digest.operations.checking import check_edition, largest_watch_list, one_of_each, renditions, specimens
from digest.rendering.email import render
from digest.rendering.fragments import MOST_BYTES, MOST_STORIES
from digest.rendering.lint.page import Specimen

SETTINGS = b.some_settings()
DUTIES = {
    "DE": (),
    "FR": (),
    "KR": (Duty("label", "(광고)"),),
    "AR": (Duty("notice", "Article 27, paragraph 3."),),
    "ZZ": (Duty("complaints"), Duty("consent")),
}


@functools.cache
def rendered() -> Rendered:
    return render(b.an_edition(), SETTINGS, duties=DUTIES)


def stored(rendered: Rendered, edition: Edition | None = None) -> StoredEdition:
    edition = edition or b.an_edition()
    return StoredEdition(edition.week, edition, rendered, envelope_of(SETTINGS), "", "", None)


@functools.cache
def mails() -> Sequence[Specimen]:
    return list(specimens(stored(rendered()), SETTINGS))


def test_every_format_is_looked_at_with_every_regions_rules_that_differ() -> None:
    looked_at = {(one.format, one.regime) for one in renditions(rendered(), "en")}
    assert looked_at == {(format_, code) for format_ in FORMATS for code in ("DE", "KR", "AR", "ZZ")}


def test_every_topic_is_looked_at_alone_and_left_out_alone() -> None:
    chosen = [set(one.topics) for one in renditions(rendered(), "en") if one.topics]
    assert all({topic} in chosen and set(TOPICS) - {topic} in chosen for topic in TOPICS)


def test_the_letters_are_looked_at_too() -> None:
    assert [mail.rendition for mail in mails()[-4:]] == [
        f"{kind} letter, {locale}" for kind in ("confirmation", "preferences") for locale in LOCALES
    ]
    assert all(mail.html and "https://digest.example/" in mail.text for mail in mails()[-4:])


def test_a_mail_is_looked_at_as_it_is_sent_with_everything_in_it_that_a_reader_may_get() -> None:
    fullest = mails()[0]
    assert fullest.html is not None
    for part in (fullest.html, fullest.text):
        assert "Your watch list" in part
        assert "Your consent of " in part
        assert fullest.unsubscribe in part
    labelled = next(mail for mail in mails() if mail.rendition == "full, en, KR")
    assert labelled.subject == f"(광고) {rendered().subject}"


def test_one_of_each_format_and_letter_is_pictured() -> None:
    kinds = [mail.rendition.partition(",")[0] for mail in one_of_each(mails())]
    letters = ["confirmation letter"] * 2 + ["preferences letter"] * 2
    assert kinds == [format_ for _locale in LOCALES for format_ in FORMATS] + letters


def test_the_largest_watch_list_holds_the_longest_stories_that_fit() -> None:
    part, count = largest_watch_list(rendered())
    longest = sorted((len(one.html) for one in rendered().fragments.values()), reverse=True)
    assert count == min(MOST_STORIES, len(longest)) > 0
    assert len(part.html) > sum(longest[:count])


def test_a_watch_list_that_finds_no_room_is_said() -> None:
    frame = rendered().frame
    assert frame is not None
    cramped = rendered().model_copy(update={"frame": frame.model_copy(update={"room": 0})})
    (finding,) = [one for one in check_edition(stored(cramped), SETTINGS) if one.section == "Your watch list"]
    assert (finding.level, finding.check) == ("warning", "size")
    assert "has room for 0" in finding.what


def test_without_a_postal_address_no_edition_passes() -> None:
    nowhere = SETTINGS.model_copy(update={"series": Series(title="Digest", base_url="https://digest.example")})
    first = check_edition(stored(render(b.an_empty_edition(), nowhere), b.an_empty_edition()), nowhere)[0]
    assert (first.level, first.check) == ("error", "sender")
    assert "Set [series] postal_address" in first.do


def test_what_is_wrong_in_every_mail_is_said_once_and_what_is_wrong_in_some_names_them() -> None:
    long = rendered().model_copy(update={"subject": "x" * 51})
    findings = [one for one in check_edition(stored(long), SETTINGS) if one.check == "subject"]
    assert [(one.what[:28], one.rendition) for one in findings] == [
        ("The subject has 51 character", "full, en, ZZ and 18 more"),
        ("The subject has 56 character", "full, en, KR and 2 more"),
        ("The subject has 53 character", "full, de, KR and 2 more"),
    ]


def test_the_size_that_is_told_is_that_of_the_fullest_mail() -> None:
    padded = rendered().model_copy(
        update={"html": rendered().html.replace("</body>", f"<!--{'x' * MOST_BYTES}--></body>")}
    )
    (finding,) = [one for one in check_edition(stored(padded), SETTINGS) if one.section == "Whole mail"]
    assert (finding.level, finding.check) == ("error", "size")
    assert finding.rendition.startswith("full, ")
