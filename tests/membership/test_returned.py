"""Returned mail is read from a mailbox, acts once, and is kept; a person may take its effect back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from tests.delivery.mail_server import PASSWORD, Folder, imap_server
from tests.delivery.relay import free_port
from tests.delivery.returned_mails import FEEDBACK, mail, report, status
from tests.delivery.returns import consent, delivery, events, mailed

from digest.config.sections import Bounces, Imap
from digest.config.settings import Settings
from digest.database import reading, writing
from digest.delivery import store as deliveries
from digest.delivery.bounces import verp
from digest.delivery.message import message_number, return_path
from digest.delivery.outbox import Mailing
from digest.errors import DeliveryError, UsageError
from digest.membership.returned import facts, take_mail, undo, undo_since
from digest.subscribers import links, store
from digest.subscribers.consent import ConsentEvent

AddReaders = Callable[..., list[int]]
KEYS = [b"0123456789abcdef0123456789abcdef"]
GONE = status("5.1.1", "550 5.1.1 <ann@example.org>: user unknown", reader="ann@example.org")
PERSON = b"From: Ann <ann@example.org>\r\nSubject: hello\r\n\r\nWho are you?\r\n"
AWAY = mail("I am away.", "Auto-Submitted: auto-replied", sender="ann@example.org", subject="Away")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "returned"
    for name in ("tmp", "new", "cur"):
        (folder / name).mkdir(parents=True)
    return folder


@pytest.fixture
def with_box(settings: Settings, box: Path) -> Settings:
    mail_ = settings.mail.model_copy(update={"bounce_address": "bounce@digest.example"})
    return settings.model_copy(update={"bounces": Bounces(maildir=box), "mail": mail_})


def put(box: Path, *mails: bytes) -> None:
    for number, raw in enumerate(mails):
        (box / "new" / f"{number}.example").write_bytes(raw)


def marks(box: Path) -> list[str]:
    assert not list((box / "new").iterdir())
    return sorted(path.name.partition(":2,")[2] for path in (box / "cur").iterdir())


def bounce_of(mailing: Mailing, reader: int, settings: Settings, fields: str = GONE) -> bytes:
    """A report that came to the delivery's own return path, as the relay's last hop writes it into the header."""
    path = return_path(mailing, reader, settings, KEYS)
    return (
        b"Delivered-To: " + path.encode() + b"\r\n" + report("It failed.\n", fields, "To: x\n\nx\n").split(b"\n", 1)[1]
    )


def test_a_bounce_ends_the_consent_and_is_read_once(
    engine: Engine, with_box: Settings, box: Path, add_readers: AddReaders, now: datetime
) -> None:
    (ann,) = add_readers(0, "ann@example.org")
    mailing = mailed(engine, "2026-W18", now)
    put(box, bounce_of(mailing, ann, with_box))
    assert take_mail(engine, with_box, now) == {"bounced": 1}
    assert take_mail(engine, with_box, now) == {}
    assert events(engine, ann) == [("bounced", "returned mail", "no_such_mailbox")]
    assert delivery(engine, mailing, ann)["state"] == "failed"
    assert marks(box) == ["S"]
    with reading(engine) as connection:
        assert deliveries.counted(connection, now.date()) == {"bounced": 1}


def test_a_mail_that_was_taken_in_before_a_crash_is_only_marked_after_it(
    engine: Engine, with_box: Settings, box: Path, add_readers: AddReaders, now: datetime
) -> None:
    (ann,) = add_readers(0, "ann@example.org")
    raw = bounce_of(mailed(engine, "2026-W18", now), ann, with_box)
    put(box, raw)
    take_mail(engine, with_box, now)
    put(box, raw)  # as if it had never been moved
    assert take_mail(engine, with_box, now) == {}
    assert len(events(engine, ann)) == 1
    assert marks(box) == ["S"]


def test_a_mail_stays_unread_when_its_effect_cannot_be_stored(
    engine: Engine, with_box: Settings, box: Path, add_readers: AddReaders, now: datetime
) -> None:
    (ann,) = add_readers(0, "ann@example.org")
    put(box, bounce_of(mailed(engine, "2026-W18", now), ann, with_box))

    def fail(*_: object) -> None:
        raise RuntimeError

    event.listen(engine, "commit", fail)
    with pytest.raises(RuntimeError):
        take_mail(engine, with_box, now)
    event.remove(engine, "commit", fail)
    assert len(list((box / "new").iterdir())) == 1
    assert consent(engine, ann).state == "confirmed"
    assert take_mail(engine, with_box, now) == {"bounced": 1}


def test_what_no_signature_proves_and_what_nobody_can_read_changes_nothing_and_is_flagged(
    engine: Engine, with_box: Settings, box: Path, add_readers: AddReaders, now: datetime
) -> None:
    (ann,) = add_readers(0, "ann@example.org")
    mailed(engine, "2026-W18", now)
    (ben,) = add_readers(0, "ben@example.org")
    late = bounce_of(mailed(engine, "2026-W19", now), ben, with_box, status("4.4.1", "timed out", "delayed"))
    put(box, report("It failed.\n", GONE, "To: ann@example.org\n\nx\n"), PERSON, b"\xff\x00" * 500, AWAY, late)
    assert take_mail(engine, with_box, now) == {"unproven": 1, "unreadable": 2, "automatic": 1, "late": 1}
    assert marks(box) == ["FS", "FS", "FS", "S", "S"]
    assert consent(engine, ann).state == "confirmed"


def test_the_message_id_of_what_is_returned_proves_whose_it_is(
    engine: Engine, settings: Settings, box: Path, add_readers: AddReaders, now: datetime
) -> None:
    (ann, ben) = add_readers(0, "ann@example.org", "ben@example.org")
    mailing = mailed(engine, "2026-W18", now)
    chosen = settings.model_copy(update={"bounces": Bounces(maildir=box)})
    number = message_number(mailing, ann, chosen)
    put(box, report("It failed.\n", GONE, f"Message-ID: <{number}@digest.example>\nTo: ann@example.org\n\nx\n"))
    assert take_mail(engine, chosen, now) == {"bounced": 1}
    assert delivery(engine, mailing, ann)["state"] == "failed"
    assert (consent(engine, ann).state, consent(engine, ben).state) == ("bounced", "confirmed")


def test_a_complaint_is_attributed_by_the_link_in_the_mail_that_it_encloses(
    engine: Engine, with_box: Settings, box: Path, add_readers: AddReaders, now: datetime
) -> None:
    (ann,) = add_readers(0, "ann@example.org")
    link = f"https://digest.example/unsubscribe/{links.sign(links.UNSUBSCRIBE, ann, KEYS)}"
    put(
        box,
        report(
            "A complaint.\n", FEEDBACK.format("abuse"), f"List-Unsubscribe: <{link}>\n\nx\n", kind="feedback-report"
        ),
    )
    assert take_mail(engine, with_box, now) == {"complained": 1}
    assert events(engine, ann) == [("complained", "returned mail", "")]


def test_without_verp_the_envelope_sender_is_the_sender(settings: Settings, now: datetime) -> None:
    mailing = Mailing(7, "edition", "2026-W18", "", now, 1)
    assert return_path(mailing, 5, settings, KEYS) == "news@digest.example"
    letters = settings.model_copy(update={"mail": settings.mail.model_copy(update={"bounce_address": "b@x.example"})})
    path = return_path(mailing, 5, letters, KEYS)
    assert path.endswith("@x.example")
    assert verp.find(path.encode(), KEYS) == (7, 5)


def test_mail_is_read_from_an_imap_folder_and_flagged_there(
    engine: Engine, settings: Settings, add_readers: AddReaders, now: datetime
) -> None:
    (ann,) = add_readers(0, "ann@example.org")
    mailing = mailed(engine, "2026-W18", now)
    bounce = bounce_of(mailing, ann, settings.model_copy(update={"mail": settings.mail.model_copy(update={
        "bounce_address": "bounce@digest.example"})}))  # fmt: skip
    folder = Folder({3: bounce, 4: PERSON, 5: b"x" * 300_000}, {4: set()})
    with imap_server(folder) as port:
        imap = Imap(host="127.0.0.1", port=port, tls="none", user="digest", password=PASSWORD, folder='Re"turned')
        chosen = settings.model_copy(update={"bounces": Bounces(imap=imap)})
        assert take_mail(engine, chosen, now) == {"bounced": 1, "unreadable": 2}
        assert take_mail(engine, chosen, now) == {}
    assert folder.flags == {3: {r"\Seen"}, 4: {r"\Seen", r"\Flagged"}, 5: {r"\Seen", r"\Flagged"}}
    assert consent(engine, ann).state == "bounced"
    assert not any("DELETE" in said.upper() or "EXPUNGE" in said.upper() for said in folder.said)


def test_a_mailbox_that_cannot_be_read_is_one_sentence_without_a_secret(
    engine: Engine, settings: Settings, tmp_path: Path, now: datetime
) -> None:
    with imap_server(Folder({})) as port:
        places = (
            (Bounces(maildir=tmp_path / "nowhere"), "maildir"),
            (Bounces(imap=Imap(host="127.0.0.1", port=port, tls="none", user="u", password="wrong")), "log-in"),
            (Bounces(imap=Imap(host="127.0.0.1", port=port, user="u", password="p")), "TLS|reached"),
            (Bounces(imap=Imap(host="127.0.0.1", port=free_port(), tls="none")), "cannot be reached"),
        )
        for bounces, said in places:
            with pytest.raises(DeliveryError, match=said) as raised:
                take_mail(engine, settings.model_copy(update={"bounces": bounces}), now)
            assert "wrong" not in str(raised.value)


def test_a_server_that_breaks_off_leaves_the_rest_for_the_next_time(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    folder = Folder({1: PERSON, 2: AWAY, 3: PERSON}, breaks_at=3)
    with imap_server(folder) as port:
        imap = Imap(host="127.0.0.1", port=port, tls="none", user="digest", password=PASSWORD)
        chosen = settings.model_copy(update={"bounces": Bounces(imap=imap)})
        with pytest.raises(DeliveryError, match="the rest is read the next time"):
            take_mail(engine, chosen, now)
        folder.breaks_at = None
        assert take_mail(engine, chosen, now) == {}  # the third is the first one's twin
    assert sorted(folder.flags) == [1, 2, 3]


def ended(engine: Engine, reader: int, kind: str, at: datetime) -> None:
    with writing(engine) as connection:
        store.append(connection, reader, ConsentEvent(kind, at, "returned mail", detail="mailbox_full"))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_the_operator_takes_back_what_ended_a_consent_and_it_stands_as_before(
    engine: Engine, add_readers: AddReaders, now: datetime, kind: str
) -> None:
    (ann,) = add_readers(0, "ann@example.org")
    before = consent(engine, ann)
    ended(engine, ann, kind, now)
    assert undo(engine, "Ann@example.org", now)
    after = consent(engine, ann)
    assert (after.state, after.regime, after.reconfirm_by) == ("confirmed", before.regime, before.reconfirm_by)
    assert after.method == f"{kind}: taken back by the operator"
    assert not undo(engine, "ann@example.org", now)


def test_what_a_reader_ended_or_never_began_no_operator_takes_back(
    engine: Engine, add_readers: AddReaders, now: datetime
) -> None:
    left, asked = add_readers(0, "left@example.org", "asked@example.org")
    ended(engine, left, "withdrawn", now)
    ended(engine, left, "complained", now)
    assert not undo(engine, "left@example.org", now)
    with writing(engine) as connection:
        store.append(connection, asked, ConsentEvent("expired", now, "time"))
        store.append(connection, asked, ConsentEvent("requested", now, "form"))
    ended(engine, asked, "bounced", now)
    assert not undo(engine, "asked@example.org", now)
    with pytest.raises(UsageError) as raised:
        undo(engine, "nobody@example.org", now)
    assert "nobody@example.org" not in str(raised.value)


def test_a_providers_bad_hour_is_taken_back_for_all_but_those_who_complained(
    engine: Engine, add_readers: AddReaders, now: datetime
) -> None:
    earlier, during, angry = add_readers(3)
    ended(engine, earlier, "bounced", now - timedelta(days=3))
    ended(engine, during, "bounced", now)
    ended(engine, angry, "complained", now)
    assert undo_since(engine, now - timedelta(hours=1), now) == 1
    assert [consent(engine, one).state for one in (earlier, during, angry)] == ["bounced", "confirmed", "complained"]


def test_every_kind_is_named_in_the_count() -> None:
    assert set(facts({})) == set(deliveries.Came.__args__)  # type: ignore[attr-defined]
    assert facts({"bounced": 2})["bounced"] == 2
