"""Commands about who gets the newsletter, and why."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from digest.cli import reader_words
from digest.cli.context import AsJson, WeekName, database, now, print_json, progress, settings
from digest.database import reading
from digest.edition.store import newest_edition
from digest.errors import StorageError, UsageError
from digest.membership import explaining, importing, listing, proving, retention
from digest.membership.listing import Filter
from digest.subscribers.consent import State
from digest.weekly import stages
from digest.weekly.calendar import Week, parse_week

subscribers_app = typer.Typer(help="Who gets the newsletter.", rich_markup_mode=None, no_args_is_help=True)
app = typer.Typer(rich_markup_mode=None)
app.add_typer(subscribers_app, name="subscribers")

OnlyState = Annotated[State | None, typer.Option("--state", help="only readers in this state of consent")]
OnlyCountry = Annotated[str | None, typer.Option("--country", help="only readers in this country, such as DE")]
OnlyLocale = Annotated[str | None, typer.Option("--locale", help="only readers of this language, such as en")]


@subscribers_app.command("add")
def subscribers_add(
    email: str,
    consented_at: Annotated[str, typer.Option(help="when the reader agreed: a date, or a time with its zone")],
    method: Annotated[str, typer.Option(help="how: the form, the event, the letter")],
    wording: Annotated[str, typer.Option(help="to which words, or their version")],
    country: Annotated[str, typer.Option(help="ISO code such as DE or US-CA")] = "",
    locale: Annotated[str, typer.Option(help="a language that mail is written in, such as en")] = "",
    topics: Annotated[str, typer.Option(help="separated by semicolons; all if none is named")] = "",
) -> None:
    """Add one reader with proof of consent.

    Example: digest subscribers add ada@example.org --consented-at 2026-04-30 --method form --wording "Yes, weekly"
    """
    fields = {"email": email, "consented_at": consented_at, "method": method, "wording": wording}
    chosen = settings()
    who = importing.newcomer({**fields, "country": country, "locale": locale, "topics": topics}, chosen, now())
    with database(chosen) as engine:
        importing.add(engine, chosen, who, now())
    print("1 reader added.")


@subscribers_app.command("import")
def subscribers_import(
    file: Path,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="do everything, then store nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="a CSV file to write what became of each line")] = None,
) -> None:
    """Import readers from a CSV file with columns email, consented_at, method, wording; all or none.

    It may have columns country, locale and topics (separated by semicolons), and those of an export.

    Example: digest subscribers import readers.csv --dry-run --report report.csv
    """
    chosen = settings()
    with database(chosen) as engine, progress("Importing", 2 * _lines_of(file)) as advance:
        done = importing.import_csv(engine, chosen, file, now(), dry_run=dry_run, report=report, advance=advance)
    reader_words.imported(done, dry_run=dry_run)


def _lines_of(file: Path) -> int:
    """About how many lines a file has, for a bar that shows how far the work is."""
    try:
        with file.open("rb") as opened:
            return sum(piece.count(b"\n") for piece in iter(lambda: opened.read(1 << 20), b"")) if file.is_file() else 0
    except OSError:
        return 0  # the import itself says what is wrong with it


@subscribers_app.command("list")
def subscribers_list(
    state: OnlyState = None, country: OnlyCountry = None, locale: OnlyLocale = None, as_json: AsJson = False
) -> None:
    """Readers with their state, all of them or those asked for.

    Example: digest subscribers list --state confirmed --country DE
    """
    with database(settings()) as engine:
        found = listing.list_subscribers(engine, Filter(state, country, locale))
        if not as_json:
            reader_words.subscribers(found)
            return
        print_json(
            [
                {"email": it.email, "state": it.consent.state, "country": it.consent.country, "locale": it.locale}
                for it in found
            ]
        )


@subscribers_app.command("export")
def subscribers_export(
    file: Annotated[str, typer.Argument(help="FILE.csv, FILE.json, or - for CSV on stdout")],
    state: OnlyState = None,
    country: OnlyCountry = None,
    locale: OnlyLocale = None,
) -> None:
    """Write readers with proof of consent into a file that only you may read, fit for importing again.

    Example: digest subscribers export readers.csv --state confirmed
    """
    which = Filter(state, country, locale)
    with database(settings()) as engine:
        if file == "-":
            listing.export(engine, sys.stdout, "csv", which)
            return
        if not file.endswith((".csv", ".json")):
            raise UsageError("an export is FILE.csv, FILE.json, or - for CSV on stdout.")
        with _private_file(Path(file)) as opened:
            count = listing.export(engine, opened, "json" if file.endswith(".json") else "csv", which)
    reader_words.exported(count, file)


@contextmanager
def _private_file(path: Path) -> Iterator[TextIO]:
    """A file of mode 0600 that is there only when it is whole. Raises StorageError."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with open(number, "w", encoding="utf-8", newline="") as file:
                yield file
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


@subscribers_app.command("remove")
def subscribers_remove(email: str) -> None:
    """Withdraw a reader's consent on their behalf.

    Example: digest subscribers remove ada@example.org
    """
    with database(settings()) as engine:
        gone = listing.remove(engine, email, now())
    print("1 reader removed." if gone else "this reader had left already.")


@subscribers_app.command("erase")
def subscribers_erase(
    email: str, yes: Annotated[bool, typer.Option("--yes", help="do not ask whether it is meant")] = False
) -> None:
    """Forget a reader for ever; what stays cannot be read as an address.

    Example: digest subscribers erase ada@example.org --yes
    """
    if not yes:
        typer.confirm("The address is taken away and cannot be brought back. Erase it?", abort=True, err=True)
    chosen = settings()
    with database(chosen) as engine:
        gone = listing.erase(engine, chosen, email, now())
    reader_words.erased(gone)


@subscribers_app.command("proof")
def subscribers_proof(email: str, as_json: AsJson = False) -> None:
    """The proof of a consent for a reader or a regulator, also of an erased address.

    Example: digest subscribers proof ada@example.org --json
    """
    chosen = settings()
    with database(chosen) as engine:
        found = proving.proof(engine, chosen, email, now())
    if as_json:
        facts = {"state": found.state, "holds": not found.faults, "faults": found.faults}
        print_json({**facts, "hashed_over": proving.HASHED_OVER, "events": found.events})
    else:
        reader_words.proof(found)


@subscribers_app.command("expire")
def subscribers_expire() -> None:
    """End requests that nobody confirmed and consents that nobody renewed; erase what is kept long enough.

    Example: digest subscribers expire
    """
    chosen = settings()
    with database(chosen) as engine:
        reader_words.expired(retention.expire(engine, chosen, now()))


@app.command("explain")
def explain(email: str, week: WeekName = "latest", as_json: AsJson = False) -> None:
    """Why this reader will get, got, or did not get a week's edition.

    Example: digest explain ada@example.org 2026-W18
    """
    chosen = settings()
    with database(chosen) as engine:
        with reading(engine) as connection:
            newest = newest_edition(connection) if week == "latest" else week
            at = parse_week(newest) if newest else Week.now(now(), chosen.series.zone)
            edition = stages.outgoing(connection, chosen, at, now())
        found = explaining.explain(engine, chosen, email, str(at), edition, now())
    if as_json:
        print_json(found._asdict())
    else:
        reader_words.explained(found)
