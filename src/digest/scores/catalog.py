"""Raw names -> canonical model and variant, by reviewed rules and an explicit alias table; never by a guess.

    raw                  vertex_ai/claude-opus-5@20270101
      where it is served   host vertex_ai            whole names, hosts, regions, makers in front
      brackets, commas     words at the end          o3 (high) -> o3 high
      what ends the name   date 2027-01-01           one ending after another, until the catalogue knows the rest
    model                claude-opus-5

Which words mean what is data (`data/models.toml`); this module knows the shapes. Every pattern of the data must match
the whole of what it is asked about, so `gpt-5.4-mini` can never be taken for `gpt-5.4`. Nothing here raises but
`load_catalog`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from digest.config.assets import asset
from digest.errors import ConfigError
from digest.scores.endings import Rules, Said, off_its_ending, out_of_brackets, plain, read_rules, rewritten

How = Literal["alias", "rule", "unresolved"]


@dataclass(frozen=True, slots=True)
class ModelName:
    """A publisher's name, understood.

    `model` is the canonical id in lower case; `title` is what is shown: the id of a model the catalogue knows, else the
    publisher's spelling without the parts that are said apart. A variant that the name does not state is None, never a
    default: `effort` is a word from none to max; `thinking` a budget such as `32k`, `on`, `off`, `auto` or a level;
    `date` as complete as the name has it (`2025-12-11`, `2025-11`, `0709`, `001`). `host` is where it is served, and
    how (`us.; bedrock`, `precision fp8`). `pair` says which two models worked together; then `model` is the architect,
    and the pair is never compared with the single model: compare `identity`, not `model`.
    """

    raw: str
    model: str
    title: str
    effort: str | None = None
    thinking: str | None = None
    date: str | None = None
    host: str | None = None
    pair: str | None = None
    how: How = "unresolved"

    @property
    def variant(self) -> dict[str, str]:
        stated = {"effort": self.effort, "thinking": self.thinking, "date": self.date}
        return {name: value for name, value in stated.items() if value is not None}

    @property
    def identity(self) -> tuple[str | None, ...]:
        """Equal for two names exactly when they mean the same model, pair and variant, wherever it is served."""
        return self.model, self.pair, self.effort, self.thinking, self.date


@dataclass(frozen=True, slots=True)
class Model:
    """Facts about a model; None where the sources of the catalogue do not say, or disagree. `context` is in tokens."""

    organisation: str | None
    family: str | None = None
    released: str | None = None
    open_weights: bool | None = None
    licence: str | None = None
    reasoning: Literal["yes", "no", "hybrid"] | None = None
    context: int | None = None
    floating: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
    """Where a spelling leads, why, and on which list it was seen. `whole` ones hold for a whole published name only."""

    model: str
    why: str
    seen: str
    whole: bool = False
    date: str | None = None
    host: str | None = None


@dataclass(frozen=True, eq=False)
class Catalog:
    """What is known about names: models by id, aliases by spelling, makers by prefix and by first word of an id."""

    models: Mapping[str, Model]
    aliases: Mapping[str, Alias]
    makers: Mapping[str, str]
    families: Mapping[str, str]
    hosts: Mapping[str, str]
    regions: frozenset[str]
    plumbing: frozenset[str]
    rules: Rules
    first_word: re.Pattern[str] = field(repr=False)


def load_catalog(path: Path) -> Catalog:
    """Read a catalogue in the form of `data/models.toml`. Raises ConfigError naming the file and what is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return _catalog(data)
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read as a catalogue of models: {error}; restore it or correct it."
        ) from error
    except KeyError as error:
        raise ConfigError(
            f"{path} lacks {error.args[0]}: a catalogue of models needs it; see data/models.toml."
        ) from error
    except (TypeError, AttributeError, ValueError, re.error) as error:
        raise ConfigError(f"{path} is no catalogue of models: {error}; correct that entry.") from error


