"""The desk's page, made from what the desk holds at this moment."""

import hashlib
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import NamedTuple

from digest import audit
from digest.audit import Entry
from digest.config.assets import asset
from digest.database import reading
from digest.desk.mails import VIEWS, WIDTHS, Mail, View, mail_to, place_of
from digest.desk.noting import NoteFile, read_note
from digest.desk.readers import As, Reader, countries, reader_as
from digest.desk.state import Desk
from digest.desk.telling import CHIPS, sides
from digest.edition import override_store
from digest.edition.numbers import several
from digest.edition.renditions import FORMATS, TOPICS
from digest.errors import DigestError
from digest.language import LOCALES
from digest.operations.approving import fallen
from digest.operations.trials import MOST
from digest.rendering.lint.lengths import CLIPPED, NEAR, PREHEADER, SUBJECT, section_sizes
from digest.rendering.templates import fill
from digest.subscribers.routing import REASONS

_MOST_LOGGED = 50
_MOST_APART = 25
PASSES: Mapping[str, str] = {
    "way out": "The way out is in both parts",
    "sender": "Sender and postal address are named",
    "facts": "Text and HTML tell the same figures",
    "contrast": "Contrast is AA, light and dark",
    "links": "Every link is an address",
    "size": "No client clips it",
    "subject": "The subject fits a telephone",
    "preheader": "The preheader fits",
    "slots": "No place is left open",
    "clients": "The clients that matter show it",
    "harmless": "No script, no tracker, nothing fetched",
    "alt text": "Pictures say what they show",
    "document": "Language, title, one headline",
    "outlook": "Outlook's comments are whole",
    "attributes": "No attribute is there twice",
    "text part": "The text part has 72 columns",
}
"""The checks by name, and what is true where one finds nothing."""


class Shown(NamedTuple):
    """The reader whose mail is shown and that mail; `fault` says why there is none."""

    reader: Reader | None
    mail: Mail | None
    fault: str


class Slice(NamedTuple):
    """A section's share of the HTML part: bytes, and where its piece of the meter begins and how wide it is, in percent
    of what is clipped."""

    title: str
    size: int
    start: float
    width: float


class Typed(NamedTuple):
    """A note as it was typed in the page, and the mark of the file that it was typed over."""

    text: str
    mark: str


def shown(desk: Desk) -> Shown:
    """The mail of the reader who was chosen, from the draft that is shown."""
    if desk.draft is None:
        return Shown(None, None, "")
    try:
        reader = reader_as(desk.engine, desk.shown_as, desk.draft, desk.draft.at)
        return Shown(reader, mail_to(reader.subscriber, desk.draft, reader.last_week), "")
    except DigestError as error:
        return Shown(None, None, str(error))


def page(desk: Desk, view: View, nonce: str, typed: Typed | None = None) -> str:
    """The whole page as HTML, in one view of the mail; `typed` is a note that could not be saved."""
    version = desk.version  # first: what changes while this is made is told under a later one, and the page loads again
    seen = shown(desk)
    settings = desk.settings
    return fill(
        "desk/page.html",
        {
            "desk": desk,
            "version": version,
            "draft": desk.draft,
            "overview": desk.overview,
            "series": settings.series,
            "mail_settings": settings.mail,
            "style": style_sheet(),
            "nonce": nonce,
            "view": view,
            "views": VIEWS,
            "widths": WIDTHS,
            "seen": seen,
            "mark": mark_of(seen),
            "as_whom": _as_whom(desk.shown_as),
            "place_of": place_of,
            "findings": desk.findings,
            "counted": Counter(finding.level for finding in desk.findings),
            "passing": passing(desk),
            "blocked": desk.blocked,
            "link_results": _link_results(desk),
            "sizes": sizes_of(seen.mail),
            "limits": {"clipped": CLIPPED, "near": NEAR, "subject": SUBJECT, "preheader": PREHEADER},
            "preheader": _preheader(desk, seen),
            "note": note_of(desk),
            "typed": typed,
            "audience": audience_of(desk),
            "log": logged(desk),
            "chips": CHIPS,
            "sides": sides,
            "most_tests": MOST,
            "most_apart": _MOST_APART,
            "choices": {
                "countries": countries(desk.draft) if desk.draft else (),
                "locales": LOCALES,
                "formats": FORMATS,
                "topics": TOPICS,
            },
        },
    )


def passing(desk: Desk) -> list[str]:
    """What the checks found nothing against; nothing before they have run."""
    if not desk.is_checked:
        return []
    against = {finding.check for finding in desk.findings if finding.level != "note"}
    return [words for check, words in PASSES.items() if check not in against]


class LinkResults(NamedTuple):
    """How many links of the draft were tried, answer, and were not tried yet."""

    tried: int
    good: int
    untried: int


