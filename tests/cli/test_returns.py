"""`digest bounces`, `digest reconcile`, and what `status` and `explain` say of what is in doubt."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from tests.builders import an_edition
from tests.delivery.returned_mails import RETURN_PATH, report, status
from tests.delivery.returns import consent, delivery, mailed
from tests.delivery.test_reconciling import NO_USER, SENT, postfix

from digest.cli import printing, run
from digest.config.sections import Mail
from digest.config.settings import Settings
from digest.database import metadata, open_database, writing
from digest.delivery import reconciling
from digest.delivery import store as deliveries
from digest.delivery.message import return_path
from digest.delivery.outbox import Mailing
from digest.edition import store as editions
from digest.edition.rendered import Rendered
from digest.subscribers import store
from digest.subscribers.consent import ConsentEvent
from digest.subscribers.store import Newcomer

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
CLOCK = f"--now={NOW.isoformat()}"
KEY = "0123456789abcdef0123456789abcdef"
CONFIG = f"""
[database]
url = "sqlite:///digest.db"
[links]
keys = ["{KEY}"]
[mail]
bounce_address = "bounce@digest.example"
[bounces]
maildir = "returned"
"""
_delivery = metadata.tables["delivery"]
ADA, BEN = "ada@example.org", "ben@example.org"
Ran = tuple[int, str, str]
Digest = Callable[..., Ran]


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Digest:
    """Runs a command line in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.setattr(printing.out, "width", 120)
    Path("config.toml").write_text(CONFIG)
    for name in ("tmp", "new", "cur"):
        Path("returned", name).mkdir(parents=True)

    def digest(*words: str) -> Ran:
        capsys.readouterr()
        done = run((*words, CLOCK))
        said = capsys.readouterr()
        return done, said.out, said.err

    return digest


@pytest.fixture
def engine(tmp_path: Path, digest: Digest) -> Iterator[Engine]:
    made = open_database(f"sqlite:///{tmp_path / 'digest.db'}")
    yield made
    made.dispose()


def readers(engine: Engine, *emails: str) -> list[int]:
    event = ConsentEvent("confirmed", NOW, "form")
    with writing(engine) as connection:
        return store.add(connection, [Newcomer(one, one, event) for one in emails], NOW)


@pytest.fixture
def doubtful(engine: Engine) -> tuple[Mailing, int, int]:
    """An edition to two readers, and nobody knows whether they have it."""
    ada, ben = readers(engine, ADA, BEN)
    return mailed(engine, "2026-W18", NOW, "uncertain"), ada, ben


def document(ran: Ran) -> Any:
    assert (ran[0], ran[2]) == (0, "")
    return json.loads(ran[1])


def test_status_counts_what_is_uncertain_and_names_the_command(digest: Digest, doubtful: object) -> None:
    found = document(digest("status", "--json"))
    assert found["uncertain"] == {"2026-W18": 2}
    assert found["returned"]["bounced"] == 0
    (said,) = [need for need in found["needs"] if "uncertain" in need]
    assert said == "2 uncertain deliveries of 2026-W18, for the relay broke off at the last: digest reconcile"
    assert said in digest("status")[1]


def test_explain_names_the_command_that_settles_it(digest: Digest, doubtful: object) -> None:
    assert "`digest reconcile` settles it" in " ".join(digest("explain", ADA, "2026-W18")[1].split())


def test_reconcile_lists_numbers_and_addresses_only_when_asked(
    digest: Digest, doubtful: tuple[Mailing, int, int]
) -> None:
    bare, asked = digest("reconcile", "2026-W18"), digest("reconcile", "--addresses")
    assert (bare[0], asked[0]) == (0, 0)
    assert str(doubtful[1]) in bare[1]
    assert ADA not in bare[1]
    assert ADA in asked[1]
    assert "2 deliveries uncertain" in bare[1]
    assert digest("reconcile", "2026-W17")[1] == "No delivery is uncertain.\n"
    listed = document(digest("reconcile", "--json"))
    assert {one["subscriber"] for one in listed["uncertain"]} == set(doubtful[1:])
    assert ADA not in json.dumps(listed)


def test_reconcile_settles_by_a_log(digest: Digest, engine: Engine, doubtful: tuple[Mailing, int, int]) -> None:
    mailing, ada, ben = doubtful
    ids = {one.subscriber_id: one.message_id for one in reconciling.uncertain(engine, Settings())}
    lines = postfix(ids[ada], SENT, queue_id="4F00BA12") + postfix(ids[ben], NO_USER)
    Path("mail.log").write_text("".join(lines))
    assert digest("reconcile", "--log", "mail.log")[1] == "2 deliveries settled.\nNo delivery is uncertain.\n"
    assert [delivery(engine, mailing, one)["state"] for one in (ada, ben)] == ["sent", "failed"]
    assert consent(engine, ben).state == "bounced"


