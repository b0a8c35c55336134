"""Links: that each leads somewhere, and that the way out and the sender are there."""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from digest.rendering.lint.page import FOOTER, TEXT_PART, WHOLE, Finding, Page, Specimen, in_short
from digest.rendering.templates import ANY_SLOT

_LEFT_OPEN = re.compile(r"\{\{|\{%|%7B%7B", re.IGNORECASE)


def check_links(specimen: Specimen, page: Page) -> Iterator[Finding]:
    """Every link of the HTML part: syntax, scheme, words."""
    for link in page.root.iter("a"):
        section, address, words = page.sections[link], link.get("href"), " ".join(link.text_content().split())
        if address is None:
            continue
        fault = _fault(address.strip())
        if fault:
            what = f"The link {in_short(words)} {fault}: {in_short(address)}."
            yield Finding("error", "links", section, what, "Give it an https address, or leave the link out.")
        elif urlsplit(address.strip()).scheme == "http" and not is_loopback(address):
            ours = urlsplit(address).netloc == urlsplit(specimen.base_url).netloc
            what = f"The link {in_short(words)} is not encrypted: {in_short(address)}."
            do = "Set [series] base_url to an https address." if ours else "Link the https address if there is one."
            yield Finding("error" if ours else "warning", "links", section, what, do)
        if not words and not link.xpath(".//img[normalize-space(@alt)]"):
            what = f"A link has no words: {in_short(address)}."
            yield Finding("error", "links", section, what, "Name what it leads to.")


def _fault(address: str) -> str:
    """What is wrong with an address, empty for nothing."""
    if not address or address == "#":
        return "leads nowhere"
    if ANY_SLOT.search(address) or _LEFT_OPEN.search(address):
        return "has a place in it that was not filled in"
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "is no address"
    if parts.scheme == "mailto":
        return "" if "@" in parts.path else "names no mailbox"
    if parts.scheme not in ("http", "https"):
        return "is none of the web"
    if not parts.hostname or not address.isprintable() or set(address) & set(" <>\"'`\\"):
        return "is no address"
    return ""


def is_loopback(address: str) -> bool:
    """Whether an address leads to the reader's own machine, as while one tries things out."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_slots(specimen: Specimen) -> Iterator[Finding]:
    """No place for a reader's own is left over in what is sent."""
    for part, section in ((specimen.subject, "Subject"), (specimen.html or "", WHOLE), (specimen.text, TEXT_PART)):
        slot = ANY_SLOT.search(part)
        if slot:
            what = f"A place was not filled in: {in_short(slot[0])}."
            yield Finding("error", "slots", section, what, "Draft the edition again; a mail like this is never sent.")


def check_way_out(specimen: Specimen, page: Page | None) -> Iterator[Finding]:
    """In both parts there is a way out that works, and who writes from which postal address."""
    do = "Put it back into templates/email/footer.mjml and templates/text/footer.txt."
    if page is not None:
        links = [link for link in page.root.iter("a") if link.get("href") == specimen.unsubscribe]
        if not any(link.text_content().strip() for link in links):
            yield Finding("error", "way out", FOOTER, "There is no link that unsubscribes.", do)
    if specimen.unsubscribe not in specimen.text:
        yield Finding("error", "way out", TEXT_PART, "There is no address that unsubscribes.", do)
    seen = "" if page is None else " ".join(text for _section, text in page.lines)
    for part, section in ((seen, FOOTER), (" ".join(specimen.text.split()), TEXT_PART)):
        if part and " ".join(specimen.sender.split()) not in part:
            yield Finding("error", "sender", section, f"The sender {in_short(specimen.sender, 80)} is not named.", do)
