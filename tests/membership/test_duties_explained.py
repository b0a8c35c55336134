"""All regimes times all mails, from the reader to the wire: what a mail carries is what `digest explain` says of it."""

import email
import email.policy
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import html
from sqlalchemy import Engine
from tests import builders as b
from tests.conftest import WEEK
from tests.outgoing import some_outgoing

from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import outbox, sending
from digest.delivery.contents import of_edition
from digest.edition.rendered import Rendered
from digest.edition.renditions import Duty
from digest.membership import importing, signing_up
from digest.membership.explaining import explain
from digest.rendering.email import render
from digest.subscribers import regimes, store
from digest.subscribers.regimes import Regimes, packaged_regimes
from digest.subscribers.routing import Deliver, Outgoing, route

OWN_ROWS = """
[regions.MY]
name = "Malaysia"
duties = ["complaints"]
label = "[Iklan]"

[regions.DE]
notices = ["Own rule of the operator."]
"""
ALL: list[str | None] = [None, *packaged_regimes().by_code]
BASE = ("identity", "address", "unsubscribe")


class Delivered(NamedTuple):
    """A mail from the Maildir: to whom, the headers that matter, and each part as its reader sees it."""

    to: str
    subject: str
    leave: str
    parts: tuple[str, ...]


def country_of(code: str | None) -> str | None:
    """A country whose readers go by a row: of a union, a member without a row of its own."""
    return "BE" if code == "EU" else None if code == "ZZ" else code


@cache
def rendered(own: Path | None, commercial: bool) -> Rendered:
    asked = {
        code: regimes.duties(regime, "edition", commercial) for code, regime in packaged_regimes(own).by_code.items()
    }
    return render(b.an_edition(), b.some_settings(), duties=asked)


@pytest.fixture(scope="session")
def own_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("regimes") / "own.toml"
    path.write_text(OWN_ROWS, encoding="utf-8")
    return path


Lay = Callable[..., Settings]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Settings of a series, commercial or not, with the operator's own rows or without."""

    def lay(own: Path | None, commercial: bool) -> Settings:
        series = b.some_settings().series.model_copy(update={"commercial": commercial})
        given = {"consent": {"regimes": own}, "delivery": {"maildir": tmp_path / "outbox"}}
        return Settings.model_validate({"series": series.model_dump(), "mail": {"from_name": "Digest"}, **given})

    return lay


def outgoing(settings: Settings, now: datetime) -> Outgoing:
    table = packaged_regimes(settings.consent.regimes)
    closes = now + timedelta(days=3)
    return some_outgoing(WEEK, regimes=table, commercial=settings.series.commercial, closes_at=closes)


def add(engine: Engine, settings: Settings, name: str, country: str | None, now: datetime) -> None:
    proof = {"consented_at": "2026-03-12", "method": "sign-up form", "wording": "2026-11/en"}
    fields = {"email": f"{name}@example.org", "country": country or "", **proof}
    importing.add(engine, settings, importing.newcomer(fields, settings, now), now)


def send(engine: Engine, settings: Settings, edition: Outgoing, now: datetime) -> dict[str, Delivered]:
    """Queue and send to everybody; the mails by reader."""
    with writing(engine) as connection:
        mailing = outbox.queue(connection, edition, "hash", now)
    made = rendered(settings.consent.regimes, settings.series.commercial)
    contents = of_edition(made, [b.an_edition()], edition, settings)
    tally = sending.drain(engine, settings, mailing, contents, sending.transport_of(settings), lambda: now)
    assert tally["sent"] == mailing.audience
    return {mail.to: mail for mail in mails(settings)}


def mails(settings: Settings) -> Iterator[Delivered]:
    for path in (settings.delivery.maildir / "new").iterdir():
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        bodies = [part for part in mail.walk() if part.get_content_maintype() == "text"]
        parts = tuple(" ".join(seen(part.get_content(), part.get_content_subtype())) for part in bodies)
        yield Delivered(mail["To"].partition("@")[0], mail["Subject"], mail["List-Unsubscribe"], parts)


def seen(content: str, kind: str) -> Iterator[str]:
    if kind == "plain":
        return iter(content.split())
    page = html.fromstring(content)
    return iter([*page.xpath("//body")[0].text_content().split(), *page.xpath("//a/@href")])