def _link_results(desk: Desk) -> LinkResults:
    faults = [desk.tried.get(link.address) for link in desk.overview.links]
    return LinkResults(sum(fault is not None for fault in faults), faults.count(""), faults.count(None))


def _preheader(desk: Desk, seen: Shown) -> str:
    """In the language of the mail that is shown, which is the reader's own."""
    if desk.draft is None or seen.mail is None:
        return ""
    return desk.draft.rendered.in_language(seen.mail.rendition.locale).preheader


def mark_of(seen: Shown) -> str:
    """Another one whenever the mail is another: frames are loaded anew when it changes."""
    return hashlib.sha256(seen.mail.raw).hexdigest()[:12] if seen.mail else "none"


def _as_whom(chosen: As) -> str:
    if chosen.email:
        return chosen.email
    return f"a reader in {chosen.country}" if chosen.country else "a reader of unknown country"


def sizes_of(mail: Mail | None) -> tuple[Slice, ...]:
    """The HTML part by section, in their order."""
    parsed = mail.page if mail else None
    slices, start = [], 0
    for title, size in section_sizes(parsed).items() if parsed else ():
        slices.append(Slice(title, size, 100 * start / CLIPPED, 100 * size / CLIPPED))
        start += size
    return tuple(slices)


def note_of(desk: Desk) -> tuple[NoteFile | None, str]:
    """The note's file, or why it cannot be read."""
    try:
        return read_note(desk.settings.series.notes, str(desk.week)), ""
    except DigestError as error:
        return None, str(error)


class Audience(NamedTuple):
    """To how many readers it goes, and of them, of those held and of those skipped (what, how many): by region, else
    by region and why."""

    deliver: int
    away: int
    regions: tuple[tuple[str, int], ...]
    held: tuple[tuple[str, int], ...]
    skipped: tuple[tuple[str, int], ...]


def audience_of(desk: Desk) -> Audience | None:
    """None while it is being counted."""
    if not desk.is_checked or desk.checked is None:
        return None
    deliver: Counter[str] = Counter()
    away: dict[str, Counter[str]] = {"held": Counter(), "skipped": Counter()}
    said: Mapping[str, str] = {str(reason): words for reason, words in REASONS.items()}
    for (regime, state, reason), count in desk.checked.regions.items():
        if state in away:
            away[state][f"{regime or 'erased'}: {said.get(reason, reason)}"] += count
        else:
            deliver[regime or "erased"] += count
    held, skipped = away["held"], away["skipped"]
    return Audience(
        deliver.total(),
        held.total() + skipped.total(),
        tuple(deliver.most_common()),
        tuple(held.most_common()),
        tuple(skipped.most_common()),
    )


class Line(NamedTuple):
    """A line of the log, with what its detail comes to in words."""

    at: datetime
    act: str
    who: str
    said: str


class Logged(NamedTuple):
    """What was done to the week, the newest first; who approved what is shown; and, where that was approved and is not
    any more, what changed since."""

    entries: tuple[Line, ...]
    approvers: tuple[str, ...]
    voided: tuple[str, ...]


def logged(desk: Desk) -> Logged:
    """Read anew for each page, for other programs write it, too."""
    week = str(desk.week)
    with reading(desk.engine) as connection:
        entries = audit.read(connection, week, _MOST_LOGGED)
        content = desk.draft.stored.content_hash if desk.draft else ""
        approvers = override_store.approvers(connection, week, content)
        fell = fallen(connection, desk.week, content)
    lines = tuple(Line(entry.at, entry.act, entry.who, _in_words(entry)) for entry in reversed(entries))
    return Logged(lines, approvers, fell)


def _in_words(entry: Entry) -> str:
    detail = entry.detail
    match entry.act:
        case "overridden":
            return f"{detail.get('what')} “{detail.get('about')}”"
        case "voided" | "held":
            return "; ".join(map(str, detail.get("what") or detail.get("why") or ()))
        case "tested":
            return several(detail["sent"], "mail") if "sent" in detail else "broke off"
        case _:
            return str(detail.get("content", ""))[:8]


def broken_page(sentence: str) -> str:
    """The page where the desk's own cannot be made, for nothing but what is wrong; it looks again by itself."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3;url=./">'
        '<meta name="color-scheme" content="light dark"><title>Desk</title></head>'
        f'<body><main><h1>Desk</h1><p id="fault" role="alert">{escape(sentence)}</p></main></body></html>\n'
    )


def style_sheet() -> str:
    """The desk's one style sheet, which stands in its page."""
    return (asset("templates") / "desk" / "style.css").read_text(encoding="utf-8")


def policy(style: str, nonce: str) -> str:
    """What the page may load (CSP level 3): the style sheet by hash, the script by nonce, what is ours."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def mail_policy(*, images: bool) -> str:
    """What a mail in its frame may do: be looked at. No script, no form, nothing from elsewhere."""
    pictures = "img-src 'self' data:" if images else "img-src 'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; {pictures}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    )
