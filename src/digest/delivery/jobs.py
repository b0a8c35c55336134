"""Sending on many machines: tickets of work in PostgreSQL, which Procrastinate gives to whichever worker is free.

A ticket says "send about so many of that week's deliveries"; it names no delivery, for the outbox keeps senders apart.
So a ticket that is lost or done twice loses and doubles nothing. Tickets are written in the transaction that queues the
edition. A periodic job puts those of dead workers back, and writes an open one where something is due and no ticket is:
deliveries that were put off, held for the morning, or left behind by a worker that died.
"""

import asyncio
import importlib.util
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, text

from digest.database import reading, writing
from digest.delivery import outbox
from digest.delivery.due import any_due
from digest.delivery.outbox import Mailing
from digest.errors import DeliveryError, DigestError, UsageError

if TYPE_CHECKING:
    from procrastinate import App, JobContext
    from procrastinate.types import JSONDict

SendSome = Callable[[str, Callable[[int], bool]], object]
"""Sends what is due of a week's edition until it is told that so many are enough."""

_SEND = "digest.send"
_QUEUE = "digest"
_TICKET = 1000  # deliveries of one ticket, at least: it costs a worker some 50 ms to begin one
_MOST_TICKETS = 200
_OPEN = 2**62  # deliveries of a ticket that ends when nothing is due
_LOOKS = "* * * * * */15"  # every 15 seconds
_DEAD_AFTER = 30  # seconds without a sign of life
_AFTER_A_FAULT = 1.0  # seconds until a worker that ended is followed by the next
_SCHEMA_LOCK = 0x44494745  # an advisory lock of our own


def can_hand_out(engine: Engine) -> bool:
    """Whether workers can share the sending: on PostgreSQL, with Procrastinate installed."""
    return engine.dialect.name == "postgresql" and importlib.util.find_spec("procrastinate") is not None


def demand(engine: Engine) -> None:
    """Raise UsageError or DeliveryError where workers cannot share the sending."""
    if engine.dialect.name != "postgresql":
        raise UsageError(
            "workers want PostgreSQL; on SQLite `digest send` and `digest serve` send, with [delivery] senders threads."
        )
    if not can_hand_out(engine):
        raise DeliveryError(
            "workers want Procrastinate: pip install 'digest-newsletter[postgresql]' and run the command again."
        )


def hand_out(connection: Connection, mailing: Mailing) -> int:
    """Write the tickets of a mailing in the caller's transaction; how many. They appear and vanish with it."""
    count = min(-(-mailing.audience // _TICKET), _MOST_TICKETS)
    if count:
        share = -(-mailing.audience // count)
        _defer(connection, mailing.week, [share] * count)
    return count


def _defer(connection: Connection, week: str, shares: list[int]) -> None:
    from procrastinate import App, SyncPsycopgConnector

    _prepare(connection)
    raw = connection.connection.driver_connection
    app = App(connector=SyncPsycopgConnector())  # never opened: the transaction's own connection is used
    task = app.configure_task(_SEND, queue=_QUEUE, connection=raw)
    tickets: list[JSONDict] = [{"week": week, "count": share} for share in shares]
    task.batch_defer(*tickets)


def _prepare(connection: Connection) -> None:
    """Procrastinate's tables, where there are none yet."""
    there = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
    if connection.scalar(there):
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _SCHEMA_LOCK})
    if not connection.scalar(there):
        from procrastinate.schema import SchemaManager

        connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))


def work(
    engine: Engine, send_some: SendSome, clock: Callable[[], datetime], threads: int, complain: Callable[[str], None]
) -> None:
    """Work off tickets until a signal says to stop; a batch that is begun is ended. Any number of workers may run.

    `complain` is told what keeps a ticket from being done. Raises UsageError or DeliveryError where there can be no
    workers.
    """
    demand(engine)
    with writing(engine) as connection:
        _prepare(connection)
    asyncio.run(_run(_app(engine, send_some, clock, complain), threads, complain))


async def _run(app: "App", threads: int, complain: Callable[[str], None]) -> None:
    """Run workers one after another until a signal says to stop: one ends when the database is away for a moment."""
    from procrastinate.exceptions import ProcrastinateException

    async def work_once() -> None:
        async with app.open_async():
            await app.run_worker_async(
                queues=[_QUEUE],
                concurrency=threads + 1,  # one for the periodic job, which would wait behind long tickets
                fetch_job_polling_interval=1.0,
                shutdown_graceful_timeout=1.0,  # then what runs is asked to end
                install_signal_handlers=False,
                delete_jobs="always",
            )

    stopping = asyncio.Event()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_, stopping.set)
    while not stopping.is_set():
        worker = asyncio.create_task(work_once())
        asked = asyncio.create_task(stopping.wait())
        await asyncio.wait({worker, asked}, return_when=asyncio.FIRST_COMPLETED)
        worker.cancel()
        asked.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            continue
        except (ProcrastinateException, OSError):
            complain("the database does not answer; the worker tries again.")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _AFTER_A_FAULT)


def _app(engine: Engine, send_some: SendSome, clock: Callable[[], datetime], complain: Callable[[str], None]) -> "App":
    from procrastinate import App, PsycopgConnector

    server = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(connector=PsycopgConnector(conninfo=server))

    @app.task(name=_SEND, queue=_QUEUE, pass_context=True)
    def send(context: "JobContext", week: str, count: int) -> None:
        try:
            send_some(week, lambda done: done >= count or context.should_abort())
        except Exception as error:  # noqa: BLE001 (its words may name a reader; the periodic job writes another ticket)
            complain(str(error) if isinstance(error, DigestError) else f"a ticket failed: {type(error).__name__}.")

    @app.periodic(cron=_LOOKS)
    @app.task(name="digest.look", queue=_QUEUE, queueing_lock="digest.look")
    async def look(timestamp: int) -> None:  # noqa: ARG001 (Procrastinate's signature)
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_DEAD_AFTER):
            await app.job_manager.retry_job(job)
        await asyncio.to_thread(_look, engine, clock, complain)

    return app


def _look(engine: Engine, clock: Callable[[], datetime], complain: Callable[[str], None]) -> None:
    """Write an open ticket for each edition of which something is due and no ticket waits."""
    todo = "SELECT 1 FROM procrastinate_jobs WHERE task_name = :name AND status = 'todo' AND args->>'week' = :week"
    try:
        with reading(engine) as connection:
            going = [one for one in outbox.unfinished(connection) if one.kind == "edition" and one.control == "going"]
        for mailing in going:
            with writing(engine) as connection:
                ticket = connection.scalar(text(todo), {"name": _SEND, "week": mailing.week})
                if not ticket and any_due(connection, mailing.id, clock()):
                    _defer(connection, mailing.week, [_OPEN])
    except DigestError as error:
        complain(str(error))
