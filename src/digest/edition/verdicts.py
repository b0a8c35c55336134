"""Versus -> sentences: a verdict of one to three, and questions with their answers, all made of the figures.

Nothing is said to be ahead that is not ahead beyond uncertainty; how strong a word is follows from the thresholds that
are among the facts.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from digest.edition.compared import benchmarks_of, called, figures, lead_of, measure, receipt
from digest.edition.content import Compared, Disagreement, Grouped, Matchup, Versus
from digest.edition.numbers import NOT_KNOWN, capital, day, full, gap, listed, several, shown
from digest.edition.terms import context_answer, context_reason, price_answer, price_reason, speeds
from digest.edition.wording import both_figures, disputed, said_by

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
        measured = "both" if len(names) == 2 else "two of them"
        first = f"No source we carry measured {measured}, so their scores cannot be compared."
        told = [first]
    else:
        main = versus.matchups[0]
        told = [_standing(main, names, versus.clear_lead), _otherwise(versus, names), _strengths(main, names)]
    told += [price_reason(versus, names), context_reason(versus, names), _weights_reason(versus, names)]
    return tuple(sentence for sentence in told if sentence)[:_MOST]


def sides(versus: Versus) -> str:
    """Which model stands on which side of the compact section, by its full name, and on whose figures."""
    left, right = (full(contender.name) for contender in versus.contenders[:2])
    source = f"From {shown(versus.matchups[0].title)}. " if versus.matchups else ""
    return f"{source}Left: {left}. Right: {right}."


def questions(versus: Versus) -> tuple[Answer, ...]:
    """What a reader would ask, answered from the figures, in the order of the page."""
    names = called(versus)
    asked: list[Answer] = []
    for matchup in versus.matchups[:1]:
        where = "overall" if matchup.overall else _where(matchup)
        asked.append(Answer(f"{_which(names)} {where}, {_either(names)}?", _overall(matchup, names)))
        asked += [
            Answer(f"{_which(names)} for {spoken(group.title)} tasks, {_either(names)}?", _category(group, names))
            for group in matchup.categories
        ]
    two = len(names) == 2
    asked.append(Answer(f"Which costs {'less' if two else 'least'}?", price_answer(versus, names)))
    size = "larger" if two else "largest"
    asked.append(Answer(f"Which has the {size} context window?", context_answer(versus, names)))
    if speeds(versus):
        asked.append(Answer(f"Which is {'faster' if two else 'fastest'}?", _speed_answer(versus, names)))
    asked += _nature(versus, names)
    if len(versus.matchups) > 1 or versus.disagreements:
        asked.append(Answer("Do the sources agree?", _agreement(versus, names)))
    return tuple(asked)


def _which(names: Sequence[str]) -> str:
    return "Which is better" if len(names) == 2 else "Which is best"


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def spoken(title: str) -> str:
    """A category's title inside a sentence: `Multimodal & grounded` -> `multimodal and grounded`; `IF` stays."""
    words = shown(title).replace("_", " ").replace(" & ", " and ").split()
    return " ".join(word if word[1:] != word[1:].lower() else word.lower() for word in words)


# Who is ahead


def _where(matchup: Matchup) -> str:
    """`overall on LiveBench`; `on Aider polyglot (pass rate 2)` where the lead sums nothing up."""
    source = shown(matchup.title)
    if matchup.overall or matchup.lead is None:
        return f"overall on {source}"
    return f"on {source} ({measure(matchup.lead)})"


def _standing(matchup: Matchup, names: Sequence[str], clear: Decimal) -> str:
    """The first sentence: ahead, clearly ahead, tied, or not comparable, on the benchmark that ranks the source."""
    lead, where = matchup.lead, _where(matchup)
    if lead is None:
        return _not_ranked(matchup, names)
    if lead.winner is None:
        who = "the two tie: " if len(names) == 2 else ""
        return f"{capital(where)}, {who}{_tie(lead, names, whole=matchup.overall)}."
    ahead = "is clearly ahead" if _is_clear(lead, clear) else "is ahead"
    unsure = "; how uncertain that is, the source does not say" if lead.uncertainty == "none" else ""
    by = _score_line(lead, names, whole=matchup.overall)
    return f"{names[lead.winner]} {ahead} {where}, {by}{_lower(lead)}{unsure}."


def _not_ranked(matchup: Matchup, names: Sequence[str]) -> str:
    missing = [
        name for name, entrant in zip(names, matchup.entrants, strict=True) if entrant is None or entrant.rank is None
    ]
    has = listed(missing) or "any of them"
    return f"{shown(matchup.title)} has no overall figure for {has}, so there is no overall comparison."


