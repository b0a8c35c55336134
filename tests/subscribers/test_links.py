"""Tokens bind a reader and a purpose, and cannot be made without a key."""

import base64
import random

import pytest

from digest.subscribers import links

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
LARGEST = 2**63 - 1


@pytest.mark.parametrize("number", [0, 1, 4711, LARGEST])
def test_a_token_gives_back_the_reader_it_was_signed_for(number: int) -> None:
    assert links.read(links.sign("unsubscribe", number, [NEW]), "unsubscribe", [NEW]) == number


def test_a_token_is_short_and_needs_no_escaping_in_a_url() -> None:
    token = links.sign("unsubscribe", LARGEST, [NEW])
    assert len(token) == 32
    assert all(char.isalnum() or char in "-_" for char in token)


def test_the_first_key_signs_and_all_keys_verify() -> None:
    old, new = links.sign("unsubscribe", 7, [OLD]), links.sign("unsubscribe", 7, [NEW, OLD])
    assert links.read(old, "unsubscribe", [NEW, OLD]) == 7
    assert links.read(new, "unsubscribe", [NEW]) == 7
    assert links.read(new, "unsubscribe", [OLD]) is None


def test_a_token_for_another_purpose_is_refused() -> None:
    assert links.read(links.sign("confirm", 7, [NEW]), "unsubscribe", [NEW]) is None


def test_every_changed_character_is_refused() -> None:
    token = links.sign("unsubscribe", 7, [NEW])
    for place, char in enumerate(token):
        changed = token[:place] + ("A" if char != "A" else "B") + token[place + 1 :]
        assert links.read(changed, "unsubscribe", [NEW]) is None, place


def test_every_truncated_or_padded_token_is_refused() -> None:
    token = links.sign("unsubscribe", 7, [NEW])
    for end in range(len(token)):
        assert links.read(token[:end], "unsubscribe", [NEW]) is None
    for added in ("A", "=", "==", "\n", " ", "%00", "!"):
        assert links.read(token + added, "unsubscribe", [NEW]) is None
        assert links.read(token[:16] + added + token[16:], "unsubscribe", [NEW]) is None
        assert links.read((token + added)[-32:], "unsubscribe", [NEW]) is None


def test_the_other_base64_alphabet_is_refused() -> None:
    numbers = (number for number in range(1000) if set("-_") & set(links.sign("unsubscribe", number, [NEW])))
    token = links.sign("unsubscribe", next(numbers), [NEW])
    assert links.read(token.replace("-", "+").replace("_", "/"), "unsubscribe", [NEW]) is None


@pytest.mark.parametrize("token", ["", "A" * 32, "é" * 32, "\x00" * 32, "=" * 32, "A" * 31 + "=", "/" * 32])
def test_nonsense_is_refused_without_an_error(token: str) -> None:
    assert links.read(token, "unsubscribe", [NEW]) is None


def test_random_tokens_are_refused() -> None:
    chance = random.Random(20260504)
    for _ in range(2000):
        token = base64.urlsafe_b64encode(chance.randbytes(24)).decode()
        assert links.read(token, "unsubscribe", [NEW, OLD, OTHER]) is None
