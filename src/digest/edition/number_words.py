"""The words that an English or a German text may say a number, a direction or a place with. Pure.

Both languages are known at once, for an editor may write one within the other.
"""

import re
from collections.abc import Iterable
from typing import Literal


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(word for line in lines for word in line.split())


_EN = _words(
    "zero nil nought naught one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
    "sixteen seventeen eighteen nineteen twenty thirty forty fourty fifty sixty seventy",
    "eighty ninety hundred thousand",
    "million billion trillion quadrillion",
)
_EN_ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh",
    "twelfth thirteenth fourteenth fifteenth",
    "sixteenth seventeenth eighteenth nineteenth twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth",
    "ninetieth hundredth thousandth millionth billionth",
)
_DE = _words(
    "null ein eins zwei zwo drei vier fünf fuenf sechs sieben acht neun zehn elf zwölf zwoelf sechzehn siebzehn",
    "zwanzig dreissig vierzig fünfzig fuenfzig sechzig siebzig achtzig neunzig hundert tausend",
)


def _one_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_DE_NUMBER = rf"(?:(?:{_one_of(_DE)})(?:und)?)*(?:{_one_of(_DE)})"
_CARDINAL = re.compile(
    rf"(?:(?:{_one_of(_EN)})(?:and)?)*(?:{_one_of(_EN)})s?|(?:twent|thirt|fort|fift|sixt|sevent|eight|ninet)ies"
    rf"|{_DE_NUMBER}(?:e|en|er)?|(?:million|milliarde|billion|billiarde|trillion)(?:en|n)?|dutzende?|dozens?|couples?"
)
_MULTIPLE = re.compile(
    rf"(?:{_one_of(_EN)})+fold|once|twice|thrice|hal(?:f|ves?|ved|ving)|quarter(?:s|ed)?"
    r"|(?:doubl|trebl|tripl|quadrupl|quintupl|sextupl|decupl)(?:e|es|ed|ing|y)"
    rf"|(?:{_DE_NUMBER}|mehr|viel)(?:mal|mals|mali\w+|fach|fache\w?|erlei|einhalb)|eineinhalb|anderthalb\w*"
    r"|halb(?:e[mnrs]?|iert\w*|ieren|ierung)?|h(?:ä|ae)lften?|halbes"
    rf"|doppel\w*|(?:ver)doppel\w*|ver(?:{_DE_NUMBER})fach\w*|viertel\w*|drittel\w*|(?:{_DE_NUMBER})s?tel[ns]?"
)
_ORDINAL = re.compile(
    rf"(?:{_one_of(_EN)})?(?:{_one_of(_EN_ORDINALS)})(?:s|ly)?"
    rf"|(?:erst|dritt|siebt|(?:{_DE_NUMBER})s?t)(?:e[mnrs]?|ens)|(?:millions?|milliards?)te[mnrs]?"
)
_ARTICLES = frozenset(_words("ein eine einen einem einer eines"))
_ROMAN = re.compile(r"(?=[IVXLCDM]{2})M*(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")

_VALUES = {
    word: number
    for number, words in enumerate(
        (
            "zero null",
            "one eins",
            "two zwei",
            "three drei",
            "four vier",
            "five fünf",
            "six sechs",
            "seven sieben",
            "eight acht",
            "nine neun",
            "ten zehn",
            "eleven elf",
            "twelve zwölf",
        )
    )
    for word in words.split()
}


def number_word(word: str) -> Literal["cardinal", "multiple", "ordinal"] | None:
    """What kind of number a word says, if any; Roman ones of two letters or more are cardinals."""
    folded = word.casefold()
    if folded in _ARTICLES:
        return None
    if _CARDINAL.fullmatch(folded) or _ROMAN.fullmatch(word):
        return "cardinal"
    if _MULTIPLE.fullmatch(folded):
        return "multiple"
    return "ordinal" if _ORDINAL.fullmatch(folded) else None


def value_of(word: str) -> int | None:
    """The number that a word stands for as far as twelve."""
    return _VALUES.get(word.casefold())


# What is said beside a number

_TO, _FROM = frozenset(_words("to towards auf zu")), frozenset(_words("from von aus ab"))
_BESIDE = frozenset(
    _words(
        "minus plus negative over under above below beyond almost nearly about around",
        "roughly approximately circa some than",
        "least most only not without instead short out ahead shy until within fast etwa rund",
        "knapp ungefähr zirka gut über",
        "unter mindestens höchstens maximal minimal als bis nicht statt ohne kaum nur beinahe annähernd gegen",
    )
)
_PASSED_OVER = frozenset(_words("by of a an the its full whole um der die das den dem des einem einen eine ein"))


