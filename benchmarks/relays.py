"""Relays on loopback: Postfix's sink, Postfix's source to hold a sender against, and a slow link to the sink."""

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

CONNECTIONS = "1000"


def missing() -> str:
    """The first of Postfix's two programs that is not there, or nothing."""
    return next((name for name in ("smtp-sink", "smtp-source") if program(name) is None), "")


def program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


@contextmanager
def sink() -> Iterator[int]:
    """A relay that takes every message and keeps none; its port. As root it runs as nobody, as Postfix wants."""
    port = free_port()
    command = [str(program("smtp-sink")), "-u", "nobody", f"127.0.0.1:{port}", CONNECTIONS]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


@contextmanager
def slow_link(port: int, round_trip: float) -> Iterator[int]:
    """A way to a port that takes `round_trip` seconds there and back; its own port."""
    own = free_port()
    command = [sys.executable, "-m", __name__, str(own), str(port), str(round_trip / 2)]
    with subprocess.Popen(command) as process:
        try:
            wait_for(own)
            yield own
        finally:
            process.terminate()


def rate_of_source(port: int, sessions: int, messages: int, size: int) -> float:
    """Messages a second of smtp-source, which makes nothing, keeps nothing and signs nothing."""
    words = ["-d", "-s", str(sessions), "-m", str(messages), "-l", str(size), "-f", "a@example.org", "-t"]
    start = time.perf_counter()
    subprocess.run([str(program("smtp-source")), *words, "b@example.org", f"127.0.0.1:{port}"], check=True)
    return messages / (time.perf_counter() - start)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.02)
    raise ConnectionError(f"nothing listens on port {port}")


# The slow link


async def link(own: int, port: int, delay: float) -> None:
    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carried(reader, far_writer, delay), carried(far_reader, writer, delay))

    server = await asyncio.start_server(joined, "127.0.0.1", own, limit=1 << 20)
    await server.serve_forever()


async def carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """What is read is written `delay` seconds later, in its order."""
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def arrive() -> None:
        while True:
            due, said = await on_the_way.get()
            await asyncio.sleep(due - clock())
            if not said:
                writer.close()
                return
            writer.write(said)

    arriving = asyncio.create_task(arrive())
    try:
        while said := await reader.read(1 << 18):
            on_the_way.put_nowait((clock() + delay, said))
    except ConnectionError:
        pass
    on_the_way.put_nowait((clock() + delay, b""))
    await arriving


if __name__ == "__main__":
    asyncio.run(link(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
