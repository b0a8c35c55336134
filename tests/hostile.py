"""Hostile text: planted into every text of a fact, and what a page is made of, so that two pages can be compared."""

import functools
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

from pydantic import BaseModel

from digest.config.assets import asset
from digest.edition.content import Cover, Note, Paragraph
from digest.rendering.templates import (
    ANY_SLOT,
    SECTION_BEGINS,
    SECTION_ENDS,
    UNSUBSCRIBE_SLOT,
    WATCH_SLOT,
    environment_of,
)

PRODUCT = "9801547"
"""What 7331 * 1337 is: in no page unless a template was run."""

PIECES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)' x='",
    '" onfocus=alert(1) autofocus x="',
    "<svg/onload=alert(1)>",
    "</td></tr></table><iframe src=//evil.example>",
    "</title><style>*{display:none}</style>",
    "</style></script></textarea></svg></a>",
    "</mj-text><mj-raw><b>1</b></mj-raw><mj-text>",
    '<mj-button href="javascript:alert(1)">x</mj-button>',
    "<!--[if mso]><b>1</b><![endif]-->",
    "--><b>1</b><!--",
    "<!--piece story0--><!--piece end-->",
    "<![CDATA[<b>1</b>]]>",
    "]]><b>1</b>",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y "z">]>&y;',
    "&lt;script&gt;&amp;#34;&#60;b&#62;",
    "&quot; onclick=&quot;alert(1)",
    "{{ 7331 * 1337 }}",
    "{% for x in range(9) %}{{ 7331 * 1337 }}{% endfor %}",
    "{# gone #}{{ ''.__class__ }}",
    "${7331*1337} #{7331*1337} <%= 7331*1337 %>",
    "%(count)s %s %d %%",
    "{title} {0} {}",
    "javascript:alert(1)",
    "data:text/html,<b>1</b>",
    "//evil.example/x",
    "[x](javascript:alert(1)) ![x](https://evil.example/x.png)",
    "safe\u202egnp.exe\u2066\u200f\u061c",
    "a\u200bb\u00adc\ufeffd\u2060e",
    "\x00\x08\x1b[2J\x07\x1f\x7f\x9f",
    "line\r\nBcc: evil@evil.example\r\n\r\n<b>1</b>",
    "\u2028\u2029\u0085\x0b\x0c.",
    "=?utf-8?q?=0D=0ABcc:_evil=40x?=",
    UNSUBSCRIBE_SLOT,
    f"<!--{WATCH_SLOT}-->",
    f"{SECTION_BEGINS['models']}{SECTION_ENDS['models']}",
    f"{UNSUBSCRIBE_SLOT[:9]}\u200b{UNSUBSCRIBE_SLOT[9:]}",
    "\ufffe\ud800\U000e0001",
    "m" * 900,
    "模" * 300,
)
"""One of each kind: markup, attributes, mail markup, comments, XML, entities, templates, formats, addresses, text that
runs the other way, text that is not seen, header lines, slots, what is no character, and what is too long."""

_OURS = {"week", "previous_week", "sha256", "change", "receipt", "receipts", "id"}
_READ = {"html", "whole", "text", "lead", "links", "file"}
"""Text that we make, and a note's, which is made harmless where it is read."""

Put = Callable[[str], str]
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def unseen(text: str) -> set[str]:
    """Control and format characters, those that turn the direction of writing among them, and what is no character."""
    return {
        char
        for char in text
        if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    }


def hostile(seed: int, *, before: bool = True) -> Put:
    """A text with a piece put to it: the same one to the same text, another one for each seed."""
    return functools.partial(_with_a_piece, PIECES, seed, before)


def tame(seed: int, *, before: bool = True) -> Put:
    """The same with pieces as long and of as many words, of letters and figures alone."""
    return functools.partial(_with_a_piece, _TAME, seed, before)


def _with_a_piece(pieces: Sequence[str], seed: int, before: bool, text: str) -> str:
    piece = pieces[(crc32(text.encode()) + seed) % len(pieces)]
    return piece + text if before else text + piece


def configured(put: Put) -> Put:
    """The same as config.toml may say it: on one line, a hundred characters, none that cannot be seen."""
    return lambda text: "".join(char for char in put(text) if char not in unseen(char) | {"\n"})[:100]


def _tamed(piece: str) -> str:
    while "=?" in piece:
        piece = piece.replace("=?", "")
    seen = "".join(" " if char.isspace() else char for char in piece if char.isspace() or char not in unseen(char))
    return "".join(char if char.isalnum() or char in " -" else "x" for char in ANY_SLOT.sub("slot", seen)) or "x"


_TAME = tuple(map(_tamed, PIECES))


