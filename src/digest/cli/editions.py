"""Commands about a week's edition: draft, approve, send, pause; or all stages that are due."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy import Engine

from digest.cli import edition_words, printing
from digest.cli.context import WeekName, clock, database, now, progress, settings, who
from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import counting, jobs, outbox
from digest.delivery.sending import send_letters
from digest.delivery.workers import letters_sent
from digest.edition.store import newest_edition
from digest.errors import DigestError, StorageError
from digest.membership.retention import expire
from digest.membership.returned import take_mail_if_it_can
from digest.operations import approving, halting, logs
from digest.operations.alerts import tell, tell_of_database
from digest.operations.announcing import announce
from digest.operations.needs import Need
from digest.operations.status import audience, limited
from digest.operations.trials import send_test
from digest.weekly import composing, stages
from digest.weekly.calendar import Week, parse_week
from digest.weekly.running import Ran, run_due, vouch

app = typer.Typer(rich_markup_mode=None)


@app.command()
def draft(week: WeekName = "latest") -> None:
    """Compose and render a week's edition; the same inputs give the same bytes.

    Example: digest draft 2026-W18
    """
    chosen = settings()
    with database(chosen) as engine:
        with reading(engine) as connection:
            at = composing.find_week(connection, chosen, week, now())
        result = stages.draft(engine, chosen, at, now(), who())
    printing.drafted(result)
    edition_words.misfits(result.misfits)
    printing.next_step(f"digest approve {at}" if not result.stored.approved else f"digest send {at}")


@app.command()
def approve(week: WeekName = "latest") -> None:
    """Pin the content hash of a draft, so that these bytes and no others are sent; prints the hash.

    Checks it first: an error in a mail blocks it. Where [approval] needs several, it is pinned with the last of them.

    Example: digest approve 2026-W18
    """
    chosen = settings()
    with database(chosen) as engine:
        done = approving.approve(engine, chosen, _edition_week(engine, week), who(), now())
    if done.stored.approved:
        print(done.stored.content_hash)
    edition_words.approved(done)


@app.command()
def send(
    week: WeekName = "latest",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="count the readers, queue and send nothing")] = False,
    queue_only: Annotated[bool, typer.Option("--queue-only", help="queue it and leave the sending to workers")] = False,
    test: Annotated[
        list[str] | None,
        typer.Option("--test", metavar="EMAIL", help="a test to this address alone, at most ten; no reader gets it"),
    ] = None,
) -> None:
    """Queue an approved edition to its readers and send it; resumes one that was interrupted.

    Example: digest send 2026-W18
    """
    chosen = settings()
    with database(chosen) as engine:
        at = _edition_week(engine, week)
        if test:
            edition_words.tested(at, send_test(engine, chosen, at, test, who(), now()))
            return
        if dry_run:
            printing.forecast(at, stages.forecast(engine, chosen, at, now()))
            return
        with progress("sending", *audience(engine, at)) as advance:
            result = stages.send(engine, chosen, at, clock(), advance, queue_only=queue_only, who=who())
        limits = limited(engine, chosen, now())
    printing.sent(result)
    printing.limits(limits)


@app.command()
def pause(week: WeekName = "latest") -> None:
    """Stop sending an edition, on every machine, until it is resumed; at most the batches on their way still go out.

    Example: digest pause 2026-W18
    """
    with database(settings()) as engine:
        mailing = _mailing(engine, week)
        halting.halt(engine, mailing, "paused", who(), now())
    printing.next_step(f"digest resume {mailing.week}")


@app.command()
def resume(week: WeekName = "latest") -> None:
    """Let a paused edition go on. Workers take it up at once; without any, run `digest send`.

    Example: digest resume 2026-W18
    """
    with database(settings()) as engine:
        mailing = _mailing(engine, week)
        halting.halt(engine, mailing, "resumed", who(), now())
    printing.next_step(f"digest send {mailing.week}")


@app.command()
def abort(week: WeekName = "latest") -> None:
    """End the sending of an edition for good: who does not have it yet never gets it.

    Example: digest abort 2026-W18
    """
    with database(settings()) as engine:
        mailing = _mailing(engine, week)
        halting.halt(engine, mailing, "aborted", who(), now())
        with reading(engine) as connection:
            tally = counting.tally(connection, mailing.id)
    printing.aborted(mailing.week, tally)


def _mailing(engine: Engine, text: str) -> outbox.Mailing:
    at = _edition_week(engine, text)
    with reading(engine) as connection:
        found = outbox.find(connection, str(at))
    if found is None:
        raise DigestError(f"the edition of {at} was not queued yet: there is nothing to stop.")
    return found


@app.command()
def worker() -> None:
    """Send what is queued, as one of any number of workers on any number of machines that share a PostgreSQL.

    Example: digest worker
    """
    chosen, running = settings(), clock()

    def send_some(week: str, is_enough: Callable[[int], bool]) -> None:
        stages.send_some(engine, chosen, parse_week(week), running, is_enough)

    with database(chosen) as engine:
        jobs.demand(engine)
        logs.configure()
        with letters_sent(engine, chosen, running, logs.complain("letters")):
            jobs.work(engine, send_some, running, chosen.delivery.senders, logs.complain("editions"))


def _edition_week(engine: Engine, text: str) -> Week:
    if text != "latest":
        return parse_week(text)
    with reading(engine) as connection:
        newest = newest_edition(connection)
    if newest is None:
        raise DigestError("there is no edition yet; run `digest draft` first.")
    return parse_week(newest)


@app.command()
def weekly(week: Annotated[str | None, typer.Option(help="another week than the current one")] = None) -> None:
    """All stages of a week that are due, in order, as the scheduler does them but at once: the times of [schedule] are
    not waited for. Run again, it goes on where it ended. At the end it tells what needs a person, and of new editions.

    Example: digest weekly --week 2026-W18
    """
    chosen = settings()
    this = Week.now(now(), chosen.series.zone)
    with database(chosen) as engine:
        with reading(engine) as connection:
            at = this if week is None else composing.find_week(connection, chosen, week, now())
        try:
            _do_week(engine, chosen, at)
        except Exception as error:
            # What we did not foresee may name a reader: only its kind is told.
            said = str(error) if isinstance(error, DigestError) else f"a fault of the program ({type(error).__name__})."
            _tell_others(engine, chosen, Need(f"weekly {at}", said))
            raise
        _tell_others(engine, chosen)


def _do_week(engine: Engine, chosen: Settings, at: Week) -> None:
    vouch(engine, chosen, now())  # before anything is sent
    expire(engine, chosen, now())
    take_mail_if_it_can(engine, chosen, now(), _complain)
    send_letters(engine, chosen, clock())
    for earlier in stages.send_unfinished(engine, chosen, at, clock(), _complain):
        printing.sent(earlier)
    for ran in run_due(engine, chosen, clock(), asked=at, at_deadline=approving.at_deadline):
        _tell(ran)
    if not stages.is_queued(engine, at):
        printing.next_step(f"look at it, then `digest approve {at}` and `digest send {at}`")
        return
    with progress("sending", *audience(engine, at)) as advance:
        sent = stages.send(engine, chosen, at, clock(), advance)
    printing.sent(sent)


def _tell_others(engine: Engine, chosen: Settings, failed: Need | None = None) -> None:
    """What the ticker of `digest serve` tells: where cron runs the weeks there may be none. Of several one tells it."""

    def alert() -> None:
        try:
            tell(engine, chosen, clock()(), failed=failed)
        except StorageError as error:
            tell_of_database(chosen, str(error), clock()(), set())

    for look in (alert, lambda: announce(engine, chosen, clock()())):
        try:
            look()
        except DigestError as error:
            _complain(str(error))


def _complain(said: str) -> None:
    print(said, file=sys.stderr)


def _tell(ran: Ran) -> None:
    """Print what a stage gave. Raises what kept it from being done."""
    if ran.error is not None:
        raise ran.error
    if isinstance(ran.result, tuple) and ran.result:
        printing.collected(ran.result)
    elif isinstance(ran.result, stages.Drafted):
        printing.drafted(ran.result)


@app.command()
def skip(week: Annotated[str, typer.Argument(metavar="WEEK", help="2026-W17 or any date in the week")]) -> None:
    """Let a week go without an edition, whoever is at one of its stages; `digest weekly --week` takes it up again.

    Example: digest skip 2026-W18
    """
    chosen, at = settings(), parse_week(week)
    with database(chosen) as engine:
        halting.skip(engine, at, who(), now())
    printing.next_step(f"digest weekly --week {at} takes it up again")
