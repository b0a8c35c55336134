"""Commands about what the sources say: fetch, import, look at them, understand their names."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.cli import printing
from digest.cli.context import AsJson, database, now, print_json, progress, settings, who
from digest.edition.documents import resolved_document
from digest.errors import DigestError, UsageError
from digest.operations.status import read_status
from digest.scores.catalog import resolve as resolve_name
from digest.scores.recorded import find_recorded
from digest.weekly import collecting
from digest.weekly.calendar import Week, parse_week

app = typer.Typer(rich_markup_mode=None)
sources_app = typer.Typer(help="What is configured, and how it fares.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(sources_app, name="sources")


@app.command()
def snapshot(
    week: Annotated[str | None, typer.Option(help="only the current week can be fetched")] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch every source of config.toml into the current week.

    Example: digest snapshot
    """
    chosen = settings()
    this = Week.now(now(), chosen.series.zone)
    if week is not None and week != "latest" and parse_week(week) != this:
        raise UsageError(f"{week} is not the current week, {this}; a past week is imported by `digest backfill`.")
    with database(chosen) as engine, progress("fetching", len(chosen.enabled_sources)) as advance:
        results = []
        for result in collecting.collect(engine, chosen, now()):
            results.append(result)
            advance(1)
    _report(results, [], as_json=as_json)


@app.command()
def backfill(
    folder: Annotated[Path | None, typer.Argument(help="holds <source id>/<YYYY-MM-DD>.<ext>[.gz]")] = None,
    git: Annotated[Path | None, typer.Option(help="a local git clone to read the history of")] = None,
    path: Annotated[str, typer.Option(help="the file's path inside that clone")] = "",
    source: Annotated[str, typer.Option(help="the source that the file belongs to")] = "",
    as_json: AsJson = False,
) -> None:
    """Import recorded captures from a folder, or from the history of a file in a git clone.

    Example: digest backfill captures/
    Example: digest backfill --git ../aider --path aider/website/_data/polyglot_leaderboard.yml --source aider
    """
    if (folder is None) == (git is None) or (git is not None and not (path and source)):
        raise UsageError("name a folder, or --git REPO with --path and --source.")
    chosen = settings()
    skipped: list[tuple[Path, str]] = []
    with database(chosen) as engine:
        if folder is not None:
            captures, skipped = find_recorded(folder, chosen.sources)
            found, total = collecting.backfill(engine, chosen, captures), len(captures)
        else:
            found, total = collecting.backfill_history(engine, chosen, source, git or Path(), path), 0
        results = []
        with progress("importing", total) as advance:
            for result in found:
                results.append(result)
                advance(1)
    _report(results, skipped, as_json=as_json)


def _report(results: list[collecting.Collected], skipped: list[tuple[Path, str]], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "captures": [
                    {
                        "source": result.source,
                        "date": result.on.isoformat(),
                        "outcome": result.outcome,
                        "rows": result.rows,
                        "detail": result.detail,
                    }
                    for result in results
                ],
                "skipped": [{"path": str(place), "reason": why} for place, why in skipped],
            }
        )
    else:
        printing.collected(results, skipped)
    failed = [result for result in results if result.outcome == "failed"]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise DigestError(
            f"{len(failed)} of {len(results)} captures were left out: {failed[0].detail.rstrip('.')}{more}."
        )


@sources_app.command("list")
def sources_list(as_json: AsJson = False) -> None:
    """What is configured and how it fares.

    Example: digest sources list
    """
    chosen = settings()
    with database(chosen) as engine:
        found = {week.state.source: week for week in read_status(engine, chosen, now()).sources}
    if as_json:
        print_json(
            [
                {
                    "id": name,
                    "title": source.title,
                    "kind": source.kind,
                    "format": source.format,
                    "url": source.url,
                    "licence": source.licence,
                    "enabled": source.enabled,
                    "status": found[name].status if name in found else None,
                    "age_days": found[name].age_days if name in found else None,
                }
                for name, source in chosen.sources.items()
            ]
        )
        return
    printing.sources(chosen, found)


@sources_app.command("check")
def sources_check(name: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Fetch and read one source, and store nothing.

    Example: digest sources check livebench
    """
    printing.checked(collecting.check(settings(), name, now()))


@sources_app.command("accept")
def sources_accept(name: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Believe a capture that was held back as implausible.

    Example: digest sources accept livebench
    """
    chosen = settings()
    with database(chosen) as engine:
        capture = collecting.accept(engine, chosen, name, now(), who())
    print(f"{name}: the capture of {capture.on} is believed from now on; draft the week again.")


@app.command()
def resolve(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="raw names; - reads them from stdin")],
    source: Annotated[str | None, typer.Option(help="the source they come from")] = None,
    as_json: AsJson = False,
) -> None:
    """How raw names resolve to model and variant.

    Example: digest resolve gpt-5.5-xhigh "o3 (high)"
    """
    if source is not None:
        collecting.known_source(settings(), source)
    raw = [line.strip() for line in sys.stdin] if names == ["-"] else names
    found = [resolve_name(name) for name in raw if name]
    if as_json:
        print_json([resolved_document(name) for name in found])
    else:
        printing.resolved(found)
