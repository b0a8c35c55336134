"""Picks -> sentences. Made of the facts alone, so a stored edition says the same later."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from digest.changes.offers import MONEY, SAME_SIZE_PERCENT
from digest.edition.content import Choice, Criterion, Group, Pick, Proof
from digest.edition.numbers import (
    apart,
    benchmark_name,
    capital,
    counted,
    day,
    full,
    gap,
    listed,
    money,
    plain,
    score,
    several,
    shown,
    tokens,
)
from digest.edition.picks import hybrid, identity

_NAMED = 3  # of those that are tied; the rest is counted
_PLACES = "points of 100"
_LISTED = (MONEY, "tokens")


def value(figure: Decimal | None, unit: str) -> str:
    """A figure as it stands alone: `96.3`, `1440`, `$4.81`, `free`, `1.05M tokens`, `76.6 of 100`."""
    if figure is None:
        return score(None, unit)
    match unit:
        case "tokens":
            return f"{tokens(figure)} tokens"
        case "USD per 1M tokens":
            return money(figure) if figure else "free"
        case "points of 100":
            return f"{plain(figure)} of 100"
        case _:
            return score(figure, unit)


def who(pick: Pick) -> str:
    """The pick, or those that are tied: `gpt-5.5 xhigh`, `o3 and o4-mini`, `a, b, c and 5 more`."""
    return _names(pick.leaders, _NAMED)


def _names(choices: Sequence[Choice], most: int) -> str:
    """Names with their variants, of which each may hold a comma of its own."""
    names = [full(choice.name) for choice in choices[:most]]
    if len(choices) > most:
        names.append(f"{counted(len(choices) - most)} more")
    comma = "; " if any("," in name for name in names) else ", "
    return " and ".join(part for part in (comma.join(names[:-1]), *names[-1:]) if part)


def measured_on(criterion: Criterion | Group) -> str:
    """`LiveBench Mathematics`, with a comma where source and benchmark share a word; of a list its name alone."""
    source, benchmark = shown(criterion.source_title), benchmark_name(criterion.benchmark)
    if criterion.unit in _LISTED:
        return source
    shared = set(source.lower().split()) & set(benchmark.lower().split())
    return f"{source}{',' if shared else ''} {benchmark}"


def _where(criterion: Criterion) -> str:
    return f"{'in' if criterion.unit in _LISTED else 'on'} {measured_on(criterion)}"


def _unit(pick: Pick) -> str:
    return _PLACES if pick.method == "places" else pick.criteria[0].unit


def _at(pick: Pick) -> str:
    """Where the value that ranks comes from, in words that follow it."""
    if pick.method == "figure":
        return _where(pick.criteria[0])
    return "by its places" if pick.method == "places" else f"on average on {shown(pick.criteria[0].source_title)}"


def _both(pick: Pick, one: Choice, other: Choice) -> tuple[str, str]:
    """The two values with as many decimals as it takes to see that they differ."""
    unit = _unit(pick)
    if unit in _LISTED:
        return value(one.value, unit), value(other.value, unit)
    first, second = apart(one.value, other.value, "points" if unit == _PLACES else unit)
    return (f"{first} of 100", second) if unit == _PLACES else (first, second)


# What a mail and a table say of a pick


def note(pick: Pick) -> str:
    """A few short sentences: its figure, where it is from, who is next, what it was before."""
    if pick.outcome == "none":
        return capital(f"{why_none(pick)}.")
    lead = [_tie(pick), cheapest(pick)] if pick.outcome == "tie" else [_figure_and_next(pick)]
    return _told([*lead, in_and_out(pick), *map(_doubts, pick.criteria), changed(pick)])


def _told(sentences: Iterable[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _figure_and_next(pick: Pick) -> str:
    """`73.6, #8 on LiveBench overall; next is kimi-k2.6 thinking, 72.2.` Its rank where others were left out."""
    first, other = pick.leaders[0], next(iter(pick.others), None)
    mine, theirs = _both(pick, first, other) if other else (value(first.value, _unit(pick)), "")
    rank = first.figures[0].rank if pick.method == "figure" and limits(pick) else None
    after = "" if other is None or _was_before(other, pick) else f"; next is {full(other.name)}, {theirs}"
    return f"{capital(mine)}{f', #{rank}' if rank else ''} {_at(pick)}{after}."


def _was_before(choice: Choice, pick: Pick) -> bool:
    return pick.change is not None and identity(choice) in {identity(one) for one in pick.change.before}


def _tie(pick: Pick) -> str:
    """`83.6 and 83.2 on LiveBench Coding, within the margin of 1.0 point: a tie.`"""
    first, second, *more = pick.leaders
    if more:
        others = counted(len(pick.leaders) - 1)
        said = _has(first, value(first.value, _unit(pick)), pick)
        return f"{said} {_at(pick)}; {others} more {_like_it(pick)}: a tie."
    if first.value == second.value:
        return f"{capital(value(first.value, _unit(pick)))} {_at(pick)}, both: a tie."
    mine, theirs = _both(pick, first, second)
    return f"{mine} and {theirs} {_at(pick)}, {_alike(pick)}: a tie."


def _alike(pick: Pick) -> str:
    """How two models are tied."""
    if _unit(pick) == "tokens":
        return f"at most {SAME_SIZE_PERCENT}% apart"
    if pick.uncertainty == "interval" and pick.method == "figure":
        return "with intervals that overlap"
    return f"within {doubt(pick)}" if doubt(pick) else "which no need tells apart beyond uncertainty"


def _like_it(pick: Pick) -> str:
    """How further models are tied with the first one."""
    if len({choice.value for choice in pick.leaders}) == 1:
        return "have the same"
    if _unit(pick) == "tokens":
        return f"have at most {SAME_SIZE_PERCENT}% less"
    if pick.uncertainty == "interval" and pick.method == "figure":
        return "have intervals that overlap its own"
    return f"are within {doubt(pick)} of it" if doubt(pick) else "are not told apart from it"


def doubt(pick: Pick) -> str:
    """What a difference has to exceed; empty where any difference counts."""
    unit = _unit(pick)
    if unit == "tokens":
        return f"the {SAME_SIZE_PERCENT}% that sizes are rounded by"
    if unit in (MONEY, _PLACES):
        return ""
    if pick.uncertainty == "margin" and pick.margin is not None:
        return f"the margin of {gap(pick.margin, unit)}"
    return {"interval": "the published intervals", "stderr": "the 95% uncertainty"}.get(pick.uncertainty, "")


def cheapest(pick: Pick) -> str:
    """Of those that are tied, which costs least by the list, or nothing where that is not known or not a difference."""
    priced = [choice for choice in pick.leaders if choice.price is not None]
    if len(priced) < 2 or _unit(pick) == MONEY or pick.prices is None:
        return ""
    lowest = min(choice.price for choice in priced if choice.price is not None)
    least = [choice for choice in priced if choice.price == lowest]
    if len(least) > 1:
        return ""
    known = "" if len(priced) == len(pick.leaders) else f"of the {counted(len(priced))} with a known price, "
    asks = f"costs least, {money(lowest)} blended" if lowest else "is free"
    return f"{capital(known)}{full(least[0].name)} {asks}."


def in_and_out(pick: Pick) -> str:
    """What the pick asks for input and output, where a price is what was asked for."""
    first = pick.leaders[0]
    if _unit(pick) != MONEY or not first.price or first.input is None or first.output is None:
        return ""
    return f"{full(first.name)} asks {money(first.input)} in and {money(first.output)} out."


def changed(pick: Pick) -> str:
    """`Was gpt-5.4 xhigh, 94.1: gpt-5.5 xhigh is new there.`, or nothing."""
    change = pick.change
    if change is None:
        return ""
    old = change.before
    names = _names(old, 2)
    was = f"a tie of {names}" if len(old) > 1 else f"{names}, {value(old[0].value, change.criterion.unit)}"
    by = full(change.by) if change.by else ""
    good, bad = {MONEY: ("is cheaper now", "is dearer now"), "tokens": ("has more now", "has less now")}.get(
        change.criterion.unit, ("did better beyond uncertainty", "did worse beyond uncertainty")
    )
    because = {
        "arrived": f"{by} is newly listed",
        "withdrawn": f"{by} is no longer listed",
        "rose": f"{by} {good}",
        "fell": f"{by} {bad}",
        "standing": f"other models could be among the {pick.group.most if pick.group else ''} best now",
        "source": f"{measured_on(change.criterion)} answered this need before",
        "benchmark": "the benchmark is made up otherwise now",
    }[change.why]
    return f"Was {was}: {because}."


def why_none(pick: Pick) -> str:
    """Why nothing is picked, without a full stop."""
    if pick.why_none == "unmeasured":
        return unmeasured([pick]).removesuffix(".")
    if pick.why_none == "nothing_shared":
        return f"no model has all the figures that {pick.title.lower()} needs"
    return f"no model is known to have {limits(pick)}; left out: {_left_out(pick)}"


def unmeasured(picks: Iterable[Pick]) -> str:
    """One sentence for all needs that nobody measures, or nothing."""
    titles = [title.lower() for pick in picks for title in pick.missing]
    named = " or ".join(part for part in (", ".join(titles[:-1]), titles[-1] if titles else "") if part)
    return f"No source here has figures for {named}." if titles else ""


def answered(picks: Iterable[Pick]) -> list[Pick]:
    """The picks that a table lists: not those of needs that nobody measures, which `unmeasured` tells."""
    return [pick for pick in picks if pick.why_none != "unmeasured"]


def section_note(picks: Iterable[Pick]) -> str:
    """What stands under the section's heading."""
    picks = list(picks)
    return _told(["Each need is answered by one source alone.", group_note(picks), blend_note(picks)])


