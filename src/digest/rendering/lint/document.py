"""The document itself: what every client needs to read it, what a mail must never hold, and what Outlook sees."""

import re
from collections.abc import Iterator

from digest.rendering.lint.page import HEAD, WHOLE, Finding, Page, in_short

_FETCHING = {"script", "link", "iframe", "frame", "object", "embed", "video", "audio", "source", "base", "form", "svg"}
_FETCHED = {"src", "srcset", "background", "poster", "data", "lowsrc", "ping", "formaction"}
_REMOTE = re.compile(r"url\(|@import|image-set\(", re.IGNORECASE)


def check_document(page: Page) -> Iterator[Finding]:
    """Doctype, language, title, one headline."""

    def missing(what: str, do: str) -> Finding:
        return Finding("error", "document", HEAD, what, do)

    if not page.source.lstrip().upper().startswith("<!DOCTYPE HTML>"):
        yield missing(
            "The document does not begin with <!DOCTYPE html>.", "Begin with it: clients fall back to old layouts."
        )
    if not (page.root.get("lang") or "").strip():
        yield missing("The html element has no lang.", "Name the language, so that the mail is read aloud rightly.")
    title = page.root.find("head/title")
    if title is None or not title.text_content().strip():
        yield missing("The document has no title.", "Give it one: some clients show it, and screen readers say it.")
    headlines = len(page.root.findall(".//h1"))
    if headlines != 1:
        what = f"There are {headlines} headlines (h1)."
        yield Finding("warning", "document", WHOLE, what, "A mail has one; sections have an h2.")


def check_harm(page: Page) -> Iterator[Finding]:
    """Scripts, what is fetched when a mail is opened, and what could track a reader. An error each."""
    for element, section in page.sections.items():
        if element.tag in _FETCHING:
            what = f"There is a {element.tag} element."
            yield Finding("error", "harmless", section, what, "Take it out: a mail fetches and runs nothing.")
        for name, value in element.attrib.items():
            if name.startswith("on"):
                what = f"A {element.tag} has the handler {name}."
                yield Finding("error", "harmless", section, what, "Take it out: a mail runs nothing.")
            elif name in _FETCHED and not value.strip().lower().startswith(("cid:", "data:")):
                what = f"The {name} of a {element.tag} is fetched when the mail is opened: {in_short(value)}."
                do = "Take it out, or put the picture into the mail: whoever serves it learns who reads."
                yield Finding("error", "harmless", section, what, do)
        if _REMOTE.search(element.get("style") or ""):
            what = f"The style of a {element.tag} fetches something: {in_short(element.get('style') or '')}."
            yield Finding("error", "harmless", section, what, "Take it out: a mail fetches nothing.")
    for sheet in page.root.iter("style"):
        fetched = _REMOTE.search(sheet.text or "")
        if fetched:
            what = f"A style sheet fetches something ({fetched[0]})."
            yield Finding("error", "harmless", HEAD, what, "Take it out: a mail fetches nothing.")


def check_images(page: Page) -> Iterator[Finding]:
    """Every picture says in words what it shows, and is one that can be seen."""
    for image in page.root.iter("img"):
        section = page.sections[image]
        if image.get("alt") is None or not (image.get("alt", "").strip() or image.get("role") == "presentation"):
            what = f"A picture has no alt text: {in_short(image.get('src') or '')}."
            do = 'Say what it shows, or give it alt="" and role="presentation" where it is decoration.'
            yield Finding("error", "alt text", section, what, do)
        if {image.get("width", "").removesuffix("px"), image.get("height", "").removesuffix("px")} & {"0", "1"}:
            what = "A picture of one pixel stands in the mail."
            yield Finding("error", "harmless", section, what, "Take it out: that is how mail tracks who reads it.")


_CONDITIONAL = re.compile(r"(?P<begin><!--\[if[^\]]*\]>(?:<!-->)?)|(?P<end>(?:<!--)?<!\[endif\]-->)")
_TABLES = ("table", "tr", "td", "th")


def check_outlook(page: Page) -> Iterator[Finding]:
    """Conditional comments come in pairs, none in another, and with what they hold tables are whole."""
    depth = 0
    for mark in _CONDITIONAL.finditer(page.source):
        depth += 1 if mark["begin"] else -1
        if depth not in (0, 1):
            break
    if depth:
        what = "Outlook's conditional comments are not in pairs."
        yield Finding("error", "outlook", WHOLE, what, "Look for [if mso] without [endif], or one within another.")
        return
    bare = _CONDITIONAL.sub("", page.source)
    for tag in _TABLES:
        opened, closed = len(re.findall(rf"<{tag}[\s>]", bare)), bare.count(f"</{tag}>")
        if opened != closed:
            what = f"Outlook on Windows sees {opened} <{tag}> and {closed} </{tag}>."
            yield Finding("error", "outlook", WHOLE, what, "Close each, inside conditional comments and outside.")
