"""The bytes on the wire, read back by the standard library's parser."""

import email
import email.policy
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from digest.config import Settings
from digest.delivery import message
from digest.delivery.outbox import Mailing
from digest.edition.content import Rendered
from digest.errors import DeliveryError
from digest.rendering.templates import UNSUBSCRIBE_SLOT
from digest.subscribers import links
from digest.subscribers.consent import Consent
from digest.subscribers.store import Subscriber

KEYS = [b"k" * 32]
ANN = Subscriber(4711, "Ann@example.org", "ann@example.org", Consent("confirmed"), "en", ())
MAILING = Mailing(1, "edition", "2026-W18", "hash", datetime(2026, 5, 4, 9, 0, tzinfo=UTC), 1)
URL = f"https://digest.example/unsubscribe/{links.sign('unsubscribe', 4711, KEYS)}"
HOSTILE = [
    "=?utf-8?q?A=0A_Bcc:_evil=40example.net?=",
    "==??utf-8?q?=0ABcc:_evil=40example.net?=",
    "new model\r\nBcc: evil@example.net",
    "new model\nBcc: evil@example.net",
    "new model\rBcc: evil@example.net",
    "new\u0085Bcc: evil@example.net",
    "new\u2028Bcc: evil\u2029@example.net",
    "new\x00\x0b\x0cmodel\x1b[31m",
    "…" * 300,
    "modèle =?utf-8?q?=0ABcc:_evil=40example.net?= " * 5,
    "",
]


def build(rendered: Rendered, settings: Settings, reader: Subscriber = ANN, **changed: Any) -> bytes:
    return message.build(rendered.model_copy(update=changed), reader, MAILING, settings, KEYS)


