"""What a mailing says: to a group of readers once, to each reader their own part of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import cast

from digest.config.settings import Settings
from digest.delivery.message import Own
from digest.delivery.outbox import Claimed, Letter, Mailing
from digest.edition.content import Edition
from digest.edition.rendered import Rendered
from digest.edition.renditions import Rendition
from digest.edition.watch_facts import WatchList
from digest.edition.watching import Followed, followed, watched
from digest.errors import DeliveryError
from digest.language import speaking
from digest.rendering.fragments import NOTHING, Part, join
from digest.rendering.letters import letter
from digest.rendering.renditions import Mail, assemble
from digest.subscribers import links
from digest.subscribers.routing import Outgoing, keep_asked

_WATCH_LISTS = 4096  # that are kept made up, some 10 kB each: many readers follow the same few models
_NONE = WatchList()


@dataclass(frozen=True)
class Contents:
    """`mail` is made once for each rendition, `own` for each delivery at the moment it is made, with the keys of links.

    `edition` is what routing asks of an edition; None says that these are letters.
    """

    mail: Callable[[Rendition], Mail]
    own: Callable[[Claimed, Sequence[bytes], datetime], Own]
    edition: Outgoing | None


def of_edition(rendered: Rendered, editions: Sequence[Edition], outgoing: Outgoing, settings: Settings) -> Contents:
    """An edition as it was approved. `editions` are those that a reader may have missed, this one the last."""

    @cache
    def told_since(last_week: str | None) -> Followed:
        missed = [one for one in editions[:-1] if last_week is not None and one.week > last_week]
        return followed([*missed, editions[-1]])

    @lru_cache(maxsize=_WATCH_LISTS)
    def watch_list(watch: WatchList, last_week: str | None, locale: str) -> Part:
        with speaking(locale):
            return join(watched(watch, told_since(last_week)), rendered.in_language(locale))

    def own(delivery: Claimed, keys: Sequence[bytes], now: datetime) -> Own:
        reader, zone = delivery.subscriber, settings.series.zone
        consent, lapses = reader.consent, keep_asked(reader, now)
        keep: tuple[date, str] | None = None
        if lapses is not None:
            token = links.sign(links.KEEP, reader.id, keys)
            keep = lapses.astimezone(zone).date(), _page("confirm", token, settings)
        return Own(
            watch=NOTHING if reader.watch == _NONE else watch_list(reader.watch, delivery.last_week, reader.locale),
            consented_on=consent.confirmed_at.astimezone(zone).date() if consent.confirmed_at else None,
            consent_method=consent.method,
            keep=keep,
        )

    @cache
    def mail(rendition: Rendition) -> Mail:
        return assemble(rendered, rendition)

    return Contents(mail, own, outgoing)


def of_letters(mailing: Mailing, settings: Settings) -> Contents:
    """Letters of one kind: the link that each reader asked for."""
    kind = cast(Letter, mailing.kind)

    def own(delivery: Claimed, keys: Sequence[bytes], now: datetime) -> Own:
        reader = delivery.subscriber
        if kind == "preferences":
            return Own(action=_page("preferences", links.sign("preferences", reader.id, keys, now), settings))
        if reader.consent.requested_at is None:
            raise DeliveryError("a confirmation was queued for a reader who asked for none; it is a fault of ours.")
        token = links.sign("confirm", reader.id, keys, reader.consent.requested_at)
        return Own(action=_page("confirm", token, settings))

    @cache
    def mail(locale: str) -> Mail:
        return letter(kind, settings, locale)

    return Contents(lambda rendition: mail(rendition.locale), own, None)


def _page(name: str, token: str, settings: Settings) -> str:
    return f"{settings.series.base_url.rstrip('/')}/{name}/{token}"
