"""The closed vocabulary of changes: what kind, why it is news or not, and the values that say so."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from digest.changes.noise import written_alike
from digest.language import N_
from digest.scores.catalog import ModelName
from digest.scores.snapshot import Capture


class Kind(StrEnum):
    MODEL_ADDED = "model_added"
    MODEL_REMOVED = "model_removed"
    MODEL_RENAMED = "model_renamed"
    SCORE_CHANGED = "score_changed"
    SCORE_FILLED_IN = "score_filled_in"
    SCORE_WITHDRAWN = "score_withdrawn"
    RANK_CHANGED = "rank_changed"
    LEADER_CHANGED = "leader_changed"
    BENCHMARK_ADDED = "benchmark_added"
    BENCHMARK_REMOVED = "benchmark_removed"
    BENCHMARK_REVISED = "benchmark_revised"
    SCALE_SHIFTED = "scale_shifted"
    PRICE_CHANGED = "price_changed"
    PRICE_FILLED_IN = "price_filled_in"
    PRICE_WITHDRAWN = "price_withdrawn"
    CONTEXT_CHANGED = "context_changed"
    SOURCES_DISAGREE = "sources_disagree"


class Reason(StrEnum):
    """Why a change is news, or why it is told apart from news; EXPLAINED has each in words."""

    BEYOND_UNCERTAINTY = "beyond_uncertainty"
    BEYOND_THRESHOLD = "beyond_threshold"
    ENTRY = "entry"
    WITHDRAWAL = "withdrawal"
    CORRECTION = "correction"
    RERUN = "rerun"
    PRICE = "price"
    BENCHMARK_CHANGE = "benchmark_change"
    SCALE_SHIFT = "scale_shift"
    DISAGREEMENT = "disagreement"
    TIED = "tied"
    WITHIN_UNCERTAINTY = "within_uncertainty"
    BELOW_THRESHOLD = "below_threshold"
    DISPLACED = "displaced"
    RENAME = "rename"
    NAMESPACE_MOVE = "namespace_move"
    KEY_REUSED = "key_reused"
    FILLED_IN = "filled_in"
    VALUE_WITHDRAWN = "value_withdrawn"
    FLIP_FLOP = "flip_flop"
    IMPLAUSIBLE = "implausible"
    SAME_FACT = "same_fact"
    FIRST_CAPTURE = "first_capture"
    KNOWN_DISAGREEMENT = "known_disagreement"


EXPLAINED: dict[Reason, str] = {
    Reason.BEYOND_UNCERTAINTY: N_("the difference is larger than both published uncertainties"),
    Reason.BEYOND_THRESHOLD: N_("no uncertainty is published; the difference is larger than our margin"),
    Reason.ENTRY: N_("a new row"),
    Reason.WITHDRAWAL: N_("the row is gone"),
    Reason.CORRECTION: N_("a published figure was put right"),
    Reason.RERUN: N_("the same model was measured again"),
    Reason.PRICE: N_("the price or size that is asked for or offered is another"),
    Reason.BENCHMARK_CHANGE: N_("the benchmark changed, not the model"),
    Reason.SCALE_SHIFT: N_("the whole scale moved"),
    Reason.DISAGREEMENT: N_("two sources tell one fact differently"),
    Reason.TIED: N_("ahead, but within the uncertainty"),
    Reason.WITHIN_UNCERTAINTY: N_("the difference is within the published uncertainty"),
    Reason.BELOW_THRESHOLD: N_("no uncertainty is published; the difference is within our margin"),
    Reason.DISPLACED: N_("the score stayed, others arrived above or left"),
    Reason.RENAME: N_("the same row or benchmark under another name"),
    Reason.NAMESPACE_MOVE: N_("the same rows under another prefix"),
    Reason.KEY_REUSED: N_("the row's key now belongs to another row"),
    Reason.FILLED_IN: N_("a value where there was none, or a mean over other values than before"),
    Reason.VALUE_WITHDRAWN: N_("no value any more where there was one"),
    Reason.FLIP_FLOP: N_("back to what it was a short while ago"),
    Reason.IMPLAUSIBLE: N_("too large or too small to be believed"),
    Reason.SAME_FACT: N_("already told under another id"),
    Reason.FIRST_CAPTURE: N_("the source's first capture; nothing to compare with"),
    Reason.KNOWN_DISAGREEMENT: N_("the sources have disagreed on it before"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with what is known around it. `name` is set where it belongs to another row than the change's."""

    value: Decimal | None = None
    rank: int | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    name: ModelName | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two captures. `key` is the row's key, `benchmark` the benchmark or the offer's field."""

    kind: Kind
    reason: Reason
    news: bool
    source: str
    key: str
    name: ModelName
    benchmark: str | None = None
    unit: str = ""
    before: Figure | None = None
    after: Figure | None = None
    rows: int = 1
    evidence: str = ""

    def id(self, previous: str, current: str) -> str:
        """A stable id from the two captures' sha256 and what changed between them."""
        parts = (previous, current, self.kind, self.reason, self.source, self.key, self.benchmark or "")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the weeks before say of what changes now. `recent` holds, by row key and benchmark or field of an offer, the
    values of the last few captures before the previous one. A row that was renamed since stands under its new key."""

    recent: Mapping[tuple[str, str], Collection[Decimal]] = field(default_factory=dict)

    def had(self, key: str, benchmark: str, value: Decimal) -> bool:
        """Whether a row had this value a short while ago."""
        return any(written_alike(value, past) for past in self.recent.get((key, benchmark), ()))

    @property
    def rows(self) -> frozenset[str]:
        """The keys of the rows of which a value is remembered."""
        return frozenset(key for key, _benchmark in self.recent)


NO_MEMORY = Memory()


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """What changed at one source. `previous` is None at the source's first capture."""

    source: str
    previous: Capture | None
    current: Capture
    changes: tuple[Change, ...] = field(default_factory=tuple)

    def id_of(self, change: Change) -> str:
        return change.id(self.previous.sha256 if self.previous else "", self.current.sha256)
