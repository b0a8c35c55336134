"""Watch lists: what readers follow, and what became of it since the last edition they got.

JSON                     what a reader asked for                    parse_watch_list, the edge
WatchList                names that are known, each in one form
editions -> Followed     what they tell together, made once for all readers who got the same last edition
Watched                  the stories of one list, what matters most first; what holds still; what is gone
"""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from digest.edition.content import Edition
from digest.edition.numbers import full, shown
from digest.edition.retelling import Thread, Withdrawn, retold
from digest.edition.standings import PRICE
from digest.edition.watch_facts import Crossing, Measure, Standings, Threshold, Watched, WatchList
from digest.errors import DigestError
from digest.scores.catalog import packaged_catalog, resolve

_MOST_FOLLOWED = 100
_MOST_TEXT = 20_000
_MOST_DIGITS = 12


# What a reader asks for


class Known(NamedTuple):
    """The names that a list may hold: each as it is written, by itself without case, marks and spaces."""

    models: Mapping[str, str]
    providers: Mapping[str, str]
    benchmarks: Mapping[str, str]
    categories: Mapping[str, str]
    needs: Mapping[str, str]


def known_names(edition: Edition, needs: Collection[str]) -> Known:
    """What can be followed: the catalogue's models and makers, and what the edition tells and its table holds."""
    catalog = packaged_catalog()
    table = edition.standings or Standings(measures=(), models=())
    boards = [measure for measure in table.measures if measure.benchmark != PRICE]
    told = sorted({model for thread in retold([edition]).threads for model in thread.models})
    makers = {model.organisation for model in catalog.models.values()} | {held.organisation for held in table.models}
    return Known(
        models=_by_word([*catalog.models, *(held.model for held in table.models), *told]),
        providers=_by_word(sorted(maker for maker in makers if maker)),
        benchmarks=_by_word([name for one in boards for name in (one.source, _category(one.benchmark))]),
        categories=_by_word([_category(one.benchmark) for one in boards]),
        needs=_by_word(needs),
    )


def _by_word(names: Collection[str]) -> dict[str, str]:
    return {_word(name): name for name in names}


def _word(name: str) -> str:
    """A name as it is compared: `category:Agentic Coding`, `agentic_coding` and `agentic-coding` are one."""
    return " ".join(_category(name).lower().replace("_", " ").replace("-", " ").split())


def _category(benchmark: str) -> str:
    return benchmark.removeprefix("category:")


def parse_watch_list(text: str, known: Known) -> WatchList:
    """A list from its JSON: {"models": [...], "providers": [...], "benchmarks": [...], "categories": [...],
    "needs": [...], "thresholds": [{"category": "coding", "at_least": 80, "under": 1}]}, each key optional.

    A model may be written in any way that its publishers write it. Raises DigestError, one sentence: what is wrong,
    and for a name that nobody knows the nearest ones.
    """
    if len(text) > _MOST_TEXT:
        raise DigestError(f"the watch list is longer than {_MOST_TEXT:,} characters; follow less.")
    try:
        asked = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else "it holds what JSON does not know"
        raise DigestError(f"the watch list is no valid JSON ({said}); send an object of lists.") from error
    keys = set(WatchList.model_fields)
    if not isinstance(asked, dict) or not all(isinstance(value, list) for value in asked.values()):
        raise DigestError(f"the watch list is no object of lists; its keys may be {', '.join(sorted(keys))}.")
    for key in asked:
        if key not in keys:
            raise DigestError(f'the watch list has no key "{shown(key, 40)}"{_nearest(key, keys)}')
    if sum(map(len, asked.values())) > _MOST_FOLLOWED:
        raise DigestError(f"the watch list follows more than {_MOST_FOLLOWED} things; take some out.")
    named = {
        key: tuple(dict.fromkeys(_named(one, key, getattr(known, key)) for one in asked.get(key, ())))
        for key in Known._fields
    }
    thresholds = tuple(dict.fromkeys(_threshold(one, known) for one in asked.get("thresholds", ())))
    return WatchList(**named, thresholds=thresholds)


def _no_number(constant: str) -> None:
    raise ValueError(constant)


_ONE_OF = {
    "models": "model",
    "providers": "provider",
    "benchmarks": "benchmark",
    "categories": "category",
    "needs": "need",
}


def _named(asked: object, key: str, known: Mapping[str, str]) -> str:
    if not isinstance(asked, str):
        raise DigestError(f"a {_ONE_OF[key]} of the watch list is no text; write its name.")
    name = resolve(asked).model if key == "models" else asked
    found = known.get(_word(name)) or known.get(_word(asked))
    if found is None:
        near = _nearest(_word(asked), known, shown_as=known)
        raise DigestError(f'the {_ONE_OF[key]} "{shown(asked, 60)}" is not known{near}')
    return found


