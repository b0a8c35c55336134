"""How figures, days and names are written, in the language that is spoken. Every rounding is half-up, on Decimal."""

import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from digest.edition.facts import Name
from digest.language import N_, _, decimal_symbol, group_symbol, ngettext, pgettext, written_day
from digest.language import counted as counted

MINUS = "\u2212"
_IN_WORDS = (
    N_("no"),
    N_("one"),
    N_("two"),
    N_("three"),
    N_("four"),
    N_("five"),
    N_("six"),
    N_("seven"),
    N_("eight"),
    N_("nine"),
    N_("ten"),
    N_("eleven"),
    N_("twelve"),
)
_NAME_ROOM = 60
_OF_A_HOST = ("precision", "tier", "fine-tune")  # what follows is how it is served, not where
_UNSEEN = ("Cc", "Cf", "Co", "Cs")
_ABSURD = 15  # a power of ten from which on digits would only fill the page
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)


def shown(text: str, room: int = _NAME_ROOM) -> str:
    """Foreign text, fit to be printed: one line, at most `room` characters, nothing in it that cannot be seen.

    Control, format (bidirectional overrides among them), private, surrogate and non-characters are dropped, and `=?`,
    which opens an encoded word in a mail header (RFC 2047, section 2).
    """
    head = " ".join(text[: 8 * room].split())
    seen = "".join(char for char in head if unicodedata.category(char) not in _UNSEEN and ord(char) & 0xFFFE != 0xFFFE)
    while "=?" in seen:
        seen = seen.replace("=?", "")
    return clip(" ".join(seen.split()), room) or _("(no name)")


def clip(text: str, room: int) -> str:
    """The text, or as much of it as leaves place for an ellipsis within `room` characters."""
    return text if len(text) <= room else text[: max(room - 1, 0)].rstrip(" ,.·") + "…"


NOT_KNOWN = N_("not known")


def not_known() -> str:
    return _(NOT_KNOWN)


def title(name: Name) -> str:
    return shown(name.title)


def variant(name: Name) -> str:
    """The variant in words, such as `thinking 64k, high`; empty when the name states none."""
    thinking = {"on": "thinking", "off": "no thinking"}.get(name.thinking or "", f"thinking {name.thinking}")
    effort = "no effort" if name.effort == "none" else name.effort
    parts = (name.date, name.thinking and thinking, effort, *_where(name.host or ""))
    return ", ".join(shown(part, 30) for part in parts if part)


def _where(host: str) -> list[str]:
    """`us.; bedrock; tier free` -> `on bedrock`, `us`, `tier free`: the host, its region, what it says of its own."""
    parts = [part for part in host.split("; ") if part]
    regions = [part.rstrip(".") for part in parts if part.endswith(".")]
    own = [part for part in parts if " " in part.strip() and part.split()[0] in _OF_A_HOST]
    hosts = [part for part in parts if not part.endswith(".") and part not in own]
    return [*(["on " + " ".join(hosts)] if hosts else []), *regions, *own]


def full(name: Name) -> str:
    """Title and variant on one line."""
    return f"{title(name)} {variant(name)}".strip()


def benchmark_name(benchmark: str) -> str:
    return shown(benchmark.removeprefix("category:").replace("_", " "))


def listed(items: list[str], more: int = 0) -> str:
    """`a, b and c`; with `more` unnamed ones, `a, b and 3 more`."""
    everything = [*items, ngettext("%(count)s more", "%(count)s more", more)] if more else items
    if len(everything) < 2:
        return "".join(everything)
    return _("%(all_but_last)s and %(last)s", all_but_last=", ".join(everything[:-1]), last=everything[-1])


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), context=_WIDE) if value.adjusted() < _ABSURD else value


def exact(value: Decimal, places: int = 1) -> str:
    """`80.7` as a machine reads it, never a minus zero; for widths and places on a drawing."""
    return f"{rounded(value, places) + 0:f}"


def plain(value: Decimal, places: int = 1, *, thousands: bool = False) -> str:
    """`80.7` as a reader reads it, with a true minus and never a minus zero."""
    near = rounded(value, places)
    size = f"{abs(near):,f}" if near.adjusted() < _ABSURD else f"{abs(near):.1e}"
    marks = {",": group_symbol() if thousands else "", ".": decimal_symbol()}
    written = "".join(marks.get(char, char) for char in size)
    return written if near >= 0 else f"{MINUS}{written}"


class Cell(NamedTuple):
    """A figure in a table with what is said below it. `tone` is good, bad or plain, for the reader."""

    value: str
    change: str = ""
    tone: str = "plain"
    was: str = ""


def in_words(number: int) -> str:
    """A whole number as a word as far as twelve: `eight`, `1,200`."""
    return _(_IN_WORDS[number]) if 0 <= number < len(_IN_WORDS) else counted(number)


