"""What a person reads in the terminal. Full meaning without colour; foreign text is never taken for markup."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from digest.changes.kinds import EXPLAINED, Change, Figure, Kind, Reason
from digest.changes.ranking import Standing
from digest.changes.week import SourceWeek, WeekChanges
from digest.config.settings import Settings
from digest.config.source import Source
from digest.delivery.outbox import State
from digest.delivery.pacing import RELAY
from digest.edition import numbers
from digest.edition.documents import sentence, value_words
from digest.edition.naming import shown_name
from digest.operations.demo import Demo
from digest.operations.needs import Limit
from digest.operations.status import Status
from digest.scores.catalog import ModelName, resolve
from digest.scores.snapshot import Snapshot
from digest.subscribers import routing
from digest.weekly.calendar import Week
from digest.weekly.collecting import Collected
from digest.weekly.stages import Drafted, Sent

out = Console(highlight=False, emoji=False, soft_wrap=False)

_CAUSES: Mapping[Kind, tuple[str, str]] = {
    Kind.MODEL_ADDED: ("new", "cyan"),
    Kind.MODEL_REMOVED: ("gone", "yellow"),
    Kind.MODEL_RENAMED: ("renamed", "dim"),
    Kind.SCORE_CHANGED: ("score", "blue"),
    Kind.SCORE_FILLED_IN: ("filled in", "dim"),
    Kind.SCORE_WITHDRAWN: ("withdrawn", "yellow"),
    Kind.RANK_CHANGED: ("rank", "blue"),
    Kind.LEADER_CHANGED: ("leader", "bold"),
    Kind.BENCHMARK_ADDED: ("benchmark", "yellow"),
    Kind.BENCHMARK_REMOVED: ("benchmark", "yellow"),
    Kind.BENCHMARK_REVISED: ("benchmark", "yellow"),
    Kind.SCALE_SHIFTED: ("scale", "yellow"),
    Kind.PRICE_CHANGED: ("price", "cyan"),
    Kind.PRICE_FILLED_IN: ("filled in", "dim"),
    Kind.PRICE_WITHDRAWN: ("withdrawn", "yellow"),
    Kind.CONTEXT_CHANGED: ("context", "cyan"),
    Kind.SOURCES_DISAGREE: ("disagree", "yellow"),
}
_MARKS: Mapping[str, tuple[str, str]] = {
    "fresh": ("✓", "cyan"),
    "unchanged": ("✓", "dim"),
    "new": ("✓", "cyan"),
    "stale": ("!", "yellow"),
    "failed": ("×", "red"),
    "quarantined": ("!", "yellow"),
}


def _table(*heads: str, numbers_from: int = 99) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False, padding=(0, 2, 0, 0))
    for index, head in enumerate(heads):
        table.add_column(head, justify="right" if index >= numbers_from else "left", overflow="fold")
    return table


def _name(change: Change) -> Text:
    if not change.name.raw:
        return Text(numbers.benchmark_name(change.benchmark or ""), style="bold")
    name = shown_name(change.name)
    return Text.assemble((numbers.title(name), "bold"), " ", (numbers.variant(name), "dim"))


# Captures


def collected(results: Iterable[Collected], skipped: Sequence[tuple[object, str]] = ()) -> None:
    """What became of each source's captures."""
    by_source: dict[str, list[Collected]] = {}
    for result in results:
        by_source.setdefault(result.source, []).append(result)
    table = _table("", "Source", "Stored", "Known", "Held", "Failed", "Newest", numbers_from=2)
    failed = [result for group in by_source.values() for result in group if result.outcome == "failed"]
    for source, group in by_source.items():
        counts = Counter(result.outcome for result in group)
        newest = max(group, key=lambda result: result.on)
        mark = ("×", "red") if counts["failed"] else ("!", "yellow") if counts["quarantined"] else ("✓", "cyan")
        cells = [str(counts[outcome]) for outcome in ("stored", "known", "quarantined", "failed")]
        table.add_row(Text(*mark), Text(source), *cells, newest.on.isoformat())
    if by_source:
        out.print(table)
    for result in [result for group in by_source.values() for result in group if result.outcome == "quarantined"]:
        look = f"believe it with `digest sources accept {result.source}`"
        out.print(Text(f"! {result.source}, {result.on}, is held back: {result.detail}; {look}.", style="yellow"))
    for result in failed:
        out.print(Text(f"× {result.detail}", style="red"))
    for place, why in skipped:
        out.print(Text(f"skipped {place}: {why}", style="dim"))
    stored = sum(result.outcome == "stored" for group in by_source.values() for result in group)
    out.print(Text(f"{stored} stored, {len(failed)} failed, {len(skipped)} skipped."))


