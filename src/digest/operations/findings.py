"""What a look at the installation gives."""

from typing import Literal, NamedTuple

Level = Literal["ok", "note", "warn", "fail"]
"""note: nothing is wrong, but a person should know it."""


class Finding(NamedTuple):
    """What was looked at, how it is, and a sentence: what was found, and what to do."""

    what: str
    level: Level
    said: str
