"""Providers tell what became of our mail: believed for their signatures, taken in once, quiet about addresses."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import responses
from sqlalchemy import Engine
from tests.delivery.provider_requests import (
    MAILGUN_SECRET,
    NO_USER,
    NOW,
    POSTMARK_SECRET,
    mailgun,
    postmark,
    postmark_bounce,
)
from tests.delivery.returns import consent, delivery, events, mailed
from tests.delivery.signed_requests import (
    CURVE_KEY,
    PLACE,
    TOPIC,
    about,
    amazon,
    bounced,
    grid,
    public,
    signed_by_sendgrid,
    sns,
)
from tests.web.visitors import KEYS, Client, Site

from digest.config.sections import Webhooks
from digest.config.settings import Settings
from digest.database import metadata, reading
from digest.delivery import store as deliveries
from digest.delivery.bounces import verp
from digest.delivery.message import message_number
from digest.delivery.outbox import Mailing
from digest.web import webhooks
from digest.web.app import create_app

LINK = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=0123"
ADA = "ada@example.org"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    secrets = {"postmark": POSTMARK_SECRET, "mailgun": MAILGUN_SECRET, "sendgrid": public(CURVE_KEY), "ses": TOPIC}
    return settings.model_copy(update={"webhooks": Webhooks.model_validate(secrets)})


@pytest.fixture
def hook(engine: Engine, settings: Settings, site: Site) -> Client:
    site.now = NOW
    return site.client


@pytest.fixture
def mailed_to(site: Site, engine: Engine) -> tuple[Mailing, int]:
    reader = site.reader(ADA)
    return mailed(engine, "2026-W18", site.now), reader


def token(whose: tuple[Mailing, int]) -> str:
    return verp.sign(whose[0].id, whose[1], KEYS)


def kept(engine: Engine) -> int:
    with reading(engine) as connection:
        return len(connection.execute(metadata.tables["seen_event"].select()).all())


def test_a_bounce_told_by_postmark_ends_the_consent_once(
    hook: Client, engine: Engine, mailed_to: tuple[Mailing, int]
) -> None:
    told = postmark_bounce("HardBounce", NO_USER, Metadata={"delivery": token(mailed_to)})
    for _ in range(2):
        answer = hook.post("/webhooks/postmark", content=told.body, headers=told.headers)
        assert (answer.status_code, answer.content) == (204, b"")
    assert events(engine, mailed_to[1]) == [("bounced", "postmark event", "no_such_mailbox")]
    assert delivery(engine, *mailed_to)["state"] == "failed"


def test_one_event_told_by_many_requests_at_once_counts_once(
    hook: Client, engine: Engine, mailed_to: tuple[Mailing, int]
) -> None:
    told = postmark_bounce("HardBounce", NO_USER, Metadata={"delivery": token(mailed_to)})
    with ThreadPoolExecutor(6) as pool:
        asked = [
            pool.submit(hook.post, "/webhooks/postmark", content=told.body, headers=told.headers) for _ in range(12)
        ]
    assert {one.result().status_code for one in asked} == {204}
    assert len(events(engine, mailed_to[1])) == 1
    with reading(engine) as connection:
        assert deliveries.counted(connection, NOW.date()) == {"bounced": 1}


def test_a_complaint_told_by_mailgun_is_known_by_the_address_alone(
    hook: Client, engine: Engine, mailed_to: tuple[Mailing, int]
) -> None:
    facts: dict[str, Any] = {"user-variables": {}, "recipient": "Ada@Example.org"}
    told = mailgun("complained", **facts)
    assert hook.post("/webhooks/mailgun", content=told.body).status_code == 204
    assert consent(engine, mailed_to[1]).state == "complained"


def test_an_uncertain_delivery_is_settled_when_its_message_id_is_told(
    hook: Client, engine: Engine, settings: Settings, site: Site
) -> None:
    reader = site.reader(ADA)
    mailing = mailed(engine, "2026-W18", site.now, "uncertain")
    number = f"<{message_number(mailing, reader, settings)}@digest.example>"
    body = json.dumps([grid("delivered", email=ADA, delivery="", **{"smtp-id": number})]).encode()
    assert hook.post("/webhooks/sendgrid", content=body, headers=signed_by_sendgrid(body)).status_code == 204
    assert delivery(engine, mailing, reader)["state"] == "sent"


@responses.activate
def test_a_bounce_told_by_amazon_is_checked_with_its_certificate(
    hook: Client, engine: Engine, mailed_to: tuple[Mailing, int]
) -> None:
    webhooks._certificate.cache_clear()
    shown = responses.get(PLACE, body=amazon(100)[1])
    message = bounced("Permanent", "NoEmail", emailAddress=ADA)
    message["mail"]["tags"] = {"delivery": [token(mailed_to)]}
    for _ in range(2):
        assert hook.post("/webhooks/ses", content=json.dumps(sns(message)).encode()).status_code == 204
    assert events(engine, mailed_to[1]) == [("bounced", "ses event", "no_such_mailbox")]
    assert shown.call_count == 1


@responses.activate
def test_a_subscription_of_our_topic_is_confirmed_and_nobody_elses(hook: Client) -> None:
    webhooks._certificate.cache_clear()
    responses.get(PLACE, body=amazon(100)[1])
    confirming = responses.get(LINK, body="<ConfirmSubscriptionResponse/>")
    for topic, status, opened in ((TOPIC, 204, 1), (TOPIC.replace("bounces", "other"), 403, 1)):
        facts: dict[str, Any] = {"Token": "0123", "SubscribeURL": LINK, "TopicArn": topic}
        told = sns("You have chosen to subscribe.", "SubscriptionConfirmation", **facts)
        assert hook.post("/webhooks/ses", content=json.dumps(told).encode()).status_code == status
        assert confirming.call_count == opened


@responses.activate
def test_amazon_is_asked_to_tell_again_when_its_certificate_cannot_be_had(hook: Client, engine: Engine) -> None:
    webhooks._certificate.cache_clear()
    responses.get(PLACE, status=500)
    assert hook.post("/webhooks/ses", content=json.dumps(sns(about("Delivery"))).encode()).status_code == 503
    assert kept(engine) == 0


FORGED = {
    "postmark": postmark("Delivery", "hook:another"),
    "mailgun": mailgun("delivered", "another key"),
    "sendgrid": (signed_by_sendgrid(b"[]"), b"[{}]"),
    "ses": ({}, json.dumps({**sns(about("Delivery")), "SigningCertURL": "https://example.org/a.pem"}).encode()),
}


@pytest.mark.parametrize("provider", FORGED)
def test_a_bad_signature_is_refused_and_nothing_is_stored(
    hook: Client, engine: Engine, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    headers, body = FORGED[provider]
    with caplog.at_level(logging.DEBUG):
        answer = hook.post(f"/webhooks/{provider}", content=body, headers=headers)
    assert answer.status_code == 403
    assert kept(engine) == 0
    assert "example.org" not in caplog.text.replace("https://digest.example", "")


def test_a_replayed_token_of_mailguns_changes_nothing(
    hook: Client, engine: Engine, mailed_to: tuple[Mailing, int]
) -> None:
    facts: dict[str, Any] = {"user-variables": {"delivery": token(mailed_to)}}
    first, forged = mailgun("delivered", **facts), mailgun("complained", **{**facts, "id": "another event"})
    for told in (first, forged):
        assert hook.post("/webhooks/mailgun", content=told.body).status_code == 204
    assert consent(engine, mailed_to[1]).state == "confirmed"


@pytest.mark.parametrize("provider", ["postmark", "mailgun", "sendgrid", "ses", "model_fields", "nobody", "x" * 200])
def test_a_provider_that_is_not_set_is_not_there(engine: Engine, settings: Settings, provider: str) -> None:
    bare = settings.model_copy(update={"webhooks": Webhooks()})
    nobody = Client(create_app(engine, bare, lambda: NOW))
    assert nobody.post(f"/webhooks/{provider}", content=postmark("Delivery").body).status_code == 404


def test_a_body_is_read_to_a_limit_and_signed_nonsense_is_told_so(hook: Client) -> None:
    headers = postmark("Bounce").headers
    large = hook.post("/webhooks/postmark", content=b"x" * (webhooks.MOST_BYTES + 1), headers=headers)
    assert large.status_code == 413
    for body in (b"", b"{", b"[]", b'{"RecordType": "Bounce"}', b"\xff\x00", b"[" * 100_000):
        answer = hook.post("/webhooks/postmark", content=body, headers=headers)
        assert (answer.status_code, answer.text) == (400, "refused\n")
    assert hook.get("/webhooks/postmark").status_code == 405


def test_no_address_stands_in_the_log_or_in_what_is_kept(
    hook: Client, engine: Engine, mailed_to: tuple[Mailing, int], caplog: pytest.LogCaptureFixture
) -> None:
    said = f"550 5.1.1 <{ADA}>: ada@example.org unknown at 192.0.2.7"
    told = postmark_bounce("HardBounce", said, Email=ADA, Metadata={"delivery": token(mailed_to)})
    with caplog.at_level(logging.DEBUG):
        hook.post("/webhooks/postmark", content=told.body, headers=told.headers)
        hook.post("/webhooks/postmark", content=told.body[:-20], headers=told.headers)
    for text in (caplog.text, str(delivery(engine, *mailed_to)), str(events(engine, mailed_to[1]))):
        assert "ada" not in text
        assert "192.0.2.7" not in text


@pytest.mark.long
def test_a_thousand_events_at_once_are_taken_in_quickly(hook: Client, engine: Engine, site: Site) -> None:
    readers = [site.reader(f"r{number}@example.org") for number in range(50)]
    mailing = mailed(engine, "2026-W18", site.now)
    told = [
        grid("delivered", sg_event_id=f"event-{number}", delivery=token((mailing, readers[number % 50])))
        for number in range(1_000)
    ]
    body = json.dumps(told).encode()
    began = time.monotonic()
    assert hook.post("/webhooks/sendgrid", content=body, headers=signed_by_sendgrid(body)).status_code == 204
    assert time.monotonic() - began < 10
    assert kept(engine) == 1_000
