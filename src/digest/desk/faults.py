"""What is wrong with a file of the edition: the sentence, and the file and line with the lines around it."""

import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from digest.config.assets import asset
from digest.edition.numbers import clip
from digest.errors import DigestError

_AROUND = 2
_NAMED = re.compile(r"(?P<file>\S+\.[a-z]+):? line (?P<line>\d+)")
_NAMED_TOML = re.compile(r"(?P<file>\S+\.toml)\b.*\(at line (?P<line>\d+), column \d+\)", re.DOTALL)
_NAMED_ALONE = re.compile(r"(?P<file>\S+\.(?:md|toml|po))(?=[:\s])")


class Fault(NamedTuple):
    """A sentence for the editor. `line` is None where the file as a whole is meant, `file` empty where none is.

    `excerpt` holds (number, text) of the lines around it.
    """

    sentence: str
    file: str = ""
    line: int | None = None
    excerpt: tuple[tuple[int, str], ...] = ()


def fault_of(error: Exception, config: Path) -> Fault:
    """Where an error comes from, as well as it can be told: from its words, or from what was being read.

    `config` is the file of the settings. An error that nobody foresaw is named by its kind and the line of code.
    """
    if not isinstance(error, DigestError):
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = f" in {Path(last[0].filename).name} line {last[0].lineno}" if last else ""
        return Fault(f"This is a fault of the program ({type(error).__name__}{where}); report what you changed last.")
    sentence = str(error)
    file, line = _named(sentence, error, config)
    if not file:
        return Fault(sentence)
    path = _path(file, config)
    return Fault(sentence, file, line, tuple(_excerpt(path, line)) if path and line else ())


def _named(sentence: str, error: DigestError, config: Path) -> tuple[str, int | None]:
    for pattern in (_NAMED_TOML, _NAMED):
        if found := pattern.search(sentence):
            return found["file"], int(found["line"])
    cause = error.__cause__
    if isinstance(cause, ValidationError) and (file := _NAMED_ALONE.search(sentence)):
        return file["file"], _line_of_key(_path(file["file"], config), cause.errors()[0]["loc"])
    if isinstance(cause, KeyError | ValueError | SyntaxError) and "MJML" in sentence:
        return _of_markup(cause)
    found = _NAMED_ALONE.search(sentence)
    return (found["file"], None) if found else ("", None)


def _path(file: str, config: Path) -> Path | None:
    """Where a file is that a sentence names: as it says, among the templates, or the settings themselves."""
    beside = asset("templates").parent / file
    known = (Path(file), beside, *([config] if file.endswith(config.name) else []))
    return next((path for path in known if path.is_file()), None)


def _line_of_key(path: Path | None, location: tuple[int | str, ...]) -> int | None:
    """The line of a TOML file on which a key stands, or its table does; None where neither is written there."""
    keys = [part for part in location if isinstance(part, str)]
    lines = _lines(path)
    table, best = "", None
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if stripped.startswith("["):
            table = stripped.strip("[] ").split("]")[0]
            if table == ".".join(keys[:-1]) or table == ".".join(keys):
                best = number
        elif table == ".".join(keys[:-1]) and stripped.partition("=")[0].strip().strip('"') == keys[-1:][0]:
            return number
    return best


_TAG = re.compile(r"mj-[a-z-]+")


def _of_markup(cause: Exception) -> tuple[str, int | None]:
    """The template that has the tag that MJML does not know."""
    tag = _TAG.search(str(cause))
    for path in sorted((asset("templates") / "email").glob("*.mjml")) if tag else ():
        for number, line in enumerate(_lines(path), 1):
            if tag and re.search(rf"<{tag[0]}(?![\w-])", line):
                return f"templates/email/{path.name}", number
    return "templates/email/edition.mjml", None


def _lines(path: Path | None) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines() if path else []
    except OSError:
        return []


def _excerpt(path: Path, line: int) -> Iterator[tuple[int, str]]:
    lines = _lines(path)
    for number in range(max(1, line - _AROUND), min(len(lines), line + _AROUND) + 1):
        yield number, clip(lines[number - 1].rstrip(), 160)
