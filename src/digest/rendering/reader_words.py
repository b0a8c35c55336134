"""Sentences between the sender and a reader: who writes, what was agreed, what is stored. Pure."""

from datetime import date
from typing import TypeVar

from digest.config.sections import Series
from digest.edition.numbers import calendar_day, shown
from digest.language import _, pgettext

Day = TypeVar("Day", bound=str)


def sender(series: Series) -> str:
    """`Digest, 1 Example Street, Berlin`: who writes and, where config.toml says it, from where."""
    name = shown(series.title, 100)
    return f"{name}, {shown(series.postal_address, 200)}" if series.postal_address else name


def agreed(on: date, method: str) -> str:
    """When and how a reader agreed: `You agreed on 12 Mar 2026 (sign-up form).`"""
    day = calendar_day(on)
    how = pgettext("what is held", "sign-up form") if method == "sign-up form" else shown(method, 80)
    return _("You agreed on %(day)s (%(how)s).", day=day, how=how) if how else _("You agreed on %(day)s.", day=day)


def lapses(consented: Day, lapsing: Day) -> Day:
    """Of when a consent is, and when it lapses. Of two slots it is one itself, which a template leaves as it is."""
    said = _("Your consent of %(consented)s lapses on %(lapses)s.", consented=consented, lapses=lapsing)
    return type(consented)(said)


def lapsing(series: Series) -> str:
    """What a reader needs to know whose consent lapses: who asks, and what comes of not answering."""
    return _(
        "You agreed to get one mail a week from %(sender)s. "
        "Without your answer we stop writing on that day. You can also leave now.",
        sender=sender(series),
    )


def privacy_line() -> str:
    return _(
        "Of your location we store the country or region at most, never an IP address. "
        "Nothing in this mail tells us whether you read it."
    )
