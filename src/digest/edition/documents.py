"""Changes, boards and comparisons as JSON documents for scripts, with a sentence for every change, news or not."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from digest.changes.kinds import EXPLAINED, Change, Figure, Kind, Reason
from digest.changes.ranking import Standing
from digest.changes.week import SourceWeek, WeekChanges
from digest.config.source import Source
from digest.edition import numbers
from digest.edition.naming import shown_name
from digest.edition.verdicts import questions, verdict
from digest.edition.versus_facts import Versus
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Snapshot

Document = dict[str, Any]


def changes_document(
    changes: WeekChanges, sources: Mapping[str, Source], previous: str, current: str, *, everything: bool
) -> Document:
    """The document of `digest changes --json`: news, or with `everything` also what was told apart from news."""
    told = [
        _change(change, week.changes.id_of(change), sources)
        for week in changes.sources
        if week.changes
        for change in week.changes.changes
        if everything or change.news
    ]
    told += [
        _change(change, changes.id_of_disagreement(change), sources)
        for change in changes.disagreements
        if everything or change.news
    ]
    return {
        "previous": {"week": previous},
        "current": {"week": current},
        "sources": [_source(week) for week in changes.sources],
        "changes": told,
    }


def resolved_document(name: ModelName) -> Document:
    """One name of `digest resolve --json`."""
    return {
        "raw": name.raw,
        "model": name.model,
        "variant": {"effort": name.effort, "thinking": name.thinking, "date": name.date},
        "host": name.host,
        "pair": name.pair,
        "how": name.how,
    }


def _source(week: SourceWeek) -> Document:
    before, now = week.state.previous, week.state.current
    return {
        "id": week.state.source,
        "status": week.status,
        "previous_capture": before and before.capture.on.isoformat(),
        "current_capture": now and now.capture.on.isoformat(),
        "models": len(now.rows) if now else 0,
        "age_days": week.age_days,
        "failure": week.state.failure,
    }


def _change(change: Change, change_id: str, sources: Mapping[str, Source]) -> Document:
    return {
        "id": change_id,
        "kind": change.kind.value,
        "news": change.news,
        "reason": change.reason.value,
        "source": change.source,
        "benchmark": change.benchmark,
        "unit": change.unit,
        "model": change.name.model or None,
        "variant": change.name.variant,
        "raw": change.name.raw or None,
        "key": change.key or None,
        "before": _figure(change.before),
        "after": _figure(change.after),
        "sentence": sentence(change, sources),
        "evidence": change.evidence or None,
        "receipt": f"/changes/{change_id}",
    }


def _figure(figure: Figure | None) -> Document | None:
    if figure is None or figure == Figure():
        return None
    members = {
        "model": figure.name and figure.name.model,
        "raw": figure.name and figure.name.raw,
        "source": figure.source,
        "value": _number(figure.value),
        "rank": figure.rank,
        "low": _number(figure.low),
        "high": _number(figure.high),
    }
    return {name: value for name, value in members.items() if value is not None}


def _number(value: Decimal | None) -> int | float | None:
    """A JSON number: whole where the figure is, else the nearest double (RFC 8259, section 6)."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def board_document(
    snapshot: Snapshot, source_id: str, source: Source, week: str, benchmark: str, standings: tuple[Standing, ...]
) -> Document:
    """The document of `digest leaderboard --json` for one source."""
    about = snapshot.benchmarks[benchmark]
    return {
        "source": source_id,
        "title": source.title,
        "week": week,
        "capture": snapshot.capture.on.isoformat(),
        "sha256": snapshot.capture.sha256,
        "benchmark": benchmark,
        "unit": about.unit,
        "higher_is_better": about.higher_is_better,
        "margin": _number(about.margin),
        "self_reported": about.self_reported,
        "rows": [_standing(snapshot, standing) for standing in standings],
        "unranked": sorted(row.raw for key, row in snapshot.rows.items() if key not in snapshot.scores[benchmark]),
    }


def _standing(snapshot: Snapshot, standing: Standing) -> Document:
    raw = snapshot.rows[standing.key].raw
    name = resolve(raw)
    return {
        "rank": standing.rank,
        "band": standing.band,
        "model": name.model,
        "variant": name.variant,
        "raw": raw,
        "key": standing.key,
        "value": _number(standing.score.value),
        "low": _number(standing.score.low),
        "high": _number(standing.score.high),
    }