# Changes


def changes(found: WeekChanges, previous: str, current: str, *, everything: bool) -> None:
    """The table of what changed; Before and After are left out below 80 columns, never the verdict."""
    out.print(Text.assemble((current, "bold"), f"  compared with {previous}"))
    for week in found.sources:
        out.print(health_line(week))
    every = [change for week in found.sources if week.changes for change in week.changes.changes]
    shown = [change for change in [*every, *found.disagreements] if everything or change.news]
    disputed = [change for change in shown if change.kind is Kind.SOURCES_DISAGREE]
    if not everything:  # two price lists can differ on a hundred figures
        shown = [change for change in shown if change.kind is not Kind.SOURCES_DISAGREE or change in disputed[:5]]
    every += found.disagreements
    wide = out.width >= 80
    table = _table("Cause", "What", *(("Before", "After") if wide else ()), "Verdict")
    for change in shown:
        cause, style = _CAUSES[change.kind]
        where = Text.assemble(_name(change), "\n", (_where(change), "dim"))
        values = [Text(value) for value in _values(change)] if wide else []
        table.add_row(Text(cause, style=style), where, *values, Text(_verdict(change)))
    out.print()
    if shown:
        out.print(table)
    if len(disputed) > 5 and not everything:
        out.print(Text(f"\n{len(disputed) - 5} more disagreements of sources; --all lists them.", style="dim"))
    apart = Counter(change.reason for change in every if not change.news)
    news = sum(change.news for change in every)
    out.print(Text(f"\n{numbers.several(len(every), 'difference')}, {news} of them news."))
    for reason, count in apart.most_common() if not everything else ():
        out.print(Text(f"  {count:>6,}  {reason.value}: {EXPLAINED[reason]}", style="dim"))


def _where(change: Change) -> str:
    if change.kind in (Kind.BENCHMARK_ADDED, Kind.BENCHMARK_REMOVED, Kind.BENCHMARK_REVISED):
        return change.source
    return f"{change.source} {numbers.benchmark_name(change.benchmark)}" if change.benchmark else change.source


def _values(change: Change) -> tuple[str, str]:
    """Before and after; both blank where the change has no figure, as for a new id of a price list."""
    if all(figure is None or figure == Figure() for figure in (change.before, change.after)):
        return "", ""
    return _value(change.before, change), _value(change.after, change)


def _value(figure: Figure | None, change: Change) -> str:
    if figure is None or figure == Figure():
        return "none"
    if change.kind is Kind.RANK_CHANGED:
        return f"#{figure.rank}"
    value = value_words(figure, change) if figure.value is not None else ""
    named = numbers.full(shown_name(figure.name)) if figure.name and not figure.source else figure.source or ""
    return f"{value}\n{named}".strip()


def _verdict(change: Change) -> str:
    rank = f"#{change.after.rank}, " if change.after and change.after.rank and change.kind is Kind.MODEL_ADDED else ""
    return f"{rank}{'news: ' if change.news else ''}{change.reason.value.replace('_', ' ')}"


def reasons() -> None:
    """The closed lists of kinds and reasons."""
    out.print(Text("kinds", style="bold"))
    for kind in Kind:
        out.print(Text(f"  {kind.value}"))
    out.print(Text("reasons", style="bold"))
    for reason in Reason:
        out.print(Text(f"  {reason.value:20} {EXPLAINED[reason]}"))


def health_line(week: SourceWeek) -> Text:
    """One line a source: how it fared, of which day, how large."""
    mark, style = _MARKS[week.status]
    current = week.state.current
    detail = f"{len(current.rows):,} rows of {current.capture.on}, {current.capture.sha256[:8]}" if current else ""
    if week.status == "stale":
        detail = f"unchanged since {week.state.changed_on} ({week.age_days} days); left out and said so"
    if week.status in ("failed", "quarantined"):
        detail = week.state.failure or week.state.doubt or ""
    return Text.assemble("  ", (mark, style), f" {week.state.source:14} ", (f"{week.status:10}", style), " ", detail)


# Boards


