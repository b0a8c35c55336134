"""Picks -> sentences. Made of the facts alone, so a stored edition says the same later."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from digest.changes.offers import MONEY
from digest.edition.facts import Proof
from digest.edition.naming import shown_title, title_in_sentence
from digest.edition.numbers import capital, counted, day, full, listed, money, shown, tokens
from digest.edition.pick_facts import Choice, Criterion, Pick, PickChange, PriceBasis
from digest.edition.pick_figures import at, both, lead, measured_on, tie, unit_of, where
from digest.edition.pick_figures import value as value
from digest.edition.picks import hybrid, identity
from digest.language import _, decimal_symbol, ngettext

_NAMED = 3  # of those that are tied; the rest is counted


def title(pick: Pick) -> str:
    """What was asked for, as a heading says it: `Coding`, or of several needs `Coding, Cost`."""
    return ", ".join(map(shown_title, _titles(pick)))


def _titles(pick: Pick) -> list[str]:
    return [pick.title] if len(pick.needs) < 2 else pick.title.split(", ")


def who(pick: Pick) -> str:
    """The pick, or those that are tied: `gpt-5.5 xhigh`, `o3 and o4-mini`, `a, b, c and 5 more`."""
    return _names(pick.leaders, _NAMED)


def _names(choices: Sequence[Choice], most: int) -> str:
    """Names with their variants, of which each may hold a comma of its own."""
    names, more = [full(choice.name) for choice in choices[:most]], len(choices[most:])
    comma = "; " if any("," in name for name in names) else ", "
    if more:
        names = [comma.join(names)]
    elif len(names) > 1:
        names = [comma.join(names[:-1]), names[-1]]
    return listed(names, more)


# What a mail and a table say of a pick


def note(pick: Pick) -> str:
    """A few short sentences: its figure, where it is from, who is next, what it was before."""
    if pick.outcome == "none":
        return capital(f"{why_none(pick)}.")
    first = [tie(pick), cheapest(pick)] if pick.outcome == "tie" else [_figure_and_next(pick)]
    return _told([*first, in_and_out(pick), *map(_doubts, pick.criteria), changed(pick)])


def _told(sentences: Iterable[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _figure_and_next(pick: Pick) -> str:
    """`73.6, #8 on LiveBench overall; next is kimi-k2.6 thinking, 72.2.` Its rank where others were left out."""
    first, other = pick.leaders[0], next(iter(pick.others), None)
    mine, theirs = both(pick, first, other) if other else (value(first.value, unit_of(pick)), "")
    rank = first.figures[0].rank if pick.method == "figure" and limits(pick) else None
    ranked = _("%(figure)s, #%(rank)s", figure=mine, rank=rank) if rank else mine
    has = f"{ranked} {at(pick)}"
    if other is None or _was_before(other, pick):
        return capital(f"{has}.")
    return capital(_("%(has)s; next is %(model)s, %(figure)s.", has=has, model=full(other.name), figure=theirs))


def _was_before(choice: Choice, pick: Pick) -> bool:
    return pick.change is not None and identity(choice) in {identity(one) for one in pick.change.before}


def cheapest(pick: Pick) -> str:
    """Of those that are tied, which costs least by the list, or nothing where that is not known or not a difference."""
    priced = [choice for choice in pick.leaders if choice.price is not None]
    if len(priced) < 2 or unit_of(pick) == MONEY or pick.prices is None:
        return ""
    lowest = min(choice.price for choice in priced if choice.price is not None)
    least = [choice for choice in priced if choice.price == lowest]
    if len(least) > 1:
        return ""
    model, price = full(least[0].name), money(lowest)
    if len(priced) == len(pick.leaders):
        if not lowest:
            return _("%(model)s is free.", model=model)
        return _("%(model)s costs least, %(price)s blended.", model=model, price=price)
    known = counted(len(priced))
    if not lowest:
        return _("Of the %(known)s with a known price, %(model)s is free.", known=known, model=model)
    return _(
        "Of the %(known)s with a known price, %(model)s costs least, %(price)s blended.",
        known=known,
        model=model,
        price=price,
    )


def in_and_out(pick: Pick) -> str:
    """What the pick asks for input and output, where a price is what was asked for."""
    first = pick.leaders[0]
    if unit_of(pick) != MONEY or not first.price or first.input is None or first.output is None:
        return ""
    asked = {"input": money(first.input), "output": money(first.output)}
    return _("%(model)s asks %(input)s in and %(output)s out.", model=full(first.name), **asked)


def changed(pick: Pick) -> str:
    """`Was gpt-5.4 xhigh, 94.1: gpt-5.5 xhigh is newly listed.`, or nothing."""
    change = pick.change
    if change is None:
        return ""
    old, why = change.before, _why_changed(pick, change)
    if len(old) > 1:
        return _("Was a tie of %(models)s: %(why)s.", models=_names(old, 2), why=why)
    was = value(old[0].value, change.criterion.unit)
    return _("Was %(model)s, %(figure)s: %(why)s.", model=full(old[0].name), figure=was, why=why)


def _why_changed(pick: Pick, change: PickChange) -> str:
    """Why a pick is another one, a clause of its own."""
    model, unit = full(change.by) if change.by else "", change.criterion.unit
    match change.why:
        case "arrived":
            return _("%(model)s is newly listed", model=model)
        case "withdrawn":
            return _("%(model)s is no longer listed", model=model)
        case "rose" | "fell":
            return _moved(model, unit, better=change.why == "rose")
        case "standing":
            most = counted(pick.group.most) if pick.group else ""
            return _("other models could be among the %(most)s best now", most=most)
        case "source":
            return _("%(board)s answered this need before", board=measured_on(change.criterion))
        case "benchmark":
            return _("the benchmark is made up otherwise now")


def _moved(model: str, unit: str, *, better: bool) -> str:
    if unit == MONEY:
        return _("%(model)s is cheaper now", model=model) if better else _("%(model)s is dearer now", model=model)
    if unit == "tokens":
        return _("%(model)s has more now", model=model) if better else _("%(model)s has less now", model=model)
    if better:
        return _("%(model)s did better beyond uncertainty", model=model)
    return _("%(model)s did worse beyond uncertainty", model=model)


def why_none(pick: Pick) -> str:
    """Why nothing is picked, without a full stop."""
    if pick.why_none == "unmeasured":
        return unmeasured([pick]).removesuffix(".")
    if pick.why_none == "nothing_shared":
        asked = ", ".join(map(title_in_sentence, _titles(pick)))
        return _("no model has all the figures that %(need)s needs", need=asked)
    return _("no model is known to have %(limits)s; left out: %(left)s", limits=limits(pick), left=_left_out(pick))


def unmeasured(picks: Iterable[Pick]) -> str:
    """One sentence for all needs that nobody measures, or nothing."""
    titles = [title_in_sentence(missing) for pick in picks for missing in pick.missing]
    if not titles:
        return ""
    *others, last = titles
    named = _("%(all_but_last)s or %(last)s", all_but_last=", ".join(others), last=last) if others else last
    return _("No source here has figures for %(needs)s.", needs=named)


def answered(picks: Iterable[Pick]) -> list[Pick]:
    """The picks that a table lists: not those of needs that nobody measures, which `unmeasured` tells."""
    return [pick for pick in picks if pick.why_none != "unmeasured"]


def section_note(picks: Iterable[Pick]) -> str:
    """What stands under the section's heading."""
    picks = list(picks)
    return _told([_("Each need is answered by one source alone."), group_note(picks), blend_note(picks)])


