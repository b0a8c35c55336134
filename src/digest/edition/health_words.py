"""(how sources fare) -> words, and what is due next."""

from digest.edition.content import Edition
from digest.edition.numbers import day, full, gap, listed, shown
from digest.edition.section_facts import Ahead, GoesStale, Health, HeldBack, NextEdition, TopTie
from digest.language import N_, _, ngettext


def sources_fresh(edition: Edition) -> str:
    fresh = sum(health.was_read for health in edition.health)
    return ngettext(
        "%(fresh)s of %(count)s source fresh", "%(fresh)s of %(count)s sources fresh", len(edition.health), fresh=fresh
    )


def checked_rows(health: list[Health]) -> str:
    """How many rows the sources have: `98 models`, and `98 rows` where they count different things."""
    kinds = {source.counted_as for source in health}
    return _rows(sum(source.counted for source in health), kinds.pop() if len(kinds) == 1 else "rows")


def _rows(number: int, counted_as: str) -> str:
    match counted_as:
        case "models":
            return ngettext("%(count)s model", "%(count)s models", number)
        case "ids":
            return ngettext("%(count)s id", "%(count)s ids", number)
    return ngettext("%(count)s row", "%(count)s rows", number)


_STATES = {
    "fresh": ("●", N_("Fresh"), "good"),
    "unchanged": ("●", N_("Unchanged"), "good"),
    "new": ("●", N_("New"), "good"),
    "not_read": ("○", N_("Not read"), "warn"),
    "stale": ("○", N_("Stale"), "warn"),
    "failed": ("✕", N_("Failed"), "bad"),
    "quarantined": ("!", N_("Held back"), "warn"),
}


def health_state(health: Health) -> tuple[str, str, str]:
    """The mark, the word and the tone of a source's state."""
    mark, word, tone = _STATES["not_read" if _is_missing(health) else health.status]
    return mark, _(word), tone


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
    on = day(health.current.on) if health.current else None
    if health.status == "stale":
        return _("last changed %(when)s", when=_changed(health))
    if health.status == "failed":
        return _("last good capture %(day)s", day=on) if on else _("no good capture yet")
    if health.status == "quarantined":
        return _("not believable; held back for a person to look at")
    if _is_missing(health):
        return _("newest capture %(day)s", day=on) if on else _("no capture yet")
    rows = _rows(health.counted, health.counted_as)
    match health.status:
        case "unchanged":
            return _("%(rows)s, all as before", rows=rows)
        case "new":
            return _("%(rows)s, first capture", rows=rows)
    return rows


def health_sentences(health: Health) -> list[str]:
    """What a source's trouble means for the reader; nothing for a source that was read."""
    source = shown(health.title)
    if health.status == "stale":
        changed = _("%(source)s last changed %(when)s.", source=source, when=_changed(health))
        return [changed, _("That does not say its figures held still; it says we do not know.")]
    if health.status not in ("failed", "quarantined") and not _is_missing(health):
        return []
    return [f"{_what_is_wrong(health, source)} {_newest(health)}".strip(), _no_news(source)]


def trouble_sentences(edition: Edition) -> list[str]:
    """What the troubles of all sources mean for the reader, below a table of `health_note`: a line for each that was
    not read, and one for all that are stale."""
    troubled = by_trouble(edition)
    unread = [" ".join(health_sentences(health)) for health in troubled if health.status != "stale"]
    stale = [shown(health.title) for health in troubled if health.status == "stale"]
    if not stale:
        return [line for line in unread if line]
    unknown = ngettext(
        "%(sources)s is stale. That does not say its figures held still; it says we do not know.",
        "%(sources)s are stale. That does not say their figures held still; it says we do not know.",
        len(stale),
        sources=listed(stale),
    )
    return [*filter(None, unread), unknown]


def _what_is_wrong(health: Health, source: str) -> str:
    """What happened to a source this week, and why if that is known."""
    why = shown(health.detail, 160).rstrip(".") if health.detail else ""
    if health.status == "failed":
        if why:
            return _("%(source)s could not be read (%(why)s).", source=source, why=why)
        return _("%(source)s could not be read.", source=source)
    if health.status != "quarantined":
        return _("%(source)s was not read this week.", source=source)
    if why:
        return _("%(source)s is held back, because its capture is not believable (%(why)s).", source=source, why=why)
    return _("%(source)s is held back, because its capture is not believable.", source=source)


def trouble(health: Health) -> tuple[str, str]:
    """What is wrong with a source, and what that means; the reason is told by `health_sentences`."""
    source = shown(health.title, 40)
    if health.status == "stale":
        changed = _("It last changed %(when)s.", when=_changed(health))
        unknown = _("That does not say its figures held still; it says we do not know.")
        return _("%(source)s is stale", source=source), f"{changed} {unknown}"
    failed = health.status == "failed"
    what = _("%(source)s could not be read", source=source) if failed else _("%(source)s is held back", source=source)
    return what, f"{_newest(health)} {_no_news(source)}".strip()


def _newest(health: Health) -> str:
    return _("Its newest good capture is of %(day)s.", day=day(health.current.on)) if health.current else ""


def _no_news(source: str) -> str:
    return _("No news of %(source)s this week.", source=source)


def _changed(health: Health) -> str:
    """`Mon 9 Feb, 77 days ago`, or as much of it as is known."""
    age = health.age_days
    ago = ngettext("%(count)s day ago", "%(count)s days ago", age) if age is not None else ""
    on = day(health.changed_on, year=(age or 0) > 90) if health.changed_on else ""
    return ", ".join(part for part in (on, ago) if part) or _("too long ago")


def ahead_sentence(ahead: Ahead) -> str:
    """One thing to watch: a fact and its day, never a guess."""
    match ahead:
        case HeldBack():
            return _(
                "%(source)s: a capture waits for a person to look at it; until then nothing of it is told.",
                source=shown(ahead.title),
            )
        case GoesStale():
            long_ago = (ahead.on - ahead.changed_on).days > 90
            return _(
                "%(source)s last changed %(changed)s; it counts as stale from %(stale)s unless it changes before.",
                source=shown(ahead.title),
                changed=day(ahead.changed_on, year=long_ago),
                stale=day(ahead.on),
            )
        case TopTie():
            return _top_tie(ahead)
        case NextEdition():
            return _("The next edition is for the week of %(day)s.", day=day(ahead.starts))


def _top_tie(ahead: TopTie) -> str:
    about = {"board": shown(ahead.title), "one": full(ahead.first), "other": full(ahead.second)}
    if not ahead.gap:
        return _("%(board)s: %(one)s and %(other)s are level at the top, which is a tie.", **about)
    return _(
        "%(board)s: %(one)s and %(other)s are %(gap)s apart at the top, which is a tie.",
        **about,
        gap=gap(ahead.gap, ahead.unit),
    )
