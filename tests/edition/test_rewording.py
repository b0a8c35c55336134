"""An editor's words keep the figures of a headline: each with its sign and unit, in their order, and nothing turned."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.edition.edited import Week

from digest.edition.compose import unabridged
from digest.edition.editing import headline_fault
from digest.edition.number_words import number_word
from digest.edition.rewording import fault, remark_fault
from digest.edition.story_points import point_of
from digest.language import LOCALES, speaking

NUMBERS = """zero twenty-one forty hundreds tenfold twice thrice quadrupled halved dozen seventh XIV zwanzig zweimal
    dreiunddreißig vierfach verdreifacht anderthalb halbiert Hälfte Milliarden siebte zwanzigsten"""
NO_NUMBERS = """a ein eine einer often weight allein einzig LLM I score stone tension Neuer"""
PIECES = """up down rises falls by to from nearly not minus plus half twice twenty zwei fünfzig first second dozen k bn
    % ‰ $ € + - − – ± ~ x points point dollars million 4.0 4
    40 4,0 64.0 ½ ² 五 Ⅳ IV . , : ( ) on at and cirrus-3 Board"""
FOREIGN = """down falls nearly not minus half twice twenty zwei fünfzig second dozen million"""

HEADLINE = "cirrus-3 is up 4.0 points on The board"
NAMES = ("cirrus-3", "The board")


@pytest.mark.parametrize(
    "words",
    [
        "up twenty points, not 4.0",
        "down -4.0k points",
        "up 64.0 points to 4.0",
        "up 4.0x",
        "cirrus-3 is up 4.0 dollars",
        "cirrus-3 is up 4.0 bn",
        "cirrus-3 is up 4.0‰",
        "cirrus-3 moves -4.0 points",
        "cirrus-3 moves − 4.0 points",
        "cirrus-3 is up minus 4.0 points",
        "cirrus-3 is up 五十, 4.0 points",
        "cirrus-3 is up ½, 4.0 points",
        "cirrus-3 is up .4.0 points",
        "64.0 down to 60.0",
        "cirrus-3 is up 4.0 points for the second time",
        "cirrus-3 is up 4.0 points, twice",
        "cirrus-3 doubled: up 4.0 points",
        "cirrus-3 is up half of 4.0 points",
        "cirrus-3 is up einundzwanzig, 4.0 points",
        "cirrus-3 is up IV, 4.0 points",
        "cirrus-3 is up nearly 4.0 points",
        "cirrus-3 is up to 4.0 points",
        "cirrus-3 is up 4.0 million points",
        "cirrus-3 is up 4.0 points, 4.0 points",
        "cirrus 3 points and 4.0 points up",
        "cirrus-3 is up 4.0\u0336 points",
    ],
)
def test_words_that_change_a_figure_its_sign_or_its_unit_are_refused(words: str) -> None:
    assert fault(words, HEADLINE, NAMES)


@pytest.mark.parametrize(
    "words",
    [
        "cirrus-3 is down 4.0 points",
        "cirrus-3 loses 4.0 points",
        "cirrus-3 verliert 4.0 points",
        "cirrus-3 is not up 4.0 points",
        "cirrus-3 isn't up 4.0 points",
        "cirrus-3 rises no more: 4.0 points",
    ],
)
def test_words_that_turn_a_direction_are_refused_without_a_figure_being_touched(words: str) -> None:
    assert "is not what is told" in fault(words, HEADLINE, NAMES)


@pytest.mark.parametrize(
    "words",
    [
        "cirrus-3 rises 4.0 points",
        "Cirrus 3: 4.0 points higher on The board",
        "A good week: cirrus-3 climbs by 4.0 points",
        "cirrus-3 makes a 4.0-point gain",
        "The board has cirrus-3 up (4.0 points)",
    ],
)
def test_words_that_keep_them_are_taken(words: str) -> None:
    assert fault(words, HEADLINE, NAMES) == ""


def test_figures_keep_their_order_and_their_parts() -> None:
    told = "cirrus-3 from 60.0 to 64.0"
    assert fault("cirrus-3: from 60.0 up to 64.0", told, NAMES) == ""
    assert fault("cirrus-3 to 64.0 from 60.0", told, NAMES) == "its figures are not in the order of the headline"
    assert "is no figure" in fault("cirrus-3 from 64.0 to 60.0", told, NAMES)


def test_a_german_headline_is_read_in_german() -> None:
    told = "cirrus-3 steigt bei The board um 4,0 Punkte"
    with speaking("de"):
        assert fault("cirrus-3 klettert um 4,0 Punkte", told, NAMES) == ""
        for words in (
            "cirrus-3 fällt um 4,0 Punkte",
            "cirrus-3 steigt um 4.0 Punkte",
            "cirrus-3 verdoppelt: 4,0 Punkte",
        ):
            assert fault(words, told, NAMES)


def test_a_remark_has_no_figure_and_no_direction_that_the_change_has_not() -> None:
    told = "The board: 55.00 before, 55.40 now.; from 55.00 to 55.40; 55.40 points; up"
    for remark in ("Small, but worth a look", "cirrus-3 rises to 55.4", "From 55.0 to 55.4 on The board"):
        assert remark_fault(remark, told, NAMES) == ""
    for remark in ("55.4% now", "$55.4", "It falls", "Its third week", "55.4 million", "twice as good", "-55.4"):
        assert remark_fault(remark, told, NAMES)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_generated_headline_may_stand_for_itself(locale: str) -> None:
    week = Week()
    whole = unabridged(week.edition(), week.changes, week.settings)
    for story in whole.stories:
        with speaking(locale):
            point = point_of(whole, story)
        if point:
            assert headline_fault(whole, story, point.headline, locale) == ""


@pytest.mark.parametrize(
    "word",
    NUMBERS.split(),
)
def test_a_word_for_a_number_is_known(word: str) -> None:
    assert all(number_word(part) for part in word.split("-"))


@pytest.mark.parametrize("word", NO_NUMBERS.split())
def test_a_word_that_only_looks_like_one_is_none(word: str) -> None:
    assert number_word(word) is None


WHOLE = ["cirrus-3", "is", "up", "4.0", "points"]


@st.composite
def rewordings(draw: st.DrawFn) -> str:
    """The headline's own words with some taken out, others put in, and spaced somehow."""
    parts = [part for part in WHOLE if draw(st.integers(0, 9))]
    for part in draw(st.lists(st.sampled_from(PIECES.split()), max_size=4)):
        parts.insert(draw(st.integers(0, len(parts))), part)
    return "".join(f"{part}{draw(st.sampled_from([' ', ' ', ' ', '', '-', ', ']))}" for part in parts).strip()


@given(rewordings())
@settings(max_examples=1500, derandomize=True, deadline=None)
def test_what_is_taken_tells_the_same_signs_numbers_and_units(words: str) -> None:
    if fault(words, HEADLINE, NAMES):
        return
    bare = re.sub(r"(?i)cirrus[- _.]?3", "@", words)
    (figure,) = re.finditer(r"(\S*)\d+(?:[.,]\d+)*(.*)", bare)
    assert re.fullmatch(r"(?P<sign>[(]*)4\.0[ -]?points?\b.*", figure[0]), words
    assert not re.search(r"[-+−–±~$€]\s*4", bare)
    assert not any(unicodedata.numeric(char, None) is not None for char in bare.replace("4.0", ""))
    said = {word.casefold() for word in re.findall(r"[^\W\d_]+", bare)}
    assert not said & set(FOREIGN.split())
