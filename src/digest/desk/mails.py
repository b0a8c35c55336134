"""One reader's mail, put together by the code that sends it and read back from its bytes; and how the desk shows it.

Its links are signed with a key that opens nothing, so that no click in a preview acts for a reader.
"""

import re
from email import message_from_bytes, policy
from typing import Literal, NamedTuple

from digest.delivery.contents import of_edition
from digest.delivery.message import build, compile_mail, return_path
from digest.delivery.outbox import Claimed, Mailing
from digest.desk.drafting import Draft
from digest.desk.headers import Explained, explained
from digest.edition.renditions import Rendition
from digest.rendering.lint.page import FOOTER, MASTHEAD, OPENING, Page, parse, title_of
from digest.subscribers.store import Subscriber

View = Literal["light", "dark", "images-off", "text", "raw", "headers"]
VIEWS: dict[View, str] = {
    "light": "Light",
    "dark": "Dark",
    "images-off": "Images off",
    "text": "Text",
    "raw": "Raw",
    "headers": "Headers",
}
WIDTHS = (600, 375)

_DEAD_KEY = (bytes(32),)


class Mail(NamedTuple):
    """A message as it would be sent to one reader now, and what stands in it. `html` is None for plain text alone."""

    rendition: Rendition
    raw: bytes
    subject: str
    html: str | None
    text: str
    headers: tuple[Explained, ...]

    @property
    def page(self) -> Page | None:
        return parse(self.html) if self.html else None


def mail_to(reader: Subscriber, draft: Draft, last_week: str | None) -> Mail:
    """The mail of a reader whose last edition was that of `last_week`. Raises DeliveryError for one that cannot be."""
    regime = draft.outgoing.regimes.of(reader.consent.regime)
    rendition = Rendition(reader.locale, reader.topics, reader.format, regime.code)
    mailing = Mailing(1, "edition", draft.stored.week, draft.stored.content_hash, draft.at, 1)
    contents = of_edition(draft.rendered, [*draft.earlier, draft.edition], draft.outgoing, draft.settings)
    own = contents.own(Claimed(1, 0, None, reader, rendition, last_week), _DEAD_KEY, draft.at)
    compiled = compile_mail(contents.mail(rendition), mailing, draft.settings, lapsing=own.keep is not None)
    raw = build(compiled, reader, _DEAD_KEY, own)
    sent = message_from_bytes(raw, policy=policy.default)
    text, html = sent.get_body(("plain",)), sent.get_body(("html",))
    envelope = return_path(mailing, reader.id, draft.settings, _DEAD_KEY)
    return Mail(
        rendition=rendition,
        raw=raw,
        subject=str(sent["Subject"]),
        html=str(html.get_content()) if html is not None else None,
        text=str(text.get_content()) if text is not None else "",
        headers=tuple(explained(raw, envelope)),
    )


_SCHEME = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)")
_META = re.compile(r'(<meta name="(?:supported-)?color-schemes?" content=")[^"]*(")')
_DECLARED = re.compile(r"color-scheme:\s*light dark")
_HEADING = re.compile(r"<h([12])\b([^>]*)>(.*?)</h\1>", re.DOTALL)
_BODY = re.compile(r"<body\b")
_FOOT = re.compile(r'class="(?:[^"]* )?foot(?: [^"]*)?"')
_TAG = re.compile(r"<[^>]*>")


def shown_in(html: str, scheme: Literal["light", "dark"]) -> str:
    """The HTML part as a browser shows it in this scheme, whichever its own is: with a place to go to at each section,
    and with links that open beside the desk."""

    def media(found: re.Match[str]) -> str:
        return "(min-width: 0)" if found[1] == scheme else "(max-width: 0)"

    def heading(found: re.Match[str]) -> str:
        title = OPENING if found[1] == "1" else title_of(_TAG.sub("", found[3]))
        return f'<h{found[1]} id="{place_of(title)}"{found[2]}>{found[3]}</h{found[1]}>'

    html = _DECLARED.sub(f"color-scheme: {scheme}", _META.sub(rf"\g<1>{scheme}\g<2>", _SCHEME.sub(media, html)))
    html = _HEADING.sub(heading, html)
    html = _BODY.sub(f'<body id="{place_of(MASTHEAD)}"', html, count=1)
    html = _FOOT.sub(lambda found: f'id="{place_of(FOOTER)}" {found[0]}', html, count=1)
    return html.replace("<head>", '<head><base target="_blank">', 1)


def place_of(section: str) -> str:
    """The fragment by which a section of a mail is gone to."""
    return "at-" + (re.sub(r"[^a-z0-9]+", "-", section.lower()).strip("-") or "top")
