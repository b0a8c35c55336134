"""The facts of a pick: what answered a need, which models, and why it is another than before."""

from decimal import Decimal
from typing import Literal

from digest.edition.facts import Fact, Figure, Name, Proof


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
