"""How the values of a comparison stand in an edition: names, figures, captures and benchmarks; and how the titles of
our own data, which stand there in English, are said."""

import re

from digest.changes.kinds import Change
from digest.changes.kinds import Figure as ChangedFigure
from digest.changes.week import SourceWeek
from digest.edition.facts import Figure, Name, Proof
from digest.edition.numbers import shown
from digest.language import ENGLISH, _, message_of, spoken
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


def shown_title(title: str) -> str:
    """The title of a need or a category, by which data/ and editions call it, in the language that is spoken.

    It is no template: a percent sign in it is one.
    """
    return shown(message_of(title) if title else title)  # the message without a name is a catalogue's own head


def title_in_sentence(title: str) -> str:
    """The same inside a sentence: `mathematics`; only English writes it small there."""
    words = shown_title(title)
    return words.lower() if spoken() == ENGLISH else words


def blended_unit(input_parts: object, output_parts: object) -> str:
    """The unit of a price for input and output together, as an edition holds it."""
    return f"USD per 1M tokens, {input_parts} in to {output_parts} out"


_BLENDED_UNIT = re.compile(blended_unit(r"([\d.]+)", r"([\d.]+)"))


def shown_unit(unit: str) -> str:
    """The unit of a measure in the table of standings, in the language that is spoken."""
    mixture = _BLENDED_UNIT.fullmatch(unit)
    if mixture is None:
        return shown(unit)
    return _("USD per 1M tokens, %(input)s in to %(output)s out", input=mixture[1], output=mixture[2])
