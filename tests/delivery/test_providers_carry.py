"""Mail handed to providers over HTTP: what they get, what their words mean, and what is known when something breaks."""

import itertools
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
import responses
from pydantic import SecretStr
from sqlalchemy import Engine
from tests import builders as b
from tests.delivery import provider as fake
from tests.delivery import provider_requests as events
from tests.delivery.provider import Provider
from tests.delivery.relay import free_port
from tests.delivery.test_message import ANN, KEYS, MAILING
from tests.outgoing import some_contents

from digest.config import sections
from digest.config.settings import Settings
from digest.delivery import message, sending
from digest.delivery.outbox import Mailing
from digest.delivery.outcomes import Outcome
from digest.delivery.providers import mailgun as mailgun_events
from digest.delivery.providers import postmark as postmark_events
from digest.delivery.transports import Envelope, Transport, Turn, http
from digest.delivery.transports import mailgun as mailgun_module
from digest.delivery.transports import postmark as postmark_module
from digest.delivery.transports.mailgun import Mailgun
from digest.delivery.transports.postmark import Postmark
from digest.edition.rendered import Rendered
from digest.edition.renditions import Rendition
from digest.errors import ConfigError, DeliveryError
from digest.rendering.email import render
from digest.rendering.renditions import assemble

AddReaders = Callable[..., list[int]]
Queue = Callable[[], Mailing]
Rows = Callable[[str], list[dict[str, Any]]]

SETTINGS = b.some_settings()


def content() -> bytes:
    mail = assemble(render(b.an_edition(), SETTINGS, duties={}), Rendition())
    return message.build(message.compile_mail(mail, MAILING, SETTINGS), ANN, KEYS)


CONTENT = content()


@pytest.fixture
def server() -> Iterator[Provider]:
    with fake.provider() as made:
        yield made


def postmark(url: str, **changed: Any) -> Postmark:
    return Postmark(sections.Postmark(url=url, token=SecretStr("token"), timeout_seconds=30).model_copy(update=changed))


def mailgun(url: str, **changed: Any) -> Mailgun:
    settings = sections.Mailgun(url=url, token=SecretStr("token"), domain="digest.example", timeout_seconds=30)
    return Mailgun(settings.model_copy(update=changed))


def envelope(number: int, name: str) -> Envelope:
    recipient = f"{name}@example.org"
    return Envelope(number, "1@x", "news@digest.example", recipient, CONTENT, events.TOKEN)


def deliver(
    transport: Transport,
    names: Sequence[str],
    allowed: Callable[[Sequence[int]], Sequence[int]] = lambda ready: ready,
    doubt: bool = False,
) -> list[Outcome]:
    """What became of messages to these names, in their order; with `doubt` it may end in an error."""
    left = [envelope(number, name) for number, name in enumerate(names)]
    done: list[tuple[int, Outcome]] = []

    def following() -> list[Envelope]:
        batch, left[:] = left[: transport.width], left[transport.width :]
        return batch

    def advance(ready: Sequence[int]) -> Turn:
        return Turn(allowed(ready), following())

    with transport, suppress(DeliveryError) if doubt else nullcontext():
        transport.carry(following(), advance, done)
    assert [number for number, _outcome in sorted(done, key=lambda one: one[0])] == list(range(len(names)))
    return [outcome for _number, outcome in sorted(done, key=lambda one: one[0])]


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.kind for outcome in outcomes]


# What they get


def test_mailgun_gets_the_message_byte_for_byte(server: Provider) -> None:
    assert deliver(mailgun(server.url), ["ann"]) == [Outcome("sent", "Mailgun: 200 Queued. Thank you.")]
    assert server.received == [
        {
            "to": "ann@example.org",
            "o:tracking": "no",
            "o:tracking-clicks": "no",
            "o:tracking-opens": "no",
            "v:delivery": events.TOKEN,
            "message": CONTENT,
        }
    ]
    (request,) = server.requests
    assert (request["path"], request["Authorization"]) == ("/v3/digest.example/messages.mime", "Basic YXBpOnRva2Vu")


