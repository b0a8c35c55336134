"""Limits, the field nobody sees, the minimum time and the CAPTCHA's answer."""

import gc
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import responses
from responses.matchers import urlencoded_params_matcher

from digest.config.sections import Captcha, Signup
from digest.subscribers import links
from digest.subscribers.location import Visit
from digest.web.abuse import LONGEST, PAUSE, PER_ADDRESS, SHORTEST, Limits, form_token, passes_captcha, too_fast

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEYS = (b"the first key of thirty-two bytes", b"the one before it")
HOUR = timedelta(hours=1)
MANY = 1_000


class Clock:
    """The clock that the limits' library reads; a test moves it."""

    now = NOW

    def time(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("limits.storage.memory.time", SimpleNamespace(time=made.time))
    return made


Take = Callable[..., list[str]]


def a_visit(network: str, area: str = "") -> Visit:
    return Visit(None, "unknown", network, area or f"area of {network}")


@pytest.fixture
def takes(clock: Clock) -> Callable[..., Take]:
    """Limits, and a function that counts requests of `network` for addresses r0@domain, r1@domain… at a moment."""

    def make(per_network: int = MANY, per_domain: int = MANY, in_all: int = MANY) -> Take:
        limits = Limits(Signup(per_network=per_network, per_domain=per_domain, in_all=in_all))
        asked = iter(range(MANY))

        def take(count: int = 1, network: str = "net", email: str = "", domain: str = "a.example") -> list[str]:
            keys = [email or f"r{next(asked)}@{domain}" for _ in range(count)]
            return [limits.take(a_visit(network), key, clock.now) for key in keys]

        return take

    return make


# Limits


def test_one_network_may_ask_so_often_and_others_still_may(takes: Callable[..., Take]) -> None:
    take = takes(per_network=3)
    assert take(4) == ["free", "free", "free", "limited"]
    assert take(1, network="another") == ["free"]


def test_one_domain_may_be_asked_for_so_often_and_others_still_may(takes: Callable[..., Take]) -> None:
    take = takes(per_domain=2)
    assert [take(1, network=f"net {number}")[0] for number in range(3)] == ["free", "free", "limited"]
    assert take(1, domain="b.example") == ["free"]


def test_one_address_may_be_asked_for_so_often_from_anywhere(takes: Callable[..., Take]) -> None:
    take = takes()
    found = [take(1, network=f"net {number}", email="ada@a.example")[0] for number in range(PER_ADDRESS + 1)]
    assert found == ["free"] * PER_ADDRESS + ["limited"]
    assert take(1, email="bob@a.example") == ["free"]


def test_a_limit_is_over_an_hour_after_what_counted(takes: Callable[..., Take], clock: Clock) -> None:
    take = takes(per_network=2)
    assert take(1) == ["free"]
    clock.now += HOUR / 2
    assert take(2) == ["free", "limited"]
    clock.now += HOUR / 2 + timedelta(seconds=1)
    assert take(2) == ["free", "limited"], "one of two is an hour old"


def test_what_is_refused_does_not_count(takes: Callable[..., Take]) -> None:
    take = takes(per_network=1, in_all=2)
    assert take(4) == ["free", "limited", "limited", "limited"]
    assert take(1, network="another") == ["free"]


def test_too_many_in_all_pause_everything_for_an_hour(takes: Callable[..., Take], clock: Clock) -> None:
    take = takes(in_all=2)
    assert [take(1, network=f"net {number}")[0] for number in range(4)] == ["free", "free", "braked", "braked"]
    clock.now += PAUSE - timedelta(seconds=1)
    assert take(1, network="another", domain="b.example") == ["braked"]
    clock.now += timedelta(seconds=1)
    assert take(1) == ["free"]


def test_the_pause_is_logged_once_with_what_to_look_at(
    takes: Callable[..., Take], caplog: pytest.LogCaptureFixture
) -> None:
    take = takes(in_all=1)
    assert take(3) == ["free", "braked", "braked"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "[signup] in_all" in caplog.text


def everything_in(root: object) -> str:
    """The text of all that an object leads to."""
    found: dict[int, object] = {}
    left: list[Any] = [root]
    while left:
        one = left.pop()
        if id(one) not in found and not isinstance(one, type | SimpleNamespace) and not callable(one):
            found[id(one)] = one
            left += gc.get_referents(one)
            left += list(one) if isinstance(one, dict) else vars(one).values() if hasattr(one, "__dict__") else []
    return " ".join(repr(one) for one in found.values() if isinstance(one, str | bytes))


def test_the_limits_hold_neither_address_nor_domain_nor_network(clock: Clock) -> None:
    limits = Limits(Signup())
    limits.take(a_visit("network-hash"), "zoe@canary.example", clock.now)
    held = everything_in(limits)
    assert held.count("/hour") == 5, "the counts were found"
    assert not [word for word in ("network-hash", "zoe", "canary") if word in held]


def test_the_same_request_has_other_keys_on_another_day_and_the_old_ones_are_gone(clock: Clock) -> None:
    limits = Limits(Signup(per_network=1))

    def keys() -> set[str]:
        return set(limits._limiter.storage.events)  # type: ignore[attr-defined]

    assert limits.take(a_visit("net"), "ada@a.example", clock.now) == "free"
    before = keys()
    clock.now += timedelta(days=1)
    assert limits.take(a_visit("net"), "ada@a.example", clock.now) == "free"
    assert len(before) == len(keys()) == 5
    assert len(before & keys()) == 1, "the count of all has no secret in it"


def test_memory_grows_with_what_is_taken_and_not_with_what_is_asked(clock: Clock) -> None:
    limits = Limits(Signup(per_network=MANY, per_domain=3, in_all=MANY))
    for number in range(50):
        limits.take(a_visit(f"net {number}"), f"r{number}@a.example", clock.now)
    assert len(limits._limiter.storage.events) == 1 + 1 + 3 + 3 + 3  # type: ignore[attr-defined]


def test_many_networks_of_one_allocation_are_no_crowd_and_do_not_set_the_brake(clock: Clock) -> None:
    limits = Limits(Signup())
    said = [limits.take(a_visit(f"net {n // 20}", "one /48"), f"r{n}@h{n}.example", clock.now) for n in range(600)]
    assert said.count("free") == 100
    assert "braked" not in said
    assert limits.take(a_visit("elsewhere"), "ann@a.example", clock.now) == "free"


def test_who_is_subscribed_gets_a_link_while_sign_ups_are_paused(clock: Clock) -> None:
    limits = Limits(Signup(in_all=1))
    said = [limits.take(a_visit(f"net {n}"), f"r{n}@a.example", clock.now) for n in range(2)]
    assert said == ["free", "braked"]
    assert limits.take(a_visit("net"), "ann@a.example", clock.now, signing_up=False) == "free"


# The minimum time


@pytest.mark.parametrize(
    ("after", "refused"),
    [
        (timedelta(0), True),
        (SHORTEST - timedelta(milliseconds=1), True),
        (SHORTEST, False),
        (timedelta(minutes=10), False),
        (LONGEST, False),
        (LONGEST + timedelta(milliseconds=1), True),
        (-timedelta(hours=1), True),
    ],
)
def test_a_form_is_taken_after_a_persons_time(after: timedelta, refused: bool) -> None:
    assert too_fast(form_token(KEYS, NOW), KEYS, NOW + after) is refused


def test_a_form_opened_before_the_keys_changed_is_taken() -> None:
    assert not too_fast(form_token(KEYS[1:], NOW), KEYS, NOW + HOUR)


def test_a_token_cannot_be_made_without_the_key() -> None:
    token, later = form_token(KEYS, NOW), NOW + HOUR
    forged = [
        form_token((b"another",), NOW),
        f"B{token[1:]}",
        token[:-4],
        token + "AAAA",
        token[::-1],
        "",
        "é",
        "=",
        "A",
    ]
    assert [too_fast(each, KEYS, later) for each in forged] == [True] * len(forged)


def test_a_link_of_ours_is_no_token_of_a_form() -> None:
    made = [links.sign("unsubscribe", 7, KEYS), *(links.sign(purpose, 7, KEYS, NOW) for purpose in links.LIFETIMES)]
    assert all(too_fast(token, KEYS, NOW + HOUR) for token in made)
    assert not any(links.read(form_token(KEYS, NOW), purpose, KEYS, NOW) for purpose in ("unsubscribe", "confirm"))


# The CAPTCHA's answer

SERVICE = "https://captcha.example/siteverify"
CAPTCHA = Captcha.model_validate({"verify_url": SERVICE, "field": "proof", "secret": "s3cret"})


def test_without_a_service_nothing_is_asked_for() -> None:
    assert passes_captcha(Captcha(), {})


@responses.activate
def test_the_service_is_given_secret_and_answer_and_decides() -> None:
    matcher = urlencoded_params_matcher({"secret": "s3cret", "response": "answer"})
    responses.post(SERVICE, json={"success": True}, match=[matcher])
    responses.post(SERVICE, json={"success": False, "error-codes": ["invalid-input-response"]}, match=[matcher])
    assert [passes_captcha(CAPTCHA, {"proof": "answer"}) for _ in range(2)] == [True, False]


@responses.activate
def test_a_form_without_an_answer_is_refused_without_asking() -> None:
    assert not passes_captcha(CAPTCHA, {})
    assert not passes_captcha(CAPTCHA, {"proof": ""})
    assert not responses.calls


@pytest.mark.parametrize(
    "reply",
    [
        {"body": requests.ConnectTimeout("s3cret")},
        {"body": requests.ConnectionError("s3cret")},
        {"body": "not JSON"},
        {"json": ["success"]},
        {"json": {"success": "true"}},
        {"json": {}},
        {"status": 302, "headers": {"Location": "https://elsewhere.example/"}},
        {"status": 500},
    ],
)
@responses.activate
def test_a_service_that_does_not_say_yes_says_no(reply: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    responses.post(SERVICE, **reply)
    assert not passes_captcha(CAPTCHA, {"proof": "answer"})
    assert len(responses.calls) == 1
    assert not [word for word in ("s3cret", "answer") if word in caplog.text.replace("did not answer", "")]
