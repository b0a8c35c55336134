"""The bytes on the wire, read back by the standard library's parser."""

import email
import email.policy
import quopri
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests import builders as b

from digest.config.settings import Settings
from digest.delivery import message
from digest.delivery.message import NOBODY, Own, compile_mail
from digest.delivery.outbox import Mailing
from digest.edition.rendered import Rendered
from digest.edition.renditions import Duty, Rendition
from digest.errors import DeliveryError
from digest.rendering.email import render
from digest.rendering.fragments import Part
from digest.rendering.letters import letter
from digest.rendering.renditions import Mail, assemble
from digest.rendering.templates import ANY_SLOT, UNSUBSCRIBE_SLOT
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


LETTER = Mailing(2, "confirmation", "2026-W18", "", datetime(2026, 5, 4, 9, 0, tzinfo=UTC), 1)
ACTION = "https://digest.example/confirm/token?a=1&b=2"
DUTIES = {"KR": (Duty("consent"), Duty("label", "(광고)")), "ZZ": (Duty("complaints"),)}


@pytest.fixture
def mail(rendered: Rendered) -> Mail:
    return assemble(rendered, Rendition())


def built(mail: Mail, mailing: Mailing, settings: Settings, reader: Subscriber = ANN, own: Own = NOBODY) -> bytes:
    compiled = compile_mail(mail, mailing, settings, lapsing=own.keep is not None)
    return message.build(compiled, reader, KEYS, own)


def build(mail: Mail, settings: Settings, reader: Subscriber = ANN, **changed: Any) -> bytes:
    return built(mail._replace(**changed), MAILING, settings, reader)


def parse(content: bytes) -> EmailMessage:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert not any(part.defects for part in parsed.walk())
    return parsed


def header_names(content: bytes) -> Sequence[bytes]:
    return re.findall(rb"(?m)^([^\s:]+):", content.partition(b"\r\n\r\n")[0])


EXPECTED = [
    *(b"Date", b"From", b"To", b"Reply-To", b"Subject", b"Message-ID", b"List-Id"),
    *(b"List-Unsubscribe", b"List-Unsubscribe-Post", b"Feedback-ID", b"MIME-Version", b"Content-Type"),
]


def test_a_message_has_exactly_the_headers_it_should(mail: Mail, settings: Settings) -> None:
    content = build(mail, settings)
    parsed = parse(content)
    assert header_names(content) == EXPECTED
    assert parsed["From"] == "Digest <news@digest.example>"
    assert parsed["To"] == "Ann@example.org"
    assert parsed["Subject"] == mail.subject
    assert parsed["Date"] == "Mon, 04 May 2026 09:00:00 +0000"
    assert parsed["List-Id"] == '"Digest" <weekly.digest.example>'


def test_one_click_headers_are_raw(mail: Mail, settings: Settings) -> None:
    content = build(mail, settings)
    assert f"\r\nList-Unsubscribe: <{URL}>\r\n".encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


def test_a_very_long_unsubscribe_link_stays_on_one_line(mail: Mail, settings: Settings) -> None:
    series = settings.series.model_copy(update={"base_url": "https://digest.example/" + "long/" * 60})
    content = build(mail, settings.model_copy(update={"series": series}))
    assert re.search(rb"\r\nList-Unsubscribe: <https://digest.example/(long/){60}unsubscribe/[\w-]{32}>\r\n", content)