@cache
def packaged_catalog() -> Catalog:
    """The catalogue that comes with the program."""
    return load_catalog(asset("data") / "models.toml")


def resolve(raw: str, catalog: Catalog | None = None) -> ModelName:
    """Understand one raw name, with the packaged catalogue unless another is given. Never raises.

    `how` is `alias` if an entry of the table had the last word, `rule` if rules found a known model, family or maker,
    and `unresolved` if none did; an unresolved name is its own id, in lower case, with nothing taken off.
    """
    return _resolved(raw, catalog or packaged_catalog())


@lru_cache(maxsize=1 << 16)
def _resolved(raw: str, catalog: Catalog) -> ModelName:
    architect, plus, editor = raw.partition(" + ")
    if not plus:
        return _single(raw, catalog)
    one, other = _single(architect, catalog), _single(editor, catalog)
    if "unresolved" in (one.how, other.how):
        return _itself(raw)
    pair = f"architect {_described(one)} + editor {_described(other)}"
    how: How = "alias" if "alias" in (one.how, other.how) else "rule"
    return replace(one, raw=raw, title=f"{one.title} + {other.title}", pair=pair, how=how)


def _described(name: ModelName) -> str:
    return f"{name.model} ({', '.join(name.variant.values())})" if name.variant else name.model


def _itself(raw: str) -> ModelName:
    return ModelName(raw, raw.lower(), raw)


def _single(raw: str, catalog: Catalog) -> ModelName:
    said = Said()
    text = _off_its_place(raw, said, catalog)
    if text is None:
        return _itself(raw)
    listed = catalog.aliases.get(raw.lower())
    if listed and listed.whole:
        return _named(raw, listed, None, said)
    text = out_of_brackets(text, said, catalog.rules)
    while (known := _known(text, catalog)) is None:
        rest = off_its_ending(text, said, catalog.rules, catalog.models)
        if rest is None:
            break
        text = rest
    if known is not None:
        target = known if known in catalog.models else catalog.aliases[known]
        return _named(raw, target, None, said)
    id_ = rewritten(text, catalog.rules)
    if said.maker is None and _family(id_, catalog) is None:
        return _itself(raw)
    return _named(raw, id_, text, said)


def _named(raw: str, target: str | Alias, title: str | None, said: Said) -> ModelName:
    alias = target if isinstance(target, Alias) else Alias(target, "", "")
    how: How = "alias" if alias is target else "rule"
    hosts = "; ".join(filter(None, [*said.hosts, alias.host])) or None
    date = alias.date or said.date
    return ModelName(raw, alias.model, title or alias.model, said.effort, said.thinking, date, hosts, None, how)


# Where a name is served: what stands before it, with a slash or a dot.

_LONGEST = 200  # characters; no model's name is longer, and no hostile one shall cost more
_ZONE = re.compile(r"[a-z]{2}(-gov)?-[a-z]+-\d|\d-month-commitment")
_FINE_TUNE = "ft:"


def _off_its_place(raw: str, said: Said, catalog: Catalog) -> str | None:
    """The name without host, region and maker in front, which are noted; None if a word there is not known."""
    if len(raw) > _LONGEST:
        return None
    *places, text = raw.strip().removeprefix(_FINE_TUNE).split("/")
    if raw.strip().startswith(_FINE_TUNE):
        said.hosts.append("fine-tune price")
    maker_as_written = None
    for place in map(str.lower, places):
        if place in catalog.plumbing and said.hosts:
            continue
        if place in catalog.makers:
            if maker_as_written:  # perplexity/anthropic/...: the first one serves
                said.hosts.append(maker_as_written)
            maker_as_written = place
        elif place in catalog.hosts:
            said.hosts.append(catalog.hosts[place])
        elif place in catalog.regions or _ZONE.fullmatch(place):
            said.hosts.append(place)
        else:
            return None
    region, dot, rest = text.partition(".")
    if dot and region.lower() in catalog.regions:
        said.hosts.append(f"{region.lower()}.")
        text = rest
    vendor, dot, rest = text.partition(".")
    if dot and vendor.lower() in catalog.makers and rest[:1].isalpha():
        maker_as_written, text = vendor.lower(), rest
        if not any(host in catalog.hosts.values() for host in said.hosts):
            said.hosts.append("bedrock")  # only Bedrock writes vendor.model
    return _with_its_family(text, maker_as_written, said, catalog)


