"""Letters ask one thing, with one button; nothing in them advertises and nothing in them was typed by a visitor."""

import re
from datetime import timedelta

import pytest
from lxml import html
from tests import builders as b
from tests.rendering.test_email import HOSTILE, check_dark_overrides, check_golden

from digest.config.sections import Series
from digest.language import spoken
from digest.rendering.letters import LetterKind, letter
from digest.rendering.renditions import Mail
from digest.rendering.templates import ACTION_SLOT, ANY_SLOT, UNSUBSCRIBE_SLOT
from digest.subscribers.links import LIFETIMES

SETTINGS = b.some_settings()
KINDS: list[LetterKind] = ["confirmation", "preferences"]


def both(mail: Mail) -> tuple[str, str]:
    """Both parts as a reader sees them, folded to one line each."""
    assert mail.html is not None
    body = html.fromstring(mail.html).xpath("//body")[0]
    return " ".join(body.text_content().split()), " ".join(mail.text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_says_who_writes_and_has_one_button_and_one_way_out(kind: LetterKind) -> None:
    mail = letter(kind, SETTINGS)
    assert mail.html is not None
    assert html.fromstring(mail.html).xpath("//a/@href") == [ACTION_SLOT, UNSUBSCRIBE_SLOT]
    assert ANY_SLOT.findall(mail.text) == [ACTION_SLOT, UNSUBSCRIBE_SLOT]
    for part in both(mail):
        assert "Digest, 1 Example Street, 10115 Berlin, Germany" in part
        assert "Contact: hello@digest.example" in part
        assert "Never hear from us again" in part


@pytest.mark.parametrize(("kind", "purpose"), [("confirmation", "confirm"), ("preferences", "preferences")])
def test_a_letter_says_how_long_its_link_works(kind: LetterKind, purpose: str) -> None:
    hours = LIFETIMES[purpose] // timedelta(hours=1)
    assert all(f"The link works for {hours} hours" in part for part in both(letter(kind, SETTINGS)))


def test_a_confirmation_promises_nothing_and_sends_nothing_before_it_is_answered() -> None:
    mail = letter("confirmation", SETTINGS)
    assert mail.subject == "Confirm your subscription to Digest"
    for part in both(mail):
        assert "nothing is sent until you confirm" in part
        assert "Not you? Do nothing" in part
        assert not re.search(r"free|benchmark news|model|score|price|leaderboard", part, re.IGNORECASE)


def test_who_signed_up_again_is_told_that_they_are_in_and_nobody_else_learns_it() -> None:
    assert all("you are in already" in part for part in both(letter("preferences", SETTINGS)))
    assert not any("in already" in part for part in both(letter("confirmation", SETTINGS)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_is_small_fetches_nothing_and_keeps_to_72_columns(kind: LetterKind) -> None:
    mail = letter(kind, SETTINGS)
    assert mail.html is not None
    assert len(mail.html.encode()) < 20_000
    assert html.fromstring(mail.html).xpath("//img | //link | //script | //*[@src]") == []
    assert max(len(line) for line in ANY_SLOT.sub("", mail.text).splitlines()) <= 72


@pytest.mark.parametrize("kind", KINDS)
def test_every_colour_of_a_letter_has_a_dark_override(kind: LetterKind) -> None:
    source = letter(kind, SETTINGS).html
    assert source is not None
    check_dark_overrides(source)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_the_series_adds_no_element_and_no_slot(name: str) -> None:
    text = "".join(char for char in HOSTILE[name] if ord(char) >= 32 and ord(char) != 127)[:100] or "x"
    settings = SETTINGS.model_copy(
        update={"series": Series.model_construct(**{**vars(SETTINGS.series), "title": text})}
    )
    for kind in KINDS:
        mail = letter(kind, settings)
        assert mail.html is not None
        assert html.fromstring(mail.html).xpath("//a/@href") == [ACTION_SLOT, UNSUBSCRIBE_SLOT]
        assert html.fromstring(mail.html).xpath("//script | //img | //@onmouseover") == []
        assert mail.subject.isprintable()


def test_a_language_that_is_not_there_falls_back_to_english() -> None:
    assert letter("confirmation", SETTINGS, "ko") == letter("confirmation", SETTINGS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_in_german_says_so_and_keeps_its_button_and_its_way_out(kind: LetterKind) -> None:
    mail = letter(kind, SETTINGS, "de")
    assert mail.html is not None
    root = html.fromstring(mail.html)
    assert root.xpath("/html/@lang") == ["de"]
    assert root.xpath("//a/@href") == ANY_SLOT.findall(mail.text) == [ACTION_SLOT, UNSUBSCRIBE_SLOT]
    assert len(mail.subject) <= 50
    for part in both(mail):
        assert "Das waren nicht Sie? Dann tun Sie nichts" in part
        assert "Nie wieder Post von uns" in part
    assert spoken() == "en"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_letter_is_the_same_bytes(kind: LetterKind) -> None:
    assert letter(kind, SETTINGS) == letter(kind, SETTINGS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_is_what_it_was(kind: LetterKind) -> None:
    mail = letter(kind, SETTINGS)
    assert mail.html is not None
    check_golden(f"{kind}.html", mail.html)
    check_golden(f"{kind}.txt", f"Subject: {mail.subject}\n\n{mail.text}")
