"""The command that looks at an edition before anybody gets it."""

import signal
import sys
import webbrowser
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Annotated

import typer
from rich.text import Text

from digest.cli import printing
from digest.cli.context import AsJson, WeekName, clock, config_file, database, now, print_json, settings, who
from digest.config.settings import Settings
from digest.database import reading
from digest.desk.access import Door
from digest.desk.app import serve
from digest.desk.readers import As
from digest.desk.state import Desk
from digest.edition.numbers import several
from digest.edition.store import StoredEdition, load_edition, newest_edition
from digest.errors import DigestError
from digest.membership.addresses import email_key
from digest.operations.checking import check_edition, one_of_each, specimens
from digest.operations.pictures import take_pictures
from digest.rendering.lint.page import Finding, Level
from digest.weekly.calendar import parse_week
from digest.weekly.composing import find_week

app = typer.Typer(rich_markup_mode=None)

_STYLES: Mapping[Level, str] = {"error": "red", "warning": "yellow", "note": "dim"}


@app.command()
def preview(
    week: WeekName = "latest",
    check: Annotated[bool, typer.Option("--check", help="no desk: every finding; exits 1 on an error")] = False,
    as_json: AsJson = False,
    screenshot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="no desk: a folder for pictures of the mails; wants Chromium")
    ] = None,
    as_whom: Annotated[str, typer.Option("--as", metavar="EMAIL", help="the reader whose mail is shown first")] = "",
    port: Annotated[int, typer.Option(help="the desk's port on 127.0.0.1; 0 takes a free one", min=0, max=65535)] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="print the address, open no browser")] = False,
) -> None:
    """The editor's desk: a page on this machine that shows the draft and follows what you save, until you stop it.

    It shows every view of each reader's mail, the checks, the stories with their receipts, the note, and approves. With
    --check, --json or --screenshot there is no desk: the stored edition is checked, or pictured.

    Example: digest preview 2026-W18
    """
    if not (check or as_json or screenshot):
        _desk(week, as_whom, port, no_open)
        return
    chosen = settings()
    stored = _stored(chosen, week)
    if screenshot is not None:
        taken = list(take_pictures(stored.week, one_of_each(specimens(stored, chosen)), screenshot))
        print(f"{several(len(taken), 'picture')} in {screenshot}", file=sys.stderr)
        if not (check or as_json):
            return
    found = check_edition(stored, chosen)
    if as_json:
        print_json([_document(finding) for finding in found])
    else:
        _print(found, stored)
    if any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


def _desk(week: str, as_whom: str, port: int, no_open: bool) -> None:
    """Open the desk and keep it open."""
    chosen, running = settings(), clock()
    shown_as = As(email=email_key(as_whom)) if as_whom else As()

    def opened(door: Door) -> None:
        print(f"the desk of {at}: {door.address}", flush=True)
        print("The address opens it once, in one browser. Ctrl-C closes it.", file=sys.stderr)
        if not no_open:
            page = door.lead(Path(folder)).as_uri()
            Thread(target=webbrowser.open, args=(page,), daemon=True).start()  # some browsers are waited for

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # nothing is left behind then either
    with database(chosen) as engine, TemporaryDirectory(prefix="digest-desk-") as folder:
        with reading(engine) as connection:
            at = find_week(connection, chosen, week, now())
        serve(Desk(engine, at, settings, config_file(), running, chosen, who(), shown_as=shown_as), port, opened)


def _stored(chosen: Settings, week: str) -> StoredEdition:
    with database(chosen) as engine, reading(engine) as connection:
        name = newest_edition(connection) if week == "latest" else str(parse_week(week))
        stored = load_edition(connection, name) if name else None
    if stored is None:
        raise DigestError(f"there is no edition{f' of {name}' if name else ''} yet; run `digest draft` first.")
    return stored


def _document(finding: Finding) -> dict[str, str]:
    names = ("level", "check", "section", "rendition", "what", "do")
    return {name: getattr(finding, name) for name in names}


def _print(found: Sequence[Finding], stored: StoredEdition) -> None:
    for one in found:
        where = f" {one.check}, {one.section} ({one.rendition}): "
        line = Text.assemble((f"{one.level:7}", _STYLES[one.level]), where, (one.what, "bold"), f" {one.do}")
        printing.out.print(line, soft_wrap=True)
    counted = Counter(finding.level for finding in found)
    said = ", ".join(several(counted[level], level) for level in _STYLES)
    printing.out.print(Text(f"{stored.week}: {said}."))
    if not counted["error"]:
        printing.next_step(f"digest {'send' if stored.approved else 'approve'} {stored.week}")
