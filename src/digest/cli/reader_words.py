"""What a person reads in the terminal about readers, keys and the doctor's findings: no line over 80 columns."""

import textwrap
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from digest.cli import printing
from digest.edition.numbers import several, shown
from digest.membership.explaining import Explained
from digest.membership.importing import Imported
from digest.membership.proving import HASHED_OVER, Proof
from digest.membership.retention import Expired
from digest.operations.findings import Finding, Level
from digest.operations.store import ApiKey
from digest.subscribers.store import Subscriber

_WIDTH = 80
_AT_ONCE = 500  # rows whose columns are made of one width

_LEVELS: dict[Level, tuple[str, str]] = {
    "ok": ("✓", "cyan"),
    "note": ("·", "dim"),
    "warn": ("!", "yellow"),
    "fail": ("×", "red"),
}


def imported(done: Imported, *, dry_run: bool) -> None:
    """What became of the lines of a file."""
    print(f"{done.added:,} added, {done.known:,} known already, {done.withdrawn:,} had left and stay away.")
    more = (
        (done.refused, "had asked to be forgotten and stay away"),
        (done.lapsed, "agreed so long ago that they must be asked anew"),
        (done.skipped, "did not agree when the file was exported"),
    )
    for count, what in more:
        if count:
            print(f"{count:,} {what}.")
    if dry_run:
        print("This was a dry run: nothing was stored.")


def subscribers(found: Iterable[Subscriber]) -> None:
    """Readers with their state, country and locale."""
    count, rows = 0, list[Subscriber]()
    for reader in found:
        rows.append(reader)
        if len(rows) == _AT_ONCE:
            _readers(rows)
            count, rows = count + len(rows), []
    if rows:
        _readers(rows)
    printing.out.print(Text(f"{several(count + len(rows), 'reader')}."))


def _readers(rows: Sequence[Subscriber]) -> None:
    table = _table("Address", "State", "Country", "Locale")
    for reader in rows:
        table.add_row(Text(reader.email), reader.consent.state, reader.consent.country or "not known", reader.locale)
    printing.out.print(table)


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False, padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def exported(count: int, file: str) -> None:
    print(f"{several(count, 'reader')} written to {file}, which only you may read. It holds addresses: keep it safe.")


def erased(gone: bool) -> None:
    print("1 reader erased." if gone else "this reader was erased already.")
    _say("A keyed hash stays, so that no import brings the address back, and the consent log under a number alone.")


def expired(done: Expired) -> None:
    print(f"{done.requests:,} requests were not confirmed, {done.lapsed:,} consents lapsed, {done.erased:,} erased.")


def proof(found: Proof) -> None:
    """A consent log for a person, and how to check it."""
    _say(f"State: {found.state}." if not found.faults else "This log is not to be believed.")
    for fault in found.faults:
        _say(f"× {fault}.")
    for event in found.events:
        print()
        words = event.get("wording_text", event.get("wording", ""))
        left_out = ("number", "kind", "hash", "wording", "wording_text")
        print(f"{event['number']}. {event['kind']}")
        _say(f"words: “{shown(words, 2000)}”", "   ") if words else None
        for name, value in event.items():
            if name not in left_out:
                _say(f"{name.replace('_', ' ')}: {shown(str(value), 2000)}", "   ")
        _say(f"hash: {event['hash']}", "   ")
    print()
    _say(HASHED_OVER)


def explained(found: Explained) -> None:
    """A reader's story as paragraphs."""
    parts: tuple[tuple[str, Sequence[str]], ...] = (
        ("Consent", found.consent),
        ("Whose rules apply", (found.country, *found.rules)),
        (f"Edition {found.week}", (found.route,)),
        ("What this mail carries", found.duties),
        ("Deliveries", found.deliveries),
        ("Next", (found.next_step,)),
    )
    _say(found.summary)
    for heading, sentences in parts:
        if any(sentences):
            print(f"\n{heading}")
            for sentence in filter(None, sentences):
                _say(shown(sentence, 2000), "  ")


def keys(found: Sequence[ApiKey]) -> None:
    """Keys with what they open; never the key."""
    table = _table("Name", "Opens", "Made", "Revoked")
    for key in found:
        revoked = f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
        table.add_row(Text(key.name), ", ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", revoked)
    if found:
        printing.out.print(table)
    printing.out.print(Text(f"{several(len(found), 'key')}."))


def finding(found: Finding) -> None:
    """One thing that the doctor looked at."""
    mark, style = _LEVELS[found.level]
    line = Text.assemble((mark, style), " ", (f"{found.level:4}", style), f" {found.what}: {found.said}")
    printing.out.print(line, soft_wrap=True)


def _say(sentence: str, indent: str = "") -> None:
    print(textwrap.fill(sentence, _WIDTH, initial_indent=indent, subsequent_indent=indent))
