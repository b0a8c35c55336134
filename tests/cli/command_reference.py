"""The commands as the program itself knows them: docs/commands.md is made of them, and other files are held against
them. `make reference` writes the page anew."""

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import typer

from digest.cli.commands import app

_ANYWHERE = {"--config": True, "--now": True, "--debug": False, "--version": False, "--help": False}
"""Options that every command takes, and whether a value follows."""

_HEAD = """\
# Commands

Made by `make reference` from the program's own help. `--config FILE`, `--now ISO-TIME` and `--debug` may stand anywhere
on the line. A command exits with 0, with 1 when the work could not be done, with 2 on wrong usage.
"""


class Command(NamedTuple):
    """One command: the words that call it, what it takes, and its help for a terminal of 80 columns."""

    words: tuple[str, ...]
    options: frozenset[str]
    flags: frozenset[str]
    help: str


def commands() -> Mapping[tuple[str, ...], Command]:
    """Every command that can be called, a group that does something by itself included."""
    return {one.words: one for one in _walk(typer.main.get_command(app), None, ())}


def _walk(node: Any, above: Any, words: tuple[str, ...]) -> Iterator[Command]:
    context = node.context_class(node, info_name=words[-1] if words else "digest", parent=above, terminal_width=80)
    below: Mapping[str, Any] = getattr(node, "commands", {})
    if words and (not below or node.invoke_without_command):
        options = [one for one in node.params if one.param_type_name == "option"]
        named = frozenset(name for one in options for name in (*one.opts, *one.secondary_opts))
        flags = frozenset(name for one in options if one.is_flag for name in (*one.opts, *one.secondary_opts))
        yield Command(words, named, flags, node.get_help(context))
    for name, child in below.items():
        yield from _walk(child, context, (*words, name))


def page() -> str:
    """docs/commands.md."""
    parts = [_HEAD]
    for words, one in sorted(commands().items()):
        parts.append(f"## digest {' '.join(words)}\n\n```text\n{one.help.rstrip()}\n```\n")
    return "\n".join(parts)


def fault_of(line: str, known: Mapping[tuple[str, ...], Command]) -> str:
    """What is wrong with a line that begins with `digest`: a command or an option that does not exist; else empty."""
    try:
        words = shlex.split(line, comments=True)[1:]
    except ValueError as error:
        return str(error)
    called, rest = _split(list(_without_global(words)), known)
    if not called and len(rest) == 1 and any(one[:1] == tuple(rest) for one in known):
        return ""  # a group by its name
    if not called and (rest or not words):
        return f"there is no command {rest[0]}" if rest else ""
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known[called].options]
    return f"{' '.join(called)} has no option {unknown[0]}" if called and unknown else ""


def _without_global(words: Sequence[str]) -> Iterator[str]:
    left = iter(words)
    for word in left:
        name, equals, _value = word.partition("=")
        if name not in _ANYWHERE:
            yield word
        elif _ANYWHERE[name] and not equals:
            next(left, None)


def _split(words: Sequence[str], known: Mapping[tuple[str, ...], Command]) -> tuple[tuple[str, ...], Sequence[str]]:
    """The longest command that the words begin with, and the words behind it."""
    for count in (2, 1):
        if (called := tuple(words[:count])) in known:
            return called, words[count:]
    return (), words


if __name__ == "__main__":
    sys.stdout.write(page())
