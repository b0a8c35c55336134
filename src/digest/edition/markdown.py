"""An editor's Markdown (CommonMark) made harmless: as HTML of a few elements, as text, and what of it fits a mail.

No HTML, no pictures, no links but http, https and mailto, no character that cannot be seen. What is dropped are tokens
of the parsed text; nh3 sanitises what they render to once more, though nothing should need it.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from digest.edition.content import Paragraph
from digest.edition.numbers import shown

WORDS_IN_THE_MAIL = 80
_BYTES_IN_THE_MAIL = 6_000  # of HTML: links cost bytes, not words

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_TAGS = {"p", "h3", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "a", "br"}

Text: TypeAlias = Sequence[Token]


def parsed(markdown: str) -> Text:
    """The text as tokens, harmless from here on."""
    return _harmless(_MARKDOWN.parse(markdown))


def _harmless(tokens: Text) -> list[Token]:
    """The tokens without rules, with every heading one below the mail's own, and their words made harmless."""
    kept = []
    for token in tokens:
        if token.type == "hr":
            continue
        tag = "h3" if token.type.startswith("heading") else token.tag
        children = _harmless_line(token.children) if token.children is not None else None
        kept.append(token.copy(tag=tag, info="", content=_seen(token.content), children=children))
    return kept


def _harmless_line(children: Sequence[Token]) -> list[Token]:
    """A picture becomes a link to it, by its description; a link to what is no address becomes its words."""
    kept: list[Token] = []
    linked: list[bool] = []
    for index, token in enumerate(children):
        if token.type == "link_open":
            linked.append(_is_address(str(token.attrs.get("href", ""))))
            if linked[-1]:
                kept.append(token.copy(attrs={"href": token.attrs["href"]}))
        elif token.type == "link_close":
            if linked.pop():
                kept.append(token)
        elif token.type == "image":
            follows = children[index + 1].content[:1] if index + 1 < len(children) else ""
            kept.extend(_picture(token, inside=any(linked)))
            if follows.isalnum():
                kept.append(Token("text", "", 0, content=" ", level=token.level))
        else:
            kept.append(token.copy(content=_seen(token.content).replace("\n", " ")))
    return kept


def _picture(token: Token, *, inside: bool) -> list[Token]:
    words = Token("text", "", 0, content=f"[picture: {shown(token.content, 120)}]", level=token.level)
    address = str(token.attrs.get("src", ""))
    if inside or not _is_address(address):
        return [words]
    words.level += 1
    return [Token("link_open", "a", 1, attrs={"href": address}), words, Token("link_close", "a", -1)]


def _is_address(address: str) -> bool:
    """Whether it may stand in a link: http, https or mailto, of plain characters, complete, and not very long."""
    if not (address.isascii() and address.isprintable()) or set(address) & set(" <>\"'`\\") or len(address) > 500:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.hostname) if parts.scheme in ("http", "https") else parts.scheme == "mailto" and "@" in parts.path


