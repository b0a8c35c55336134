"""The commands. Every help text ends with an example that can be typed."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from digest import __version__, membership
from digest.changes.ranking import leaderboard as standings_of
from digest.cli import printing
from digest.cli.context import clock, database, now, progress, settings
from digest.config import Settings
from digest.database import reading
from digest.edition.documents import board_document, changes_document, resolved_document
from digest.edition.store import newest_edition
from digest.errors import DigestError, UsageError
from digest.operations.demo import run_demo
from digest.operations.status import audience, read_status
from digest.scores import store as scores
from digest.scores.catalog import resolve as resolve_name
from digest.scores.recorded import find_recorded
from digest.scores.snapshot import Snapshot
from digest.web.app import create_app
from digest.web.app import serve as serve_app
from digest.weekly import collecting, stages
from digest.weekly.calendar import Week, parse_week

app = typer.Typer(
    name="digest",
    help="What really changed among language models this week, mailed to those who asked, once.\n\n"
    "--config FILE, --now ISO-TIME and --debug may stand anywhere on the line; DIGEST_SECTION__KEY variables set keys.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
)
sources_app = typer.Typer(help="What is configured, and how it fares.", rich_markup_mode=None, no_args_is_help=True)
subscribers_app = typer.Typer(help="Who gets the newsletter.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(sources_app, name="sources")
app.add_typer(subscribers_app, name="subscribers")

WeekName = Annotated[str, typer.Argument(metavar="WEEK", help="2026-W17, any date in the week, or latest")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]


def _print_json(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"digest {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    _version: Annotated[
        bool, typer.Option("--version", help="print the version and end", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options that stand before a command."""


@app.command()
def demo(out: Annotated[Path, typer.Option(help="the folder to work in")] = Path("demo")) -> None:
    """The whole weekly path on two bundled weeks, without a network, into a Maildir.

    Example: digest demo --out demo
    """
    printing.demo(run_demo(out))


# Captures


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
        _print_json(
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
        _print_json(
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
        capture = collecting.accept(engine, chosen, name, now())
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
        _print_json([resolved_document(name) for name in found])
    else:
        printing.resolved(found)


# What changed


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
        before = stages.find_week(connection, chosen, previous, now())
        after = stages.find_week(connection, chosen, current, now())
        if before >= after:
            raise UsageError(f"{before} is not before {after}; name the older week first.")
        found = stages.compare_weeks(connection, chosen, before, after)
    if not found.sources:
        raise DigestError(f"no source has a capture in or before {after}; import some with `digest backfill DIR`.")
    if as_json:
        _print_json(changes_document(found, chosen.sources, str(before), str(after), everything=everything))
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
        at = stages.find_week(connection, chosen, week, now())
        snapshots = _snapshots(connection, chosen, at)
    boards = [
        (name, found, benchmark)
        for name, found in snapshots.items()
        if (benchmark := _benchmark(found, category)) is not None
    ]
    if not boards:
        asked = f'the category "{category}"' if category else "a ranking"
        known = sorted({name for found in snapshots.values() for name in found.benchmarks})
        there = (
            f"there is {', '.join(known[:30])}" if known else "price lists rank nothing" if snapshots else "no capture"
        )
        raise DigestError(f"no source has {asked} in {at}; {there}.")
    if as_json:
        documents = [
            board_document(found, name, chosen.sources[name], str(at), benchmark, standings_of(found, benchmark))
            for name, found, benchmark in boards
        ]
        _print_json({"week": str(at), "boards": documents})
        return
    for name, found, benchmark in boards:
        printing.board(found, chosen.sources[name], benchmark, standings_of(found, benchmark), top)


def _snapshots(connection: Connection, chosen: Settings, week: Week) -> dict[str, Snapshot]:
    found = {name: scores.newest_capture(connection, name, week.ends) for name in chosen.enabled_sources}
    return {name: scores.load_snapshot(connection, capture) for name, capture in found.items() if capture}


def _benchmark(found: Snapshot, category: str | None) -> str | None:
    if category is None:
        return found.lead
    wanted = category.casefold()
    names = {name.removeprefix("category:").casefold(): name for name in reversed(list(found.benchmarks))}
    return names.get(wanted.removeprefix("category:"))


# The edition


@app.command()
def draft(week: WeekName = "latest") -> None:
    """Compose and render a week's edition; the same inputs give the same bytes.

    Example: digest draft 2026-W18
    """
    chosen = settings()
    with database(chosen) as engine:
        with reading(engine) as connection:
            at = stages.find_week(connection, chosen, week, now())
        result = stages.draft(engine, chosen, at, now())
    printing.drafted(result)
    printing.next_step(f"digest approve {at}" if not result.stored.approved else f"digest send {at}")


@app.command()
def approve(week: WeekName = "latest") -> None:
    """Pin the content hash of a draft, so that these bytes and no others are sent; prints the hash.

    Example: digest approve 2026-W18
    """
    chosen = settings()
    with database(chosen) as engine:
        print(stages.approve(engine, _edition_week(engine, week), now()).content_hash)


@app.command()
def send(
    week: WeekName = "latest",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="count the readers, queue and send nothing")] = False,
) -> None:
    """Queue an approved edition to its readers and send it; resumes one that was interrupted.

    Example: digest send 2026-W18
    """
    chosen = settings()
    with database(chosen) as engine:
        at = _edition_week(engine, week)
        count = audience(engine, at)
        if dry_run:
            print(f"{at} would go to {count:,} readers; nothing was queued or sent.")
            return
        with progress("sending", count) as advance:
            result = stages.send(engine, chosen, at, clock(), advance)
    printing.sent(result)


