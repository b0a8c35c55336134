"""How figures, days and names are written. Pure text; every rounding is half-up, on Decimal."""

import unicodedata
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from digest.edition.content import Name

MINUS = "\u2212"
NOT_KNOWN = "not known"
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
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
    return clip(" ".join(seen.split()), room) or "(no name)"


def clip(text: str, room: int) -> str:
    """The text, or as much of it as leaves place for an ellipsis within `room` characters."""
    return text if len(text) <= room else text[: max(room - 1, 0)].rstrip(" ,.·") + "…"


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
    everything = [*items, f"{counted(more)} more"] if more else items
    return " and ".join(part for part in (", ".join(everything[:-1]), everything[-1] if everything else "") if part)


def rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), context=_WIDE) if value.adjusted() < _ABSURD else value


def plain(value: Decimal, places: int = 1, thousands: str = "") -> str:
    """`80.7`, with a true minus and never a minus zero."""
    near = rounded(value, places)
    size = f"{abs(near):{thousands}f}" if near.adjusted() < _ABSURD else f"{abs(near):.1e}"
    return size if near >= 0 else f"{MINUS}{size}"


class Cell(NamedTuple):
    """A figure in a table with what is said below it. `tone` is good, bad or plain, for the reader."""

    value: str
    change: str = ""
    tone: str = "plain"
    was: str = ""


def counted(number: int) -> str:
    return f"{number:,}"


def several(number: int, noun: str, *, words: bool = False) -> str:
    """`8 rows`, or with `words` the number as a word as far as twelve: `eight rows`."""
    amount = _WORDS[number] if words and 0 <= number < len(_WORDS) else counted(number)
    if number == 1:
        return f"{amount} {noun}"
    return f"{amount} {noun[:-1]}ies" if noun.endswith("ry") else f"{amount} {noun}s"


def capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


_POINTS = ("%", "points")  # units that a table does not repeat, and whose distances are points


def score(value: Decimal | None, unit: str, places: int = 1) -> str:
    """A score as a table shows it: one decimal, a rating whole, the unit beside it unless it is points or percent."""
    if value is None:
        return "not measured"
    if unit == "rating":
        return plain(value, places - 1)
    if unit == "USD":
        return money(value)
    return plain(value, places) if unit in _POINTS else f"{plain(value, places)} {shown(unit, 12)}"


def gap(value: Decimal, unit: str) -> str:
    """A distance without a sign: `2.1 points`, `34 points`, `3.2 s`. What is not zero is never shown as zero."""
    far = abs(value)
    if unit == "USD":
        return money(far)
    places = 0 if unit == "rating" else 1
    while far and not rounded(far, places) and places < 6:
        places += 1
    amount = plain(far, places)
    if unit not in (*_POINTS, "rating"):
        return f"{amount} {shown(unit, 12)}"
    return f"{amount} point" if rounded(far, places) == 1 else f"{amount} points"


def change(before: Decimal, after: Decimal, unit: str) -> str:
    """`+1.7 pt`, `−4.5 pt`, `+3.2 s`."""
    sign = "+" if after > before else MINUS if after < before else "±"
    amount = gap(after - before, unit).replace(" points", " pt").replace(" point", " pt")
    return f"{sign}{amount}"


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
        return NOT_KNOWN
    places = 3 if 0 < abs(value) < Decimal("0.1") else 2
    while value and not rounded(value, places) and places < 12:
        places += 1
    amount = plain(abs(value), places, ",")
    return f"${amount}" if value >= 0 else f"{MINUS}${amount}"


def tokens(value: Decimal | None) -> str:
    """`262K`, `1.05M`: thousands and millions, never 1,024."""
    if value is None:
        return NOT_KNOWN
    if value < 1000:
        return plain(value, 0)
    if rounded(value / 1000, 0) < 1000:
        return f"{plain(value / 1000, 0)}K"
    return plain(value / 1_000_000, 2).rstrip("0").rstrip(".") + "M"


def less_or_more(before: Decimal, after: Decimal) -> str:
    """`half`, `25% less`, `20% more`; empty where a share cannot be given, because one side is zero."""
    if before <= 0 or after <= 0 or before == after:
        return ""
    if after * 2 == before:
        return "half"
    share = rounded(abs(after - before) / before * 100, 0)
    word = "less" if after < before else "more"
    amount = "under 1" if share == 0 else "over 99" if share == 100 and word == "less" else f"{share:,f}"
    return f"{amount}% {word}"


def day(on: date, *, year: bool = False) -> str:
    """`Mon 27 Apr`, in no computer's language but the edition's; with `year` where the edition's would be wrong."""
    return f"{_DAYS[on.weekday()]} {on.day} {_MONTHS[on.month - 1]}{f' {on.year}' if year else ''}"


def monday(week: str) -> date:
    """The Monday of an ISO 8601 week such as 2026-W17."""
    year, number = week.split("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def arrow(rises: bool) -> str:
    return "▲" if rises else "▼"
