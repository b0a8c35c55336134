"""The figure of a pick in words: what it is, where it is from, and how it stands to the next one, a tie or a lead."""

from decimal import Decimal

from digest.changes.offers import MONEY, SAME_SIZE_PERCENT
from digest.edition.numbers import apart, benchmark_name, capital, full, gap, money, plain, score, shown, tokens
from digest.edition.pick_facts import Choice, Criterion, Group, Pick
from digest.language import _, ngettext, pgettext

PLACES = "points of 100"
LISTED = (MONEY, "tokens")


def value(figure: Decimal | None, unit: str) -> str:
    """A figure as it stands alone: `96.3`, `1440`, `$4.81`, `free`, `1.05M tokens`, `76.6 of 100`."""
    if figure is None:
        return score(None, unit)
    match unit:
        case "tokens":
            return _("%(amount)s tokens", amount=tokens(figure))
        case "USD per 1M tokens":
            return money(figure) if figure else pgettext("of a price", "free")
        case "points of 100":
            return _of_100(plain(figure))
        case _:
            return score(figure, unit)


def _of_100(figure: str) -> str:
    return _("%(figure)s of 100", figure=figure)


def measured_on(criterion: Criterion | Group) -> str:
    """`LiveBench Mathematics`, with a comma where source and benchmark share a word; of a list its name alone."""
    source, benchmark = shown(criterion.source_title), benchmark_name(criterion.benchmark)
    if criterion.unit in LISTED:
        return source
    shared = set(source.lower().split()) & set(benchmark.lower().split())
    return f"{source}{',' if shared else ''} {benchmark}"


def where(criterion: Criterion) -> str:
    """Where a figure is from, as an adverb that may stand anywhere in a sentence: `on Board Coding`, `in Prices`."""
    if criterion.unit in LISTED:
        return pgettext("where a price is from", "in %(list)s", list=measured_on(criterion))
    return pgettext("where a score is from", "on %(board)s", board=measured_on(criterion))


def at(pick: Pick) -> str:
    """Where the value that ranks is from, as an adverb like `where`."""
    if pick.method == "figure":
        return where(pick.criteria[0])
    if pick.method == "places":
        return pgettext("where a score is from", "by its places")
    source = shown(pick.criteria[0].source_title)
    return pgettext("where a score is from", "on average on %(source)s", source=source)


def unit_of(pick: Pick) -> str:
    """The unit of the value that ranks."""
    return PLACES if pick.method == "places" else pick.criteria[0].unit


def both(pick: Pick, one: Choice, other: Choice) -> tuple[str, str]:
    """The two values with as many decimals as it takes to see that they differ."""
    unit = unit_of(pick)
    if unit in LISTED:
        return value(one.value, unit), value(other.value, unit)
    first, second = apart(one.value, other.value, "points" if unit == PLACES else unit)
    return (_of_100(first), second) if unit == PLACES else (first, second)


# How the first stands to the next


def tie(pick: Pick) -> str:
    """`83.6 and 83.2 on LiveBench Coding, within the margin of 1.0 point: a tie.`"""
    first, second, *more = pick.leaders
    if more:
        return _tie_of_many(pick)
    if first.value == second.value:
        return capital(_("%(figure)s %(at)s, both: a tie.", figure=value(first.value, unit_of(pick)), at=at(pick)))
    mine, theirs = both(pick, first, second)
    return _("%(one)s and %(other)s %(at)s, %(why)s: a tie.", one=mine, other=theirs, at=at(pick), why=_alike(pick))


def _alike(pick: Pick) -> str:
    """How two models are tied."""
    match _doubt(pick):
        case "size":
            return _("at most %(share)s%% apart", share=SAME_SIZE_PERCENT)
        case "interval" if pick.method == "figure":
            return _("with intervals that overlap")
        case "interval":
            return _("within the published intervals")
        case "stderr":
            return _("within the 95%% uncertainty")
        case "margin":
            return _("within the margin of %(margin)s", margin=_margin(pick))
    return _("which no need tells apart beyond uncertainty")


def _tie_of_many(pick: Pick) -> str:
    """`o3 has 80.0 on Board Coding; 4 more are within the margin of 1.0 point of it: a tie.`"""
    first = pick.leaders[0]
    has = _has(first, value(first.value, unit_of(pick)), pick)
    return _("%(has)s; %(others)s: a tie.", has=has, others=_others_like_it(pick, len(pick.leaders) - 1))