def _edition_week(engine: Any, text: str) -> Week:
    if text != "latest":
        return parse_week(text)
    with reading(engine) as connection:
        newest = newest_edition(connection)
    if newest is None:
        raise DigestError("there is no edition yet; run `digest draft` first.")
    return parse_week(newest)


@app.command()
def weekly(week: Annotated[str | None, typer.Option(help="another week than the current one")] = None) -> None:
    """All stages of a week that are due, in order; what the scheduler calls. Run again, it goes on where it ended.

    Example: digest weekly --week 2026-W18
    """
    chosen = settings()
    this = Week.now(now(), chosen.series.zone)
    with database(chosen) as engine:
        with reading(engine) as connection:
            at = this if week is None else stages.find_week(connection, chosen, week, now())
        if at == this and not stages.is_queued(engine, at):
            results = list(collecting.collect(engine, chosen, now(), missing_in=at))
            if results:
                printing.collected(results)
        for earlier in stages.send_unfinished(engine, chosen, at, clock()):
            printing.sent(earlier)
        with progress("sending", audience(engine, at)) as advance:
            run = stages.run_week(engine, chosen, at, clock(), advance)
    if run.drafted is not None:
        printing.drafted(run.drafted)
    if run.sent is None:
        printing.next_step(f"look at it, then `digest approve {at}` and `digest send {at}`")
    else:
        printing.sent(run.sent)


# Readers


@subscribers_app.command("add")
def subscribers_add(
    email: str,
    consented_at: Annotated[str, typer.Option(help="when the reader agreed: a date, or a time with its zone")],
    method: Annotated[str, typer.Option(help="how: the form, the event, the letter")],
    wording: Annotated[str, typer.Option(help="to which words, or their version")],
    country: Annotated[str, typer.Option(help="ISO code of two letters")] = "",
    locale: Annotated[str, typer.Option(help="such as en or de")] = "",
    topics: Annotated[str, typer.Option(help="separated by semicolons")] = "",
) -> None:
    """Add one reader with proof of consent.

    Example: digest subscribers add ada@example.org --consented-at 2026-04-30 --method form --wording v1
    """
    fields = {"email": email, "consented_at": consented_at, "method": method, "wording": wording}
    chosen = settings()
    texts = {**fields, "country": country, "locale": locale, "topics": topics}
    who = membership.newcomer(texts, now(), chosen.series.zone)
    with database(chosen) as engine:
        membership.add(engine, who, now())
    print("1 reader added.")


@subscribers_app.command("import")
def subscribers_import(file: Path) -> None:
    """Import readers from a CSV file with columns email, consented_at, method, wording; all or none.

    Example: digest subscribers import readers.csv
    """
    chosen = settings()
    with database(chosen) as engine:
        done = membership.import_csv(engine, file, now(), chosen.series.zone)
    print(f"{done.added:,} added, {done.known:,} known already, {done.withdrawn:,} had left and stay away.")


@subscribers_app.command("list")
def subscribers_list(as_json: AsJson = False) -> None:
    """All readers with their state.

    Example: digest subscribers list
    """
    with database(settings()) as engine:
        found = list(membership.list_subscribers(engine))
    if as_json:
        _print_json(
            [
                {"email": it.email, "state": it.consent.state, "country": it.consent.country, "locale": it.locale}
                for it in found
            ]
        )
    else:
        printing.subscribers(found)


@subscribers_app.command("remove")
def subscribers_remove(email: str) -> None:
    """Withdraw a reader's consent on their behalf.

    Example: digest subscribers remove ada@example.org
    """
    with database(settings()) as engine:
        gone = membership.remove(engine, email, now())
    print("1 reader removed." if gone else "this reader had left already.")


# Running


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="the address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="the port to listen on", min=0, max=65535)] = None,
    no_scheduler: Annotated[  # noqa: ARG001 (pages are all that is served as yet)
        bool, typer.Option("--no-scheduler", help="pages only")
    ] = False,
) -> None:
    """Serve the pages that a mail links to: unsubscribe, and /healthz for a watchdog.

    Example: digest serve --port 8000
    """
    chosen = settings()
    with database(chosen) as engine:
        serve_app(
            create_app(engine, chosen, clock()), host or chosen.web.host, chosen.web.port if port is None else port
        )


@app.command()
def status(as_json: AsJson = False) -> None:
    """Sources, the newest edition, its queue, and what needs a person.

    Example: digest status --json
    """
    chosen = settings()
    with database(chosen) as engine:
        found = read_status(engine, chosen, now())
    if not as_json:
        printing.status(found, chosen)
        return
    _print_json(
        {
            "week": str(found.week),
            "sources": [
                {"id": it.state.source, "status": it.status, "age_days": it.age_days, "failure": it.state.failure}
                for it in found.sources
            ],
            "edition": found.edition,
            "approved": found.approved,
            "deliveries": dict(found.tally),
            "needs": list(found.needs),
            "unresolved": list(found.unresolved),
        }
    )
