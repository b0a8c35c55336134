"""What is wrong with a mail, said before it is sent: no browser, no network, nothing but what would go out."""

from collections.abc import Iterator

from digest.rendering.lint.contrast import check_contrast
from digest.rendering.lint.document import check_document, check_harm, check_images, check_outlook
from digest.rendering.lint.lengths import check_preheader, check_size, check_subject
from digest.rendering.lint.links import check_links, check_slots, check_way_out
from digest.rendering.lint.page import WHOLE, Finding, Page, Specimen, parse
from digest.rendering.lint.parts import check_facts, check_text
from digest.rendering.lint.support import Support, check_support


def lint(specimen: Specimen, support: Support) -> list[Finding]:
    """What every check finds in one mail."""
    return [finding._replace(rendition=specimen.rendition) for finding in _found(specimen, support)]


def _found(specimen: Specimen, support: Support) -> Iterator[Finding]:
    yield from check_subject(specimen)
    yield from check_text(specimen)
    yield from check_slots(specimen)
    page = None
    if specimen.html is not None:
        page = parse(specimen.html)
        if page is None:
            yield Finding("error", "document", WHOLE, "The HTML part holds nothing.", "Draft it again.")
        else:
            yield from _found_in_page(specimen, page, support)
    yield from check_way_out(specimen, page)


def _found_in_page(specimen: Specimen, page: Page, support: Support) -> Iterator[Finding]:
    yield from check_document(page)
    yield from check_preheader(page)
    yield from check_size(page)
    yield from check_outlook(page)
    yield from check_harm(page)
    yield from check_images(page)
    yield from check_links(specimen, page)
    yield from check_contrast(page)
    yield from check_facts(specimen, page)
    yield from check_support(page, support)
