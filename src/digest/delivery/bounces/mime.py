"""A returned message as its header and its parts, whatever is wrong with it.

The standard library's parser opens every message that it finds in another one. Here the messages inside stay shut: a
report about our mail is never looked for in mail that somebody merely encloses, and the fields of a delivery report
arrive as text, even where they are encoded, as RFC 6533 allows.
"""

import re
from email.errors import CloseBoundaryNotFoundDefect, HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from itertools import islice
from typing import Any, NamedTuple

_MOST_PARTS = 30
_MOST_BOUNDARIES = 40  # the parser compares every line with the boundaries of all parts that it is in
_LONGEST_VALUE = 4000  # characters of a field; it takes parameters apart in a time that grows with their square
_LONGEST_REPORT = 64 * 1024
_FIELD = re.compile(r"^([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)$")  # RFC 5322 section 2.2

Fields = dict[str, str]
"""Header fields by their lower-case name, unfolded; of one that is repeated the first."""


class Part(NamedTuple):
    """One part that holds no others: its type in lower case ("text/plain"), its text, whether that may be cut."""

    type: str
    text: str
    cut: bool


class Mime(NamedTuple):
    """A message: its header's fields, its type and report type, and the parts in their order."""

    header: Fields
    type: str
    report_type: str
    parts: tuple[Part, ...]


class _Shut(Message):
    """A message whose message/* parts are text to the parser, which asks for types while it reads."""

    def get_content_type(self) -> str:
        kind = super().get_content_type()
        return f"text/{kind[8:]}" if kind.startswith("message/") else kind


class _Cut(Compat32):
    """Fields are cut to what anybody needs."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, Any]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_VALUE]


def parse(raw: bytes) -> Mime:
    """Read a message. Raises ValueError for one that would take too long, and what the parser does on hostile bytes."""
    if raw.lower().count(b"boundary") > _MOST_BOUNDARIES:
        raise ValueError("more parts in one another than any mail system makes")
    message = BytesParser(_Shut, policy=_Cut()).parsebytes(raw)
    header: Fields = {}
    for name, value in message.items():
        header.setdefault(name.lower(), _plain(value))
    report_type = message.get_param("report-type", "")
    every = list(islice(message.walk(), _MOST_PARTS))
    open_ended = any(isinstance(defect, CloseBoundaryNotFoundDefect) for one in every for defect in one.defects)
    parts = tuple(_part(one, cut=open_ended and one is every[-1]) for one in every if not one.is_multipart())
    return Mime(header, message.get_content_type(), str(report_type).lower(), parts)


def fields(text: str) -> list[Fields]:
    """Groups of header fields, apart by empty lines, as delivery reports are made of. What is no field is skipped."""
    groups: list[Fields] = [{}]
    name = ""
    for line in text[:_LONGEST_REPORT].splitlines():
        if not line.strip():
            groups.append({})
            name = ""
        elif line[0] in " \t" and name:
            groups[-1][name] = f"{groups[-1][name]} {line.strip()}".strip()[:_LONGEST_VALUE]
        elif found := _FIELD.match(line):
            name = found[1].lower()
            if name in groups[-1]:
                name = ""
            else:
                groups[-1][name] = found[2].strip()
        else:
            name = ""
    return [group for group in groups if group]


def _part(message: Message, *, cut: bool) -> Part:
    payload = message.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    charset = message.get_content_charset("utf-8")
    try:
        text = content.decode(charset, "replace")
    except (LookupError, ValueError):  # a character set that nobody knows, or that is no text encoding
        text = content.decode("utf-8", "replace")
    return Part(message.get_content_type(), text, cut)


def _plain(value: object) -> str:
    """A header's value on one line, encoded words (RFC 2047) decoded where they can be."""
    text = " ".join(str(value).split())
    if "=?" not in text:
        return text
    try:
        pieces = decode_header(text)
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace")
            for piece, charset in pieces
        )
    except (HeaderParseError, LookupError, ValueError):
        return text