def _is_clear(compared: Compared, times: Decimal) -> bool:
    """Whether a lead is several times what it takes to be one; never where the uncertainty is not known."""
    return bool(compared.needed) and lead_of(compared) >= times * compared.needed


def _lower(compared: Compared) -> str:
    return "" if compared.higher_is_better else " (lower is better)"


def _score_line(compared: Compared, names: Sequence[str], *, whole: bool = False) -> str:
    """The figures of a benchmark that has a winner: `87 to 62`, of three `78.6, before C with 67.8 and B with 65.8`."""
    texts = figures(compared, whole=whole)
    first, *rest = compared.order
    if len(names) == 2:
        return f"{texts[first]} to {texts[rest[0]]}"
    return f"{texts[first]}, before {listed([f'{names[place]} with {texts[place]}' for place in rest])}"


def _tie(compared: Compared, names: Sequence[str], *, whole: bool = False) -> str:
    """`80.7 and 80.3 are within our margin of 1.0 point`; of three, who ties, why, and who is behind."""
    texts = figures(compared, whole=whole)
    level = [place for place in compared.order if _outcome(compared, place) == "tie"]
    why = _within(compared, [texts[place] or "" for place in level])
    if len(names) == 2:
        return why
    behind = [f"{names[place]} has {texts[place]}" for place in compared.order if place not in level]
    return "; ".join([f"{listed([names[place] for place in level])} tie for first: {why}", *behind])


def _outcome(compared: Compared, place: int) -> str | None:
    result = compared.results[place]
    return result.outcome if result is not None else None


def _within(compared: Compared, texts: Sequence[str]) -> str:
    """Why figures are a tie: they are equal, or their difference is inside the uncertainty."""
    if len(set(texts)) == 1:
        return f"{'both' if len(texts) == 2 else 'all'} have {texts[0]}"
    pair = listed(list(texts))
    if compared.uncertainty == "margin":
        return f"{pair} are within our margin of {gap(compared.needed, compared.unit)}"
    if compared.uncertainty == "interval":
        return f"the published intervals of {pair} overlap"
    return f"{pair} are within their margin of error"


def _otherwise(versus: Versus, names: Sequence[str]) -> str:
    """The first other source on which another model is ahead; of a tie, the first on which one is."""
    main = versus.matchups[0].lead
    for matchup in versus.matchups[1:]:
        lead = matchup.lead
        if main is None or lead is None or lead.winner is None or lead.winner == main.winner:
            continue
        if main.winner is None or lead.results[main.winner] is not None:  # a model that was not there lost nothing
            where = f"On {shown(matchup.title)} of {day(matchup.current.on, year=True)}"
            turned = " it is the other way round:" if main.winner is not None and len(names) == 2 else ","
            return f"{where}{turned} {names[lead.winner]} is ahead, {_score_line(lead, names)}{_lower(lead)}."
    return ""


# Where each is strong


def _strengths(matchup: Matchup, names: Sequence[str]) -> str:
    """What to pick which model for. Of one that is ahead overall nothing is said: the others' strengths are."""
    winner = matchup.lead.winner if matchup.lead else None
    told = {place: _strength(matchup, place, names) for place in range(len(names)) if place != winner}
    strong = {names[place]: strength for place, strength in told.items() if strength}
    if strong and _in_categories(matchup):
        return f"Pick {'; '.join(f'{name} for {strength}' for name, strength in strong.items())}."
    if strong:
        return f"{'; '.join(f'{name} is ahead on {strength}' for name, strength in strong.items())}."
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
    among = several(count, "category" if grouped else "benchmark", words=True)
    return f"{names[place]} is ahead {'in' if grouped else 'on'} none of {among}."


def _strength(matchup: Matchup, place: int, names: Sequence[str]) -> str:
    """The categories, or where there are none the benchmarks, on which a contender is furthest ahead of all others."""
    groups = [(spoken(group.title), group.whole) for group in matchup.categories if group.whole]
    own = matchup.lead.benchmark if matchup.lead else ""
    every = groups or [(measure(one), one) for one in benchmarks_of(matchup) if one.scored and one.benchmark != own]
    won = [pair for pair in every if pair[1].winner == place]
    best = sorted(won, key=lambda pair: lead_of(pair[1]), reverse=True)[: _STRENGTHS if len(names) == 2 else 1]
    labels = [f"{label}{' tasks' if groups and one is best[-1][1] else ''} ({_margin(one)})" for label, one in best]
    return listed(labels)


def _margin(compared: Compared) -> str:
    """The first against the second: `70 to 56.7`, `8.1 to 9.4, lower is better`."""
    texts = figures(compared)
    first, second = compared.order[:2]
    return f"{texts[first]} to {texts[second]}{'' if compared.higher_is_better else ', lower is better'}"


