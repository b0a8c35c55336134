"""What an edition says: frozen facts, serialisable and hashed. Sentences are made at rendering, in wording.py."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Leader = Literal[
    "new_leader", "new_but_tied", "new_within_noise", "unchanged", "not_comparable", "first_capture", "not_read"
]
"""What became of a board's first place. New within noise: ahead, but by moves of which none is told apart from noise.
Not comparable: the benchmark itself is made up otherwise than before. Not read: the week brought no capture."""


class Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(Fact):
    """A model as it is shown: title and variant; `model` is the canonical id, `raw` the publisher's own name."""

    model: str
    title: str
    raw: str
    effort: str | None = None
    thinking: str | None = None
    date: str | None = None
    host: str | None = None


class Figure(Fact):
    """A value with its rank and interval where it has them. `receipt` is its receipt's id, where no change tells it."""

    value: Decimal | None = None
    rank: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    receipt: str | None = None


class Proof(Fact):
    """Where a source's figures come from: the capture's day and the sha256 of its bytes."""

    on: date
    sha256: str


class Health(Fact):
    """How a source fared. `age_days` counts from its last change to the end of the week; `detail` says what failed."""

    source: str
    title: str
    status: Literal["fresh", "unchanged", "stale", "failed", "quarantined", "new"]
    home: str
    licence: str
    counted: int
    counted_as: Literal["models", "ids"]
    current: Proof | None
    previous: Proof | None
    changed_on: date | None = None
    age_days: int | None
    detail: str = ""

    @property
    def was_read(self) -> bool:
        """Whether the week brought a capture of its own that an edition tells from."""
        brought = self.current is not None and self.current != self.previous
        return brought and self.status in ("fresh", "unchanged", "new")


class Place(Fact):
    """One row of a board. `band` is the best rank it could hold within uncertainty; `tied` says that a neighbour in the
    ranking, above or below, is not told apart from it."""

    name: Name
    rank: int
    band: int
    tied: bool
    score: Figure
    previous: Figure | None
    movement: Literal["new", "same", "up", "down"] | None


class Board(Fact):
    """The top of one source's own ranking. `leader` says what became of the first place since the week before.
    `benchmark` is the benchmark as it is shown.

    `movement` is None on every row when there is nothing to compare with, or the benchmark is another than before.
    `steady` counts the rows from the top that stand where they stood, None where places cannot be compared.
    """

    source: str
    title: str
    benchmark: str
    unit: str
    higher_is_better: bool
    uncertainty: Literal["interval", "stderr", "margin", "none"]
    margin: Decimal | None
    leader: Leader
    previous_leader: Name | None
    change: str | None
    places: tuple[Place, ...]
    ranked: int
    unranked: int
    steady: int | None = None
    current: Proof
    previous: Proof | None


class Variant(Fact):
    """Another variant of a model, with its figure's receipt."""

    name: Name
    rank: int | None
    value: Decimal | None
    receipt: str = ""


class Arrival(Fact):
    """A model that is new on a board, by its best variant. `measured` of `benchmarks` were scored; without a rank it
    is not ranked, because its scores are incomplete. `also` are its other variants, and `more` counts the rest."""

    change: str
    name: Name
    rank: int | None
    band: int | None = None
    tied: bool
    value: Decimal | None
    measured: int
    benchmarks: int
    also: tuple[Variant, ...]
    more: int = 0


class Arrivals(Fact):
    """The new rows of one source: `rows` of them, for `len(models)` models and `folded` more that are not listed.

    `counted_as` says what an arrival's coverage counts: the tasks of a mean, or a table's columns.
    """

    source: str
    title: str
    unit: str
    counted_as: Literal["tasks", "columns"] = "tasks"
    rows: int
    models: tuple[Arrival, ...]
    folded: int


class Mover(Fact):
    """A score that changed beyond its uncertainty on a board's lead benchmark."""

    change: str
    reason: str
    name: Name
    before: Figure
    after: Figure


