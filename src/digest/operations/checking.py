"""A stored edition, and the letters, as the mails that readers would get; and what the checks find in them.

The mails are built by the code that sends them and read back from their bytes. A topic is one part of a mail and what
a region's rules add is another, and neither changes the others. So each topic is looked at alone and left out alone,
and the rules of each region with each format, but not every choice with every region.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from email import message_from_bytes, policy
from itertools import combinations
from typing import get_args

from digest.config.settings import Settings
from digest.delivery.message import Own, build, compile_mail, unsubscribe_url
from digest.delivery.outbox import Letter, Mailing
from digest.edition import numbers
from digest.edition.facts import Fact, Name
from digest.edition.rendered import Rendered
from digest.edition.renditions import FORMATS, TOPICS, Rendition
from digest.edition.store import StoredEdition
from digest.edition.watch_facts import Watched
from digest.language import LOCALES
from digest.rendering.fragments import MOST_STORIES, NOTHING, Part, join
from digest.rendering.letters import letter
from digest.rendering.lint import lint
from digest.rendering.lint.page import Finding, Specimen
from digest.rendering.lint.support import load_support
from digest.rendering.reader_words import sender
from digest.rendering.renditions import Mail, assemble
from digest.subscribers import links
from digest.subscribers.consent import Consent
from digest.subscribers.store import Subscriber

NOBODY = Subscriber(1, "reader@reader.example", "reader@reader.example", Consent(), "en", ())
"""Whom a specimen is for."""

NO_KEYS = (bytes(32),)
"""What signs the links of specimens and tests. They open nothing: it is no key of anybody."""

_ORDER = ("error", "warning", "note")


def check_edition(
    stored: StoredEdition, settings: Settings, before_each: Callable[[], None] = lambda: None
) -> list[Finding]:
    """What the checks find in every mail of an edition and in the letters, errors first, each finding once.

    `before_each` is called before each mail; what it raises ends the checks.
    Raises DeliveryError for a mail that could not be sent at all, DigestError for a template's fault.
    """
    support = load_support()
    findings: list[Finding] = []
    mails = 0
    for mail in specimens(stored, settings):
        before_each()
        mails += 1
        findings += lint(mail, support)
    found = [*faults_of_settings(settings), *_of_watch_list(stored.rendered)]
    found += _merged(findings, mails)
    return sorted(found, key=lambda finding: _ORDER.index(finding.level))


def specimens(stored: StoredEdition, settings: Settings) -> Iterator[Specimen]:
    """Every mail that is looked at, the fullest first: with the largest watch list, and as if the consent lapsed."""
    names = frozenset(numbers.title(name) for name in _names(stored.edition))
    at = datetime.combine(stored.edition.starts, time(), UTC)
    mailing = Mailing(1, "edition", stored.week, "", at, 1)
    for locale in LOCALES:
        rendered = stored.rendered.in_language(locale)
        own = Own(
            watch=largest_watch_list(rendered)[0],
            consented_on=at.date(),
            consent_method="sign-up form",
            keep=(at.date(), f"{settings.series.base_url.rstrip('/')}/confirm/link"),
        )
        for rendition in renditions(rendered, locale):
            mail = assemble(stored.rendered, rendition)
            yield _specimen(_named(rendition), mail, mailing, own, settings, names, locale)
    for kind in get_args(Letter):
        own = Own(action=f"{settings.series.base_url.rstrip('/')}/{kind}/link")
        mailing = Mailing(1, kind, at.date().isoformat(), "", at, 1)
        for locale in LOCALES:
            mail = letter(kind, settings, locale)
            yield _specimen(f"{kind} letter, {locale}", mail, mailing, own, settings, frozenset(), locale)


def one_of_each(mails: Iterable[Specimen]) -> list[Specimen]:
    """The first mail of each format in each language, and each letter."""
    first: dict[tuple[str, ...], Specimen] = {}
    for mail in mails:
        first.setdefault(tuple(mail.rendition.split(", ")[:2]), mail)
    return list(first.values())


def renditions(rendered: Rendered, locale: str) -> Iterator[Rendition]:
    """Each format with the rules of each region that differ, the longest first; then topics, with the longest rules."""
    distinct = {extra: code for code, extra in sorted(rendered.regimes.items(), reverse=True)}
    by_weight = sorted(distinct.values(), key=lambda code: -len(rendered.regimes[code].html))
    regimes = by_weight or [Rendition().regime]
    for format_ in FORMATS:
        for code in regimes:
            yield Rendition(locale, format=format_, regime=code)
    for count in (1, len(TOPICS) - 1):
        for topics in combinations(TOPICS, count):
            yield Rendition(locale, topics=topics, regime=regimes[0])


def largest_watch_list(rendered: Rendered) -> tuple[Part, int]:
    """The longest stories that any reader may follow, as many as fit, and how many those are."""
    longest = sorted(rendered.fragments, key=lambda id_: len(rendered.fragments[id_].html), reverse=True)
    for count in range(min(len(longest), MOST_STORIES), 0, -1):
        told = longest[:count]
        part = join(Watched(since="", missed=0, stories=tuple(told)), rendered)
        if all(rendered.fragments[id_].html in part.html for id_ in told):
            return part, count
    return NOTHING, 0


def _specimen(
    name: str, mail: Mail, mailing: Mailing, own: Own, settings: Settings, names: frozenset[str], locale: str
) -> Specimen:
    """A mail read back from the bytes that would be sent."""
    reader = replace(NOBODY, locale=locale)
    compiled = compile_mail(mail, mailing, settings, lapsing=own.keep is not None)
    sent = message_from_bytes(build(compiled, reader, NO_KEYS, own), policy=policy.default)
    text, html = sent.get_body(("plain",)), sent.get_body(("html",))
    return Specimen(
        rendition=name,
        subject=str(sent["Subject"]),
        html=str(html.get_content()) if html is not None else None,
        text=str(text.get_content()) if text is not None else "",
        unsubscribe=unsubscribe_url(settings.series.base_url, links.sign(links.UNSUBSCRIBE, NOBODY.id, NO_KEYS)),
        sender=sender(settings.series),
        base_url=settings.series.base_url,
        names=names,
    )


def _named(rendition: Rendition) -> str:
    chosen = ["+".join(rendition.topics)] if rendition.topics else []
    return ", ".join([rendition.format, rendition.locale, rendition.regime, *chosen])


def _names(value: object) -> Iterator[Name]:
    """Every model that an edition names."""
    if isinstance(value, Name):
        yield value
    elif isinstance(value, Fact):
        for field in type(value).model_fields:
            yield from _names(getattr(value, field))
    elif isinstance(value, tuple):
        for item in value:
            yield from _names(item)


def faults_of_settings(settings: Settings) -> Iterator[Finding]:
    """What the settings leave out that belongs into every mail."""
    if not settings.series.postal_address.strip():
        what = "No postal address is given; the law of most readers' countries wants one in every mail."
        do = "Set [series] postal_address, and draft the edition again."
        yield Finding("error", "sender", "Footer", what, do, "every mail")


def _of_watch_list(rendered: Rendered) -> Iterator[Finding]:
    wanted = min(len(rendered.fragments), MOST_STORIES)
    fitting = largest_watch_list(rendered)[1]
    if fitting < wanted:
        what = (
            f"A watch list of {wanted} long stories has room for {fitting} in the HTML part; the rest is folded away."
        )
        do = "Show fewer rows of the largest sections."
        yield Finding("warning", "size", "Your watch list", what, do, "with a watch list")


def _merged(findings: Iterable[Finding], mails: int) -> list[Finding]:
    """Each finding once, with the mails that it is in. Of sizes the first mail's is told, which is the fullest."""
    merged: dict[tuple[str, ...], Finding] = {}
    where: dict[tuple[str, ...], list[str]] = {}
    for one in findings:
        key = (one.level, one.check, one.section, "" if one.check == "size" else one.what, one.do)
        merged.setdefault(key, one)
        where.setdefault(key, []).append(one.rendition)
    return [one._replace(rendition=_where(list(dict.fromkeys(where[key])), mails)) for key, one in merged.items()]


def _where(renditions_: list[str], mails: int) -> str:
    if len(renditions_) == mails:
        return "every mail"
    more = f" and {len(renditions_) - 1} more" if len(renditions_) > 1 else ""
    return f"{renditions_[0]}{more}"
