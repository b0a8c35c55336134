"""What ends a model's name, or stands in brackets: effort, thinking, date, and what a host adds.

    gpt-5.9-mini-2026-11-02-xhigh  ->  effort xhigh  ->  date 2026-11-02  ->  gpt-5.9-mini

One ending is taken off at a time. What a word means can depend on the id in front of it (`phi-3-medium` is a size,
`gpt-5.4-medium` an effort), so `Rules` holds patterns for that id; each must match the whole of it.
"""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Rules:
    """The [rules] of `data/models.toml`: patterns for the whole id in front of a word, endings, spellings."""

    efforts: frozenset[str]
    medium_is_a_size: re.Pattern[str]
    max_is_an_effort: re.Pattern[str]
    thinking_is_a_switch: re.Pattern[str]
    base_means_thinking_off: re.Pattern[str]
    no_thinking_is_effort_none: re.Pattern[str]
    date_belongs_to: re.Pattern[str]
    short_date_is_a_snapshot: re.Pattern[str]
    number_is_a_snapshot: re.Pattern[str]
    latest_belongs_to: re.Pattern[str]
    v_is_a_revision: re.Pattern[str]
    v_is_a_version: re.Pattern[str]
    endings: tuple[tuple[re.Pattern[str], str], ...]
    rewrites: tuple[tuple[re.Pattern[str], str], ...]


@dataclass(slots=True)
class Said:
    """What the parts taken off a name said, so far. `wrapped` once Bedrock's `:0` was seen."""

    maker: str | None = None
    hosts: list[str] = field(default_factory=list)
    effort: str | None = None
    thinking: str | None = None
    date: str | None = None
    wrapped: bool = False


def read_rules(data: Mapping[str, Any]) -> Rules:
    """The [rules] table. Raises KeyError, TypeError or re.error where it is not one."""
    patterns = {name: re.compile("|".join(value)) for name, value in data.items() if name not in _LISTS}
    return Rules(
        **patterns,
        efforts=frozenset(data["efforts"]),
        endings=tuple((re.compile(f"(?:{of['pattern']})$", re.IGNORECASE), of["says"]) for of in data["endings"]),
        rewrites=tuple((re.compile(of["from"]), of["to"]) for of in data["rewrites"]),
    )


_LISTS = frozenset({"efforts", "endings", "rewrites"})


def plain(text: str) -> str:
    """Lower case, with one dash between words."""
    return re.sub(r"[-\s_@]+", "-", text.strip().lower()).strip("-")


def rewritten(text: str, rules: Rules) -> str:
    """The id by the spelling rules: plain, then every rewrite in turn."""
    id_ = plain(text)
    for pattern, to in rules.rewrites:
        id_ = pattern.sub(to, id_)
    return id_


# What ends a name, or stands in brackets or after a comma.