def board(snapshot: Snapshot, source: Source, benchmark: str, standings: Sequence[Standing], top: int) -> None:
    """A ranking with its gaps to the leader and its tie bands."""
    about = snapshot.benchmarks[benchmark]
    lower = "" if about.higher_is_better else ", lower is better"
    out.print(
        Text.assemble(
            (f"{numbers.shown(source.title)} ", "bold"),
            f"{numbers.benchmark_name(benchmark)}{lower}, {snapshot.capture.on}",
            ", reported by the makers" if about.self_reported else "",
        )
    )
    table = _table("#", "Model", "Score", "Gap", "Tied", numbers_from=2)
    best = standings[0].score.value
    bands = Counter(standing.band for standing in standings)
    for standing in standings[: top or None]:
        name = shown_name(resolve(snapshot.rows[standing.key].raw))
        tied = f"with {bands[standing.band] - 1} from #{standing.band}" if bands[standing.band] > 1 else ""
        table.add_row(
            str(standing.rank),
            Text.assemble((numbers.title(name), "bold"), " ", (numbers.variant(name), "dim")),
            Text(_score(standing, about.unit)),
            Text(numbers.change(best, standing.score.value, about.unit) if standing.score.value != best else ""),
            Text(tied, style="dim"),
        )
    out.print(table)
    rest = len(standings) - (top or len(standings))
    unranked = len(snapshot.rows) - len(standings)
    if rest > 0 or unranked:
        out.print(Text(f"{max(rest, 0)} more ranked, {unranked} not ranked.", style="dim"))
    out.print()


def _score(standing: Standing, unit: str) -> str:
    value = numbers.score(standing.score.value, unit, 2)
    low, high = standing.score.low, standing.score.high
    return value if low is None or high is None else f"{value} ({_whole(low)} to {_whole(high)})"


def _whole(value: Decimal) -> str:
    return numbers.plain(value, 0)


# The week


def drafted(result: Drafted) -> None:
    """What was drafted and what comes next."""
    stored = result.stored
    state = "drafted" if result.changed else "unchanged"
    size = len(stored.rendered.html.encode()) / 1000
    out.print(Text.assemble(("Edition ", "bold"), (stored.week, "bold"), f"  {state}, {size:.1f} kB of 102 kB"))
    out.print(Text(f"  subject    {stored.rendered.subject}"))
    out.print(Text(f"  preheader  {stored.rendered.preheader}"))
    out.print(Text(f"  content    {stored.content_hash}"))
    if result.voided:
        out.print(Text("  The approval is void: the content is another than was approved.", style="yellow"))
    for line in result.what:
        out.print(Text(f"  {line}"), soft_wrap=True)


def next_step(words: str) -> None:
    out.print(Text.assemble(("\nNext  ", "bold"), words))


def forecast(week: Week, counted: Mapping[tuple[State, str], int]) -> None:
    """To how many readers an edition would go, and why the others get it later or not at all."""
    going = sum(count for (state, _reason), count in counted.items() if state == "pending")
    print(f"{week} would go to {going:,} readers; nothing was queued or sent.")
    for (state, reason), count in counted.items():
        if state != "pending":
            out.print(Text(f"  {count:>9,}  {state}: {routing.REASONS[cast(routing.Reason, reason)]}"))


def sent(result: Sent) -> None:
    """How the deliveries of a mailing stand."""
    out.print(Text.assemble((f"Mailing {result.mailing.week}", "bold"), f"  {result.mailing.audience:,} readers"))
    for state, count in result.tally.items():
        out.print(Text(f"  {count:>9,}  {state}"))
    if result.mailing.control != "going":
        out.print(Text(f"It is {result.mailing.control}; {_CONTROLS[result.mailing.control]}"))


_CONTROLS = {"paused": "digest resume lets it go on.", "aborted": "who does not have it yet never gets it."}


def aborted(week: str, tally: Mapping[State, int]) -> None:
    """How many readers have an edition that was ended."""
    print(f"The mailing of {week} is aborted: {tally['sent']:,} readers have it.")
    if tally["dot"] or tally["uncertain"]:
        print(f"{tally['dot'] + tally['uncertain']:,} more may have it: they were being handed over.")


def limits(found: Sequence[Limit]) -> None:
    """Providers that are sent to slowly, or not at all."""
    for one in found:
        who = "all mail" if one.provider == RELAY else one.provider
        if one.left_today is not None:
            text = f"the warm-up plan allows {one.left_today:,} more mails today."
        elif one.closed_until is not None:
            until = datetime.fromisoformat(one.closed_until)
            text = f"{who} gets nothing until {until:%Y-%m-%d %H:%M} UTC, then one mail to try: {one.said}"
        elif one.per_second is not None:
            text = f"{who} gets at most {one.per_second:.1f} mails a second for now: {one.said}"
        else:
            text = f"{who} is tried with one mail next: {one.said}"
        out.print(Text(f"  {text}"))


