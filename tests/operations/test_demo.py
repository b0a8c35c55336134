import email
import mailbox
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from digest.operations.demo import Demo, run_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_demo(tmp_path_factory.mktemp("demo"))


def mails(demo: Demo) -> list[EmailMessage]:
    return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in demo.mails]


def parts(demo: Demo) -> list[str]:
    message = mails(demo)[0]
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    return [" ".join(body.get_content().split()) for body in bodies if body is not None]


def test_three_readers_in_three_regions_get_one_mail_each(demo: Demo) -> None:
    assert sorted(message["To"] for message in mails(demo)) == [
        "ada@example.org",
        "grace@example.com",
        "minji@example.net",
    ]
    assert demo.sent.tally["sent"] == demo.sent.mailing.audience == 3


def test_the_folder_is_a_maildir_that_another_program_reads(demo: Demo) -> None:
    folder = mailbox.Maildir(demo.settings.delivery.maildir, create=False)
    assert len(folder) == 3


def test_the_mail_tells_the_new_model_the_new_leader_and_the_prices(demo: Demo) -> None:
    assert demo.subject == "GPT-5.3-Codex-Spark takes #1 by 25.1 points"
    for part in parts(demo):
        for words in ("GPT-5.3-Codex-Spark", "86.8", "61.7", "$2.00", "$8.00", "One new row"):
            assert words in part


def test_the_two_sources_disagree_and_no_score_is_told_as_a_drop(demo: Demo) -> None:
    (edition,) = {demo.drafted.edition.document(): demo.drafted.edition}.values()
    disputed = {item.measure: tuple(str(said.value) for said in item.said) for item in edition.disagreements}
    assert disputed == {
        "SWE-bench Verified": ("76.4", "42"),
        "BrowseComp": ("78.6", "62"),
        "MMLU-Pro": ("87.8", "73"),
        "context": ("256000", "128000"),
    }
    assert edition.movers == ()
    for part in parts(demo):
        assert "76.4" in part
        assert "42.0" in part


def test_run_again_it_sends_nobody_a_second_mail(tmp_path: Path) -> None:
    first, second = run_demo(tmp_path / "demo"), run_demo(tmp_path / "demo")
    assert first.mails == second.mails
    assert {item.outcome for item in second.collected} == {"known"}
    assert first.drafted.content_hash == second.drafted.content_hash


def test_whatever_the_environment_says_the_demo_stays_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_DATABASE__URL", f"sqlite:///{tmp_path / 'real.db'}")
    monkeypatch.setenv("DIGEST_DELIVERY__TRANSPORT", "smtp")
    assert len(run_demo(tmp_path / "demo").mails) == 3
    assert not (tmp_path / "real.db").exists()
