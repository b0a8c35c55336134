"""The command that looks at an edition before anybody gets it."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from digest.cli import printing
from digest.cli.context import AsJson, WeekName, database, print_json, settings
from digest.config import Settings
from digest.database import reading
from digest.edition.numbers import several
from digest.edition.store import StoredEdition, load_edition, newest_edition
from digest.errors import DigestError
from digest.operations.checking import check_edition, one_of_each, specimens
from digest.operations.pictures import take_pictures
from digest.rendering.lint.page import Finding, Level
from digest.weekly.calendar import parse_week

app = typer.Typer(rich_markup_mode=None)

_STYLES: Mapping[Level, str] = {"error": "red", "warning": "yellow", "note": "dim"}


@app.command()
def preview(
    week: WeekName = "latest",
    check: Annotated[bool, typer.Option("--check", help="every finding, one a line; exits 1 on an error")] = False,
    as_json: AsJson = False,
    screenshot: Annotated[
        Path | None, typer.Option(metavar="DIR", help="a folder for pictures of the mails; wants Chromium")
    ] = None,
) -> None:
    """Look at a drafted edition before anybody gets it: check each mail as it would be sent, take pictures of it.

    Without an option it says only how many errors, warnings and notes there are.

    Example: digest preview 2026-W18 --check
    """
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
        _print(found, stored, in_full=check)
    if (check or as_json) and any(finding.level == "error" for finding in found):
        raise typer.Exit(1)


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


def _print(found: Sequence[Finding], stored: StoredEdition, in_full: bool) -> None:
    for one in found if in_full else ():
        where = f" {one.check}, {one.section} ({one.rendition}): "
        line = Text.assemble((f"{one.level:7}", _STYLES[one.level]), where, (one.what, "bold"), f" {one.do}")
        printing.out.print(line, soft_wrap=True)
    counted = Counter(finding.level for finding in found)
    said = ", ".join(several(counted[level], level) for level in _STYLES)
    printing.out.print(Text(f"{stored.week}: {said}."))
    if found and not in_full:
        printing.next_step(f"digest preview {stored.week} --check")
    elif not counted["error"]:
        printing.next_step(f"digest {'send' if stored.approved else 'approve'} {stored.week}")
