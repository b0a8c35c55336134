"""Readers' lives in any order: sign-up, choices, leaving, editions, faults, clocks. Real functions, a real database."""

import re
import subprocess
import sys
from binascii import a2b_qp
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import cache
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, ClassVar, Self
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr
from sqlalchemy import Engine
from tests import builders as b
from tests.conftest import NOW
from tests.membership.lives import DAY, PEOPLE, REGIONS, Life, Mailed, Purpose, Sent
from tests.outgoing import some_outgoing

from digest.config.sections import Links
from digest.config.settings import Settings
from digest.database import metadata, reading, writing
from digest.delivery import counting, outbox, sending
from digest.delivery.contents import Contents, of_edition, of_letters
from digest.delivery.outcomes import Outcome
from digest.delivery.transports import Advance, Envelope
from digest.edition.rendered import Rendered
from digest.edition.watch_facts import WatchList
from digest.edition.watching import words_of
from digest.errors import DeliveryError, DigestError
from digest.membership import choices, importing, leaving, listing, retention, signing_up
from digest.membership.addresses import email_key
from digest.rendering.email import render
from digest.subscribers import links, store
from digest.subscribers.consent import ConsentEvent, Kind, broken, fold
from digest.subscribers.regimes import duties, packaged_regimes
from digest.weekly.calendar import Week

HOURS = (8, 20)
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LINK = re.compile(rb"https://digest\.example/(confirm|preferences|unsubscribe)/([A-Za-z0-9_-]{32,40})(?![\w-])")
WATCH = WatchList(models=("gpt-5.5",))
PROOF = {"method": "form", "wording": "One email a week"}

SETTINGS = Settings.model_validate(
    {
        "series": {"base_url": "https://digest.example", "contact": "desk@digest.example"},
        "mail": {"letters_address": "letters@digest.example", "from_address": "news@digest.example"},
        "delivery": {"lease_seconds": 3, "from_hour": HOURS[0], "until_hour": HOURS[1]},
    }
)

TROUBLES = (
    "leaves",
    "is forgotten",
    "complains",
    "pauses",
    "another sender",
    "another sender and a lease that ends",
    "a later edition",
    "breaks before",
    "breaks in the dot",
    "breaks after",
    "deferred",
    "failed",
    "uncertain",
    "refused",
)

people = st.sampled_from(sorted(PEOPLE))
countries = st.sampled_from(sorted(REGIONS, key=str))
troubles = st.tuples(people, st.sampled_from(("", "", *TROUBLES)))


EXAMPLES, STEPS = 12, 40
LEAVERS = 60
SENDER = Path(__file__).with_name("send_in_a_process.py")
NO_TROUBLE = ("", "")


class BrokeOffError(Exception):
    """The sender ends here."""


@cache
def edition_of_any_week() -> Rendered:
    asked = {code: duties(regime, "edition", commercial=False) for code, regime in packaged_regimes().by_code.items()}
    return render(b.an_edition(), b.some_settings(), duties=asked)


@cache
def letters_of(kind: str) -> Contents:
    return of_letters(outbox.Mailing(0, kind, "", "", START, 0), SETTINGS)


class Post:
    """A transport that holds each mail against the model at the moment it is handed over."""

    width = 1

    def __init__(self, lives: "Lives", repeatable: bool, trouble: tuple[str, str] = NO_TROUBLE) -> None:
        self.lives, self.repeatable, self.trouble = lives, repeatable, trouble

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def carry(self, batch: Sequence[Envelope], advance: Advance, done: list[tuple[int, Outcome]]) -> None:
        while batch:
            (envelope,) = batch
            following: Sequence[Envelope] = ()

            def before_dot(number: int = envelope.delivery_id) -> bool:
                nonlocal following
                turn = advance([number])
                following = list(turn.following)
                return number in turn.allowed

            done.append((envelope.delivery_id, self.deliver(envelope, before_dot)))
            batch = following

    def deliver(self, envelope: Envelope, before_dot: Callable[[], bool]) -> Outcome:
        who, trouble = self.lives.whose(envelope.recipient), ""
        if self.trouble[0] == who.name:
            trouble, self.trouble = self.trouble[1], NO_TROUBLE
            self.lives.disturb(who, trouble, envelope)
        if trouble == "breaks before":
            raise BrokeOffError
        if not before_dot():
            self.lives.seen["withheld"] += 1
            return Outcome("withheld")
        if trouble == "breaks in the dot":
            raise BrokeOffError
        if trouble in ("deferred", "failed", "uncertain", "refused"):
            self.lives.seen[trouble] += 1
            return Outcome(trouble, "as it is")  # type: ignore[arg-type]
        if not (self.repeatable and envelope.message_id in self.lives.delivered):
            self.lives.receive(who, envelope)
        if trouble == "breaks after":
            raise BrokeOffError
        return Outcome("sent")