def group_note(picks: Iterable[Pick]) -> str:
    """Among which models prices, sizes and speeds are compared, where one is told."""
    told = [(pick.title.lower(), pick.group) for pick in picks if pick.group and pick.leaders]
    if not told:
        return ""
    needs, group = listed([title for title, _group in told]), told[0][1]
    best = f"the models that could be among the {counted(group.most)} best on {measured_on(group)}"
    return f"{capital(needs)} {'are' if len(told) > 1 else 'is'} compared among {best}."


def blend_note(picks: Iterable[Pick]) -> str:
    """What a blended price is made of, where one is told."""
    basis = next((pick.prices for pick in picks if pick.prices and pick.leaders), None)
    if basis is None:
        return ""
    parts = f"{plain_weight(basis.input_parts)} parts input to {plain_weight(basis.output_parts)} output"
    return f"A blended price is {parts}, in USD per 1M tokens."


def hybrid_sentence(picks: Iterable[Pick]) -> str:
    """`gpt-5.5 for mathematics; gpt-5.4 xhigh for agents and, tied, coding.` Nothing where only one need has a pick."""
    picks, told = [pick for pick in picks if pick.leaders], []
    for part in hybrid(picks) if len(picks) > 1 else ():
        picked, tied = ([title.lower() for title in titles] for titles in (part.picked, part.tied))
        alike = f"{'and, ' if picked else ''}tied{', ' if picked else ' '}{'' if picked else 'for '}{listed(tied)}"
        told.append(f"{full(part.name)} {f'for {listed(picked)}' if picked else ''} {alike if tied else ''}")
    return f"{'; '.join(' '.join(part.split()) for part in told)}." if told else ""


