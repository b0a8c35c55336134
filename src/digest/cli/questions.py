"""Commands that ask about the figures: what changed, who leads, one beside another, which for what."""

from typing import Annotated

import typer

from digest.changes.ranking import leaderboard as standings_of
from digest.cli import printing
from digest.cli.context import AsJson, database, now, print_json, settings
from digest.cli.pick import pick
from digest.cli.versus import versus
from digest.config.settings import Settings
from digest.database import reading
from digest.edition import numbers
from digest.edition.documents import board_document, changes_document
from digest.errors import DigestError, UsageError
from digest.scores import store as scores
from digest.scores.snapshot import Snapshot
from digest.weekly import composing

app = typer.Typer(rich_markup_mode=None)


@app.command()
def changes(
    previous: Annotated[str | None, typer.Argument(metavar="FROM")] = None,
    current: Annotated[str | None, typer.Argument(metavar="TO")] = None,
    source: Annotated[str | None, typer.Option(help="one source only")] = None,
    everything: Annotated[bool, typer.Option("--all", help="also what was told apart from news")] = False,
    reasons: Annotated[bool, typer.Option("--reasons", help="list kinds and reasons")] = False,
    as_json: AsJson = False,
) -> None:
    """What changed between two weeks: news, or with --all everything, with its reason.

    Example: digest changes 2026-W17 2026-W18
    """
    if reasons:
        printing.reasons()
        return
    if previous is None or current is None:
        raise UsageError("name two weeks, such as `digest changes 2026-W17 2026-W18`.")
    chosen = settings()
    if source is not None:
        chosen = _only(chosen, source)
    with database(chosen) as engine, reading(engine) as connection:
        before = composing.find_week(connection, chosen, previous, now())
        after = composing.find_week(connection, chosen, current, now())
        if before >= after:
            raise UsageError(f"{before} is not before {after}; name the older week first.")
        found = composing.compare_weeks(connection, chosen, before, after)
    if not found.sources:
        raise DigestError(f"no source has a capture in or before {after}; import some with `digest backfill DIR`.")
    if as_json:
        print_json(changes_document(found, chosen.sources, str(before), str(after), everything=everything))
    else:
        printing.changes(found, str(before), str(after), everything=everything)


def _only(chosen: Settings, source: str) -> Settings:
    if source not in chosen.sources:
        raise UsageError(f'config.toml declares no source "{source}"; it has {", ".join(sorted(chosen.sources))}.')
    if not chosen.sources[source].enabled:
        raise UsageError(f"the source {source} is switched off; set enabled = true in config.toml.")
    return chosen.model_copy(update={"sources": {source: chosen.sources[source]}})


@app.command()
def leaderboard(
    source: Annotated[str | None, typer.Option(help="one source only")] = None,
    category: Annotated[str | None, typer.Option(help="a category or benchmark instead of the lead")] = None,
    week: Annotated[str, typer.Option(help="2026-W17, any date in the week, or latest")] = "latest",
    top: Annotated[int, typer.Option(help="rows to print; 0 prints all", min=0)] = 20,
    as_json: AsJson = False,
) -> None:
    """Each source's own ranking, with bands of rows that are tied.

    Example: digest leaderboard --source livebench --category Coding
    """
    chosen = settings()
    if source is not None:
        chosen = _only(chosen, source)
    with database(chosen) as engine, reading(engine) as connection:
        at = composing.find_week(connection, chosen, week, now())
        snapshots = scores.newest_snapshots(connection, chosen.enabled_sources, at.ends)
    boards = [
        (name, found, benchmark)
        for name, found in snapshots.items()
        if (benchmark := _benchmark(found, category)) is not None
    ]
    if not boards:
        asked = f'the category "{category}"' if category else "a ranking"
        known = sorted({name.removeprefix("category:") for found in snapshots.values() for name in found.benchmarks})
        there = (
            f"there is {numbers.listed(known[:30], len(known[30:]))}"
            if known
            else "price lists rank nothing"
            if snapshots
            else "there is no capture"
        )
        raise DigestError(f"no source has {asked} in {at}; {there}.")
    if as_json:
        documents = [
            board_document(found, name, chosen.sources[name], str(at), benchmark, standings_of(found, benchmark))
            for name, found, benchmark in boards
        ]
        print_json({"week": str(at), "boards": documents})
        return
    for name, found, benchmark in boards:
        printing.board(found, chosen.sources[name], benchmark, standings_of(found, benchmark), top)


def _benchmark(found: Snapshot, category: str | None) -> str | None:
    if category is None:
        return found.lead
    wanted = category.casefold()
    names = {name.removeprefix("category:").casefold(): name for name in reversed(list(found.benchmarks))}
    return names.get(wanted.removeprefix("category:"))


app.command()(versus)
app.command()(pick)
