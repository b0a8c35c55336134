"""Commands about what came back, and about deliveries of which nobody knows what became."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from digest.cli import printing
from digest.cli.context import AsJson, database, now, print_json, settings
from digest.database import reading
from digest.delivery import reconciling
from digest.delivery.reconciling import Uncertain
from digest.edition.numbers import several
from digest.edition.store import newest_edition
from digest.errors import ConfigError, StorageError, UsageError
from digest.membership import returned
from digest.membership.explaining import moment
from digest.weekly.calendar import parse_week

bounces_app = typer.Typer(help="Mail that came back.", rich_markup_mode=None)
app = typer.Typer(rich_markup_mode=None)
app.add_typer(bounces_app, name="bounces")

_SAID = {
    "bounced": "came back: their deliveries failed",
    "complained": "reported as spam: these readers get no more mail",
    "unsubscribed": "left by their provider's link",
    "delivered": "reported as delivered",
    "late": "still being tried",
    "automatic": "automatic answers, which change nothing",
    "unproven": "flagged: no signature of ours shows whose they are",
    "unreadable": "flagged: a person should read them",
}


@bounces_app.callback(invoke_without_command=True)
def bounces(context: typer.Context, as_json: AsJson = False) -> None:
    """Read returned mail and complaints from the mailbox of [bounces]; what they say of readers follows at once.

    Example: digest bounces --json
    """
    if context.invoked_subcommand is not None:
        return
    chosen = settings()
    if chosen.bounces.maildir is None and not chosen.bounces.imap.host:
        raise ConfigError("[bounces] names no mailbox: set maildir, or imap.host.")
    with database(chosen) as engine:
        counted = returned.facts(returned.take_mail(engine, chosen, now()))
    if as_json:
        print_json(counted)
        return
    print(f"{several(sum(counted.values()), 'mail')} read.")
    for kind, count in counted.items():
        if count:
            print(f"  {count:>7,}  {_SAID[kind]}")


@bounces_app.command("undo")
def bounces_undo(
    email: Annotated[str | None, typer.Argument(help="one reader; also takes back a complaint")] = None,
    since: Annotated[str | None, typer.Option(help="every bounce since this ISO time; complaints stay")] = None,
) -> None:
    """Give back a consent that a bounce or a complaint ended, when it was none: at the reader's word, or after a
    provider's mistake.

    Example: digest bounces undo ada@example.org
    Example: digest bounces undo --since 2026-05-04T09:00:00Z
    """
    if (email is None) is (since is None):
        raise UsageError("name one reader, or a time with --since.")
    with database(settings()) as engine:
        if email is not None:
            done = returned.undo(engine, email, now())
            print("1 reader is back." if done else "neither a bounce nor a complaint ended this reader's consent.")
        else:
            print(f"{several(returned.undo_since(engine, _time(since or ''), now()), 'reader')} back.")


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'--since "{text}" is no ISO 8601 time; write 2026-05-04T09:00:00Z.') from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@app.command()
def reconcile(
    week: Annotated[str | None, typer.Argument(metavar="[WEEK]", help="2026-W17, any date in it; all if none")] = None,
    log: Annotated[
        Path | None, typer.Option(help="Postfix's mail.log, or a provider's JSON lines; - for stdin")
    ] = None,
    sent: Annotated[bool, typer.Option("--sent", help="a person says: the readers have it")] = False,
    not_sent: Annotated[bool, typer.Option("--not-sent", help="a person says: nobody has it; send it again")] = False,
    only: Annotated[list[int] | None, typer.Option("--only", help="a reader's number as listed; repeatable")] = None,
    with_addresses: Annotated[bool, typer.Option("--addresses", help="show the readers' addresses")] = False,
    as_json: AsJson = False,
) -> None:
    """Deliveries of which nobody knows whether they arrived: list them, and settle them by a log or by your word.

    Example: digest reconcile 2026-W18
    Example: digest reconcile 2026-W18 --log /var/log/mail.log
    Example: digest reconcile 2026-W18 --not-sent --only 4823470192837465
    """
    if sent and not_sent:
        raise UsageError("--sent and --not-sent cannot both be so.")
    chosen = settings()
    with database(chosen) as engine:
        at = _week(engine, week)
        found = _wanted(reconciling.uncertain(engine, chosen, at), only)
        settled = 0
        if log is not None:
            with _opened(log) as lines:
                settled += reconciling.by_log(engine, chosen, lines, found, now())
            found = _wanted(reconciling.uncertain(engine, chosen, at), only)
        if sent or not_sent:
            settled += reconciling.by_word(engine, found, "sent" if sent else "not sent", now())
            found = _wanted(reconciling.uncertain(engine, chosen, at), only)
        who = reconciling.addresses(engine, found) if with_addresses else {}
    _print(found, who, settled, as_json=as_json, asked=log is not None or sent or not_sent)
    if not_sent and settled and not as_json:
        printing.next_step(f"digest send {at or 'WEEK'}")


def _week(engine: Engine, text: str | None) -> str | None:
    if text != "latest":
        return None if text is None else str(parse_week(text))
    with reading(engine) as connection:
        return newest_edition(connection)


def _wanted(found: list[Uncertain], only: list[int] | None) -> list[Uncertain]:
    return [one for one in found if not only or one.subscriber_id in only]


def _print(found: list[Uncertain], who: dict[int, str], settled: int, *, as_json: bool, asked: bool) -> None:
    if as_json:
        left = [
            {
                "subscriber": one.subscriber_id,
                "kind": one.kind,
                "week": one.week,
                "message_id": one.message_id,
                "since": one.since.isoformat(),
                **({"email": who[one.subscriber_id]} if one.subscriber_id in who else {}),
            }
            for one in found
        ]
        print_json({"settled": settled, "uncertain": left})
        return
    if asked:
        print(f"{several(settled, 'delivery')} settled.")
    if not found:
        print("No delivery is uncertain.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False, padding=(0, 2, 0, 0))
    for head in ("Reader", "Mailing", "Since", "Message-ID"):
        table.add_column(head, overflow="fold")
    for one in found:
        reader = who.get(one.subscriber_id, str(one.subscriber_id))
        mailing = one.week if one.kind == "edition" else f"{one.kind} {one.week}"
        table.add_row(Text(reader), mailing, moment(one.since), one.message_id)
    printing.out.print(table)
    print(f"{several(len(found), 'delivery')} uncertain: --log FILE, --sent or --not-sent settles them.")


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """A log as text, whatever its bytes; also one that was rotated into a .gz."""
    if str(path) == "-":
        yield sys.stdin
        return
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8", errors="replace") as file:
            yield file
    except (OSError, EOFError) as error:
        raise StorageError(
            f"the log {path} cannot be read: {getattr(error, 'strerror', None) or 'it is cut off'}."
        ) from error
