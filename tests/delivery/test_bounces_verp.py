"""Return paths name the delivery, survive other people's mail systems, and cannot be made without a key."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.config.sections import LONGEST_BOUNCE_NAME
from digest.delivery.bounces import verp
from digest.delivery.bounces.verp import Whose
from digest.subscribers import links

OLD, NEW = b"o" * 32, b"n" * 32
LARGEST = Whose(2**32 - 1, 2**63 - 1)


@pytest.mark.parametrize("whose", [Whose(0, 0), Whose(1, 4711), LARGEST])
def test_a_token_gives_back_the_delivery_it_was_signed_for(whose: Whose) -> None:
    assert verp.read(verp.sign(*whose, [NEW]), [NEW]) == whose


def test_the_first_key_signs_and_all_keys_verify() -> None:
    old = verp.sign(*LARGEST, [OLD])
    assert verp.read(old, [NEW, OLD]) == LARGEST
    assert verp.read(old, [NEW]) is None


def test_a_return_path_keeps_within_the_64_octets_of_a_local_part() -> None:
    name = "b" * LONGEST_BOUNCE_NAME
    path = verp.return_path(f"{name}@news.example", *LARGEST, [NEW])
    local, _, domain = path.rpartition("@")
    assert (len(local), domain) == (64, "news.example")
    assert local.startswith(f"{name}+")
    assert verp.find(path.encode(), [NEW]) == LARGEST


@pytest.mark.parametrize(
    "wrapped",
    [
        "bounce+{}@news.example",
        "BOUNCE+{}@NEWS.EXAMPLE",
        "rfc822;bounce+{}@news.example",
        "SRS0=Xy1z=AB=news.example=bounce+{}@forwarder.example",
        "prvs=1234abcd=bounce+{}@news.example",
        "<bounce+2B{}@news.example>",
        "bounce%2b{}%40news.example",
        "bounce=2B{}=40news.example",
        "bounce-{}@news.example",
    ],
)
def test_a_token_is_found_however_it_is_wrapped_and_without_its_capitals(wrapped: str) -> None:
    token = verp.sign(*LARGEST, [NEW])
    for written in (token, token.upper()):
        assert verp.find(f"To: {wrapped.format(written)}\r\n".encode(), [NEW]) == LARGEST


def test_every_changed_digit_is_refused() -> None:
    token = verp.sign(1, 4711, [NEW])
    for place, digit in enumerate(token):
        changed = token[:place] + ("0" if digit != "0" else "1") + token[place + 1 :]
        assert verp.read(changed, [NEW]) is None, place


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "0", lambda t: t[:-2] + " a", lambda t: "é" * 48])
def test_what_is_no_token_is_refused_without_an_error(change: "object") -> None:
    token = verp.sign(1, 4711, [NEW])
    assert verp.read(change(token), [NEW]) is None  # type: ignore[operator]


@settings(deadline=None)
@given(st.binary(min_size=24, max_size=24))
def test_a_forged_token_names_nobody(raw: bytes) -> None:
    assert verp.read(raw.hex(), [NEW, OLD]) is None
    assert verp.find(b"bounce+" + raw.hex().encode() + b"@news.example", [NEW, OLD]) is None


def test_the_halves_of_two_tokens_make_none() -> None:
    one, other = verp.sign(1, 4711, [NEW]), verp.sign(2, 4711, [NEW])
    assert verp.read(one[:24] + other[24:], [NEW]) is None
    assert verp.read(one[:8] + other[8:], [NEW]) is None


def test_a_link_is_no_return_path_and_a_return_path_no_link() -> None:
    link = links.sign(links.UNSUBSCRIBE, 4711, [NEW])
    assert verp.find(link.encode(), [NEW]) is None
    assert verp.sign(1, 4711, [NEW]) != link


def test_the_genuine_token_is_found_among_forged_ones_but_not_behind_thousands() -> None:
    chance = random.Random(20260504)
    forged = [f"+{chance.randbytes(24).hex()}@" for _ in range(5000)]
    genuine = f"+{verp.sign(*LARGEST, [NEW])}@"
    assert verp.find("\n".join([*forged[:100], genuine]).encode(), [NEW]) == LARGEST
    assert verp.find("\n".join([*forged, genuine]).encode(), [NEW]) is None