def demo(result: Demo) -> None:
    """What the demo did and where to look."""
    out.print(Text("Two bundled weeks, from captures to mail\n", style="bold"))
    out.print(Text("1  captures", style="cyan"))
    for item in result.collected:
        rows = f", {item.rows} rows" if item.outcome == "stored" else ""
        out.print(Text(f"   {item.source:14} {item.on}  {item.outcome}{rows}"))
    out.print(Text("2  what changed", style="cyan"))
    every = [change for source in result.changes.sources if source.changes for change in source.changes.changes]
    for change in [*every, *result.changes.disagreements]:
        if change.news:
            words = sentence(change, result.settings.sources)
            out.print(Padding(Text(words[:1].upper() + words[1:]), (0, 0, 0, 3)))
    out.print(Text("3  drafted and approved", style="cyan"))
    out.print(Text(f"   {result.drafted.week}  “{result.subject}”  {result.drafted.content_hash[:8]}"))
    out.print(Text("4  routed and sent", style="cyan"))
    for state, count in result.sent.tally.items():
        if count:
            out.print(Text(f"   {count} {state}"))
    out.print(Text("\nLook at", style="bold"))
    for path in result.mails:
        print(f"   {path}")


def sources(settings: Settings, found: Mapping[str, SourceWeek]) -> None:
    """Every declared source, and how it fares in the current week."""
    for name, source in settings.sources.items():
        if name in found:
            out.print(health_line(found[name]))
        else:
            out.print(Text(f"    {name:14} {'no capture' if source.enabled else 'switched off'}", style="dim"))


def resolved(found: Sequence[ModelName]) -> None:
    """Raw names with what was understood of them."""
    table = _table("Raw", "Model", "Effort", "Thinking", "Date", "Host", "How")
    for name in found:
        parts = (name.raw, name.model, name.effort, name.thinking, name.date, name.host)
        table.add_row(*(Text(numbers.shown(part, 60) if part else "") for part in parts), Text(name.how))
    out.print(table)
    for name in found:
        if name.pair:
            out.print(Text(f"{numbers.shown(name.raw)} is a pair: {name.pair}", style="dim"))


def checked(snapshot: Snapshot) -> None:
    """What a source would bring."""
    figures = sum(map(len, snapshot.scores.values()))
    out.print(
        Text(
            f"{snapshot.capture.source}: {len(snapshot.rows):,} rows, {figures:,} scores on "
            f"{len(snapshot.benchmarks)} benchmarks, {len(snapshot.offers):,} offers; nothing was stored."
        )
    )


def status(found: Status, settings: Settings) -> None:
    """Sources, the newest edition, its queue, and what needs a person."""
    out.print(Text.assemble((settings.series.title, "bold"), f"  week {found.week}\n"))
    for week in found.sources:
        out.print(health_line(week))
    if not found.sources:
        out.print(Text("  no capture yet"))
    out.print()
    if found.edition:
        out.print(Text(f"Newest edition  {found.edition}, {'approved' if found.approved else 'not approved'}"))
        for state, count in found.tally.items():
            out.print(Text(f"  {count:>9,}  {state}"))
        if found.progress and found.progress.senders:
            moving, left = found.progress, found.progress.seconds_left
            time_left = "" if left is None else f", {timedelta(seconds=round(left))} left"
            who = numbers.several(moving.senders, "sender")
            out.print(Text(f"  {who} at work, {moving.per_second:,.0f} a second{time_left}"))
        if found.control and found.control != "going":
            out.print(Text(f"  {found.control}; {_CONTROLS[found.control]}"))
    else:
        out.print(Text("No edition yet."))
    if found.coming:
        when = found.coming.since.astimezone(settings.series.zone)
        out.print(Text(f"Next            {found.coming.stage} of {found.coming.week}, {when:%a %Y-%m-%d %H:%M %Z}"))
    if found.returned:
        came = ", ".join(f"{count:,} {kind}" for kind, count in found.returned.items())
        out.print(Text(f"Came back in 30 days  {came}"))
    limits(found.limits)
    if found.unresolved:
        shown = ", ".join(numbers.shown(name, 60) for name in found.unresolved[:10])
        more = f" and {len(found.unresolved) - 10} more" if len(found.unresolved) > 10 else ""
        out.print(Text(f"\n{numbers.several(len(found.unresolved), 'unresolved name')}: {shown}{more}", style="dim"))
    out.print(Text("\nNeeds a person" if found.needs else "\nNothing needs a person.", style="bold"))
    for need in found.needs:
        out.print(Text(f"  {need.said}"), soft_wrap=True)  # a command in it is copied whole