# Answers


def _overall(matchup: Matchup, names: Sequence[str]) -> str:
    lead = matchup.lead
    if lead is None:
        return _not_ranked(matchup, names)
    told = [_answer(lead, names, whole=matchup.overall)]
    if matchup.separator is None or matchup.separator.benchmark != lead.benchmark:
        told.append(_separation(matchup.separator, names))
    if lead.self_reported:
        told.append("The makers report these figures themselves.")
    return " ".join(told)


def _category(group: Grouped, names: Sequence[str]) -> str:
    separator = next((one for one in group.benchmarks if one.benchmark == group.separator), None)
    most = _separation(separator, names)
    if group.whole is None:
        return f"Not told: the category's figure is incomplete. {most}".strip()
    return f"{_answer(group.whole, names)} {most}".strip()


def _answer(compared: Compared, names: Sequence[str], *, whole: bool = False) -> str:
    if compared.winner is None:
        return f"{'Neither: ' if len(names) == 2 else ''}{_tie(compared, names, whole=whole)}."
    return f"{names[compared.winner]}, {_score_line(compared, names, whole=whole)}{_lower(compared)}."


def _separation(separator: Compared | None, names: Sequence[str]) -> str:
    """`SWE-bench Pro separates them most, 85 to 42`, with who is ahead there."""
    if separator is None:
        return "No single benchmark separates them beyond uncertainty."
    texts, (first, *_rest, last) = figures(separator), separator.order
    figures_ = f"{texts[first]} for {names[first]}, {texts[last]} for {names[last]}"
    return f"{measure(separator)} separates them most: {figures_}{_lower(separator)}."


# What the models are


def _weights_reason(versus: Versus, names: Sequence[str]) -> str:
    """Open weights decide for somebody where one has them and the other has not."""
    if {one.open_weights for one in versus.contenders} != {True, False} or len(names) != 2:
        return ""
    place = next(place for place, one in enumerate(versus.contenders) if one.open_weights)
    return f"Only {names[place]} has open weights, so only it can run on machines of your own."


def _speed_answer(versus: Versus, names: Sequence[str]) -> str:
    return " ".join(
        f"By {measure(compared)} ({receipt(matchup.title, matchup.current)}): {_answer(compared, names)}"
        for matchup, compared in speeds(versus)
    )


def _nature(versus: Versus, names: Sequence[str]) -> list[Answer]:
    """What the catalogue knows of them; nothing where it knows nothing."""
    weights = [one.open_weights for one in versus.contenders]
    reasoning = [one.reasoning for one in versus.contenders]
    open_ = [{True: "yes", False: "no", None: None}[it] for it in weights]
    told = []
    if any(open_):
        told.append(Answer("Are the weights open?", _yes_and_no(names, open_)))
    if any(reasoning):
        slower = " Reasoning takes more time and more tokens." if {"yes", "no"} <= set(reasoning) else ""
        told.append(Answer("Do they reason before they answer?", _yes_and_no(names, reasoning) + slower))
    return told


_YES_AND_NO = {"yes": "yes", "no": "no", "hybrid": "on request", None: NOT_KNOWN}


def _yes_and_no(names: Sequence[str], facts: Sequence[str | None]) -> str:
    """`Yes, both.`, `No, none of them.`, or `kimi-k2.6: yes; gpt-5.5: no.`"""
    if set(facts) == {"yes"}:
        return f"Yes, {'both' if len(names) == 2 else 'all of them'}."
    if set(facts) == {"no"}:
        return f"No, {'neither' if len(names) == 2 else 'none of them'}."
    return f"{'; '.join(f'{name}: {_YES_AND_NO[fact]}' for name, fact in zip(names, facts, strict=True))}."


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
    return " ".join(told) or "None of them ranks both, and no figure is disputed."


def _short(lead: Compared, names: Sequence[str]) -> str:
    return "a tie" if lead.winner is None else f"{names[lead.winner]} is ahead, {_margin(lead)}"


def _disputed(name: str, about: Sequence[Disagreement]) -> str:
    """`Not on B: BrowseComp is 78.6 (one, Thu 12 Mar) or 62.0 (other, Thu 12 Mar); two more figures differ.`"""
    told = []
    for it in about[:_DISPUTES]:
        pairs = zip(both_figures(it), it.said, strict=True)
        told.append(f"{disputed(it)} is {' or '.join(f'{figure} ({said_by(said)})' for figure, said in pairs)}")
    rest = len(about) - len(told)
    if rest:
        told.append(f"{several(rest, 'more figure', words=True)} {'differs' if rest == 1 else 'differ'}")
    return f"Not on {name}: {'; '.join(told)}."
