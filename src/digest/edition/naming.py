"""How the values of a comparison stand in an edition: names, figures, captures and benchmarks."""

from digest.changes.kinds import Change
from digest.changes.kinds import Figure as ChangedFigure
from digest.changes.week import SourceWeek
from digest.edition.content import Figure, Name, Proof
from digest.scores.catalog import ModelName
from digest.scores.snapshot import Capture


def shown_name(name: ModelName, *, offer: bool = False) -> Name:
    """A resolved name as a fact of the edition. Where it is served is said of an offer only: a score is the model's."""
    return Name(
        model=name.model,
        title=name.title,
        raw=name.raw,
        effort=name.effort,
        thinking=name.thinking,
        date=name.date,
        host=name.host if offer else None,
    )


def proof_of(capture: Capture) -> Proof:
    return Proof(on=capture.on, sha256=capture.sha256)


def shown_figure(changed: ChangedFigure | None) -> Figure:
    if changed is None:
        return Figure()
    return Figure(value=changed.value, rank=changed.rank, low=changed.low, high=changed.high)


def shown_benchmark(week: SourceWeek, change: Change) -> str:
    """The title of a benchmark that one of the two weeks has, else its name."""
    name = change.benchmark or ""
    known = [
        state.benchmarks[name]
        for state in (week.state.current, week.state.previous)
        if state and name in state.benchmarks
    ]
    return next((about.title for about in known if about.title), name)