def role_of(before: Iterable[str]) -> str:
    """What the words before a number make of it, the last word first: `to`, `from`, a word that bounds it, or
    nothing."""
    for word in before:
        folded = word.casefold()
        if folded in _TO:
            return "to"
        if folded in _FROM:
            return "from"
        if folded in _BESIDE or folded.endswith(("n't", "n’t")):
            return folded
        if folded not in _PASSED_OVER:
            return ""
    return ""


_POINTS = frozenset(_words("point points pt pts punkt punkte punkten pkt"))
_NO_UNITS = frozenset(
    _words(
        "a an the and or but nor so yet as at by for from in into of off on onto out",
        "over per since than that then there",
        "this these those to toward towards until up upon versus vs via was were when where",
        "which while who with within is",
        "are be been being has have had it its now before after again ahead among because",
        "between down if just more less",
        "higher lower alone tied overall today only still also too beyond behind against among",
        "der die das den dem des ein eine einen einem einer und oder aber als am an auf",
        "aus außer bei beim bis da damit",
        "dann das dass durch für gegen hat hatte im in ins ist sind war waren jetzt mehr mit",
        "nach neu nicht nun nur ob ohne",
        "seit sich so statt um unter vom von vor vorn vorne weniger wie wieder zu",
        "zum zur zurück zuvor höher niedriger",
        "gleichauf über hinter heute auch noch allein",
    )
)


def unit_of(word: str) -> str:
    """The unit that the word after a number names; empty for a word that is none, such as `on` or `more`."""
    folded = word.casefold()
    return "" if folded in _NO_UNITS else "points" if folded in _POINTS else word


# What turns a sentence into its opposite

_OPPOSITES = tuple(
    (frozenset(_words(one)), frozenset(_words(other)))
    for one, other in (
        (
            "up upward upwards rise rises rising risen rose raise raises raised raising "
            "gain gains gained gaining climb "
            "climbs climbed climbing grow grows grew grown growing jump jumps jumped jumping "
            "soar soars soared soaring "
            "surge surges surged increase increases increased increasing higher more above improve improves improved "
            "improving better takes took taking wins won winning dearer pricier enters entered advances advanced "
            "steigt steigen stieg stiegen gestiegen steigert klettert kletterte klettern "
            "gewinnt gewann gewinnen wächst "
            "wuchs wachsen zulegt zulegte zugelegt höher mehr besser verbessert teurer aufwärts hinauf rauf "
            "übernimmt übernahm erhöht springt sprang anstieg zuwachs gewinn",
            "down downward downwards fall falls falling fallen fell drop drops dropped dropping "
            "lose loses lost losing "
            "loss losses sink sinks sank sunk sinking decline declines declined "
            "declining decrease decreases decreased "
            "slip slips slipped slipping slide slides slid plunge plunges plunged tumble tumbles tumbled dive dives "
            "shrink shrinks shrank lower less fewer below worse worsens worsened cheaper cut cuts cutting reduced "
            "reduces slumps slumped retreats sheds shed "
            "fällt fallen fiel fielen gefallen sinkt sinken sank sanken gesunken verliert verlieren verlor verloren "
            "rutscht rutschte rutschen stürzt stürzte stürzen weniger niedriger tiefer schlechter verschlechtert "
            "günstiger billiger abwärts hinab runter einbüßt büßt eingebüßt schrumpft "
            "schrumpfte senkt gesenkt abstieg "
            "rückgang verlust nachgibt nachgab",
        ),
        (
            "first top tops topped best lead leads leader leading led highest foremost "
            "erste erster ersten erstes vorn "
            "vorne führt führung spitze spitzenreiter beste bester besten bestes höchste",
            "last bottom worst lowest trail trails trailing trailed behind letzte letzter letzten letztes hinten "
            "schlusslicht schlechteste schlechtester schlechtesten niedrigste",
        ),
        (
            "new enter enters entered entering join joins joined joining add adds added "
            "adding arrive arrives arrived "
            "debut debuts appears appeared neu neue neuer neues neuen hinzu erscheint dazu",
            "left leave leaves leaving gone remove removes removed removing drop drops dropped withdraw withdraws "
            "withdrawn withdrew missing disappears disappeared vanishes vanished fehlt verlässt verließ verschwindet "
            "verschwand entfernt gestrichen streicht zurückgezogen weg",
        ),
    )
)
_DENIALS = frozenset(
    _words(
        "not never no nor neither none cannot without nicht nie niemals kein keine keinen keinem keiner keines weder",
        "ohne",
    )
)


def turned(words: Iterable[str], told: Iterable[str]) -> str | None:
    """The first word that says the opposite of what is told, or denies where nothing is denied; None where none."""
    said = {word.casefold() for word in told}
    for word in words:
        folded = word.casefold()
        for one, other in _OPPOSITES:
            for mine, theirs in ((one, other), (other, one)):
                if folded in mine and said & theirs and not said & mine:
                    return word
        denies = folded in _DENIALS or folded.endswith(("n't", "n’t"))
        if denies and folded not in said:
            return word
    return None
