"""(facts) -> what sources say of themselves and of each other: where they disagree, what they put right, make anew or
rename. None of it is a model's doing, and the sentences say so.
"""

from decimal import Decimal

from digest.edition.content import Edition
from digest.edition.facts import Disagreement, Name, Said
from digest.edition.numbers import (
    apart,
    benchmark_name,
    counted,
    day,
    full,
    gap,
    listed,
    score,
    shown,
    tokens,
)
from digest.edition.section_facts import Correction, MethodNote, Renamed
from digest.language import N_, _, ngettext

_DISPUTED = {
    "input": N_("input price"),
    "output": N_("output price"),
    "run_cost": N_("run cost"),
    "context": N_("context window"),
}


def disputes(edition: Edition) -> list[tuple[Name, list[Disagreement]]]:
    """The disagreements by model, in the order in which each model comes first."""
    by_model: dict[Name, list[Disagreement]] = {}
    for disagreement in edition.disagreements:
        by_model.setdefault(disagreement.name, []).append(disagreement)
    return list(by_model.items())


def of_an_offer(disagreement: Disagreement) -> bool:
    """Whether it is about a price or a size, not a score."""
    return disagreement.unit == "tokens" or disagreement.unit.startswith("USD")


def disputed(disagreement: Disagreement) -> str:
    known = _DISPUTED.get(disagreement.measure)
    return _(known) if known else benchmark_name(disagreement.measure)


def both_figures(disagreement: Disagreement) -> tuple[str, str]:
    """The two figures, with as many decimals as tell them apart."""
    one, other = (said.value for said in disagreement.said)
    if disagreement.measure == "context":
        short = tokens(one), tokens(other)
        return short if short[0] != short[1] else (counted(int(one)), counted(int(other)))
    return apart(one, other, "USD" if disagreement.measure in ("input", "output", "run_cost") else disagreement.unit)


def said_by(said: Said) -> str:
    return f"{shown(said.title)}, {day(said.on)}"


def disagreement_sentence(disagreement: Disagreement) -> str:
    return _("For %(what)s: %(figures)s.", what=disputed(disagreement), figures=said_by_both(disagreement))


def said_by_both(disagreement: Disagreement) -> str:
    """`76.4 (Local LLM notes, Mon 2 Mar) and 42.0 (Side by side, Mon 9 Mar)`."""
    pairs = zip(disagreement.said, both_figures(disagreement), strict=True)
    return listed([f"{figure} ({said_by(said)})" for said, figure in pairs])


def correction_sentence(correction: Correction) -> str:
    """What was printed, what is true, and on which days the source said so."""
    about = {
        "where": f"{shown(correction.title)}, {benchmark_name(correction.benchmark)}",
        "who": full(correction.name),
        "then": day(correction.previous.on),
        "now": day(correction.current.on),
    }
    if correction.true is None:
        return _(
            "%(where)s: %(who)s was printed as %(printed)s on %(then)s and is not known on %(now)s. "
            "The source took its figure back.",
            **about,
            printed=score(correction.printed, correction.unit),
        )
    printed, true = apart(correction.printed, correction.true, correction.unit)
    return _(
        "%(where)s: %(who)s was printed as %(printed)s on %(then)s and is %(true)s on %(now)s. "
        "The source put its figure right; the model did not move.",
        **about,
        printed=printed,
        true=true,
    )


def method_sentence(note: MethodNote) -> str:
    about = {"source": shown(note.title), "benchmark": benchmark_name(note.benchmark)}
    match note.kind:
        case "benchmark_added":
            return ngettext(
                "%(source)s added %(benchmark)s, measured on %(count)s row.",
                "%(source)s added %(benchmark)s, measured on %(count)s rows.",
                note.rows,
                **about,
            )
        case "benchmark_removed":
            return ngettext(
                "%(source)s dropped %(benchmark)s, which %(count)s row had.",
                "%(source)s dropped %(benchmark)s, which %(count)s rows had.",
                note.rows,
                **about,
            )
        case "scale_shifted":
            moved = _("figures that moved otherwise are told as moves")
            models = moved if note.models_moved else _("no model moved with it")
            return f"{_shifted(note)}; {models}."
        case "benchmark_revised":
            return " ".join([_revised(note), _("Figures of before and after are not comparable.")])


def _shifted(note: MethodNote) -> str:
    """Which scale moved which way, without a full stop."""
    shift, others = note.shift or Decimal(0), note.rows - 1
    about = {
        "source": shown(note.title),
        "benchmark": benchmark_name(note.benchmark),
        "gap": gap(shift, note.unit),
    }
    if shift > 0:
        whole = _("%(source)s moved its whole %(benchmark)s scale up by %(gap)s", **about)
    else:
        whole = _("%(source)s moved its whole %(benchmark)s scale down by %(gap)s", **about)
    if others < 1:
        return whole
    return ngettext(
        "%(moved)s, with %(count)s other benchmark", "%(moved)s, with %(count)s other benchmarks", others, moved=whole
    )


def _revised(note: MethodNote) -> str:
    about = {"source": shown(note.title), "benchmark": benchmark_name(note.benchmark)}
    if note.models_moved:
        return ngettext(
            "%(source)s makes up %(benchmark)s differently now: %(count)s score moved.",
            "%(source)s makes up %(benchmark)s differently now: %(count)s scores moved.",
            note.rows,
            **about,
        )
    return ngettext(
        "%(source)s makes up %(benchmark)s differently now: %(count)s score moved; no model did.",
        "%(source)s makes up %(benchmark)s differently now: %(count)s scores moved; no model did.",
        note.rows,
        **about,
    )


def renamed_sentence(renamed: Renamed) -> str:
    """A row under another name is said to be one, so that nobody takes it for a launch."""
    source, before, after = shown(renamed.title), renamed.before, renamed.after
    rows = {"source": source, "before": shown(before.raw), "after": shown(after.raw)}
    if renamed.reused:
        return _(
            "%(source)s gave the row of %(before)s to %(after)s: another model, so that neither moved.",
            **rows,
        )
    if renamed.rows > 1:
        return ngettext(
            "%(source)s moved %(count)s row from %(before)s to %(after)s.",
            "%(source)s moved %(count)s rows from %(before)s to %(after)s.",
            renamed.rows,
            source=source,
            before=shown(before.title),
            after=shown(after.title),
        )
    return _("%(source)s lists %(before)s as %(after)s now.", **rows)
