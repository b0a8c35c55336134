"""What every command shares: common options, the settings, the database, the clock, and how JSON is printed."""

import json
import os
import pwd
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from sqlalchemy import Engine

from digest.config.assets import asset
from digest.config.loading import load_settings
from digest.config.settings import Settings
from digest.database import open_database
from digest.errors import UsageError

WeekName = Annotated[str, typer.Argument(metavar="WEEK", help="2026-W17, any date in the week, or latest")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON document on stdout")]

_VALUED = ("--config", "--now")


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """`now` is when the program was started, or what --now says; then `set` is true."""

    config: Path | None
    now: datetime
    set: bool = False


_chosen: list[GlobalOptions] = []


def take_global_options(words: Sequence[str]) -> list[str]:
    """Take --config, --now and --debug from anywhere on the line; the rest is the command's. Raises UsageError."""
    rest: list[str] = []
    found: dict[str, str] = {}
    left = iter(words)
    for word in left:
        name, equals, value = word.partition("=")
        if word == "--":
            rest += [word, *left]
        elif name in _VALUED:
            taken = value if equals else next(left, None)
            if not taken:
                raise UsageError(f"{name} wants a value.")
            found[name] = taken
        elif word != "--debug":
            rest.append(word)
    config = Path(found["--config"]) if "--config" in found else None
    moment = _moment(found["--now"]) if "--now" in found else datetime.now(UTC)  # noqa: TID251 (the program's edge)
    _chosen[:] = [GlobalOptions(config, moment, "--now" in found)]
    return rest


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'--now "{text}" is no ISO 8601 time; write 2026-04-28T09:00:00Z.') from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def now() -> datetime:
    """The moment of this command."""
    return _chosen[0].now


def clock() -> Callable[[], datetime]:
    """The machine's clock; with --now one that starts at that moment and runs on."""
    if not _chosen[0].set:  # a machine that slept, or whose clock was corrected, is at its new time
        return lambda: datetime.now(UTC)  # noqa: TID251 (the program's edge)
    start, began = now(), time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def who() -> str:
    """Who runs this command: the account that logged in, else the one that it runs as."""
    try:
        return os.getlogin()
    except OSError:  # no terminal, as in a container; what the environment says of a name is anybody's to say
        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            return f"user {os.getuid()}"


def settings() -> Settings:
    """The settings of this command. Raises ConfigError."""
    return load_settings(_chosen[0].config)


def config_file() -> Path:
    """The file that the settings of this command are read from."""
    here = Path("config.toml")
    return _chosen[0].config or (here if here.is_file() else asset("config.toml"))


@contextmanager
def database(chosen: Settings) -> Iterator[Engine]:
    """The database, closed at the end. Raises StorageError."""
    engine = open_database(chosen.database.url)
    try:
        yield engine
    finally:
        engine.dispose()


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def progress(label: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """A bar on stderr with the rate and the time left, which vanishes; nothing where stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda done: bar.update(task, advance=done)
