"""Telling a person, once: what needs one goes to the operator by mail and to a hook, when it begins.

    needs of `status` -> what nobody was told of yet -> one mail, one POST -> remembered for as long as it lasts

A trouble that ends and comes back within a day is the same one. A mail or a POST that fails is tried again at the next
look, so that a crash in between may tell twice and never not at all; its id is then the same.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from sqlalchemy import Engine

from digest.config import Settings
from digest.database import reading, writing
from digest.delivery import signing
from digest.delivery.sending import hand_over, transport_of
from digest.delivery.transports import Envelope, Transport
from digest.edition.numbers import several
from digest.errors import DeliveryError, DigestError
from digest.operations import store
from digest.operations.needs import Need
from digest.operations.posting import post
from digest.operations.status import read_status
from digest.operations.store import Channel, Notice

_SAME_TROUBLE = timedelta(days=1)


def tell(engine: Engine, settings: Settings, now: datetime, transport: Transport | None = None) -> int:
    """Tell the operator what needs a person and was not told yet; of how many. Raises DigestError where a way to tell
    it failed, after the other was tried."""
    found = {need.about: need for need in read_status(engine, settings, now).needs if need.wakes}
    with writing(engine) as connection:
        known = store.notices(connection)
        store.keep_notices(connection, _updated(known, found, now))
    told, problems = set[str](), list[str]()
    ways: dict[Channel, bool] = {"mail": bool(settings.alerts.mail_to), "hook": bool(settings.hooks.alerts)}
    for channel in (channel for channel, wanted in ways.items() if wanted):
        try:
            told |= _tell_by(channel, engine, settings, found, now, transport)
        except DigestError as error:
            problems.append(str(error))
    if problems:
        raise DeliveryError(" ".join(problems))
    return len(told)


def tell_of_database(settings: Settings, said: str, now: datetime, transport: Transport | None = None) -> None:
    """Tell the operator that the database does not answer, or takes nothing more: what was told can then be remembered
    by the caller alone. Raises DigestError as `tell` does."""
    trouble, problems = Notice("database", said, now, None, None, None), list[str]()
    name = _name_of([trouble])
    if settings.alerts.mail_to:
        try:
            _mail(settings, [trouble], name, now, transport)
        except DigestError as error:
            problems.append(str(error))
    if settings.hooks.alerts:
        try:
            _post(settings, [trouble], name, now)
        except DigestError as error:
            problems.append(str(error))
    if problems:
        raise DeliveryError(" ".join(problems))


def _updated(known: Mapping[str, Notice], found: Mapping[str, Need], now: datetime) -> list[Notice]:
    """What is known of each trouble after this look: begun, still there, or over; what has long been over is new."""
    kept = []
    for about, need in found.items():
        before = known.get(about)
        if before is None or (before.ended_at is not None and now - before.ended_at > _SAME_TROUBLE):
            kept.append(Notice(about, need.said, now, None, None, None))
        else:
            kept.append(before._replace(said=need.said, ended_at=None))
    kept += [one if one.ended_at else one._replace(ended_at=now) for about, one in known.items() if about not in found]
    return kept


def _tell_by(
    channel: Channel,
    engine: Engine,
    settings: Settings,
    found: Mapping[str, Need],
    now: datetime,
    transport: Transport | None,
) -> set[str]:
    with reading(engine) as connection:
        untold = [one for one in store.notices(connection).values() if one.about in found and one.is_new_to(channel)]
    if not untold:
        return set()
    name = _name_of(untold)
    if channel == "mail":
        _mail(settings, untold, name, now, transport)
    else:
        _post(settings, untold, name, now)
    with writing(engine) as connection:
        store.mark_told(connection, [one.about for one in untold], channel, now)
    return {one.about for one in untold}


def _name_of(untold: Sequence[Notice]) -> str:
    """The same each time the same is told."""
    told = "\n".join(f"{one.about} {one.since.isoformat()}" for one in untold)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _post(settings: Settings, untold: Sequence[Notice], name: str, now: datetime) -> None:
    needs = [{"about": one.about, "said": one.said, "since": one.since.isoformat()} for one in untold]
    post(settings.hooks.alerts, settings.hooks, name, "operator.alert", {"needs": needs}, now)


def _mail(settings: Settings, untold: Sequence[Notice], name: str, now: datetime, transport: Transport | None) -> None:
    sender = settings.mail.letters_address or settings.mail.from_address
    mails = []
    for number, to in enumerate(settings.alerts.mail_to, 1):
        made = EmailMessage(policy=SMTP)
        made["Date"], made["From"], made["To"] = format_datetime(now), sender, to
        made["Subject"] = f"{settings.series.title}: {several(len(untold), 'thing')} to look at"
        made["Message-ID"] = f"<{name}.{number}@{sender.rpartition('@')[2]}>"
        made["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5
        lines = ["What needs a person:", "", *(f"- {one.said}" for one in untold)]
        # In base64 no line begins with a dot.
        made.set_content("\n".join([*lines, "", "`digest status` shows how all of it stands."]), cte="base64")
        content = signing.sign(made.as_bytes(), signing.signers(settings.dkim), int(now.timestamp()))
        mails.append(Envelope(number, made["Message-ID"].strip("<>"), sender, to, content))
    outcomes = hand_over(transport or transport_of(settings), mails)
    refused = [outcome for outcome in outcomes if outcome.kind != "sent"]
    if refused:
        raise DeliveryError(
            f'an alert could not be mailed ("{refused[0].said}"); check [alerts] mail_to and the relay.'
        )
