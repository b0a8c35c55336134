"""Compared -> the phrases of a side by side: who is ahead on one benchmark, by which figures, or why it is a tie."""

from collections.abc import Sequence

from digest.edition.compared import figures, measure
from digest.edition.numbers import gap, listed, shown
from digest.edition.versus_facts import Compared, Matchup
from digest.language import ENGLISH, _, pgettext, spoken


def category_words(title: str) -> str:
    """A category's title inside a sentence: `Multimodal & grounded` -> `multimodal and grounded`; `IF` stays. Only
    English writes it small."""
    name = shown(title).replace("_", " ")
    if spoken() != ENGLISH:
        return name
    words = name.replace(" & ", " and ").split()
    return " ".join(word if word[1:] != word[1:].lower() else word.lower() for word in words)


def where_words(matchup: Matchup) -> str:
    """`overall on LiveBench`; `on Aider polyglot (pass rate 2)` where the lead sums nothing up."""
    source = shown(matchup.title)
    if matchup.overall or matchup.lead is None:
        return pgettext("where a model is ahead", "overall on %(source)s", source=source)
    benchmark = measure(matchup.lead)
    return pgettext("where a model is ahead", "on %(source)s (%(benchmark)s)", source=source, benchmark=benchmark)


def _and_lower(figures_: str, compared: Compared) -> str:
    """The figures, and that the lower one is better where it is."""
    return figures_ if compared.higher_is_better else _("%(figures)s (lower is better)", figures=figures_)


def by_words(compared: Compared, names: Sequence[str], *, whole: bool = False) -> str:
    """The figures of a benchmark that has a winner: `87 to 62`, of three `78.6, before C with 67.8 and B with 65.8`."""
    texts = figures(compared, whole=whole)
    first, *rest = compared.order
    if len(names) == 2:
        return _and_lower(_against(texts[first], texts[rest[0]]), compared)
    others = listed([_("%(name)s with %(figure)s", name=names[place], figure=texts[place]) for place in rest])
    return _and_lower(_("%(first)s, before %(others)s", first=texts[first], others=others), compared)


def margin_words(compared: Compared) -> str:
    """The first against the second: `70 to 56.7`, `8.1 to 9.4, lower is better`."""
    texts = figures(compared)
    first, second = (texts[place] for place in compared.order[:2])
    if compared.higher_is_better:
        return _against(first, second)
    return _("%(figures)s, lower is better", figures=_against(first, second))


def _against(first: str | None, second: str | None) -> str:
    return pgettext("one figure against another", "%(first)s to %(second)s", first=first, second=second)


def tied_words(compared: Compared, names: Sequence[str]) -> str:
    """`alpha and beta`, those who tie for first."""
    return listed([names[place] for place in compared.order if _outcome(compared, place) == "tie"])


def tie_words(compared: Compared, names: Sequence[str], *, whole: bool = False) -> str:
    """Why it is a tie, `80.7 and 80.3 are within our margin of 1.0 point`; of three, also who is behind."""
    texts = figures(compared, whole=whole)
    level = [place for place in compared.order if _outcome(compared, place) == "tie"]
    why = _within(compared, [texts[place] or "" for place in level])
    behind = [
        _("%(name)s has %(figure)s", name=names[place], figure=texts[place])
        for place in compared.order
        if place not in level
    ]
    return "; ".join([why, *behind])


def _outcome(compared: Compared, place: int) -> str | None:
    result = compared.results[place]
    return result.outcome if result is not None else None


def _within(compared: Compared, texts: Sequence[str]) -> str:
    """Why figures are a tie: they are equal, or their difference is inside the uncertainty."""
    if len(set(texts)) == 1:
        if len(texts) == 2:
            return _("both have %(figure)s", figure=texts[0])
        return _("all have %(figure)s", figure=texts[0])
    pair = listed(list(texts))
    if compared.uncertainty == "margin":
        margin = gap(compared.needed, compared.unit)
        return _("%(figures)s are within our margin of %(margin)s", figures=pair, margin=margin)
    if compared.uncertainty == "interval":
        return _("the published intervals of %(figures)s overlap", figures=pair)
    return _("%(figures)s are within their margin of error", figures=pair)


def answer_words(compared: Compared, names: Sequence[str], *, whole: bool = False) -> str:
    """Which one is ahead, `alpha, 87 to 62.`, or that none is: `Neither: both have 52.`"""
    if compared.winner is not None:
        return f"{names[compared.winner]}, {by_words(compared, names, whole=whole)}."
    why = tie_words(compared, names, whole=whole)
    if len(names) == 2:
        return _("Neither: %(why)s.", why=why)
    return _("%(names)s tie for first: %(why)s.", names=tied_words(compared, names), why=why)


def separation_words(separator: Compared | None, names: Sequence[str]) -> str:
    """`SWE-bench Pro separates them most: 85 for alpha, 42 for beta.`"""
    if separator is None:
        return _("No single benchmark separates them beyond uncertainty.")
    texts, (first, *_rest, last) = figures(separator), separator.order
    ends = _(
        "%(best)s for %(name)s, %(last)s for %(other)s",
        best=texts[first],
        name=names[first],
        last=texts[last],
        other=names[last],
    )
    ends = _and_lower(ends, separator)
    return _("%(benchmark)s separates them most: %(figures)s.", benchmark=measure(separator), figures=ends)
