"""All regimes times all mails: on the wire, each message carries exactly its duties."""

import email
import email.policy
import functools
from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Any

import pytest
from lxml import html
from tests import builders as b
from tests.delivery.test_message import ACTION, ANN, KEYS, LETTER, MAILING

from digest.delivery import message
from digest.delivery.message import Own
from digest.edition.rendered import Rendered
from digest.edition.renditions import Format, Rendition
from digest.rendering.email import render
from digest.rendering.letters import LetterKind, letter
from digest.rendering.renditions import Mail, assemble
from digest.subscribers.regimes import Regime, duties, packaged_regimes

SETTINGS = b.some_settings()
OWN = Own(action=ACTION, consented_on=date(2026, 3, 12), consent_method="sign-up form")
REGIMES = packaged_regimes().by_code
BASE = (
    "Digest, 1 Example Street, 10115 Berlin, Germany",
    "Contact: hello@digest.example",
    "https://digest.example/unsubscribe/",
)


@functools.cache
def rendered(commercial: bool) -> Rendered:
    asked = {code: duties(regime, "edition", commercial) for code, regime in REGIMES.items()}
    return render(b.an_edition(), SETTINGS, duties=asked)


def parts(mail: Mail, mailing: Any = MAILING) -> tuple[str, list[str]]:
    """The subject, and each part as a reader sees it, links included, folded to one line."""
    built = message.build(message.compile_mail(mail, mailing, SETTINGS, lapsing=OWN.keep is not None), ANN, KEYS, OWN)
    parsed = email.message_from_bytes(built, policy=email.policy.default)
    bodies = [part for part in parsed.walk() if part.get_content_maintype() == "text"]
    return str(parsed["Subject"]), [" ".join(seen(part.get_content(), part.get_content_subtype())) for part in bodies]


def seen(content: str, kind: str) -> Iterator[str]:
    if kind == "plain":
        return iter(content.split())
    page = html.fromstring(content)
    return iter([*page.xpath("//body")[0].text_content().split(), *page.xpath("//a/@href")])


def carried(subject: str, part: str) -> set[str]:
    """The duties beyond the base that can be seen in a message, each by its words."""
    every = {duty for regime in REGIMES.values() for duty in duties(regime, "edition", commercial=True)}
    notices = {duty.text for duty in every if duty.kind == "notice" and " ".join(duty.text.split()) in part}
    labels = {duty.text for duty in every if duty.kind == "label" and subject.startswith(f"{duty.text} ")}
    lines = {"complaints": "Complaints: hello@digest.example", "consent": "You agreed on 12 Mar 2026 (sign-up form)."}
    return notices | labels | {kind for kind, line in lines.items() if line in part}


def wanted(regime: Regime, commercial: bool) -> set[str]:
    asked = duties(regime, "edition", commercial)
    return {duty.text or duty.kind for duty in asked if duty.kind not in ("identity", "address", "unsubscribe")}


@pytest.mark.parametrize(("code", "kind"), list(product(REGIMES, ("full", "short", "text"))))
def test_an_edition_carries_exactly_the_duties_of_its_readers_region(code: str, kind: Format) -> None:
    for commercial in (False, True):
        subject, bodies = parts(assemble(rendered(commercial), Rendition(format=kind, regime=code)))
        assert len(bodies) == (1 if kind == "text" else 2)
        for part in bodies:
            assert carried(subject, part) == wanted(REGIMES[code], commercial)
            assert all(one in part for one in BASE)


@pytest.mark.parametrize("kind", ["confirmation", "preferences"])
def test_a_letter_carries_the_base_and_nothing_else(kind: LetterKind) -> None:
    subject, bodies = parts(letter(kind, SETTINGS), LETTER)
    for part in bodies:
        assert carried(subject, part) == set()
        assert all(one in part for one in BASE)


def test_the_table_has_something_to_tell_apart() -> None:
    kinds = {duty.kind for regime in REGIMES.values() for duty in duties(regime, "edition", commercial=True)}
    assert {"complaints", "consent", "label"} <= kinds
    assert len({frozenset(wanted(regime, True)) for regime in REGIMES.values()}) > 3