def _nearest(word: str, known: Collection[str], shown_as: Mapping[str, str] | None = None) -> str:
    close = difflib.get_close_matches(word[:80], known, n=3, cutoff=0.5)
    names = [shown((shown_as or {}).get(name, name)) for name in close]
    return f"; did you mean {' or '.join(names)}?" if names else "; look it up among the names that can be followed."


def _threshold(asked: object, known: Known) -> Threshold:
    if not isinstance(asked, dict) or set(asked) != set(Threshold.model_fields):
        raise DigestError("a threshold wants exactly the keys category, at_least and under, for example coding, 80, 1.")
    at_least, under = _number(asked["at_least"]), _number(asked["under"])
    if at_least is None or not 0 <= at_least <= 100:
        raise DigestError("at_least of a threshold is no per cent; write a number from 0 to 100.")
    if under is None or not 0 < under <= 1_000_000:
        raise DigestError("under of a threshold is no price; write USD per 1M tokens, above 0.")
    return Threshold(category=_named(asked["category"], "categories", known.categories), at_least=at_least, under=under)


def _number(asked: object) -> Decimal | None:
    if isinstance(asked, bool) or not isinstance(asked, int | Decimal):
        return None
    try:
        number = Decimal(asked)
    except InvalidOperation:
        return None
    return number if number.is_finite() and len(number.as_tuple().digits) <= _MOST_DIGITS else None


# What editions tell


class Span(NamedTuple):
    """A model's figure on one measure: in the newest edition, and before the oldest one, where they can be compared."""

    measure: Measure
    now: Decimal | None
    before: Decimal | None
    comparable: bool


class Followed(NamedTuple):
    """What the editions since the last one that a reader got tell together. `spans` goes model -> its figures, `scores`
    category -> (model, its figure in per cent), `prices` model -> its lowest price on the first list that has one."""

    since: str
    missed: int
    threads: tuple[Thread, ...]
    withdrawn: tuple[Withdrawn, ...]
    spans: Mapping[str, tuple[Span, ...]]
    scores: Mapping[str, tuple[tuple[str, Span], ...]]
    prices: Mapping[str, Span]
    titles: Mapping[str, str]
    makers: Mapping[str, str]


def followed(editions: Sequence[Edition]) -> Followed:
    """What `editions` tell together: those a reader did not get, in the order of their weeks, this week's the last."""
    told = retold(editions)
    tables = [table for edition in editions if (table := edition.standings)]
    held = {one.model: one for table in tables for one in table.models}
    spans = _spans(tables) if editions[-1].standings else {}
    scores: dict[str, list[tuple[str, Span]]] = {}
    prices: dict[str, Span] = {}
    for model, span in ((model, span) for model, figures in spans.items() for span in figures if span.now is not None):
        if span.measure.benchmark == PRICE:
            prices.setdefault(model, span)
        elif span.measure.unit == "%" and span.measure.higher_is_better:
            scores.setdefault(_word(span.measure.benchmark), []).append((model, span))
    return Followed(
        since=editions[0].week,
        missed=len(editions) - 1,
        threads=tuple(
            thread._replace(source=_word(thread.source), benchmark=_word(thread.benchmark)) for thread in told.threads
        ),
        withdrawn=told.withdrawn,
        spans=spans,
        scores={category: tuple(figures) for category, figures in scores.items()},
        prices=prices,
        titles={model: one.title for model, one in held.items()},
        makers={model: _word(one.organisation) for model, one in held.items() if one.organisation},
    )


def _spans(tables: Sequence[Standings]) -> dict[str, tuple[Span, ...]]:
    """A measure that some edition could not compare with the week before cannot be compared over all of them."""
    begins: dict[tuple[str, str, str], Decimal | None] = {}
    broken: set[tuple[str, str]] = set()
    for table in tables:
        ids = [(one.source, one.benchmark) for one in table.measures]
        broken |= {id_ for id_, one in zip(ids, table.measures, strict=True) if not one.comparable}
        for held in table.models:
            for level in held.levels:
                begins.setdefault((held.model, *ids[level.measure]), level.before)
    newest = tables[-1]
    return {held.model: tuple(_span(held.model, newest.measures[level.measure], level.now, begins, broken)
                              for level in held.levels) for held in newest.models}  # fmt: skip


def _span(
    model: str,
    measure: Measure,
    now: Decimal | None,
    begins: Mapping[tuple[str, str, str], Decimal | None],
    broken: Collection[tuple[str, str]],
) -> Span:
    id_ = (measure.source, measure.benchmark)
    return Span(measure, now, begins[model, *id_], id_ not in broken)