_ON = frozenset({"thinking", "think", "reasoning"})
_SERVED_BY = re.compile(r"\w+ api", re.IGNORECASE)
_ENDING = re.compile(
    r"""(?P<rest>.*?[^-_\s:@])[-_\s:@]+(?:
      (?P<day>20\d\d(?P<dash>-?)(?:0[1-9]|1[0-2])(?P=dash)(?:0[1-9]|[12]\d|3[01]))
    | (?P<month>20\d\d-(?:0[1-9]|1[0-2]))
    | (?P<short>(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01]) | (?:0[1-9]|1[0-2])-20\d\d)
    | (?P<number>00\d)
    | (?P<budget>\d+k)[-_\s]think(?:ing)?(?:[-_\s]tokens)?
    | think(?:ing)?[-_\s](?P<amount>\d+k|auto)
    | (?P<auto>default[-_\s]think(?:ing)?)
    | (?P<off>non?[-_\s]?(?:think(?:ing)?|reasoning))
    | (?P<level>high|medium|low|minimal)thinking
    | (?P<effort>[a-z]+)[-_\s]effort
    | (?P<revision>v\d+(?:\.0)?|(?<=\db-)1)
    | (?P<zero>(?<=:)0)
    | (?P<word>[a-z]+)
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def out_of_brackets(text: str, said: Said, rules: Rules) -> str:
    """The name with what stood in brackets or after commas noted where it says a variant, else as further words."""
    name, *phrases = (part.strip() for part in re.split(r"[(),]", text))
    for phrase in phrases:
        word = phrase.lower()
        if word in rules.efforts and said.effort is None:
            said.effort = word
        elif (word in _ON or word == "default") and said.thinking is None:
            said.thinking = "auto" if word == "default" else "on"
        elif _SERVED_BY.fullmatch(word):
            said.hosts.append(word)
        elif word:
            name = f"{name} {phrase}"
    return name


def off_its_ending(text: str, said: Said, rules: Rules, models: Container[str]) -> str | None:
    """The name without its last variant or host's addition, which is noted; None if it ends in a word of its own."""
    for pattern, says in rules.endings:
        if (added := pattern.search(text)) and added.start():
            said.hosts.extend(filter(None, [added.expand(says).lower()]))
            return text[: added.start()]
    ending = _ENDING.fullmatch(text)
    if ending is None:
        return None
    rest, id_ = ending["rest"], rewritten(ending["rest"], rules)
    stated = _date(ending, id_, rules) or _thinking(ending, id_, rules) or _effort(ending, id_, rules)
    if stated:
        what, value = stated
        if getattr(said, what) is not None:
            return None
        setattr(said, what, value)
        return rest
    if ending["zero"] and not said.wrapped:
        said.wrapped = True
        return rest
    return rest if _says_nothing(ending, id_, said.wrapped, rules, models) else None


def _date(ending: re.Match[str], id_: str, rules: Rules) -> tuple[str, str] | None:
    date = ending["day"] or ending["month"] or ending["short"] or ending["number"]
    if date is None or rules.date_belongs_to.fullmatch(id_):
        return None
    if ending["short"]:
        if not rules.short_date_is_a_snapshot.fullmatch(id_):
            return None
        month, dash, year = date.partition("-")
        return "date", f"{year}-{month}" if dash and len(year) == 4 else date
    at_it = ending.string[ending.start("number") - 1] == "@"
    if ending["number"] and not (at_it or rules.number_is_a_snapshot.fullmatch(id_)):
        return None
    if ending["day"]:
        digits = date.replace("-", "")
        return "date", f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return "date", date


def _thinking(ending: re.Match[str], id_: str, rules: Rules) -> tuple[str, str] | None:
    word = (ending["word"] or "").lower()
    if budget := ending["budget"] or ending["amount"] or ending["level"]:
        return "thinking", budget.lower()
    if ending["off"]:
        return ("effort", "none") if rules.no_thinking_is_effort_none.fullmatch(id_) else ("thinking", "off")
    if ending["auto"]:
        return "thinking", "auto"
    openrouters = word == "thinking" and ending.string[ending.start("word") - 1] == ":"
    if openrouters or (word in _ON and rules.thinking_is_a_switch.fullmatch(id_)):
        return "thinking", "on"
    if word == "base" and rules.base_means_thinking_off.fullmatch(id_):
        return "thinking", "off"
    return None


def _effort(ending: re.Match[str], id_: str, rules: Rules) -> tuple[str, str] | None:
    named, word = (ending["effort"] or "").lower(), (ending["word"] or "").lower()
    if named in rules.efforts:
        return "effort", named
    if word not in rules.efforts:
        return None
    if word == "medium" and rules.medium_is_a_size.fullmatch(id_):
        return None
    if word == "max" and not rules.max_is_an_effort.fullmatch(id_):
        return None
    return "effort", word


def _says_nothing(ending: re.Match[str], id_: str, wrapped: bool, rules: Rules, models: Container[str]) -> bool:
    """Whether the ending is a wrapping's count, or a `latest` of something that has a number or stands for itself."""
    numbered = any(char.isdigit() for char in id_)
    if ending["revision"]:
        counts = wrapped and numbered and not rules.v_is_a_version.fullmatch(id_)
        return counts or rules.v_is_a_revision.fullmatch(id_) is not None
    if rules.latest_belongs_to.fullmatch(id_):
        return False
    return (ending["word"] or "").lower() == "latest" and (numbered or id_ in models)
