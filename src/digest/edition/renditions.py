"""What differs between groups of readers: the topics they chose, how it reads, and what their region's rules add. Pure.

A rendition is put together from parts of the one approved edition; nothing in it is composed anew.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from digest.language import N_

Topic = Literal["models", "scores", "leaderboards", "prices", "comparisons"]
"""A choice of sections. Corrections, the note, source health and the opening are for everybody."""

Format = Literal["full", "short", "text"]
"""full: all chosen sections.   short: the opening, in brief, the watch list, corrections.   text: plain text alone."""

TOPICS: Mapping[Topic, str] = {
    "models": N_("New models"),
    "scores": N_("Score changes"),
    "leaderboards": N_("Leaderboard shifts"),
    "prices": N_("Prices and context"),
    "comparisons": N_("Side by side and best picks"),
}
"""By title, which is translated where it is shown."""

FORMATS: Mapping[Format, str] = {
    "full": N_("Full edition"),
    "short": N_("Short edition"),
    "text": N_("Plain text only"),
}
"""By title, which is translated where it is shown."""

DutyKind = Literal["identity", "address", "unsubscribe", "complaints", "consent", "notice", "label"]
"""
identity: who sends it.           address: a postal address.      unsubscribe: a way out that is seen.
complaints: a contact for them.   consent: when and how the reader agreed.
notice: a text that is quoted.    label: what stands before the subject of an advertisement.
"""


class Duty(NamedTuple):
    """Something a message must carry. `text` is what a notice quotes, or what the label says."""

    kind: DutyKind
    text: str = ""


class Rendition(NamedTuple):
    """One group of readers. `topics` in the order of TOPICS, none means all; `regime` is a code such as DE or ZZ."""

    locale: str = "en"
    topics: tuple[Topic, ...] = ()
    format: Format = "full"
    regime: str = "ZZ"