class Lives(RuleBasedStateMachine):
    """`engine` is emptied before each run; `seen` counts over all of them what came to pass."""

    engine: ClassVar[Engine]
    folder: ClassVar[Path]
    seen: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        with writing(self.engine) as connection:
            for table in reversed(metadata.sorted_tables):
                if table.name != "audit":  # from which nothing can be deleted, and of which nothing here depends
                    connection.execute(table.delete())
        self.now, self.keys_made = START, 0
        self.lives = {name: Life(name) for name in PEOPLE}
        self.names = {email_key(one): name for name, spelt in PEOPLE.items() for one in spelt}
        self.delivered: set[str] = set()
        self.editions: dict[str, tuple[Sent, outbox.Mailing]] = {}
        self.quiet_night = True
        self.mail: list[str] = []
        self.settings = SETTINGS
        numbers = Random(20260504)  # a reader's number decides who is mailed first
        self.chance = patch("secrets.randbits", numbers.getrandbits)
        self.chance.start()

    def teardown(self) -> None:
        self.chance.stop()

    # what the rules share

    @property
    def keys(self) -> tuple[bytes, ...]:
        with writing(self.engine) as connection:
            return store.link_keys(connection, self.settings.links, self.now)

    def whose(self, address: str) -> Life:
        return self.lives[self.names[email_key(address)]]

    def receive(self, who: Life, envelope: Envelope) -> None:
        """Somebody gets a mail: it must be theirs to get; they keep its links."""
        kind = "confirmation" if b"/confirm/" in envelope.content else "preferences"
        week = re.search(rb"^Subject: (\d{4}-W\d\d)", envelope.content, re.MULTILINE)
        if week:
            kind, edition = "edition", self.editions[week[1].decode()][0]
            assert who.may_get(edition, self.now), f"{who} was sent {edition} at {self.now}"
            assert not self.quiet_night or who.awake(self.now, HOURS), f"{who} was woken at {self.now}"
            who.editions.append(edition.week)
        else:
            assert who.gets_letter(kind, self.now), f"{who} was sent a {kind} at {self.now}"
            who.answered |= {who.asked[-1]} if kind == "confirmation" else set()
        self.delivered.add(envelope.message_id)
        self.seen[kind] += 1
        plain = a2b_qp(envelope.content)
        for purpose, token in dict.fromkeys(LINK.findall(plain)):
            self.keep(who, kind, purpose.decode(), token.decode())

    def keep(self, who: Life, kind: str, purpose: str, token: str) -> None:
        made = {"confirm": who.asked[-1] if kind == "confirmation" else None, "preferences": self.now}.get(purpose)
        named: Any = "keep" if purpose == "confirm" and kind == "edition" else purpose
        who.links.append(Mailed(named, token, who.life, made))

    def disturb(self, who: Life, trouble: str, envelope: Envelope) -> None:
        """What happens to a reader while their mail is on its way."""
        self.seen[trouble] += bool(trouble)
        token = re.search(rb"^List-Unsubscribe: <.*/(.+)>", envelope.content, re.MULTILINE)
        assert token is not None
        link = Mailed("unsubscribe", token[1].decode(), who.life)
        match trouble:
            case "leaves":
                self.press(who, link, "unsubscribe")
            case "is forgotten":
                self.operate(who.name, "erase")
            case "complains":
                self.happens(who.name, "complained")
            case "pauses":
                self.press(who, link, "pause")
            case "another sender" | "another sender and a lease that ends":
                self.work_beside(who, ends="lease" in trouble)
            case "a later edition":
                self.queue(quiet=False, stirred=False)
                with ThreadPoolExecutor(1) as beside:
                    beside.submit(self.drain, max(self.editions), Post(self, repeatable=False)).result()

    def work_beside(self, who: Life, *, ends: bool) -> None:
        week = next((week for week in self.mail if week in self.editions), None)
        post = Post(self, repeatable=False)

        def work() -> None:
            if week:
                self.drain(week, post, lease=ends)
            elif ends:
                self.now += timedelta(seconds=5)
                self.send_letters(post)

        with ThreadPoolExecutor(1) as beside:
            beside.submit(work).result()

    def contents(self, week: str) -> Contents:
        edition, mailing = self.editions[week]
        told = edition_of_any_week().model_copy(update={"subject": week})
        return of_edition(told, [b.an_edition(week=week)], self.outgoing(edition, mailing.queued_at), self.settings)

    def outgoing(self, edition: Sent, queued: datetime) -> Any:
        stirred = words_of(WATCH) if edition.stirred else frozenset()
        closes = queued + timedelta(hours=72)
        facts = {"quiet": edition.quiet, "stirred": stirred, "closes_at": closes}
        return some_outgoing(edition.week, **facts, from_hour=HOURS[0], until_hour=HOURS[1], zone=ZoneInfo("UTC"))

    def drain(self, week: str, post: Post, *, lease: bool = True) -> Any:
        return self.hand_out(self.editions[week][1], self.contents(week), post, lease=lease)

    def hand_out(self, mailing: outbox.Mailing, contents: Contents, post: Post, *, lease: bool = True) -> Any:
        def sleep(_seconds: float) -> None:
            if lease:
                self.now += timedelta(seconds=2)

        return sending.drain(self.engine, self.settings, mailing, contents, post, lambda: self.now, sleep=sleep)

    def send_letters(self, post: Post) -> None:
        """As `sending.send_letters` does it, but for the time that is waited while another sender is at work."""
        with reading(self.engine) as connection:
            waiting = [mailing for mailing in outbox.unfinished(connection) if mailing.kind in outbox.LETTERS]
        for mailing in waiting:
            self.hand_out(mailing, letters_of(mailing.kind), post)

    # a reader's own acts

    @initialize(names=st.sets(people, min_size=2), country=countries)
    def some_join(self, names: set[str], country: str | None) -> None:
        for name in sorted(names):
            self.join(name, country)

    @rule(name=people, spelt=st.integers(0, 2), country=countries)
    def sign_up(self, name: str, spelt: int, country: str | None) -> None:
        fields = {"email": PEOPLE[name][spelt % len(PEOPLE[name])], "country": country or "", "agree": "yes"}
        asked = signing_up.parse(fields, (), None, "unknown")
        signing_up.sign_up(self.engine, self.settings, asked, self.now)
        self.lives[name].ask(self.now, country)

    @rule(name=people, country=countries)
    def join(self, name: str, country: str | None) -> None:
        """Sign up and confirm without delay."""
        self.sign_up(name, 0, country)
        self.letters(NO_TROUBLE, repeatable=True)
        found = [one for one in self.lives[name].links if one.purpose == "confirm"]
        if found:
            self.press(self.lives[name], found[-1], "confirm")

    @rule(name=people)
    def ask_for_a_link(self, name: str) -> None:
        signing_up.send_link(self.engine, self.settings, email_key(PEOPLE[name][0]), self.now)
        self.letters(NO_TROUBLE, repeatable=True)

    @rule(name=people, data=st.data(), act=st.sampled_from(["first", "undo", "pause", "pause for ever", "swapped"]))
    def open_a_link(self, name: str, data: st.DataObject, act: str) -> None:
        who = self.lives[name]
        if who.links:
            link = data.draw(st.sampled_from(who.links[-12:]))
            self.press(who, link, link.purpose if act == "first" else act)

    def press(self, who: Life, link: Mailed, act: str) -> None:
        """Open a link, look at what it asks, press the button."""
        if act in ("confirm", "keep"):
            foreseen = signing_up.expected(self.engine, link.token, self.keys, self.now)
            told = signing_up.confirm(self.engine, self.settings, link.token, self.keys, self.now)
            assert foreseen == told == who.confirm(link, self.now)
            self.seen[f"{link.purpose}: {told}"] += 1
        elif act == "unsubscribe":
            one_click = len(who.links) % 2 == 0
            told = leaving.unsubscribe(self.engine, link.token, self.keys, self.now, "often", one_click=one_click)
            assert told == who.leave(link, self.now)
        elif act == "undo" and link.purpose == "unsubscribe":
            told = leaving.undo(self.engine, link.token, self.keys, self.now)
            assert told == who.undo(link, self.now)
            self.seen[f"undo: {told}"] += 1
        elif act.startswith("pause") and link.purpose in ("unsubscribe", "preferences"):
            weeks = 4 if act == "pause" else 0
            until = self.now + timedelta(weeks=4) if weeks else None
            told = choices.pause(self.engine, link.token, weeks, self.keys, self.now)
            assert told == who.pause(link, until, self.now)
        elif act == "preferences":
            account = choices.account(self.engine, self.settings, link.token, self.keys, self.now)
            assert isinstance(account, choices.Account) == who.works(link, self.now)
        elif act == "swapped":
            self.swap(link)

    def swap(self, link: Mailed) -> None:
        """A link does nothing but what it was made for."""
        acts: dict[str, Callable[[], Any]] = {
            "confirm": lambda: signing_up.confirm(self.engine, self.settings, link.token, self.keys, self.now),
            "unsubscribe": lambda: leaving.unsubscribe(self.engine, link.token, self.keys, self.now),
            "undo": lambda: leaving.undo(self.engine, link.token, self.keys, self.now),
            "preferences": lambda: choices.account(self.engine, self.settings, link.token, self.keys, self.now),
            "my-data": lambda: leaving.my_data(self.engine, link.token, self.keys, self.now),
            "forget": lambda: leaving.forget(self.engine, link.token, self.keys, self.now),
        }
        own = {"keep": {"confirm"}, "unsubscribe": {"unsubscribe", "undo"}}.get(link.purpose, {link.purpose})
        for purpose, act in acts.items():
            assert purpose in own or act() == "unknown"

    @rule(name=people, country=countries, quiet=st.sampled_from(["note", "skip"]), watches=st.booleans())
    def choose(self, name: str, country: str | None, quiet: str, watches: bool) -> None:
        who, link = self.lives[name], self.newest(name, "preferences")
        account = choices.account(self.engine, self.settings, link.token, self.keys, self.now)
        if not isinstance(account, choices.Account):
            assert account == ("expired" if link.token else "unknown")
            assert not who.works(link, self.now)
            return
        chosen = account.choices._replace(
            country=country,
            quiet_weeks=quiet,  # type: ignore[arg-type]
            watch=WATCH if watches else WatchList(),
        )
        assert choices.change(self.engine, self.settings, link.token, chosen, self.keys, self.now) == "done"
        who.change(country, quiet, watches, self.now)
        self.seen["chosen"] += 1

    @rule(name=people)
    def forget(self, name: str) -> None:
        who, link = self.lives[name], self.newest(name, "preferences")
        account = choices.account(self.engine, self.settings, link.token, self.keys, self.now)
        if isinstance(account, choices.Account):
            assert leaving.forget(self.engine, account.forget, self.keys, self.now) == "done"
            assert leaving.forget(self.engine, account.forget, self.keys, self.now) == "already"
            who.forget()

    def newest(self, name: str, purpose: Purpose) -> Mailed:
        found = [one for one in self.lives[name].links if one.purpose == purpose]
        return found[-1] if found else Mailed(purpose)

    # what happens to readers

    @rule(name=people, kind=st.sampled_from(["complained", "bounced"]))
    def happens(self, name: str, kind: Kind) -> None:
        with writing(self.engine) as connection:
            found = store.find(connection, email_key(PEOPLE[name][0]), acting=True)
            if found is not None:
                store.append(connection, found.id, ConsentEvent(kind, self.now, "a report of the other side"))
                self.lives[name].end(kind, self.now)

    @rule(name=people, act=st.sampled_from(["remove", "erase"]))
    def operate(self, name: str, act: str) -> None:
        who, email = self.lives[name], PEOPLE[name][-1]
        if who.state == "none":
            return
        if act == "remove":
            assert listing.remove(self.engine, email, self.now) == who.remove(self.now)
        else:
            assert listing.erase(self.engine, self.settings, email, self.now)
            who.forget()

    @rule(names=st.sets(people, min_size=1), country=countries, days=st.sampled_from([1, 30, 800]))
    def import_file(self, names: set[str], country: str | None, days: int) -> None:
        at, path = self.now - days * DAY, self.folder / "readers.csv"
        rows = [f"{PEOPLE[name][0]},{at.isoformat()},form,Yes,{country or ''}\n" for name in sorted(names)]
        path.write_text("email,consented_at,method,wording,country\n" + "".join(rows), encoding="utf-8")
        done = importing.import_csv(self.engine, self.settings, path, self.now)
        assert done.added == sum(self.lives[name].bring(at, self.now, country) for name in sorted(names))

    @rule(name=people, country=countries, hours=st.sampled_from([1, 24, 24 * 40, 24 * 800]))
    def add_by_proof(self, name: str, country: str | None, hours: int) -> None:
        at = self.now - timedelta(hours=hours)
        fields = {"email": PEOPLE[name][-1], "consented_at": at.isoformat(), "country": country or "", **PROOF}
        try:
            importing.add(self.engine, self.settings, importing.newcomer(fields, self.settings, self.now), self.now)
        except DigestError:
            assert not self.lives[name].add(at, self.now, country)
        else:
            assert self.lives[name].add(at, self.now, country), "a consent that is over was brought back"

    @rule()
    def clear(self) -> None:
        retention.expire(self.engine, self.settings, self.now)
        for life in self.lives.values():
            life.clear(self.now)

    # what is mailed

    @rule(trouble=troubles, repeatable=st.booleans())
    def letters(self, trouble: tuple[str, str], repeatable: bool) -> None:
        self.mail = []
        try:
            self.send_letters(Post(self, repeatable, trouble))
        except (BrokeOffError, DeliveryError):
            self.seen["broke off"] += 1

    @rule(quiet=st.booleans(), stirred=st.booleans())
    def queue(self, quiet: bool, stirred: bool) -> None:
        """The next week's edition; the audience is everyone whose consent is confirmed."""
        newest = max(self.editions, default="")
        starts = Week.now(self.now, ZoneInfo("UTC")).starts
        while str(Week(starts)) <= newest:
            starts += timedelta(weeks=1)
        edition = Sent(str(Week(starts)), quiet, stirred)
        with writing(self.engine) as connection:
            mailing = outbox.queue(connection, self.outgoing(edition, self.now), "hash", self.now)
        self.editions[edition.week] = edition, mailing
        assert mailing.audience == sum(life.state == "confirmed" for life in self.lives.values())

    @precondition(lambda self: self.editions)
    @rule(back=st.integers(0, 2), trouble=troubles, repeatable=st.booleans())
    def send(self, back: int, trouble: tuple[str, str], repeatable: bool) -> None:
        """Go on with one of the newest three mailings."""
        week = sorted(self.editions)[-3:][::-1][back % min(3, len(self.editions))]
        self.mail, self.quiet_night = [week], not trouble[1]
        try:
            tally = self.drain(week, Post(self, repeatable, trouble))
        except (BrokeOffError, DeliveryError):
            self.seen["broke off"] += 1
        else:
            assert not any(tally[state] for state in ("pending", "claimed", "dot"))

    @rule(quiet=st.booleans(), trouble=troubles, repeatable=st.booleans())
    def week(self, quiet: bool, trouble: tuple[str, str], repeatable: bool) -> None:
        """A week goes by and its edition is sent at noon."""
        self.now = (self.now + 7 * DAY).replace(hour=12)
        self.queue(quiet, stirred=True)
        self.send(0, trouble, repeatable)

    # what surrounds it

    @rule(step=st.sampled_from([-26, -5, -1, 0.1, 1, 5, 23, 25, 49, 24 * 8, 24 * 31, 24 * 365, 24 * 700]))
    def time_goes_by(self, step: float) -> None:
        self.now += timedelta(hours=step)

    @rule()
    def rotate(self) -> None:
        """A new key goes in front; what the old ones signed works for ever."""
        self.keys_made += 1
        fresh = SecretStr(f"{self.keys_made:032}")
        self.settings = self.settings.model_copy(update={"links": Links(keys=[fresh, *self.settings.links.keys])})

    # what holds at any time

    @invariant()
    def each_reader_is_as_the_model_says(self) -> None:
        with reading(self.engine) as connection:
            found = {self.whose(one.email).name: one.consent for one in store.everyone(connection)}
        for name, life in self.lives.items():
            consent = found.get(name)
            real = (consent.state, consent.country, consent.reconfirm_by, consent.paused_until) if consent else None
            modelled = None if life.state == "none" else (life.state, life.country, life.lapses, life.paused)
            assert real == modelled, name

    @invariant()
    def every_log_holds_and_each_row_follows_from_its_own(self) -> None:
        with reading(self.engine) as connection:
            for _number, log, row in store.logs(connection):
                assert broken(log) is None
                consent = fold(link.event for link in log)
                if row is None:
                    assert log[-1].event.kind in ("erased", "expired")
                    continue
                assert {name: row[f"reader_{name}"] for name in consent.__slots__} == {
                    name: getattr(consent, name) for name in consent.__slots__
                }
                assert (row["reader_log_number"], row["reader_log_hash"]) == (log[-1].number, log[-1].hash)

    @invariant()
    def deliveries_add_up_to_the_audience(self) -> None:
        with reading(self.engine) as connection:
            for mailing_id, audience in connection.execute(
                metadata.tables["mailing"].select().with_only_columns(*metadata.tables["mailing"].c["id", "audience"])
            ):
                assert sum(counting.tally(connection, mailing_id).values()) == audience


