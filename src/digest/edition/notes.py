"""The editor's note: `notes/<week>.md`, Markdown (CommonMark) with front matter, read once and trusted afterwards.

file           the note's bytes, and those of its cover picture; nothing else is read, nothing is fetched
front matter   title, date, draft, author, cover_image, cover_alt; any other key is an error, for a mistyped
               `draft` would send what is not finished
Markdown       made harmless (markdown.py)
Note           the opening as HTML and as text, for the mail; all of it as HTML, for the web
"""

import difflib
import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import yaml
from frontmatter.default_handlers import YAMLHandler
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from digest.edition.content import Cover, Note
from digest.edition.markdown import as_html, as_text, opening_of, parsed, text_of, words_in
from digest.edition.numbers import monday, shown
from digest.errors import DigestError

_MOST_BYTES = 64_000
_MOST_PICTURE_BYTES = 2_000_000
_DAYS_OFF = timedelta(days=7)


def load_note(folder: Path, week: str) -> Note | None:
    """The note of an ISO week such as 2026-W18, or None where `folder` has no file of that name.

    Raises DigestError naming file, line and what to do where the note cannot be read, its front matter is broken, or
    its cover picture is missing, remote or without words for those who do not see it.
    """
    path = folder / f"{week}.md"
    try:
        data = _read(path, _MOST_BYTES)
    except FileNotFoundError:
        return None
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise DigestError(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8.") from error
    front, body = _front_matter(text, path)
    first, last = monday(week) - _DAYS_OFF, monday(week) + timedelta(days=6) + _DAYS_OFF
    if not first <= front.on <= last:
        year, number, _day = front.on.isocalendar()
        raise DigestError(
            f"{path}: date {front.on} is more than a week away from {week}; "
            f"correct the date, or name the file {year}-W{number:02}.md after its own week."
        )
    tokens = parsed(body)
    if not words_in(text_of(tokens)):
        raise DigestError(f"{path} has a title but no text; write the note below the front matter, or delete the file.")
    opening = opening_of(tokens)
    paragraphs, links = as_text(opening)
    html, whole = as_html(opening), as_html(tokens)
    return Note(
        title=shown(front.title, 120),
        on=front.on,
        author=shown(front.author, 80) if front.author else "",
        draft=front.draft,
        cover=_cover(front, folder, path) if front.cover_image is not None else None,
        words=words_in(text_of(tokens)),
        html=html,
        text=paragraphs,
        links=links,
        whole=whole,
        more=html != whole,
    )


def for_sending(note: Note | None) -> Note | None:
    """The note as the edition that is stored, approved and sent may hold it: none while it is a draft.

    A draft is left out rather than made to block the approval: a note that is not finished must not hold back the
    week. It cannot be sent by mistake either, since taking the flag away makes another edition, to be approved anew.
    """
    return None if note is None or note.draft else note


# Files


def _read(path: Path, most: int) -> bytes:
    """The bytes of a file. Raises FileNotFoundError where there is none, DigestError for any other fault."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DigestError(f"{path} cannot be read: {error.strerror}; make it a file that can be.") from error
    if len(data) > most:
        raise DigestError(f"{path} is larger than {most // 1000} kB; make it shorter.")
    return data


_MAGIC: tuple[tuple[bytes, Literal["image/png", "image/jpeg", "image/webp", "image/gif"]], ...] = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"RIFF....WEBP", "image/webp"),
    (rb"GIF8[79]a", "image/gif"),
)


def _cover(front: "_Front", folder: Path, note: Path) -> Cover:
    name = front.cover_image or ""
    said = f'{note}: cover_image "{shown(name, 80)}"'
    if "://" in name or name.startswith(("//", "data:")):
        raise DigestError(
            f"{said} is an address, and nothing is fetched; save the picture in {folder} and name the file."
        )
    path = folder / name
    bare = Path(name).name == name and "\\" not in name and "\0" not in name
    inside = bare and path.resolve().parent == folder.resolve()
    if not inside:
        raise DigestError(f"{said} is no file beside the note; put the picture into {folder} and give its bare name.")
    if not front.cover_alt.strip():
        raise DigestError(f"{said} has no cover_alt; say in words what the picture shows.")
    try:
        data = _read(path, _MOST_PICTURE_BYTES)
    except FileNotFoundError as error:
        raise DigestError(f"{said} is not there; put the picture into {folder}, or take the line out.") from error
    kind = next((kind for magic, kind in _MAGIC if re.match(magic, data, re.DOTALL)), None)
    if kind is None:
        raise DigestError(f"{said} is no PNG, JPEG, WebP or GIF picture; save it as one.")
    return Cover(file=name, media_type=kind, sha256=hashlib.sha256(data).hexdigest(), alt=shown(front.cover_alt, 300))


# Front matter


def _as_day(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value


class _Front(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    on: Annotated[date, BeforeValidator(_as_day)] = Field(alias="date")
    draft: bool = False
    author: Annotated[str, StringConstraints(max_length=80)] = ""
    cover_image: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    cover_alt: Annotated[str, StringConstraints(max_length=300)] = ""


_WANTED = {
    "title": "a line of 1 to 120 characters",
    "date": "a day such as 2026-05-01",
    "draft": "true or false",
    "author": "a line of at most 80 characters",
    "cover_image": "the name of a picture beside the note",
    "cover_alt": "what the picture shows, in at most 300 characters",
}


def _front_matter(text: str, path: Path) -> tuple[_Front, str]:
    """The front matter, parsed, and the Markdown below it."""
    handler = YAMLHandler()
    try:
        front, body = handler.split(text) if handler.detect(text) else (None, "")
    except ValueError:  # the second line of --- is missing
        front = None
    if front is None:
        raise DigestError(f"{path} has no front matter; begin it with title and date between two lines of ---.")
    first = 1 + text[: text.index(front)].count("\n")
    try:
        lines = _lines(front, first, path)
        return _Front.model_validate(handler.load(front)), body
    except yaml.MarkedYAMLError as error:
        line = f" line {first + error.problem_mark.line}" if error.problem_mark else ""
        raise DigestError(f"{path}{line}: the front matter is no valid YAML ({error.problem}); correct it.") from error
    except ValidationError as error:
        raise DigestError(_sentence(error, lines, path)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # a day that no calendar has; nesting without end
        said = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:120]
        raise DigestError(f"{path}: the front matter is no valid YAML ({said}); correct it.") from error


def _lines(front: str, first: int, path: Path) -> Mapping[str, int]:
    """The line of each key. Raises DigestError for what is no list of keys, and for a key that is there twice."""
    node = yaml.compose(front, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise DigestError(f"{path}: the front matter is no list of `key: value`; write title and date so.")
    lines: dict[str, int] = {}
    for key, _value in node.value:
        name, line = str(key.value), first + key.start_mark.line
        if name in lines:
            raise DigestError(f'{path} line {line}: "{shown(name, 40)}" is there twice; keep one.')
        lines[name] = line
    return lines


def _sentence(error: ValidationError, lines: Mapping[str, int], path: Path) -> str:
    fault = error.errors(include_input=False, include_url=False)[0]
    key = str(fault["loc"][0]) if fault["loc"] else ""
    where = f"{path} line {lines[key]}" if key in lines else str(path)
    if fault["type"] == "missing":
        return f"{path}: the front matter has no {key}; add one, {_WANTED[key]}."
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, _WANTED, n=1, cutoff=0.5)
        hint = f'; did you mean "{near[0]}"?' if near else f"; known are {', '.join(_WANTED)}."
        return f'{where}: a note has no key "{shown(key, 40)}"{hint}'
    return f"{where}: {key} wants {_WANTED.get(key, 'another value')}; correct it."
