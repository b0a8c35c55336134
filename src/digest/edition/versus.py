"""Two or more models side by side, as facts: which row stands for each, who leads on what, what they cost.

Each source is compared for itself, in a matchup of its own; a figure of one source never stands beside another's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

from digest.changes.disagreement import disagreements, fact_of
from digest.changes.kinds import Change
from digest.changes.noise import apart, basis, needed
from digest.changes.offers import OFFER_UNITS
from digest.changes.ranking import Standing
from digest.config.settings import Settings
from digest.config.source import Source
from digest.edition.entrants import Wanted, by_rank, is_known, row_of, same_model, standings_of, told_price, unknown
from digest.edition.facts import Disagreement, Said, Variant
from digest.edition.naming import proof_of, shown_name
from digest.edition.numbers import shown
from digest.edition.receipts import figure_id
from digest.edition.versus_facts import (
    Compared,
    Contender,
    Entrant,
    Grouped,
    Matchup,
    Offered,
    Offers,
    Result,
    Tally,
    Versus,
)
from digest.errors import DigestError, UsageError
from digest.scores.catalog import packaged_catalog, resolve
from digest.scores.snapshot import Benchmark, Capture, Score, Snapshot

Snapshots = Mapping[str, Snapshot]
Keys = tuple[str | None, ...]
"""The row of one source that stands for each contender."""

SCORE_UNITS = ("%", "points", "rating")
"""Units in which more or less is better or worse. Seconds, words and money are shown, and win nothing."""

SPEED_UNITS = ("s", "tokens/s")
OVERALL = "overall"
CATEGORY = "category:"


def versus(asked: Sequence[str], snapshots: Snapshots, settings: Settings) -> Versus:
    """The models that are asked for, by any spelling, canonical id or raw row id, side by side on every source.

    A name without a variant takes each source's best-ranked row of the model, one with a variant only such a row.
    `snapshots` are the current ones by source id. Raises UsageError for fewer than two models or the same one twice,
    DigestError naming the nearest names for a model that no snapshot has.
    """
    if len(asked) < 2:
        raise UsageError("name two models or more, such as `digest versus gpt-5.5 gpt-5.4`.")
    if not all(map(str.strip, asked)):
        raise UsageError("one of the names is empty; name each model, in quotes where its name has spaces.")
    wanted = [Wanted(text.strip(), resolve(text.strip())) for text in asked]
    for one, other in combinations(wanted, 2):
        if one.name.identity == other.name.identity:
            raise UsageError(
                f'"{shown(one.text)}" and "{shown(other.text)}" are the same; name two models, or two variants of one.'
            )
    for one in wanted:
        if not is_known(one, snapshots.values()):
            raise DigestError(unknown(one, snapshots.values()))
    return of_wanted(wanted, snapshots, settings)


def of_wanted(wanted: Sequence[Wanted], snapshots: Snapshots, settings: Settings) -> Versus:
    """All facts of models of which each has a row somewhere, from the rows that stand for them at each source.

    Raises UsageError where no source has two different rows for them.
    """
    found = {source: tuple(row_of(one, snapshot) for one in wanted) for source, snapshot in snapshots.items()}
    boards = {source: keys for source, keys in found.items() if snapshots[source].lead is not None}
    same = next((source for source, keys in boards.items() if _one_row_twice(keys)), None)
    differ = {source: keys for source, keys in boards.items() if not _one_row_twice(keys)}
    matchups = [
        matchup
        for source, keys in differ.items()
        if (matchup := _matchup(snapshots[source], settings.sources[source], keys)) is not None
    ]
    if same is not None and not matchups:
        raise UsageError(_same_row(wanted, boards[same], settings.sources[same]))
    matchups.sort(key=_weight, reverse=True)
    first = [matchup.source for matchup in matchups]
    offers = [
        one
        for source in dict.fromkeys([*first, *found])  # a board that compares them tells what they cost before a list
        if (one := _offers(snapshots[source], settings.sources[source], found[source])) is not None
    ]
    return Versus(
        contenders=tuple(_contender(one, place, snapshots, found, first) for place, one in enumerate(wanted)),
        matchups=tuple(matchups),
        offers=tuple(offers),
        disagreements=_disputes(snapshots, found, settings),
        clear_lead=settings.verdicts.clear_lead,
        price_ratio=settings.verdicts.price_ratio,
        context_ratio=settings.verdicts.context_ratio,
    )


def _same_row(wanted: Sequence[Wanted], keys: Keys, source: Source) -> str:
    row = next(key for key in keys if key and keys.count(key) > 1)
    names = " and ".join(f'"{shown(one.text)}"' for one, key in zip(wanted, keys, strict=True) if key == row)
    title = shown(source.title)
    return f"{names} mean the same row of {title}, {shown(row)}; name two models, or two variants of one."


def _one_row_twice(keys: Keys) -> bool:
    there = [key for key in keys if key is not None]
    return len(set(there)) < len(there)


def _weight(matchup: Matchup) -> tuple[int, str, int]:
    """What makes a matchup say more than another: contenders, the day of its figures, benchmarks."""
    benchmarks = sum(len(group.benchmarks) for group in matchup.categories) + len(matchup.other)
    return sum(entrant is not None for entrant in matchup.entrants), matchup.current.on.isoformat(), benchmarks


def _contender(
    wanted: Wanted, place: int, snapshots: Snapshots, found: Mapping[str, Keys], first: Iterable[str]
) -> Contender:
    """Named as in the matchup that says most, else as in the first source that has the model."""
    source = next(source for source in [*first, *found] if found[source][place])
    name = resolve(snapshots[source].rows[found[source][place] or ""].raw)
    about = packaged_catalog().models.get(name.model)
    return Contender(
        asked=wanted.text,
        name=shown_name(name),
        open_weights=about.open_weights if about else None,
        reasoning=about.reasoning if about else None,
        context=about.context if about else None,
    )


# One source


def _matchup(snapshot: Snapshot, source: Source, keys: Keys) -> Matchup | None:
    """What a source says of the contenders; None where no benchmark measured two of them."""
    columns = {
        name: compared
        for name in snapshot.benchmarks
        if (compared := _compared(snapshot, snapshot.benchmarks[name], keys)) is not None
    }
    if not columns or snapshot.lead is None:
        return None
    grouped = {name for name, about in snapshot.benchmarks.items() if name.startswith(CATEGORY) and about.inputs}
    categories = tuple(
        group for name in snapshot.benchmarks if name in grouped and (group := _grouped(snapshot, name, columns))
    )
    overall = bool(snapshot.benchmarks[snapshot.lead].inputs) or snapshot.lead == OVERALL
    inside = {member for name in grouped for member in _members(snapshot.benchmarks[name])}
    own = [
        compared
        for name, compared in columns.items()
        if not snapshot.benchmarks[name].inputs and not (name == snapshot.lead and overall)
    ]
    counted = [compared for compared in own if compared.scored]
    wholes = [group.whole for group in categories if group.whole]
    return Matchup(
        source=snapshot.capture.source,
        title=source.title,
        current=proof_of(snapshot.capture),
        entrants=_entrants(snapshot, keys),
        lead=columns.get(snapshot.lead),
        overall=overall,
        categories=categories,
        other=tuple(compared for compared in own if compared.benchmark not in inside),
        separator=_separator(counted),
        benchmarks=tuple(_tally(counted, place) for place in range(len(keys))),
        groups=tuple(_tally(wholes, place) for place in range(len(keys))),
    )


def _entrants(snapshot: Snapshot, keys: Keys) -> tuple[Entrant | None, ...]:
    standings = {standing.key: standing for standing in standings_of(snapshot)}
    return tuple(_entrant(snapshot, standings, key, keys) if key else None for key in keys)


def _entrant(snapshot: Snapshot, standings: Mapping[str, Standing], key: str, taken: Keys) -> Entrant:
    name = resolve(snapshot.rows[key].raw)
    others = [
        other for other, row in snapshot.rows.items() if other not in taken and same_model(resolve(row.raw), name)
    ]
    return Entrant(
        name=shown_name(name),
        key=key,
        rank=standings[key].rank if key in standings else None,
        also=tuple(
            Variant(
                name=shown_name(resolve(snapshot.rows[other].raw)),
                rank=standings[other].rank,
                value=standings[other].score.value,
                receipt=figure_id(snapshot.capture, other, snapshot.lead or ""),
            )
            for other in (by_rank(others, snapshot) if others else ())
            if other in standings
        ),
    )


def _grouped(snapshot: Snapshot, name: str, columns: Mapping[str, Compared]) -> Grouped | None:
    about = snapshot.benchmarks[name]
    inside = _members(about)
    members = tuple(compared for member, compared in columns.items() if member in inside)  # in the publisher's order
    if name not in columns and not members:
        return None
    separator = _separator([member for member in members if member.scored])
    return Grouped(
        title=about.title or name.removeprefix(CATEGORY),
        whole=columns.get(name),
        benchmarks=members,
        separator=separator.benchmark if separator else None,
    )


def _members(about: Benchmark) -> tuple[str, ...]:
    """The benchmarks of a category: those that count in it, and those that are only shown with it."""
    return about.inputs + about.also


def _separator(columns: Sequence[Compared]) -> Compared | None:
    """The benchmark on which the best and the last lie furthest apart, the one listed first of equals; None where no
    difference is beyond its uncertainty. Only figures of one kind of unit have comparable distances."""
    rating = bool(columns) and columns[0].unit == "rating"
    apart_ = [compared for compared in columns if compared.separates and (compared.unit == "rating") is rating]
    return max(apart_, key=lambda compared: compared.spread, default=None)


def _tally(columns: Iterable[Compared], place: int) -> Tally:
    outcomes = [result.outcome for compared in columns if (result := compared.results[place]) is not None]
    return Tally(wins=outcomes.count("win"), ties=outcomes.count("tie"), losses=outcomes.count("loss"))


def _compared(snapshot: Snapshot, about: Benchmark, keys: Keys) -> Compared | None:
    """One benchmark; None where it measured fewer than two of the contenders."""
    column = snapshot.scores.get(about.name, {})
    scores = {place: column[key] for place, key in enumerate(keys) if key is not None and key in column}
    scores = {place: score for place, score in scores.items() if score.value or not about.zero_is_missing}
    if len(scores) < 2:
        return None
    sign = -1 if about.higher_is_better else 1
    order = sorted(scores, key=lambda place: sign * scores[place].value)
    best, second, last = scores[order[0]], scores[order[1]], scores[order[-1]]
    level = [place for place in order[1:] if not apart(best, scores[place], about)]
    tied = [order[0], *level] if level else []
    return Compared(
        benchmark=about.name,
        title=about.title or about.name,
        unit=about.unit,
        higher_is_better=about.higher_is_better,
        scored=about.unit in SCORE_UNITS,
        self_reported=about.self_reported,
        uncertainty=basis(best, second, about).value,
        needed=needed(best, second, about),
        results=tuple(
            _result(
                scores[place],
                best,
                about,
                tied=place in tied,
                first=place == order[0],
                receipt=figure_id(snapshot.capture, keys[place] or "", about.name),
            )
            if place in scores
            else None
            for place in range(len(keys))
        ),
        order=tuple(order),
        spread=abs(best.value - last.value),
        separates=apart(best, last, about),
    )


def _result(score: Score, best: Score, about: Benchmark, *, tied: bool, first: bool, receipt: str) -> Result:
    share = about.unit != "rating" and not about.relative and score.value > 0
    return Result(
        value=score.value,
        low=score.low,
        high=score.high,
        gap=score.value - best.value,
        percent=abs(best.value - score.value) / score.value * 100 if share else None,
        outcome="tie" if tied else "win" if first else "loss",
        receipt=receipt,
    )


# Prices and sizes


def _offers(snapshot: Snapshot, source: Source, keys: Keys) -> Offers | None:
    """What one source asks for the contenders; None where it says nothing of any."""
    offered = [_offered(snapshot, key) if key else None for key in keys]
    if not any(offered):
        return None
    lowest = {measure: _lowest(offered, measure) for measure in ("input", "output")}
    return Offers(
        source=snapshot.capture.source,
        title=source.title,
        current=proof_of(snapshot.capture),
        offered=tuple(
            one
            and one.model_copy(
                update={f"{measure}_ratio": _ratio(getattr(one, measure), low) for measure, low in lowest.items()}
            )
            for one in offered
        ),
    )


def _lowest(offered: Sequence[Offered | None], measure: str) -> Decimal | None:
    prices = [getattr(one, measure) for one in offered if one is not None]
    return min((price for price in prices if price is not None), default=None)


def _ratio(price: Decimal | None, lowest: Decimal | None) -> Decimal | None:
    return price / lowest if price and lowest else None


def _offered(snapshot: Snapshot, key: str) -> Offered | None:
    offer = snapshot.offers.get(key)
    if offer is None:
        return None
    figures = {
        "input": told_price(snapshot, offer.input),
        "output": told_price(snapshot, offer.output),
        "context": snapshot.known(offer.context or None),
        "max_output": snapshot.known(offer.max_output or None),
    }
    if all(figure is None for figure in figures.values()):
        return None
    name = shown_name(resolve(snapshot.rows[key].raw), offer=True)
    served = name.host or (offer.host and shown(offer.host))
    said = [measure for measure, figure in figures.items() if figure is not None]
    receipts = tuple(figure_id(snapshot.capture, key, measure) for measure in said)
    return Offered(name=name.model_copy(update={"host": served or None}), key=key, **figures, receipts=receipts)


# Two sources on one fact


def _disputes(snapshots: Snapshots, found: Mapping[str, Keys], settings: Settings) -> tuple[Disagreement, ...]:
    """What two sources tell differently of the rows that stand for the contenders."""
    narrowed = [_only(snapshots[source], keys) for source, keys in found.items() if any(keys)]
    captures = {snapshot.capture.source: snapshot.capture for snapshot in narrowed}
    return tuple(_dispute(change, captures, settings) for change in disagreements(narrowed, (), settings.policy))


def _dispute(change: Change, captures: Mapping[str, Capture], settings: Settings) -> Disagreement:
    figures = ((change.before, change.source), (change.after, change.after.source if change.after else None))
    one, other = (
        Said(
            source=source,
            title=settings.sources[source].title,
            value=figure.value,
            on=captures[source].on,
        )
        for figure, source in figures
        if figure is not None and figure.value is not None and source is not None
    )
    return Disagreement(
        change=change.id(captures[one.source].sha256, captures[other.source].sha256),
        fact=fact_of(change),
        name=shown_name(change.name, offer=change.benchmark in OFFER_UNITS),
        measure=change.benchmark or "",
        unit=change.unit,
        said=(one, other),
    )


def _only(snapshot: Snapshot, keys: Keys) -> Snapshot:
    """The snapshot with the rows of the contenders alone."""
    there = [key for key in keys if key is not None]
    return replace(
        snapshot,
        rows={key: snapshot.rows[key] for key in there},
        scores={name: {key: column[key] for key in there if key in column} for name, column in snapshot.scores.items()},
        offers={key: snapshot.offers[key] for key in there if key in snapshot.offers},
    )
