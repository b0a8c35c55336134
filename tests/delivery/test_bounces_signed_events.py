"""What SendGrid and Amazon SES tell, proved by signatures with public keys."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.delivery import provider_requests as p
from tests.delivery.provider_requests import FULL, KEYS, NO_USER, NOW, memory, suppresses
from tests.delivery.signed_requests import (
    CURVE_KEY,
    DELIVERED,
    LATE,
    PLACE,
    TOPIC,
    about,
    amazon,
    bounced,
    complained,
    grid,
    public,
    signed_by_sendgrid,
    sns,
)

from digest.delivery.providers import sendgrid, ses
from digest.delivery.providers.events import Event, ForgedError, PayloadError, new
from digest.errors import ConfigError

Seen = Callable[[str, datetime], bool]


def of_sendgrid(
    *events: dict[str, Any],
    key: ec.EllipticCurvePrivateKey = CURVE_KEY,
    secret: str = public(CURVE_KEY),
    at: int = p.SECONDS,
    seen: Seen | None = None,
    change: bytes = b"",
) -> list[Event]:
    body = json.dumps(events, indent=1).encode()
    headers = signed_by_sendgrid(body, key, at)
    return new(sendgrid.verify(headers, body + change, secret, KEYS, NOW), NOW, seen or memory())


@pytest.mark.parametrize(
    ("told", "kind", "reason", "suppress"),
    [
        (grid("bounce", type="bounce", status="5.1.1", reason=NO_USER), "bounced", "no_such_mailbox", "at_once"),
        (grid("bounce", bounce_classification="Invalid Address", reason=FULL), "bounced", "mailbox_full", "in_a_row"),
        (grid("bounce", bounce_classification="Reputation", reason=NO_USER), "bounced", "blocked_policy", "never"),
        (grid("bounce", type="blocked", status="5.0.0", reason=None), "bounced", "blocked_policy", "never"),
        (grid("bounce", bounce_classification="Of tomorrow", status="5.0.0"), "bounced", "unknown", "in_a_row"),
        (grid("dropped", reason="Bounced Address"), "bounced", "mailbox_disabled", "in_a_row"),
        (grid("dropped", reason="Spam Reporting Address"), "complained", None, "at_once"),
        (grid("dropped", reason="Unsubscribed Address"), "unsubscribed", None, "at_once"),
        (grid("dropped", reason="Invalid SMTPAPI header"), "bounced", "relay_fault", "never"),
        (grid("deferred", response="450 4.2.2 mailbox full"), "deferred", "temporary", "never"),
        (grid("delivered", response="250 OK"), "delivered", None, "never"),
        (grid("spamreport"), "complained", None, "at_once"),
        (grid("unsubscribe"), "unsubscribed", None, "at_once"),
        (grid("group_unsubscribe", asm_group_id=10), "unsubscribed", None, "at_once"),
    ],
)
def test_an_event_of_sendgrid_has_one_meaning(
    told: dict[str, Any], kind: str, reason: str | None, suppress: str
) -> None:
    [event] = of_sendgrid(told)
    assert (event.kind, event.reason, suppresses(event)) == (kind, reason, suppress)
    assert (event.whose, event.message_id, event.address) == (p.WHOSE, p.MESSAGE_ID, p.READER)


def test_a_request_of_sendgrid_holds_many_events_and_those_we_do_not_know_are_left_out() -> None:
    told = [grid("processed"), grid("open"), grid("delivered"), grid("of tomorrow"), grid("spamreport")]
    assert [event.kind for event in of_sendgrid(*told)] == ["delivered", "complained"]
    assert of_sendgrid() == []


def test_an_event_of_sendgrid_counts_once_even_within_one_request() -> None:
    seen = memory()
    assert len(of_sendgrid(grid("delivered"), grid("delivered"), seen=seen)) == 1
    assert of_sendgrid(grid("delivered"), seen=seen) == []


def test_the_signature_of_sendgrid_covers_body_and_time_and_wants_its_key() -> None:
    with pytest.raises(ForgedError):
        of_sendgrid(grid("spamreport"), change=b" ")
    with pytest.raises(ForgedError):
        of_sendgrid(grid("spamreport"), key=ec.generate_private_key(ec.SECP256R1()))
    for seconds in (-26 * 3600, 3600):
        with pytest.raises(ForgedError, match="another time"):
            of_sendgrid(grid("spamreport"), at=p.SECONDS + seconds)


@pytest.mark.parametrize(
    "headers", [{}, {sendgrid.SIGNATURE: "!", sendgrid.TIMESTAMP: "1"}, {sendgrid.SIGNATURE: "AAAA"}]
)
def test_a_request_without_a_signature_of_sendgrid_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ForgedError):
        sendgrid.verify(headers, b"[]", public(CURVE_KEY), KEYS, NOW)


@pytest.mark.parametrize("secret", ["", "nonsense", "AAAA", public(ec.generate_private_key(ec.SECP384R1()))])
def test_a_key_that_is_none_is_the_operators_fault(secret: str) -> None:
    with pytest.raises(ConfigError):
        of_sendgrid(grid("delivered"), secret=secret)


@pytest.mark.parametrize(
    "told", [{"event": "bounce"}, grid("bounce", timestamp="yesterday"), grid("bounce", sg_event_id=None)]
)
def test_an_event_of_sendgrid_in_another_form_is_told(told: dict[str, Any]) -> None:
    with pytest.raises(PayloadError, match="SendGrid"):
        of_sendgrid(told)


def of_ses(
    told: dict[str, Any], secret: str = TOPIC, seen: Seen | None = None, days_ago: int = 100
) -> list[Event] | ses.Confirmation:
    def fetch(link: str) -> bytes:
        assert link == told["SigningCertURL"]
        return amazon(days_ago)[1]

    told_ = ses.verify({}, json.dumps(told).encode(), secret, KEYS, NOW, fetch)
    return told_ if isinstance(told_, ses.Confirmation) else new(told_, NOW, seen or memory())


def events(told: dict[str, Any], seen: Seen | None = None) -> list[Event]:
    found = of_ses(told, seen=seen)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(
    ("message", "kind", "reason", "suppress"),
    [
        (bounced("Permanent", "NoEmail"), "bounced", "no_such_mailbox", "at_once"),
        (bounced("Permanent", "NoEmail", diagnosticCode=f"smtp; {FULL}"), "bounced", "mailbox_full", "in_a_row"),
        (bounced("Permanent", "General", status="5.1.1"), "bounced", "no_such_mailbox", "at_once"),
        (
            bounced("Permanent", "General", status="5.7.1", diagnosticCode=p.BLOCKED),
            "bounced",
            "blocked_policy",
            "never",
        ),
        (bounced("Permanent", "General"), "bounced", "unknown", "in_a_row"),
        (bounced("Permanent", "OnAccountSuppressionList"), "bounced", "mailbox_disabled", "in_a_row"),
        (bounced("Transient", "MailboxFull"), "bounced", "mailbox_full", "in_a_row"),
        (bounced("Transient", "ContentRejected"), "bounced", "content", "never"),
        (bounced("Transient", "General", status="4.4.7"), "bounced", "unreachable", "in_a_row"),
        (bounced("Transient", "General"), "bounced", "temporary", "never"),
        (bounced("Undetermined", "Undetermined"), "bounced", "unknown", "in_a_row"),
        (complained(complaintFeedbackType="abuse"), "complained", None, "at_once"),
        (complained(complaintSubType=None), "complained", None, "at_once"),
        (about("Delivery", delivery=DELIVERED), "delivered", None, "never"),
        (about("DeliveryDelay", "eventType", deliveryDelay=LATE), "deferred", "temporary", "never"),
    ],
)
def test_an_event_of_ses_has_one_meaning(message: dict[str, Any], kind: str, reason: str | None, suppress: str) -> None:
    [event] = events(sns(message))
    assert (event.kind, event.reason, suppresses(event)) == (kind, reason, suppress)
    assert (event.whose, event.address) == (p.WHOSE, p.READER)


@pytest.mark.parametrize(
    "message", [about("Open", "eventType"), about("Received"), {}, complained(complaintFeedbackType="not-spam")]
)
def test_what_tells_nothing_of_a_delivery_is_no_event_of_ses(message: dict[str, Any]) -> None:
    assert events(sns(message)) == []


def test_an_event_of_ses_counts_once_and_may_have_a_subject() -> None:
    seen, told = memory(), sns(complained(), Subject="Amazon SES Email Event Notification")
    assert len(events(told, seen)) == 1
    assert events(told, seen) == []


def test_a_question_whether_to_subscribe_is_handed_back_and_nothing_is_opened() -> None:
    link = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37fb"
    told = sns("You have chosen", "SubscriptionConfirmation", Token="2336412f37fb", SubscribeURL=link)
    assert of_ses(told) == ses.Confirmation(TOPIC, link)
    elsewhere = sns("You have chosen", "SubscriptionConfirmation", Token="2", SubscribeURL="https://evil.example/?a")
    with pytest.raises(ForgedError, match="link"):
        of_ses(elsewhere)
    assert of_ses(sns("Gone", "UnsubscribeConfirmation", Token="2", SubscribeURL=link)) == []


@pytest.mark.parametrize("name", ["Message", "MessageId", "Timestamp", "Signature", "Subject"])
def test_whatever_is_changed_after_signing_is_refused(name: str) -> None:
    told = sns(complained(), Subject="as signed")
    changed = "2026-05-04T09:29:01.000Z" if name == "Timestamp" else json.dumps(about("Open"))
    with pytest.raises(ForgedError):
        of_ses({**told, name: changed})


@pytest.mark.parametrize(
    "place",
    [
        PLACE.replace("https", "http"),
        PLACE.replace("amazonaws.com", "amazonaws.com.evil.example"),
        PLACE.replace("sns.", "sns.evil.example/"),
        PLACE.replace("eu-central-1", "us-east-1"),
        PLACE.replace("https://", "https://evil@"),
        PLACE.replace(".com/", ".com:8443/"),
        PLACE.replace(".com/", ".com.cn/"),
        PLACE.replace(".pem", ".pem?a=b"),
        PLACE + "\n",
        PLACE.replace("/Simple", "/../Simple"),
        "https://s3.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
        "",
    ],
)
def test_a_certificate_from_anywhere_else_is_not_even_fetched(place: str) -> None:
    def fetch(link: str) -> bytes:
        raise AssertionError("fetched")

    told = sns(complained(), SigningCertURL=place)
    with pytest.raises(ForgedError, match="certificate"):
        ses.verify({}, json.dumps(told).encode(), TOPIC, KEYS, NOW, fetch)


def test_a_message_that_amazon_signed_for_another_topic_is_refused() -> None:
    for topic in (TOPIC + "2", TOPIC.replace("123456789012", "210987654321")):
        with pytest.raises(ForgedError, match="topic"):
            of_ses(sns(complained(), TopicArn=topic))
    with pytest.raises(ConfigError):
        of_ses(sns(complained(), TopicArn=""), secret="")
    with pytest.raises(ForgedError, match="topic"):
        of_ses(sns(complained(), TopicArn="mine"), secret="mine")


@pytest.mark.parametrize("days_ago", [400, -1])
def test_a_certificate_that_is_not_valid_now_is_refused(days_ago: int) -> None:
    with pytest.raises(ForgedError, match="not valid"):
        of_ses(sns(complained(), days_ago=days_ago), days_ago=days_ago)


def test_old_signatures_and_old_messages_are_refused() -> None:
    with pytest.raises(ForgedError, match="version 2"):
        of_ses({**sns(complained()), "SignatureVersion": "1"})
    with pytest.raises(ForgedError, match="another time"):
        of_ses(sns(complained(), Timestamp="2026-03-04T09:29:00.000Z"))


@pytest.mark.parametrize("message", ["not JSON", "[]", {"notificationType": "Bounce"}, about("Bounce", bounce={})])
def test_a_message_of_ses_in_another_form_is_told(message: object) -> None:
    with pytest.raises(PayloadError, match="Amazon SES"):
        of_ses(sns(message))
