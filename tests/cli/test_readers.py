"""The commands about readers, keys and the doctor: what they print, what they write, their exit status."""

import io
import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from digest.cli import printing, run

HEAD = "email,consented_at,method,wording,country,locale,topics\n"
PROOF = ("--consented-at", "2026-01-02", "--method", "form", "--wording", "Yes, weekly")


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Digest = Callable[..., Ran]


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Digest:
    """Runs a command line in an empty folder, on 4 May 2026."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    monkeypatch.setattr(printing.out, "width", 80)

    def digest(*words: str, at: str = "2026-05-04T09:00:00Z") -> Ran:
        capsys.readouterr()
        status = run((*words, f"--now={at}"))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(status, captured.out, captured.err)

    return digest


@pytest.fixture
def ann(digest: Digest) -> Digest:
    """The same with a reader."""
    assert digest("subscribers", "add", "ann@example.org", *PROOF, "--country", "KR") == (0, "1 reader added.\n", "")
    return digest


def test_an_import_says_what_it_did_and_writes_a_report(ann: Digest) -> None:
    lines = ["ann@example.org,2026-04-30,form,yes,,,", "new@example.org,2026-04-30,form,yes,,,"]
    lines += ["old@example.org,2020-01-01,form,yes,KR,,"]
    Path("readers.csv").write_text(HEAD + "\n".join(lines))
    said = "1 added, 1 known already, 0 had left and stay away.\n1 agreed so long ago that they must be asked anew.\n"
    dry = ann("subscribers", "import", "readers.csv", "--dry-run", "--report", "report.csv")
    assert (dry.status, dry.out) == (0, said + "This was a dry run: nothing was stored.\n")
    assert Path("report.csv").read_text().splitlines()[:3] == [
        "line,outcome,reason",
        '2,known,"subscribed already, or in an earlier line"',
        "3,added,",
    ]
    assert ann("subscribers", "import", "readers.csv").out == said


def test_readers_are_listed_by_state(ann: Digest) -> None:
    ann("subscribers", "add", "ben@example.org", *PROOF)
    ann("subscribers", "remove", "ben@example.org")
    assert "2 readers." in ann("subscribers", "list").out
    found = ann("subscribers", "list", "--state", "confirmed", "--json").document
    assert found == [{"email": "ann@example.org", "state": "confirmed", "country": "KR", "locale": "en"}]
    assert ann("subscribers", "list", "--state", "gone").status == 2


def test_an_export_is_a_file_that_only_the_operator_may_read(ann: Digest) -> None:
    Path("out.csv").write_text("old")
    Path("out.csv").chmod(0o644)
    assert ann("subscribers", "export", "out.csv").status == 0
    assert stat.S_IMODE(Path("out.csv").stat().st_mode) == 0o600
    assert Path("out.csv").read_text().splitlines()[1].startswith("ann@example.org,2026-01-02T00:00:00+00:00,form,")
    ann("subscribers", "export", "out.json")
    assert [one["email"] for one in json.loads(Path("out.json").read_text())] == ["ann@example.org"]
    assert sorted(path.name for path in Path().iterdir() if "out" in path.name) == ["out.csv", "out.json"]


def test_an_export_to_stdout_is_csv_and_nothing_else(ann: Digest) -> None:
    said = ann("subscribers", "export", "-").out
    assert said.splitlines()[0] == "email,consented_at,method,wording,country,locale,topics,state,regime,reconfirm_by"
    assert len(said.splitlines()) == 2


def test_an_export_to_what_is_no_export_is_wrong_usage(ann: Digest) -> None:
    assert ann("subscribers", "export", "out.xlsx").status == 2
    missing = ann("subscribers", "export", "none/out.csv")
    assert (missing.status, missing.err) == (1, "digest: none/out.csv cannot be written: No such file or directory.\n")


def test_erasing_asks_unless_it_is_told_not_to(ann: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert ann("subscribers", "erase", "ann@example.org").status == 130
    assert "1 reader." in ann("subscribers", "list").out
    said = ann("subscribers", "erase", "ann@example.org", "--yes").out
    assert said.startswith("1 reader erased.\nA keyed hash stays")
    assert "0 readers." in ann("subscribers", "list").out


def test_a_proof_holds_also_for_who_was_erased(ann: Digest) -> None:
    ann("subscribers", "erase", "ann@example.org", "--yes")
    found = ann("subscribers", "proof", "ANN@example.org", "--json").document
    assert (found["state"], found["holds"], found["faults"]) == ("erased", True, [])
    assert [event["kind"] for event in found["events"]] == ["confirmed", "erased"]
    said = ann("subscribers", "proof", "ann@example.org").out
    assert "   words: “Yes, weekly”\n" in said
    assert max(map(len, said.splitlines())) <= 80


def test_what_lapses_is_cleared(ann: Digest) -> None:
    said = ann("subscribers", "expire", at="2028-01-03T00:00:00Z").out
    assert said == "0 requests were not confirmed, 1 consents lapsed, 0 erased.\n"


def test_an_explanation_fits_a_terminal(ann: Digest) -> None:
    said = ann("explain", "ann@example.org").out
    assert said.startswith("This reader agreed, and the consent stands.\n\nConsent\n  2 Jan 2026, 00:00 UTC: agreed")
    assert "\nWhose rules apply\n  The country is KR: the import said so.\n" in said
    assert "\nEdition 2026-W19\n  There is no edition of 2026-W19 yet.\n" in said
    assert max(map(len, said.splitlines())) <= 80
    assert ann("explain", "ben@example.org").out.startswith("No reader has this address.\n")
    assert ann("explain", "ann@example.org", "2026-W18", "--json").document["week"] == "2026-W18"


def test_a_key_is_printed_once(digest: Digest) -> None:
    made = digest("keys", "add", "shop", "--scope", "subscribe", "--scope", "read").out.strip()
    assert made.startswith("dk_")
    listed = digest("keys", "list")
    assert made not in listed.out
    assert "subscribe, read" in listed.out
    assert digest("keys", "revoke", "shop").out == "1 key revoked.\n"
    (key,) = digest("keys", "list", "--json").document
    assert key["revoked_at"] == "2026-05-04T09:00:00+00:00"
    assert digest("keys", "revoke", "shop").status == 2


def test_the_doctor_has_a_line_for_everything(ann: Digest) -> None:
    found = ann("doctor")
    assert found.status == 0
    assert "✓ ok   consent log: 1 log, and every chain holds.\n" in found.out
    looked = {one["what"] for one in ann("doctor", "--json").document}
    assert looked >= {"settings", "database", "consent log", "link keys", "transport", "regimes", "templates"}


def test_the_doctor_fails_where_the_log_was_tampered_with(ann: Digest) -> None:
    with closing(sqlite3.connect("digest.db")) as connection, connection:
        connection.execute("UPDATE subscriber SET state = 'withdrawn'")
    found = ann("doctor")
    assert found.status == 1
    assert "× fail consent log: " in found.out


def test_the_doctor_says_what_is_wrong_with_settings_that_cannot_be_read(digest: Digest) -> None:
    Path("config.toml").write_text("[sereis]\n")
    found = digest("doctor", "--json")
    assert found.status == 1
    (only,) = found.document
    assert (only["what"], only["level"]) == ("settings", "fail")
