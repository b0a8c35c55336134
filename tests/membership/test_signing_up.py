"""From a request to a consent, by mail alone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import sending
from digest.errors import UsageError
from digest.membership import choices, leaving, retention, signing_up
from digest.membership.signing_up import Request
from digest.subscribers import links, store
from digest.subscribers.consent import WORDINGS, ConsentEvent, broken, fold, hash_of
from digest.subscribers.store import Subscriber

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS = [b"0123456789abcdef0123456789abcdef"]
ANN = Request("Ann@example.org", "ann@example.org", ("prices",), "en", "DE", "header")


class Life:
    """One installation, as a reader and a clock see it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings, self.now = engine, settings, NOW

    def sign_up(self, request: Request = ANN) -> list[str]:
        """Ask, and answer with the links of the letters that came of it."""
        signing_up.sign_up(self.engine, self.settings, request, self.now)
        return self.letters()

    def letters(self) -> list[str]:
        new = self.settings.delivery.maildir / "new"
        before = set(new.iterdir()) if new.exists() else set()
        sending.send_letters(self.engine, self.settings, lambda: self.now)
        return [link_in(path) for path in sorted(set(new.iterdir()) - before)] if new.exists() else []

    def confirm(self, token: str) -> str:
        return signing_up.confirm(self.engine, self.settings, token, KEYS, self.now)

    def reader(self, key: str = ANN.email_key) -> Subscriber:
        with reading(self.engine) as connection:
            found = store.find(connection, key)
            assert found is not None
            logged = store.log(connection, found.id)
        assert broken(logged) is None
        assert fold(link.event for link in logged) == found.consent
        return found

    def joined(self) -> Subscriber:
        (token,) = self.sign_up()
        assert self.confirm(token) == "done"
        return self.reader()

    def unsubscribe(self, **options: Any) -> str:
        token = links.sign(links.UNSUBSCRIBE, self.reader().id, KEYS)
        return leaving.unsubscribe(self.engine, token, KEYS, self.now, **options)

    def undo(self) -> str:
        return leaving.undo(self.engine, links.sign(links.UNSUBSCRIBE, self.reader().id, KEYS), KEYS, self.now)

    def happens(self, kind: Any) -> None:
        with writing(self.engine) as connection:
            store.append(connection, self.reader().id, ConsentEvent(kind, self.now, "test"))


def link_in(path: Path) -> str:
    """The token of the one link of a letter that does something."""
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    found = re.findall(r"https://digest\.example/(?:confirm|preferences)/(\S+)", body.get_content())
    assert len(set(found)) == 1
    return str(found[0])


@pytest.fixture
def life(engine: Engine, settings: Settings) -> Life:
    return Life(engine, settings)


def test_a_request_becomes_a_consent_only_by_the_mailed_link(life: Life) -> None:
    (token,) = life.sign_up()
    assert life.reader().consent.state == "requested"
    assert signing_up.expected(life.engine, token, KEYS, life.now) == "done"
    assert life.reader().consent.state == "requested"
    assert life.confirm(token) == "done"
    assert life.reader().consent.state == "confirmed"
    assert (life.reader().email, life.reader().topics) == ("Ann@example.org", ("prices",))


def test_the_log_proves_what_was_agreed_to_where_and_by_which_rules(life: Life) -> None:
    with reading(life.engine) as connection:
        asked, agreed = (link.event for link in store.log(connection, life.joined().id))
    for event in (asked, agreed):
        assert (event.country, event.derived, event.regime) == ("DE", "header", "DE")
        assert (event.wording, event.wording_hash) == ("2026-11/en", hash_of(WORDINGS["2026-11/en"]))
        assert event.regime_version
    assert (asked.kind, asked.method, agreed.method) == ("requested", "sign-up form", "confirmation link")


def test_where_law_ends_a_consent_the_confirmation_says_when(life: Life) -> None:
    (token,) = life.sign_up(ANN._replace(country="KR"))
    life.confirm(token)
    assert life.reader().consent.reconfirm_by == datetime(2028, 5, 4, 9, 0, tzinfo=UTC)


