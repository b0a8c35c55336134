"""Telling a person, once: what needs one goes to the operator by mail and to a hook, when it begins.

    needs of `status` -> what nobody was told of yet -> one mail, one POST -> remembered for as long as it lasts

A trouble that ends and comes back within a day is the same one. A mail or a POST that fails is tried again at the next
look, so that a crash in between may tell twice and never not at all; its id is then the same.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from sqlalchemy import Engine

from digest.config import Settings
from digest.database import writing
from digest.delivery import signing
from digest.delivery.sending import hand_over, transport_of
from digest.delivery.transports import Envelope, Transport
from digest.edition.numbers import several
from digest.errors import DeliveryError, DigestError
from digest.operations import store
from digest.operations.posting import post
from digest.operations.status import read_status
from digest.operations.store import Channel, Notice

_SAME_TROUBLE = timedelta(days=1)
_TELLING = timedelta(minutes=2)  # one process tells; after that it is dead, and another does


def tell(engine: Engine, settings: Settings, now: datetime, transport: Transport | None = None) -> int:
    """Tell the operator what needs a person and was not told yet; of how many. Raises DigestError where a way to tell
    it failed, after the other was tried."""
    found = {need.about: need.said for need in read_status(engine, settings, now).needs if need.wakes}
    channels = _channels(settings)
    with writing(engine) as connection:
        for about, said in found.items():
            store.begin_notice(connection, about, said, now, now - _SAME_TROUBLE)
        store.end_notices(connection, found, now)
        untold = store.take_untold(connection, found, channels, now, now + _TELLING) if channels else []
    if not untold:
        return 0
    told, problems = dict[Channel, list[Notice]](), list[str]()
    for channel in channels:
        news = [one for one in untold if one.is_new_to(channel)]
        problem = _tell_by(channel, settings, news, now, transport) if news else ""
        told |= {} if problem else {channel: news}
        problems += [problem] if problem else []
    with writing(engine) as connection:
        store.mark_told(connection, [one.about for one in untold], list(told), now)
    if problems:
        raise DeliveryError(" ".join(problems))
    return len(untold)


def tell_of_database(settings: Settings, said: str, now: datetime, transport: Transport | None = None) -> None:
    """Tell the operator that the database does not answer, or takes nothing more: what was told can then be remembered
    by the caller alone. Raises DigestError as `tell` does."""
    trouble = [Notice("database", said, now, None, None)]
    problems = [_tell_by(channel, settings, trouble, now, transport) for channel in _channels(settings)]
    if any(problems):
        raise DeliveryError(" ".join(filter(None, problems)))


def _channels(settings: Settings) -> tuple[Channel, ...]:
    wanted: dict[Channel, bool] = {"mail": bool(settings.alerts.mail_to), "hook": bool(settings.hooks.alerts)}
    return tuple(channel for channel, is_wanted in wanted.items() if is_wanted)


def _tell_by(
    channel: Channel, settings: Settings, untold: Sequence[Notice], now: datetime, transport: Transport | None
) -> str:
    """Why it could not be told; empty where it was."""
    name = _name_of(untold)
    try:
        if channel == "mail":
            _mail(settings, untold, name, now, transport)
        else:
            _post(settings, untold, name, now)
    except DigestError as error:
        return str(error)
    return ""


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
