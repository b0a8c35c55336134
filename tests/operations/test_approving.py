"""Who approves an edition, what blocks it, to whom it goes, and what happens when it is due."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event
from time import sleep
from typing import Any

import pytest
from sqlalchemy import Engine, text
from tests.operations.weeks import AFTER, BEFORE, NOW, W18, W19, W20, desk_of, import_week

from digest import audit
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import outbox
from digest.edition import override_store
from digest.edition.rendered import Rendered
from digest.errors import DigestError
from digest.operations import approving
from digest.operations.checking import faults_of_settings
from digest.operations.stories import read_stories, say
from digest.rendering.email import render
from digest.rendering.lint.page import Finding
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer
from digest.weekly import collecting, stages
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


def fallen(engine: Engine, content: str = "") -> tuple[str, ...]:
    with reading(engine) as connection:
        return approving.fallen(connection, W19, content)


def test_an_override_after_the_approval_voids_it_at_once(engine: Engine, desk: Settings, checks: list[Finding]) -> None:
    approving.approve(engine, desk, W19, "eva", NOW)
    dropped = next(it for it in read_stories(engine, desk, W19).stories if it.told == "headline")
    say(engine, desk, W19, dropped.key, "drop", "ben", NOW)
    with pytest.raises(DigestError, match="not approved"):
        stages.send(engine, desk, W19, lambda: NOW)
    assert acts(engine) == [("approved", "eva"), ("overridden", "ben"), ("voided", "ben")]
    assert fallen(engine) == (f"an override came: drop “{dropped.headline}”",)
    with pytest.raises(DigestError, match="does not heed 1 override that came later; run `digest draft"):
        approving.approve(engine, desk, W19, "eva", NOW)
    stages.draft(engine, desk, W19, NOW)
    assert approving.approve(engine, desk, W19, "eva", NOW).stored.approved


def test_an_override_without_effect_does_not_stand_in_the_way(
    engine: Engine, desk: Settings, checks: list[Finding]
) -> None:
    story = read_stories(engine, desk, W19).stories[0].key
    for what in ("drop", "restore"):
        say(engine, desk, W19, story, what, "eva", NOW)
    assert not stages.draft(engine, desk, W19, NOW).changed
    assert approving.approve(engine, desk, W19, "eva", NOW).stored.approved


def test_a_capture_that_is_believed_after_the_approval_voids_it(
    engine: Engine, desk: Settings, checks: list[Finding], tmp_path: Path
) -> None:
    approving.approve(engine, desk, W19, "eva", NOW)
    import_week(engine, desk, tmp_path, W19, {"aurora-2": 10.0}, day=1)
    assert stages.is_approved(engine, W19)
    collecting.accept(engine, desk, "board", NOW, "ben")
    assert not stages.is_approved(engine, W19)
    assert fallen(engine) == ("a capture of The board was accepted",)


def test_what_changed_since_an_approval_adds_up_until_it_is_all_taken_back(
    engine: Engine, desk: Settings, checks: list[Finding]
) -> None:
    def with_series(**changes: str) -> Settings:
        return desk.model_copy(update={"series": desk.series.model_copy(update=changes)})

    approved = approving.approve(engine, desk, W19, "eva", NOW).stored.content_hash
    assert fallen(engine, approved) == ()
    stages.draft(engine, with_series(tagline="Another"), W19, NOW, "ben")
    other = stages.draft(engine, with_series(tagline="Another", contact="x@example.org"), W19, NOW, "ben")
    what = fallen(engine, other.stored.content_hash)
    assert any("tagline" in it for it in what)
    assert any("contact" in it for it in what)
    stages.draft(engine, desk, W19, NOW, "ben")
    assert fallen(engine, approved) == ("nothing is left of it: this is again what was approved",)


def test_the_word_of_one_of_two_editors_falls_with_a_line_as_well(
    engine: Engine, desk: Settings, checks: list[Finding]
) -> None:
    strict = policy(desk, needed=2)
    approving.approve(engine, strict, W19, "eva", NOW)
    other = strict.model_copy(update={"series": strict.series.model_copy(update={"tagline": "Another"})})
    assert stages.draft(engine, other, W19, NOW, "ben").voided
    assert [act for act, _who in acts(engine)] == ["approved", "drafted", "voided"]


def test_a_draft_that_may_not_go_over_an_approval_leaves_everything_as_it_was(
    engine: Engine, desk: Settings, checks: list[Finding]
) -> None:
    approving.approve(engine, desk, W19, "eva", NOW)
    other = desk.model_copy(update={"series": desk.series.model_copy(update={"tagline": "Another"})})
    with pytest.raises(stages.ApprovedError):
        stages.draft(engine, other, W19, NOW, "ben", over_approval=False)
    assert stages.is_approved(engine, W19)
    assert acts(engine) == [("approved", "eva")]
    assert not stages.draft(engine, desk, W19, NOW, "ben", over_approval=False).changed


def test_who_may_not_approve_any_more_counts_no_more(engine: Engine, desk: Settings, checks: list[Finding]) -> None:
    approving.approve(engine, policy(desk, needed=2), W19, "dan", NOW)
    named = policy(desk, approvers=["eva", "ben"], needed=2)
    assert not approving.approve(engine, named, W19, "eva", NOW).stored.approved
    assert approving.approve(engine, named, W19, "ben", NOW).stored.approved


def test_at_the_deadline_a_capture_that_is_held_back_since_the_draft_holds_the_edition(
    engine: Engine, desk: Settings, checks: list[Finding], tmp_path: Path
) -> None:
    import_week(engine, desk, tmp_path, W19, {"aurora-2": 10.0}, day=1)
    trusting = policy(desk, at_deadline="send_if_checked")
    assert approving.decide_at_deadline(engine, trusting, W19, NOW).why == ("a capture of The board is held back",)
    assert approving.at_deadline(engine, policy(desk, required=False), W19, NOW, stages.unguarded) is None


# Two at once


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each gave; the first of them is in the middle of its work when the others begin."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result(60) for done in [pool.submit(work) for work in works]]


def test_two_who_approve_at_once_pin_it(
    engine: Engine, desk: Settings, checks: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = policy(desk, needed=2)
    known, both = override_store.approvers, Barrier(2)

    def slowly(*given: Any) -> tuple[str, ...]:
        found = known(*given)
        with suppress(BrokenBarrierError):  # the other waits for us, as it should
            both.wait(0.5)
        return found

    monkeypatch.setattr(override_store, "approvers", slowly)
    at_once(*(partial(stages.approve, engine, W19, NOW, name, strict.approval) for name in ("eva", "ben")))
    assert stages.is_approved(engine, W19)


def test_a_draft_waits_for_a_queueing_and_then_finds_the_edition_sent(
    engine: Engine, desk: Settings, checks: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_readers(engine, desk, 1, "DE", NOW)
    stages.approve(engine, W19, NOW, "eva")
    other = desk.model_copy(update={"series": desk.series.model_copy(update={"tagline": "Another"})})
    known, queueing, drafting = outbox.queue, Event(), Event()
    rendered = approving._stored(engine, W19).rendered

    def slowly(*given: Any) -> outbox.Mailing:
        queueing.set()
        assert drafting.wait(60)
        sleep(0.5)  # the draft is made, and would be stored
        return known(*given)

    def rendering(*_given: Any) -> Rendered:
        drafting.set()
        return rendered

    def draft() -> str:
        assert queueing.wait(60)
        with pytest.raises(DigestError) as caught:
            stages.draft(engine, other, W19, NOW, "ben")
        return str(caught.value)

    monkeypatch.setattr(stages, "render", rendering)
    monkeypatch.setattr(outbox, "queue", slowly)
    _mailing, said = at_once(partial(stages.queue, engine, desk, W19, NOW), draft)
    assert "already being sent" in str(said)
    assert stages.send(engine, desk, W19, lambda: NOW).tally["sent"] == 1


def test_an_approval_given_while_a_draft_is_rendered_falls_with_a_line(
    engine: Engine, desk: Settings, checks: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = render

    def meanwhile(*given: Any) -> Any:
        stages.approve(engine, W19, NOW, "eva")
        return known(*given)

    monkeypatch.setattr(stages, "render", meanwhile)
    other = desk.model_copy(update={"series": desk.series.model_copy(update={"tagline": "Another"})})
    assert stages.draft(engine, other, W19, NOW, "ben").voided
    assert [act for act, _who in acts(engine)] == ["approved", "drafted", "voided"]
