"""Whether the mj-* tags of a mail fit together, and which template has the one that does not.

MJML takes whatever it is given: a tag that is not closed swallows what follows it, without a word.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from digest.config.assets import asset
from digest.errors import DigestError

_OPENS = re.compile(r"<(/?)(mj-[\w-]+|mjml)\b")
_REST = re.compile(r"""(?:[^<>"]|"[^"<]*")*>""")
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


class Misfit(NamedTuple):
    """What is wrong with a tag, and where it begins."""

    what: str
    at: int


def check_tags(markup: str) -> None:
    """Raises DigestError naming a template's file and line where a tag of a mail's MJML is left open, is closed and was
    not opened, or has no end."""
    misfit = _misfit(markup)
    if misfit is None:
        return
    for path in sorted((asset("templates") / "email").glob("*.mjml")):
        source = path.read_text(encoding="utf-8")
        if found := misfit_of(source):
            line = source.count("\n", 0, found.at) + 1
            raise DigestError(f"templates/email/{path.name} line {line} {found.what}; correct it.")
    raise DigestError(f"templates/email/ gives markup that {misfit.what}, as no file does by itself; correct it.")


def misfit_of(source: str) -> Misfit | None:
    """What is wrong with the tags of a template by itself, whatever its code would write."""
    return _misfit(_JINJA.sub(_blank, source))


def _misfit(markup: str) -> Misfit | None:
    """The first tag that does not fit, None where all do."""
    opened: list[tuple[str, int]] = []
    for closes, name, at, end in _tags(markup):
        if end is None:
            return Misfit(f"has a <{closes}{name} without its end, or with a quote that is not closed", at)
        if closes and (not opened or opened[-1][0] != name):
            if name not in (one for one, _at in opened):
                return Misfit(f"closes a <{name}> that is not open", at)
            return Misfit(f"leaves <{opened[-1][0]}> open", opened[-1][1])
        if closes:
            opened.pop()
        elif markup[end - 2] != "/":
            opened.append((name, at))
    return Misfit(f"leaves <{opened[-1][0]}> open", opened[-1][1]) if opened else None


def _tags(markup: str) -> Iterator[tuple[str, str, int, int | None]]:
    """Each tag of MJML: a slash where it closes, its name, where it begins, and where it ends if it does."""
    for found in _OPENS.finditer(markup):
        rest = _REST.match(markup, found.end())
        yield found[1], found[2], found.start(), rest.end() if rest else None


def _blank(code: re.Match[str]) -> str:
    """As many characters and lines as the template's code has, for what it writes is not known here."""
    return re.sub(r"[^\n]", " ", code[0])


def not_utf8(folder: Path) -> str:
    """The first file below templates/ that is not UTF-8 with its line, as a sentence says it; empty where all are."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            return f"templates/{path.relative_to(folder).as_posix()} line {line}"
    return ""