def test_a_confirmation_link_works_once(life: Life) -> None:
    (token,) = life.sign_up()
    life.confirm(token)
    assert life.confirm(token) == "already"
    life.unsubscribe()
    assert life.confirm(token) == "expired"
    assert life.reader().consent.state == "withdrawn"


def test_a_confirmation_link_works_for_48_hours(life: Life) -> None:
    (token,) = life.sign_up()
    life.now = NOW + timedelta(hours=48, seconds=1)
    assert life.confirm(token) == "expired"
    assert life.reader().consent.state == "requested"
    life.now = NOW + timedelta(hours=48)
    assert life.confirm(token) == "done"


def test_nobody_is_asked_twice_in_a_day_or_four_times_in_a_month(life: Life) -> None:
    asked = 0
    for hour in range(0, 29 * 24, 5):
        life.now = NOW + timedelta(hours=hour)
        asked += len(life.sign_up())
        assert asked <= 1 + hour // 24
    assert asked == 3
    life.now = NOW + 40 * DAY
    assert len(life.sign_up()) == 1


def test_who_is_subscribed_is_sent_a_link_to_their_preferences_and_nothing_changes(life: Life) -> None:
    before = life.joined()
    life.now += DAY
    (token,) = life.sign_up(ANN._replace(topics=(), locale="en", country="US"))
    assert life.reader() == before
    account = choices.account(life.engine, life.settings, token, KEYS, life.now)
    assert isinstance(account, choices.Account)
    assert account.email == "Ann@example.org"


@pytest.mark.parametrize("ended", ["complained", "bounced"])
def test_who_complained_or_cannot_be_reached_is_not_written_to(life: Life, ended: str) -> None:
    life.joined()
    life.happens(ended)
    life.now += 60 * DAY
    assert life.sign_up() == []
    assert life.reader().consent.state == ended


@pytest.mark.parametrize("ended", ["withdrawn", "expired"])
def test_who_left_can_come_back_by_asking_anew(life: Life, ended: str) -> None:
    life.joined()
    life.happens(ended)
    life.now += 2 * DAY
    (token,) = life.sign_up(ANN._replace(email="ANN@example.org", topics=("models",)))
    assert life.confirm(token) == "done"
    assert (life.reader().email, life.reader().topics) == ("ANN@example.org", ("models",))


def test_a_link_to_the_preferences_comes_only_to_who_is_there(life: Life) -> None:
    signing_up.send_link(life.engine, life.settings, "nobody@example.org", life.now)
    assert life.letters() == []
    life.joined()
    signing_up.send_link(life.engine, life.settings, ANN.email_key, life.now)
    assert len(life.letters()) == 1


def test_a_stranger_who_never_confirms_is_written_to_three_times_in_a_month(life: Life) -> None:
    asked = 0
    for day in range(28):
        life.now = NOW + day * DAY + timedelta(minutes=day)
        retention.expire(life.engine, life.settings, life.now)
        asked += len(life.sign_up())
    assert asked == 3


def test_nobody_is_asked_twice_around_midnight(life: Life) -> None:
    life.now = NOW.replace(hour=1)
    life.sign_up(Request("bo@example.org", "bo@example.org", (), "en", None, "unknown"))
    life.now = NOW.replace(hour=23)
    assert len(life.sign_up()) == 1
    life.unsubscribe()
    life.now += timedelta(hours=2)
    assert life.sign_up() == []


def test_of_two_confirmations_that_waited_only_the_newer_is_sent(life: Life) -> None:
    signing_up.sign_up(life.engine, life.settings, ANN, life.now)
    life.now += timedelta(hours=25)
    (token,) = life.sign_up()
    assert life.confirm(token) == "done"


def test_a_link_to_keep_a_consent_does_not_revive_one_that_was_withdrawn(life: Life) -> None:
    number = life.joined().id
    for kind in ("withdrawn", "requested", "expired"):
        life.happens(kind)
    assert life.confirm(links.sign(links.KEEP, number, KEYS)) == "expired"


