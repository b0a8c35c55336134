"""Which model for which need: a ranked answer with its runner-up, as facts.

weights, limits     what is asked                       (needs.py)
  yardsticks        which source's benchmark answers    (yardsticks.py)
  ranking           the models in order                 (ranked.py)
  limits            price, context, open weights
Pick                the leaders, who comes next, who was left out and why
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from digest.changes.noise import basis
from digest.edition.facts import Figure
from digest.edition.naming import proof_of, shown_name
from digest.edition.needs import Limits
from digest.edition.pick_facts import Assigned, Choice, Criterion, Group, LeftOut, Pick, PriceBasis
from digest.edition.ranked import Ranked, Ranking, ranking
from digest.edition.receipts import figure_id
from digest.edition.yardsticks import (
    Asked,
    Evidence,
    Standing,
    Subject,
    Yardstick,
    lead_of,
    of_lists,
    open_weights,
    overall,
    yardsticks,
)
from digest.errors import UsageError
from digest.scores.catalog import packaged_catalog, resolve
from digest.scores.snapshot import Capture

NO_LIMITS = Limits()
_ONE = Decimal(1)


def picks(evidence: Evidence, limits: Limits = NO_LIMITS, needs: Iterable[str] = ()) -> tuple[Pick, ...]:
    """The pick for each need by itself: of these, or of all in the order of data/needs.toml."""
    return tuple(pick({need: _ONE}, evidence, limits) for need in needs or evidence.needs.needs)


def pick(weights: Mapping[str, Decimal], evidence: Evidence, limits: Limits = NO_LIMITS, *, most: int = 1) -> Pick:
    """The best model for needs by weight, within limits, with the `most` next ones.

    A need that is a condition (open weights) joins the limits; where nothing else is asked, the best model overall
    answers it. A model that lacks a figure is not ranked. Raises UsageError for limits that cannot be meant.
    """
    _refuse_impossible(limits)
    needs = evidence.needs.needs
    conditions = [need for need in weights if needs[need].measure == "open_weights" and not needs[need].benchmarks]
    if conditions:
        limits = limits._replace(open_weights=True)
    asked = [need for need in weights if need not in conditions] or conditions[:1]
    question = {"needs": tuple(weights), "title": ", ".join(needs[need].title for need in weights), **limits._asdict()}
    options = answers(asked, evidence)
    if missing := tuple(needs[need].title for need, found in zip(asked, options, strict=True) if not found):
        return Pick(**question, outcome="none", why_none="unmeasured", missing=missing)
    ranked = ranking([weights[need] for need in asked], options)
    criteria = tuple(
        _criterion(need, weights[need], one, evidence) for need, one in zip(asked, ranked.yardsticks, strict=True)
    )
    return _answer({**question, "criteria": criteria}, ranked, limits, evidence, most)


def _refuse_impossible(limits: Limits) -> None:
    if limits.max_price is not None and not (limits.max_price.is_finite() and limits.max_price >= 0):
        raise UsageError(f"--max-price {limits.max_price} is no price; write USD per 1M tokens, such as 2.50.")
    if limits.min_context is not None and limits.min_context < 1:
        raise UsageError(f"--min-context {limits.min_context} is no size; write a number of tokens, such as 128000.")


def answers(asked: Sequence[str], evidence: Evidence) -> list[list[Yardstick]]:
    """What can answer each need, the preferred one first. Of lists, the one that knows most of the measured models."""
    needs = evidence.needs.needs
    options = [yardsticks(needs[need], evidence) for need in asked]
    boards = [found[0] for found in options if found and not found[0].is_list] or overall(evidence)[:1]
    measured = set[Subject]().union(*(board.rows for board in boards))
    return [
        yardsticks(needs[need], evidence, measured) if found and found[0].is_list else found
        for need, found in zip(asked, options, strict=True)
    ]


# What is known of the models beside their figures


@dataclass(frozen=True, slots=True)
class _Terms:
    """What one list asks for each model; the catalogue knows contexts that the list does not tell."""

    basis: PriceBasis | None
    asked: Mapping[Subject, Asked]
    capture: Capture | None = None

    def receipts(self, subject: Subject) -> tuple[str, ...]:
        """The ids of the receipts of what the list says."""
        asked = self.asked.get(subject)
        if asked is None or self.capture is None:
            return ()
        said = {"input": asked.input, "output": asked.output, "context": asked.context}
        return tuple(figure_id(self.capture, asked.key, it) for it, figure in said.items() if figure is not None)

    def price(self, subject: Subject) -> Decimal | None:
        asked = self.asked.get(subject)
        return asked.blended if asked else None

    def context(self, subject: Subject) -> Decimal | None:
        asked = self.asked.get(subject)
        if asked and asked.context is not None:
            return asked.context
        model, pair = subject
        about = packaged_catalog().models.get(model)
        return Decimal(about.context) if about and about.context and pair is None else None

    def fault(self, subject: Subject, limits: Limits) -> str | None:
        """The first limit that a model is not known to meet, as a field of LeftOut. What is not known is not met."""
        if limits.open_weights and not (known := open_weights(subject)):
            return "weights_unknown" if known is None else "closed"
        if limits.max_price is not None:
            price = self.price(subject)
            if price is None or price > limits.max_price:
                return "price_unknown" if price is None else "dearer"
        if limits.min_context is not None:
            context = self.context(subject)
            if context is None or context < limits.min_context:
                return "context_unknown" if context is None else "shorter"
        return None


def _terms(ranked: Ranking, models: Collection[Subject], evidence: Evidence) -> _Terms:
    """The list that the answer itself is made of, else the one that knows most of the models."""
    listed = [one for one in ranked.yardsticks if one.is_list]
    listed = listed or of_lists("price", evidence, models) or of_lists("context", evidence, models)
    if not listed:
        return _Terms(None, {})
    capture, blend = listed[0].capture, evidence.needs.blend
    basis = PriceBasis(
        source=capture.source,
        title=listed[0].title,
        input_parts=blend.input,
        output_parts=blend.output,
        current=proof_of(capture),
    )
    return _Terms(basis, evidence.lists[capture.source], capture)


@dataclass(frozen=True, slots=True)
class _Company:
    """The models among which a quantity is compared, and the board that says who they are."""

    facts: Group
    board: Yardstick
    models: Collection[Subject]


def _company(ranked: Ranking, evidence: Evidence, but: Collection[Subject] = ()) -> _Company | None:
    """Without the models `but`; None where more than a quantity was asked, or no board ranks the models."""
    quantity = ranked.yardsticks[0]
    if len(ranked.yardsticks) > 1 or not quantity.is_quantity:
        return None
    board = next(iter(overall(evidence)), None) if quantity.is_list else lead_of(quantity.capture.source, evidence)
    if board is None or board.about == quantity.about:
        return None
    most = evidence.needs.among
    board = replace(board, rows={subject: rows for subject, rows in board.rows.items() if subject not in but})
    models = among_the_best(board, most)
    return _Company(Group(**_whose(board), most=most, models=len(models)), board, models)


def among_the_best(board: Yardstick, most: int) -> set[Subject]:
    """The models that fewer than `most` others are better than beyond uncertainty."""
    best = sorted(
        ((rows[0].score, subject) for subject, rows in board.rows.items()), key=lambda it: board.sign * it[0].value
    )
    found = set()
    for place, (mine, subject) in enumerate(best):
        better = (other for other, _subject in islice(best, place) if board.better(other, mine))
        if len(list(islice(better, most))) < most:
            found.add(subject)
    return found


# The answer


def _answer(question: Mapping[str, Any], ranked: Ranking, limits: Limits, evidence: Evidence, most: int) -> Pick:
    """Who is kept within the limits, who leads among them, who comes next. A quantity is compared among the best of
    those within the limits, so that a limit never leaves nobody where one more need would find somebody."""
    company = _company(ranked, evidence)
    models = [one.subject for one in ranked.models]
    terms = _terms(ranked, [it for it in models if company is None or it in company.models], evidence)
    faults = [terms.fault(subject, limits) for subject in models]
    if company:
        company = _company(ranked, evidence, {it for it in company.board.rows if terms.fault(it, limits)})
    kept = [
        one
        for one, fault in zip(ranked.models, faults, strict=True)
        if fault is None and (company is None or one.subject in company.models)
    ]
    facts = {
        **question,
        "method": ranked.method,
        "group": company and company.facts,
        "prices": terms.basis,
        "left_out": LeftOut(**Counter(fault for fault in faults if fault), incomplete=ranked.incomplete),
        "ranked": len(kept),
    }
    if not kept:
        return Pick(**facts, outcome="none", why_none="unmet" if models else "nothing_shared")
    first = kept[0]
    leaders = [one for one in kept if one is first or not ranked.ahead(first, one)]
    others = [one for one in kept if one not in leaders][:most]
    return Pick(
        **facts,
        outcome="tie" if len(leaders) > 1 else "pick",
        uncertainty=basis(first.score, (others or leaders)[0].score, ranked.about).value,
        margin=ranked.about.margin,
        leaders=tuple(_choice(one, ranked, terms, company) for one in leaders),
        others=tuple(_choice(one, ranked, terms, company) for one in others),
        gap=abs(first.score.value - others[0].score.value) if others else None,
    )


def _criterion(need: str, weight: Decimal, one: Yardstick, evidence: Evidence) -> Criterion:
    return Criterion(
        **_whose(one),
        need=need,
        title=evidence.needs.needs[need].title,
        weight=weight,
        higher_is_better=one.about.higher_is_better,
        self_reported=one.about.self_reported,
        ranked=len(one.rows),
        unmeasured=one.unmeasured,
        stale=one.stale,
    )


def _whose(one: Yardstick) -> dict[str, Any]:
    """Whose figures they are and of what, as a Criterion and a Group tell it."""
    return {
        "source": one.capture.source,
        "source_title": one.title,
        "benchmark": one.about.title or one.about.name,
        "unit": one.about.unit,
        "current": proof_of(one.capture),
    }


def _choice(one: Ranked, ranked: Ranking, terms: _Terms, company: _Company | None) -> Choice:
    """A model with its figures; named as on a board, where there is one, for a list knows no variants."""
    asked = terms.asked.get(one.subject)
    on_board = company.board.rows[one.subject][0] if company else None
    rows = [row for row, yardstick in zip(one.standings, ranked.yardsticks, strict=True) if not yardstick.is_list]
    named = (rows[0] if rows else on_board) or one.standings[0]
    return Choice(
        name=shown_name(resolve(named.raw)),
        pair=one.subject[1],
        figures=tuple(_figure(row, board) for row, board in zip(one.standings, ranked.yardsticks, strict=True)),
        raws=tuple(row.raw for row in one.standings),
        value=one.score.value,
        overall=_figure(on_board, company.board) if on_board and company else None,
        input=asked.input if asked else None,
        output=asked.output if asked else None,
        price=asked.blended if asked else None,
        price_raw=asked.raw if asked else None,
        context=terms.context(one.subject),
        open_weights=open_weights(one.subject),
        receipts=terms.receipts(one.subject),
    )


def _figure(row: Standing, yardstick: Yardstick) -> Figure:
    receipt = None if yardstick.is_list else figure_id(yardstick.capture, row.key, yardstick.about.name)
    return Figure(value=row.score.value, rank=row.rank, low=row.score.low, high=row.score.high, receipt=receipt)


# The hybrid answer


def hybrid(answers: Iterable[Pick]) -> tuple[Assigned, ...]:
    """Few models that cover every need: those that are the only pick for one, then the one tied for most of what is
    left. A model takes every need that it is picked or tied for and no model before it took."""
    left = [answer for answer in answers if answer.leaders]
    found = []
    while left:
        tied_for = Counter(identity(choice) for answer in left for choice in answer.leaders)
        alone = [identity(answer.leaders[0]) for answer in left if answer.outcome == "pick"]
        chosen = alone[0] if alone else max(tied_for, key=lambda subject: tied_for[subject])
        mine = [answer for answer in left if any(identity(choice) == chosen for choice in answer.leaders)]
        found.append(_assigned(chosen, mine))
        left = [answer for answer in left if answer not in mine]
    return tuple(found)


def identity(choice: Choice) -> Subject:
    """The model of a choice, whatever its variant."""
    return choice.name.model, choice.pair


def _assigned(chosen: Subject, answers: Sequence[Pick]) -> Assigned:
    """Named with its variant where that is the same for every need."""
    names = {choice.name for answer in answers for choice in answer.leaders if identity(choice) == chosen}
    first = next(choice.name for choice in answers[0].leaders if identity(choice) == chosen)
    bare = first.model_copy(update={"effort": None, "thinking": None, "date": None, "host": None})
    return Assigned(
        name=first if len(names) == 1 else bare,
        picked=tuple(answer.title for answer in answers if answer.outcome == "pick"),
        tied=tuple(answer.title for answer in answers if answer.outcome == "tie"),
    )
