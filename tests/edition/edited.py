"""Weeks with an editor's word on their stories."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.edition.weeks import BEFORE, declared
from tests.snapshots import MONDAY, a_board, a_price_list, an_offer

from digest.changes.week import State, WeekChanges, compare_week
from digest.config.sections import Policy
from digest.config.settings import Settings
from digest.edition.compose import compose, unabridged
from digest.edition.content import Edition
from digest.edition.editing import misfits_in
from digest.edition.listed import ListedStory, Listing, ToldApart, listing
from digest.edition.overrides import Misfit, Override, What
from digest.scores.snapshot import Snapshot

AT = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)

STILL = {f"still-{number}": 10 + number / 4 for number in range(30)}
SCORES = {**STILL, "aurora-2": 80, "borealis-1": 70, "cirrus-3": 60, "delta-4": 55, "ember-5": 50, "fjord-6": 40}
SCORES_NOW = {**SCORES, "borealis-1": 90, "cirrus-3": 68, "delta-4": "55.4", "ember-5": 44, "gale-7": 30, "haze-8": 20}
OFFERS = {"aurora-2": an_offer(4, 8), "borealis-1": an_offer(2, 4), "cirrus-3": an_offer(1, 1)}
OFFERS_NOW = {"aurora-2": an_offer(2, 4), "borealis-1": an_offer(3, 6), "gale-7": an_offer(1, 2)}


class Week:
    """Two sources in two weeks: a lead that changed, moves, new rows, prices, and what is within the margin."""

    def __init__(self, scores: Snapshot | None = None, *, rows: int = 7) -> None:
        board = a_board(SCORES, on=BEFORE, margin=1), scores or a_board(SCORES_NOW, margin=1)
        prices = a_price_list(OFFERS, on=BEFORE), a_price_list(OFFERS_NOW)
        sources = {"board": declared("scores", "Source A"), "prices": declared("offers", "Source B")}
        self.settings = Settings(sources=sources, policy=Policy(rows_per_section=rows))
        states = [State(now.capture.source, 45, was, now, MONDAY, None) for was, now in (board, prices)]
        self.changes: WeekChanges = compare_week(states, MONDAY, MONDAY + timedelta(days=6), (), Policy())

    def edition(self, said: Sequence[Override] = ()) -> Edition:
        facts: dict[str, Any] = {"number": 7, "week": "2026-W18", "starts": MONDAY, "previous_week": "2026-W17"}
        return compose(self.changes, self.settings, **facts, overrides=said)

    def listing(self, said: Sequence[Override] = ()) -> Listing:
        edition = self.edition(said)
        whole = unabridged(edition, self.changes, self.settings)
        return listing(edition, whole, self.changes, self.settings.sources, said, self.misfits(said))

    def misfits(self, said: Sequence[Override]) -> tuple[Misfit, ...]:
        return misfits_in(self.edition(said), said, self.changes)

    def story(self, kind: str, about: str) -> ListedStory:
        return next(one for one in self.listing().stories if one.kind == kind and about in one.generated)

    def apart(self, reason: str) -> ToldApart:
        return self.listing().apart[reason][0]


def word(story: str, what: What, **more: Any) -> Override:
    return Override(story, what, "eva", AT, **more)


def a_day_later(figures: dict[str, Any]) -> Snapshot:
    """The board as it was fetched again: other bytes, other ids of its changes."""
    return a_board(figures, on=date(2026, 4, 28), margin=1)
