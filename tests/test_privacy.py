"""No network address is kept anywhere, and no reader's mail address where it has no business: every path is walked
with addresses that stand nowhere else, and everything that is left behind is searched for them."""

import hashlib
import io
import json
import logging
import socket
import struct
import threading
import traceback
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI
from sqlalchemy import Engine, text

from digest.cli import run
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.operations.keys import add_key
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer, Subscriber
from digest.web import abuse
from digest.web.app import create_app, serve
from tests import planted
from tests.canaries import FOUR, MAILS, PEER, SIX, VISITS, files_of, mails_in, networks_in
from tests.delivery.relay import free_port
from tests.real_server import NOW, Server, Visitor, filled, link, request, served

BEHIND_A_PROXY = {"trusted_proxies": ["127.0.0.0/8"], "country_header": "CF-IPCountry"}
BROKEN = (
    b"GET /%s HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For %s\r\n\r\n",
    b"%s\r\n\r\n",
    b"POST /subscribe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz%s\r\n",
    b"GET /?%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"GET /confirm/%s HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\n\r\n",
)


def nothing_in(name: str, data: bytes) -> None:
    assert (name, networks_in(data)) == (name, set())
    assert (name, mails_in(data)) == (name, set())


# The relay


class _Rude:
    """A relay that says whom it refuses, in the ways relays do; from then on it refuses the operator."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.refused.append(address)
        local = address.rpartition("@")[0]
        answers = (
            f"550 5.1.1 <{address}>: recipient {address} unknown; see https://mail.example/?rcpt={address}",
            f"450 4.2.0 {address.upper()} is greylisted",
            f"550 5.1.1 no user {local} here",
            f"550 5.7.1 mail to {address} ({local}) is not welcome",
        )
        return answers[min(len(self.refused), len(answers)) - 1]


@contextmanager
def rude_relay() -> Iterator[tuple[int, _Rude]]:
    rude, port = _Rude(), free_port()
    controller = Controller(rude, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield port, rude
    finally:
        controller.stop()


# The walk


def readers(engine: Engine) -> dict[str, Subscriber]:
    """The canaries that are stored, by address."""
    with reading(engine) as connection:
        return {one.email: one for one in store.everyone(connection) if one.email in MAILS}


def add_others(engine: Engine, count: int) -> None:
    """Readers between whom the canaries sit in the database's pages."""
    with writing(engine) as connection:
        event = ConsentEvent("confirmed", NOW, "form")
        store.add(connection, [Newcomer(f"r{n}@example.org", f"r{n}@example.org", event) for n in range(count)], NOW)


def sign_up_in_every_way(visitor: Visitor) -> set[int]:
    """Good and bad requests by every kind of proxy; the statuses of the answers."""
    statuses = set()
    for number, headers in enumerate(VISITS):
        mail = MAILS[number % len(MAILS)]
        asked = [
            visitor.get(f"/?email={mail.encode().hex()}&from={FOUR}", **headers),
            visitor.post("/subscribe", filled(mail), **headers),
            visitor.post("/subscribe", filled(mail.replace("@", "@@")), **headers),
            visitor.post("/subscribe", filled(f"{mail}\r\nBcc: {mail}"), **headers),
            visitor.post("/subscribe", filled(mail, agree="", topics=[mail], country=FOUR), **headers),
            visitor.post("/subscribe", filled(mail, opened=""), **headers),
            visitor.post("/subscribe", filled(mail, **{abuse.HONEYPOT: f"http://{FOUR}/{mail}"}), **headers),
            visitor.post("/preferences", filled(mail), **headers),
            visitor.post("/preferences", {"email": mail}, **headers),
        ]
        statuses |= {one.status for one in asked}
    return statuses


def use_every_link(visitor: Visitor, reader: Subscriber) -> set[int]:
    """Confirm, choose, pause, leave, come back, look at what is held; and links that are none."""
    said = {"X_Forwarded_For": FOUR, "User_Agent": reader.email_key.encode().hex()}
    own = {one: link(one, reader.id) for one in ("preferences", "my-data", "forget", "unsubscribe")}
    asked_at = reader.consent.requested_at
    assert asked_at is not None
    confirm = link("confirm", reader.id, asked_at)
    chosen = {"topics": ["prices"], "country": "DE", "format": "full", "quiet_weeks": "skip", "add": ""}
    answers = [
        *(visitor.get(path, **said) for path in (confirm, *own.values(), f"{own['my-data']}?format=json")),
        visitor.post(confirm, {}, **said),
        visitor.post(confirm, {}, **said),
        visitor.post(own["preferences"], chosen, **said),
        visitor.post(own["preferences"], {**chosen, "add": reader.email, "country": FOUR}, **said),
        visitor.post(f"{own['preferences']}/pause", {"weeks": "4"}, **said),
        visitor.post(own["unsubscribe"], {"List-Unsubscribe": "One-Click"}, **said),
        visitor.post(f"{own['unsubscribe']}/undo", {}, **said),
        visitor.post(f"{own['unsubscribe']}/pause", {}, **said),
        visitor.post(own["unsubscribe"], {"reason": f"{reader.email} {SIX}"}, **said),
        visitor.post(f"{own['unsubscribe']}/undo", {}, **said),
        *(visitor.post(f"/{purpose}/kanarie@example.org", {}, **said) for purpose in (*own, "confirm")),
    ]
    return {one.status for one in answers}


