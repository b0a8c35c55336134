"""Commands about who gets the newsletter."""

from pathlib import Path
from typing import Annotated

import typer

from digest import membership
from digest.cli import printing
from digest.cli.context import AsJson, database, now, print_json, settings

subscribers_app = typer.Typer(help="Who gets the newsletter.", rich_markup_mode=None, no_args_is_help=True)
app = typer.Typer(rich_markup_mode=None)
app.add_typer(subscribers_app, name="subscribers")


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
        print_json(
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