class Movers(Fact):
    """What moved on one source's lead benchmark; `elsewhere` counts the news on its other benchmarks."""

    source: str
    title: str
    benchmark: str
    unit: str
    higher_is_better: bool
    movers: tuple[Mover, ...]
    folded: int
    within_noise: int
    elsewhere: int = 0
    current: Proof
    previous: Proof | None


class Money(Fact):
    """A price in USD before and after, for `per` what. None on a side means that nothing was said there."""

    measure: Literal["input", "output", "run_cost", "context"]
    before: Decimal | None
    after: Decimal | None


class Priced(Fact):
    """One price story: a new offer, a changed or a withdrawn price. `ids` counts the rows that say the same, `also_in`
    names the other lists that do."""

    change: str
    what: Literal["new", "changed", "withdrawn", "filled_in"]
    name: Name
    figures: tuple[Money, ...]
    ids: int
    also_in: tuple[str, ...] = ()


class PriceList(Fact):
    """The price stories of one source; `elsewhere` counts the news on tier and cache prices and answer sizes."""

    source: str
    title: str
    priced: tuple[Priced, ...]
    folded: int
    elsewhere: int = 0
    current: Proof
    previous: Proof | None

    @property
    def on(self) -> date:
        """The day of the list."""
        return self.current.on


class Gone(Fact):
    """Rows that left a source."""

    source: str
    title: str
    names: tuple[Name, ...]
    folded: int


class Said(Fact):
    source: str
    title: str
    value: Decimal
    on: date


class Disagreement(Fact):
    """One fact that two sources tell differently, beyond both uncertainties. Told once."""

    change: str
    fact: str
    name: Name
    measure: str
    unit: str
    said: tuple[Said, Said]


class MethodNote(Fact):
    """A benchmark that was added to or removed from a source, that is another than before, or whose scale moved.

    `rows` have or had it; of a revised one they are the figures that moved, of a scale the benchmarks that moved,
    by `shift`. `models_moved` counts the score changes of that source which are a model's own.
    """

    change: str
    source: str
    title: str
    kind: Literal["benchmark_added", "benchmark_removed", "benchmark_revised", "scale_shifted"]
    benchmark: str
    unit: str = "%"
    rows: int
    shift: Decimal | None = None
    models_moved: int = 0


class Renamed(Fact):
    """A row that goes by another name, or `rows` whose prefix changed; it is no news, and no launch."""

    change: str
    source: str
    title: str
    before: Name
    after: Name
    rows: int
    reused: bool = False


class Correction(Fact):
    """A figure that a source put right, or took back: `printed` is what it said on the day of `previous`, `true` what
    it says on the day of `current`, None where it now says nothing."""

    change: str
    source: str
    title: str
    name: Name
    benchmark: str
    unit: str
    printed: Decimal
    true: Decimal | None
    current: Proof
    previous: Proof


class HeldBack(Fact):
    """A capture that a person has to look at before an edition may tell from it."""

    kind: Literal["held_back"] = "held_back"
    title: str


class GoesStale(Fact):
    """A source that will be stale from the day `on`, unless it changes before."""

    kind: Literal["goes_stale"] = "goes_stale"
    title: str
    changed_on: date
    on: date


class TopTie(Fact):
    """The first two rows of a board that are not told apart, `gap` from one another."""

    kind: Literal["top_tie"] = "top_tie"
    title: str
    first: Name
    second: Name
    gap: Decimal
    unit: str


class NextEdition(Fact):
    """The week of the next edition, by its Monday."""

    kind: Literal["next_edition"] = "next_edition"
    starts: date


Ahead = Annotated[HeldBack | GoesStale | TopTie | NextEdition, Field(discriminator="kind")]
"""One thing to watch, read off the data."""

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
    (changes.kinds.Reason) and the editor's remark. A benchmark's own change has no `name`."""

    change: str
    reason: str
    source: str
    title: str
    name: Name | None
    benchmark: str
    unit: str
    before: Figure | None
    after: Figure | None
    remark: str


class Contender(Fact):
    """A model that was asked for. What is said of the model itself comes from the catalogue; None where it does not
    say. `context` is in tokens."""

    asked: str
    name: Name
    open_weights: bool | None
    reasoning: Literal["yes", "no", "hybrid"] | None
    context: int | None


class Entrant(Fact):
    """The row of a source that stands for a contender, and the model's other variants there, the best first."""

    name: Name
    key: str
    rank: int | None
    also: tuple[Variant, ...]