def use_the_api(visitor: Visitor, key: str) -> None:
    for mail in (*MAILS, "kanarie", f"kanarie@{FOUR}"):
        body = json.dumps({"email": mail}).encode()
        known = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "X_Forwarded_For": SIX}
        for path in ("", "/find", "/remove", f"/{FOUR}"):
            for sent in (body, body[:-3], body.replace(b'"email"', f'"{SIX}"'.encode())):
                assert visitor.ask(request("POST", f"/api/v1/subscribers{path}", sent, known)).status < 500


def misbehave(server: Server) -> None:
    """What no browser sends: no HTTP at all, bodies that lie, connections that end in the middle."""
    for what in (MAILS[0].encode(), FOUR.encode(), SIX.encode()):
        for broken in BROKEN:
            with Visitor(server, PEER) as visitor, suppress(ConnectionError):
                assert visitor.ask(broken % what).status < 500
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": SIX}
    mail = MAILS[0].encode()
    for body in (b"email=" + mail * 9000, b"email=%FF" + mail, mail + b"\xff", b"email=a%00" + mail, mail * 300):
        with Visitor(server, PEER) as visitor:
            assert visitor.ask(request("POST", "/subscribe", body, form)).status < 500
    for end in (b"", b"email=" + mail):
        visitor = Visitor(server, PEER)
        visitor.socket.sendall(request("POST", "/subscribe", b"x" * 900, form)[:-900] + end)
        visitor.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        visitor.socket.close()  # a reset, not an end


def exceed_the_limits(visitor: Visitor) -> set[int]:
    """Ask until it is too much for a network and then for all."""
    statuses: set[int] = set()
    for number in range(120):
        headers = VISITS[number % len(VISITS)]
        statuses.add(
            visitor.post(
                "/subscribe", filled(f"kanarie{number}@example.org", **{abuse.HONEYPOT: "x"}), **headers
            ).status
        )
        if statuses >= {429, 503}:
            break
    return statuses


def break_the_database(engine: Engine, visitor: Visitor) -> set[int]:
    """Ask while a table is away."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE subscriber RENAME TO away"))
    known = {"X_Forwarded_For": FOUR}
    statuses = {
        visitor.post(path, filled(f"away{MAILS[0]}"), **known).status for path in ("/preferences", "/subscribe")
    }
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO subscriber"))
    return statuses


def command(folder: Path, *words: str) -> tuple[int, bytes]:
    """A command as an operator types it: its status and all that it printed, with its traceback where it ended so."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out), pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        try:
            status = run([*words, f"--now={NOW.isoformat()}"])
        except BaseException as error:  # noqa: BLE001 (with --debug everything comes through)
            status = 1
            out.write("".join(traceback.format_exception(error)) + repr(error))
    return status, out.getvalue().encode()