def _with_its_family(text: str, place: str | None, said: Said, catalog: Catalog) -> str:
    """The name from its family's word on: `amazon-nova-lite` is nova-lite, `deepseek.v3.2` deepseek-v3.2."""
    said.maker = catalog.makers[place] if place else None
    known, owner = _known(text, catalog), _family(plain(text), catalog)
    if known and known in catalog.models:
        owner = catalog.models[known].organisation
    elif known is None:
        text = _unglued(text, said.hosts, catalog)
        owner = _family(plain(text), catalog)
        if place and owner is None and re.match(r"[a-z]\d", text, re.IGNORECASE):
            text = f"{place}-{text}"
    if place and owner not in (None, said.maker):
        said.hosts.insert(0, catalog.hosts.get(place, place))  # one maker serves another's model
    return text


def _unglued(text: str, hosts: list[str], catalog: Catalog) -> str:
    """The name without its host or its own maker in front: `databricks-meta-llama-3-70b` is llama-3-70b."""
    front, _, rest = text.partition("-")
    behind = _unglued(rest, hosts, catalog) if front.lower() in hosts else rest
    maker = _family(plain(behind), catalog)
    ours = front.lower() in hosts or catalog.makers.get(front.lower()) == maker
    return behind if maker and ours else text


def _family(id_: str, catalog: Catalog) -> str | None:
    """The maker whose family the id begins with, as a whole word or up to a digit."""
    first = catalog.first_word.match(id_)
    return catalog.families[first[0]] if first else None


def _known(text: str, catalog: Catalog) -> str | None:
    """The spelling under which the catalogue knows exactly this text, as a model or as an alias."""
    for id_ in (text.lower(), plain(text), rewritten(text, catalog.rules)):
        if id_ in catalog.models:
            return id_
        alias = catalog.aliases.get(id_)
        if alias and not alias.whole:
            return id_
    return None


# The file.


def _catalog(data: Mapping[str, Any]) -> Catalog:
    places, families = data["places"], {}
    makers = {name: maker for maker, of in data["makers"].items() for name in of["names"]}
    for maker, of in data["makers"].items():
        families.update(dict.fromkeys(of["families"], maker))
    words = sorted(families, key=len, reverse=True)
    first = "|".join(re.escape(word) + (r"(?=\d)" if len(word) == 1 else r"(?=[-.:\d]|$)") for word in words)
    models = {
        id_: Model(organisation=None if maker == "not disclosed" else maker, **facts)
        for maker, entries in data["models"].items()
        for id_, facts in entries.items()
    }
    aliases = dict(_aliases(data["aliases"]))
    if lost := sorted({alias.model for alias in aliases.values()} - models.keys()):
        raise ValueError(f"an alias leads to {lost[0]}, which is not among its models")
    hosts = {host: host for host in places["hosts"]} | places["renamed"]
    return Catalog(
        models,
        aliases,
        makers,
        families,
        hosts,
        frozenset(places["regions"]),
        frozenset(places["plumbing"]),
        read_rules(data["rules"]),
        re.compile(first),
    )


def _aliases(groups: list[Mapping[str, Any]]) -> Iterator[tuple[str, Alias]]:
    for group in groups:
        for spelling, target in group["names"].items():
            leads = {"model": target} if isinstance(target, str) else target
            yield spelling, Alias(**leads, why=group["why"], seen=group["seen"], whole=group.get("whole", False))