def run(engine: Engine, folder: Path, **how: Any) -> Counter[str]:
    """Live many lives; what came to pass. A failure is told as it was found: making it shorter takes many minutes."""
    seen = Counter[str]()
    machine = type("Run", (Lives,), {"engine": engine, "folder": folder, "seen": seen})
    chosen = profile(
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        **how,
    )
    run_state_machine_as_test(machine, settings=chosen)
    return seen


@pytest.mark.long
def test_nobody_is_mailed_without_a_consent_that_lives_nor_twice_nor_out_of_order(
    engine: Engine, tmp_path: Path
) -> None:
    seen = run(engine, tmp_path, derandomize=True, max_examples=EXAMPLES, stateful_step_count=STEPS)
    assert seen["edition"] > 2 * EXAMPLES
    assert {"withheld", "broke off", "a later edition", "confirm: done", "confirm: expired"} <= set(seen)


@pytest.mark.long
def test_a_reader_who_leaves_before_the_dot_is_not_mailed_by_another_process(
    engine: Engine, database_url: str, settings: Settings, tmp_path: Path, add_readers: Callable[[int], list[int]]
) -> None:
    numbers = add_readers(LEAVERS * 2)
    with writing(engine) as connection:
        mailing = outbox.queue(connection, some_outgoing(), "hash", NOW)
    command = [sys.executable, str(SENDER), database_url, str(tmp_path / "outbox")]
    too_late = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for place in Random(20260504).sample(range(LEAVERS * 2), LEAVERS):
            leave(engine, settings, place, numbers[place], forget=place % 3 == 0)
            if state_of(engine, mailing.id, numbers[place]) in ("dot", "sent"):
                too_late.add(place)
        assert process.wait(60) == 0
    mails = [message_from_bytes(path.read_bytes())["To"] for path in (tmp_path / "outbox" / "new").iterdir()]
    gone = set(Random(20260504).sample(range(LEAVERS * 2), LEAVERS)) - too_late
    assert sorted(mails) == sorted(f"r{place}@example.org" for place in range(LEAVERS * 2) if place not in gone)
    assert gone  # else every one of them left too late to prove anything
    with reading(engine) as connection:
        assert all(broken(log) is None for _number, log, _row in store.logs(connection))
        assert counting.tally(connection, mailing.id)["skipped"] == len(gone)


def leave(engine: Engine, settings: Settings, place: int, number: int, *, forget: bool) -> None:
    keys = tuple(key.get_secret_value().encode() for key in settings.links.keys)
    if forget:
        assert listing.erase(engine, settings, f"r{place}@example.org", NOW)
    else:
        assert leaving.unsubscribe(engine, links.sign(links.UNSUBSCRIBE, number, keys), keys, NOW) == "done"


def state_of(engine: Engine, mailing_id: int, number: int) -> str:
    """A delivery's state once nobody is changing it: the lock waits for a dot that is being committed."""
    row = metadata.tables["delivery"]
    with writing(engine) as connection:
        mine = row.select().where(row.c.mailing_id == mailing_id, row.c.subscriber_id == number).with_for_update()
        return str(connection.execute(mine).mappings().one()["state"])
