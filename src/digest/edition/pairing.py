"""Which two models of a week are worth a side by side: the week's news against the row that it has to beat."""

from collections.abc import Mapping, Sequence

from digest.changes.kinds import Change, Kind
from digest.changes.ranking import Standing, leaderboard
from digest.changes.week import SourceWeek, WeekChanges
from digest.config.settings import Settings
from digest.edition.entrants import Wanted, same_model
from digest.edition.versus import of_wanted
from digest.edition.versus_facts import Versus
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Snapshot


def side_by_side(changes: WeekChanges, settings: Settings) -> Versus | None:
    """The week's most interesting pair, by rule; None where no board has an arrival or a riser among its shown rows.

    The board with most news first: its highest-ranked arrival or riser, against the row that it took the first place
    from, or else against the best row of another model.
    """
    snapshots = {
        week.state.source: week.state.current
        for week in changes.sources
        if week.told and week.state.current is not None
    }
    boards = [week for week in changes.sources if week.state.source in snapshots and _news(week)]
    for week in sorted(boards, key=lambda week: -len(_news(week))):
        snapshot = snapshots[week.state.source]
        pair = _pair(week, snapshot, settings.policy.rows_per_section)
        if pair is not None:
            wanted = [Wanted(key, resolve(snapshot.rows[key].raw), exact=True) for key in pair]
            return of_wanted(wanted, snapshots, settings)
    return None


def _news(week: SourceWeek) -> list[Change]:
    return [change for change in week.changes.changes if change.news] if week.changes else []


def _pair(week: SourceWeek, snapshot: Snapshot, shown: int) -> tuple[str, str] | None:
    if snapshot.lead is None:
        return None
    standings = leaderboard(snapshot, snapshot.lead)
    names = {standing.key: resolve(snapshot.rows[standing.key].raw) for standing in standings}
    risen = {change.key for change in _news(week) if _rose(change)}
    hero = next((standing for standing in standings[:shown] if standing.key in risen), None)
    if hero is None:
        return None
    others = [standing for standing in standings if not same_model(names[standing.key], names[hero.key])]
    rival = _displaced(week, hero, others, names) or (others[0].key if others else None)
    return (hero.key, rival) if rival is not None else None


def _rose(change: Change) -> bool:
    """Whether it is an arrival, a new first, or a better place."""
    if change.kind is Kind.RANK_CHANGED and change.before and change.after:
        return (change.after.rank or 0) < (change.before.rank or 0)
    return change.kind in (Kind.MODEL_ADDED, Kind.LEADER_CHANGED)


def _displaced(
    week: SourceWeek, hero: Standing, others: Sequence[Standing], names: Mapping[str, ModelName]
) -> str | None:
    """The row that held the first place, where the hero has it now."""
    change = next(
        (
            change
            for change in (week.changes.changes if week.changes else ())
            if change.kind is Kind.LEADER_CHANGED and change.key == hero.key
        ),
        None,
    )
    held = change.before.name if change and change.before else None
    return next((standing.key for standing in others if held and names[standing.key].raw == held.raw), None)
