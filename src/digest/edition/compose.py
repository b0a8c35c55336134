"""WeekChanges -> Edition: which stories, in which order, how many. Facts only; sentences are wording's.

Each section comes with the stories of all that happened there; what they are worth (stories.py) says which of them it
lists, and whether the week is a quiet one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from digest.changes.disagreement import fact_of
from digest.changes.kinds import Change, Kind
from digest.changes.kinds import Figure as ChangedFigure
from digest.changes.offers import OFFER_UNITS
from digest.changes.week import SourceWeek, WeekChanges
from digest.config.settings import Settings
from digest.config.source import Source
from digest.edition.boards import arrivals, best_ranks, board, gone
from digest.edition.content import Edition, Note
from digest.edition.editing import checked_edits, promoted, set_aside
from digest.edition.facts import Disagreement, Fact, Said
from digest.edition.method import method_notes, renamed_rows
from digest.edition.moves import corrections, movers
from digest.edition.naming import proof_of, shown_figure, shown_name
from digest.edition.numbers import full
from digest.edition.overrides import Override, standing, told_by_key
from digest.edition.pairing import side_by_side
from digest.edition.pick_changes import changed_picks
from digest.edition.price_lists import price_lists
from digest.edition.receipts import receipts
from digest.edition.section_facts import Ahead, Board, GoesStale, Health, HeldBack, NextEdition, TopTie
from digest.edition.standings import standings_table
from digest.edition.stories import Section, Told, doublings, foremost, in_order, is_quiet, news_of, value
from digest.edition.story_facts import Edit, Story, StoryKind

F = TypeVar("F", bound=Fact)

_NO_END = 10**6
_NEWS_OF_A_MODEL = (Kind.MODEL_ADDED, Kind.PRICE_CHANGED, Kind.CONTEXT_CHANGED)


def compose(
    changes: WeekChanges,
    settings: Settings,
    *,
    number: int,
    week: str,
    starts: date,
    previous_week: str,
    last_subjects: Sequence[str] = (),
    note: Note | None = None,
    overrides: Sequence[Override] = (),
) -> Edition:
    """The edition of a week; the same facts give the same edition, and a quiet week a short one.

    `last_subjects` are those of the edition before, in each language, which this one's does not repeat; `note` and
    the log of `overrides` are the editor's. What an editor drops makes no week quiet, and changes no figure.
    """
    masthead = {
        "series": settings.series.title,
        "tagline": settings.series.tagline,
        "number": number,
        "week": week,
        "starts": starts,
        "previous_week": previous_week,
        "last_subjects": tuple(last_subjects),
        "note": note,
    }
    most = settings.policy.rows_per_section
    edition = _composed(changes, settings.sources, masthead, most, quiet=False)
    quiet = is_quiet(edition.stories, edition.health)
    if quiet:
        most = min(most, settings.policy.rows_in_a_quiet_week)
        edition = _composed(changes, settings.sources, masthead, most, quiet=quiet)
    if said := standing(overrides):
        whole = _composed(changes, settings.sources, masthead, _NO_END, quiet=quiet)
        known = told_by_key(whole.stories, changes)
        edits = checked_edits(whole, said, known)
        as_edited = _composed(changes, settings.sources, masthead, most, quiet=quiet, edits=edits)
        edition = as_edited.model_copy(
            update={
                "edits": edits,
                "aside": set_aside(edition, as_edited),
                "promoted": promoted(said, known, changes, settings.sources),
            }
        )
    return _with_answers(edition, changes, settings)


def unabridged(edition: Edition, changes: WeekChanges, settings: Settings) -> Edition:
    """The edition with every story in its section and without an editor's word on any, to look stories up in."""
    masthead = {name: getattr(edition, name) for name in _MASTHEAD}
    return _composed(changes, settings.sources, masthead, _NO_END, quiet=edition.quiet)


_MASTHEAD = ("series", "tagline", "number", "week", "starts", "previous_week", "last_subjects", "note")


