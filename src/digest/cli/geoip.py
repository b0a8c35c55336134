"""Commands about the country database."""

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.context import now, settings
from digest.subscribers import country_file

geoip_app = typer.Typer(help="Which country an address is in.", rich_markup_mode=None, no_args_is_help=True)
app = typer.Typer(rich_markup_mode=None)
app.add_typer(geoip_app, name="geoip")


@geoip_app.command("update")
def geoip_update(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help=".mmdb, .mmdb.gz or MaxMind's .tar.gz")] = None,
) -> None:
    """Fetch DB-IP's free country database, or take a file of yours; it is checked before it replaces the old one.

    Example: digest geoip update
    Example: digest geoip update GeoLite2-Country.tar.gz
    """
    chosen = settings()
    data = country_file.read_file(file) if file else country_file.fetch_newest(chosen.fetch, now())
    path = chosen.location.database
    found = country_file.install(data, path, chosen.fetch.max_megabytes * 1_000_000, now())
    print(f"{path}: {found.kind}, built {found.built:%Y-%m-%d}.")
    if found.kind.upper().startswith("DBIP"):
        print("It is DB-IP's under CC BY 4.0, which wants a link to https://db-ip.com on a page; /privacy has it.")
    else:
        print("Its maker's licence may want a word on a page; /privacy names DB-IP (templates/web/privacy.html).")
