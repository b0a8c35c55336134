"""Tokens bind a reader and a purpose, and cannot be made without a key."""

import base64
import hmac
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from digest.subscribers import links

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
LARGEST = 2**63 - 1
NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
EXPIRING = sorted(links.LIFETIMES)


def whose(token: str, purpose: str, keys: Sequence[bytes]) -> int | None:
    """The reader's number, where the token is ours."""
    read = links.read(token, purpose, keys, NOW)
    return None if read is None else read.subscriber_id


@pytest.mark.parametrize("number", [0, 1, 4711, LARGEST])
def test_a_token_gives_back_the_reader_it_was_signed_for(number: int) -> None:
    assert whose(links.sign("unsubscribe", number, [NEW]), "unsubscribe", [NEW]) == number


def test_a_token_is_short_and_needs_no_escaping_in_a_url() -> None:
    token = links.sign("unsubscribe", LARGEST, [NEW])
    assert len(token) == 32
    assert all(char.isalnum() or char in "-_" for char in token)


def test_the_first_key_signs_and_all_keys_verify() -> None:
    old, new = links.sign("unsubscribe", 7, [OLD]), links.sign("unsubscribe", 7, [NEW, OLD])
    assert whose(old, "unsubscribe", [NEW, OLD]) == 7
    assert whose(new, "unsubscribe", [NEW]) == 7
    assert whose(new, "unsubscribe", [OLD]) is None


def test_a_token_for_another_purpose_is_refused() -> None:
    assert whose(links.sign("confirm", 7, [NEW], NOW), "unsubscribe", [NEW]) is None


def test_every_changed_character_is_refused() -> None:
    token = links.sign("unsubscribe", 7, [NEW])
    for place, char in enumerate(token):
        changed = token[:place] + ("A" if char != "A" else "B") + token[place + 1 :]
        assert whose(changed, "unsubscribe", [NEW]) is None, place


def test_every_truncated_or_padded_token_is_refused() -> None:
    token = links.sign("unsubscribe", 7, [NEW])
    for end in range(len(token)):
        assert whose(token[:end], "unsubscribe", [NEW]) is None
    for added in ("A", "=", "==", "\n", " ", "%00", "!"):
        assert whose(token + added, "unsubscribe", [NEW]) is None
        assert whose(token[:16] + added + token[16:], "unsubscribe", [NEW]) is None
        assert whose((token + added)[-32:], "unsubscribe", [NEW]) is None


def test_the_other_base64_alphabet_is_refused() -> None:
    numbers = (number for number in range(1000) if set("-_") & set(links.sign("unsubscribe", number, [NEW])))
    token = links.sign("unsubscribe", next(numbers), [NEW])
    assert whose(token.replace("-", "+").replace("_", "/"), "unsubscribe", [NEW]) is None


@pytest.mark.parametrize("token", ["", "A" * 32, "é" * 32, "\x00" * 32, "=" * 32, "A" * 31 + "=", "/" * 32])
def test_nonsense_is_refused_without_an_error(token: str) -> None:
    assert whose(token, "unsubscribe", [NEW]) is None


def test_random_tokens_are_refused() -> None:
    chance = random.Random(20260504)
    for _ in range(2000):
        token = base64.urlsafe_b64encode(chance.randbytes(24)).decode()
        assert whose(token, "unsubscribe", [NEW, OLD, OTHER]) is None


@pytest.mark.parametrize("purpose", EXPIRING)
def test_a_link_that_expires_works_until_its_time_is_over(purpose: str) -> None:
    token, lifetime = links.sign(purpose, 7, [NEW], NOW), links.LIFETIMES[purpose]
    for later, expired in ((timedelta(0), False), (lifetime, False), (lifetime + timedelta(seconds=1), True)):
        read = links.read(token, purpose, [NEW], NOW + later)
        assert read == links.Read(7, NOW, expired)


def test_a_link_from_the_future_has_expired_but_clocks_may_differ_a_little() -> None:
    token = links.sign("confirm", 7, [NEW], NOW)
    for ago, expired in ((timedelta(minutes=4), False), (timedelta(hours=1), True)):
        read = links.read(token, "confirm", [NEW], NOW - ago)
        assert read is not None
        assert read.expired is expired


def test_no_purpose_opens_another() -> None:
    purposes = [*EXPIRING, links.UNSUBSCRIBE, links.KEEP]
    for signed in purposes:
        token = links.sign(signed, LARGEST, [NEW], NOW)
        assert len(token) <= 40
        assert [purpose for purpose in purposes if whose(token, purpose, [NEW]) is not None] == [signed]


@pytest.mark.parametrize("purpose", EXPIRING)
def test_every_changed_or_cut_character_of_an_expiring_link_is_refused(purpose: str) -> None:
    token = links.sign(purpose, 7, [NEW], NOW)
    for place, char in enumerate(token):
        changed = token[:place] + ("A" if char != "A" else "B") + token[place + 1 :]
        assert whose(changed, purpose, [NEW]) is None, place
        assert whose(token[:place], purpose, [NEW]) is None


def test_a_link_that_expires_cannot_be_made_without_its_moment() -> None:
    with pytest.raises(ValueError, match="moment"):
        links.sign("confirm", 7, [NEW])


def test_links_that_were_mailed_by_the_first_version_still_work() -> None:
    payload = (7).to_bytes(8, "big")
    mac = hmac.digest(NEW, b"unsubscribe" + payload, "sha256")[:16]
    assert whose(base64.urlsafe_b64encode(payload + mac).decode(), "unsubscribe", [NEW]) == 7
