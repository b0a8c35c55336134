"""The desk of one week while it is open: what it shows, and the threads that keep that true.

    a file or the data changes -> draft anew -> tell the pages -> run the checks -> tell the pages

A fault in a file is kept and shown beside the last good draft until the next save; nothing ends the threads.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from digest.config.assets import asset
from digest.config.settings import Settings
from digest.database import reading
from digest.delivery import outbox
from digest.desk.beside import Beside, beside
from digest.desk.drafting import Draft, draft_now, forget_files
from digest.desk.faults import Fault, fault_of
from digest.desk.following import Stamp, Stamps, changed, changes, stamps
from digest.desk.links import Link, findings_of, links_of, tried
from digest.desk.readers import As
from digest.edition import override_store
from digest.edition import store as editions
from digest.edition.numbers import several
from digest.errors import StorageError
from digest.operations.approving import Regions, blocking
from digest.operations.checking import check_edition
from digest.rendering.lint.page import Finding
from digest.scores import store as scores
from digest.weekly import stages
from digest.weekly.calendar import Week

_CHECK_AGAIN, _LOOK_AGAIN = 10, 5  # seconds


@dataclass(frozen=True, slots=True)
class Checked:
    """What the checks found in one draft, and to how many readers it would go; or why they did not run.

    `drafts` is the number of the draft. The same content drafted again is checked again: letters, the support of mail
    programs, hours and regimes are in no content, and may be others.
    """

    drafts: int
    findings: tuple[Finding, ...]
    regions: Regions
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is read off a draft once, for every page: last week's edition beside it, and its links."""

    beside: Beside | None
    links: tuple[Link, ...]


def overview_of(draft: Draft) -> Overview:
    """`earlier` of the draft is what it is compared with."""
    return Overview(
        beside=beside(draft.edition, draft.earlier[-1]) if draft.earlier else None,
        links=tuple(links_of(draft.rendered, draft.settings.series.base_url, draft.stored.week)),
    )


ANOTHER = "another program"
"""What changed the week, where that was another desk or a command."""


class _OutdatedError(Exception):
    """Another draft is there: the checks of this one are of no use."""


@dataclass
class Desk:
    """Everything here is replaced, never changed in place, so that a page may be made at any moment."""

    engine: Engine
    week: Week
    read_settings: Callable[[], Settings]
    config: Path
    clock: Callable[[], datetime]
    settings: Settings
    who: str = "the editor"
    draft: Draft | None = None
    overview: Overview = Overview(None, ())
    fault: Fault | None = None
    checked: Checked | None = None
    tried: Mapping[str, str] = field(default_factory=dict)
    trying: bool = False
    shown_as: As = field(default_factory=As)
    said: tuple[str, str] = ("", "")
    changed: tuple[str, ...] = ()
    read: "Read | None" = None
    drafts: int = 0
    version: int = 0
    first: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    acting: threading.RLock = field(default_factory=threading.RLock)
    listeners: dict[int, Callable[[int], None]] = field(default_factory=dict)
    to_check: threading.Event = field(default_factory=threading.Event)

    @property
    def errors(self) -> list[Finding]:
        """What must not go out, of the draft that is shown."""
        return blocking(self.findings, self.settings)

    @property
    def findings(self) -> list[Finding]:
        """Of the checks that have run and of the links that were tried."""
        found = list(self.checked.findings) if self.checked else []
        return [*findings_of(self.overview.links, self.tried), *found]

    @property
    def blocked(self) -> str:
        """What speaks against an approval, in a sentence; empty for nothing."""
        if self.fault is not None:
            return "A file has a fault; what is shown is older than the files. Mend it first."
        if self.check_fault:
            return "The checks cannot run; mend that first."
        if not self.is_checked or self.trying:
            return "The checks are still running."
        failing = len(self.errors)
        return f"Mend {several(failing, 'failing check')} first." if failing else ""

    @property
    def is_checked(self) -> bool:
        """Whether the checks have run on the very draft that is shown, to their end."""
        return self.checked is not None and self.checked.drafts == self.drafts and not self.checked.fault

    @property
    def check_fault(self) -> str:
        """Why the checks could not run on the draft that is shown; empty for nothing."""
        return self.checked.fault if self.checked is not None and self.checked.drafts == self.drafts else ""

    def tell(self) -> None:
        """Let every open page know that something is new."""
        self.version += 1
        for listener in list(self.listeners.values()):
            with suppress(RuntimeError):  # the page's event loop has ended
                listener(self.version)

    def redraft(self, changed: tuple[str, ...] = (), *, over_approval: bool = True) -> None:
        """Draft anew from the files as they are; what is wrong with one is kept to be shown.

        An approval falls only where it may go `over_approval`: not because a desk was opened whose files are others.
        What was said of an act is over: it was said of what was shown before.
        """
        with self.acting:
            self.read = _read_now(self)  # before it is read: what is saved from here on is found by the next look
            try:
                forget_files()
                self.settings = self.read_settings()
                draft = draft_now(
                    self.engine, self.settings, self.week, self.clock(), self.who, over_approval=over_approval
                )
                overview = overview_of(draft)
            except Exception as error:  # noqa: BLE001 (whatever a saved file makes go wrong, the next save may mend)
                self.fault = fault_of(error, self.config)
            else:
                known = self.draft
                if known is not None and (_hash(draft), draft.rendered) == (_hash(known), known.rendered):
                    draft = replace(draft, at=known.at)  # the same mail, to the second: no frame loads it anew
                self.drafts += 1  # first: a page made in between has the old draft unchecked, never a new one checked
                self.fault, self.changed, self.draft, self.overview = None, changed, draft, overview
            self.said = ("", "")
            self.first.set()
        self.to_check.set()
        self.tell()

    def check(self) -> None:
        """Check the draft that is shown and count its readers, unless that is done; give up when there is another."""
        with self.acting:
            draft, number = self.draft, self.drafts
        if draft is None or self.is_checked:
            return

        def still_wanted() -> None:
            if self.stop.is_set() or self.drafts != number:
                raise _OutdatedError

        try:
            found = tuple(check_edition(draft.stored, draft.settings, still_wanted))
            regions = stages.forecast_by_region(self.engine, draft.settings, self.week, self.clock())
            checked = Checked(number, found, regions)
        except _OutdatedError:
            return
        except Exception as error:  # noqa: BLE001 (it is looked at again)
            checked = Checked(number, (), {}, fault_of(error, self.config).sentence)
        if checked != self.checked:
            self.checked = checked
            self.tell()

    def try_links(self) -> None:
        """Try every link of the draft, and tell what became of it."""
        self.trying = True
        self.tell()
        try:
            found = dict(tried([link.address for link in self.overview.links], self.settings))
        finally:
            self.trying = False
        self.tried = found
        self.tell()


