"""The desk as a web application: one page, the mails in their frames, the acts, and the stream of what is new.

Only `access.Guard` lets a request come here. Looking changes nothing; acts are POST and answer with the page's address.
"""

import asyncio
import re
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Literal, get_args
from urllib.parse import parse_qs

import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from digest import audit
from digest.config.assets import asset
from digest.database import writing
from digest.desk import noting
from digest.desk.access import Door, Guard
from digest.desk.faults import fault_of
from digest.desk.mails import View, shown_in
from digest.desk.page import Typed, broken_page, mail_policy, page, policy, shown, style_sheet
from digest.desk.readers import parse_as, reader_as
from digest.desk.state import Desk, at_work
from digest.edition.numbers import several
from digest.edition.overrides import What
from digest.errors import DigestError, UsageError
from digest.language import ENGLISH
from digest.operations.stories import say
from digest.operations.trials import send_test
from digest.weekly import stages

_MOST_BYTES = 4 * noting.MOST_BYTES
_FIRST_DRAFT = 120
Form = Mapping[str, list[str]]


async def _form(request: Request) -> Form:
    """The fields of a form (application/x-www-form-urlencoded). Raises HTTPException for one too large, or none."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        return parse_qs(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error


Sent = Annotated[Form, Depends(_form)]


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[0]


def create_app(desk: Desk, door: Door) -> ASGIApp:
    """The desk behind its door."""
    app = FastAPI(title="Desk", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)

    @app.get("/")
    def look(view: str = "light") -> Response:
        desk.first.wait(_FIRST_DRAFT)
        return _page(desk, view)

    @app.get("/desk.js")
    def script() -> Response:
        return Response((asset("templates") / "desk" / "desk.js").read_bytes(), media_type="text/javascript")

    @app.get("/mail/{width}")
    def mail(width: int, view: str = "light") -> Response:  # noqa: ARG001 (it names the frame)
        desk.first.wait(_FIRST_DRAFT)
        html = seen.html if (seen := shown(desk).mail) else None
        scheme: Literal["light", "dark"] = "dark" if view == "dark" else "light"
        answer = HTMLResponse(shown_in(html or _NO_HTML, scheme))
        answer.headers["Content-Security-Policy"] = mail_policy(images=view != "images-off")
        return answer

    @app.get("/events")
    async def events(request: Request) -> Response:
        return StreamingResponse(_news(desk, request), media_type="text/event-stream")

    _acts(app, desk)
    _answers(app)
    return Guard(app, door)


def _page(desk: Desk, view: str, status: int = HTTPStatus.OK, typed: Typed | None = None) -> Response:
    """The desk's page; where a fault is in that itself, a page that names it."""
    nonce = secrets.token_urlsafe(16)
    try:
        html = page(desk, _view(view), nonce, typed)
        return HTMLResponse(html, status, {"Content-Security-Policy": policy(style_sheet(), nonce)})
    except Exception as error:  # noqa: BLE001 (whatever a saved file makes go wrong, the next save may mend)
        sentence = fault_of(error, desk.config).sentence
        return HTMLResponse(broken_page(sentence), HTTPStatus.INTERNAL_SERVER_ERROR)


_NO_HTML = "<!DOCTYPE html><html lang=en><title>No HTML part</title><p>No HTML part.</p></html>"


def _view(name: str) -> View:
    return name if name in get_args(View) else "light"  # type: ignore[return-value]


async def _news(desk: Desk, request: Request) -> AsyncIterator[str]:
    """An event with the number of what is shown, whenever that is another (HTML Living Standard, 9.2)."""
    loop, news = asyncio.get_running_loop(), asyncio.Queue[int]()
    key = id(news)

    def listener(version: int) -> None:
        loop.call_soon_threadsafe(news.put_nowait, version)

    desk.listeners[key] = listener
    try:
        yield f"retry: 1000\nid: {desk.version}\ndata: {desk.version}\n\n"
        while not desk.stop.is_set():
            try:
                version = await asyncio.wait_for(news.get(), 1)
            except TimeoutError:
                if await request.is_disconnected():
                    return
                continue
            yield f"id: {version}\ndata: {version}\n\n"
    finally:
        desk.listeners.pop(key, None)


