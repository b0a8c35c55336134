"""100,000 broken inputs to what reads the words of strangers: nothing but a declared error comes out.

Seeded, so that a failure repeats; `SEED` names another hundred thousand.
"""

import io
import json
import os
import random
import smtplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, get_args

import pytest
from tests.delivery import returned_mails as m
from tests.delivery.broken import HOSTILE, broken
from tests.delivery.provider_requests import KEYS, NO_USER, NOW, mailgun, mailgun_failure, postmark, postmark_bounce
from tests.delivery.signed_requests import DELIVERED, LATE, about, bounced, complained, grid

from digest.delivery.bounces.returned import read_returned
from digest.delivery.outcomes import Kind, Stage, of_reply
from digest.delivery.providers import events, sendgrid, ses
from digest.delivery.providers import mailgun as mailgun_events
from digest.delivery.providers import postmark as postmark_events
from digest.delivery.providers.events import Event, PayloadError
from digest.delivery.reasons import CONSEQUENCES
from digest.delivery.reconciling import Uncertain, read_log

SEED = os.environ.get("SEED", "a hundred thousand")
MAILS, EVENTS, REPLIES, LINES = 25_000, 30_000, 35_000, 10_000


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{SEED} {request.node.name}")


@pytest.mark.long
def test_no_returned_mail_raises_or_names_another_delivery(chance: random.Random) -> None:
    for _ in range(MAILS):
        raw = broken(chance.choice(m.ALL).raw, chance)
        raw = raw[: chance.randrange(len(raw) + 1)] if chance.random() < 0.3 else raw  # truncated
        found = read_returned(raw, m.KEYS, NOW)
        assert found.subscriber_id in (None, m.WHOSE.subscriber_id)
        assert found.mailing_id in (None, m.WHOSE.mailing_id)
        assert found.reason is None or found.reason in CONSEQUENCES
        assert "@" not in found.said
        (found.said + found.message_id).encode()  # fit to be stored: no half of a surrogate pair
        assert found.said.isprintable()


ODD: Sequence[Any] = (
    *(None, True, -1, 0, 2**70, 1e300, float("nan"), "", "\x00", "\ud800", "5.1.1", "9.9.9", "2026-05-04T09:29:00Z"),
    *([], {}, [{}], {"a": [None]}, "ann@example.org", "bounce", "failed", [[[[[]]]]], "x" * 3000, {"delivery": 7}),
)


def twisted(value: Any, chance: random.Random) -> Any:
    """A document with some of its values, keys and items exchanged, dropped or doubled."""
    if chance.random() < 0.06:
        return chance.choice(ODD)
    if isinstance(value, dict):
        kept = [(name, twisted(it, chance)) for name, it in value.items() if chance.random() > 0.03]
        return dict(kept) | ({str(chance.choice(ODD)): chance.choice(ODD)} if chance.random() < 0.05 else {})
    if isinstance(value, list):
        return [twisted(it, chance) for it in value] * chance.choice((1, 1, 1, 0, 2))
    return value


