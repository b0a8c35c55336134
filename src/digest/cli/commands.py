"""The program and the commands about running it. Every help text ends with an example that can be typed."""

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from digest import __version__
from digest.cli import captures, doctor, editions, geoip, keys, preview, printing, questions, readers, returns, stories
from digest.cli.context import AsJson, clock, database, now, print_json, settings
from digest.delivery.workers import bounces_read, editions_sent, letters_sent
from digest.membership.retention import expire
from digest.membership.returned import facts, take_mail
from digest.operations.demo import run_demo
from digest.operations.status import read_status
from digest.web.app import create_app
from digest.web.app import serve as serve_app
from digest.weekly import stages

app = typer.Typer(
    name="digest",
    help="What really changed among language models this week, mailed to those who asked, once.\n\n"
    "--config FILE, --now ISO-TIME and --debug may stand anywhere on the line; DIGEST_SECTION__KEY variables set keys.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
)
for part in (captures, questions, editions, stories, preview, readers, returns, keys, geoip, doctor):
    app.add_typer(part.app)


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


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="the address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="the port to listen on", min=0, max=65535)] = None,
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="pages only; send nothing")] = False,
) -> None:
    """Serve the pages (sign-up, confirmation, preferences, editions), send the letters that they ask for, go on with
    editions that are queued.

    Example: digest serve --port 8000
    """
    chosen, running = settings(), clock()
    with database(chosen) as engine:
        app = create_app(engine, chosen, running)
        where = host or chosen.web.host, chosen.web.port if port is None else port
        if no_scheduler:
            serve_app(app, *where)
            return
        clearing = partial(expire, engine, chosen)
        complain, bounces = partial(print, file=sys.stderr, flush=True), partial(take_mail, engine, chosen)
        going_on = partial(stages.send_unfinished, engine, chosen, None, running, complain)
        with (
            letters_sent(engine, chosen, running, clearing, complain),
            editions_sent(going_on, chosen, complain),
            bounces_read(bounces, chosen, running, complain),
        ):
            serve_app(app, *where)


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
    print_json(
        {
            "week": str(found.week),
            "sources": [
                {"id": it.state.source, "status": it.status, "age_days": it.age_days, "failure": it.state.failure}
                for it in found.sources
            ],
            "edition": found.edition,
            "approved": found.approved,
            "deliveries": dict(found.tally),
            "uncertain": dict(found.uncertain),
            "returned": facts(found.returned),
            "control": found.control,
            "progress": asdict(found.progress) if found.progress else None,
            "limits": [asdict(limit) for limit in found.limits],
            "needs": list(found.needs),
            "unresolved": list(found.unresolved),
        }
    )
