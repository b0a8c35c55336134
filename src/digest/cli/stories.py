"""Commands about a week's stories, and the log of what was done to a week."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from digest import audit as audit_log
from digest.cli import edition_words, printing
from digest.cli.context import AsJson, WeekName, database, now, print_json, settings, who
from digest.database import reading
from digest.edition.content import Captured, Receipt
from digest.edition.listed import ListedStory, Listing, ToldApart
from digest.edition.overrides import Override, What
from digest.language import ENGLISH
from digest.operations.stories import read_stories, say
from digest.weekly import composing
from digest.weekly.calendar import parse_week


class _ListByDefault(TyperGroup):
    """`digest stories 2026-W18` is `digest stories list 2026-W18`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = [] if args and args[0] in (*self.commands, "--help") else ["list"]
        return list(super().parse_args(ctx, [*words, *args]))


stories_app = typer.Typer(
    help="The stories behind an edition, and what an editor says of them. `digest stories WEEK` lists them.",
    rich_markup_mode=None,
    cls=_ListByDefault,
)
app = typer.Typer(rich_markup_mode=None)
app.add_typer(stories_app, name="stories")

Key = Annotated[str, typer.Argument(metavar="KEY", help="the story's key, or its start")]
OfWeek = Annotated[str, typer.Option("--week", help="2026-W17, any date in the week, or latest")]
Locale = Annotated[str, typer.Option("--locale", help="the language of the words")]


@stories_app.command("list")
def stories_list(
    week: WeekName = "latest",
    left_out: Annotated[bool, typer.Option("--left-out", help="also what was told apart from news")] = False,
    as_json: AsJson = False,
) -> None:
    """The stories of a week as the edition tells them, what each is worth and why, and what an editor said of it.

    Example: digest stories list 2026-W18 --left-out
    """
    chosen = settings()
    with database(chosen) as engine:
        with reading(engine) as connection:
            at = composing.find_week(connection, chosen, week, now())
        found = read_stories(engine, chosen, at)
    if as_json:
        print_json(_document(found, left_out=left_out))
    else:
        _print(found, left_out=left_out)


@stories_app.command("drop")
def stories_drop(key: Key, week: OfWeek = "latest") -> None:
    """Leave a story out of the lists; its section counts it, and watch lists still tell it.

    Example: digest stories drop 3f2a --week 2026-W18
    """
    _say(key, "drop", week)


@stories_app.command("pin")
def stories_pin(key: Key, week: OfWeek = "latest") -> None:
    """Tell a story first, in its section and in the mail. Of several the one that was pinned first comes first.

    Example: digest stories pin 3f2a --week 2026-W18
    """
    _say(key, "pin", week)


@stories_app.command("move")
def stories_move(
    key: Key,
    place: Annotated[int, typer.Argument(metavar="PLACE", help="1 is the first", min=1)],
    week: OfWeek = "latest",
) -> None:
    """Tell a story at a place, in its section and among what the mail says first.

    Example: digest stories move 3f2a 3 --week 2026-W18
    """
    _say(key, "move", week, place=place)


@stories_app.command("reword")
def stories_reword(
    key: Key,
    headline: Annotated[str, typer.Argument(metavar="TEXT", help="the words, with the figures as they are")],
    week: OfWeek = "latest",
    locale: Locale = ENGLISH,
) -> None:
    """Give a story's headline other words. Its figures stay: none may be changed, added or left out.

    Example: digest stories reword 3f2a "aurora-2 climbs to first" --week 2026-W18
    """
    _say(key, "reword", week, text=headline, locale=locale)


@stories_app.command("promote")
def stories_promote(
    key: Key,
    remark: Annotated[str, typer.Argument(metavar="REMARK", help="what is printed beside it")],
    week: OfWeek = "latest",
    locale: Locale = ENGLISH,
) -> None:
    """Show what was told apart from news, with a remark and with the reason why it is none.

    Example: digest stories promote 9c41 "Small, but worth watching." --week 2026-W18
    """
    _say(key, "promote", week, text=remark, locale=locale)


@stories_app.command("restore")
def stories_restore(key: Key, week: OfWeek = "latest") -> None:
    """Take back everything that was said of a story, one that left the week included.

    Example: digest stories restore 3f2a --week 2026-W18
    """
    _say(key, "restore", week)


def _say(key: str, what: What, week: str, *, place: int | None = None, text: str = "", locale: str = ENGLISH) -> None:
    chosen = settings()
    with database(chosen) as engine:
        with reading(engine) as connection:
            at = composing.find_week(connection, chosen, week, now())
        word = say(engine, chosen, at, key, what, who(), now(), place=place, text=text, locale=locale)
    print(f"{at}: {_DONE[what]} {word.story} “{word.about}”")
    printing.next_step(f"digest draft {at}")


