"""(how sources fare) -> words, and what is due next."""

from digest.edition.content import Ahead, Edition, GoesStale, Health, HeldBack, NextEdition, TopTie
from digest.edition.numbers import day, full, gap, several, shown


def sources_fresh(edition: Edition) -> str:
    fresh = sum(health.was_read for health in edition.health)
    return f"{fresh} of {several(len(edition.health), 'source')} fresh"


def checked_rows(health: list[Health]) -> str:
    nouns = {source.counted_as for source in health}
    total = sum(source.counted for source in health)
    return several(total, nouns.pop()[:-1] if len(nouns) == 1 else "row")


_STATES = {
    "fresh": ("●", "Fresh", "good"),
    "unchanged": ("●", "Unchanged", "good"),
    "new": ("●", "New", "good"),
    "not_read": ("○", "Not read", "warn"),
    "stale": ("○", "Stale", "warn"),
    "failed": ("✕", "Failed", "bad"),
    "quarantined": ("!", "Held back", "warn"),
}


def health_state(health: Health) -> tuple[str, str, str]:
    """The mark, the word and the tone of a source's state."""
    return _STATES["not_read" if _is_missing(health) else health.status]


def _is_missing(health: Health) -> bool:
    """Whether the week brought neither a capture nor a reason why not."""
    return health.status in ("fresh", "unchanged", "new") and not health.was_read


def by_trouble(edition: Edition) -> list[Health]:
    """The sources, those in trouble first, else in the edition's order."""
    order = ("failed", "quarantined", "stale")
    return sorted(
        edition.health, key=lambda it: order.index(it.status) if it.status in order else 3 if _is_missing(it) else 4
    )


def health_note(health: Health) -> str:
    if health.status == "stale":
        return _last_changed(health)
    if health.status == "failed":
        return f"last good capture {day(health.current.on)}" if health.current else "no good capture yet"
    if health.status == "quarantined":
        return "not believable; held back for a person to look at"
    if _is_missing(health):
        return f"newest capture {day(health.current.on)}" if health.current else "no capture yet"
    rows = several(health.counted, health.counted_as[:-1])
    return {"unchanged": f"{rows}, all as before", "new": f"{rows}, first capture"}.get(health.status, rows)


def health_sentences(health: Health) -> list[str]:
    """What a source's trouble means for the reader; nothing for a source that was read."""
    name = shown(health.title)
    why = f" ({shown(health.detail, 160).rstrip('.')})" if health.detail else ""
    last = f" Its newest good capture is of {day(health.current.on)}." if health.current else ""
    if health.status == "stale":
        return [
            f"{name} {_last_changed(health)}.",
            "That does not say its figures held still; it says we do not know.",
        ]
    nothing = f"No news of {name} this week."
    if health.status == "failed":
        return [f"{name} could not be read{why}.{last}", nothing]
    if health.status == "quarantined":
        return [f"{name} is held back, because its capture is not believable{why}.{last}", nothing]
    return [f"{name} was not read this week.{last}", nothing] if _is_missing(health) else []


def trouble(health: Health) -> tuple[str, str]:
    """What is wrong with a source, and what that means; the reason is told by `health_sentences`."""
    name = shown(health.title, 40)
    if health.status == "stale":
        changed = _last_changed(health)
        return f"{name} is stale", f"It {changed}. That does not say its figures held still; it says we do not know."
    what = "could not be read" if health.status == "failed" else "is held back"
    last = f"Its newest good capture is of {day(health.current.on)}. " if health.current else ""
    return f"{name} {what}", f"{last}No news of {name} this week."


def _last_changed(health: Health) -> str:
    """`last changed Mon 9 Feb, 77 days ago`, or as much of it as is known."""
    age = f"{several(health.age_days, 'day')} ago" if health.age_days is not None else ""
    on = day(health.changed_on, year=(health.age_days or 0) > 90) if health.changed_on else ""
    return f"last changed {', '.join(part for part in (on, age) if part) or 'too long ago'}"


def ahead_sentence(ahead: Ahead) -> str:
    """One thing to watch: a fact and its day, never a guess."""
    match ahead:
        case HeldBack():
            return (
                f"{shown(ahead.title)}: a capture waits for a person to look at it; until then nothing of it is told."
            )
        case GoesStale():
            long_ago = (ahead.on - ahead.changed_on).days > 90
            return (
                f"{shown(ahead.title)} last changed {day(ahead.changed_on, year=long_ago)}; "
                f"it counts as stale from {day(ahead.on)} unless it changes before."
            )
        case TopTie():
            first, second = full(ahead.first), full(ahead.second)
            apart = f"{gap(ahead.gap, ahead.unit)} apart" if ahead.gap else "level"
            return f"{shown(ahead.title)}: {first} and {second} are {apart} at the top, which is a tie."
        case NextEdition():
            return f"The next edition is for the week of {day(ahead.starts)}."
