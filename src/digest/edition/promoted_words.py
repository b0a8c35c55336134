"""(a change that was told apart from news) -> what it was, and why it is none, in the language that is spoken."""

from collections.abc import Iterator

from digest.changes.kinds import EXPLAINED, Reason
from digest.edition.facts import Figure
from digest.edition.numbers import benchmark_name, full, money, not_known, score, shown, tokens
from digest.edition.rewording import MOST_OF_A_REMARK
from digest.edition.story_facts import Promoted
from digest.language import _, spoken


def title(promoted: Promoted) -> str:
    """The model by name, else the benchmark."""
    return full(promoted.name) if promoted.name else benchmark_name(promoted.benchmark)


def figures(promoted: Promoted) -> str:
    """`LiveBench overall: 80.28 (#2) before, 80.31 (#1) now.`"""
    where = " ".join(part for part in (shown(promoted.title), _measure(promoted)) if part)
    before, after = (_figure(one, promoted.unit) for one in (promoted.before, promoted.after))
    return _("%(where)s: %(before)s before, %(after)s now.", where=where, before=before, after=after)


def every_figure(promoted: Promoted) -> str:
    """All that may be said of its figures: as they are printed, with their unit, from one to the other, and which way
    they went."""
    before, after = (_figure(one, promoted.unit) for one in (promoted.before, promoted.after))
    bare = [said.partition(" (#")[0] for said in (before, after)]
    pairs = [f"from {bare[0]} to {bare[1]}", f"{bare[0]} to {bare[1]}"]
    units = [f"{said} {unit}" for said in bare for unit in _UNITS.get(promoted.unit, ())]
    pairs += [f"from {bare[0]} {unit} to {bare[1]} {unit}" for unit in _UNITS.get(promoted.unit, ())]
    return "; ".join([figures(promoted), *pairs, *units, *_ways(promoted)])


_UNITS = {"points": ("points",), "%": ("points", "%")}


def _ways(promoted: Promoted) -> Iterator[str]:
    """Whether the value went up or down, and the rank."""
    before, after = promoted.before, promoted.after
    if before and after:
        if before.value is not None and after.value is not None and before.value != after.value:
            yield "up" if after.value > before.value else "down"
        if before.rank is not None and after.rank is not None and before.rank != after.rank:
            yield "up" if after.rank < before.rank else "down"


def _measure(promoted: Promoted) -> str:
    return benchmark_name(promoted.benchmark) if promoted.benchmark and promoted.name else ""


def _figure(figure: Figure | None, unit: str) -> str:
    if figure is None or (figure.value is None and figure.rank is None):
        return not_known()
    if figure.value is None:
        return f"#{figure.rank}"
    if unit == "tokens":
        said = tokens(figure.value)
    else:
        said = money(figure.value) if unit.startswith("USD") else score(figure.value, unit, 2)
    return f"{said} (#{figure.rank})" if figure.rank is not None else said


def why(promoted: Promoted) -> str:
    """Why it is no news: the real reason, whatever the editor remarks."""
    known = promoted.reason in set(Reason)
    reason = _(EXPLAINED[Reason(promoted.reason)]) if known else shown(promoted.reason.replace("_", " "))
    return _("Not news by our rules: %(reason)s.", reason=reason)


def remark(promoted: Promoted) -> str:
    """What the editor remarks in the language that is spoken; empty where only in another."""
    words = dict(promoted.remarks).get(spoken(), "")
    return shown(words, MOST_OF_A_REMARK) if words else ""