def _seen(text: str) -> str:
    """Text without what cannot be seen: control and format characters, bidirectional overrides among them."""
    text = re.sub("[\t\u2028\u2029]", " ", text)
    return "".join(
        char
        for char in text
        if char == "\n" or (unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs") and ord(char) & 0xFFFE != 0xFFFE)
    )


# Words and sentences


def words_in(text: str) -> int:
    """Words as an editor counts them: what holds a letter or digit between spaces. An ideograph is one of its own, and
    what is longer than any word, such as an address, counts as several."""
    words = 0
    for piece in text.split():
        wide = sum(char.isalnum() and unicodedata.east_asian_width(char) in "WF" for char in piece)
        rest = len(piece) - wide if any(char.isalnum() for char in piece) else 0
        words += wide + math.ceil(rest / 24)
    return words


def text_of(tokens: Text) -> str:
    """The words alone."""
    return "\n".join(_line(token.children) if token.type == "inline" else token.content for token in tokens)


def _line(children: Sequence[Token] | None) -> str:
    return "".join(" " if token.type.endswith("break") else token.content for token in children or ())


def opening_of(tokens: Text) -> list[Token]:
    """As much as fits the mail, up to the end of a paragraph or a sentence; where not even a sentence fits, words."""
    opening: list[Token] = []
    for longer in _openings(tokens):
        if words_in(text_of(longer)) > WORDS_IN_THE_MAIL or len(as_html(longer).encode()) > _BYTES_IN_THE_MAIL:
            break
        opening = longer
    if opening:
        return opening
    words: list[str] = []
    said = text_of(tokens).split()
    while said and words_in(" ".join([*words, said[0][:400]])) <= WORDS_IN_THE_MAIL:
        words.append(said.pop(0)[:400])
    cut = Token("text", "", 0, content=" ".join(words) + "…")
    inline = Token("inline", "", 0, children=[cut])
    return [Token("paragraph_open", "p", 1), inline, Token("paragraph_close", "p", -1)]


def _openings(tokens: Text) -> Iterator[list[Token]]:
    """Ever longer beginnings: to the end of each sentence of a paragraph, and of each block but a heading."""
    before: list[Token] = []
    block: list[Token] = []
    depth = 0
    for token in tokens:
        block.append(token)
        depth += token.nesting
        if depth:
            continue
        if block[0].type == "paragraph_open":
            start, inline, end = block
            for children in _sentences(inline.children or []):
                yield [*before, start, inline.copy(children=children), end]
        before, block = [*before, *block], []
        if before[-1].type != "heading_close":
            yield before


_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]")
_NO_END = re.compile(r"\b(?:e\.g|i\.e|vs|cf|etc|approx|no|dr|mr|mrs|ms|st)\.$", re.IGNORECASE)


def _sentences(children: Sequence[Token]) -> Iterator[list[Token]]:
    """The line up to the end of each sentence but the last. A sentence ends outside of emphasis and links only."""
    for index, token in enumerate(children):
        if token.type != "text" or token.level:
            continue
        after = _line(children[index + 1 :])
        for end in _END.finditer(token.content + after[:1]):
            said, rest = token.content[: end.end()], (token.content[end.end() :] + after).lstrip()
            if end.end() <= len(token.content) and rest and not rest[0].islower() and not _NO_END.search(said):
                yield [*children[:index], token.copy(content=said)]


# Both forms


def as_html(tokens: Text) -> str:
    """The tokens as HTML of a few elements without classes or styles; sanitised, though nothing should need it."""
    return nh3.clean(
        _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        link_rel="noopener",
        url_schemes={"http", "https", "mailto"},
    ).strip()


def as_text(tokens: Text) -> tuple[tuple[Paragraph, ...], tuple[str, ...]]:
    """The tokens as paragraphs of text, and the addresses that their `[1]` stand for."""
    paragraphs: list[Paragraph] = []
    links: list[str] = []
    leads: list[str] = []
    counts: list[int | None] = []

    def add(text: str, more: str = "") -> None:
        if text.strip():
            paragraphs.append(Paragraph(lead="".join(leads) + more, text=text.strip()))
            leads[:] = [lead if lead == "> " else " " * len(lead) for lead in leads]

    for token in tokens:
        match token.type:
            case "bullet_list_open":
                counts.append(None)
            case "ordered_list_open":
                counts.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                counts.pop()
            case "list_item_open":
                count = counts[-1]
                leads.append("- " if count is None else f"{count}. ")
                counts[-1] = None if count is None else count + 1
            case "blockquote_open":
                leads.append("> ")
            case "list_item_close" | "blockquote_close":
                leads.pop()
            case "inline":
                add(_with_numbers(token.children or [], links))
            case "code_block" | "fence":
                for line in token.content.split("\n"):
                    add(line, "    ")
    return tuple(paragraphs), tuple(links)


def _with_numbers(children: Sequence[Token], links: list[str]) -> str:
    """A line of text in which a link is followed by its number; an address that is its own text needs none."""
    said: list[str] = []
    start, address = 0, ""
    for token in children:
        if token.type == "link_open":
            start, address = len(said), str(token.attrs["href"])
        elif token.type == "link_close":
            if "".join(said[start:]) != address.removeprefix("mailto:"):
                if address not in links:
                    links.append(address)
                said.append(f" [{links.index(address) + 1}]")
        else:
            said.append(" " if token.type.endswith("break") else token.content)
    return "".join(said)
