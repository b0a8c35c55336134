"""The facts of a story: what it is worth, and what an editor said of it."""

from typing import Literal

from digest.edition.facts import Disagreement, Fact, Figure, Name
from digest.edition.section_facts import Arrivals, Gone, MethodNote, Movers, PriceList, Renamed

StoryKind = Literal[
    "lead",
    "tie",
    "arrival",
    "mover",
    "price_changed",
    "price_withdrawn",
    "price_new",
    "price_filled_in",
    "gone",
    "disagreement",
    "offers_disagree",
    "correction",
    "benchmark_added",
    "benchmark_removed",
    "benchmark_revised",
    "scale_shifted",
    "renamed",
]

SectionName = Literal[
    "boards", "arrivals", "movers", "prices", "gone", "disagreements", "corrections", "method", "renamed"
]
"""The Edition's fields that hold stories."""


class Story(Fact):
    """One thing that the week has to tell. `id` is its change's, `section` the Edition's field it belongs to, `value`
    what it is worth (stories.py), and `listed` whether its section names it or only counts it. A change may be told in
    two sections, so a story is known by both (`told_as`)."""

    id: str
    kind: StoryKind
    section: SectionName
    source: str
    about: str
    value: int
    listed: bool = True

    @property
    def told_as(self) -> tuple[str, str]:
        """What a story is known by."""
        return self.section, self.id


class Edit(Fact):
    """What an editor changed of a story: that it is left out of the lists, that it comes first, or at which `place`
    from 1 it stands; and its headline, as (language tag, words). `section` and `story` are the story's own section and
    id."""

    section: SectionName
    story: str
    dropped: bool = False
    pinned: bool = False
    place: int | None = None
    headlines: tuple[tuple[str, str], ...] = ()

    @property
    def told_as(self) -> tuple[str, str]:
        """What the story is known by."""
        return self.section, self.story


class Aside(Fact):
    """What an editor's word took out of the lists, in the sections it would stand in. Watch lists still tell it."""

    arrivals: tuple[Arrivals, ...] = ()
    movers: tuple[Movers, ...] = ()
    prices: tuple[PriceList, ...] = ()
    gone: tuple[Gone, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    method: tuple[MethodNote, ...] = ()
    renamed: tuple[Renamed, ...] = ()


class Promoted(Fact):
    """A change that was told apart from news and that an editor shows all the same, with the `reason` why it is no news
    (changes.kinds.Reason) and the editor's remarks, as (language tag, words). A benchmark's own change has no
    `name`."""

    change: str
    reason: str
    source: str
    title: str
    name: Name | None
    benchmark: str
    unit: str
    before: Figure | None
    after: Figure | None
    remarks: tuple[tuple[str, str], ...]