# The whole answer


def reasons(pick: Pick) -> list[str]:
    """Why this pick, sentence by sentence, with every figure that it rests on."""
    if pick.outcome == "none":
        return [capital(f"{why_none(pick)}.")]
    lead = [_tie(pick), _first_apart(pick), cheapest(pick)] if pick.outcome == "tie" else [_lead(pick)]
    parts = [in_and_out(pick), _made_of(pick), _among(pick), _within_limits(pick), *map(_doubts, pick.criteria)]
    return [sentence for sentence in (*lead, *parts, changed(pick)) if sentence]


def _lead(pick: Pick) -> str:
    first, other = pick.leaders[0], next(iter(pick.others), None)
    if other is None or pick.gap is None:
        return f"{_has(first, value(first.value, _unit(pick)), pick)} {_at(pick)}; no other model is ranked."
    mine, theirs = _both(pick, first, other)
    unpublished = "" if _unit(pick) in (MONEY, _PLACES) else "; no uncertainty is published"
    rule = f", which is beyond {doubt(pick)}" if doubt(pick) else unpublished
    return f"{_has(first, mine, pick)} {_at(pick)}, {_ahead(pick.gap, pick)} {full(other.name)} with {theirs}{rule}."


def _has(choice: Choice, said: str, pick: Pick) -> str:
    """The subject and the verb of a figure."""
    if _unit(pick) != MONEY:
        return f"{full(choice.name)} {'stands at' if pick.method == 'places' else 'has'} {said}"
    return f"{full(choice.name)} {'is free' if not choice.value else f'costs {said} blended'}"


def _ahead(far: Decimal, pick: Pick) -> str:
    unit = _unit(pick)
    if unit == MONEY:
        return f"{money(far)} less than"
    if unit == "tokens":
        return f"{tokens(far)} more than"
    if unit == _PLACES:
        return f"{gap(far, 'points')} ahead of"
    is_score = pick.criteria[0].higher_is_better or unit in ("%", "points", "rating")
    return f"{gap(far, unit)} {'ahead of' if is_score else 'less than'}"


def _first_apart(pick: Pick) -> str:
    """Who is the best of those that are told apart from the tie's first."""
    if not pick.others:
        return ""
    first, other = pick.leaders[0], pick.others[0]
    return (
        f"{full(other.name)}, {_both(pick, first, other)[1]}, is the best that is told apart from {full(first.name)}."
    )