def test_postmark_gets_both_texts_and_every_header_that_mail_systems_act_on(server: Provider) -> None:
    (outcome,) = deliver(postmark(server.url), ["ann"])
    assert outcome == Outcome("sent", "Postmark: b7bc2f4a-e38e-4336-af7d-e6c392c2f817")
    (told,) = server.received
    sent = message_from_bytes(CONTENT, policy=policy.default)
    assert isinstance(sent, EmailMessage)
    plain, rich = (part.get_content() for part in sent.iter_parts())
    assert (told["TextBody"], told["HtmlBody"]) == (plain, rich)
    assert (told["To"], told["Subject"], told["From"]) == ("ann@example.org", sent["Subject"], str(sent["From"]))
    assert (told["ReplyTo"], told["MessageStream"]) == (str(sent["Reply-To"]), "broadcast")
    assert (told["TrackOpens"], told["TrackLinks"]) == (False, "None")
    headers = {header["Name"]: header["Value"] for header in told["Headers"]}
    names = ("Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID")
    assert headers == {**{name: sent[name] for name in names}, "X-PM-KeepID": "true"}
    assert server.requests[0]["X-Postmark-Server-Token"] == "token"


def test_a_text_mail_has_no_html(server: Provider) -> None:
    mail = assemble(render(b.an_edition(), SETTINGS, duties={}), Rendition(format="text"))
    built = message.build(message.compile_mail(mail, MAILING, SETTINGS), ANN, KEYS)
    fields = postmark_module._fields(Envelope(1, "1@x", "a@x", "ann@example.org", built), "broadcast")
    assert "HtmlBody" not in fields
    assert "unsubscribe" in fields["TextBody"]
    assert fields["Metadata"] == {}


@pytest.mark.parametrize("name", ["Wöchentlich, „gut“", 'A "b" \\ <c>, d', "=?utf-8?q?x?= y"])
def test_the_senders_name_survives_postmarks_fields(name: str) -> None:
    named = SETTINGS.model_copy(update={"mail": sections.Mail(from_name=name), "series": SETTINGS.series})
    mail = assemble(render(b.an_edition(), named, duties={}), Rendition(format="text"))
    built = message.build(message.compile_mail(mail, MAILING, named), ANN, KEYS)
    fields = postmark_module._fields(Envelope(1, "1@x", "a@x", "ann@example.org", built), "broadcast")
    (address,) = policy.default.header_factory("From", fields["From"]).addresses
    (expected,) = message_from_bytes(built, policy=policy.default)["From"].addresses
    assert (address.addr_spec, address.display_name) == (expected.addr_spec, expected.display_name)


def test_what_is_sent_along_comes_back_as_the_delivery(server: Provider) -> None:
    deliver(postmark(server.url), ["ann"])
    deliver(mailgun(server.url), ["ann"])
    by_postmark, by_mailgun = server.received
    request = events.postmark_bounce("HardBounce", Metadata=by_postmark["Metadata"])
    told = postmark_events.verify(request.headers, request.body, events.POSTMARK_SECRET, events.KEYS, events.NOW)
    assert told.events[0].whose == events.WHOSE
    variables = {name.removeprefix("v:"): value for name, value in by_mailgun.items() if name.startswith("v:")}
    facts: dict[str, Any] = {"user-variables": variables}
    request = events.mailgun("delivered", **facts)
    told = mailgun_events.verify(request.headers, request.body, events.MAILGUN_SECRET, events.KEYS, events.NOW)
    assert told.events[0].whose == events.WHOSE


# Their words


@pytest.mark.parametrize(
    ("code", "words", "kind", "reason"),
    [
        (300, "Invalid 'To' address: 'ann@example.org'.", "failed", "no_such_mailbox"),
        (300, "Invalid 'From' address: 'news@digest'.", "refused", "relay_fault"),
        (400, "The Sender Signature was not found.", "refused", "blocked_policy"),
        (405, "Not allowed to send: out of credits.", "refused", "blocked_policy"),
        (406, "ann@example.org is inactive.", "failed", "mailbox_disabled"),
        (411, "Forbidden file type.", "content", "content"),
        (412, "The account is pending approval.", "refused", "blocked_policy"),
        (429, "Slow down.", "deferred", "temporary"),
        (9999, "A word of next year.", "refused", "relay_fault"),
    ],
)
@responses.activate
def test_each_of_postmarks_words_has_a_meaning(code: int, words: str, kind: str, reason: str) -> None:
    responses.add("HEAD", "https://api.postmarkapp.com/")
    recorded = [{"ErrorCode": 0, "Message": "OK", "MessageID": "x"}, {"ErrorCode": code, "Message": words}]
    responses.add("POST", "https://api.postmarkapp.com/email/batch", json=recorded)
    first, second = deliver(postmark("https://api.postmarkapp.com"), ["ben", "ann"])
    assert first.kind == "sent"
    assert (second.kind, second.reason) == (kind, reason)
    assert second.said.startswith(f"Postmark: {code} ")
    assert "ann@" not in second.said