_DONE: dict[What, str] = {
    "drop": "dropped",
    "pin": "pinned",
    "move": "moved",
    "reword": "reworded",
    "promote": "promoted",
    "restore": "restored",
}


def _print(found: Listing, *, left_out: bool) -> None:
    out = printing.out
    for one in found.stories:
        line = Text.assemble((one.key, "bold"), f"  {one.value:>3}  {one.told:8}  ", (one.headline, "bold"))
        out.print(line, soft_wrap=True)
        said = f"{one.title}, {one.kind}; {one.why}{_receipt_words(one.receipt)}"
        out.print(Text(f"{'':19}{said}", style="dim"), soft_wrap=True)
        _print_overrides(one.overrides)
    count = sum(map(len, found.apart.values()))
    by_reason = ", ".join(f"{len(group):,} {reason}" for reason, group in found.apart.items())
    out.print(Text(f"{len(found.stories):,} stories; {count:,} told apart{f': {by_reason}' if count else ''}."))
    for reason, group in found.apart.items() if left_out else ():
        out.print(Text(f"\n{reason}", style="bold"))
        for apart in group:
            out.print(Text.assemble((apart.key, "bold"), f"  {apart.sentence}"), soft_wrap=True)
            _print_overrides(apart.overrides)
    edition_words.misfits(found.misfits)


def _receipt_words(receipt: Receipt | None) -> str:
    """Both captures by day, and the start of the hash of each."""
    sides = [(side.on, side.sha256[:8]) for side in (receipt.previous, receipt.current) if side] if receipt else []
    return "".join(f"; {on} sha256 {sha256}" for on, sha256 in sides)


def _print_overrides(said: Sequence[Override]) -> None:
    for one in said:
        words = f" “{one.text}”" if one.text else f" to {one.place}" if one.place else ""
        line = f"{'':19}{_DONE[one.what]}{words} by {one.by}, {one.at:%Y-%m-%d %H:%M} UTC"
        printing.out.print(Text(line, style="yellow"), soft_wrap=True)


def _document(found: Listing, *, left_out: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "week": found.week,
        "stories": [_of(story) for story in found.stories],
        "told_apart": {reason: len(group) for reason, group in found.apart.items()},
        "not_heeded": [{**_word(misfit.override), "why": misfit.why} for misfit in found.misfits],
    }
    if left_out:
        document["left_out"] = {reason: [_of(one) for one in group] for reason, group in found.apart.items()}
    return document


def _of(one: ListedStory | ToldApart) -> dict[str, Any]:
    rest = {name: value for name, value in one._asdict().items() if name not in ("receipt", "overrides")}
    return {**rest, "receipt": _receipt(one.receipt), "overrides": [_word(word) for word in one.overrides]}


def _receipt(receipt: Receipt | None) -> dict[str, Any] | None:
    if receipt is None:
        return None
    head = receipt.model_dump(include={"id", "source", "url", "licence", "measure", "unit"})
    return {**head, "previous": _captured(receipt.previous), "current": _captured(receipt.current)}


def _captured(side: Captured | None) -> dict[str, Any] | None:
    if side is None:
        return None
    value = None if side.value is None else str(side.value)
    return {"on": side.on.isoformat(), "sha256": side.sha256, "key": side.key, "raw": side.raw, "value": value}


def _word(one: Override) -> dict[str, Any]:
    return {**one._asdict(), "at": one.at.isoformat()}


@app.command()
def audit(
    week: Annotated[str | None, typer.Option("--week", help="of one week only")] = None,
    as_json: AsJson = False,
) -> None:
    """Who did what to which week, the oldest first: drafts, overrides, approvals, sending. Nothing in it can change.

    Example: digest audit --week 2026-W18
    """
    with database(settings()) as engine, reading(engine) as connection:
        entries = audit_log.read(connection, str(parse_week(week)) if week else None)
    if as_json:
        print_json([{**entry._asdict(), "at": entry.at.isoformat()} for entry in entries])
        return
    for entry in entries:
        said = ", ".join(f"{name} {_plain(value)}" for name, value in entry.detail.items() if value not in ("", []))
        head = Text.assemble(f"{entry.at:%Y-%m-%d %H:%M:%S}  ", f"{entry.week:8}  ", (f"{entry.act:10}", "bold"))
        printing.out.print(Text.assemble(head, f"  {entry.who}  ", (said, "dim")), soft_wrap=True)


def _plain(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