def parse(content: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not any(part.defects for part in parsed.walk())
    return parsed


def header_names(content: bytes) -> Sequence[bytes]:
    return re.findall(rb"(?m)^([^\s:]+):", content.partition(b"\r\n\r\n")[0])


EXPECTED = [
    *(b"Date", b"From", b"To", b"Reply-To", b"Subject", b"Message-ID", b"List-Id"),
    *(b"List-Unsubscribe", b"List-Unsubscribe-Post", b"MIME-Version", b"Content-Type"),
]


def test_a_message_has_exactly_the_headers_it_should(rendered: Rendered, settings: Settings) -> None:
    content = build(rendered, settings)
    parsed = parse(content)
    assert header_names(content) == EXPECTED
    assert parsed["From"] == "Digest <news@digest.example>"
    assert parsed["To"] == "Ann@example.org"
    assert parsed["Subject"] == rendered.subject
    assert parsed["Date"] == "Mon, 04 May 2026 09:00:00 +0000"
    assert parsed["List-Id"] == '"Digest" <weekly.digest.example>'


def test_one_click_headers_are_raw(rendered: Rendered, settings: Settings) -> None:
    content = build(rendered, settings)
    assert f"\r\nList-Unsubscribe: <{URL}>\r\n".encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


def test_a_very_long_unsubscribe_link_stays_on_one_line(rendered: Rendered, settings: Settings) -> None:
    series = settings.series.model_copy(update={"base_url": "https://digest.example/" + "long/" * 60})
    content = build(rendered, settings.model_copy(update={"series": series}))
    assert re.search(rb"\r\nList-Unsubscribe: <https://digest.example/(long/){60}unsubscribe/[\w-]{32}>\r\n", content)


def test_both_parts_say_what_was_rendered_with_the_readers_own_link(rendered: Rendered, settings: Settings) -> None:
    parsed = parse(build(rendered, settings))
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain, rich = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    assert plain == rendered.text.replace(UNSUBSCRIBE_SLOT, URL)
    assert rich == rendered.html.replace(UNSUBSCRIBE_SLOT, URL)


def test_a_link_is_escaped_in_html_only(rendered: Rendered, settings: Settings) -> None:
    series = settings.series.model_copy(update={"base_url": "https://digest.example/?a=1&b"})
    plain, rich = parse(build(rendered, settings.model_copy(update={"series": series}))).iter_parts()
    assert "?a=1&b/unsubscribe/" in plain.get_content()
    assert "?a=1&amp;b/unsubscribe/" in rich.get_content()


def test_lines_end_in_crlf_and_none_is_too_long(rendered: Rendered, settings: Settings) -> None:
    text = f"{'a' * 3000}\n{'é…語' * 500}\nends in a space \r\nold mac\rtabs\t\n.\n" + UNSUBSCRIBE_SLOT
    content = build(rendered, settings, text=text, html=text, subject="é" * 200)
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content.isascii()
    assert max(len(line) for line in content.partition(b"\r\n\r\n")[2].split(b"\r\n")) <= 76
    expected = text.replace("\r\n", "\n").replace("\r", "\n").replace(UNSUBSCRIBE_SLOT, URL) + "\n"
    assert [part.get_content().replace("\r\n", "\n") for part in parse(content).iter_parts()] == [expected] * 2


@pytest.mark.parametrize("subject", HOSTILE)
def test_no_subject_adds_a_header_or_breaks_a_line(rendered: Rendered, settings: Settings, subject: str) -> None:
    content = build(rendered, settings, subject=subject)
    parsed = parse(content)
    assert header_names(content) == EXPECTED
    assert parsed["Bcc"] is None
    assert "=?" not in parsed["Subject"]
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("name", HOSTILE)
def test_no_display_name_adds_a_header(rendered: Rendered, settings: Settings, name: str) -> None:
    hostile = settings.model_copy(update={"mail": settings.mail.model_copy(update={"from_name": name + '"\\'})})
    content = build(rendered, hostile)
    assert header_names(content) == EXPECTED
    assert parse(content)["From"].addresses[0].addr_spec == "news@digest.example"


def test_a_hostile_address_adds_no_header(rendered: Rendered, settings: Settings) -> None:
    reader = Subscriber(1, "a\r\nBcc: evil@x.org", "a@x.org", Consent("confirmed"), "en", ())
    assert header_names(build(rendered, settings, reader)) == EXPECTED


def test_encoded_words_are_as_short_as_the_standard_wants(rendered: Rendered, settings: Settings) -> None:
    content = build(rendered, settings, subject="Größe: " + "ö" * 150)
    words = re.findall(rb"=\?utf-8\?[^?]+\?[^?]*\?=", content)
    assert len(words) > 3
    assert max(map(len, words)) <= 75
    assert parse(content)["Subject"] == "Größe: " + "ö" * 150


def test_the_same_mailing_to_the_same_reader_is_the_same_bytes(rendered: Rendered, settings: Settings) -> None:
    assert build(rendered, settings) == build(rendered, settings)


def test_message_ids_differ_by_reader_and_week_and_hold_no_address(settings: Settings) -> None:
    ben = Subscriber(4712, "ben@example.org", "ben@example.org", Consent("confirmed"), "en", ())
    later = Mailing(2, "edition", "2026-W19", "hash", MAILING.queued_at, 1)
    numbers = {message.message_id(reader, week, settings) for reader in (ANN, ben) for week in (MAILING, later)}
    assert len(numbers) == 4
    assert all(re.fullmatch(r"[0-9a-f]{32}@digest\.example", number) for number in numbers)


def test_an_address_with_a_non_ascii_local_part_stands_raw_in_to(rendered: Rendered, settings: Settings) -> None:
    reader = Subscriber(1, "jürgen@example.org", "jürgen@example.org", Consent("confirmed"), "en", ())
    assert "\r\nTo: jürgen@example.org\r\n".encode() in build(rendered, settings, reader)


@pytest.mark.parametrize("part", ["html", "text"])
def test_an_edition_without_a_way_to_leave_is_not_mailed(rendered: Rendered, settings: Settings, part: str) -> None:
    with pytest.raises(DeliveryError, match="no unsubscribe link"):
        message.build(rendered.model_copy(update={part: "nothing to leave by"}), ANN, MAILING, settings, KEYS)
