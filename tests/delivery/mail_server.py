"""An IMAP server on loopback with one folder: as much of RFC 9051 as reading returned mail asks for."""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PASSWORD = "a password"


@dataclass
class Folder:
    """Mails with their flags, by UID; `said` are the commands that came. It breaks off when `breaks_at` is fetched."""

    mails: dict[int, bytes]
    flags: dict[int, set[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    breaks_at: int | None = None

    def unseen(self) -> list[int]:
        return [uid for uid in self.mails if r"\Seen" not in self.flags.get(uid, set())]


class _Session(socketserver.StreamRequestHandler):
    folder: Folder

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        for line in self.rfile:
            tag, _, words = line.decode().strip().partition(" ")
            self.folder.said.append(words)
            if words.startswith(f"UID FETCH {self.folder.breaks_at} "):
                return
            self.wfile.write(self._answer(words) + f"{tag} {self._ends(words)}\r\n".encode())
            if words == "LOGOUT":
                return

    def _ends(self, words: str) -> str:
        refused = words.startswith("LOGIN") and PASSWORD not in words
        return "NO who are you?" if refused else "OK done"

    def _answer(self, words: str) -> bytes:
        match words.split():
            case ["CAPABILITY"]:
                return b"* CAPABILITY IMAP4rev1\r\n"
            case ["SELECT", *_]:
                return f"* {len(self.folder.mails)} EXISTS\r\n".encode()
            case ["UID", "SEARCH", *_]:
                return f"* SEARCH {' '.join(map(str, self.folder.unseen()))}\r\n".encode()
            case ["UID", "FETCH", uid, *_]:
                most = int(re.findall(r"<0\.(\d+)>", words)[0])
                raw = self.folder.mails[int(uid)][:most]
                return f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n"
            case ["UID", "STORE", uid, *_]:
                self.folder.flags.setdefault(int(uid), set()).update(re.findall(r"\\\w+", words))
        return b""


@contextmanager
def imap_server(folder: Folder) -> Iterator[int]:
    """Serves a folder; gives the port."""
    handler = type("Session", (_Session,), {"folder": folder})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