def versus_document(found: Versus) -> Document:
    """The document of `digest versus --json`: the facts, and what is said of them; figures are numbers."""
    facts: Document = _values(found.model_dump())
    return {**facts, "verdict": list(verdict(found)), "questions": [one._asdict() for one in questions(found)]}


def _values(value: Any) -> Any:
    """Facts as JSON values; days as ISO 8601 text."""
    if isinstance(value, dict):
        return {name: _values(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_values(part) for part in value]
    if isinstance(value, Decimal):
        return _number(value)
    return value.isoformat() if isinstance(value, date) else value


def sentence(change: Change, sources: Mapping[str, Source]) -> str:
    """One sentence for any change: what, where, from what to what, and why it is or is no news."""
    where = numbers.shown(sources[change.source].title)
    return f"{_what(change, where, sources)}: {EXPLAINED[change.reason]}."


def _what(change: Change, where: str, sources: Mapping[str, Source]) -> str:
    offer = sources[change.source].kind == "offers"
    model = numbers.full(shown_name(change.name, offer=offer)) if change.name.raw else ""
    benchmark = numbers.benchmark_name(change.benchmark or "")
    before, after = value_words(change.before, change), value_words(change.after, change)
    rank = f" #{change.after.rank}" if change.after and change.after.rank else ""
    match change.kind:
        case Kind.MODEL_ADDED:
            at = (
                f" with {after} on {benchmark}{rank and ',' + rank}"
                if change.after and change.after.value is not None
                else ""
            )
            return f"{model} is new on {where}{at}"
        case Kind.MODEL_REMOVED:
            return f"{model} is gone from {where}"
        case Kind.MODEL_RENAMED:
            old = change.before.name if change.before else None
            return (
                f"{model} on {where} was {numbers.full(shown_name(old, offer=offer)) if old else 'another name'} before"
            )
        case Kind.LEADER_CHANGED:
            old = change.before.name if change.before else None
            held = f", where {numbers.full(shown_name(old))} had {before}" if old else ""
            return f"{model} tops {where} {benchmark} with {after}{held}"
        case Kind.RANK_CHANGED:
            was = change.before.rank if change.before else None
            return f"{model} on {where} {benchmark} went from #{was} to{rank}"
        case Kind.SCORE_FILLED_IN | Kind.PRICE_FILLED_IN:
            return f"{model} on {where} {benchmark} now has {after}"
        case Kind.SCORE_WITHDRAWN | Kind.PRICE_WITHDRAWN:
            return f"{model} on {where} {benchmark} had {before} and has no value any more"
        case Kind.SCORE_CHANGED | Kind.PRICE_CHANGED | Kind.CONTEXT_CHANGED:
            return f"{model} on {where} {benchmark} went from {before} to {after}"
        case Kind.BENCHMARK_ADDED:
            return f"{where} added the benchmark {benchmark} for {numbers.several(change.rows, 'row')}"
        case Kind.BENCHMARK_REMOVED:
            return f"{where} removed the benchmark {benchmark}"
        case Kind.BENCHMARK_REVISED:
            if change.reason is Reason.RENAME:
                return f"{benchmark} on {where} was {numbers.shown(change.evidence, 200)}"
            return f"{where} makes up {benchmark} otherwise than before"
        case Kind.SCALE_SHIFTED:
            return f"the scale of {where} {benchmark} moved"
        case Kind.SOURCES_DISAGREE:
            other = sources[change.after.source].title if change.after and change.after.source else "another source"
            return f"{where} has {before} for {model} on {benchmark}, {numbers.shown(other)} has {after}"


def value_words(figure: Figure | None, change: Change) -> str:
    """A figure in its unit, two decimals for a score."""
    if figure is None or figure.value is None:
        return numbers.NOT_KNOWN
    if change.unit == "tokens":
        return numbers.tokens(figure.value)
    if change.unit.startswith("USD"):
        return numbers.money(figure.value)
    return numbers.score(figure.value, change.unit, 2)