def fail_at_every_command(folder: Path) -> None:
    """Commands about an address that fail, with their traceback and without."""
    proof = ["--consented-at=2026-04-30", "--method=form", "--wording=Yes"]
    head = "email,consented_at,method,wording,country\n"
    lines = [f"{MAILS[0]},2026-04-30,form,Yes,DE", f"{MAILS[0]},never,form,Yes,", f"{MAILS[1]}@,2026-04-30,form,Yes,"]
    (folder / "faults.csv").write_text(head + "\n".join([*lines, f'"{MAILS[1]},2026-04-30,{FOUR}']), encoding="utf-8")
    (folder / "latin.csv").write_bytes((head + lines[0]).encode() + b"\xff")
    (folder / "nohead.csv").write_text("\n".join(lines), encoding="utf-8")
    for debug in ([], ["--debug"]):
        for words in (
            ["subscribers", "add", "kanarie@@example.org", *proof],
            ["subscribers", "add", "kanarie11@example.org", *proof],
            ["subscribers", "add", "Kanarie11@example.org", *proof],
            ["subscribers", "add", "kanarie12@example.org", *proof, "--country=Freedonia"],
            *(["subscribers", "import", name, "--report=report.csv"] for name in ("faults.csv", "latin.csv")),
            ["subscribers", "import", "nohead.csv"],
            ["subscribers", "remove", "kanarie13@example.org"],
            ["subscribers", "erase", "kanarie13@example.org", "--yes"],
            ["subscribers", "erase", MAILS[0]],
            ["subscribers", "proof", "kanarie13@example.org"],
            ["explain", "kanarie@@example.org"],
            ["explain", "kanarie13@example.org"],
            ["status"],
            ["status", "--json"],
            ["subscribers", "expire"],
        ):
            _, said = command(folder, *words, *debug)
            nothing_in(" ".join(words[:2]), said)
    nothing_in("the report", (folder / "report.csv").read_bytes())
    for name in ("faults.csv", "latin.csv", "nohead.csv"):
        (folder / name).unlink()


def forget_all(engine: Engine, server: Server) -> None:
    """Half of them press the button, the operator erases the others."""
    for number, (mail, reader) in enumerate(readers(engine).items()):
        if number % 2:
            with Visitor(server, PEER) as visitor:
                assert visitor.post(link("forget", reader.id), {}, X_Forwarded_For=FOUR).status == 200
        else:
            assert command(server.folder, "subscribers", "erase", mail, "--yes")[0] == 0
    assert command(server.folder, "subscribers", "erase", "kanarie11@example.org", "--yes")[0] == 0


def walk(engine: Engine, server: Server, key: str) -> None:
    """All that a visitor and an operator can do, but forgetting; each step is shown to have happened."""
    with Visitor(server, PEER) as visitor:
        assert sign_up_in_every_way(visitor) == {200, 400, 429}
        assert set(readers(engine)) == set(MAILS)
        walked = [use_every_link(visitor, reader) for reader in readers(engine).values()]
        assert set().union(*walked) <= {200, 400, 404, 405, 409, 410}
        # The relay called two of them unknown, so their confirmation never reached them and is over.
        assert sum(410 in statuses for statuses in walked) <= 2 < len(walked)
        use_the_api(visitor, key)
        misbehave(server)
        assert break_the_database(engine, visitor) == {503}
        assert exceed_the_limits(visitor) >= {429, 503}
    fail_at_every_command(server.folder)


@pytest.mark.long
def test_every_path_of_a_reader_leaves_no_address_behind(engine: Engine, database_url: str, tmp_path: Path) -> None:
    add_others(engine, 500)
    key = add_key(engine, "site", ["subscribe", "read", "write"], NOW)
    with rude_relay() as (port, rude):
        sections: dict[str, Any] = {
            "location": BEHIND_A_PROXY,
            "signup": {"per_network": 16, "in_all": 40},
            "delivery": {"transport": "smtp"},
            "smtp": {"port": port, "tls": "none"},
        }
        with served(database_url, tmp_path / "server", **sections) as server:
            walk(engine, server, key)
            for name, data in files_of(database_url, tmp_path):
                assert (name, networks_in(data)) == (name, set())
                if name == "the server's log":
                    nothing_in(name, data)
            forget_all(engine, server)
            for name, data in files_of(database_url, tmp_path):
                nothing_in(name, data)
    assert rude.refused
    assert b"a page could not be made" in server.said
    for path in server.folder.iterdir():
        nothing_in(path.name, path.read_bytes())


# Crashes, and what is logged at any level


@pytest.fixture
def records() -> Iterator[list[str]]:
    """Every record of every logger with all that it was made from; they say all that the program lets them say."""
    kept: list[str] = []

    def keep(*args: Any, **more: Any) -> logging.LogRecord:
        record = logging.LogRecord(*args, **more)
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        kept.append(f"{record.name}: {record.getMessage()} {record.args!r} {trace}")
        return record

    before = logging.getLogRecordFactory(), logging.root.level
    logging.setLogRecordFactory(keep)
    logging.root.setLevel(logging.DEBUG)
    yield kept
    logging.setLogRecordFactory(before[0])
    logging.root.setLevel(before[1])