def test_while_the_brake_is_on_confirmations_wait_and_other_letters_do_not(life: Life) -> None:
    life.joined()
    with writing(life.engine) as connection:
        store.brake(connection, life.now, life.now + timedelta(hours=1))
    assert life.sign_up(Request("bo@example.org", "bo@example.org", (), "en", None, "unknown")) == []
    signing_up.send_link(life.engine, life.settings, ANN.email_key, life.now)
    assert len(life.letters()) == 1
    life.now += timedelta(hours=1)
    assert len(life.letters()) == 1


def test_a_confirmation_that_waited_too_long_is_not_sent(life: Life) -> None:
    signing_up.sign_up(life.engine, life.settings, ANN, life.now)
    life.now += timedelta(hours=48)
    assert life.letters() == []


def test_a_consent_that_lapses_is_kept_by_its_link_and_by_no_other_time(life: Life) -> None:
    (token,) = life.sign_up(ANN._replace(country="KR"))
    life.confirm(token)
    keep = links.sign(links.KEEP, life.reader().id, KEYS)
    assert life.confirm(keep) == "already"
    life.now = datetime(2028, 4, 1, tzinfo=UTC)
    assert life.confirm(keep) == "done"
    assert life.reader().consent.reconfirm_by == datetime(2030, 4, 1, tzinfo=UTC)
    life.unsubscribe()
    assert life.confirm(keep) == "expired"


def test_an_undo_restores_the_consent_that_its_link_ended(life: Life) -> None:
    before = life.joined().consent
    life.now += DAY
    assert life.unsubscribe(one_click=True) == "done"
    assert life.unsubscribe() == "already"
    assert life.undo() == "done"
    after = life.reader().consent
    assert (after.state, after.country, after.reconfirm_by) == ("confirmed", before.country, before.reconfirm_by)
    assert life.undo() == "already"


def test_an_undo_is_over_after_30_days(life: Life) -> None:
    life.joined()
    life.unsubscribe()
    life.now += 30 * DAY
    assert life.undo() == "done"
    life.unsubscribe()
    life.now += 30 * DAY + timedelta(seconds=1)
    assert life.undo() == "expired"


def test_what_was_never_agreed_to_cannot_be_undone_and_is_never_asked_again(life: Life) -> None:
    life.sign_up()
    life.unsubscribe()
    assert life.undo() == "expired"
    life.now += 2 * DAY
    assert life.sign_up() == []
    life.now += 60 * DAY
    retention.expire(life.engine, life.settings, life.now)
    assert life.sign_up() == []


def test_who_complained_is_not_asked_again_after_being_forgotten(life: Life) -> None:
    number = life.joined().id
    life.happens("complained")
    leaving.forget(life.engine, links.sign("forget", number, KEYS, life.now), KEYS, life.now)
    life.now += 60 * DAY
    assert life.sign_up() == []


def test_what_others_ended_cannot_be_undone(life: Life) -> None:
    life.joined()
    life.happens("complained")
    assert life.undo() == "expired"
    assert life.reader().consent.state == "complained"


def test_a_stranger_takes_nobodys_undo_away(life: Life) -> None:
    life.joined()
    life.unsubscribe()
    life.now += DAY
    life.sign_up(ANN._replace(topics=()))
    assert life.undo() == "done"
    assert life.reader().consent.state == "confirmed"


def test_an_undo_restores_the_pause_too(life: Life) -> None:
    number = life.joined().id
    choices.pause(life.engine, links.sign(links.UNSUBSCRIBE, number, KEYS), 4, KEYS, NOW)
    life.unsubscribe()
    assert life.undo() == "done"
    assert life.reader().consent.paused_until == NOW + 28 * DAY


def test_a_pause_that_is_pressed_again_writes_nothing(life: Life) -> None:
    number = life.joined().id
    for _ in range(5):
        choices.pause(life.engine, links.sign(links.UNSUBSCRIBE, number, KEYS), 4, KEYS, life.now)
    with reading(life.engine) as connection:
        assert [link.event.kind for link in store.log(connection, number)] == ["requested", "confirmed", "paused"]