@pytest.mark.parametrize(
    ("status", "words", "kind", "reason"),
    [
        (400, "to parameter is not a valid address. please check documentation", "failed", "no_such_mailbox"),
        (400, "from parameter is not a valid address", "refused", "relay_fault"),
        (401, "Forbidden", "refused", "relay_fault"),
        (404, "Domain not found: digest.example", "refused", "relay_fault"),
        (413, "Request Entity Too Large", "content", "too_large"),
        (429, "Too many requests", "deferred", "temporary"),
        (503, "Try later", "deferred", "temporary"),
        (302, "Moved", "refused", "relay_fault"),
        (500, "Internal error", "uncertain", None),
    ],
)
@responses.activate
def test_each_of_mailguns_words_has_a_meaning(status: int, words: str, kind: str, reason: str | None) -> None:
    responses.add("HEAD", "https://api.eu.mailgun.net/")
    url = "https://api.eu.mailgun.net/v3/digest.example/messages.mime"
    responses.add("POST", url, json={"message": words}, status=status, headers={"Location": "https://else.example"})
    (outcome,) = deliver(mailgun("https://api.eu.mailgun.net"), ["ann"], doubt=True)
    assert (outcome.kind, outcome.reason, outcome.said) == (kind, reason, f"Mailgun: {status} {words}")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, '{"ErrorCode": 10, "Message": "Bad token"}', "refused"),
        (403, "", "refused"),
        (413, "too large", "content"),
        (422, '{"ErrorCode": 406, "Message": "inactive"}', "refused"),
        (422, '{"ErrorCode": 100, "Message": "maintenance"}', "deferred"),
        (422, '{"ErrorCode": 300, "Message": "bad"}', "refused"),
        (429, "", "deferred"),
        (500, "", "uncertain"),
        (502, "<html>", "uncertain"),
        (503, "", "deferred"),
    ],
)
def test_a_refusal_of_a_whole_batch_is_each_messages(server: Provider, status: int, body: str, kind: str) -> None:
    server.answers = [fake.says(status, body)]
    assert kinds(deliver(postmark(server.url), ["ann", "ben"], doubt=True)) == [kind, kind]


# What breaks


@pytest.mark.parametrize("carrier", [postmark, mailgun])
@pytest.mark.parametrize("fault", [fake.stalls, fake.trickles, fake.hangs_up, fake.breaks_off, fake.garbles(b"[1")])
def test_what_was_sent_and_not_answered_is_uncertain(
    server: Provider, carrier: Callable[..., Transport], fault: fake.Answer
) -> None:
    server.answers = [fault]
    patience = 3 if fault in (fake.stalls, fake.trickles) else 30
    (outcome,) = deliver(carrier(server.url, timeout_seconds=patience), ["ann"], doubt=True)
    assert outcome.kind == "uncertain"
    assert "example.org" not in outcome.said
    assert server.recipients == ["ann@example.org"]


@pytest.mark.parametrize("carrier", [postmark, mailgun])
def test_an_answer_that_is_whole_counts_however_late(
    server: Provider, carrier: Callable[[str], Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=itertools.count(step=100).__next__))
    assert kinds(deliver(carrier(server.url), ["ann"])) == ["sent"]


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"null",
            b"{}",
            b"[]",
            b'[{"ErrorCode": 0}]',
            b"[1, 2, 3]",
            b'[{"ErrorCode": 0}, {"ErrorCode": 0}',
            b"\xff\xfe",
        ),
        *(b'[{"ErrorCode": null}, {"ErrorCode": "0"}]', b'[{"ErrorCode": true}, 7]', b"[" * 100_000),
    ],
)
def test_an_answer_that_does_not_say_which_were_taken_leaves_all_uncertain(server: Provider, body: bytes) -> None:
    server.answers = [fake.garbles(body)]
    assert kinds(deliver(postmark(server.url), ["ann", "ben"], doubt=True)) == ["uncertain", "uncertain"]


