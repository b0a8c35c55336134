"""What an edition says, as one frozen value, with its note and its receipts; wording.py makes the sentences."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from digest.edition.facts import Disagreement, Fact
from digest.edition.pick_facts import Pick
from digest.edition.section_facts import (
    Ahead,
    Arrivals,
    Board,
    Correction,
    Gone,
    Health,
    MethodNote,
    Movers,
    PriceList,
    Renamed,
)
from digest.edition.story_facts import Aside, Edit, Promoted, Story
from digest.edition.versus_facts import Versus
from digest.edition.watch_facts import Standings


class Cover(Fact):
    """The picture of a note: a file beside it, its sha256 and media type, and what it shows, in words."""

    file: str
    media_type: Literal["image/png", "image/jpeg", "image/webp", "image/gif"]
    sha256: str
    alt: str


class Paragraph(Fact):
    """A piece of plain text: `lead` is what stands before its first line (`- `, `2. `, `> `), `text` is not folded."""

    lead: str = ""
    text: str


class Note(Fact):
    """The editor's note. `html` is its opening for the mail and `whole` all of it for the web, sanitised (notes.py
    says to what); `text` is the opening again, with `links` numbered from 1. `more` says that the web has the rest.

    A note that is a `draft` is shown in a preview and is in no edition that is sent.
    """

    title: str
    on: date
    author: str = ""
    draft: bool = False
    cover: Cover | None = None
    words: int
    html: str
    text: tuple[Paragraph, ...]
    links: tuple[str, ...] = ()
    whole: str
    more: bool


class Captured(Fact):
    """What a capture says of a figure: the row's own key and the publisher's name of it, None where it has no such row,
    and the value as read, None where it says none. `sha256` is of the fetched bytes."""

    on: date
    at: datetime
    sha256: str
    key: str | None
    raw: str | None
    value: Decimal | None


class Receipt(Fact):
    """Where a figure or a change comes from: both captures, their rows, the source and its licence."""

    id: str
    source: str
    title: str
    url: str
    licence: str
    measure: str
    unit: str
    previous: Captured | None
    current: Captured | None


class Edition(Fact):
    """One week's edition. `week` and `previous_week` are ISO weeks such as 2026-W18; `starts` is the week's Monday.

    `quiet` says that every source that was read brought nothing of weight, `stories` is all there was to tell, the
    weightiest first, and `last_subjects` what the edition before had for a subject, in each language; this one repeats
    none of them. `receipts` are those of every `change` and `receipt` that a fact names.
    """

    schema_version: Literal[1] = 1
    series: str
    tagline: str
    number: int
    week: str
    starts: date
    previous_week: str
    boards: tuple[Board, ...]
    arrivals: tuple[Arrivals, ...]
    movers: tuple[Movers, ...]
    prices: tuple[PriceList, ...]
    gone: tuple[Gone, ...]
    disagreements: tuple[Disagreement, ...]
    disagreements_folded: int = 0
    corrections: tuple[Correction, ...] = ()
    corrections_folded: int = 0
    method: tuple[MethodNote, ...]
    method_folded: int = 0
    renamed: tuple[Renamed, ...] = ()
    renamed_folded: int = 0
    health: tuple[Health, ...]
    ahead: tuple[Ahead, ...] = ()
    quiet: bool = False
    stories: tuple[Story, ...] = ()
    last_subjects: tuple[str, ...] = ()
    side_by_side: Versus | None = None
    picks: tuple[Pick, ...] = ()
    note: Note | None = None
    standings: Standings | None = None
    receipts: tuple[Receipt, ...] = ()
    edits: tuple[Edit, ...] = ()
    aside: Aside | None = None
    promoted: tuple[Promoted, ...] = ()

    def document(self) -> str:
        """The edition as JSON, the same text for the same facts."""
        return self.model_dump_json()
