"""What a week's stories are worth, which of them a section lists, and whether they make a week worth the mail.

A section is first drafted whole, with one story for each thing in it. What is listed, the order of "In brief" and a
quiet week are then read off the stories' values alone.
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Generic, NamedTuple, TypeVar

from digest.changes.kinds import Change, Kind
from digest.changes.noise import apart, needed
from digest.changes.week import SourceWeek
from digest.edition.facts import Fact
from digest.edition.overrides import arranged, dropped
from digest.edition.section_facts import Health
from digest.edition.story_facts import Edit, Story, StoryKind
from digest.scores.snapshot import Benchmark, Score

_WEIGHTS: dict[StoryKind, int] = {
    "lead": 100,
    "benchmark_revised": 90,
    "scale_shifted": 90,
    "tie": 80,
    "benchmark_added": 60,
    "benchmark_removed": 60,
    "disagreement": 45,
    "price_changed": 45,
    "mover": 40,
    "arrival": 40,
    "gone": 40,
    "price_withdrawn": 25,
    "price_new": 20,
    "correction": 20,
    "price_filled_in": 10,
    "renamed": 10,
    "offers_disagree": 10,
}
_MOST_TIMES = Decimal(3)  # a change is not worth more for being larger than that
_RANKS_THAT_COUNT = 30

MATERIAL = 60
"""What a story must be worth to make a week other than quiet: a new model among the first ten, a score of a model
among the first twenty that moved by twice its noise, a price that halved of a model among the first twenty-five."""

_NEVER_MATERIAL = ("corrections", "renamed")

F = TypeVar("F", bound=Fact)
S = TypeVar("S")


def changes_of(week: SourceWeek, *kinds: Kind) -> list[Change]:
    """What changed at a source in a week, news or not; of these kinds only, where any are given."""
    return [change for change in (week.changes.changes if week.changes else ()) if not kinds or change.kind in kinds]


def news_of(week: SourceWeek, *kinds: Kind) -> list[Change]:
    """What an edition may tell as news."""
    return [change for change in changes_of(week, *kinds) if change.news]


def id_of(week: SourceWeek, change: Change) -> str:
    """The id of a change, which is its story's too."""
    return week.changes.id_of(change) if week.changes else ""


def value(kind: StoryKind, *, times: Decimal = Decimal(0), rank: int | None = None, share: Decimal = Decimal(1)) -> int:
    """What a story is worth: a whole number, the same for the same facts.

    It is the weight of its kind, for the `share` of the benchmarks that were measured; 10 for each of the `times` that
    a change is as large as its noise (or a price as large as before), three at most; and one point for each place
    that the model's best `rank` is above the 30th.
    """
    size = 10 * min(times, _MOST_TIMES)
    place = max(0, _RANKS_THAT_COUNT - rank) if rank is not None else 0
    return int((_WEIGHTS[kind] * share + size).to_integral_value(ROUND_HALF_UP)) + place


def times_noise(before: Score, after: Score, about: Benchmark) -> Decimal:
    """How many times as large a difference is as what it has to exceed to be told; 1 where nothing is known of that."""
    far = abs(after.value - before.value)
    noise = needed(before, after, about)
    return far / noise if noise else Decimal(1 if apart(before, after, about) else 0)


def doublings(before: Decimal | None, after: Decimal | None) -> Decimal:
    """How often a price doubled or halved; 0 where a side is not known, and the most that counts where one is zero."""
    if before is None or after is None or before == after:
        return Decimal(0)
    if before <= 0 or after <= 0:
        return _MOST_TIMES
    with localcontext(Context(prec=28)):
        return abs((after / before).ln() / Decimal(2).ln())


class Told(NamedTuple, Generic[F]):
    """One thing that a section may name, with its story."""

    fact: F
    story: Story


class Section(NamedTuple, Generic[S]):
    """A part of the edition with the stories of all that it names or counts."""

    fact: S
    stories: tuple[Story, ...]


def foremost(
    whole: Sequence[Told[F]], most: int, edits: Sequence[Edit] = ()
) -> tuple[tuple[F, ...], tuple[Story, ...]]:
    """The `most` facts that are worth most, in the order in which they stood, and all stories: the others unlisted.

    What an editor drops is not listed, and what an editor has another word on is listed before anything else.
    """
    out, wanted = dropped(edits), {edit.told_as for edit in edits}
    stay = [index for index, told in enumerate(whole) if told.story.told_as not in out]
    by_value = sorted(stay, key=lambda at: (whole[at].story.told_as not in wanted, -whole[at].story.value, at))
    kept = set(by_value[:most])
    listed = arranged([whole[index] for index in sorted(kept)], lambda told: told.story.told_as, edits)
    stories = (
        told.story if index in kept else told.story.model_copy(update={"listed": False})
        for index, told in enumerate(whole)
    )
    return tuple(told.fact for told in listed), tuple(stories)


def in_order(stories: Iterable[Story]) -> tuple[Story, ...]:
    """All stories, those of the highest value first."""
    return tuple(sorted(stories, key=lambda story: (-story.value, story.section, story.source, story.about, story.id)))


def is_quiet(stories: Iterable[Story], health: Collection[Health]) -> bool:
    """Whether a week brought nothing of weight, or only corrections and names.

    It is not quiet where a source failed, is held back or was read for the first time, or where none was read: then
    there is something to say, or nothing is known.
    """
    states = {source.status for source in health}
    if states & {"failed", "quarantined", "new"} or not any(source.was_read for source in health):
        return False
    return not any(story.value >= MATERIAL and story.section not in _NEVER_MATERIAL for story in stories)
