"""Versus -> sentences: a verdict of one to three, and questions with their answers, all made of the figures.

Nothing is said to be ahead that is not ahead beyond uncertainty; how strong a word is follows from the thresholds that
are among the facts.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from digest.edition.compared import benchmarks_of, called, either, lead_of, measure, receipt
from digest.edition.facts import Disagreement
from digest.edition.lead_words import (
    answer_words,
    by_words,
    category_words,
    margin_words,
    separation_words,
    tie_words,
    tied_words,
    where_words,
)
from digest.edition.numbers import capital, day, full, in_words, listed, shown
from digest.edition.source_words import both_figures, disputed, said_by
from digest.edition.terms import (
    context_answer,
    context_reason,
    price_answer,
    price_reason,
    speeds,
    yes_if,
    yes_or_no,
)
from digest.edition.versus_facts import Compared, Grouped, Matchup, Versus
from digest.language import _, ngettext, pgettext

_MOST = 3  # sentences of a verdict
_STRENGTHS = 2  # that are named of one of two models
_DISPUTES = 3  # facts that are told of one model


class Answer(NamedTuple):
    question: str
    answer: str


def verdict(versus: Versus) -> tuple[str, ...]:
    """One to three sentences: who is ahead on the first source, where the other is strong, what else decides."""
    names = called(versus)
    if not versus.matchups:
        told = [_not_compared(names)]
    else:
        main = versus.matchups[0]
        told = [_standing(main, names, versus.clear_lead), _otherwise(versus, names), _strengths(main, names)]
    told += [price_reason(versus, names), context_reason(versus, names), _weights_reason(versus, names)]
    return tuple(sentence for sentence in told if sentence)[:_MOST]


def _not_compared(names: Sequence[str]) -> str:
    if len(names) == 2:
        return _("No source we carry measured both, so their scores cannot be compared.")
    return _("No source we carry measured two of them, so their scores cannot be compared.")


def sides(versus: Versus) -> str:
    """Which model stands on which side of the compact section, by its full name, and on whose figures."""
    left, right = (full(contender.name) for contender in versus.contenders[:2])
    if not versus.matchups:
        return _("Left: %(left)s. Right: %(right)s.", left=left, right=right)
    source = shown(versus.matchups[0].title)
    return _("From %(source)s. Left: %(left)s. Right: %(right)s.", source=source, left=left, right=right)


def questions(versus: Versus) -> tuple[Answer, ...]:
    """What a reader would ask, answered from the figures, in the order of the page."""
    names = called(versus)
    two = len(names) == 2
    asked: list[Answer] = []
    for matchup in versus.matchups[:1]:
        asked.append(Answer(_which_on(matchup, names), _overall(matchup, names)))
        asked += [Answer(_which_for(group, names), _category(group, names)) for group in matchup.categories]
    cheaper = _("Which costs less?") if two else _("Which costs least?")
    asked.append(Answer(cheaper, price_answer(versus, names)))
    larger = _("Which has the larger context window?") if two else _("Which has the largest context window?")
    asked.append(Answer(larger, context_answer(versus, names)))
    if speeds(versus):
        asked.append(Answer(_("Which is faster?") if two else _("Which is fastest?"), _speed_answer(versus, names)))
    asked += _nature(versus, names)
    if len(versus.matchups) > 1 or versus.disagreements:
        asked.append(Answer(_("Do the sources agree?"), _agreement(versus, names)))
    return tuple(asked)


def _which_on(matchup: Matchup, names: Sequence[str]) -> str:
    two, models = len(names) == 2, either(names)
    if matchup.overall and two:
        return _("Which is better overall, %(models)s?", models=models)
    if matchup.overall:
        return _("Which is best overall, %(models)s?", models=models)
    if two:
        return _("Which is better %(where)s, %(models)s?", where=where_words(matchup), models=models)
    return _("Which is best %(where)s, %(models)s?", where=where_words(matchup), models=models)


def _which_for(group: Grouped, names: Sequence[str]) -> str:
    category, models = category_words(group.title), either(names)
    if len(names) == 2:
        return _("Which is better for %(category)s tasks, %(models)s?", category=category, models=models)
    return _("Which is best for %(category)s tasks, %(models)s?", category=category, models=models)


# Who is ahead


def _standing(matchup: Matchup, names: Sequence[str], clear: Decimal) -> str:
    """The first sentence: ahead, clearly ahead, tied, or not comparable, on the benchmark that ranks the source."""
    lead, where = matchup.lead, where_words(matchup)
    if lead is None:
        return _not_ranked(matchup, names)
    if lead.winner is None:
        return _level(lead, capital(where), names, whole=matchup.overall)
    who, by = names[lead.winner], by_words(lead, names, whole=matchup.overall)
    if _is_clear(lead, clear):
        return _("%(name)s is clearly ahead %(where)s, %(figures)s.", name=who, where=where, figures=by)
    if lead.uncertainty == "none":
        return _(
            "%(name)s is ahead %(where)s, %(figures)s; how uncertain that is, the source does not say.",
            name=who,
            where=where,
            figures=by,
        )
    return _("%(name)s is ahead %(where)s, %(figures)s.", name=who, where=where, figures=by)


def _level(lead: Compared, where: str, names: Sequence[str], *, whole: bool) -> str:
    """That they tie, or which of several do; `where` begins the sentence."""
    why = tie_words(lead, names, whole=whole)
    if len(names) == 2:
        return _("%(where)s, the two tie: %(why)s.", where=where, why=why)
    return _("%(where)s, %(names)s tie for first: %(why)s.", where=where, names=tied_words(lead, names), why=why)


def _not_ranked(matchup: Matchup, names: Sequence[str]) -> str:
    source = shown(matchup.title)
    missing = [
        name for name, entrant in zip(names, matchup.entrants, strict=True) if entrant is None or entrant.rank is None
    ]
    if not missing:
        return _("%(source)s has no overall figure for any of them, so there is no overall comparison.", source=source)
    return _(
        "%(source)s has no overall figure for %(names)s, so there is no overall comparison.",
        source=source,
        names=listed(missing),
    )


def _is_clear(compared: Compared, times: Decimal) -> bool:
    """Whether a lead is several times what it takes to be one; never where the uncertainty is not known."""
    return bool(compared.needed) and lead_of(compared) >= times * compared.needed


def _otherwise(versus: Versus, names: Sequence[str]) -> str:
    """The first other source on which another model is ahead; of a tie, the first on which one is."""
    main = versus.matchups[0].lead
    for matchup in versus.matchups[1:]:
        lead = matchup.lead
        if main is None or lead is None or lead.winner is None or lead.winner == main.winner:
            continue
        if main.winner is None or lead.results[main.winner] is not None:  # a model that was not there lost nothing
            return _elsewhere(matchup, lead, names, turned=main.winner is not None and len(names) == 2)
    return ""


def _elsewhere(matchup: Matchup, lead: Compared, names: Sequence[str], *, turned: bool) -> str:
    source, on = shown(matchup.title), day(matchup.current.on, year=True)
    who, by = names[lead.order[0]], by_words(lead, names)
    if turned:
        return _(
            "On %(source)s of %(day)s it is the other way round: %(name)s is ahead, %(figures)s.",
            source=source,
            day=on,
            name=who,
            figures=by,
        )
    return _("On %(source)s of %(day)s, %(name)s is ahead, %(figures)s.", source=source, day=on, name=who, figures=by)


# Where each is strong


def _strengths(matchup: Matchup, names: Sequence[str]) -> str:
    """What to pick which model for. Of one that is ahead overall nothing is said: the others' strengths are."""
    winner = matchup.lead.winner if matchup.lead else None
    told = {place: _strength(matchup, place, names) for place in range(len(names)) if place != winner}
    strong = {names[place]: strength for place, strength in told.items() if strength}
    if strong and _in_categories(matchup):
        picks = [_("%(name)s for %(strength)s", name=name, strength=strength) for name, strength in strong.items()]
        return _("Pick %(picks)s.", picks="; ".join(picks))
    if strong:
        ahead = [
            _("%(name)s is ahead on %(strength)s", name=name, strength=strength) for name, strength in strong.items()
        ]
        return f"{'; '.join(ahead)}."
    if winner is None or len(names) > 2:
        return ""
    return _ahead_nowhere(matchup, 1 - winner, names)


