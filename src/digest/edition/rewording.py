"""Whether an editor's words keep to a story's figures. Pure.

A figure is a number with its unit, in digits or as a word. A model's name is none, though it holds digits; so the names
are taken out first, however they are spaced.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from digest.edition.numbers import in_words
from digest.language import decimal_symbol, group_symbol, spoken

MOST_CHARACTERS = 140
"""A headline of more is none; a remark may have three times as many."""

_NUMBER = re.compile(
    r"(?:([^\W\d_]+[-_.]?)|([#$€£])\s?)?"  # a word that it hangs on, or a sign
    r"(\d+(?:[.,'’\u00a0\u202f]\d+)*)"
    r"\s?([%$€£]|(?:[KMB]|Tsd|Mio|Mrd)\b)?"
)
_PERCENT = re.compile(r"\b(per\s?cent|percent|prozent)\b", re.IGNORECASE)
_AMOUNTS = {
    "en": "half halves halved halving quarter third thirds twice thrice double doubles doubled doubling triple triples "
    "tripled tenfold dozen dozens hundred hundreds thousand thousands million millions billion billions",
    "de": "halb halbe halben halber halbes halbiert hälfte viertel drittel doppelt doppelte doppelten doppelter "
    "verdoppelt dreifach dreifache verdreifacht dutzend hundert hunderte tausend tausende million millionen milliarde "
    "milliarden",
}


class Figure(NamedTuple):
    """A number as it is read: its value or the word for it, and its unit."""

    amount: Decimal | str
    unit: str


def fault(words: str, headline: str, own: Iterable[str], names: Iterable[str]) -> str:
    """Why words may not stand for a generated headline, as one clause; empty where they may.

    `own` are all texts that tell the story's figures and `names` those that may stand in it. Every figure of the words
    is one of those, and none of the headline's is missing.
    """
    known = list(names)
    given, wanted = (dict(_figures(text, known)) for text in (words, headline))
    allowed = {figure for text in own for figure, _written in _figures(text, known)} | wanted.keys()
    for figure, written in given.items():
        if figure not in allowed:
            return f'"{written}" is no figure of this story'
    for figure, written in wanted.items():
        if figure not in given:
            return f'it leaves out the figure "{written}"'
    return ""


def _figures(text: str, names: Iterable[str]) -> Iterator[tuple[Figure, str]]:
    """Each figure of a text with how it is written there."""
    text = _PERCENT.sub("%", unicodedata.normalize("NFKC", text).replace("\u2044", " / "))
    for name in sorted(names, key=len, reverse=True):
        pieces = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name))
        if pieces:
            between = r"[\W_]*".join(map(re.escape, pieces))
            text = re.sub(rf"(?<![^\W_]){between}(?![^\W_])", " ", text, flags=re.IGNORECASE)
    for word, sign, number, after in _NUMBER.findall(text):  # with a word before it, it is in a name that is not known
        yield Figure(_value(number), word or sign or after), f"{word}{sign}{number}{after}"
    amounts = set(_AMOUNTS.get(spoken(), "").split())
    spelled = {in_words(number): number for number in range(2, 13)}
    for word in re.findall(r"[^\W\d_]+", text.lower()):
        if word in spelled:
            yield Figure(Decimal(spelled[word]), ""), word
        elif word in amounts:
            yield Figure(word, ""), word


def _value(number: str) -> Decimal | str:
    """The number as the language that is spoken writes it; one that is written otherwise is only itself."""
    plain = number.replace(group_symbol(), "").replace("\u00a0", "").replace(decimal_symbol(), ".")
    try:
        return Decimal(plain).normalize()
    except ArithmeticError:
        return number