def test_both_parts_say_what_was_rendered_with_the_readers_own_link(mail: Mail, settings: Settings) -> None:
    parsed = parse(build(mail, settings))
    assert [part.get_content_type() for part in parsed.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    plain, rich = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    assert plain == mail.text.replace(UNSUBSCRIBE_SLOT, URL)
    assert mail.html is not None
    assert rich == mail.html.replace(UNSUBSCRIBE_SLOT, URL)


def test_a_link_is_escaped_in_html_only(mail: Mail, settings: Settings) -> None:
    series = settings.series.model_copy(update={"base_url": "https://digest.example/?a=1&b"})
    plain, rich = parse(build(mail, settings.model_copy(update={"series": series}))).iter_parts()
    assert "?a=1&b/unsubscribe/" in plain.get_content()
    assert "?a=1&amp;b/unsubscribe/" in rich.get_content()


def test_lines_end_in_crlf_and_none_is_too_long(mail: Mail, settings: Settings) -> None:
    text = f"{'a' * 3000}\n{'é…語' * 500}\nends in a space \r\nold mac\rtabs\t\n.\n" + UNSUBSCRIBE_SLOT
    content = build(mail, settings, text=text, html=text, subject="é" * 200)
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content.isascii()
    assert max(len(line) for line in content.partition(b"\r\n\r\n")[2].split(b"\r\n")) <= 76
    expected = text.replace("\r\n", "\n").replace("\r", "\n").replace(UNSUBSCRIBE_SLOT, URL) + "\n"
    assert [part.get_content().replace("\r\n", "\n") for part in parse(content).iter_parts()] == [expected] * 2


@pytest.mark.parametrize("subject", HOSTILE)
def test_no_subject_adds_a_header_or_breaks_a_line(mail: Mail, settings: Settings, subject: str) -> None:
    content = build(mail, settings, subject=subject)
    parsed = parse(content)
    assert header_names(content) == EXPECTED
    assert parsed["Bcc"] is None
    assert "=?" not in parsed["Subject"]
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("name", HOSTILE)
def test_no_display_name_adds_a_header(mail: Mail, settings: Settings, name: str) -> None:
    hostile = settings.model_copy(update={"mail": settings.mail.model_copy(update={"from_name": name + '"\\'})})
    content = build(mail, hostile)
    assert header_names(content) == EXPECTED
    assert parse(content)["From"].addresses[0].addr_spec == "news@digest.example"


def test_a_hostile_address_adds_no_header(mail: Mail, settings: Settings) -> None:
    reader = Subscriber(1, "a\r\nBcc: evil@x.org", "a@x.org", Consent("confirmed"), "en", ())
    assert header_names(build(mail, settings, reader)) == EXPECTED


def test_encoded_words_are_as_short_as_the_standard_wants(mail: Mail, settings: Settings) -> None:
    content = build(mail, settings, subject="Größe: " + "ö" * 150)
    words = re.findall(rb"=\?utf-8\?[^?]+\?[^?]*\?=", content)
    assert len(words) > 3
    assert max(map(len, words)) <= 75
    assert parse(content)["Subject"] == "Größe: " + "ö" * 150


def test_the_same_mailing_to_the_same_reader_is_the_same_bytes(mail: Mail, settings: Settings) -> None:
    assert build(mail, settings) == build(mail, settings)


def test_message_ids_differ_by_reader_and_week_and_hold_no_address(settings: Settings) -> None:
    ben = Subscriber(4712, "ben@example.org", "ben@example.org", Consent("confirmed"), "en", ())
    later = Mailing(2, "edition", "2026-W19", "hash", MAILING.queued_at, 1)
    weeks = [compile_mail(letter("preferences", settings), week, settings) for week in (MAILING, later)]
    numbers = {message.message_id(compiled, reader.id) for reader in (ANN, ben) for compiled in weeks}
    assert len(numbers) == 4
    assert all(re.fullmatch(r"[0-9a-f]{32}@digest\.example", number) for number in numbers)


def test_an_address_with_a_non_ascii_local_part_stands_raw_in_to(mail: Mail, settings: Settings) -> None:
    reader = Subscriber(1, "jürgen@example.org", "jürgen@example.org", Consent("confirmed"), "en", ())
    assert "\r\nTo: jürgen@example.org\r\n".encode() in build(mail, settings, reader)


def test_a_mail_without_a_way_to_leave_in_both_parts_is_not_sent(mail: Mail, settings: Settings) -> None:
    shut = "nothing to leave by"
    for broken in (mail._replace(html=shut), mail._replace(text=shut), mail._replace(html=None, text=shut)):
        with pytest.raises(DeliveryError, match="no unsubscribe link"):
            build(broken, settings)


def test_plain_text_alone_is_one_part_with_the_same_headers(mail: Mail, settings: Settings) -> None:
    content = build(mail, settings, html=None)
    parsed = parse(content)
    assert header_names(content) == [*EXPECTED, b"Content-Transfer-Encoding"]
    assert parsed.get_content_type() == "text/plain"
    assert parsed.get_content().replace("\r\n", "\n") == mail.text.replace(UNSUBSCRIBE_SLOT, URL)
    assert f"\r\nList-Unsubscribe: <{URL}>\r\n".encode() in content


# Letters


@pytest.mark.parametrize("kind", ["confirmation", "preferences"])
def test_a_letter_has_the_headers_of_an_edition_and_its_own_sender(settings: Settings, kind: Any) -> None:
    apart = settings.model_copy(update={"mail": settings.mail.model_copy(update={"letters_address": "hi@x.example"})})
    mailing = Mailing(2, kind, "2026-W18", "", MAILING.queued_at, 1)
    content = built(letter(kind, apart), mailing, apart, ANN, Own(action=ACTION))
    assert header_names(content) == EXPECTED
    assert parse(content)["From"] == "Digest <hi@x.example>"
    assert str(parse(content)["Message-ID"]).endswith("@x.example>")
    assert f"\r\nList-Unsubscribe: <{URL}>\r\n".encode() in content
    assert message.sender_of(MAILING, apart) == message.sender_of(mailing, settings) == "news@digest.example"


def test_a_letters_button_leads_where_it_should_in_both_parts(settings: Settings) -> None:
    content = built(letter("confirmation", settings), LETTER, settings, ANN, Own(action=ACTION))
    plain, rich = (part.get_content() for part in parse(content).iter_parts())
    assert f"\n{ACTION}\n" in plain.replace("\r\n", "\n")
    assert f'href="{ACTION.replace("&", "&amp;")}"' in rich
    assert ANY_SLOT.search(plain + rich) is None


def test_nothing_of_the_reader_but_the_address_it_goes_to_stands_in_a_letter(settings: Settings) -> None:
    content = built(letter("confirmation", settings), LETTER, settings, ANN, Own(action=ACTION))
    assert content.count(b"Ann@") == 1
    assert b"ann@" not in content


# What is one reader's own


def one_of(regime: str, settings: Settings, own: Own) -> tuple[EmailMessage, str, str]:
    mail = assemble(render(b.an_empty_edition(), settings, duties=DUTIES), Rendition(regime=regime))
    parsed = parse(built(mail, MAILING, settings, ANN, own))
    plain, rich = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    return parsed, plain, rich


def test_a_label_and_the_day_of_consent_are_where_the_region_wants_them(settings: Settings) -> None:
    own = Own(consented_on=date(2026, 3, 12), consent_method="sign-up form")
    parsed, plain, rich = one_of("KR", settings, own)
    assert str(parsed["Subject"]).startswith("(광고) ")
    for part in (plain, rich):
        assert "You agreed on 12 Mar 2026 (sign-up form)." in part
        assert ANY_SLOT.search(part) is None
    parsed, plain, rich = one_of("ZZ", settings, own)
    assert "광고" not in parsed["Subject"]
    assert "You agreed on" not in plain + rich


def test_a_reader_whose_consent_lapses_is_told_the_days_and_how_to_keep_it(settings: Settings) -> None:
    lapses = (date(2026, 11, 3), "https://digest.example/confirm/t?a&b")
    for part in one_of("ZZ", settings, Own(consented_on=date(2024, 11, 3), keep=lapses))[1:]:
        assert "Your consent of 3 Nov 2024 lapses on 3 Nov 2026." in part
        assert "https://digest.example/confirm/t?a&" in part
        assert part.index("lapses on") < part.index("No source said")
        assert part.count(URL) == 2
        assert ANY_SLOT.search(part) is None
    for part in one_of("ZZ", settings, Own(consented_on=date(2024, 11, 3)))[1:]:
        assert "lapses" not in part
        assert part.count(URL) == 1


def test_a_mail_that_wants_the_day_of_consent_does_not_go_out_without_it(settings: Settings) -> None:
    with pytest.raises(DeliveryError, match="consent"):
        one_of("KR", settings, Own())
    with pytest.raises(DeliveryError, match="action"):
        built(letter("confirmation", settings), LETTER, settings, ANN)


def test_how_a_reader_agreed_is_text_and_never_markup_or_a_link(settings: Settings) -> None:
    method = f'<img src=x> "{UNSUBSCRIBE_SLOT}" \r\n\u202e' + "fair " * 40
    _, plain, rich = one_of("KR", settings, Own(consented_on=date(2026, 3, 12), consent_method=method))
    assert "<img" not in rich
    assert rich.count(URL) == plain.count(URL) == 1
    assert [line for line in plain.splitlines() if len(line) > 72 and "://" not in line] == []


def test_a_watch_list_stands_in_both_parts(settings: Settings) -> None:
    _, plain, rich = one_of("ZZ", settings, Own(Part("<p>my list</p>", "my list\n\n")))
    assert "<p>my list</p>" in rich
    assert "\n\nmy list\n\nSource health\n" in plain


def test_no_line_of_a_message_begins_with_a_dot_and_none_is_longer_for_it(mail: Mail, settings: Settings) -> None:
    text = "\n".join(["." * n + "=" * n for n in range(90)]) + f"\n.\n..\n{UNSUBSCRIBE_SLOT}."
    body = build(mail, settings, text=text, html=text).partition(b"\r\n\r\n")[2]
    assert [line for line in body.split(b"\r\n") if line.startswith(b".") or len(line) > 76] == []
    parts = [part.get_content().replace("\r\n", "\n") for part in parse(build(mail, settings, text=text)).iter_parts()]
    assert parts[0] == text.replace(UNSUBSCRIBE_SLOT, URL) + "\n"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), min_size=1, max_size=4))
@example(["0" * 76, ""])
@example(["." + "0" * 75, ""])
@example(["000000=\x80\x80\x80\U00010000\U00010000\U00010000\U000100000", ""])
def test_cut_and_encoded_pieces_are_read_back_as_they_were(pieces: list[str]) -> None:
    settings = b.some_settings()
    text = UNSUBSCRIBE_SLOT.join(["", *(piece.replace("\r", "") for piece in pieces)])
    content = built(Mail("s", None, text), MAILING, settings)
    read = content.partition(b"\r\n\r\n")[2]
    assert max(map(len, read.split(b"\r\n"))) <= 76
    wanted = text.rstrip("\n").replace(UNSUBSCRIBE_SLOT, URL) + "\n"
    assert quopri.decodestring(read).decode().replace("\r\n", "\n") == wanted