@pytest.mark.parametrize("carrier", [postmark, mailgun])
def test_a_provider_that_cannot_be_reached_is_one_sentence_and_nothing_is_given_out(
    carrier: Callable[[str], Transport],
) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    def never(ready: Sequence[int]) -> Sequence[int]:
        raise AssertionError("a delivery was marked as given out")

    with pytest.raises(DeliveryError, match=r"at http://127.0.0.1:\d+ cannot be reached") as caught:
        deliver(carrier(url), ["ann"], never)
    assert "token" not in str(caught.value)


def test_a_provider_without_tls_where_it_is_asked_for_is_one_sentence(server: Provider) -> None:
    with pytest.raises(DeliveryError, match="shows a certificate that cannot be trusted, or speaks no TLS"):
        deliver(postmark(f"https://127.0.0.1:{server.port}"), ["ann"])


@pytest.mark.parametrize("carrier", [postmark, mailgun])
def test_a_provider_that_vanishes_before_a_request_has_not_got_it(carrier: Callable[[str], Transport]) -> None:
    done: list[tuple[int, Outcome]] = []
    with fake.provider() as server, carrier(server.url) as transport:
        transport.carry([envelope(1, "ann")], lambda ready: Turn(ready, ()), done)
        for session in getattr(transport, "_sessions", None) or [transport._session]:  # type: ignore[attr-defined]
            session.close()
        transport._interface = transport._interface.__class__(  # type: ignore[attr-defined]
            "Postmark", f"http://127.0.0.1:{free_port()}", 1
        )
        with pytest.raises(DeliveryError, match="cannot be reached"):
            transport.carry([envelope(2, "ben")], lambda ready: Turn(ready, ()), done)
    assert [outcome.kind for _number, outcome in done] == ["sent", "deferred"]