@contextmanager
def at_work(desk: Desk) -> Iterator[Desk]:
    """Within it the desk follows the files and the data, and checks what it drafts."""
    threads = [threading.Thread(target=work, args=(desk,), daemon=True) for work in (_follow, _check)]
    for thread in threads:
        thread.start()
    try:
        yield desk
    finally:
        desk.stop.set()
        desk.to_check.set()
        for thread in threads:
            thread.join(10)


def _follow(desk: Desk) -> None:
    """Draft, and draft anew when something is another. What goes wrong with looking is shown, and it looks again."""
    folders = [asset("templates"), asset("data")]
    while not desk.stop.is_set():
        try:
            for names in changes(folders, lambda: _news(desk), desk.stop):
                desk.redraft(names, over_approval=not {*names} <= {ANOTHER})
        except Exception as error:  # noqa: BLE001 (a desk that follows nothing would show what is not so)
            desk.fault = fault_of(error, desk.config)
            desk.first.set()
            desk.tell()
            desk.stop.wait(_LOOK_AGAIN)


class Read(NamedTuple):
    """What was there when the draft was read: the single files; captures, acceptances and the outbox; and the edition
    that another program had stored, if it was another than the desk's."""

    files: Stamps
    data: Stamp
    foreign: "Foreign | None"


def _read_now(desk: Desk) -> Read:
    return Read(stamps(_files(desk)), *_data(desk))


def _news(desk: Desk) -> list[str]:
    """What is another than it was when the draft was read.

    An edition that another program stored is drafted over once. Stored again, it is the work of other templates or
    settings: then the desk says so, for both would write over each other without end.
    """
    with desk.acting:  # an act drafts what it has changed
        now, read = _read_now(desk), desk.read
        if read is None:
            return []
        is_rival = now.foreign is not None and read.foreign is not None and now.foreign.same(read.foreign, desk.draft)
        if is_rival and desk.fault is None:
            desk.fault = _rival(desk.week)
            desk.tell()
        is_over = desk.fault == _rival(desk.week) and not is_rival
    is_foreign_new = now.foreign not in (None, read.foreign) and not is_rival
    found = changed(read.files, now.files)
    found += ["the data"] if now.data != read.data else []
    return [*found, *([ANOTHER] if is_over or is_foreign_new else [])]


def _rival(week: Week) -> Fault:
    return Fault(
        f"Another program stores another edition of {week}, from other templates or settings; what is shown is not "
        "what is stored. Close it, or save any file to draft this one over it."
    )


def _files(desk: Desk) -> list[Path]:
    """The single files that an edition is made of: the settings, an operator's own regimes, the note and its cover."""
    files = [desk.config, desk.settings.series.notes / f"{desk.week}.md"]
    if desk.settings.consent.regimes:
        files.append(desk.settings.consent.regimes)
    if desk.draft and desk.draft.note and desk.draft.note.cover:
        files.append(desk.settings.series.notes / desk.draft.note.cover.file)
    return files


class Foreign(NamedTuple):
    """The stored edition, with the hash that is approved and the number of words on its stories."""

    content: str
    approved: str | None
    heard: int

    def same(self, other: "Foreign", own: Draft | None) -> bool:
        """Whether it is the other's edition, be it approved meanwhile, and not the desk's own."""
        is_own = own is not None and self.content == own.stored.content_hash
        return (self.content, self.heard) == (other.content, other.heard) and not is_own


def _data(desk: Desk) -> tuple[Stamp, Foreign | None]:
    """What is another after a capture or an acceptance, and after the week has gone to the outbox; and the stored
    edition where it is not as the desk itself stored it."""
    week = str(desk.week)
    try:
        with reading(desk.engine) as connection:
            queued = outbox.find(connection, week) is not None
            hashes = editions.hashes_of(connection, week)
            stored = Foreign(*hashes, len(override_store.load(connection, week))) if hashes else None
            return (scores.stamp(connection), queued), None if stored == _own(desk.draft) else stored
    except StorageError:
        return ("the database does not answer",), None


def _own(draft: Draft | None) -> Foreign | None:
    return Foreign(draft.stored.content_hash, draft.stored.approved_hash, draft.heard) if draft else None


def _hash(draft: Draft) -> str:
    return draft.stored.content_hash


def _check(desk: Desk) -> None:
    """Check each draft. What ended the checks may pass by itself, as a database that was locked: they are run again."""
    while not desk.stop.is_set():
        desk.to_check.wait(None if desk.is_checked or desk.draft is None else _CHECK_AGAIN)
        desk.to_check.clear()
        if not desk.stop.is_set():
            desk.check()
