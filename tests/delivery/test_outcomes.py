"""Replies of relays, in one vocabulary."""

from datetime import UTC, datetime, timedelta

import pytest

from digest.delivery.outcomes import Kind, Stage, lost, next_attempt, of_reply
from digest.delivery.pacing import Pace
from digest.delivery.reasons import CONSEQUENCES, Reason

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
THREE_DAYS = timedelta(hours=72)


@pytest.mark.parametrize(
    ("stage", "code", "text", "kind"),
    [
        ("dot", 250, b"2.0.0 Ok: queued as 4F9", "sent"),
        ("RCPT", 421, b"4.7.0 try later", "deferred"),
        ("RCPT", 450, b"4.2.0 greylisted", "deferred"),
        ("dot", 451, b"local error", "deferred"),
        ("RCPT", 452, b"4.2.2 mailbox full", "deferred"),
        ("RCPT", 550, b"5.1.1 no such user", "failed"),
        ("RCPT", 550, b"5.1.10 null MX", "failed"),
        ("RCPT", 550, b"no such user", "failed"),
        ("RCPT", 552, b"5.2.2 mailbox full", "failed"),
        ("RCPT", 552, b"mailbox full", "failed"),
        ("RCPT", 550, b"5.7.13 account disabled", "failed"),
        ("RCPT", 553, b"5.6.7 address wants SMTPUTF8", "failed"),
        ("RCPT", 554, b"5.7.1 relay access denied", "refused"),
        ("dot", 550, b"5.7.515 access denied, sender not authenticated", "deferred"),
        ("dot", 554, b"rejected", "deferred"),
        ("MAIL", 530, b"5.7.0 log in first", "refused"),
        ("MAIL", 550, b"5.1.8 sender's domain", "refused"),
        ("MAIL", 550, b"5.1.0 sender", "refused"),
        ("MAIL", 503, b"bad sequence", "refused"),
        ("MAIL", 552, b"5.3.4 too big", "content"),
        ("dot", 552, b"too big", "content"),
        ("dot", 554, b"5.6.0 bad content", "content"),
        ("dot", -1, b"nonsense", "uncertain"),
        ("dot", 354, b"go on", "uncertain"),
        ("DATA", 250, b"ok?", "refused"),
        ("RCPT", 550, b"5.1.1.1 no enhanced code", "failed"),
        ("RCPT", 554, b"5.7.1 no such user here", "failed"),
        ("RCPT", 550, b"5.1.1 listed in a spam list", "failed"),
        ("MAIL", 550, b"message too large", "content"),
        ("dot", 550, b"5.7.1 too much spam", "deferred"),
    ],
)
def test_a_reply_has_one_meaning(stage: Stage, code: int, text: bytes, kind: Kind) -> None:
    assert of_reply(stage, code, text).kind == kind


@pytest.mark.parametrize(
    ("stage", "code", "text", "reason"),
    [
        ("RCPT", 550, b"5.1.1 no such user", "no_such_mailbox"),
        ("RCPT", 550, b"5.1.10 null MX", "null_mx"),
        ("RCPT", 550, b"no such user", "no_such_mailbox"),
        ("RCPT", 550, b"5.1.1 over quota", "mailbox_full"),
        ("RCPT", 550, b"5.1.1 listed in a spam list", "blocked_policy"),
        ("RCPT", 552, b"no", "mailbox_full"),
        ("dot", 552, b"no", "too_large"),
        ("RCPT", 450, b"4.1.1 no such user", "unreachable"),
        ("RCPT", 450, b"5.1.1 no such user", "unreachable"),
        ("RCPT", 452, b"4.2.2 over quota", "mailbox_full"),
        ("RCPT", 550, b"", "unknown"),
        ("MAIL", 550, b"5.1.1 no such user", "blocked_policy"),
        ("MAIL", 530, b"5.7.0 log in first", "blocked_policy"),
        ("DATA", 250, b"ok?", "relay_fault"),
        ("dot", 250, b"2.0.0 ok", None),
    ],
)
def test_a_reply_that_refuses_says_why(stage: Stage, code: int, text: bytes, reason: Reason | None) -> None:
    assert of_reply(stage, code, text).reason == reason


