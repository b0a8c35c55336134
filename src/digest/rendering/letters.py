"""Letters: the mails that answer what somebody asked for on the web. Nothing in them advertises, and nothing that was
typed there stands in them, for whoever typed it need not be who gets them."""

from typing import Literal, NamedTuple, assert_never

from digest.config.settings import Settings
from digest.edition.numbers import shown
from digest.language import _, speaking
from digest.rendering.markup import mail_html
from digest.rendering.renditions import Mail
from digest.rendering.templates import ACTION_SLOT, UNSUBSCRIBE_SLOT, contact_of, fill
from digest.rendering.text import LAYOUT, tidy

LetterKind = Literal["confirmation", "preferences"]


class _Words(NamedTuple):
    """What a letter says. `asks` is above the button, `after` below it."""

    subject: str
    preheader: str
    asks: str
    button: str
    after: tuple[str, ...]


def letter(kind: LetterKind, settings: Settings, locale: str = "en") -> Mail:
    """A letter with ACTION_SLOT for the link that it is about and UNSUBSCRIBE_SLOT for the way out; in English for a
    locale that there are no words of.

    Raises DigestError naming file and line for a template's fault.
    """
    with speaking(locale):
        words = _words(kind, shown(settings.series.title, 100))
        facts = {
            "title": words.subject,
            "preheader": words.preheader,
            "asks": words.asks,
            "button": words.button,
            "after": words.after,
            "series": settings.series,
            "contact": contact_of(settings),
            "action": ACTION_SLOT,
            "unsubscribe": UNSUBSCRIBE_SLOT,
            **LAYOUT,
        }
        html = mail_html(fill("email/letter.mjml", facts))
        return Mail(subject=words.subject, html=html, text=tidy(fill("text/letter.txt", facts)))


def _words(kind: LetterKind, title: str) -> _Words:
    match kind:
        case "confirmation":
            return _Words(
                subject=_("Confirm your subscription to %(title)s", title=title),
                preheader=_("The link works for 48 hours. Nothing is sent until you confirm."),
                asks=_(
                    "You, or somebody with your address, asked to get %(title)s: one mail a week. "
                    "Is that what you want?",
                    title=title,
                ),
                button=_("Confirm my subscription"),
                after=(
                    _("The link works for 48 hours, and nothing is sent until you confirm."),
                    _("Not you? Do nothing: you are not subscribed, and the request is deleted after 30 days."),
                ),
            )
        case "preferences":
            return _Words(
                subject=_("Your preferences for %(title)s", title=title),
                preheader=_("The link works for 24 hours."),
                asks=_(
                    "You, or somebody with your address, asked for a link to your preferences for %(title)s.",
                    title=title,
                ),
                button=_("Open my preferences"),
                after=(
                    _("The link works for 24 hours. If you just signed up again: you are in already."),
                    _("Not you? Do nothing: nothing changes, and only this mail holds the link."),
                ),
            )
        case other:
            assert_never(other)