def _others_like_it(pick: Pick, more: int) -> str:
    """How further models are tied with the first one, a clause of its own."""
    if len({choice.value for choice in pick.leaders}) == 1:
        return ngettext("%(count)s more has the same", "%(count)s more have the same", more)
    match _doubt(pick):
        case "size":
            return ngettext(
                "%(count)s more has at most %(share)s%% less",
                "%(count)s more have at most %(share)s%% less",
                more,
                share=SAME_SIZE_PERCENT,
            )
        case "interval" if pick.method == "figure":
            return ngettext(
                "%(count)s more has an interval that overlaps its own",
                "%(count)s more have intervals that overlap its own",
                more,
            )
        case "interval":
            return ngettext(
                "%(count)s more is within the published intervals of it",
                "%(count)s more are within the published intervals of it",
                more,
            )
        case "stderr":
            return ngettext(
                "%(count)s more is within the 95%% uncertainty of it",
                "%(count)s more are within the 95%% uncertainty of it",
                more,
            )
        case "margin":
            return ngettext(
                "%(count)s more is within the margin of %(margin)s of it",
                "%(count)s more are within the margin of %(margin)s of it",
                more,
                margin=_margin(pick),
            )
    return ngettext("%(count)s more is not told apart from it", "%(count)s more are not told apart from it", more)


def lead(pick: Pick) -> str:
    """By how much the first is ahead, and what that exceeds."""
    first, other = pick.leaders[0], next(iter(pick.others), None)
    if other is None or pick.gap is None:
        return _("%(has)s; no other model is ranked.", has=_has(first, value(first.value, unit_of(pick)), pick))
    mine, theirs = both(pick, first, other)
    ahead = _ahead(_has(first, mine, pick), pick.gap, full(other.name), theirs, pick)
    match _doubt(pick):
        case "size":
            return _(
                "%(ahead)s, which is beyond the %(share)s%% that sizes are rounded by.",
                ahead=ahead,
                share=SAME_SIZE_PERCENT,
            )
        case "interval":
            return _("%(ahead)s, which is beyond the published intervals.", ahead=ahead)
        case "stderr":
            return _("%(ahead)s, which is beyond the 95%% uncertainty.", ahead=ahead)
        case "margin":
            return _("%(ahead)s, which is beyond the margin of %(margin)s.", ahead=ahead, margin=_margin(pick))
    if unit_of(pick) in (MONEY, PLACES):
        return f"{ahead}."
    return _("%(ahead)s; no uncertainty is published.", ahead=ahead)


def _has(choice: Choice, said: str, pick: Pick) -> str:
    """`ada has 80.0 on Board Coding`, a clause of its own."""
    model, place = full(choice.name), at(pick)
    if unit_of(pick) == MONEY:
        if not choice.value:
            return _("%(model)s is free %(at)s", model=model, at=place)
        return _("%(model)s costs %(price)s blended %(at)s", model=model, price=said, at=place)
    if pick.method == "places":
        return _("%(model)s stands at %(figure)s %(at)s", model=model, figure=said, at=place)
    return _("%(model)s has %(figure)s %(at)s", model=model, figure=said, at=place)


def _ahead(has: str, far: Decimal, other: str, figure: str, pick: Pick) -> str:
    """`ada has 80.0 on Board Coding, 2.6 points ahead of bob with 77.4`"""
    unit = unit_of(pick)
    fields = {"has": has, "other": other, "figure": figure}
    if unit == "tokens":
        return _("%(has)s, %(far)s more than %(other)s with %(figure)s", far=tokens(far), **fields)
    is_score = unit in (PLACES, "%", "points", "rating") or pick.criteria[0].higher_is_better
    if unit != MONEY and is_score:
        gap_ = gap(far, "points" if unit == PLACES else unit)
        return _("%(has)s, %(far)s ahead of %(other)s with %(figure)s", far=gap_, **fields)
    less = money(far) if unit == MONEY else gap(far, unit)
    return _("%(has)s, %(far)s less than %(other)s with %(figure)s", far=less, **fields)


def _doubt(pick: Pick) -> str:
    """What a difference has to exceed, in the facts' words, or `size`; `none` where any difference counts."""
    unit = unit_of(pick)
    if unit == "tokens":
        return "size"
    if unit in (MONEY, PLACES) or (pick.uncertainty == "margin" and pick.margin is None):
        return "none"
    return pick.uncertainty


def _margin(pick: Pick) -> str:
    return gap(pick.margin or Decimal(0), unit_of(pick))
