"""Nobody learns from an answer who is known here: neither by its bytes nor by its time, at the real server."""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from math import sqrt
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine
from tests.real_server import KEYS, NOW, Answer, Server, Visitor, filled, served

from digest.database import writing
from digest.delivery import outbox
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent, Kind
from digest.subscribers.store import Newcomer
from digest.web.abuse import PER_ADDRESS

pytestmark = pytest.mark.long

KNOWN: dict[str, tuple[Kind, ...]] = {
    "confirmed": ("confirmed",),
    "requested": ("requested",),
    "withdrawn": ("confirmed", "withdrawn"),
    "complained": ("confirmed", "complained"),
    "bounced": ("confirmed", "bounced"),
    "erased": ("confirmed", "erased"),
}
"""Kinds of readers, each with the log that makes it."""

UNLIMITED = {"per_network": 10**6, "per_domain": 10**6, "in_all": 10**6}
AT_ONCE = 12
MOST = 0.55


class Measured(NamedTuple):
    kind: str
    answer: Answer


def auc(ones: Sequence[float], others: Sequence[float]) -> float:
    """How often one of the first is above one of the second, ties half (Mann and Whitney's U over both sizes)."""
    ranked = sorted([*ones, *others])
    ranks = sum(bisect_left(ranked, one) + bisect_right(ranked, one) + 1 for one in ones) / 2
    return (ranks - len(ones) * (len(ones) + 1) / 2) / (len(ones) * len(others))


def chance(ones: int, others: int) -> float:
    """The standard deviation of an AUC of equals."""
    return sqrt((ones + others + 1) / (12 * ones * others))


@pytest.fixture
def make_known(engine: Engine) -> Callable[..., dict[str, str]]:
    """Stores so many readers, as many of each kind, their names beginning so; their addresses with their kinds."""

    def make(count: int, begin: str = "r") -> dict[str, str]:
        kinds = {f"{begin}{number}@example.org": list(KNOWN)[number % len(KNOWN)] for number in range(count)}
        moment = NOW - timedelta(minutes=10)
        with writing(engine) as connection:
            for address, kind in kinds.items():
                first, *later = (ConsentEvent(one, moment, "sign-up form") for one in KNOWN[kind])
                (number,) = store.add(connection, [Newcomer(address, address, first)], moment)
                if kind == "requested":
                    outbox.queue_letter(connection, "confirmation", number, moment)
                for event in later:
                    if event.kind == "erased":
                        store.erase(connection, number, event, KEYS)
                    else:
                        store.append(connection, number, event)
        return kinds

    return make


def measure(server: Server, path: str, kinds: dict[str, str], at_once: int, order_of: str = "") -> list[Measured]:
    """Ask for each address once, in a random order, over a few connections that stay open."""
    order = list(kinds)
    random.Random(f"20260504{order_of}").shuffle(order)
    with ExitStack() as stack, ThreadPoolExecutor(at_once) as pool:
        idle: SimpleQueue[Visitor] = SimpleQueue()
        for _ in range(at_once):
            idle.put(stack.enter_context(Visitor(server)))

        def ask(address: str) -> Measured:
            visitor = idle.get()
            answer = visitor.post(path, filled(address))
            idle.put(visitor)
            return Measured(kinds[address], answer)

        return list(pool.map(ask, order))


def compared(measured: Sequence[Measured]) -> Iterator[tuple[str, float, float]]:
    """For all that are known and for each kind: the AUC against new ones that is furthest from 1/2, and its chance."""
    new = [one.answer for one in measured if one.kind == "new"]
    for kind in ("known", *KNOWN):
        ones = [one.answer for one in measured if one.kind == kind or (kind == "known" and one.kind != "new")]
        found = (
            auc([one.first for one in ones], [one.first for one in new]),
            auc([one.whole for one in ones], [one.whole for one in new]),
        )
        yield kind, max(found, key=lambda it: abs(it - 0.5)), chance(len(ones), len(new))


@pytest.mark.parametrize(("path", "count"), [("/subscribe", 2000), ("/preferences", 600)])
def test_new_and_known_addresses_get_the_same_bytes_after_the_same_time(
    database_url: str, tmp_path: Path, make_known: Callable[..., dict[str, str]], path: str, count: int
) -> None:
    with served(database_url, tmp_path / "server", signup=UNLIMITED) as server:
        measured: list[Measured] = []
        for begin in "abc":  # what other programs on the machine did at a time is diluted by more; a leak is not
            new = {f"{begin}n{number}@example.org": "new" for number in range(count // 2)}
            measured += measure(server, path, {**make_known(count // 2, begin), **new}, AT_ONCE, begin)
            apart = far_apart(measured)
            if not apart:
                break
    assert {(one.answer.status, len({it.answer[:3] for it in measured})) for one in measured} == {(200, 1)}
    assert min(one.answer.first for one in measured) >= 0.19
    late = sum(one.answer.first > 0.35 for one in measured)
    print(f"\n{path}: {late} of {len(measured)} answers came a step later")
    assert apart == []


def far_apart(measured: Sequence[Measured]) -> list[str]:
    """The kinds that are told from new ones by time. The bound is for all; a kind is a sixth, which chance moves
    further."""
    found = list(compared(measured))
    for kind, area, deviation in found:
        print(f"{kind:>10}: AUC {area:.3f} (a chance of {deviation:.3f})")
    return [kind for kind, area, by in found if abs(area - 0.5) > (MOST - 0.5 if kind == "known" else 4 * by)]


def test_five_milliseconds_more_for_one_kind_would_be_found(
    database_url: str, tmp_path: Path, make_known: Callable[..., dict[str, str]]
) -> None:
    ways: dict[str, Any] = {"fault": "slow_for_who_complained", "signup": UNLIMITED}
    with served(database_url, tmp_path / "server", "--no-scheduler", **ways) as server:
        found = 0.0
        for begin in "abc":
            known = make_known(240, begin)
            kinds = {address: kind for address, kind in known.items() if kind in ("complained", "bounced")}
            rounds: list[list[Measured]] = []
            while found <= 0.9 and len(rounds) < PER_ADDRESS:
                rounds.append(measure(server, "/subscribe", kinds, at_once=1))
                assert {one.answer.status for one in rounds[-1]} == {200}
                # The fastest of some: other programs on the machine take more than 5 ms now and then.
                fastest = [(one[0].kind, min(it.answer.whole for it in one)) for one in zip(*rounds, strict=True)]
                slow, others = ([time for kind, time in fastest if kind == it] for it in ("complained", "bounced"))
                found = auc(slow, others)
    assert found > 0.9
