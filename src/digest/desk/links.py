"""Where the links of an edition lead, tried when the editor asks for it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit

from digest.config.sections import Fetch
from digest.config.settings import Settings
from digest.edition.rendered import Rendered
from digest.edition.renditions import Rendition
from digest.errors import CaptureError
from digest.language import LOCALES
from digest.rendering.lint.links import is_loopback
from digest.rendering.lint.page import Finding, in_short, parse
from digest.rendering.renditions import assemble
from digest.rendering.templates import ANY_SLOT
from digest.scores.sources import status_of

_AT_ONCE = 4
_SECONDS = 10


class Link(NamedTuple):
    """A link by its address, the section that it is first found in, and its words."""

    address: str
    section: str
    words: str


def links_of(rendered: Rendered, base_url: str, week: str) -> list[Link]:
    """The links in all languages that can be tried: each address once, in the order of the mail.

    Not a reader's own, which have a slot in them, nor the pages that open with the approval: the edition's, and its
    receipts.
    """
    root = base_url.rstrip("/")
    later = (f"{root}/editions/{week}", f"{root}/changes/")
    found: dict[str, Link] = {}
    for locale in LOCALES:
        page = parse(assemble(rendered, Rendition(locale)).html or "")
        for link in page.root.iter("a") if page else ():
            address = (link.get("href") or "").strip().partition("#")[0]
            is_web = address.startswith(("https://", "http://"))
            if page and is_web and not address.startswith(later) and not ANY_SLOT.search(address):
                words = " ".join(link.text_content().split())
                found.setdefault(address, Link(address, page.sections[link], words))
    return list(found.values())


def tried(addresses: Iterable[str], settings: Settings) -> Iterator[tuple[str, str]]:
    """Each address with what is wrong with it, empty for nothing; one after the other at each host, few hosts at once.

    The series' own pages may be on this machine, as they are while one tries things out; no other link may lead into
    the house.
    """
    by_host: dict[str, list[str]] = {}
    for address in addresses:
        by_host.setdefault(urlsplit(address).netloc, []).append(address)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for results in pool.map(lambda group: [(one, _fault(one, settings)) for one in group], by_host.values()):
            yield from results


def _fault(address: str, settings: Settings) -> str:
    own = settings.series.base_url.rstrip("/")
    private = is_loopback(own) and (address == own or address.startswith(f"{own}/"))
    limits = Fetch(
        connect_seconds=min(settings.fetch.connect_seconds, _SECONDS / 3),
        total_seconds=_SECONDS,
        retries=0,
        allow_http=True,  # whether it is encrypted is another check's
        allow_private_addresses=private or settings.fetch.allow_private_addresses,
    )
    try:
        status = status_of(address, limits)
    except CaptureError as error:
        return str(error).partition("; the next run")[0].rstrip(".")
    return "" if status < 400 else f"answers {status}"


def findings_of(links: Iterable[Link], faults: Mapping[str, str]) -> list[Finding]:
    """A broken link is an error: it must not go out."""
    broken = [link for link in links if faults.get(link.address)]
    do = "Correct the address, or leave the link out."
    return [
        Finding(
            "error",
            "links",
            link.section,
            f"The link {in_short(link.words)} to {in_short(link.address, 80)} leads nowhere: {faults[link.address]}.",
            do,
            "every mail",
        )
        for link in broken
    ]


def untried(links: Iterable[Link], faults: Collection[str]) -> list[str]:
    """The addresses that nothing is known of yet."""
    return [link.address for link in links if link.address not in faults]