def _in_categories(matchup: Matchup) -> bool:
    return any(group.whole for group in matchup.categories)


def _ahead_nowhere(matchup: Matchup, place: int, names: Sequence[str]) -> str:
    """`B is ahead in none of eight categories.` Nothing where too few were compared to say so."""
    grouped = _in_categories(matchup)
    tally = (matchup.groups if grouped else matchup.benchmarks)[place]
    count = tally.wins + tally.ties + tally.losses
    if tally.wins or count < 2:
        return ""
    if grouped:
        return ngettext(
            "%(name)s is ahead in none of %(count)s category.",
            "%(name)s is ahead in none of %(count)s categories.",
            count,
            count=in_words(count),
            name=names[place],
        )
    return ngettext(
        "%(name)s is ahead on none of %(count)s benchmark.",
        "%(name)s is ahead on none of %(count)s benchmarks.",
        count,
        count=in_words(count),
        name=names[place],
    )


def _strength(matchup: Matchup, place: int, names: Sequence[str]) -> str:
    """The categories, or where there are none the benchmarks, on which a contender is furthest ahead of all others."""
    groups = [(category_words(group.title), group.whole) for group in matchup.categories if group.whole]
    own = matchup.lead.benchmark if matchup.lead else ""
    every = groups or [(measure(one), one) for one in benchmarks_of(matchup) if one.scored and one.benchmark != own]
    won = [pair for pair in every if pair[1].winner == place]
    best = sorted(won, key=lambda pair: lead_of(pair[1]), reverse=True)[: _STRENGTHS if len(names) == 2 else 1]
    labels = [f"{label} ({margin_words(one)})" for label, one in best]
    if groups and best:
        label, one = best[-1]
        labels[-1] = _("%(category)s tasks (%(figures)s)", category=label, figures=margin_words(one))
    return listed(labels)