def group_note(picks: Iterable[Pick]) -> str:
    """Among which models prices, sizes and speeds are compared, where one is told."""
    told = [(title_in_sentence(pick.title), pick.group) for pick in picks if pick.group and pick.leaders]
    if not told:
        return ""
    group = told[0][1]
    return capital(
        ngettext(
            "%(needs)s is compared among the models that could be among the %(most)s best on %(board)s.",
            "%(needs)s are compared among the models that could be among the %(most)s best on %(board)s.",
            len(told),
            needs=listed([need for need, _group in told]),
            most=counted(group.most),
            board=measured_on(group),
        )
    )


def blend_note(picks: Iterable[Pick]) -> str:
    """What a blended price is made of, where one is told."""
    basis = next((pick.prices for pick in picks if pick.prices and pick.leaders), None)
    if basis is None:
        return ""
    parts = {"input": plain_weight(basis.input_parts), "output": plain_weight(basis.output_parts)}
    return _("A blended price is %(input)s parts input to %(output)s output, in USD per 1M tokens.", **parts)


def hybrid_sentence(picks: Iterable[Pick]) -> str:
    """`gpt-5.5 for mathematics; gpt-5.4 xhigh for agents and, tied, coding.` Nothing where only one need has a pick."""
    picks, told = [pick for pick in picks if pick.leaders], []
    for part in hybrid(picks) if len(picks) > 1 else ():
        picked, tied = (listed([*map(title_in_sentence, titles)]) for titles in (part.picked, part.tied))
        if picked and tied:
            told.append(
                _("%(model)s for %(picked)s and, tied, %(tied)s", model=full(part.name), picked=picked, tied=tied)
            )
        elif picked:
            told.append(_("%(model)s for %(needs)s", model=full(part.name), needs=picked))
        else:
            told.append(_("%(model)s tied for %(needs)s", model=full(part.name), needs=tied))
    return f"{'; '.join(told)}." if told else ""


