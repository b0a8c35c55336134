"""Causes of failure: codes first, words where codes are vague or lie, and always the view that spares the reader."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery.reasons import CONSEQUENCES, Reason, milder, severity
from digest.delivery.reasons.codes import best_status, classify, coded
from digest.delivery.reasons.phrases import reason_in

STATUSES = [f"{kind}.{subject}.{detail}" for kind in "45" for subject in range(8) for detail in range(30)]
REASONS = st.sampled_from(get_args(Reason))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Recipient address rejected: User unknown in local recipient table", "no_such_mailbox"),
        ("sorry, no mailbox here by that name", "no_such_mailbox"),
        ("The email account that you tried to reach does not exist", "no_such_mailbox"),
        ("dd This user doesn’t have a yahoo.example account", "no_such_mailbox"),
        ("RESOLVER.ADR.RecipNotFound; not found", "no_such_mailbox"),
        ("unknown or illegal alias: someone", "no_such_mailbox"),
        ("Invalid recipient", "no_such_mailbox"),
        ("No such person at this address", "no_such_mailbox"),
        ("User has moved to another server", "moved"),
        ("domain does not accept mail (nullMX)", "null_mx"),
        ("Host or domain name not found", "domain_gone"),
        ("all relevant MX records point to non-existent hosts", "domain_gone"),
        ("Unrouteable address", "domain_gone"),
        ("Domain of the reader is not found", None),
        ("This account has been disabled or discontinued", "mailbox_disabled"),
        ("inactive user", "mailbox_disabled"),
        ("Requested action not taken: mailbox unavailable", "mailbox_disabled"),
        ("The recipient's inbox is out of storage space", "mailbox_full"),
        ("Quota exceeded (mailbox for user is full)", "mailbox_full"),
        ("user is over quota", "mailbox_full"),
        ("exceeded storage allocation", "mailbox_full"),
        ("message size exceeds fixed maximum message size", "too_large"),
        ("Message file too big", "too_large"),
        ("recipient has blocked you", "blocked_by_reader"),
        ("Client host blocked using zen.dnsbl.example", "blocked_policy"),
        ("Sender address rejected: domain not found", "blocked_policy"),
        ("Our system has detected an unusual rate of unsolicited mail", "blocked_policy"),
        ("AOL will not accept delivery of this message.", "blocked_policy"),
        ("temporarily greylisted", "blocked_policy"),
        ("Message contains a virus", "content"),
        ("Relaying denied", "relay_fault"),
        ("Relay access denied", "relay_fault"),
        ("sorry, that domain isn't in my list of allowed rcpthosts", "relay_fault"),
        ("mail forwarding loop for someone", "their_system"),
        ("hop count exceeded - possible mail loop", "their_system"),
        ("retry timeout exceeded", "unreachable"),
        ("Connection refused", "unreachable"),
        ("see https://example.org/policy?spam=user+unknown", None),
        ("spam@example.org", None),
        ("transaction failed for an unknown reason", None),
        ("", None),
    ],
)
def test_words_of_mail_systems_have_a_reason(words: str, reason: Reason | None) -> None:
    assert reason_in(words) == reason
    assert reason_in(words.upper()) == reason


@pytest.mark.parametrize(
    ("status", "code", "words", "reason"),
    [
        ("5.1.1", 0, "", "no_such_mailbox"),
        ("5.1.1", 0, "mailbox full", "mailbox_full"),
        ("5.2.2", 0, "user unknown", "mailbox_full"),
        ("5.0.0", 0, "user unknown", "no_such_mailbox"),
        ("5.7.1", 0, "user unknown", "no_such_mailbox"),
        ("5.7.26", 0, "user unknown", "blocked_policy"),
        ("5.1.10", 0, "", "null_mx"),
        ("5.1.10", 0, "RESOLVER.ADR.RecipientNotFound", "no_such_mailbox"),
        ("5.99.99", 0, "", "unknown"),
        ("5.7.999", 0, "", "blocked_policy"),
        ("4.99.99", 0, "", "unreachable"),
        ("4.2.2", 0, "", "mailbox_full"),
        ("", 550, "5.2.2 full", "mailbox_full"),
        ("", 0, "550 mailbox full", "mailbox_full"),
        ("", 0, "host said: 556 no", "null_mx"),
        ("", 554, "", "blocked_policy"),
        ("", 501, "", "relay_fault"),
        ("5.1.1", 450, "", "unreachable"),
        ("", 0, "1.2.3.4 and 15.1.1 and 5.1.1.1", "unknown"),
        ("nonsense", 0, "", "unknown"),
    ],
)
def test_codes_and_words_together_have_a_reason(status: str, code: int, words: str, reason: Reason) -> None:
    assert classify(status, code, words) == reason


def test_words_condemn_a_reader_only_where_the_code_is_vague() -> None:
    vague = [status for status in STATUSES if status[0] == "5" and status.endswith(".0")]
    vague += ["5.1.10", "5.4.1", "5.5.1", "5.5.2", "5.7.1"]
    for status in STATUSES:
        alone, told = coded(status, 0), classify(status, 0, "user unknown")
        assert severity(told) <= severity(alone) or status in vague, status


def test_words_spare_a_reader_whatever_the_code() -> None:
    for status in STATUSES:
        assert severity(classify(status, 0, "blocked by our spam policy")) == 0, status


def test_every_reason_has_a_consequence_and_only_the_readers_faults_suppress() -> None:
    assert set(CONSEQUENCES) == set(get_args(Reason))
    for reason, consequence in CONSEQUENCES.items():
        assert (consequence.suppress == "never") == (consequence.fault != "reader"), reason


@settings(deadline=None)
@given(REASONS, REASONS)
def test_the_milder_of_two_views_counts_and_unknown_is_none(one: Reason, other: Reason) -> None:
    found = milder(one, other)
    assert found in (one, other)
    assert severity(found) == min(severity(one), severity(other)) or "unknown" in (one, other)
    assert severity(milder(other, one)) == severity(found)


def test_the_status_that_says_most_is_taken() -> None:
    assert best_status("5.0.0", "550 5.2.2 full") == "5.2.2"
    assert best_status("5.1.1 (bad mailbox)", "550 5.2.2") == "5.1.1"
    assert best_status("", "nothing") == ""


@settings(deadline=None)
@given(st.text(), st.integers(), st.text())
def test_nothing_that_is_said_raises(status: str, code: int, words: str) -> None:
    assert classify(status, code, words) in CONSEQUENCES