class Result(Fact):
    """A contender's figure beside the best. `gap` is the figure less the best one, in the benchmark's unit; `percent`
    says by how much of this figure the best one is ahead, None for a rating and where there is no share.

    A win is ahead of every other beyond uncertainty; a tie is not told apart from the best, though perhaps the best.
    """

    value: Decimal
    low: Decimal | None
    high: Decimal | None
    gap: Decimal
    percent: Decimal | None
    outcome: Literal["win", "tie", "loss"]
    receipt: str = ""


class Compared(Fact):
    """One benchmark for all contenders, in their order; None where one was not measured.

    `order` holds the measured ones, the best first. `uncertainty` is what the judgement of the first two rests on,
    `needed` the difference beyond which they are told apart. `spread` lies between the best and the last, and
    `separates` says that it is beyond uncertainty. `scored` is False for a quantity such as seconds, words or money;
    `self_reported` says that the models' makers report the figures.
    """

    benchmark: str
    title: str
    unit: str
    higher_is_better: bool
    scored: bool
    self_reported: bool
    uncertainty: Literal["interval", "stderr", "margin", "none"]
    needed: Decimal
    results: tuple[Result | None, ...]
    order: tuple[int, ...]
    spread: Decimal
    separates: bool

    @property
    def winner(self) -> int | None:
        """The contender that is ahead of every other beyond uncertainty."""
        first = self.results[self.order[0]]
        return self.order[0] if first is not None and first.outcome == "win" else None


class Grouped(Fact):
    """A category: its own figure, where two contenders have one, its benchmarks, and which separates them most."""

    title: str
    whole: Compared | None
    benchmarks: tuple[Compared, ...]
    separator: str | None


class Tally(Fact):
    """On how many benchmarks of a source, or in how many of its categories, a contender wins, ties and loses."""

    wins: int
    ties: int
    losses: int


class Matchup(Fact):
    """The contenders on one source. `lead` is the benchmark that ranks it; `overall` says that it sums up the others.

    `other` are benchmarks of no category, the lead among them where it is a benchmark of its own.
    """

    source: str
    title: str
    current: Proof
    entrants: tuple[Entrant | None, ...]
    lead: Compared | None
    overall: bool
    categories: tuple[Grouped, ...]
    other: tuple[Compared, ...]
    separator: Compared | None
    benchmarks: tuple[Tally, ...]
    groups: tuple[Tally, ...]


class Offered(Fact):
    """What one source says of a contender's price, in USD per 1M tokens, and sizes, in tokens. A price of 0 is free.

    `input_ratio` and `output_ratio` are multiples of the lowest price; None where one of them is free or not known.
    """

    name: Name
    key: str
    input: Decimal | None
    output: Decimal | None
    context: Decimal | None
    max_output: Decimal | None
    input_ratio: Decimal | None = None
    output_ratio: Decimal | None = None
    receipts: tuple[str, ...] = ()


class Offers(Fact):
    """The contenders in one price list, or in the columns of a board that tells prices; None where one is missing."""

    source: str
    title: str
    current: Proof
    offered: tuple[Offered | None, ...]


class Versus(Fact):
    """Two or more models side by side. No figure of one source is held against a figure of another, but where
    `disagreements` tells one fact of two sources. The first matchup is the one that a verdict rests on.

    A lead of `clear_lead` times what it takes to be one is a clear one; prices and context windows that differ by
    `price_ratio` and `context_ratio` are a reason to pick.
    """

    contenders: tuple[Contender, ...]
    matchups: tuple[Matchup, ...]
    offers: tuple[Offers, ...]
    disagreements: tuple[Disagreement, ...]
    clear_lead: Decimal
    price_ratio: Decimal
    context_ratio: Decimal


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


