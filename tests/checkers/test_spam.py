"""SpamAssassin's own rules, without a network: those that our mails hit are known, and it does tell spam from them.

tests/golden/spamassassin.txt says what each mail hits. A new rule there is a template that got worse, or an edition
whose words look like spam; a mail with none is the best there is.
"""

import itertools
import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from tests import builders as b
from tests.checkers.installed import program
from tests.test_recorded_editions import BUSY, FAILED, QUIET, REMADE, RENAMED, edition_of
from tests.test_recorded_weeks import GOLDEN, RECORDED

from digest.delivery.message import Own, build, compile_mail
from digest.delivery.outbox import Letter, Mailing
from digest.edition.content import Edition
from digest.edition.notes import load_note
from digest.edition.rendered import Rendered
from digest.edition.renditions import FORMATS, Format, Rendition
from digest.language import LOCALES
from digest.operations.checking import largest_watch_list
from digest.operations.demo import run_demo
from digest.rendering.email import render
from digest.rendering.letters import letter
from digest.rendering.renditions import Mail, assemble
from digest.subscribers.consent import Consent
from digest.subscribers.regimes import duties, packaged_regimes
from digest.subscribers.store import Subscriber

pytestmark = pytest.mark.long

SETTINGS = b.some_settings()
KEYS = (bytes(32),)
RULES = GOLDEN / "spamassassin.txt"
READERS = itertools.count(1)
"""Each mail has a reader of its own, and so a Message-ID of its own, by which it is found again."""
HEAD = re.compile(
    r"^X-Spam-Status: \w+, score=(\S+) required=\S+\s+tests=([\w,\s]+?)\s+autolearn.*?^Message-ID: (<.+?>)", re.S | re.M
)
EVERY_MAILS = {"NO_RECEIVED", "NO_RELAYS", "HTML_MESSAGE"}
"""Rules without a weight that any mail hits which has an HTML part and has not been on its way yet."""
SPAM = 5
"""The score from which SpamAssassin calls a mail spam unless it is told otherwise."""
OFFER = """---
title: You have WON $1,000,000 dollars
date: 2026-04-29
---
Dear friend, **VIAGRA** and CIALIS at the lowest price: 100% guaranteed, no medical exams, money back guarantee!
Act now for a free instant quote. This is not spam; to be removed from future mailings click below.
"""


class Sent(NamedTuple):
    """A mail as it would go out, under a name."""

    name: str
    data: bytes


class Verdict(NamedTuple):
    score: Decimal
    rules: tuple[str, ...]


def mails_of(edition: Edition, rendered: Rendered, *formats: Format) -> Iterator[Sent]:
    """An edition in each language, with all in it that a reader's mail may have, to the region whose rules add most."""
    at = datetime.combine(edition.starts, time(9), UTC)
    mailing = Mailing(1, "edition", edition.week, "", at, 1)
    regime = max(rendered.regimes, key=lambda code: len(rendered.regimes[code].html))
    for locale in LOCALES:
        watch, _count = largest_watch_list(rendered.in_language(locale))
        own = Own(watch, "", at.date(), "sign-up form", (at.date(), f"{SETTINGS.series.base_url}/confirm/link"))
        for format_ in formats:
            mail = assemble(rendered, Rendition(locale, format=format_, regime=regime))
            yield Sent(f"{edition.week} {format_} {locale}", raw(mail, mailing, own, locale))


def letters() -> Iterator[Sent]:
    for kind in get_args(Letter):
        mailing = Mailing(1, kind, "2026-05-04", "", datetime(2026, 5, 4, 9, tzinfo=UTC), 1)
        own = Own(action=f"{SETTINGS.series.base_url}/{kind}/link")
        for locale in LOCALES:
            yield Sent(f"{kind} letter {locale}", raw(letter(kind, SETTINGS, locale), mailing, own, locale))


def raw(mail: Mail, mailing: Mailing, own: Own, locale: str) -> bytes:
    reader = Subscriber(next(READERS), "reader@reader.example", "reader@reader.example", Consent(), locale, ())
    return build(compile_mail(mail, mailing, SETTINGS, lapsing=own.keep is not None), reader, KEYS, own)


def rendered_of(edition: Edition) -> Rendered:
    carried = {code: duties(one, "edition", commercial=False) for code, one in packaged_regimes().by_code.items()}
    return render(edition, SETTINGS, duties=carried)


def judged(mails: Iterable[Sent], folder: Path) -> dict[str, Verdict]:
    """What one run of SpamAssassin says of each mail: the rules that come with it, no network, nothing learnt."""
    command = [
        program("spamassassin"),
        "--local",
        "--test-mode",
        "--nocreate-prefs",
        "--configpath=/usr/share/spamassassin",
    ]
    names, files = {}, []
    for number, mail in enumerate(mails):
        names[str(message_from_bytes(mail.data)["Message-ID"])] = mail.name
        files.append(folder / str(number))
        files[-1].write_bytes(mail.data)
    done = subprocess.run(
        [*command, "--cf=report_safe 0", "--cf=use_bayes 0", *files],
        capture_output=True,
        check=True,
        env={**os.environ, "HOME": str(folder)},
    )
    said = {}
    for score, rules, number in HEAD.findall(done.stdout.decode("utf-8", "replace")):
        said[names.pop(number)] = Verdict(Decimal(score), tuple(sorted(re.split(r"[,\s]+", rules))))
    assert not names
    return said


def of_recorded_weeks() -> Iterator[Sent]:
    """Those of the golden weeks, where the captures are beside the checkout."""
    for week in (BUSY, QUIET, RENAMED, REMADE, FAILED) if RECORDED.is_dir() else ():
        yield from mails_of(edition_of(week), rendered_of(edition_of(week)), "full", "text")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """What is said of every golden mail, in one run."""
    program("spamassassin")
    demo = run_demo(tmp_path_factory.mktemp("demo")).drafted
    mails = [*letters(), *mails_of(demo.edition, demo.rendered, *FORMATS), *of_recorded_weeks()]
    return judged(mails, tmp_path_factory.mktemp("mails"))


def test_our_mails_hit_the_rules_that_are_known_and_no_other(said: dict[str, Verdict]) -> None:
    hit = {name: sorted(set(verdict.rules) - EVERY_MAILS) for name, verdict in said.items()}
    lines = [f"{name}: {' '.join(rules)}".strip() + "\n" for name, rules in hit.items()]
    if os.environ.get("UPDATE_GOLDEN") == "1" and RECORDED.is_dir():
        RULES.write_text("".join(lines), encoding="utf-8")
    golden = RULES.read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines == golden[: None if RECORDED.is_dir() else len(lines)]


def test_no_mail_of_ours_comes_near_to_what_counts_as_spam(said: dict[str, Verdict]) -> None:
    assert [name for name, verdict in said.items() if verdict.score >= SPAM / 2] == []


def test_a_note_and_names_full_of_spam_are_spam(tmp_path: Path) -> None:
    program("spamassassin")
    (tmp_path / "2026-W18.md").write_text(OFFER, encoding="utf-8")
    name = b.a_name("VIAGRA CIALIS for free")
    places = tuple(place.model_copy(update={"name": name}) for place in b.a_board().places)
    edition = b.an_edition(boards=(b.a_board(places=places),), note=load_note(tmp_path, "2026-W18"))
    mails = list(mails_of(edition, rendered_of(edition), *FORMATS))
    assert [mail for mail, verdict in judged(mails, tmp_path).items() if verdict.score < SPAM] == []
