"""Who approves an edition, what blocks it, to whom it goes, and what happens when it is due."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.operations.weeks import AFTER, BEFORE, NOW, W18, W19, W20, desk_of, import_week

from digest import audit
from digest.config import Settings
from digest.database import reading, writing
from digest.errors import DigestError
from digest.operations import approving
from digest.operations.checking import faults_of_settings
from digest.rendering.lint.page import Finding
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer
from digest.weekly import stages
from digest.weekly.calendar import Week

FAULT = Finding("error", "links", "Movers", "A link is none.", "Mend it.", "every mail")


on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # all checks take seconds


@pytest.fixture
def desk(engine: Engine, settings: Settings, tmp_path: Path) -> Settings:
    chosen = desk_of(settings)
    import_week(engine, chosen, tmp_path, W18, BEFORE)
    import_week(engine, chosen, tmp_path, W19, AFTER)
    stages.draft(engine, chosen, W19, NOW)
    return chosen


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the checks find, for the tests that are about what follows from it."""
    found: list[Finding] = []
    monkeypatch.setattr(approving, "check_edition", lambda *_given: found)
    return found


def policy(desk: Settings, **changes: Any) -> Settings:
    return desk_of(desk, **changes)


def acts(engine: Engine, week: Week = W19) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        return [(entry.act, entry.who) for entry in audit.read(connection, str(week))][1:]


@on_one_database
def test_a_draft_whose_mails_pass_every_check_is_approved_by_name(engine: Engine, desk: Settings) -> None:
    done = approving.approve(engine, desk, W19, "eva", NOW)
    assert (done.stored.approved, done.by) == (True, ("eva",))
    assert not [finding for finding in done.found if finding.level == "error"]
    assert acts(engine) == [("approved", "eva")]


@on_one_database
def test_an_error_blocks_the_approval_and_leaves_no_line(engine: Engine, desk: Settings) -> None:
    with writing(engine) as connection:
        link = "<a href=''javascript:x''>Here</a>"  # in single quotes, for what is stored is JSON
        spoilt = f"replace(rendered, '</h1>', '{link}</h1>')"
        connection.execute(text(f"UPDATE edition SET rendered = {spoilt}"))
    with pytest.raises(DigestError, match=r"block approval, the first: .*javascript:x"):
        approving.approve(engine, desk, W19, "eva", NOW)
    assert acts(engine) == []


def test_what_blocks_is_told_with_what_to_do(engine: Engine, desk: Settings, checks: list[Finding]) -> None:
    checks += [FAULT, FAULT._replace(level="warning"), FAULT._replace(section="Prices")]
    with pytest.raises(DigestError) as caught:
        approving.approve(engine, desk, W19, "eva", NOW)
    assert str(caught.value) == (
        "2 checks of 2026-W19 fail and block approval, the first: A link is none. Mend it. "
        "`digest preview 2026-W19 --check` lists all."
    )


def test_a_sender_without_a_postal_address_is_warned_and_not_blocked(engine: Engine, settings: Settings) -> None:
    nowhere = settings
    found = [FAULT._replace(level="warning"), *faults_of_settings(nowhere)]
    assert [finding.check for finding in found if finding.level == "error"] == ["sender"]
    assert approving.blocking(found, nowhere) == []
    assert approving.blocking([FAULT, *found], nowhere) == [FAULT]


def test_two_approvers_are_two_people_and_the_last_one_pins_the_bytes(
    engine: Engine, desk: Settings, checks: list[Finding]
) -> None:
    strict = policy(desk, approvers=["eva", "ben", "cho"], needed=2)
    with pytest.raises(DigestError, match="dan may not approve"):
        approving.approve(engine, strict, W19, "dan", NOW)
    for _time in range(2):
        assert approving.approve(engine, strict, W19, "eva", NOW).stored.approved is False
    with pytest.raises(DigestError, match="not approved"):
        stages.send(engine, strict, W19, lambda: NOW)
    assert approving.approve(engine, strict, W19, "ben", NOW).stored.approved is True
    assert acts(engine) == [("approved", "eva"), ("approved", "ben")]


def test_another_draft_wants_every_approval_anew(
    engine: Engine, desk: Settings, checks: list[Finding], tmp_path: Path
) -> None:
    strict = policy(desk, needed=2)
    approving.approve(engine, strict, W19, "eva", NOW)
    import_week(engine, strict, tmp_path, W19, {**AFTER, "cirrus-3": 66.0}, day=1)
    stages.draft(engine, strict, W19, NOW)
    done = approving.approve(engine, strict, W19, "ben", NOW)
    assert (done.stored.approved, done.by) == (False, ("ben",))


