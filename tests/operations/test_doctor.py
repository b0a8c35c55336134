"""The doctor names what is wrong, above all each way in which a consent log can be tampered with."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from tests.delivery.provider import provider
from tests.delivery.relay import relay
from tests.delivery.test_signing import ED25519, written

from digest.config import sections
from digest.config.settings import Settings
from digest.database import writing
from digest.operations.doctor import examine
from digest.operations.findings import Finding
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer

AT = datetime.fromisoformat("2026-01-02T03:04:05Z")
AGREED = ConsentEvent(
    "confirmed", AT, "form", "2026-11/en", country="DE", derived="declared", regime="DE", regime_version="1", detail="x"
)


@pytest.fixture
def readers(engine: Engine, now: datetime) -> list[int]:
    """Three readers with two events each."""
    with writing(engine) as connection:
        names = [f"{name}@example.org" for name in ("ann", "ben", "cho")]
        numbers = store.add(connection, [Newcomer(name, name, AGREED) for name in names], now)
        for day, number in enumerate(numbers, start=1):
            paused = ConsentEvent("paused", AT + timedelta(days=day), "button", until=now)
            store.append(connection, number, paused)
    return numbers


@pytest.fixture
def look(engine: Engine, settings: Settings, now: datetime) -> Callable[[str], list[Finding]]:
    """What the doctor says of one matter."""

    def look(what: str) -> list[Finding]:
        return [found for found in examine(engine, settings, now) if found.what == what]

    return look


def tamper(engine: Engine, statement: str, **values: Any) -> None:
    with writing(engine) as connection:
        assert connection.execute(text(statement), values).rowcount


def test_all_is_well_where_nobody_tampered(readers: list[int], look: Callable[[str], list[Finding]]) -> None:
    assert look("consent log") == [Finding("consent log", "ok", "3 logs, and every chain holds.")]


@pytest.mark.parametrize(
    "change",
    [
        *("kind = 'withdrawn'", "at = '2026-01-02 03:04:06.000000'", "method = 'letter'", "wording = 'all my data'"),
        *("wording_hash = 'ff'", "country = 'US'", "derived = 'import'", "regime = 'US'", "regime_version = '2'"),
        *("until = '2027-01-02 03:04:06.000000'", "detail = ''", "hash = 'ff'", "number = 7", "country = NULL"),
    ],
)
def test_a_change_of_any_column_of_an_event_is_named(
    engine: Engine, readers: list[int], look: Callable[[str], list[Finding]], change: str
) -> None:
    tamper(engine, f"UPDATE consent_event SET {change} WHERE subscriber_id = :id AND number = 1", id=readers[1])
    (found,) = look("consent log")
    assert found.level == "fail"
    assert found.said.startswith(f"log {readers[1]}: event 1 was changed")


def test_an_event_that_was_taken_off_the_end_is_named(
    engine: Engine, readers: list[int], look: Callable[[str], list[Finding]]
) -> None:
    tamper(engine, "DELETE FROM consent_event WHERE subscriber_id = :id AND number = 2", id=readers[0])
    (found,) = look("consent log")
    assert f"log {readers[0]}: it ends with event 1, but the reader's row knows event 2 as another" in found.said


def test_a_reader_whose_log_is_gone_is_counted(
    engine: Engine, readers: list[int], look: Callable[[str], list[Finding]]
) -> None:
    tamper(engine, "DELETE FROM consent_event WHERE subscriber_id = :id", id=readers[0])
    (found,) = look("consent log")
    assert (found.level, found.said[:33]) == ("fail", "1 reader with no event at all: so")


def test_logs_of_two_readers_that_were_swapped_are_both_named(
    engine: Engine, readers: list[int], look: Callable[[str], list[Finding]]
) -> None:
    one, other, _third = readers
    for before, after in ((one, -1), (other, one), (-1, other)):
        statement = "UPDATE consent_event SET subscriber_id = :after WHERE subscriber_id = :before"
        tamper(engine, statement, before=before, after=after)
    (found,) = look("consent log")
    assert f"log {one}: " in found.said
    assert f"log {other}: " in found.said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("state = 'withdrawn'", "state"),
        ("paused_until = NULL", "paused_until"),
        ("reconfirm_by = '2030-01-01 00:00:00.000000'", "reconfirm_by"),
        ("country = 'US', regime = 'US'", "country, regime"),
    ],
)
def test_a_column_of_a_reader_that_says_otherwise_than_the_log_is_named(
    engine: Engine, readers: list[int], look: Callable[[str], list[Finding]], change: str, named: str
) -> None:
    tamper(engine, f"UPDATE subscriber SET {change} WHERE id = :id", id=readers[2])
    (found,) = look("consent log")
    assert f"log {readers[2]}: the reader's row says otherwise in {named}: " in found.said


def test_a_row_that_vanished_without_an_erasure_is_named(
    engine: Engine, readers: list[int], look: Callable[[str], list[Finding]]
) -> None:
    tamper(engine, "DELETE FROM subscriber WHERE id = :id", id=readers[2])
    (found,) = look("consent log")
    assert f"log {readers[2]}: the reader's row is gone" in found.said


def test_of_many_broken_logs_the_first_are_named(
    engine: Engine, now: datetime, look: Callable[[str], list[Finding]]
) -> None:
    names = [f"r{number}@example.org" for number in range(30)]
    with writing(engine) as connection:
        store.add(connection, [Newcomer(name, name, AGREED) for name in names], now)
    tamper(engine, "UPDATE consent_event SET method = 'letter'")
    (found,) = look("consent log")
    assert found.said.count("log ") == 5
    assert "; and 25 more: " in found.said


def test_an_event_of_the_future_is_a_word_about_the_clock(
    engine: Engine, now: datetime, look: Callable[[str], list[Finding]]
) -> None:
    event = ConsentEvent("confirmed", now + timedelta(hours=1), "form")
    with writing(engine) as connection:
        store.add(connection, [Newcomer("ann@example.org", "ann@example.org", event)], now)
    (found,) = look("clock")
    assert found.level == "warn"
    assert look("consent log")[0].level == "ok"


def test_a_maildir_that_cannot_be_made_is_a_failure(
    engine: Engine, settings: Settings, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    there = settings.delivery.model_copy(update={"maildir": tmp_path / "file" / "outbox"})
    found = list(examine(engine, settings.model_copy(update={"delivery": there}), now))
    (transport,) = [one for one in found if one.what == "transport"]
    assert transport.level == "fail"
    assert found[-1].what == "templates"


def test_a_relay_that_is_not_there_is_a_failure(engine: Engine, now: datetime, settings: Settings) -> None:
    over_smtp = settings.delivery.model_copy(update={"transport": "smtp"})
    closed = settings.smtp.model_copy(update={"port": 1, "timeout_seconds": 2, "tls": "none"})
    changed = settings.model_copy(update={"delivery": over_smtp, "smtp": closed})
    (found,) = [one for one in examine(engine, changed, now) if one.what == "transport"]
    assert (found.level, found.said[:44]) == ("fail", "the relay 127.0.0.1:1 cannot be reached (Con")


def test_what_a_region_asks_of_the_operator_is_said_where_readers_live(
    engine: Engine, look: Callable[[str], list[Finding]], now: datetime
) -> None:
    assert [found.level for found in look("regimes")] == ["ok"]
    event = ConsentEvent("confirmed", now, "form", country="KR", regime="KR")
    with writing(engine) as connection:
        store.add(connection, [Newcomer("min@example.org", "min@example.org", event)], now)
    (note,) = look("regimes")[1:]
    assert note.level == "note"
    assert note.said.startswith("South Korea: ")


def test_the_rest_is_looked_at_too(look: Callable[[str], list[Finding]], tmp_path: Path, settings: Settings) -> None:
    assert look("database")[0].level == "ok"
    assert look("link keys") == [Finding("link keys", "ok", "1 key in [links] keys.")]
    assert (
        look("transport")[0].said == f"the Maildir {settings.delivery.maildir} can be written; nothing is mailed by it."
    )
    assert [found.level for found in look("templates")] == ["ok"]


def chosen(settings: Settings, **changes: dict[str, Any]) -> Settings:
    """The settings with some keys of some sections changed."""
    sections = {name: getattr(settings, name).model_copy(update=changed) for name, changed in changes.items()}
    return settings.model_copy(update=sections)


def said_of(what: str, engine: Engine, settings: Settings, now: datetime) -> list[Finding]:
    return [found for found in examine(engine, settings, now) if found.what == what]


def test_of_two_relays_each_is_looked_at(engine: Engine, now: datetime, settings: Settings) -> None:
    with relay() as server:
        second = sections.Relay(port=server.port, tls="none")
        there = chosen(
            settings,
            delivery={"transport": "smtp"},
            smtp={"port": 1, "tls": "none", "timeout_seconds": 2, "fallback": second},
        )
        first, other = said_of("transport", engine, there, now)
    assert (first.level, first.said[:32]) == ("fail", "the relay 127.0.0.1:1 cannot be ")
    assert other == Finding("transport", "ok", f"the relay 127.0.0.1:{server.port} answers.")


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("token", Finding("transport", "ok", "Postmark answers and knows the token and the message stream weekly.")),
        ("other", Finding("transport", "fail", "Postmark refuses the token (401); check [postmark] token.")),
    ],
)
def test_a_providers_token_is_tried(
    engine: Engine, now: datetime, settings: Settings, token: str, expected: Finding
) -> None:
    with provider() as server:
        over_http = chosen(
            settings,
            delivery={"transport": "postmark"},
            postmark={"url": server.url, "token": SecretStr(token), "stream": "weekly"},
        )
        assert said_of("transport", engine, over_http, now) == [expected]


def test_a_key_is_shown_as_the_record_that_publishes_it(
    engine: Engine, now: datetime, settings: Settings, tmp_path: Path
) -> None:
    key = written(tmp_path / "key.pem", ED25519)
    signing = chosen(settings, dkim={"domain": "digest.example", "keys": {"2026": key}})
    (found,) = said_of("DKIM", engine, signing, now)
    assert found.level == "ok"
    assert "TXT record of 2026._domainkey.digest.example is: v=DKIM1; k=ed25519; p=" in found.said


def test_a_key_that_helps_nobody_or_is_not_there_is_a_failure(
    engine: Engine, now: datetime, settings: Settings, tmp_path: Path
) -> None:
    assert [found.level for found in said_of("DKIM", engine, settings, now)] == ["note"]
    absent = chosen(settings, dkim={"domain": "another.example", "keys": {"2026": tmp_path / "key.pem"}})
    other_domain, no_file = said_of("DKIM", engine, absent, now)
    assert other_domain.said.startswith("mail from digest.example is signed for another.example, so DMARC does not")
    assert no_file.said.startswith(f"the DKIM key {tmp_path}/key.pem of [dkim.keys] cannot be read")


def test_the_dns_is_asked_where_somebody_can_be_asked(engine: Engine, now: datetime, settings: Settings) -> None:
    closed = {"port": 1, "tls": "none", "timeout_seconds": 2}
    over_smtp = chosen(settings, delivery={"transport": "smtp"}, smtp=closed)
    records = {("_dmarc.digest.example", "TXT"): ["v=DMARC1; p=reject"]}
    found = list(examine(engine, over_smtp, now, lambda name, kind: records.get((name, kind), ())))
    assert [(one.what, one.level) for one in found if one.what in ("DMARC", "MX")] == [("DMARC", "ok"), ("MX", "fail")]
    assert not [one for one in examine(engine, over_smtp, now) if one.what in ("DNS", "DMARC", "MX")]


SECRET = SecretStr("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")


@pytest.mark.parametrize(
    ("mail_to", "hook", "secret", "levels", "said"),
    [
        ([], "", SecretStr(""), ["note"], "nobody is told what needs a person"),
        (["ops@x.example"], "", SecretStr(""), ["ok", "note"], "told to 1 address by mail."),
        ([], "https://ops.example/hidden", SECRET, ["ok"], "told to the hook at ops.example."),
        ([], "https://ops.example/hidden", SecretStr("whsec_short"), ["ok", "fail"], "secret is not of the form"),
    ],
)
def test_who_is_told_of_faults_is_looked_at_before_there_is_one(
    engine: Engine,
    settings: Settings,
    now: datetime,
    mail_to: list[str],
    hook: str,
    secret: SecretStr,
    levels: list[str],
    said: str,
) -> None:
    hooks, to = sections.Hooks(alerts=hook, secret=secret), sections.Alerts(mail_to=mail_to)
    chosen = settings.model_copy(update={"alerts": to, "hooks": hooks})
    found = [one for one in examine(engine, chosen, now) if one.what == "alerts"]
    assert [one.level for one in found] == levels
    assert any(said in one.said for one in found)
    assert not any(word in one.said for one in found for word in ("ops@", "hidden", "short", "MDEy"))


def test_a_secret_that_can_sign_nothing_is_named_though_only_editions_are_told(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    chosen = settings.model_copy(update={"hooks": sections.Hooks(editions="https://partner.example/x")})
    assert "fail" in [one.level for one in examine(engine, chosen, now) if one.what == "alerts"]
