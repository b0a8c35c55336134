"""Letters: the mails that answer what somebody asked for on the web. Nothing in them advertises, and nothing that was
typed there stands in them, for whoever typed it need not be who gets them."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from digest.config import Settings
from digest.edition.numbers import shown
from digest.rendering.markup import mail_html
from digest.rendering.renditions import Mail
from digest.rendering.templates import ACTION_SLOT, UNSUBSCRIBE_SLOT, contact_of, fill
from digest.rendering.text import tidy, underlined, wrap

LetterKind = Literal["confirmation", "preferences"]


class _Words(NamedTuple):
    """What a letter says. `{title}` stands for the newsletter's name; `asks` is above the button, `after` below it."""

    subject: str
    preheader: str
    asks: str
    button: str
    after: tuple[str, ...]


_WORDS: Mapping[str, Mapping[LetterKind, _Words]] = {
    "en": {
        "confirmation": _Words(
            subject="Confirm your subscription to {title}",
            preheader="The link works for 48 hours. Nothing is sent until you confirm.",
            asks="You, or somebody with your address, asked to get {title}: one mail a week. Is that what you want?",
            button="Confirm my subscription",
            after=(
                "The link works for 48 hours, and nothing is sent until you confirm.",
                "Not you? Do nothing: you are not subscribed, and the request is deleted after 30 days.",
            ),
        ),
        "preferences": _Words(
            subject="Your preferences for {title}",
            preheader="The link works for 24 hours.",
            asks="You, or somebody with your address, asked for a link to your preferences for {title}.",
            button="Open my preferences",
            after=(
                "The link works for 24 hours. If you just signed up again: you are in already.",
                "Not you? Do nothing: nothing changes, and only this mail holds the link.",
            ),
        ),
    },
}
"""By language; in English for a locale that is not there."""


def letter(kind: LetterKind, settings: Settings, locale: str = "en") -> Mail:
    """A letter with ACTION_SLOT for the link that it is about and UNSUBSCRIBE_SLOT for the way out.

    Raises DigestError naming file and line for a template's fault.
    """
    language = locale if locale in _WORDS else "en"
    words, title = _WORDS[language][kind], shown(settings.series.title, 100)
    subject = words.subject.format(title=title)
    facts = {
        "title": subject,
        "preheader": words.preheader,
        "asks": words.asks.format(title=title),
        "button": words.button,
        "after": words.after,
        "series": settings.series,
        "contact": contact_of(settings),
        "language": language,
        "action": ACTION_SLOT,
        "unsubscribe": UNSUBSCRIBE_SLOT,
        "wrap": wrap,
        "underlined": underlined,
    }
    html = mail_html(fill("email/letter.mjml", facts))
    return Mail(subject=subject, html=html, text=tidy(fill("text/letter.txt", facts)))