def records() -> list[tuple[Callable[[Any], Sequence[Event]], Any]]:
    """What reads an event, and one for it to read."""
    of_postmark = [postmark_bounce("HardBounce", NO_USER), postmark("Delivery", Recipient="a@b.example")]
    of_postmark.append(postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression"))
    of_mailgun = [mailgun("complained"), mailgun_failure("permanent", "generic", 550, NO_USER)]
    of_grid = [grid("bounce", reason=NO_USER), grid("dropped", reason="Invalid"), grid("delivered")]
    of_ses = [
        bounced("Permanent", "General", diagnosticCode=NO_USER),
        complained(),
        about("Delivery", delivery=DELIVERED),
    ]
    of_ses.append(about("DeliveryDelay", "eventType", deliveryDelay=LATE))
    return [
        *((lambda it: postmark_events.read(it, KEYS), json.loads(one.body)) for one in of_postmark),
        *((lambda it: mailgun_events.read(it, KEYS), json.loads(one.body)["event-data"]) for one in of_mailgun),
        *((lambda it: sendgrid.read([it], KEYS), one) for one in of_grid),
        *((lambda it: ses.read(it, KEYS), one) for one in of_ses),
    ]


@pytest.mark.long
def test_no_event_of_a_provider_raises_but_that_its_form_is_unknown(chance: random.Random) -> None:
    readers, read = records(), 0
    for number in range(EVENTS):
        reader, document = readers[number % len(readers)]
        told = twisted(document, chance)
        if not isinstance(told, dict):
            continue
        with suppress(PayloadError):
            for one in reader(told):
                assert one.kind in get_args(events.Kind)
                assert one.whose in (None, (41, 4711))
                assert "@" not in one.said
                read += 1
    assert read > EVENTS / 10  # most of the shapes are broken, and some are not


def replies(chance: random.Random) -> bytes:
    """What a relay says, in lines that are or nearly are those of RFC 5321 section 4.2."""
    texts = (b"5.1.1 <a@b.example> unknown", b"4.2.2 full", b"\xff\xfe\x00", b"", b"5.7.1 spam", *HOSTILE)
    codes = (b"250", b"354", b"421", b"450", b"550", b"552", b"554", b"999", b"2", b"-50", b"1_0", b"   ", b"\xb2\xb2")
    lines = [
        chance.choice(codes) + chance.choice((b" ", b"-", b"", b"\t")) + chance.choice(texts) + chance.choice(ENDS)
        for _ in range(chance.randrange(1, 4))
    ]
    return broken(b"".join(lines), chance) if chance.random() < 0.7 else b"".join(lines)


ENDS = (b"\r\n", b"\n", b"\r", b"\r\n\r\n")


@pytest.mark.long
def test_no_answer_of_a_relay_raises_and_only_a_2xx_at_the_dot_is_success(chance: random.Random) -> None:
    stages, kinds = get_args(Stage), set()
    for number in range(REPLIES):
        session = smtplib.SMTP()
        session.file = io.BytesIO(replies(chance))
        try:
            code, text = session.getreply()
        except (OSError, smtplib.SMTPException):
            continue  # what the transport takes for a connection that broke
        stage = stages[number % len(stages)]
        outcome = of_reply(stage, code, text, "a@b.example")
        assert outcome.kind in get_args(Kind)
        assert (outcome.kind == "sent") is (stage == "dot" and 200 <= code < 300)
        assert "@" not in outcome.said
        assert outcome.said.isprintable()
        kinds.add(outcome.kind)
    assert kinds == {"sent", "deferred", "failed", "refused", "content", "uncertain"}


@pytest.mark.long
def test_no_line_of_a_log_raises_or_settles_another_delivery(chance: random.Random) -> None:
    known = Uncertain(5, "edition", "2026-W18", 41, 4711, f"{'a' * 32}@x", NOW)
    other = another(known)
    for _ in range(LINES):
        told = read_log(log(chance), [known, other], KEYS)
        assert set(told) <= {known.id}
        assert all("@" not in one.said for one in told.values())


def another(one: Uncertain) -> Uncertain:
    return one._replace(id=6, mailing_id=42, message_id=f"{'b' * 32}@x")


def log(chance: random.Random) -> Iterator[str]:
    at = "May  4 09:00:01 relay postfix/"
    yield from (
        broken(line.encode(), chance).decode("utf-8", "replace") if chance.random() < 0.3 else line
        for line in (
            f"{at}cleanup[1]: 4F00BA12: message-id=<{'a' * 32}@x>",
            f"{at}qmgr[2]: 4F00BA12: from=<n@x>, size=1, nrcpt=1 (queue active)",
            f"{at}smtp[3]: 4F00BA12: to=<a@b.example>, dsn=5.1.1, status=bounced (550 5.1.1 <a@b.example> unknown)",
            mailgun("failed").body.decode(),
        )
    )