def test_a_request_that_broke_off_was_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for greeting in (b"HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b""):
                taken, _ = listening.accept()
                with taken:
                    taken.recv(1000)
                    taken.sendall(greeting)

        server = Thread(target=serve)
        server.start()
        # Of a request of megabytes a connection holds only a part.
        large = replace(envelope(1, "ann"), content=b"From: a@x\r\nSubject: x\r\n\r\n" + b"x" * 70 * 400_000)
        done: list[tuple[int, Outcome]] = []
        with postmark(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout_seconds=20) as transport:
            transport.carry([large], lambda ready: Turn(ready, ()), done)
        server.join()
    assert [outcome.kind for _number, outcome in done] == ["deferred"]


def test_a_message_withheld_is_not_in_the_request(server: Provider) -> None:
    outcomes = deliver(postmark(server.url), ["ann", "ben", "cho"], lambda ready: [one for one in ready if one != 1])
    assert kinds(outcomes) == ["sent", "withheld", "sent"]
    assert server.recipients == ["ann@example.org", "cho@example.org"]


@pytest.mark.parametrize("carrier", [postmark, mailgun])
def test_an_address_that_would_be_several_fails_alone(server: Provider, carrier: Callable[[str], Transport]) -> None:
    outcomes = deliver(carrier(server.url), ["ann", "eve@example.net,ben", "x\r\nBcc: eve", "cho"])
    assert kinds(outcomes) == ["sent", "failed", "failed", "sent"]
    assert server.recipients == ["ann@example.org", "cho@example.org"]


@pytest.mark.parametrize(("carrier", "requests"), [(postmark, 3), (mailgun, 120)])
def test_a_long_mailing_goes_in_batches(server: Provider, carrier: Callable[[str], Transport], requests: int) -> None:
    assert kinds(deliver(carrier(server.url), [f"r{number}" for number in range(120)])) == ["sent"] * 120
    assert len(set(server.recipients)) == len(server.received) == 120
    assert len(server.requests) == requests


# As a whole


ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def drain(
    engine: Engine, settings: Settings, rendered: Rendered, server: Provider, clock: Callable[[], datetime]
) -> Callable[[Mailing], dict[str, int]]:
    over_http = settings.model_copy(
        update={
            "delivery": settings.delivery.model_copy(update={"transport": "postmark"}),
            "postmark": sections.Postmark(url=server.url, token=SecretStr("token"), timeout_seconds=30),
        }
    )

    def drain(mailing: Mailing) -> dict[str, int]:
        contents, transport = some_contents(rendered, over_http), sending.transport_of(over_http)
        counted = sending.drain(engine, over_http, mailing, contents, transport, clock, sleep=lambda _: None)
        assert sum(counted.values()) == mailing.audience
        return {state: count for state, count in counted.items() if count}

    return drain


def test_one_answer_of_several_that_is_lost_stops_nothing(server: Provider) -> None:
    server.answers = [fake.says(502)]
    assert sorted(kinds(deliver(mailgun(server.url), [f"r{number}" for number in range(20)]))) == (
        ["sent"] * 19 + ["uncertain"]
    )


@ON_SQLITE
def test_a_batch_whose_answer_is_lost_is_held_and_the_rest_goes_once(
    add_readers: AddReaders, queue: Queue, drain: Callable[[Mailing], dict[str, int]], server: Provider
) -> None:
    add_readers(120, *(f"{name}@example.org" for name in ("inactive", "invalid", "maintenance")))
    server.answers = [fake.all_is_well, fake.hangs_up, fake.all_is_well]
    mailing = queue()
    with pytest.raises(
        DeliveryError, match=r"Postmark does not tell what became of 50 messages .*, so sending stopped"
    ):
        drain(mailing)
    counted = drain(mailing)
    assert counted["uncertain"] == 50
    assert counted["sent"] + 50 == len(server.received) == len(set(server.recipients)) >= 120
    assert drain(mailing) == counted
    assert counted["sent"] + 50 == len(server.received)


@ON_SQLITE
def test_a_token_that_is_refused_stops_the_sending_and_loses_nobody(
    add_readers: AddReaders, queue: Queue, drain: Callable[[Mailing], dict[str, int]], server: Provider, rows: Rows
) -> None:
    add_readers(120)
    server.answers = [fake.says(401, '{"ErrorCode": 10, "Message": "No such token"}')]
    mailing = queue()
    with pytest.raises(DeliveryError, match="Postmark: 401 No such token"):
        drain(mailing)
    assert {row["state"] for row in rows("delivery")} == {"pending", "deferred"}
    assert drain(mailing) == {"sent": 70, "deferred": 50}


# What is asked beforehand


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transport": "postmark"}, "[postmark] has no token"),
        ({"transport": "mailgun"}, "[mailgun] wants a domain and a token"),
    ],
)
def test_a_provider_without_a_token_is_one_sentence(settings: Settings, change: dict[str, str], said: str) -> None:
    chosen = settings.model_copy(update={"delivery": settings.delivery.model_copy(update=change)})
    with pytest.raises(ConfigError) as caught:
        sending.transport_of(chosen)
    assert str(caught.value).startswith(said)


def test_a_probe_mails_nothing_and_knows_a_good_token_from_a_bad_one(server: Provider) -> None:
    good = sections.Postmark(url=server.url, token=SecretStr("token"), stream="weekly")
    assert postmark_module.probe(good) == "Postmark answers and knows the token and the message stream weekly"
    with pytest.raises(DeliveryError, match="broadcast adds an unsubscribe link of Postmark's own"):
        postmark_module.probe(good.model_copy(update={"stream": "broadcast"}))
    with pytest.raises(DeliveryError, match=r"Postmark refuses the token \(401\); check \[postmark\] token"):
        postmark_module.probe(good.model_copy(update={"token": SecretStr("other")}))
    ours = sections.Mailgun(url=server.url, token=SecretStr("token"), domain="digest.example")
    server.answers = [fake.says(400, '{"message": "to parameter is missing"}'), fake.says(404), fake.says(401)]
    assert mailgun_module.probe(ours) == "Mailgun answers and knows the token for digest.example"
    with pytest.raises(DeliveryError, match="Mailgun answers 404"):
        mailgun_module.probe(ours)
    with pytest.raises(DeliveryError, match="refuses the token"):
        mailgun_module.probe(ours)
    assert server.received == []
