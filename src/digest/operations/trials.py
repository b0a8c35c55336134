"""An edition sent as a test to a few named addresses, outside the outbox: nothing is queued, counted or remembered of
them but how many they were. Every link in it that would act is signed with no key of ours, and opens nothing."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from typing import NamedTuple

from sqlalchemy import Engine

from digest import audit
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery.message import Own, build, compile_mail, message_id, sender_of
from digest.delivery.outbox import Mailing
from digest.delivery.sending import hand_over, transport_of
from digest.delivery.transports import Envelope, Transport
from digest.edition.renditions import Rendition
from digest.edition.store import StoredEdition, load_edition
from digest.errors import DeliveryError, DigestError, UsageError
from digest.language import _, speaking
from digest.membership.addresses import email_key
from digest.operations.checking import NO_KEYS, NOBODY
from digest.rendering.renditions import Mail, assemble
from digest.rendering.text import wrap
from digest.subscribers.store import Subscriber
from digest.weekly.calendar import Week

MOST = 10
"""More addresses are no test."""


class Tested(NamedTuple):
    """How many test mails were taken by the relay or the folder, and what was answered for each of the others."""

    sent: int
    refused: tuple[str, ...]


def send_test(
    engine: Engine,
    settings: Settings,
    week: Week,
    addresses: Sequence[str],
    who: str,
    now: datetime,
    rendition: Rendition | None = None,
    transport: Transport | None = None,
) -> Tested:
    """Send the stored edition of a week, approved or not, marked as a test, as readers of a rendition would get it.

    Raises UsageError for addresses that are none or too many, DigestError where there is no edition, and DeliveryError
    where the relay cannot be reached or takes none of them. No address is named in any of these, nor in the log.
    """
    readers = _readers(addresses, rendition or Rendition())
    with reading(engine) as connection:
        stored = load_edition(connection, str(week))
    if stored is None:
        raise DigestError(f"there is no edition of {week} yet; run `digest draft {week}` first.")
    envelopes = _envelopes(stored, settings, readers, rendition or Rendition(), now)
    told: dict[str, object] = {"content": stored.content_hash, "addresses": len(envelopes)}
    try:
        outcomes = hand_over(transport or transport_of(settings), envelopes)
        sent = sum(outcome.kind == "sent" for outcome in outcomes)
        told["sent"] = sent
    finally:  # where it broke off, some may have been sent
        with writing(engine) as connection:
            audit.write(connection, "tested", str(week), who, now, **told)
    refused = tuple(outcome.said for outcome in outcomes if outcome.kind != "sent")
    if not sent:
        raise DeliveryError(f'none of {len(envelopes)} test mails was taken ("{refused[0]}"); mend that and try again.')
    return Tested(sent, refused)


def _readers(addresses: Sequence[str], rendition: Rendition) -> list[Subscriber]:
    if not 1 <= len(addresses) <= MOST:
        raise UsageError(f"a test goes to at least one and at most {MOST} addresses; {len(addresses)} were given.")
    readers: dict[str, Subscriber] = {}
    for number, address in enumerate(addresses, 1):
        try:
            key = email_key(address)
        except UsageError as error:
            raise UsageError(f"test address {number}: {error}") from error
        readers.setdefault(key, replace(NOBODY, id=number, email=address, email_key=key, locale=rendition.locale))
    return list(readers.values())


def _envelopes(
    stored: StoredEdition, settings: Settings, readers: Sequence[Subscriber], rendition: Rendition, now: datetime
) -> list[Envelope]:
    # A week of its own: a mail program that has seen a Message-ID shows no second mail that has it.
    mailing = Mailing(0, "edition", f"{stored.week}-test-{now:%Y%m%dT%H%M%S%f}", stored.content_hash, now, len(readers))
    compiled = compile_mail(marked(assemble(stored.rendered, rendition), stored, rendition.locale), mailing, settings)
    own = Own(consented_on=now.date(), consent_method="test")
    return [
        Envelope(
            delivery_id=reader.id,
            message_id=message_id(compiled, reader.id),
            sender=sender_of(mailing, settings),
            recipient=reader.mailbox,
            content=build(compiled, reader, NO_KEYS, own),
        )
        for reader in readers
    ]


def marked(mail: Mail, stored: StoredEdition, locale: str) -> Mail:
    """A mail that says in its subject and on its first line that it is a test."""
    with speaking(locale):
        line = _(
            "This is a test of No. %(number)s, for its editors: it went to no reader, and its unsubscribe link does "
            "nothing.",
            number=stored.edition.number,
        )
        label, text = _("[Test]"), wrap(line)
    style = "padding:12px 24px;background:#FFE9A8;color:#15181E;font:bold 15px/22px Arial,sans-serif"
    banner = f'<div style="{style}">{escape(line)}</div>'
    html = mail.html and re.sub(r"<body[^>]*>", lambda body: f"{body[0]}{banner}", mail.html, count=1)
    return mail._replace(subject=f"{label} {mail.subject}", html=html, text=f"{text}\n\n{mail.text}")
