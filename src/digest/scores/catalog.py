"""Raw names -> canonical model and variant, by rules that never guess: what no rule knows stays itself."""

import re
from dataclasses import dataclass

EFFORTS = ("xhigh", "high", "medium", "low", "minimal")
_EFFORT = re.compile(rf"^(?P<rest>.+?)[-_ ](?P<effort>{'|'.join(EFFORTS)})(?:[-_ ]effort)?$", re.IGNORECASE)
_BRACKETS = re.compile(r"^(?P<rest>[^()+]+?) \((?P<inside>[^()]+)\)$")
_BUDGET = re.compile(r"^(?P<budget>\d+k) think(?:ing)?(?: tokens)?$", re.IGNORECASE)
_THINKING = {"no think": "off", "no thinking": "off", "thinking": "on", "default think": "on"}


@dataclass(frozen=True, slots=True)
class ModelName:
    """A publisher's name, understood.

    `model` is the canonical id in lower case, `title` the same in the publisher's spelling; `effort` is one of
    EFFORTS, `thinking` a budget such as `32k`, `on` or `off`, `path` what stood before the name (`openrouter/google`).
    A variant that the name does not state is None: never a default.
    """

    raw: str
    model: str
    title: str
    effort: str | None = None
    thinking: str | None = None
    path: str | None = None
    date: str | None = None
    host: str | None = None
    pair: str | None = None
    how: str = "rule"

    @property
    def variant(self) -> dict[str, str]:
        stated = {"effort": self.effort, "thinking": self.thinking}
        return {name: value for name, value in stated.items() if value is not None}


def resolve(raw: str) -> ModelName:
    """Understand one raw name. Never raises; a name of no known shape is its own canonical id."""
    path, _, title = raw.rpartition("/")
    effort = thinking = None
    if brackets := _BRACKETS.match(title):
        inside = brackets["inside"].lower()
        if inside in EFFORTS:
            title, effort = brackets["rest"], inside
        elif budget := _BUDGET.match(inside):
            title, thinking = brackets["rest"], budget["budget"]
        elif inside in _THINKING:
            title, thinking = brackets["rest"], _THINKING[inside]
    elif ending := _EFFORT.match(title):
        title, effort = ending["rest"], ending["effort"].lower()
    if not title.strip():
        return ModelName(raw, raw.lower(), raw)
    return ModelName(raw, re.sub(r"\s+", "-", title.strip()).lower(), title, effort, thinking, path or None)