# The whole answer


def reasons(pick: Pick) -> list[str]:
    """Why this pick, sentence by sentence, with every figure that it rests on."""
    if pick.outcome == "none":
        return [capital(f"{why_none(pick)}.")]
    first = [tie(pick), _first_apart(pick), cheapest(pick)] if pick.outcome == "tie" else [lead(pick)]
    parts = [in_and_out(pick), _made_of(pick), _among(pick), _within_limits(pick), *map(_doubts, pick.criteria)]
    return [sentence for sentence in (*first, *parts, changed(pick)) if sentence]


def _first_apart(pick: Pick) -> str:
    """Who is the best of those that are told apart from the tie's first."""
    if not pick.others:
        return ""
    first, other = pick.leaders[0], pick.others[0]
    return _(
        "%(model)s, %(figure)s, is the best that is told apart from %(first)s.",
        model=full(other.name),
        figure=both(pick, first, other)[1],
        first=full(first.name),
    )


def _made_of(pick: Pick) -> str:
    """Of an answer to several needs, what the first model has in each, and the rule."""
    if pick.method == "figure":
        return ""
    first, lacking = pick.leaders[0], pick.left_out.incomplete
    parts = [
        _(
            "%(figure)s %(where)s (weight %(weight)s)",
            figure=value(figure.value, criterion.unit),
            where=where(criterion),
            weight=plain_weight(criterion.weight),
        )
        for criterion, figure in zip(pick.criteria, first.figures, strict=True)
    ]
    lack = ngettext(
        "%(count)s model without every figure is not ranked.",
        "%(count)s models without every figure are not ranked.",
        lacking,
    )
    rule = _(
        "Each model stands by its best rows. A place runs from 100, where no model is better beyond uncertainty, to 0, "
        "where all others are; figures of two sources are never compared."
    )
    whole = _("%(model)s has %(figures)s.", model=full(first.name), figures=listed(parts))
    return _told([whole, lack if lacking else "", rule if pick.method == "places" else ""])


def plain_weight(weight: Decimal) -> str:
    return f"{weight.normalize():f}".replace(".", decimal_symbol())


