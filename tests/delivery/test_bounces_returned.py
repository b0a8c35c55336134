"""Returned mail of many systems means one thing each; what is forged, cut off or hostile changes nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.delivery import returned_mails as m
from tests.delivery.broken import broken
from tests.delivery.returned_mails import ALL, KEYS, READER, Sample, mail, report, status, suppresses

from digest.delivery.bounces import verp
from digest.delivery.bounces.returned import LONGEST_READ, Returned, read_returned
from digest.delivery.reasons import CONSEQUENCES

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
HARD = report(m.POSTFIX, status("5.1.1", m.NO_USER))
TOKEN = verp.sign(*m.WHOSE, KEYS)


def read(raw: bytes) -> Returned:
    return read_returned(raw, KEYS, NOW)


def names(samples: list[Sample]) -> Mapping[str, Any]:
    return {"argvalues": samples, "ids": [sample.name for sample in samples]}


@pytest.mark.parametrize("sample", **names(ALL))
def test_a_returned_message_has_one_meaning(sample: Sample) -> None:
    found = read(sample.raw)
    assert (found.kind, found.reason, found.status) == (sample.kind, sample.reason, sample.status)


@pytest.mark.parametrize("sample", **names([sample for sample in ALL if m.RETURN_PATH.encode() in sample.raw]))
def test_the_return_path_proves_which_delivery_it_is_about(sample: Sample) -> None:
    found = read(sample.raw)
    assert (found.mailing_id, found.subscriber_id, found.proof) == (*m.WHOSE, "return_path")


@pytest.mark.parametrize("sample", **names(ALL))
def test_nothing_that_is_kept_or_shown_names_the_reader_or_an_address_of_the_network(sample: Sample) -> None:
    found = read(sample.raw)
    for shown in (found.said, repr(found)):
        assert "ann.smith" not in shown
        assert "192.0.2" not in shown
        assert "例え" not in shown
    assert found.said.isprintable()
    assert len(found.said) <= 200


@pytest.mark.parametrize("sample", **names(ALL))
def test_without_a_genuine_signature_nothing_is_proved_and_nobody_suppressed(sample: Sample) -> None:
    found = read_returned(sample.raw, [b"another key of thirty-two letters"], NOW)
    assert (found.mailing_id, found.subscriber_id, found.proof) == (None, None, "none")
    assert suppresses(found) == "never"


@pytest.mark.parametrize("sample", **names(ALL))
def test_only_a_dead_mailbox_or_a_complaint_suppresses_at_once(sample: Sample) -> None:
    at_once = suppresses(read(sample.raw)) == "at_once"
    assert at_once == (sample.kind in ("hard", "complaint"))


def test_answers_and_what_nobody_can_read_suppress_never() -> None:
    assert {suppresses(read(sample.raw)) for sample in [*m.ANSWERS, *m.OTHERS]} == {"never"}


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To", "To"])
def test_the_return_path_is_read_where_the_mailbox_wrote_it(header: str) -> None:
    raw = f"From: MAILER-DAEMON@a.example\r\n{header}: {m.RETURN_PATH}\r\n\r\n550 5.1.1 user unknown\r\n".encode()
    assert (read(raw).kind, read(raw).proof) == ("hard", "return_path")


def test_without_a_return_path_the_link_in_the_returned_message_proves_the_reader() -> None:
    raw = HARD.replace(TOKEN.encode(), b"")
    found = read(raw)
    assert (found.mailing_id, found.subscriber_id, found.proof) == (None, m.WHOSE.subscriber_id, "unsubscribe_link")
    assert suppresses(found) == "at_once"


def test_a_forged_return_path_gives_way_to_the_genuine_link() -> None:
    forged = HARD.replace(TOKEN.encode(), TOKEN.encode()[:-1] + (b"0" if TOKEN[-1] != "0" else b"1"))
    assert read(forged).proof == "unsubscribe_link"


def test_the_message_id_and_the_address_are_told_but_prove_nothing() -> None:
    bare = m.ORIGINAL.replace(m.LINK, "").replace(TOKEN, "")
    found = read(report("", status("5.1.1", m.NO_USER), bare).replace(TOKEN.encode(), b""))
    assert (found.message_id, found.addresses, found.proof) == (m.MESSAGE_ID, (READER,), "none")
    assert suppresses(found) == "never"


def test_an_answer_names_the_message_it_answers() -> None:
    assert read(mail("Thank you.", f"In-Reply-To: <{m.MESSAGE_ID}>", sender=READER)).message_id == m.MESSAGE_ID
    assert read(mail("Thank you.", f"In-Reply-To: <{READER}>", sender=READER)).message_id == ""


def test_a_report_names_the_reader_as_its_own_system_wrote_it() -> None:
    assert read(report("", m.XTEXT_STATUS, part="global-delivery-status")).addresses == ("jürgen@müller.example",)
    forwarded = read(report("", status("5.1.1", "x", reader="old@elsewhere.example", original=READER.upper())))
    assert forwarded.addresses == (READER, "old@elsewhere.example")


def test_a_bare_local_part_goes_from_the_diagnostic_too() -> None:
    said = read(report("", status("5.1.1", "550 5.1.1 no user ann.smith on this server, Ann.Smith is gone"))).said
    assert said == "550 5.1.1 no user (address) on this server, (address) is gone"


@pytest.mark.parametrize("sample", **names([*m.DELIVERY_REPORTS, *m.NOTICES, *m.COMPLAINTS]))
def test_mail_that_is_cut_off_anywhere_is_read_and_never_means_worse(sample: Sample) -> None:
    weights = {"never": 0, "in_a_row": 1, "at_once": 2}
    whole = weights[suppresses(read(sample.raw))]
    for end in range(0, len(sample.raw), 37):
        cut = read(sample.raw[:end])
        assert weights[suppresses(cut)] <= max(whole, 1), end


def test_a_report_that_is_cut_off_in_its_status_is_no_proof_that_the_mailbox_is_dead() -> None:
    in_status = HARD.index(b"Status: 5.1.1") + len(b"Status: 5.1.1")
    found = read(HARD[:in_status])
    assert (found.kind, found.reason, found.status, found.proof) == ("soft", "unknown", "5.1.1", "return_path")
    in_original = HARD.index(b"Message-ID")
    assert (read(HARD[:in_original]).kind, read(HARD[:in_original]).reason) == ("hard", "no_such_mailbox")


def test_a_report_of_many_megabytes_is_read_at_its_beginning() -> None:
    found = read(HARD + b"x" * 8_000_000)
    assert found.kind == "hard"
    assert read(b"x" * LONGEST_READ + HARD).kind == "unknown"


@settings(deadline=None)
@given(st.binary(max_size=2000))
@example(b"Content-Type: multipart/report; boundary=a; report-type=delivery-status\n\n--a\n")
@example(b'Content-Type: text/plain; charset="\xff\x00"\n\n\xff')
@example(b"Content-Type: text/plain; charset=idna\nContent-Transfer-Encoding: base64\n\n=\xff")
@example(b"Subject: =?utf-7?b?////?=\nFrom: =?x?q?=00?=\n\n")
@example(b"Auto-Submitted:\n :\n\n")
def test_no_bytes_raise(raw: bytes) -> None:
    found = read(raw)
    assert found.proof == "none"
    assert found.reason is None or found.reason in CONSEQUENCES


@settings(deadline=None)
@given(st.sampled_from(ALL), st.randoms(use_true_random=False))
def test_no_broken_mail_raises_or_names_another_delivery(sample: Sample, chance: Any) -> None:
    found = read(broken(sample.raw, chance))
    assert found.subscriber_id in (None, m.WHOSE.subscriber_id)
    assert found.mailing_id in (None, m.WHOSE.mailing_id)
    assert "@" not in found.said