def _made_of(pick: Pick) -> str:
    """Of an answer to several needs, what the first model has in each, and the rule."""
    if pick.method == "figure":
        return ""
    first = pick.leaders[0]
    parts = [
        f"{value(figure.value, criterion.unit)} {_where(criterion)} (weight {plain_weight(criterion.weight)})"
        for criterion, figure in zip(pick.criteria, first.figures, strict=True)
    ]
    lacking = pick.left_out.incomplete
    lack = f"{capital(several(lacking, 'model'))} without every figure {'is' if lacking == 1 else 'are'} not ranked."
    rule = (
        "Each model stands by its best rows. A place runs from 100, where no model is better beyond uncertainty, to 0, "
        "where all others are; figures of two sources are never compared."
    )
    whole = f"{full(first.name)} has {listed(parts)}."
    return _told([whole, lack if lacking else "", rule if pick.method == "places" else ""])


def plain_weight(weight: Decimal) -> str:
    return f"{weight.normalize():f}"


def _among(pick: Pick) -> str:
    group = pick.group
    if group is None:
        return ""
    first = pick.leaders[0]
    own = (
        first.overall
        and f"{full(first.name)} is #{first.overall.rank} there with {value(first.overall.value, group.unit)}."
    )
    best = f"{counted(group.models)} models that could be among the {counted(group.most)} best on {measured_on(group)}"
    return _told([f"Compared are the {best}.", own or ""])


def _within_limits(pick: Pick) -> str:
    said = limits(pick)
    if not said:
        return ""
    left = _left_out(pick)
    has = "has" if pick.ranked == 1 else "have"
    return f"{capital(several(pick.ranked, 'model'))} {has} {said}{f'; left out: {left}' if left else ''}."


def limits(pick: Pick) -> str:
    """The limits in words; the list that the prices are from is named."""
    source = f" in {shown(pick.prices.title)}" if pick.prices else ""
    said = [
        "open weights" if pick.open_weights else "",
        f"a blended price of at most {money(pick.max_price)}{source}" if pick.max_price is not None else "",
        f"a context of at least {tokens(Decimal(pick.min_context))} tokens" if pick.min_context is not None else "",
    ]
    return listed([part for part in said if part])


def _left_out(pick: Pick) -> str:
    left = pick.left_out
    counts = [
        (left.closed, "with closed weights"),
        (left.weights_unknown, "of whose weights nothing is known"),
        (left.dearer, "that cost more"),
        (left.price_unknown, "whose price is not known"),
        (left.shorter, "with a smaller context"),
        (left.context_unknown, "whose context is not known"),
    ]
    return listed([f"{counted(count)} {words}" for count, words in counts if count])


def _doubts(criterion: Criterion) -> str:
    """What a reader should know of the figures' age and origin."""
    stale = f"{shown(criterion.source_title)} is stale: its figures are of {day(criterion.current.on, year=True)}."
    reported = f"The makers of the models report the figures of {measured_on(criterion)} themselves."
    return " ".join(part for part, told in ((stale, criterion.stale), (reported, criterion.self_reported)) if told)


def receipts(pick: Pick) -> list[str]:
    """For the figures of the first model: the rows' own names, the days of the captures and their hashes."""
    if not pick.leaders:
        return []
    first = pick.leaders[0]
    rows = [(one.source_title, one.current, raw) for one, raw in zip(pick.criteria, first.raws, strict=True)]
    if pick.prices and first.price_raw:
        rows.append((pick.prices.title, pick.prices.current, first.price_raw))
    if pick.group and first.overall:
        rows.append((pick.group.source_title, pick.group.current, first.name.raw))
    return [f"{_capture(title, proof)}; row {shown(raw, 80)}" for title, proof, raw in dict.fromkeys(rows)]


def section_receipts(picks: Iterable[Pick]) -> list[str]:
    """The captures that a section's figures are from, each once, with the rows of its picks: one line a capture."""
    rows: dict[tuple[str, Proof], list[str]] = {}
    for pick in (pick for pick in picks if pick.leaders):
        for one, raw in zip(pick.criteria, pick.leaders[0].raws, strict=True):
            rows.setdefault((one.source_title, one.current), []).append(shown(raw))
        told = pick.leaders[0].price_raw if cheapest(pick) or in_and_out(pick) else None
        if pick.prices and told:
            rows.setdefault((pick.prices.title, pick.prices.current), []).append(shown(told))
    once = {captured: list(dict.fromkeys(raws)) for captured, raws in rows.items()}
    return [
        f"Receipt: {_capture(*captured)}; {'row' if len(raws) == 1 else 'rows'} {listed(raws)}"
        for captured, raws in once.items()
    ]


def _capture(title: str, proof: Proof) -> str:
    return f"{shown(title)}, {day(proof.on, year=True)}, sha256 {proof.sha256[:8]}"