def _acts(app: FastAPI, desk: Desk) -> None:
    """What an editor does. Each says in the page what became of it; one that was refused answers with that page."""

    def act(form: Form, work: Callable[[], str], typed: Typed | None = None) -> Response:
        try:
            desk.said = ("done", work())
        except DigestError as error:
            desk.said = ("failed", _capital(str(error)))
            desk.tell()
            return _page(desk, _one(form, "view"), HTTPStatus.CONFLICT, typed)
        desk.tell()
        return RedirectResponse(f"./?view={_view(_one(form, 'view'))}", HTTPStatus.SEE_OTHER)

    @app.post("/as")
    def as_whom(form: Sent) -> Response:
        def work() -> str:
            fields = {name: values[0] for name, values in form.items()}
            chosen = parse_as(fields, form.get("topics", []))
            if desk.draft is not None:
                reader_as(desk.engine, chosen, desk.draft, desk.clock())
            desk.shown_as = chosen
            return ""

        return act(form, work)

    @app.post("/note")
    def note(form: Sent) -> Response:
        typed = Typed(_one(form, "text"), _one(form, "mark"))

        def work() -> str:
            with desk.acting:
                noting.save_note(desk.settings.series.notes, str(desk.week), typed.text, typed.mark)
                with writing(desk.engine) as connection:
                    audit.write(connection, "noted", str(desk.week), desk.who, desk.clock())
                desk.redraft((f"{desk.week}.md",))
            return "The note is saved."

        return act(form, work, typed)

    @app.post("/links")
    def try_links(form: Sent) -> Response:
        def work() -> str:
            if not desk.trying:
                threading.Thread(target=desk.try_links, daemon=True).start()
            return ""

        return act(form, work)

    @app.post("/story")
    def story(form: Sent) -> Response:
        return act(form, lambda: _say(desk, form))

    @app.post("/test")
    def test(form: Sent) -> Response:
        return act(form, lambda: _send_test(desk, _one(form, "addresses")))

    @app.post("/approve")
    def approve(form: Sent) -> Response:
        return act(form, lambda: _approve(desk, _one(form, "hash")))


def _approve(desk: Desk, content_hash: str) -> str:
    """Pin what the page showed. Raises UsageError where something speaks against it."""
    with desk.acting:
        if desk.draft is None or desk.draft.stored.content_hash != content_hash:
            raise UsageError("the draft changed while you looked at it; look at it again.")
        if desk.blocked:
            raise UsageError(desk.blocked)
        approval = desk.settings.approval
        stored = stages.approve(desk.engine, desk.week, desk.clock(), desk.who, approval, content_hash)
        desk.redraft()
        if desk.draft.stored.content_hash != content_hash:
            raise UsageError("a file changed at that moment, so the approval fell at once; look at it again.")
    return f"Approved {content_hash[:8]} by {desk.who}." if stored.approved else f"Noted: {desk.who} approves."


_SAID: Mapping[What, str] = {
    "drop": "Dropped",
    "pin": "Pinned",
    "move": "Moved",
    "reword": "Reworded",
    "promote": "Promoted",
    "restore": "Taken back",
}


def _say(desk: Desk, form: Form) -> str:
    """An editor's word on a story. Raises UsageError for one that cannot be meant, DigestError for one that misfits."""
    what = next((known for known in _SAID if known == _one(form, "what")), None)
    place = _one(form, "place").strip()
    if what is None:
        raise UsageError("that can be done to no story.")
    if what == "move" and not (place.isascii() and place.isdigit() and 0 < int(place) < 10_000):
        raise UsageError("a story is moved to a place, counted from 1.")
    with desk.acting:
        word = say(
            desk.engine,
            desk.settings,
            desk.week,
            _one(form, "story"),
            what,
            desk.who,
            desk.clock(),
            place=int(place) if what == "move" else None,
            text=_one(form, "text").strip(),
            locale=_one(form, "locale") or ENGLISH,
        )
        desk.redraft(("stories",))
    return f"{_SAID[what]}: “{word.about}”."


def _send_test(desk: Desk, addresses: str) -> str:
    """Send what is stored, in the rendition that is looked at. No address is kept, or said again."""
    mail = shown(desk).mail
    if mail is None:
        raise UsageError("there is no mail to send; mend what is wrong first.")
    named = [address for address in re.split(r"[\s,;]+", addresses) if address]
    tested = send_test(desk.engine, desk.settings, desk.week, named, desk.who, desk.clock(), mail.rendition)
    refused = f" Not taken: {'; '.join(tested.refused)}." if tested.refused else ""
    return f"{several(tested.sent, 'test mail')} sent; no reader got one.{refused}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _answers(app: FastAPI) -> None:
    """One sentence for what cannot be made, or is not taken."""

    @app.exception_handler(DigestError)
    async def fault(_request: Request, error: DigestError) -> Response:
        return PlainTextResponse(f"{error}\n", HTTPStatus.INTERNAL_SERVER_ERROR)

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        sentence = _REFUSED.get(error.status_code, error.detail)
        return PlainTextResponse(f"{sentence}\n", error.status_code, headers=error.headers)


_REFUSED: Mapping[int, str] = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"That is more than the {_MOST_BYTES // 1000} kB that the desk takes at once.",
    HTTPStatus.BAD_REQUEST: "That is no form of the desk's.",
}


def serve(desk: Desk, port: int, opened: Callable[[Door], None]) -> None:
    """Serve the desk on loopback until interrupted; `opened` gets the door, whose address opens it once.

    Raises DigestError where the port cannot be listened on.
    """
    try:
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise DigestError(f"port {port} of 127.0.0.1 cannot be listened on: {error.strerror}; name another.") from error
    with listener, at_work(desk):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        door = Door(listener.getsockname()[1])
        config = uvicorn.Config(
            create_app(desk, door),
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=1,  # an open page holds its stream of events
        )
        opened(door)
        uvicorn.Server(config).run(sockets=[listener])
