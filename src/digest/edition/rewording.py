"""Whether an editor's words keep to a story's figures. Pure.

A figure is a number with its sign and its unit, in digits or as a word. A model's name is none, though it holds digits;
so the names are taken out first, however they are spaced.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from digest.edition.number_words import number_word, role_of, turned, unit_of, value_of
from digest.language import decimal_symbol, group_symbol

MOST_CHARACTERS = 140
"""A headline of more is none."""

MOST_OF_A_REMARK = 3 * MOST_CHARACTERS

_WORD = r"[^\W\d_]+(?:['’][^\W\d_]+)?"
_FIGURE = re.compile(rf"\d+(?:[.,'’]\d+)*|{_WORD}")
_PERCENT = re.compile(r"\b(per\s?cent|percent|prozent)\b", re.IGNORECASE)
_BEFORE = re.compile(rf"(?P<words>(?:{_WORD} +){{0,4}})(?P<apart>[^\w\s]* +)?(?P<joined>[^\s\d]*)$")
_AFTER = re.compile(
    rf"-?(?P<joined>{_WORD})|(?P<sign>[^\s\w.,;:!?)\]}}\"'“”»’…|]+\w*)"
    rf"| (?P<apart_sign>[%‰‱$€£¥₩°×])| (?P<apart>{_WORD})"
)
_SIGNS = "-+±~≈<>≤≥=×*^$€£¥#"
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_NO_UNIT = r"(?![.,]\d|[ -]?(?:[%‰$€£]|(?:points?|pts?|punkte?n?|percent|prozent)\b))"
_NAMED = " | "


class Figure(NamedTuple):
    """A number as it is read. `sign` is what stands before it and makes it another, from a minus to `nearly`."""

    sign: str
    amount: Decimal | str
    unit: str


class _Read(NamedTuple):
    """What a text tells: each figure with how it is written there, in its order; ordinals; and all its words."""

    figures: Sequence[tuple[Figure, str]]
    ordinals: Sequence[str]
    words: Sequence[str]


def fault(words: str, headline: str, names: Iterable[str]) -> str:
    """Why words may not stand for a generated headline, as one clause; empty where they may.

    `names` are those that may stand in it. The words tell the figures of the headline, no others, in their order; no
    other ordinal; and no direction that it does not tell.
    """
    known = list(names)
    given, wanted = _read(words, known), _read(headline, known)
    if strange := _strange(words, headline, known) or _stray(given, wanted):
        return strange
    left = Counter(figure for figure, _written in given.figures)
    for figure, written in wanted.figures:
        left[figure] -= 1
        if left[figure] < 0:
            return f'it leaves out the figure "{written}"'
    for figure, written in given.figures:
        if left[figure] > 0:
            return f'it tells the figure "{written}" more than once'
    if [figure for figure, _written in given.figures] != [figure for figure, _written in wanted.figures]:
        return "its figures are not in the order of the headline"
    return _turned(given, wanted)


def remark_fault(remark: str, told: str, names: Iterable[str]) -> str:
    """Why a remark may not stand beside what is told, as one clause; empty where it may: it has no figure and no
    ordinal that is not told, and turns no direction."""
    known = list(names)
    given, wanted = _read(remark, known), _read(told, known)
    return _strange(remark, told, known) or _stray(given, wanted) or _turned(given, wanted)


def _stray(given: _Read, wanted: _Read) -> str:
    allowed = {figure for figure, _written in wanted.figures}
    ordinals = {word.casefold() for word in wanted.ordinals}
    strays = [written for figure, written in given.figures if figure not in allowed]
    strays += [word for word in given.ordinals if word.casefold() not in ordinals]
    return f'"{strays[0]}" is no figure of this story' if strays else ""


def _turned(given: _Read, wanted: _Read) -> str:
    word = turned(given.words, wanted.words)
    return f'"{word}" is not what is told' if word else ""


def _strange(words: str, told: str, names: Sequence[str]) -> str:
    """A number in digits other than 0 to 9, or a sign that is laid over one."""
    known = set(told)
    for char in _nameless(unicodedata.normalize("NFC", words), names):
        is_number = unicodedata.numeric(char, None) is not None and char not in "0123456789"
        if char not in known and (is_number or unicodedata.category(char).startswith("M")):
            return f'"{char}" is no figure of this story'
    return ""


def _nameless(text: str, names: Iterable[str]) -> str:
    """The text with a mark for each name, in whatever spacing; not where a unit or a fraction follows its number."""
    for name in sorted(names, key=len, reverse=True):
        pieces = re.findall(r"[^\W_]+", name)
        if not name.replace(" ", "").isnumeric() and pieces:
            gaps = [re.escape(gap) for gap in re.findall(r"[\W_]+", name.strip())]
            between = "|".join(dict.fromkeys([*sorted(gaps, key=len, reverse=True), "[ _.-]"]))
            spelled = rf"(?:{between})?".join(map(re.escape, pieces))
            no_unit = _NO_UNIT if name[-1:].isdigit() else ""
            text = re.sub(rf"(?<![^\W_])(?<!\d[.,]){spelled}(?![^\W_]){no_unit}", _NAMED, text, flags=re.IGNORECASE)
    return text


def _read(text: str, names: Sequence[str]) -> _Read:
    text = unicodedata.normalize("NFKC", _nameless(unicodedata.normalize("NFC", text), names)).replace("\u2044", " / ")
    text = _PERCENT.sub("%", text.translate(_DASHES))
    figures, ordinals, words = [], [], []
    for found in _FIGURE.finditer(text):
        word = found[0]
        kind = None if word[0].isdigit() else number_word(word)
        if word[0].isdigit() or kind == "cardinal":
            figures.append(_figure(text, found))
        elif kind == "multiple":
            figures.append((Figure(_sign(text, found.start()), word.casefold(), ""), word))
        elif kind == "ordinal":
            ordinals.append(word)
        if not word[0].isdigit():
            words.append(word)
    return _Read(figures, ordinals, words)


def _figure(text: str, found: re.Match[str]) -> tuple[Figure, str]:
    """A number with its sign and unit, and how it is written."""
    sign, number = _sign(text, found.start()), found[0]
    value = _value(number) if number[0].isdigit() else value_of(number)
    amount = number.casefold() if value is None else Decimal(value) if isinstance(value, int) else value
    after = _AFTER.match(text, found.end())
    unit = _unit(after) if after else ""
    return Figure(sign, amount, unit), f"{sign}{number}{after[0] if after and unit else ''}"


def _sign(text: str, start: int) -> str:
    """What stands before a number: the words that bound it, and what is joined to it, a bracket or a quote aside."""
    before = _BEFORE.search(text, 0, start)
    if before is None:
        return ""
    joined = before["joined"].lstrip("([{\"'“„«»‚‘|")
    apart = (before["apart"] or "").strip()
    signs = joined or (apart if apart and set(apart) <= set(_SIGNS) else "")
    role = role_of(reversed(before["words"].split()))
    return f"{role} {signs}" if role else signs


def _unit(after: re.Match[str]) -> str:
    """The unit after a number: whatever is joined to it, else the next word unless it is none."""
    if after["joined"] or after["apart"]:
        word = after["joined"] or after["apart"]
        unit = unit_of(word)
        return word if after["joined"] and not unit else unit
    return after["sign"] or after["apart_sign"]


def _value(number: str) -> Decimal | str:
    """The number as the language that is spoken writes it; one that is written otherwise is only itself."""
    plain = number.replace(group_symbol(), "").replace(decimal_symbol(), ".")
    try:
        return Decimal(plain).normalize()
    except ArithmeticError:
        return number