def test_an_approval_that_fell_stays_fallen_when_the_draft_is_what_it_was(
    engine: Engine, desk: Settings, checks: list[Finding]
) -> None:
    other = desk.model_copy(update={"series": desk.series.model_copy(update={"tagline": "Another"})})
    approving.approve(engine, desk, W19, "eva", NOW)
    assert stages.draft(engine, other, W19, NOW).voided
    assert not stages.draft(engine, desk, W19, NOW).stored.approved
    assert approving.approve(engine, desk, W19, "eva", NOW).stored.approved
    assert [act for act, _who in acts(engine)] == ["approved", "drafted", "voided", "drafted", "approved"]


def test_only_what_was_looked_at_is_approved(engine: Engine, desk: Settings) -> None:
    with pytest.raises(DigestError, match="another than was looked at"):
        stages.approve(engine, W19, NOW, "eva", content="0" * 64)


def test_at_the_deadline_an_approved_edition_goes_out_and_another_is_held(engine: Engine, desk: Settings) -> None:
    assert approving.decide_at_deadline(engine, desk, W19, NOW) == (False, ("nobody approved it in time",))
    assert approving.decide_at_deadline(engine, desk, W20, NOW) == (False, ("there is no draft",))
    assert acts(engine) == [("held", "scheduler")]
    stages.approve(engine, W19, NOW, "eva")
    assert approving.decide_at_deadline(engine, desk, W19, NOW).send is True


@on_one_database
def test_at_the_deadline_a_checked_edition_goes_out_in_the_schedulers_name(engine: Engine, desk: Settings) -> None:
    trusting = policy(desk, at_deadline="send_if_checked", needed=2)
    assert approving.decide_at_deadline(engine, trusting, W19, NOW) == (True, ())
    assert stages.is_approved(engine, W19)
    assert acts(engine) == [("approved", "scheduler")]


def test_at_the_deadline_an_error_or_a_doubt_holds_the_edition(
    engine: Engine, desk: Settings, checks: list[Finding], tmp_path: Path
) -> None:
    trusting = policy(desk, at_deadline="send_if_checked")
    checks.append(FAULT)
    assert approving.decide_at_deadline(engine, trusting, W19, NOW).why == ("a check fails: A link is none.",)
    checks.clear()
    import_week(engine, trusting, tmp_path, W20, {"aurora-2": 10.0})
    stages.draft(engine, trusting, W20, NOW)
    held = approving.decide_at_deadline(engine, trusting, W20, NOW)
    assert held.why == ("a capture of The board is held back", "no source was read")
    assert not stages.is_approved(engine, W20)


def add_readers(engine: Engine, desk: Settings, count: int, country: str, now: datetime) -> None:
    regime = {"DE": "DE", "KR": "KR", "US": "US"}[country]
    event = ConsentEvent("confirmed", now, "form", country=country, regime=regime)
    names = [f"{country.lower()}{number}@example.org" for number in range(count)]
    with writing(engine) as connection:
        store.add(connection, [Newcomer(name, name, event) for name in names], now)


def test_readers_are_counted_by_region_with_what_is_held_and_skipped(engine: Engine, desk: Settings) -> None:
    night = desk.model_copy(update={"delivery": desk.delivery.model_copy(update={"from_hour": 8, "until_hour": 20})})
    for count, country in ((3, "DE"), (2, "KR"), (1, "US")):
        add_readers(engine, desk, count, country, NOW)
    with writing(engine) as connection:
        found = store.find(connection, "de0@example.org")
        assert found is not None
        connection.execute(
            text("UPDATE subscriber SET paused_until = :at WHERE id = :id"), {"at": "2026-08-01", "id": found.id}
        )
    asked = NOW.replace(hour=11)
    by_region = stages.forecast_by_region(engine, night, W19, asked)
    whole = stages.forecast(engine, night, W19, asked)
    for (state, reason), count in whole.items():
        assert sum(n for (_regime, *rest), n in by_region.items() if rest == [state, reason]) == count
    assert by_region["DE", "pending", ""] == 2
    assert by_region["DE", "skipped", "paused"] == 1
    assert by_region["KR", "held", "night"] == 2


def test_of_an_edition_that_was_queued_it_is_told_how_it_went(engine: Engine, desk: Settings) -> None:
    add_readers(engine, desk, 2, "DE", NOW)
    stages.approve(engine, W19, NOW)
    stages.send(engine, desk, W19, lambda: NOW)
    assert stages.forecast_by_region(engine, desk, W19, NOW) == {("DE", "sent", ""): 2}