@pytest.mark.parametrize(
    ("stage", "code", "text", "pace"),
    [
        ("RCPT", 421, b"4.7.28 unusual rate of mail", "pause"),
        ("dot", 421, b"4.7.0 [TSS04] deferred", "pause"),
        ("RCPT", 421, b"4.3.2 closing down", "slow"),
        ("RCPT", 421, b"too many connections", "slow"),
        ("RCPT", 451, b"4.7.650 the mail server has been temporarily rate limited", "slow"),
        ("dot", 450, b"4.7.1 greylisted", "slow"),
        ("dot", 550, b"5.7.26 not authenticated", "pause"),
        ("RCPT", 554, b"5.7.1 listed at a blocklist", "pause"),
        ("MAIL", 421, b"4.7.0 too many messages in this session", "keep"),
        ("RCPT", 450, b"4.2.0 greylisted", "keep"),
        ("RCPT", 550, b"5.1.1 no such user", "keep"),
        ("dot", 250, b"2.0.0 ok", "keep"),
    ],
)
def test_a_reply_says_whether_to_slow_down_or_to_stop_for_a_while(
    stage: Stage, code: int, text: bytes, pace: Pace
) -> None:
    assert of_reply(stage, code, text).pace == pace


def test_a_provider_that_refuses_us_suppresses_nobody() -> None:
    outcome = of_reply("dot", 550, b"5.7.26 not authenticated")
    assert outcome.kind == "deferred"
    assert outcome.reason is not None
    assert CONSEQUENCES[outcome.reason].suppress == "never"


def test_no_reply_for_now_and_none_to_the_sender_ever_suppresses_a_reader_at_once() -> None:
    words = (b"", b"no such user", b"null MX", b"user has moved")
    statuses = [f"{kind}.{subject}.{detail} ".encode() for kind in "45" for subject in range(8) for detail in range(30)]
    for said in [status + word for status in (b"", *statuses) for word in words]:
        for outcome in (of_reply("RCPT", 450, said), of_reply("MAIL", 550, said), of_reply("dot", 421, said)):
            assert outcome.reason is not None
            assert CONSEQUENCES[outcome.reason].suppress != "at_once"


def test_only_a_success_after_the_dot_is_success() -> None:
    assert all(of_reply(stage, 250, b"2.0.0 ok").kind != "sent" for stage in ("MAIL", "RCPT", "DATA"))


def test_the_answer_is_kept_without_mail_addresses_and_control_characters() -> None:
    said = of_reply("RCPT", 550, b"5.1.1 <ann@example.org>: rejected\r\n\x1b[31mas\xff ann@example.org is unknown").said
    assert said.startswith("RCPT: 550 5.1.1 (address)")
    assert "ann" not in said
    assert said.isprintable()


def test_a_long_answer_is_cut() -> None:
    assert len(of_reply("RCPT", 550, b"x" * 5000).said) < 250


def test_a_lost_connection_is_uncertain_only_after_the_dot() -> None:
    assert [lost(stage).kind for stage in ("MAIL", "RCPT", "DATA", "dot")] == [*["deferred"] * 3, "uncertain"]


def test_waits_grow_up_to_four_hours_and_a_quarter_and_end_within_three_days() -> None:
    now = NOW
    waits: list[timedelta] = []
    while (again := next_attempt(1, len(waits) + 1, NOW, now, THREE_DAYS)) is not None:
        waits.append(again - now)
        now = again
    assert timedelta(minutes=3) < waits[0] < timedelta(minutes=7)
    assert max(waits) <= timedelta(hours=5)
    assert now - NOW < THREE_DAYS
    assert now - NOW > timedelta(hours=66)


def test_what_was_deferred_together_comes_back_spread_out() -> None:
    times = {next_attempt(number, 3, NOW, NOW, THREE_DAYS) for number in range(200)}
    assert len(times) > 100
    assert next_attempt(7, 3, NOW, NOW, THREE_DAYS) == next_attempt(7, 3, NOW, NOW, THREE_DAYS)


def test_no_try_is_planned_for_when_the_editions_time_is_over() -> None:
    soon = NOW + timedelta(minutes=3)
    assert next_attempt(1, 1, NOW, NOW, THREE_DAYS, closes_at=soon) is None
    assert next_attempt(1, 1, NOW, NOW, THREE_DAYS, closes_at=soon + timedelta(hours=1)) is not None


def test_no_try_is_planned_before_the_provider_opens_again() -> None:
    opens = NOW + timedelta(hours=2)
    times = [next_attempt(number, 1, NOW, NOW, THREE_DAYS, closed_until=opens) for number in range(50)]
    assert all(at is not None and opens <= at <= opens + timedelta(minutes=5) for at in times)
    assert len(set(times)) > 20
