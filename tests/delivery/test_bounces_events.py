"""What Postmark and Mailgun tell, in one vocabulary; what is not theirs, or was told before, changes nothing."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.delivery import provider_requests as p
from tests.delivery.provider_requests import (
    FULL,
    KEYS,
    NO_USER,
    NOW,
    Request,
    mailgun,
    mailgun_failure,
    memory,
    suppresses,
)
from tests.delivery.provider_requests import postmark as post
from tests.delivery.provider_requests import postmark_bounce as bounce

from digest.delivery.providers import mailgun as mailgun_events
from digest.delivery.providers import postmark as postmark_events
from digest.delivery.providers.events import Event, ForgedError, PayloadError, new
from digest.errors import ConfigError, DigestError

Seen = Callable[[str, datetime], bool]


def of_postmark(request: Request, secret: str = p.POSTMARK_SECRET, seen: Seen | None = None) -> list[Event]:
    return new(postmark_events.verify(request.headers, request.body, secret, KEYS, NOW), NOW, seen or memory())


def of_mailgun(
    request: Request, secret: str = p.MAILGUN_SECRET, seen: Seen | None = None, now: datetime = NOW
) -> list[Event]:
    return new(mailgun_events.verify(request.headers, request.body, secret, KEYS, now), now, seen or memory())


CHANGE = {"ChangedAt": "2026-05-04T09:29:00Z", "Recipient": p.READER, "Origin": "Recipient"}
LEFT = post("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", **CHANGE)
DIED = post("SubscriptionChange", SuppressSending=True, SuppressionReason="HardBounce", **CHANGE)
BACK = post("SubscriptionChange", SuppressSending=False, SuppressionReason=None, **CHANGE)
NAMES = [
    "event",
    "id",
    "timestamp",
    "severity",
    "recipient",
    "user-variables",
    "delivery-status",
    "message",
    "Metadata",
]
NAMES += ["ID", "MessageID", "Type", "Email", "Details", "BouncedAt", "DeliveredAt", "ChangedAt", "SuppressSending"]
ODD: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1e300,
    "",
    "ann@example.org",
    "5.1.1",
    "2026-05-04T09:29:00Z",
    [],
    {},
    [{}],
    {"a": [None]},
]
JSON = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD) | st.text(max_size=20))
NOTHING = Request(post("").headers, b"{}")
DEAD = "suppress-bounce"


@pytest.mark.parametrize(
    ("request_", "kind", "reason", "suppress"),
    [
        (bounce("HardBounce", f"smtp;{NO_USER}"), "bounced", "no_such_mailbox", "at_once"),
        (bounce("HardBounce", ""), "bounced", "no_such_mailbox", "at_once"),
        (bounce("HardBounce", f"smtp;{FULL}"), "bounced", "mailbox_full", "in_a_row"),
        (bounce("HardBounce", f"smtp;{p.BLOCKED}"), "bounced", "blocked_policy", "never"),
        (bounce("SoftBounce", f"smtp;{FULL}"), "bounced", "mailbox_full", "in_a_row"),
        (bounce("SoftBounce", f"smtp;{NO_USER}"), "bounced", "no_such_mailbox", "at_once"),
        (bounce("SpamNotification", f"smtp;{NO_USER}"), "bounced", "blocked_policy", "never"),
        (bounce("DnsError"), "bounced", "domain_gone", "in_a_row"),
        (bounce("Transient"), "deferred", "temporary", "never"),
        (bounce("Unsubscribe"), "unsubscribed", None, "at_once"),
        (bounce("A type of tomorrow"), "bounced", "unknown", "in_a_row"),
        (bounce("HardBounce", None), "bounced", "no_such_mailbox", "at_once"),  # type: ignore[arg-type]
        (post("SpamComplaint", **json.loads(bounce("SpamComplaint").body)), "complained", None, "at_once"),
        (post("Delivery", Recipient=p.READER, DeliveredAt="2026-05-04T09:29:00Z"), "delivered", None, "never"),
        (LEFT, "unsubscribed", None, "at_once"),
    ],
)  # fmt: skip
def test_an_event_of_postmark_has_one_meaning(request_: Request, kind: str, reason: str | None, suppress: str) -> None:
    [event] = of_postmark(request_)
    assert (event.kind, event.reason, suppresses(event)) == (kind, reason, suppress)
    assert event.whose == p.WHOSE


@pytest.mark.parametrize(
    ("request_", "kind", "reason", "suppress"),
    [
        (mailgun_failure("permanent", "bounce", 550, NO_USER[4:]), "bounced", "no_such_mailbox", "at_once"),
        (mailgun_failure("permanent", "bounce", 552, FULL[4:]), "bounced", "mailbox_full", "in_a_row"),
        (mailgun_failure("permanent", "espblock", 550, NO_USER[4:]), "bounced", "blocked_policy", "never"),
        (mailgun_failure("permanent", DEAD, 605, "Not delivering"), "bounced", "mailbox_disabled", "in_a_row"),
        (mailgun_failure("permanent", "suppress-complaint", 606, ""), "complained", None, "at_once"),
        (mailgun_failure("permanent", "suppress-unsubscribe", 606, ""), "unsubscribed", None, "at_once"),
        (mailgun_failure("temporary", "generic", 450, "4.2.2 full"), "deferred", "temporary", "never"),
        (mailgun("rejected"), "bounced", "relay_fault", "never"),
        (mailgun("complained"), "complained", None, "at_once"),
        (mailgun("unsubscribed"), "unsubscribed", None, "at_once"),
        (mailgun("delivered"), "delivered", None, "never"),
    ],
)  # fmt: skip
def test_an_event_of_mailgun_has_one_meaning(request_: Request, kind: str, reason: str | None, suppress: str) -> None:
    [event] = of_mailgun(request_)
    assert (event.kind, event.reason, suppresses(event)) == (kind, reason, suppress)
    assert event.whose == p.WHOSE


def test_an_event_tells_what_the_provider_knows_and_its_text_names_nobody() -> None:
    [event] = of_mailgun(mailgun_failure("permanent", "bounce", 550, f"5.1.1 <{p.READER}> of 192.0.2.7 unknown"))
    assert event.id == "mailgun:G9Bn5sl1TC6nu79C8C0bwg"
    assert event.at == NOW - timedelta(seconds=60.25)
    assert (event.message_id, event.address, event.status) == (p.MESSAGE_ID, p.READER, "5.1.1")
    assert event.said == "550 5.1.1 (address) of (host) unknown"
    assert "ann" not in repr(event)
    [bounced] = of_postmark(bounce("HardBounce"))
    assert bounced.at == datetime(2026, 5, 4, 9, 29, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("token", ["", p.TOKEN[::-1], "nonsense"])
def test_a_forged_token_in_a_genuine_event_attributes_nothing(token: str) -> None:
    [event] = of_postmark(bounce("HardBounce", Metadata={"delivery": token}))
    assert (event.whose, event.address) == (None, p.READER)


@pytest.mark.parametrize(
    "request_",
    [post("Open"), post("A record of tomorrow"), bounce("AutoResponder"), DIED, BACK, NOTHING],
)
def test_what_tells_nothing_of_a_delivery_is_no_event_of_postmark(request_: Request) -> None:
    assert of_postmark(request_) == []


@pytest.mark.parametrize("kind", ["opened", "clicked", "accepted", "stored", "of tomorrow"])
def test_what_tells_nothing_of_a_delivery_is_no_event_of_mailgun(kind: str) -> None:
    assert of_mailgun(mailgun(kind)) == []


def test_an_event_that_is_told_again_counts_once() -> None:
    seen = memory()
    assert len(of_postmark(bounce("HardBounce"), seen=seen)) == 1
    assert of_postmark(bounce("HardBounce"), seen=seen) == []
    assert len(of_postmark(bounce("HardBounce", ID=2), seen=seen)) == 1
    assert len(of_mailgun(mailgun("delivered"), seen=seen)) == 1
    assert of_mailgun(mailgun("delivered", token="b" * 50), seen=seen) == []


def test_a_token_of_mailgun_opens_once_whatever_stands_under_it() -> None:
    seen = memory()
    assert len(of_mailgun(mailgun("delivered"), seen=seen)) == 1
    assert of_mailgun(mailgun("complained", id="another event"), seen=seen) == []


def test_a_token_of_mailgun_is_remembered_for_as_long_as_it_would_be_believed() -> None:
    until: dict[str, datetime] = {}
    of_mailgun(mailgun("delivered"), seen=lambda name, end: until.setdefault(name, end) is None)
    with pytest.raises(ForgedError):
        of_mailgun(mailgun("delivered"), now=until[f"mailgun:token:{'a' * 50}"])


@pytest.mark.parametrize("seconds", [-13 * 3600, 3600])
def test_a_request_of_another_time_is_refused_and_its_token_not_used_up(seconds: int) -> None:
    seen = memory()
    with pytest.raises(ForgedError, match="another time"):
        of_mailgun(mailgun("delivered", at=p.SECONDS + seconds), seen=seen)
    assert len(of_mailgun(mailgun("delivered"), seen=seen)) == 1


@pytest.mark.parametrize("credentials", ["Basic Og==", "Basic !", "Basic", "", "Bearer aG9vazphIHBhc3N3b3Jk", "é"])
def test_another_password_is_refused(credentials: str) -> None:
    with pytest.raises(ForgedError):
        of_postmark(bounce("HardBounce")._replace(headers={"Authorization": credentials}))


def test_the_scheme_and_the_header_may_be_written_in_any_case() -> None:
    written = post("Open").headers["authorization"].replace("Basic", "BASIC")
    assert len(of_postmark(bounce("HardBounce")._replace(headers={"AUTHORIZATION": written}))) == 1


def test_another_signature_is_refused_and_uses_nothing_up() -> None:
    seen = memory()
    genuine = mailgun("complained")
    for body in (mailgun("complained", secret="another").body, genuine.body.replace(b"a" * 50, b"b" * 50)):
        with pytest.raises(ForgedError):
            of_mailgun(Request({}, body), seen=seen)
    assert len(of_mailgun(genuine, seen=seen)) == 1


@settings(deadline=None)
@given(JSON, st.sampled_from(["Bounce", "Delivery", "SpamComplaint", "SubscriptionChange"]))
def test_no_record_of_postmark_breaks_anything(facts: dict[str, Any], kind: str) -> None:
    with suppress(PayloadError):
        of_postmark(post(kind, **facts))


@settings(deadline=None)
@given(JSON, st.sampled_from(["failed", "complained", "delivered"]))
def test_no_event_of_mailgun_breaks_anything(facts: dict[str, Any], kind: str) -> None:
    with suppress(PayloadError):
        of_mailgun(mailgun(**{"kind": kind, **facts}))


def test_without_a_secret_everything_is_refused() -> None:
    with pytest.raises(ConfigError):
        of_postmark(post("Open", secret=""), secret="")
    with pytest.raises(ConfigError):
        of_mailgun(mailgun("delivered", secret=""), secret="")


STRANGE = [b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000, b'{"RecordType":7}']


@pytest.mark.parametrize("body", [*STRANGE, b'{"RecordType":"Bounce","MessageID":"m","ID":"ann@example.org"}'])
def test_what_is_signed_but_in_another_form_is_told_without_quoting_it(body: bytes) -> None:
    with pytest.raises(PayloadError) as caught:
        of_postmark(post("Open")._replace(body=body))
    assert "ann" not in str(caught.value)
    assert isinstance(caught.value, DigestError)
    with pytest.raises(PayloadError):
        of_mailgun(Request({}, body))