# Answers


def _overall(matchup: Matchup, names: Sequence[str]) -> str:
    lead = matchup.lead
    if lead is None:
        return _not_ranked(matchup, names)
    told = [answer_words(lead, names, whole=matchup.overall)]
    if matchup.separator is None or matchup.separator.benchmark != lead.benchmark:
        told.append(separation_words(matchup.separator, names))
    if lead.self_reported:
        told.append(_("The makers report these figures themselves."))
    return " ".join(told)


def _category(group: Grouped, names: Sequence[str]) -> str:
    separator = next((one for one in group.benchmarks if one.benchmark == group.separator), None)
    most = separation_words(separator, names)
    if group.whole is None:
        incomplete = _("Not told: the category's figure is incomplete.")
        return f"{incomplete} {most}".strip()
    return f"{answer_words(group.whole, names)} {most}".strip()


# What the models are


def _weights_reason(versus: Versus, names: Sequence[str]) -> str:
    """Open weights decide for somebody where one has them and the other has not."""
    if {one.open_weights for one in versus.contenders} != {True, False} or len(names) != 2:
        return ""
    place = next(place for place, one in enumerate(versus.contenders) if one.open_weights)
    return _("Only %(name)s has open weights, so only it can run on machines of your own.", name=names[place])


def _speed_answer(versus: Versus, names: Sequence[str]) -> str:
    return " ".join(
        _(
            "By %(benchmark)s (%(receipt)s): %(answer)s",
            benchmark=measure(compared),
            receipt=receipt(matchup.title, matchup.current),
            answer=answer_words(compared, names),
        )
        for matchup, compared in speeds(versus)
    )


def _nature(versus: Versus, names: Sequence[str]) -> list[Answer]:
    """What the catalogue knows of them; nothing where it knows nothing."""
    weights = [yes_if(one.open_weights) for one in versus.contenders]
    reasoning = [one.reasoning for one in versus.contenders]
    told = []
    if any(weights):
        told.append(Answer(_("Are the weights open?"), _yes_and_no(names, weights)))
    if any(reasoning):
        slower = [_("Reasoning takes more time and more tokens.")] if {"yes", "no"} <= set(reasoning) else []
        told.append(Answer(_("Do they reason before they answer?"), " ".join([_yes_and_no(names, reasoning), *slower])))
    return told


def _yes_and_no(names: Sequence[str], facts: Sequence[str | None]) -> str:
    """`Yes, both.`, `No, none of them.`, or `kimi-k2.6: yes; gpt-5.5: no.`"""
    two = len(names) == 2
    if set(facts) == {"yes"}:
        return _("Yes, both.") if two else _("Yes, all of them.")
    if set(facts) == {"no"}:
        return _("No, neither.") if two else _("No, none of them.")
    return f"{'; '.join(f'{name}: {yes_or_no(fact)}' for name, fact in zip(names, facts, strict=True))}."


# Do the sources agree


def _agreement(versus: Versus, names: Sequence[str]) -> str:
    """Who is ahead on each source, and which single facts two sources tell differently."""
    boards = [
        f"{receipt(matchup.title, matchup.current)}: {_short(matchup.lead, names)}"
        for matchup in versus.matchups
        if matchup.lead is not None
    ]
    told = [f"{'; '.join(boards)}."] if len(boards) > 1 else []
    for place, contender in enumerate(versus.contenders):
        about = [it for it in versus.disagreements if it.name.model == contender.name.model]
        if about and contender.name.model not in {one.name.model for one in versus.contenders[:place]}:
            told.append(_disputed(names[place], about))
    return " ".join(told) or _("None of them ranks both, and no figure is disputed.")


def _short(lead: Compared, names: Sequence[str]) -> str:
    if lead.winner is None:
        return pgettext("of two models", "a tie")
    return _("%(name)s is ahead, %(figures)s", name=names[lead.winner], figures=margin_words(lead))


def _disputed(name: str, about: Sequence[Disagreement]) -> str:
    """`Not on B: BrowseComp is 78.6 (one, Thu 12 Mar) or 62.0 (other, Thu 12 Mar); two more figures differ.`"""
    told = [_said_of(it) for it in about[:_DISPUTES]]
    rest = len(about) - len(told)
    if rest:
        told.append(
            ngettext("%(count)s more figure differs", "%(count)s more figures differ", rest, count=in_words(rest))
        )
    return _("Not on %(name)s: %(facts)s.", name=name, facts="; ".join(told))


def _said_of(disagreement: Disagreement) -> str:
    pairs = zip(both_figures(disagreement), disagreement.said, strict=True)
    one, other = (f"{figure} ({said_by(said)})" for figure, said in pairs)
    return _("%(measure)s is %(one)s or %(other)s", measure=disputed(disagreement), one=one, other=other)