class Level(NamedTuple):
    """A model's figure on the measure at place `measure` of the table, by its best row or offer, now and in the week
    before; `raw` is the publisher's name of that row."""

    measure: int
    now: Decimal | None
    before: Decimal | None
    raw: str


class Measure(Fact):
    """What a column of the table of standings holds: a board's lead, one of its aggregates, or a lowest price.

    `first` are the rows that could be first within uncertainty, the best first, and `entered` those of them that had no
    figure before. `comparable` says whether what was before may be held against what is now.
    """

    source: str
    title: str
    benchmark: str
    unit: str
    higher_is_better: bool
    comparable: bool
    first: tuple[Name, ...] = ()
    first_before: tuple[Name, ...] = ()
    entered: tuple[Name, ...] = ()


class Held(Fact):
    """What one model holds: a level for each measure that has or had one for it."""

    model: str
    title: str
    organisation: str | None
    levels: tuple[Level, ...]


class Standings(Fact):
    """Every model's figures, for readers who follow models, makers, categories and prices. No news by itself."""

    measures: tuple[Measure, ...]
    models: tuple[Held, ...]


class Threshold(Fact):
    """`at_least` per cent in `category`, for `under` USD per 1M tokens (watching.py says of which tokens)."""

    category: str
    at_least: Decimal
    under: Decimal


class WatchList(Fact):
    """What a reader follows: ids of models, makers, benchmarks or sources, categories, needs, and thresholds."""

    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()


class Crossing(Fact):
    """A model that a threshold lets through, and did not let through before. Prices are in `unit`."""

    threshold: Threshold
    name: str
    source: str
    score: Decimal
    price_source: str
    unit: str
    price: Decimal
    price_before: Decimal | None


class Watched(Fact):
    """What became of a watch list since the edition before `since`, which is the first that the reader did not get.

    `stories` are ids of fragments, what matters most first. `unchanged`, `moved` (other figures, but no story) and
    `withdrawn` are titles of followed models. `missed` counts the editions before this week's.
    """

    since: str
    missed: int
    crossings: tuple[Crossing, ...] = ()
    stories: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


class Fragment(Fact):
    """A story as it stands in a reader's watch list, in both parts of the mail."""

    html: str
    text: str


class Criterion(Fact):
    """What answered a need: one source's own benchmark, or one list's prices or context windows.

    `ranked` models have a figure there, `unmeasured` have none. `stale` says that the source told nothing new for long.
    """

    need: str
    title: str
    weight: Decimal
    source: str
    source_title: str
    benchmark: str
    unit: str
    higher_is_better: bool
    self_reported: bool
    ranked: int
    unmeasured: int
    stale: bool
    current: Proof


class Group(Fact):
    """The models among which a price, a size or a speed is compared: those that could be among the `most` best of a
    board within uncertainty, `models` in number."""

    source: str
    source_title: str
    benchmark: str
    unit: str
    most: int
    models: int
    current: Proof


class PriceBasis(Fact):
    """The list that prices and context windows are taken from, and how many input and output tokens make one price."""

    source: str
    title: str
    input_parts: Decimal
    output_parts: Decimal
    current: Proof


class Choice(Fact):
    """A model in a ranked answer, by its best row: its figure for each criterion, and each row's own name in `raws`.

    `pair` says which two models worked together. `value` is what ranks it (see Pick), `overall` its figure on the board
    of the Group. Prices are in USD per 1M tokens, `price` is blended, `context` in tokens; None where nobody says it.
    """

    name: Name
    pair: str | None = None
    figures: tuple[Figure, ...]
    raws: tuple[str, ...]
    value: Decimal
    overall: Figure | None = None
    input: Decimal | None = None
    output: Decimal | None = None
    price: Decimal | None = None
    price_raw: str | None = None
    context: Decimal | None = None
    open_weights: bool | None = None
    receipts: tuple[str, ...] = ()


