"""Sentences between the sender and a reader: who writes, what was agreed, what is stored. Pure."""

from datetime import date

from digest.config import Series
from digest.edition.numbers import day, shown


def sender(series: Series) -> str:
    """`Digest, 1 Example Street, Berlin`: who writes and, where config.toml says it, from where."""
    name = shown(series.title, 100)
    return f"{name}, {shown(series.postal_address, 200)}" if series.postal_address else name


def calendar_day(on: date) -> str:
    """`12 Mar 2026`"""
    return day(on, year=True).partition(" ")[2]


def agreed(on: date, method: str) -> str:
    """When and how a reader agreed: `You agreed on 12 Mar 2026 (sign-up form).`"""
    how = shown(method, 80)
    return f"You agreed on {calendar_day(on)}{f' ({how})' if how else ''}."


def lapsing(series: Series) -> str:
    """What a reader needs to know whose consent lapses: who asks, and what comes of not answering."""
    return (
        f"You agreed to get one mail a week from {sender(series)}. "
        "Without your answer we stop writing on that day. You can also leave now."
    )


def privacy_line() -> str:
    return (
        "Of your location we store the country or region at most, never an IP address. "
        "Nothing in this mail tells us whether you read it."
    )