def test_reconcile_takes_a_persons_word_for_one_or_for_all(
    digest: Digest, engine: Engine, doubtful: tuple[Mailing, int, int]
) -> None:
    mailing, ada, ben = doubtful
    assert document(digest("reconcile", "--not-sent", "--only", str(ada), "--json")) == {"settled": 1, "uncertain": []}
    assert "1 delivery settled." in digest("reconcile", "2026-W18", "--sent")[1]
    assert [delivery(engine, mailing, one)["state"] for one in (ada, ben)] == ["pending", "sent"]


@pytest.mark.parametrize(
    ("words", "status_", "said"),
    [
        (("reconcile", "--sent", "--not-sent"), 2, "cannot both be so"),
        (("reconcile", "--log", "nowhere.log"), 1, "the log nowhere.log cannot be read: No such file"),
        (("reconcile", "week-18"), 2, "is no week"),
        (("bounces", "undo"), 2, "name one reader, or a time"),
        (("bounces", "undo", "--since", "monday"), 2, "is no ISO 8601 time"),
        (("bounces", "undo", "who@example.org"), 2, "no reader has this address"),
    ],
)
def test_wrong_usage_is_one_sentence(digest: Digest, words: tuple[str, ...], status_: int, said: str) -> None:
    done, out, err = digest(*words)
    assert (done, out) == (status_, "")
    assert said in err
    assert err.count("\n") == 1


def test_bounces_reads_the_mailbox_and_undo_brings_the_reader_back(
    digest: Digest, engine: Engine, doubtful: tuple[Mailing, int, int]
) -> None:
    mailing, ada, _ben = doubtful
    chosen = Settings(mail=Mail(bounce_address="bounce@digest.example"))
    path = return_path(mailing, ada, chosen, [KEY.encode()])
    raw = report("It failed.\n", status("5.1.1", "550 5.1.1 unknown"), "x\n").replace(
        RETURN_PATH.encode(), path.encode()
    )
    Path("returned", "new", "1").write_bytes(raw)
    done, out, _err = digest("bounces")
    assert (done, out) == (0, "1 mail read.\n        1  came back: their deliveries failed\n")
    assert consent(engine, ada).state == "bounced"
    assert document(digest("status", "--json"))["returned"]["bounced"] == 1
    assert "digest bounces undo" in " ".join(digest("explain", ADA)[1].split())
    assert digest("bounces", "undo", ADA)[1] == "1 reader is back.\n"
    assert consent(engine, ada).state == "confirmed"
    assert document(digest("bounces", "--json"))["bounced"] == 0


def test_a_mailbox_that_is_not_named_or_cannot_be_read_is_told(digest: Digest) -> None:
    Path("returned", "new").rmdir()
    assert digest("bounces")[0] == 1
    Path("config.toml").write_text("[database]\nurl = 'sqlite:///digest.db'\n")
    done, _out, err = digest("bounces")
    assert (done, err) == (1, "digest: [bounces] names no mailbox: set maildir, or imap.host.\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[mail]\nbounce_address = "returned-mail-of-ours@digest.example"\n', "longer than 15 letters"),
        ('[mail]\nbounce_address = "bounce"\n', "is no mail address"),
        ('[bounces]\nmaildir = "a"\n[bounces.imap]\nhost = "mx"\n', "returned mail is read in one place"),
        ('[bounces.imap]\nfolder = "Rückläufer"\n', "folder"),
    ],
)
def test_a_place_for_returned_mail_that_cannot_be_is_refused(digest: Digest, text: str, said: str) -> None:
    Path("config.toml").write_text(text)
    done, _out, err = digest("bounces")
    assert done == 1
    assert said in err


def test_many_failures_many_complaints_and_what_nobody_could_read_want_a_person(
    digest: Digest, engine: Engine, rendered: Rendered
) -> None:
    readers(engine, *(f"r{number}@example.org" for number in range(100)))
    mailing = mailed(engine, "2026-W18", NOW)
    with writing(engine) as connection:
        editions.save_draft(connection, an_edition(), rendered, editions.envelope_of(Settings()), NOW)
        deliveries.count(connection, NOW.date(), {"complained": 1, "unproven": 2, "unreadable": 1})
    wanted = {
        "1 complaint of 100 mails in 30 days; from 0.1 % on large providers refuse the sender: digest pause the "
        "mailing, and see by digest subscribers list how those who joined of late came in.",
        "3 returned mails of the last 30 days could not be taken in: read what is flagged in the mailbox of "
        "[bounces]; who wants no more mail goes by digest subscribers remove.",
    }
    failed = "10 of 100 deliveries of 2026-W18 failed: if a provider refused what was right, digest bounces undo"
    needs = document(digest("status", "--json"))["needs"]
    assert wanted <= set(needs)
    assert "deliveries of 2026-W18 failed" not in " ".join(needs)
    with writing(engine) as connection:
        ten = select(_delivery.c.id).where(_delivery.c.mailing_id == mailing.id).limit(10)
        connection.execute(update(_delivery).where(_delivery.c.id.in_(ten)).values(state="failed"))
    assert f"{failed} --since TIME" in document(digest("status", "--json"))["needs"]
