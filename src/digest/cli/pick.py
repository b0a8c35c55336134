"""`digest pick`: which model for which need, and why."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from digest.changes.offers import MONEY
from digest.cli.context import AsJson, database, now, print_json, settings
from digest.cli.printing import out
from digest.config.settings import Settings
from digest.database import reading
from digest.edition import numbers, pick_words
from digest.edition.needs import Limits, packaged_needs, weights_of
from digest.edition.pick_facts import Choice, Pick
from digest.edition.picks import hybrid
from digest.edition.picks import pick as pick_one
from digest.edition.picks import picks as pick_each
from digest.edition.yardsticks import Evidence, evidence
from digest.errors import DigestError, UsageError
from digest.scores import store as scores
from digest.weekly import composing
from digest.weekly.calendar import Week


def pick(
    need: Annotated[list[str] | None, typer.Option(metavar="NAME=WEIGHT", help="what you need, and how much")] = None,
    max_price: Annotated[str | None, typer.Option(metavar="USD", help="most per 1M tokens, blended")] = None,
    open_weights: Annotated[bool, typer.Option("--open-weights", help="only models known to have them")] = False,
    min_context: Annotated[int | None, typer.Option(metavar="N", help="tokens that must fit")] = None,
    week: Annotated[str, typer.Option(help="2026-W17, any date in the week, or latest")] = "latest",
    top: Annotated[int, typer.Option(help="how many models to rank", min=1)] = 5,
    as_json: AsJson = False,
) -> None:
    """The best model for what you need, and why; without --need the pick for each need.

    Example: digest pick --need coding=2 --need cost --max-price 5 --min-context 200000
    """
    needs = packaged_needs()
    weights = weights_of(need or [], needs)
    limits = Limits(_price(max_price), open_weights, min_context)
    chosen = settings()
    with database(chosen) as engine, reading(engine) as connection:
        at = composing.find_week(connection, chosen, week, now())
        found = _evidence(connection, chosen, at)
    whole = pick_one(weights, found, limits, most=top) if weights else None
    if whole is not None and whole.outcome == "none":
        raise DigestError(f"in {at} {_lower(pick_words.why_none(whole))}.")
    each = pick_each(found, limits, list(weights)) if len(weights) != 1 else ()
    if whole is None and not any(one.leaders for one in each):
        raise DigestError(f"no need has a pick in {at}: {_faults(each)}")
    if as_json:
        print_json(_document(str(at), whole, each))
        return
    if whole is not None:
        _print_whole(whole, str(at), top)
    if each:
        _print_each(each, str(at))


def _price(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text.removeprefix("$"))
    except InvalidOperation as error:
        raise UsageError(
            f'--max-price "{numbers.shown(text)}" is no price; write USD per 1M tokens, such as 2.50.'
        ) from error


def _evidence(connection: Connection, chosen: Settings, week: Week) -> Evidence:
    """Every source's newest capture of the week or before; stale is what said nothing new for longer than declared."""
    there = scores.newest_snapshots(connection, chosen.enabled_sources, week.ends)
    if not there:
        raise DigestError(f"no source has a capture in or before {week}; import some with `digest backfill DIR`.")
    newest = max(found.capture.on for found in there.values())
    stale = {
        name
        for name, found in there.items()
        if (newest - scores.changed_on(connection, found.capture)).days > chosen.sources[name].stale_after_days
    }
    return evidence(there, chosen, packaged_needs(), stale)


def _faults(each: Sequence[Pick]) -> str:
    """Why no need has a pick, the unmet limits once."""
    unmet = [pick_words.why_none(one) for one in each if one.why_none != "unmeasured"]
    return f"{unmet[0]}." if unmet else _lower(pick_words.unmeasured(each))


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


# JSON


def _document(week: str, whole: Pick | None, each: Sequence[Pick]) -> dict[str, Any]:
    return {
        "week": week,
        "pick": whole and _told(whole),
        "by_need": [_told(one) for one in each],
        "hybrid": [_plain(part.model_dump()) for part in hybrid(each)],
    }