def test_a_consent_that_lapsed_before_anybody_wrote_it_down_is_kept_by_its_link_or_asked_for_anew(life: Life) -> None:
    (token,) = life.sign_up(ANN._replace(country="KR"))
    life.confirm(token)
    keep = links.sign(links.KEEP, life.reader().id, KEYS)
    life.now = datetime(2028, 5, 4, 10, tzinfo=UTC)
    assert signing_up.expected(life.engine, keep, KEYS, life.now) == "done"
    (anew,) = life.sign_up(ANN._replace(country="KR"))
    assert life.confirm(anew) == "done"
    assert life.reader().consent.reconfirm_by == datetime(2030, 5, 4, 10, tzinfo=UTC)


def test_a_reason_for_leaving_is_one_of_ours_or_none(life: Life) -> None:
    life.joined()
    for reason, kept in (("often", "often"), ("I live at 1 Main Street", "")):
        life.unsubscribe(reason=reason)
        with reading(life.engine) as connection:
            assert store.log(connection, life.reader().id)[-1].event.detail == kept
        life.undo()


def test_a_pause_is_taken_from_either_link_and_ended(life: Life) -> None:
    number = life.joined().id
    for token in (links.sign("preferences", number, KEYS, NOW), links.sign(links.UNSUBSCRIBE, number, KEYS)):
        assert choices.pause(life.engine, token, 4, KEYS, NOW) == "done"
        assert life.reader().consent.paused_until == NOW + 28 * DAY
        assert choices.pause(life.engine, token, 0, KEYS, NOW) == "done"
        assert life.reader().consent.paused_until is None


def test_the_forgotten_leave_a_log_of_a_number_and_a_keyed_hash(
    life: Life, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    number = life.joined().id
    token = links.sign("forget", number, KEYS, life.now)
    assert leaving.forget(life.engine, token, KEYS, life.now) == "done"
    assert leaving.forget(life.engine, token, KEYS, life.now) == "already"
    assert rows("subscriber") == []
    with reading(life.engine) as connection:
        logged = store.log(connection, number)
        assert store.refused(connection, [ANN.email_key], KEYS) == {ANN.email_key: number}
        assert store.refused(connection, [ANN.email_key], [b"x" * 32]) == {}
    assert broken(logged) is None
    assert logged[-1].event.kind == "erased"
    assert "ann" not in repr(logged).lower()


def test_the_forgotten_may_sign_up_again_under_another_number(life: Life) -> None:
    first = life.joined().id
    leaving.forget(life.engine, links.sign("forget", first, KEYS, life.now), KEYS, life.now)
    life.now += DAY
    assert life.joined().id != first


def test_all_that_is_held_about_a_reader_is_shown_to_them(life: Life) -> None:
    token = links.sign("my-data", life.joined().id, KEYS, life.now)
    data = leaving.my_data(life.engine, token, KEYS, life.now)
    assert isinstance(data, dict)
    assert data["email"] == "Ann@example.org"
    assert [event["kind"] for event in data["proof"]] == ["requested", "confirmed"]
    assert data["proof"][0]["wording_text"].startswith("Yes")
    assert [one["kind"] for one in data["deliveries"]] == ["confirmation"]
    assert leaving.my_data(life.engine, token, KEYS, life.now + 2 * DAY) == "expired"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "", "agree": "1"}, "email is missing"),
        ({"email": "nobody", "agree": "1"}, "email is no address"),
        ({"email": "ann@example.org"}, "agree is not ticked"),
        ({"email": "ann@example.org", "agree": "1", "country": "Germany"}, "country"),
        ({"email": "ann@example.org", "agree": "1", "locale": "xx"}, "locale"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_without_naming_the_address(
    fields: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        signing_up.parse(fields, [], None, "unknown")
    assert "ann@example.org" not in str(refused.value)


def test_a_declared_country_goes_before_a_located_one() -> None:
    fields = {"email": "ann@example.org", "agree": "1"}
    assert signing_up.parse(fields, [], "DE", "header")[4:6] == ("DE", "header")
    assert signing_up.parse({**fields, "country": "kr"}, [], "DE", "header")[4:6] == ("KR", "declared")
    assert signing_up.parse(fields, [], None, "unknown")[4:6] == (None, "unknown")


def test_no_request_shows_its_address_when_it_is_printed() -> None:
    assert "ann" not in repr(ANN).lower()
