"""The command that looks whether everything is there that the program stands on."""

from collections.abc import Iterator

import typer

from digest.cli import reader_words
from digest.cli.context import AsJson, database, now, print_json, settings
from digest.errors import ConfigError, StorageError
from digest.operations import dns_records
from digest.operations.doctor import examine
from digest.operations.findings import Finding

app = typer.Typer(rich_markup_mode=None)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Settings, database, consent log, keys, transport, DNS records, regimes, templates: one line each, and what to do.

    Example: digest doctor
    """
    found = []
    for finding in _findings():
        found.append(finding)
        if not as_json:
            reader_words.finding(finding)
    if as_json:
        print_json([finding._asdict() for finding in found])
    if any(finding.level == "fail" for finding in found):
        raise typer.Exit(1)


def _findings() -> Iterator[Finding]:
    try:
        chosen = settings()
    except ConfigError as error:
        yield Finding("settings", "fail", str(error))
        return
    yield Finding("settings", "ok", "config.toml can be read.")
    try:
        with database(chosen) as engine:
            yield from examine(engine, chosen, now(), dns_records.ask)
    except StorageError as error:
        yield Finding("database", "fail", str(error))
