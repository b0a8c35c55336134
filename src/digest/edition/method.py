"""What changed about the measuring and the names, which is no model's doing."""

from collections.abc import Iterator, Mapping
from typing import Literal

from digest.changes.kinds import Kind, Reason
from digest.changes.week import SourceWeek
from digest.config.source import Source
from digest.edition.naming import shown_benchmark, shown_name
from digest.edition.numbers import benchmark_name, full
from digest.edition.section_facts import MethodNote, Renamed
from digest.edition.stories import Told, changes_of, id_of, news_of, value
from digest.edition.story_facts import Story

_KINDS: tuple[Literal["benchmark_added", "benchmark_removed", "benchmark_revised", "scale_shifted"], ...] = (
    "benchmark_added",
    "benchmark_removed",
    "benchmark_revised",
    "scale_shifted",
)


def method_notes(week: SourceWeek, source: Source) -> Iterator[Told[MethodNote]]:
    """Benchmarks that came, went or were made anew, and scales that moved."""
    for kind in _KINDS:
        for change in news_of(week, Kind(kind)):
            note = MethodNote(
                change=id_of(week, change),
                source=week.state.source,
                title=source.title,
                kind=kind,
                benchmark=shown_benchmark(week, change),
                unit=change.unit,
                rows=change.rows,
                shift=change.after.value if kind == "scale_shifted" and change.after else None,
                models_moved=sum(it.reason is not Reason.CORRECTION for it in news_of(week, Kind.SCORE_CHANGED)),
            )
            story = Story(
                id=note.change,
                kind=kind,
                section="method",
                source=note.source,
                about=benchmark_name(note.benchmark),
                value=value(kind),
            )
            yield Told(note, story)


def renamed_rows(week: SourceWeek, source: Source, ranks: Mapping[str, int]) -> Iterator[Told[Renamed]]:
    """Rows whose name says something else than before, and keys that were given to another row.

    `ranks` are the best ranks of models on the week's boards.
    """
    offer = source.kind == "offers"
    for change in changes_of(week, Kind.MODEL_RENAMED):
        if change.before is None or change.before.name is None:
            continue
        renamed = Renamed(
            change=id_of(week, change),
            source=week.state.source,
            title=source.title,
            before=shown_name(change.before.name, offer=offer),
            after=shown_name(change.name, offer=offer),
            rows=change.rows,
            reused=change.reason is Reason.KEY_REUSED,
        )
        rank = change.after.rank if change.after and change.after.rank else ranks.get(change.name.model)
        story = Story(
            id=renamed.change,
            kind="renamed",
            section="renamed",
            source=renamed.source,
            about=full(renamed.after),
            value=value("renamed", rank=rank),
        )
        yield Told(renamed, story)
