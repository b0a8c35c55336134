"""Commands about the keys that open the API."""

from typing import Annotated

import typer

from digest.cli import reader_words
from digest.cli.context import AsJson, database, now, print_json, settings
from digest.operations.keys import SCOPES, add_key, list_keys, revoke_key

keys_app = typer.Typer(help="Keys that open the API.", rich_markup_mode=None, no_args_is_help=True)
app = typer.Typer(rich_markup_mode=None)
app.add_typer(keys_app, name="keys")


@keys_app.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(help="what the key is for, such as our-shop")],
    scope: Annotated[list[str], typer.Option(help="; ".join(f"{scope}: {what}" for scope, what in SCOPES.items()))],
) -> None:
    """Make a key and print it, this once.

    Example: digest keys add our-shop --scope subscribe
    """
    with database(settings()) as engine:
        print(add_key(engine, name, scope, now()))


@keys_app.command("list")
def keys_list(as_json: AsJson = False) -> None:
    """Keys with what they open; the keys themselves are kept nowhere.

    Example: digest keys list
    """
    with database(settings()) as engine:
        found = list_keys(engine)
    if not as_json:
        reader_words.keys(found)
        return
    moments = [(it.created_at.isoformat(), it.revoked_at.isoformat() if it.revoked_at else None) for it in found]
    print_json(
        [
            {"name": it.name, "scopes": list(it.scopes), "created_at": made, "revoked_at": revoked}
            for it, (made, revoked) in zip(found, moments, strict=True)
        ]
    )


@keys_app.command("revoke")
def keys_revoke(name: str) -> None:
    """Close a key at once and for good.

    Example: digest keys revoke our-shop
    """
    with database(settings()) as engine:
        revoke_key(engine, name, now())
    print("1 key revoked.")
