"""`digest versus`: two or more models side by side, printed for 80 columns or as one JSON document."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from digest.cli.context import AsJson, database, now, print_json, settings
from digest.cli.printing import out
from digest.database import reading
from digest.edition import numbers
from digest.edition.compared import called, figures, measure, receipts
from digest.edition.documents import versus_document
from digest.edition.terms import Term, terms
from digest.edition.verdicts import questions, verdict
from digest.edition.versus import versus as compare
from digest.edition.versus_facts import Compared, Entrant, Matchup, Versus
from digest.scores import store as scores
from digest.weekly import composing

_ALSO = 4  # other variants of a model that are named
_ROOM = 46  # columns that the models' names may take in a table; where they take more, letters stand for them


def versus(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL MODEL...", help="a name in any spelling, or a source's own row id")
    ],
    week: Annotated[str, typer.Option(help="2026-W17, any date in the week, or latest")] = "latest",
    as_json: AsJson = False,
) -> None:
    """Two or more models side by side: scores, prices, a verdict, and answers to what one would ask.

    Example: digest versus gpt-5.5 gpt-5.4
    """
    chosen = settings()
    with database(chosen) as engine, reading(engine) as connection:
        at = composing.find_week(connection, chosen, week, now())
        snapshots = scores.newest_snapshots(connection, chosen.enabled_sources, at.ends)
    found = compare(models, snapshots, chosen)
    if as_json:
        print_json({"week": str(at), **versus_document(found)})
    else:
        print_versus(found, str(at))


def print_versus(found: Versus, week: str) -> None:
    """Verdict first, then each source's table, prices and sizes, questions, and where the figures come from."""
    names = called(found)
    fits = sum(len(name) + 2 for name in names) <= _ROOM
    heads = names if fits else tuple(_letter(place) for place in range(len(names)))
    out.print(Text.assemble((" vs ".join(names), "bold"), f"  {week}\n"))
    for sentence in verdict(found):
        out.print(Padding(Text(sentence), (0, 0, 0, 2), expand=False))
    if heads != names:
        out.print()
        for head, contender in zip(heads, found.contenders, strict=True):
            out.print(Text.assemble("  ", (head, "bold"), f"  {numbers.full(contender.name)}"))
    for matchup in found.matchups:
        _print_matchup(matchup, heads, names)
    out.print(Text("\nPrices, sizes and kind", style="bold"))
    _print_terms(terms(found), heads)
    out.print(Text("\nQuestions", style="bold"))
    for question, answer in questions(found):
        out.print(Padding(Text(question, style="cyan"), (0, 0, 0, 2), expand=False))
        out.print(Padding(Text(answer), (0, 0, 0, 4), expand=False))
    out.print(Text(f"\nFigures of {'; '.join(receipts(found))}.", style="dim"))


def _letter(place: int) -> str:
    """A to Z, then A2 to Z2 and so on."""
    turn, letter = divmod(place, 26)
    return f"{chr(ord('A') + letter)}{turn + 1 if turn else ''}"


def _table(first: str, heads: Sequence[str], last: str = "") -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, overflow="fold", min_width=12)
    for head in heads:
        table.add_column(Text(head, overflow="fold"), justify="right", overflow="fold")
    if last:
        table.add_column(last, overflow="fold")
    return table


def _print_matchup(matchup: Matchup, heads: Sequence[str], names: Sequence[str]) -> None:
    """One source: who stands for each, its categories with their benchmarks, and who wins how many."""
    day = numbers.day(matchup.current.on, year=True)
    out.print(Text.assemble("\n", (numbers.shown(matchup.title), "bold"), f"  {day}, {matchup.current.sha256[:8]}"))
    for name, entrant in zip(names, matchup.entrants, strict=True):
        out.print(Padding(_entrant(name, entrant), (0, 0, 0, 2), expand=False))
    pair = len(names) == 2
    table = _table("", heads, "Difference" if pair else "")
    if matchup.lead is not None and matchup.overall:
        _add(table, measure(matchup.lead), matchup.lead, pair, whole=True, style="bold")
    for group in matchup.categories:
        if group.whole is not None:
            _add(table, numbers.shown(group.title), group.whole, pair, style="bold")
        else:
            table.add_row(Text(numbers.shown(group.title), style="bold"))
        for compared in group.benchmarks:
            _add(table, f"  {measure(compared)}", compared, pair)
    if matchup.categories and matchup.other:
        table.add_row(Text("Other benchmarks", style="bold"))
    for compared in matchup.other:
        _add(table, f"  {measure(compared)}" if matchup.categories else measure(compared), compared, pair)
    out.print(table)
    for name, entrant, tally in zip(names, matchup.entrants, matchup.benchmarks, strict=True):
        if entrant is not None:
            words = (
                f"ahead on {numbers.several(tally.wins, 'benchmark')}, tied on {tally.ties}, behind on {tally.losses}"
            )
            out.print(Text(f"  {name}: {words}", style="dim"))


def _entrant(name: str, entrant: Entrant | None) -> Text:
    if entrant is None:
        return Text(f"{name}: not measured", style="dim")
    rank = f"#{entrant.rank}" if entrant.rank else "not ranked"
    others = [
        f"{numbers.variant(other.name) or numbers.shown(other.name.raw)} #{other.rank}"
        for other in entrant.also[:_ALSO]
    ]
    more = len(entrant.also) - len(others)
    also = f"; also {numbers.listed(others, more)}" if others else ""
    return Text.assemble((numbers.full(entrant.name), "bold"), f" {rank}", (also, "dim"))


def _add(table: Table, label: str, compared: Compared, pair: bool, *, whole: bool = False, style: str = "") -> None:
    """A row: of two models the first less the second beside the figures, of more the gap to the leader below each."""
    lower = "" if compared.higher_is_better else " (lower is better)"
    values = [result.value if result else None for result in compared.results]
    texts = figures(compared, whole=whole)
    best = values[compared.order[0]]
    cells = []
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        cell = Text(text or "not measured", style="bold" if compared.winner == place else "")
        if not pair and value is not None and best is not None and value != best:
            cell = Text.assemble(cell, ("\n" + _gap(best, value, compared, place), "dim"))
        cells.append(cell)
    if pair:
        cells.append(Text(_difference(values, compared)))
    table.add_row(Text(f"{label}{lower}", style=style), *cells)


def _difference(values: Sequence[Decimal | None], compared: Compared) -> str:
    one, other = values
    if compared.winner is None or one is None or other is None:
        return "tie"
    return _gap(other, one, compared, compared.order[-1])


def _gap(before: Decimal, after: Decimal, compared: Compared, behind: int) -> str:
    """`−12.8 pt, 19.5%`: a difference, and by how much of the figure that is behind the other is ahead."""
    result = compared.results[behind]
    share = f", {numbers.plain(result.percent)}%" if result and result.percent is not None else ""
    return f"{numbers.change(before, after, compared.unit).replace('.0 pt', ' pt')}{share}"


def _print_terms(found: Sequence[Term], heads: Sequence[str]) -> None:
    """One row a line, with the source below the label, or below each cell where they differ."""
    table = _table("", heads)
    for term in found:
        sources = {source for source in term.sources if source}
        label = Text.assemble(f"{term.label}{f', {term.unit}' if term.unit else ''}")
        if len(sources) == 1:
            label.append(f"\n{next(iter(sources))}", "dim")
        cells = [
            Text.assemble(cell, (f"\n{source}" if source and len(sources) > 1 else "", "dim"))
            for cell, source in zip(term.cells, term.sources, strict=True)
        ]
        table.add_row(label, *cells)
    out.print(table)