def _told(one: Pick) -> dict[str, Any]:
    """The facts of a pick, with its sentences and receipts."""
    facts: dict[str, Any] = _plain(one.model_dump())
    return facts | {"reasons": pick_words.reasons(one), "receipts": pick_words.receipts(one)}


def _plain(fact: object) -> Any:
    """A fact as JSON holds it: numbers for Decimals (RFC 8259, section 6), ISO 8601 days."""
    if isinstance(fact, Decimal):
        return int(fact) if fact == fact.to_integral_value() else float(fact)
    if isinstance(fact, date):
        return fact.isoformat()
    if isinstance(fact, dict):
        return {name: _plain(member) for name, member in fact.items()}
    return [_plain(member) for member in fact] if isinstance(fact, (list, tuple)) else fact


# The terminal


def _print_whole(whole: Pick, week: str, top: int) -> None:
    tie = "tied: " if whole.outcome == "tie" else ""
    out.print(Text.assemble((numbers.shown(whole.title, 200), "dim"), "  ", (week, "dim")))
    out.print(Text.assemble(tie, (pick_words.who(whole), "bold")))
    for sentence in pick_words.reasons(whole):
        out.print(Padding(Text(sentence), (0, 0, 0, 2)))
    out.print()
    out.print(_ranking(whole, top))
    if blend := pick_words.blend_note([whole]):
        out.print(Text(blend, style="dim"))
    for receipt in pick_words.receipts(whole):
        out.print(Text(f"Receipt: {receipt}", style="dim"))


def _ranking(whole: Pick, top: int) -> Table:
    """Rank and model, what ranks it, the figures while they fit, price and context window."""
    table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False, padding=(0, 2, 0, 0))
    told = [place for place, one in enumerate(whole.criteria) if one.unit not in (MONEY, "tokens")][:2]
    together = {"mean": ["Average"], "places": ["Places"]}.get(whole.method, [])
    table.add_column("#", justify="right")
    table.add_column("Model", overflow="fold")
    for head in [*together, *(whole.criteria[place].title for place in told), "Blended", "Context"]:
        table.add_column(numbers.shown(head), justify="right")
    ranked = [(1, one) for one in whole.leaders]
    ranked += [(place, one) for place, one in enumerate(whole.others, start=len(whole.leaders) + 1)]
    for place, choice in ranked[:top]:
        rank = "tied" if place == 1 and whole.outcome == "tie" else str(place)
        figures = [pick_words.value(choice.figures[column].value, whole.criteria[column].unit) for column in told]
        table.add_row(rank, _name(choice), *(numbers.plain(choice.value) for _ in together), *figures, *_terms(choice))
    return table


def _name(choice: Choice) -> Text:
    return Text.assemble((numbers.title(choice.name), "bold"), " ", (numbers.variant(choice.name), "dim"))


def _terms(choice: Choice) -> tuple[str, str]:
    price = numbers.NOT_KNOWN if choice.price is None else pick_words.value(choice.price, MONEY)
    return price, numbers.tokens(choice.context)


def _print_each(each: Sequence[Pick], week: str) -> None:
    out.print(Text.assemble(("Which model for which need", "bold"), "  ", (week, "dim")))
    if said := next((pick_words.limits(one) for one in each if one.criteria), ""):
        out.print(Text(f"Only models with {said}."))
    table = Table(box=None, pad_edge=False, show_header=False, show_edge=False, padding=(0, 2, 1, 0))
    table.add_column(max_width=22)
    table.add_column(overflow="fold")
    for one in pick_words.answered(each):
        tie = "tied: " if one.outcome == "tie" else ""
        who = pick_words.who(one) if one.leaders else "no pick"
        table.add_row(
            Text(numbers.shown(one.title)), Text.assemble(tie, (who, "bold"), "\n", (pick_words.note(one), "dim"))
        )
    out.print(table)
    if missing := pick_words.unmeasured(each):
        out.print(Text(missing))
    if together := pick_words.hybrid_sentence(each):
        out.print(Text.assemble(("A few models for all of it: ", "bold"), together))
    out.print(Text(pick_words.section_note(each), style="dim"))