class LeftOut(Fact):
    """How many measured models did not meet the limits, each counted under the first that it did not meet. `incomplete`
    ones lack a figure that was asked for."""

    closed: int = 0
    weights_unknown: int = 0
    dearer: int = 0
    price_unknown: int = 0
    shorter: int = 0
    context_unknown: int = 0
    incomplete: int = 0


class PickChange(Fact):
    """Why a pick is another than the week before: `why` it changed, by which model, and what was picked then.

    Arrived: a leader is newly measured. Withdrawn: what was picked has no figure any more. Rose, fell: the figure of a
    leader, or of one before, moved for better or worse beyond uncertainty. Standing: other models are in the Group.
    Source, benchmark: another one answers, or the same one is made up otherwise.
    """

    why: Literal["arrived", "withdrawn", "rose", "fell", "standing", "source", "benchmark"]
    by: Name | None = None
    before: tuple[Choice, ...]
    criterion: Criterion


class Pick(Fact):
    """The answer to one need, or to several by weight. `leaders` are the pick, or those that are tied for it, `others`
    the next ones; `ranked` counts all that meet the limits.

    `method` says what a Choice's value is: its figure; the weighted mean of its figures; or `places`, the weighted mean
    of its places, from 100 for a model that nobody is better than beyond uncertainty down to 0. `gap` lies between the
    first leader and the first of the others. `why_none` says why there is no pick; `missing` are needs nobody measures.
    """

    needs: tuple[str, ...]
    title: str
    outcome: Literal["pick", "tie", "none"]
    method: Literal["figure", "mean", "places"] = "figure"
    criteria: tuple[Criterion, ...] = ()
    uncertainty: Literal["interval", "stderr", "margin", "none"] = "none"
    margin: Decimal | None = None
    leaders: tuple[Choice, ...] = ()
    others: tuple[Choice, ...] = ()
    gap: Decimal | None = None
    ranked: int = 0
    group: Group | None = None
    prices: PriceBasis | None = None
    max_price: Decimal | None = None
    open_weights: bool = False
    min_context: int | None = None
    left_out: LeftOut = LeftOut()
    why_none: Literal["unmeasured", "unmet", "nothing_shared"] | None = None
    missing: tuple[str, ...] = ()
    change: PickChange | None = None


class Assigned(Fact):
    """One model of a hybrid answer: the titles of the needs it is the pick for, and of those it is tied for."""

    name: Name
    picked: tuple[str, ...]
    tied: tuple[str, ...]


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


class Frame(Fact):
    """The box of a watch list with slots for what stands in it: `row` is a story of the reader's own, `note` what holds
    still, `more` says how many stories are not in the mail but on the web, at `page`. `room` is what it may take, in
    bytes of HTML."""

    html: str
    row: str
    note: str
    more: str
    page: str
    room: int


class Extra(Fact):
    """What a region's rules add: `label` before the subject, lines of the footer in both parts."""

    label: str = ""
    html: str = ""
    text: str = ""


class Rendered(Fact):
    """An edition as mail: whole parts with slots for what differs by reader (`rendering/templates.py` names them) and
    marks around the sections that a reader may leave out.

    `fragments` holds every story that a reader may follow, by the story's id, and `frame` what stands around them.
    `rest` says that sections were left out, `keep` that a consent lapses soon. `regimes` holds what each region's rules
    add, by the regime's code. `translations` holds the same edition in each further language, by its tag.
    """

    subject: str
    preheader: str
    html: str
    text: str
    frame: Frame | None = None
    fragments: Mapping[str, Fragment] = {}
    rest: Fragment = Fragment(html="", text="")
    keep: Fragment = Fragment(html="", text="")
    regimes: Mapping[str, Extra] = {}
    translations: Mapping[str, "Rendered"] = {}

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subject in each language."""
        return (self.subject, *(one.subject for one in self.translations.values()))

    def in_language(self, locale: str) -> "Rendered":
        """The edition in this language, else in English."""
        return self.translations.get(locale, self)