def _with_answers(edition: Edition, changes: WeekChanges, settings: Settings) -> Edition:
    """The edition with what is told beside the week's news: side by side and picks, of which a quiet week has only the
    picks that changed; the table for watch lists; and the receipts of it all."""
    told = [week.state for week in changes.sources if week.told]
    before, now = (
        {state.source: it for state in told if (it := getattr(state, which)) is not None}
        for which in ("previous", "current")
    )
    picked = changed_picks(before, now, settings)
    answered = edition.model_copy(
        update={
            "side_by_side": None if edition.quiet else side_by_side(changes, settings),
            "picks": tuple(pick for pick in picked if pick.change) if edition.quiet else picked,
            "standings": standings_table(changes.sources, settings.sources),
        }
    )
    return answered.model_copy(update={"receipts": receipts(answered, changes, settings.sources)})


def _composed(
    changes: WeekChanges,
    sources: Mapping[str, Source],
    masthead: Mapping[str, Any],
    most: int,
    *,
    quiet: bool,
    edits: Sequence[Edit] = (),
) -> Edition:
    """The edition with at most so many rows in a section."""
    told = [(it, sources[it.state.source]) for it in changes.sources if it.told]
    ranks = best_ranks(it for it, _source in told)
    boards = _present(board(it, source, most) for it, source in told)
    arrived = _present(arrivals(it, source, most, edits) for it, source in told)
    moved = _present(movers(it, source, most, edits) for it, source in told)
    priced = price_lists(told, ranks, _new_on_boards(told), most, edits)
    left = _present(gone(it, source, ranks, most, edits) for it, source in told)
    disagreed = _cut(_disagreements(changes, sources, ranks), most, edits)
    corrected = _cut((entry for it, source in told for entry in corrections(it, source, ranks)), most, edits)
    noted = _cut((entry for it, source in told for entry in method_notes(it, source)), most, edits)
    renamed = _cut((entry for it, source in told for entry in renamed_rows(it, source, ranks)), most, edits)
    by_source: list[Section[Any]] = [*boards, *arrived, *moved, *priced, *left]
    sections = [*by_source, disagreed, corrected, noted, renamed]
    return Edition(
        **masthead,
        boards=_facts(boards),
        arrivals=tuple(it for it in _facts(arrived) if it.models),
        movers=tuple(it for it in _facts(moved) if it.movers or it.within_noise or it.elsewhere),
        prices=tuple(it for it in _facts(priced) if it.priced or it.elsewhere),
        gone=tuple(it for it in _facts(left) if it.names),
        disagreements=disagreed.fact,
        disagreements_folded=len(disagreed.stories) - len(disagreed.fact),
        corrections=corrected.fact,
        corrections_folded=len(corrected.stories) - len(corrected.fact),
        method=noted.fact,
        method_folded=len(noted.stories) - len(noted.fact),
        renamed=renamed.fact,
        renamed_folded=len(renamed.stories) - len(renamed.fact),
        health=tuple(_health(it, sources[it.state.source]) for it in changes.sources),
        ahead=_ahead(changes, sources, _facts(boards), masthead["starts"]),
        quiet=quiet,
        stories=in_order(story for section in sections for story in section.stories),
    )


def _present(sections: Iterable[Section[F] | None]) -> list[Section[F]]:
    return [section for section in sections if section is not None]


def _facts(sections: Sequence[Section[F]]) -> tuple[F, ...]:
    return tuple(section.fact for section in sections)


def _cut(whole: Iterable[Told[F]], most: int, edits: Sequence[Edit]) -> Section[tuple[F, ...]]:
    """A section of the whole edition, cut to its length."""
    return Section(*foremost(list(whole), most, edits))


def _new_on_boards(told: Iterable[tuple[SourceWeek, Source]]) -> frozenset[str]:
    """The models that are new on a board."""
    return frozenset(
        change.name.model for it, source in told if source.kind == "scores" for change in news_of(it, Kind.MODEL_ADDED)
    )


# All sources