def planted(value: Any, put: Put, kept: Collection[str] = ()) -> Any:
    """A fact in which every text is one that `put` makes of it, but those of the fields that are `kept`.

    A choice among given words stays what it is.
    """
    if isinstance(value, BaseModel):
        ours = _OURS | (_READ if isinstance(value, (Note, Cover, Paragraph)) else set()) | set(kept)
        fields = type(value).model_fields
        free = [name for name, about in fields.items() if name not in ours and "Literal" not in str(about.annotation)]
        return value.model_copy(update={name: planted(getattr(value, name), put, kept) for name in free})
    if isinstance(value, tuple):
        items = [planted(item, put, kept) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    return put(value) if isinstance(value, str) else value


Element = tuple[str, tuple[tuple[str, str], ...]]


class Page(NamedTuple):
    """What a page is made of: how many elements there are of each kind, with their attributes and with the values that
    say how something looks or works; the addresses that it leads to; its comments."""

    elements: Counter[Element]
    addresses: Counter[str]
    comments: Counter[str]


_ADDRESSES = {"href", "src", "action", "formaction", "background", "poster", "data", "srcset", "cite", "xlink:href"}
_SAID = {"alt", "title", "content", "aria-label", "value", "id", "for", "aria-describedby", "aria-labelledby", "name"}
_WHOLE_WORD = "white-space:nowrap"  # of a name that is short enough to stay on one line


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page(Counter(), Counter(), Counter())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        looks = []
        for name, value in attrs:
            said = value or ""
            if name in _ADDRESSES:
                self.page.addresses[said] += 1
            if said in (_WHOLE_WORD, "keep"):
                continue
            looks.append((name, "" if name in _ADDRESSES | _SAID else said))
        if looks or tag != "span":  # a span around a short word says nothing else
            self.page.elements[tag, tuple(sorted(looks))] += 1

    def handle_comment(self, data: str) -> None:
        self.page.comments[data] += 1

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)


def read(source: str) -> Page:
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.page


def as_outlook_reads(source: str) -> str:
    """A mail in which conditional comments are markup."""
    return re.sub(r"<!--\[if[^\]]*\]>(?:<!-->)?|(?:<!--)?<!\[endif\]-->", "", source)


_FIELD = re.compile(r'(<input\b[^>]*\bvalue=")[^"]*')


def check_markup(found: str, harmless: str, *, alike: bool = True) -> None:
    """Nothing in the page that is not in the harmless one: no element, no attribute, no look, no comment, no address
    but of the web. A link may be missing. Where the pages need not be `alike`, no kind of element is another.

    What was typed into a field comes back in it as it was typed.
    """
    for view in (str, as_outlook_reads):
        page, twin = read(view(found)), read(view(harmless))
        if alike:
            more, less = page.elements - twin.elements, twin.elements - page.elements
            assert not more, f"{more} for {less}"
            assert {tag for tag, _attributes in less} <= {"a", "option"}, less
        assert kinds(page) <= kinds(twin)
        assert set(page.comments) == set(twin.comments)
        for address in page.addresses - twin.addresses:
            parts = urlsplit(address)
            assert parts.scheme in ("http", "https", ""), address
            assert not address.startswith("//"), address
    check_words(*(html.unescape(_FIELD.sub(r"\1", source)) for source in (found, harmless)))


def kinds(page: Page) -> set[tuple[str, ...]]:
    """The elements with the names of their attributes."""
    return {(tag, *(name for name, _value in attributes)) for tag, attributes in page.elements}


def check_words(found: str, harmless: str) -> None:
    """What `check_said` says, and nothing takes a place in a mail that is for a reader's own."""
    check_said(found, harmless)
    assert Counter(ANY_SLOT.findall(found)) == Counter(ANY_SLOT.findall(harmless))


def check_said(found: str, harmless: str = "") -> None:
    """No template was run, and nothing is in the text that cannot be seen."""
    assert PRODUCT not in found
    more = unseen(found) - unseen(harmless)
    assert not more, ascii(more)


def check_line(found: str) -> None:
    """One line that a mail header may hold."""
    assert found.isprintable()
    assert "=?" not in found
    check_words(found, "")


def strings(document: Any) -> Iterator[str]:
    """Every text of a JSON document, names among them."""
    if isinstance(document, Mapping):
        for name, value in document.items():
            yield name
            yield from strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)
    elif isinstance(document, str):
        yield document


def forget_templates() -> None:
    _read_templates().clear()


def templates_filled() -> set[str]:
    """The templates that were read since `forget_templates`."""
    return {name for _loader, name in _read_templates()}


def _read_templates() -> MutableMapping[Any, Any]:
    cache = environment_of(asset("templates")).cache
    assert cache is not None
    return cache
