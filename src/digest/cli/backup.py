"""Commands that copy the database, put a copy in its place, and let that send again."""

from pathlib import Path
from typing import Annotated

import typer

from digest.cli import printing, reader_words
from digest.cli.context import database, now, settings, who
from digest.delivery.outbox import Mailing
from digest.edition.numbers import several
from digest.operations import restoring
from digest.operations.backup import back_up
from digest.operations.replaying import Replayed

app = typer.Typer(rich_markup_mode=None)

Yes = Annotated[bool, typer.Option("--yes", help="do not ask whether it is meant")]


@app.command()
def backup(
    file: Path, force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False
) -> None:
    """Copy the database into a file, at any time; config.toml and the notes are not in it. It holds readers' addresses:
    encrypt it.

    Example: digest backup digest-2026-05-04.backup
    """
    with database(settings()) as engine:
        size = back_up(engine, file, now(), force=force)
    print(f"{file}: {size:,} bytes, with readers' addresses in them: encrypt it, and keep it elsewhere.")


@app.command()
def restore(
    file: Path,
    replay_from: Annotated[
        str | None, typer.Option(metavar="OLD", help="the newer database, even if damaged: its path, or its URL")
    ] = None,
) -> None:
    """Put a backup in place of the database. It sends nothing until `digest accept-restore`.

    With --replay-from it learns from the database that it replaces who left since, and what was sent.

    Example: digest restore digest-2026-05-04.backup --replay-from digest.db
    """
    chosen = settings()
    done = restoring.restore(chosen, file, replay_from, now())
    print(f"The database is now the copy of {done.backed_up_at:%Y-%m-%d %H:%M} UTC. It sends nothing yet.")
    if done.kept is not None:
        print(f"What was there is kept as {done.kept}.")
    for finding in done.consent_log:
        reader_words.finding(finding)
    if done.replayed is not None:
        _print_replayed(done.replayed)
    printing.next_step("digest accept-restore")


@app.command("accept-restore")
def accept_restore(
    nothing_was_sent: Annotated[
        bool, typer.Option("--nothing-was-sent", help="you know that no mail went out since the backup")
    ] = False,
    yes: Yes = False,
) -> None:
    """Let a restored copy send again, once you have seen what would go out.

    Example: digest accept-restore
    """
    chosen = settings()
    with database(chosen) as engine:
        foreseen = restoring.foresee(engine, chosen, now(), nothing_was_sent=nothing_was_sent)
        _print_foreseen(foreseen)
        if not yes:
            typer.confirm("Let it send again?", abort=True, err=True)
        restoring.accept(engine, chosen, who(), now(), nothing_was_sent=nothing_was_sent)
    print("The copy is accepted; mail goes out again.")


def _print_replayed(done: Replayed) -> None:
    rows = (
        (done.ended, "left since the backup, or their mail came back"),
        (done.paused, "paused since"),
        (done.erased, "erased since, and erased here"),
        (done.came_back, "left and came back: a consent is not taken over, so ask them again"),
        (done.deliveries, "deliveries that went, or may have gone"),
        (done.doubted, "deliveries of which nothing can be read: held as uncertain"),
        (done.waiting, "deliveries queued since that wait: they go out once you accept"),
        (done.missed, "deliveries queued since that go to nobody: the backup has no such edition approved"),
        (done.skipped, "weeks that were skipped since"),
    )
    print("Taken over from the newer database:")
    for count, what in rows:
        print(f"  {count:>9,}  {what}")
    for sentence in done.unread:
        print(f"  !  {sentence}.")


def _print_foreseen(foreseen: restoring.Foreseen) -> None:
    print(f"This is a copy of {foreseen.backed_up_at:%Y-%m-%d %H:%M} UTC.")
    print("Waiting mail that would go out:" if foreseen.going else "No mail is waiting to go out.")
    for mailing, count in foreseen.going:
        print(f"  {count:>9,}  {_title(mailing)}")
    if foreseen.doubted:
        print("Held as uncertain, for it may have gone since the backup (digest reconcile settles it):")
    for mailing, count in foreseen.doubted:
        print(f"  {count:>9,}  {_title(mailing)}")
    if foreseen.closed:
        weeks = ", ".join(foreseen.closed)
        print(f"{several(len(foreseen.closed), 'week')} whose edition may have been sent, so none goes out: {weeks}.")
    if foreseen.doubted or foreseen.closed:
        print("If you know that no mail went out since the backup: digest accept-restore --nothing-was-sent")


def _title(mailing: Mailing) -> str:
    return f"edition of {mailing.week}" if mailing.kind == "edition" else f"{mailing.kind} of {mailing.week}"