def _among(pick: Pick) -> str:
    """Of a price, a size or a speed: among which models it is compared, and how good the first one is itself."""
    group = pick.group
    if group is None:
        return ""
    compared = ngettext(
        "Compared are the %(count)s models that could be among the %(most)s best on %(board)s.",
        "Compared are the %(count)s models that could be among the %(most)s best on %(board)s.",
        group.models,
        most=counted(group.most),
        board=measured_on(group),
    )
    own = pick.leaders[0].overall
    if own is None:
        return compared
    model, figure = full(pick.leaders[0].name), value(own.value, group.unit)
    return _told(
        [compared, _("%(model)s is #%(rank)s there with %(figure)s.", model=model, rank=own.rank, figure=figure)]
    )


def _within_limits(pick: Pick) -> str:
    said, left = limits(pick), _left_out(pick)
    if not said:
        return ""
    if not left:
        return ngettext(
            "%(count)s model has %(limits)s.", "%(count)s models have %(limits)s.", pick.ranked, limits=said
        )
    return ngettext(
        "%(count)s model has %(limits)s; left out: %(left)s.",
        "%(count)s models have %(limits)s; left out: %(left)s.",
        pick.ranked,
        limits=said,
        left=left,
    )


def limits(pick: Pick) -> str:
    """The limits in words, as what a model has; the list that the prices are from is named."""
    said = [_("open weights")] if pick.open_weights else []
    if pick.max_price is not None:
        said.append(_most_price(pick.max_price, pick.prices))
    if pick.min_context is not None:
        said.append(_("a context of at least %(size)s tokens", size=tokens(Decimal(pick.min_context))))
    return listed(said)


def _most_price(price: Decimal, prices: PriceBasis | None) -> str:
    if prices is None:
        return _("a blended price of at most %(price)s", price=money(price))
    return _("a blended price of at most %(price)s in %(list)s", price=money(price), list=shown(prices.title))


def _left_out(pick: Pick) -> str:
    """How many models did not meet the limits, by the first one that they did not meet."""
    left, told = pick.left_out, []
    if n := left.closed:
        told.append(ngettext("%(count)s with closed weights", "%(count)s with closed weights", n))
    if n := left.weights_unknown:
        told.append(
            ngettext("%(count)s of whose weights nothing is known", "%(count)s of whose weights nothing is known", n)
        )
    if n := left.dearer:
        told.append(ngettext("%(count)s that cost more", "%(count)s that cost more", n))
    if n := left.price_unknown:
        told.append(ngettext("%(count)s whose price is not known", "%(count)s whose price is not known", n))
    if n := left.shorter:
        told.append(ngettext("%(count)s with a smaller context", "%(count)s with a smaller context", n))
    if n := left.context_unknown:
        told.append(ngettext("%(count)s whose context is not known", "%(count)s whose context is not known", n))
    return listed(told)


def _doubts(criterion: Criterion) -> str:
    """What a reader should know of the figures' age and origin."""
    told = []
    if criterion.stale:
        source, on = shown(criterion.source_title), day(criterion.current.on, year=True)
        told.append(_("%(source)s is stale: its figures are of %(day)s.", source=source, day=on))
    if criterion.self_reported:
        board = measured_on(criterion)
        told.append(_("The makers of the models report the figures of %(board)s themselves.", board=board))
    return _told(told)


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
    return [
        _("%(capture)s; row %(row)s", capture=_capture(source, proof), row=shown(raw, 80))
        for source, proof, raw in dict.fromkeys(rows)
    ]


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
        ngettext(
            "Receipt: %(capture)s; row %(rows)s",
            "Receipt: %(capture)s; rows %(rows)s",
            len(raws),
            capture=_capture(*captured),
            rows=listed(raws),
        )
        for captured, raws in once.items()
    ]


def _capture(source: str, proof: Proof) -> str:
    return f"{shown(source)}, {day(proof.on, year=True)}, sha256 {proof.sha256[:8]}"