def _disagreements(
    changes: WeekChanges, sources: Mapping[str, Source], ranks: Mapping[str, int]
) -> list[Told[Disagreement]]:
    """Those that are worth most first, so scores before prices; then prices before sizes, and the widest gap."""
    in_the_news = {change.name.model for it in changes.sources if it.told for change in news_of(it, *_NEWS_OF_A_MODEL)}
    days = {it.state.source: it.state.current.capture.on for it in changes.sources if it.state.current}

    def said(figure: ChangedFigure, source: str) -> Said:
        return Said(source=source, title=sources[source].title, value=figure.value or Decimal(0), on=days[source])

    whole = [
        _disagreement(
            changes,
            change,
            (said(change.before, change.source), said(change.after, change.after.source or "")),
            ranks,
            in_the_news,
        )
        for change in sorted((it for it in changes.disagreements if it.news), key=_disagreement_order)
        if change.before and change.after
    ]
    return sorted(whole, key=lambda told: -told.story.value)


def _disagreement(
    changes: WeekChanges,
    change: Change,
    said: tuple[Said, Said],
    ranks: Mapping[str, int],
    in_the_news: Collection[str],
) -> Told[Disagreement]:
    """A dispute over an offer is worth more where the week has news of the model: it is about what is told above."""
    offers = change.benchmark in OFFER_UNITS
    disagreement = Disagreement(
        change=changes.id_of_disagreement(change),
        fact=fact_of(change),
        name=shown_name(change.name, offer=offers),
        measure=change.benchmark or "",
        unit=change.unit,
        said=said,
    )
    kind: StoryKind = "offers_disagree" if offers else "disagreement"
    story = Story(
        id=disagreement.change,
        kind=kind,
        section="disagreements",
        source=change.source,
        about=full(disagreement.name),
        value=value(
            kind,
            times=Decimal(3 * (change.name.model in in_the_news)) if offers else doublings(*(it.value for it in said)),
            rank=ranks.get(change.name.model),
        ),
    )
    return Told(disagreement, story)


def _disagreement_order(change: Change) -> tuple[bool, bool, Decimal, str, str]:
    before, after = (shown_figure(figure).value or Decimal(0) for figure in (change.before, change.after))
    gap = abs(before - after) / max(before, after, Decimal(1))
    return change.benchmark in OFFER_UNITS, change.unit == "tokens", -gap, change.key, change.benchmark or ""


def _health(week: SourceWeek, source: Source) -> Health:
    state = week.state
    return Health(
        source=state.source,
        title=source.title,
        status=week.status,
        home=source.home,
        licence=source.licence,
        counted=len(state.current.rows) if state.current else 0,
        counted_as="ids" if source.kind == "offers" else "models",
        current=proof_of(state.current.capture) if state.current else None,
        previous=proof_of(state.previous.capture) if state.previous else None,
        changed_on=state.changed_on,
        age_days=week.age_days,
        detail=state.failure or state.doubt or "",
    )


def _ahead(
    changes: WeekChanges, sources: Mapping[str, Source], boards: Sequence[Board], starts: date
) -> tuple[Ahead, ...]:
    """One to three things to watch, of each kind the first; the next edition is always among them."""
    held = [HeldBack(title=sources[it.state.source].title) for it in changes.sources if it.status == "quarantined"]
    next_week = starts + timedelta(days=7)
    due = [
        GoesStale(title=sources[it.state.source].title, changed_on=it.state.changed_on, on=on)
        for it in changes.sources
        if it.told and it.state.changed_on
        if (on := it.state.changed_on + timedelta(days=it.state.stale_after_days + 1)) < next_week + timedelta(days=7)
    ]
    ties = [tie for board in boards if (tie := _top_tie(board))]
    found: list[Ahead] = [*held[:1], *due[:1], *ties[:1]]
    return (*found[:2], NextEdition(starts=next_week))


def _top_tie(board: Board) -> TopTie | None:
    """The tie between the first two rows, where there is one."""
    if len(board.places) < 2 or not board.places[0].tied:
        return None
    first, second = board.places[:2]
    if first.score.value is None or second.score.value is None:
        return None
    gap = abs(first.score.value - second.score.value)
    return TopTie(title=board.title, first=first.name, second=second.name, gap=gap, unit=board.unit)