@contextmanager
def served_here(engine: Engine, settings: Settings, folder: Path) -> Iterator[tuple[Server, FastAPI]]:
    """The pages as `digest serve` serves them, in a thread of the test's own."""
    servers: list[uvicorn.Server] = []

    class Remembered(uvicorn.Server):
        def __init__(self, config: uvicorn.Config) -> None:
            super().__init__(config)
            servers.append(self)

    app = create_app(engine, settings, lambda: NOW)
    out = (folder / "stdout").open("w+")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setattr(uvicorn, "Server", Remembered)
        thread = threading.Thread(target=serve, args=(app, "127.0.0.1", 0))
        thread.start()
        process = mock.Mock(poll=lambda: None)
        try:
            yield Server(process, folder), app
        finally:
            servers[0].should_exit = True
            thread.join(30)
            out.close()


def held(thing: object, seen: set[int]) -> Iterator[str]:
    """All that can be reached from something in memory, as text."""
    if id(thing) in seen or isinstance(thing, type | types.ModuleType | types.FunctionType | logging.Logger | Engine):
        return
    seen.add(id(thing))
    yield repr(thing)
    inner: list[object] = [*thing.items()] if isinstance(thing, Mapping) else []
    inner += [*thing] if isinstance(thing, list | tuple | set | frozenset) else []
    inner += [vars(thing)] if hasattr(thing, "__dict__") else []
    slots = getattr(type(thing), "__slots__", ())
    inner += [getattr(thing, name) for name in slots if hasattr(thing, name)]
    for one in inner:
        yield from held(one, seen)


def test_no_record_of_any_logger_and_nothing_kept_in_memory_holds_an_address(
    engine: Engine, settings: Settings, records: list[str], tmp_path: Path
) -> None:
    location = settings.location.model_validate(BEHIND_A_PROXY)
    captcha = {"verify_url": f"http://127.0.0.1:{free_port()}/", "secret": "s"}
    signup = settings.signup.model_validate({"captcha": captcha})
    open_settings = settings.model_copy(update={"location": location})
    with served_here(engine, open_settings, tmp_path) as (server, app), Visitor(server, PEER) as visitor:
        assert sign_up_in_every_way(visitor) == {200, 400, 429}
        for reader in readers(engine).values():
            use_every_link(visitor, reader)
        misbehave(server)
        assert break_the_database(engine, visitor) == {503}
        with pytest.MonkeyPatch.context() as patch:
            planted.crashes_with_the_address(patch.setattr)
            crash = visitor.post("/subscribe", filled("kanarie20@example.org"), X_Forwarded_For=FOUR)
            assert {crash.status, visitor.get("/", Crash="1", X_Forwarded_For=SIX).status} == {500}
        kept = "\n".join(held(vars(app.state.site.limits), set()))
    braked = open_settings.model_copy(update={"signup": signup})
    with served_here(engine, braked, tmp_path) as (server, _), Visitor(server, PEER) as visitor:
        form = filled("kanarie21@example.org", captcha=FOUR)
        assert visitor.post("/subscribe", form, X_Forwarded_For=FOUR).status == 400
    for told in ("a page failed with RuntimeError", "a page could not be made", "CAPTCHA's service did not answer"):
        assert any(told in record for record in records)
    nothing_in("the records", "\n".join(records).encode())
    assert "MovingWindow" in kept
    nothing_in("the limits", kept.encode())


# The search itself


@pytest.mark.parametrize("headers", VISITS[:4])
def test_a_leak_would_be_found(sqlite_template: Path, tmp_path: Path, headers: Mapping[str, str]) -> None:
    (tmp_path / "digest.db").write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{tmp_path / 'digest.db'}"
    with served(url, tmp_path / "server", fault="logs_the_visitor") as server, Visitor(server, PEER) as visitor:
        assert visitor.post("/subscribe", filled(MAILS[0]), **headers, Referer=MAILS[0]).status == 200
        kept = dict(files_of(url, tmp_path))
    assert networks_in(server.said) == {PEER, *(one for one in (FOUR, SIX) if one in str(headers))}
    assert mails_in(server.said)
    assert all(mails_in(kept[name]) for name in ("digest.db-wal", "backup"))


@pytest.mark.parametrize("address", [PEER, FOUR, SIX])
def test_an_address_is_found_in_whatever_way_it_is_written(address: str) -> None:
    known = ip_address(address)
    hidden = (known.packed, known.exploded.upper().encode(), str(int(known)).encode(), known.packed.hex().encode())
    hashed = hashlib.sha256(known.exploded.encode()).hexdigest().encode()
    part = address.rpartition(":" if known.version == 6 else ".")[0].encode()
    assert all(address in networks_in(b"\0a" + one + b"z\xff") for one in (*hidden, hashed, part + b".0"))
    assert not networks_in(b"127.0.0.1 198.51.101.217 2001:db8::1")