def several(number: int, noun: str, *, words: bool = False) -> str:
    """`8 rows`, or with `words` the number as a word as far as twelve: `eight rows`."""
    amount = in_words(number) if words else counted(number)
    if number == 1:
        return f"{amount} {noun}"
    return f"{amount} {noun[:-1]}ies" if noun.endswith("ry") else f"{amount} {noun}s"


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


_POINTS = ("%", "points")  # units that a table does not repeat, and whose distances are points


def score(value: Decimal | None, unit: str, places: int = 1) -> str:
    """A score as a table shows it: one decimal, a rating whole, the unit beside it unless it is points or percent."""
    if value is None:
        return _("not measured")
    if unit == "rating":
        return plain(value, places - 1)
    if unit == "USD":
        return money(value)
    return plain(value, places) if unit in _POINTS else f"{plain(value, places)} {shown(unit, 12)}"


def gap(value: Decimal, unit: str, *, short: bool = False) -> str:
    """A distance without a sign: `2.1 points`, or `short` `2.1 pt`; `34 points`, `3.2 s`. What is not zero is never
    shown as zero."""
    far = abs(value)
    if unit == "USD":
        return money(far)
    places = 0 if unit == "rating" else 1
    while far and not rounded(far, places) and places < 6:
        places += 1
    amount = plain(far, places)
    if unit not in (*_POINTS, "rating"):
        return f"{amount} {shown(unit, 12)}"
    if short:
        return _("%(amount)s pt", amount=amount)
    if rounded(far, places) != 1:
        return _("%(amount)s points", amount=amount)
    return (
        pgettext("with decimals", "%(amount)s point", amount=amount) if places else _("%(amount)s point", amount=amount)
    )


def change(before: Decimal, after: Decimal, unit: str) -> str:
    """`+1.7 pt`, `−4.5 pt`, `+3.2 s`."""
    sign = "+" if after > before else MINUS if after < before else "±"
    return f"{sign}{gap(after - before, unit, short=True)}"


def apart(one: Decimal, other: Decimal, unit: str) -> tuple[str, str]:
    """Two figures with as many decimals as it takes to see that they differ."""
    for places in range(1, 7):
        pair = score(one, unit, places), score(other, unit, places)
        if pair[0] != pair[1]:
            break
    return pair


def money(value: Decimal | None) -> str:
    """USD with two decimals, below $0.10 three, and more where a price that is not zero would read as zero."""
    if value is None:
        return not_known()
    places = 3 if 0 < abs(value) < Decimal("0.1") else 2
    while value and not rounded(value, places) and places < 12:
        places += 1
    amount = pgettext("US dollars", "$%(amount)s", amount=plain(abs(value), places, thousands=True))
    return amount if value >= 0 else f"{MINUS}{amount}"


def tokens(value: Decimal | None) -> str:
    """`262K`, `1.05M`: thousands and millions, never 1,024."""
    if value is None:
        return not_known()
    if value < 1000:
        return plain(value, 0)
    if rounded(value / 1000, 0) < 1000:
        return pgettext("thousands", "%(amount)sK", amount=plain(value / 1000, 0))
    millions = rounded(value / 1_000_000, 2).normalize()
    return pgettext("millions", "%(amount)sM", amount=plain(millions, max(-_exponent(millions), 0)))


def less_or_more(before: Decimal, after: Decimal) -> str:
    """`half`, `25% less`, `20% more`; empty where a share cannot be given, because one side is zero."""
    if before <= 0 or after <= 0 or before == after:
        return ""
    if after * 2 == before:
        return pgettext("of a price", "half")
    share = rounded(abs(after - before) / before * 100, 0)
    if after > before:
        return _("under 1%% more") if share == 0 else _("%(share)s%% more", share=plain(share, 0, thousands=True))
    if share == 0:
        return _("under 1%% less")
    return _("over 99%% less") if share == 100 else _("%(share)s%% less", share=plain(share, 0))


def day(on: date, *, year: bool = False) -> str:
    """`Mon 27 Apr`, in no computer's language but the edition's; with `year` where the edition's would be wrong."""
    return written_day(on, pgettext("day", "EEE d MMM y") if year else pgettext("day", "EEE d MMM"))


def calendar_day(on: date) -> str:
    """`12 Mar 2026`"""
    return written_day(on, pgettext("day", "d MMM y"))


def monday(week: str) -> date:
    """The Monday of an ISO 8601 week such as 2026-W17."""
    year, number = week.split("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def ordinal(number: int) -> str:
    """`1st`, `22nd`, `13th`."""
    match 0 if number % 100 in (11, 12, 13) else number % 10:
        case 1:
            return pgettext("ordinal", "%(number)sst", number=number)
        case 2:
            return pgettext("ordinal", "%(number)snd", number=number)
        case 3:
            return pgettext("ordinal", "%(number)srd", number=number)
    return pgettext("ordinal", "%(number)sth", number=number)


def arrow(rises: bool) -> str:
    return "▲" if rises else "▼"
