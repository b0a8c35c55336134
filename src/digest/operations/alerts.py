"""Telling a person, once: what needs one goes to the operator by mail and to a hook, when it begins.

    needs of `status` -> what nobody was told of yet -> one mail, one POST -> remembered for as long as it lasts

A trouble that ends and comes back within a day is the same one. A channel that fails is tried again at the next look,
whatever became of the other, so that a crash in between may tell twice and never not at all; the id is then the same.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import writing
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
_TELLING = timedelta(minutes=2)  # one process tells; after that it is dead, and another does


def tell(
    engine: Engine,
    settings: Settings,
    now: datetime,
    transport: Transport | None = None,
    failed: Need | None = None,
) -> int:
    """Tell the operator what needs a person and was not told yet; of how many. `failed` is what the caller could not
    do, told where nothing else tells it. Raises what kept a way from telling, after the others were tried: DigestError
    where that was foreseen."""
    channels = _channels(settings)
    if not channels:
        return 0
    found = {need.about: need.said for need in read_status(engine, settings, now).needs if need.wakes}
    if failed is not None and not any(failed.said in said for said in found.values()):
        found[failed.about] = failed.said
    with writing(engine) as connection:
        for about, said in found.items():
            store.begin_notice(connection, about, said, now, now - _SAME_TROUBLE)
        store.end_notices(connection, found, now)
        untold = store.take_untold(connection, found, channels, now, now + _TELLING)
    if not untold:
        return 0
    problems = list[Exception]()
    for channel in channels:
        news = [one for one in untold if one.is_new_to(channel)]
        way = _tell_by(channel, settings, news, now, transport) if news else _Way()
        problems += way.problems
        if way.has_told:  # remembered at once: what becomes of the next way is nothing to this one
            with writing(engine) as connection:
                store.mark_told(connection, [one.about for one in news], channel, now)
    with writing(engine) as connection:
        store.let_go(connection, [one.about for one in untold])
    _raise(problems)
    return len(untold)


def tell_of_database(
    settings: Settings, said: str, now: datetime, told: set[Channel], transport: Transport | None = None
) -> None:
    """Tell the operator that the database does not answer, or takes nothing more. What was told can then be remembered
    by the caller alone: the channels that are in `told` are left out, those that tell it now are added.

    Raises as `tell` does."""
    problems = list[Exception]()
    for channel in _channels(settings):
        if channel not in told:
            way = _tell_by(channel, settings, [Notice("database", said, now, None, None)], now, transport)
            problems += way.problems
            told |= {channel} if way.has_told else set()
    _raise(problems)


def _raise(problems: Sequence[Exception]) -> None:
    for problem in problems:
        if not isinstance(problem, DigestError):
            raise problem
    if problems:
        raise DeliveryError(" ".join(map(str, problems)))


def _channels(settings: Settings) -> tuple[Channel, ...]:
    wanted: dict[Channel, bool] = {"mail": bool(settings.alerts.mail_to), "hook": bool(settings.hooks.alerts)}
    return tuple(channel for channel, is_wanted in wanted.items() if is_wanted)


class _Way(NamedTuple):
    """What became of telling by one channel: whether it reached anybody, and whom it did not reach, or why nobody."""

    has_told: bool = False
    problems: Sequence[Exception] = ()


def _tell_by(
    channel: Channel, settings: Settings, untold: Sequence[Notice], now: datetime, transport: Transport | None
) -> _Way:
    name = _name_of(untold)
    try:
        if channel == "mail":
            return _mail(settings, untold, name, now, transport)
        _post(settings, untold, name, now)
    except Exception as error:  # noqa: BLE001 (raised again once the other channel was tried and what was told is kept)
        return _Way(problems=[error])
    return _Way(has_told=True)


def _name_of(untold: Sequence[Notice]) -> str:
    """The same each time the same is told."""
    told = "\n".join(f"{one.about} {one.since.isoformat()}" for one in untold)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _post(settings: Settings, untold: Sequence[Notice], name: str, now: datetime) -> None:
    needs = [{"about": one.about, "said": one.said, "since": one.since.isoformat()} for one in untold]
    post(settings.hooks.alerts, settings.hooks, name, "operator.alert", {"needs": needs}, now)


def _mail(settings: Settings, untold: Sequence[Notice], name: str, now: datetime, transport: Transport | None) -> _Way:
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
    return _hand_over_each(transport or transport_of(settings), mails)


def _hand_over_each(transport: Transport, mails: Sequence[Envelope]) -> _Way:
    """Each by itself, for a refusal may hold back what is in a batch with it. One that reached somebody has told it: to
    those it is not told again because of the others."""
    reached, problems = False, list[Exception]()
    for mail in mails:
        try:
            (outcome,) = hand_over(transport, [mail])
        except Exception as error:  # noqa: BLE001 (as above; of a relay that is away nobody else gets a mail)
            return _Way(reached, [*problems, error])
        # Of what broke off at the last the relay has every byte; to repeat it for as long as that lasts helps nobody.
        reached |= outcome.kind in ("sent", "uncertain")
        if outcome.kind != "sent":
            said = f'an alert could not be mailed to address {mail.delivery_id} of [alerts] mail_to ("{outcome.said}")'
            problems.append(DeliveryError(f"{said}; check it and the relay."))
    return _Way(reached, problems)