def stirred(told: Followed) -> frozenset[str]:
    """The words (as `words_of` has them) of all that a list may name and that has a story, or a figure that moved."""
    found: set[str] = set()
    for thread in told.threads:
        makers = {told.makers[model] for model in thread.models if model in told.makers}
        found |= {f"model {model}" for model in thread.models} | {f"need {need}" for need in thread.needs}
        found |= {f"provider {maker}" for maker in makers}
        found |= {f"benchmark {word}" for word in (thread.source, thread.benchmark)}
        found.add(f"category {thread.benchmark}")
    found |= {f"model {left.name.model}" for left in told.withdrawn}
    moved = (model for model, spans in told.spans.items() if any(it.comparable and it.now != it.before for it in spans))
    return frozenset(found | {f"model {model}" for model in moved})


# What one list is told


def words_of(watch: WatchList) -> frozenset[str]:
    """A list as words to select by: `model gpt-5.5`, `category agentic coding`. A threshold is its category."""
    wanted = _wanted(watch)
    named = {
        "model": wanted.models,
        "need": wanted.needs,
        "provider": wanted.makers,
        "benchmark": wanted.benchmarks,
        "category": wanted.categories | {_word(line.category) for line in watch.thresholds},
    }
    return frozenset(f"{kind} {word}" for kind, words in named.items() for word in words)


def watched(watch: WatchList, told: Followed) -> Watched | None:
    """What became of a list; None for an empty one, which leaves no trace in the mail.

    First come the thresholds that a model crossed, then the stories by what they are followed for: a model, a need, a
    maker, a benchmark, a category. Of two for the same reason the newest comes first. What folds away first, where
    a mail has no room, is the end of this order.
    """
    if watch == WatchList():
        return None
    wanted = _wanted(watch)
    ranked = [(_why(thread, wanted, told), thread) for thread in told.threads]
    stories = [thread for why, thread in sorted(ranked, key=lambda pair: pair[0]) if why < _NOT_FOLLOWED]
    storied = {model for thread in stories for model in thread.models}
    gone = {left.name.model: full(left.name) for left in told.withdrawn if left.name.model in watch.models}
    still, moved = [], []
    for model in watch.models:
        spans = told.spans.get(model, ())
        if model in storied or model in gone or not spans:
            continue
        if all(span.now is None for span in spans):
            gone[model] = told.titles[model]
        elif all(span.comparable and span.now == span.before for span in spans):
            still.append(told.titles[model])
        elif any(span.comparable and span.now != span.before for span in spans):
            moved.append(told.titles[model])
    return Watched(
        since=told.since,
        missed=told.missed,
        crossings=tuple(crossing for line in watch.thresholds for crossing in _crossings(line, told)),
        stories=tuple(thread.id for thread in stories),
        unchanged=tuple(still),
        moved=tuple(moved),
        withdrawn=tuple(gone.values()),
    )


class _Wanted(NamedTuple):
    """A list as words to compare with."""

    models: frozenset[str]
    needs: frozenset[str]
    makers: frozenset[str]
    benchmarks: frozenset[str]
    categories: frozenset[str]


def _wanted(watch: WatchList) -> _Wanted:
    named = (watch.providers, watch.benchmarks, watch.categories)
    makers, benchmarks, categories = (frozenset(map(_word, names)) for names in named)
    return _Wanted(frozenset(watch.models), frozenset(watch.needs), makers, benchmarks, categories)


_NOT_FOLLOWED = 5


def _why(thread: Thread, wanted: _Wanted, told: Followed) -> int:
    """What a thread is followed for, the nearest to the reader first. Its source and benchmark are words already."""
    if not thread.models.isdisjoint(wanted.models):
        return 0
    if not thread.needs.isdisjoint(wanted.needs):
        return 1
    if wanted.makers and any(told.makers.get(model) in wanted.makers for model in thread.models):
        return 2
    if thread.source in wanted.benchmarks or thread.benchmark in wanted.benchmarks:
        return 3
    return 4 if thread.benchmark in wanted.categories else _NOT_FOLLOWED


def _crossings(line: Threshold, told: Followed) -> Iterator[Crossing]:
    """The models that a threshold lets through now and did not before, the cheapest first; each by the first board that
    has the category.

    A board or list that cannot be compared with what was before tells nothing new.
    """
    found: dict[str, Crossing] = {}
    passed: set[str] = set()
    for model, score in told.scores.get(_word(line.category), ()):
        price = told.prices.get(model)
        if price is None or price.now is None or score.now is None or not (price.comparable and score.comparable):
            continue
        if price.before is not None and price.before < line.under and (score.before or -1) >= line.at_least:
            passed.add(model)
        if price.now < line.under and score.now >= line.at_least and model not in found:
            found[model] = Crossing(
                threshold=line,
                name=told.titles[model],
                source=score.measure.title,
                score=score.now,
                price_source=price.measure.title,
                unit=price.measure.unit,
                price=price.now,
                price_before=price.before,
            )
    new = (crossing for model, crossing in found.items() if model not in passed)
    yield from sorted(new, key=lambda crossing: (crossing.price, crossing.name))