def carried(mail: Delivered, table: Regimes, settings: Settings) -> set[Duty]:
    """The duties that a mail is seen to carry, in every one of its parts."""
    series = settings.series
    every = {duty for regime in table.by_code.values() for duty in regime.duties}
    shown = {
        "identity": f"{series.title}, {series.postal_address}",
        "address": series.postal_address,
        "unsubscribe": mail.leave.strip("<>"),
        "complaints": f"Complaints: {series.contact}",
        "consent": "You agreed on 12 Mar 2026 (sign-up form).",
    }
    found = {duty for duty in every if duty.kind == "label" and mail.subject.startswith(f"{duty.text} ")}
    for duty in every - found:
        words = shown.get(duty.kind) or duty.text
        held = [" ".join(words.split()) in part for part in mail.parts if duty.kind != "label"]
        assert all(held) or not any(held), f"{duty} is in one part of the mail and not in the other"
        found |= {duty} if any(held) else set()
    return found


def sentences(table: Regimes) -> set[str]:
    """Whatever `explain` could say of any duty in any region."""
    return {regimes.said(duty, regime) for regime in table.by_code.values() for duty in regime.duties}


@pytest.mark.parametrize("commercial", [False, True])
@pytest.mark.parametrize("operators", [False, True], ids=["packaged", "own rows"])
def test_each_mail_carries_its_regions_duties_and_explain_names_them_and_no_other(
    engine: Engine, lay: Lay, own_rows: Path, now: datetime, operators: bool, commercial: bool
) -> None:
    settings = lay(own_rows if operators else None, commercial)
    table = packaged_regimes(settings.consent.regimes)
    codes = [*ALL, "MY"] if operators else ALL
    for code in codes:
        add(engine, settings, f"r-{code}", country_of(code), now)
    edition = outgoing(settings, now)
    told = {code: explain(engine, settings, f"r-{code}@example.org", WEEK, edition, now) for code in codes}
    sent = send(engine, settings, edition, now)
    for code in codes:
        regime = table.of(code)
        asked = regimes.duties(regime, "edition", commercial)
        assert carried(sent[f"r-{code}"], table, settings) == set(asked)
        assert told[code].duties == tuple(regimes.said(duty, regime) for duty in asked)
        assert set(told[code].duties) <= sentences(table)
        assert routed(engine, f"r-{code}@example.org", edition, now) == (code or "ZZ", asked)


def routed(engine: Engine, address: str, edition: Outgoing, now: datetime) -> tuple[str, tuple[Duty, ...]]:
    with reading(engine) as connection:
        reader = store.find(connection, address.lower())
    assert reader is not None
    where = route(reader, edition, now)
    assert isinstance(where, Deliver)
    return where.rendition.regime, where.duties


def test_explain_tells_no_duty_of_another_region_under_any_heading(engine: Engine, lay: Lay, now: datetime) -> None:
    settings = lay(None, False)
    for code in ALL:
        add(engine, settings, f"r-{code}", country_of(code), now)
        told = explain(engine, settings, f"r-{code}@example.org", WEEK, outgoing(settings, now), now)
        regime = packaged_regimes().of(code)
        own = {regimes.said(duty, regime) for duty in regime.duties}
        assert {line for line in (*told.duties, *told.rules) if line in sentences(packaged_regimes())} == own


def test_an_operators_label_stands_before_the_subject_only_where_the_series_advertises(
    engine: Engine, lay: Lay, own_rows: Path, now: datetime
) -> None:
    settings = lay(own_rows, True)
    add(engine, settings, "ann", "MY", now)
    edition = outgoing(settings, now)
    mail = send(engine, settings, edition, now)["ann"]
    assert mail.subject.startswith("[Iklan] ")
    told = explain(engine, settings, "ann@example.org", WEEK, edition, now)
    assert "In Malaysia the subject of an edition that advertises begins with “[Iklan]”." in told.duties
    quiet = explain(engine, settings, "ann@example.org", WEEK, edition._replace(commercial=False), now)
    assert not any("Iklan" in line for line in quiet.duties)


def test_letters_to_every_region_carry_the_base_alone(engine: Engine, lay: Lay, now: datetime) -> None:
    settings = lay(None, True)
    for code in ALL:
        fields = {"email": f"r-{code}@example.org", "agree": "yes", "country": country_of(code) or ""}
        signing_up.sign_up(engine, settings, signing_up.parse(fields, (), None, "unknown"), now)
    assert sending.send_letters(engine, settings, lambda: now) == len(ALL)
    for mail in mails(settings):
        assert {duty.kind for duty in carried(mail, packaged_regimes(), settings)} == set(BASE)
