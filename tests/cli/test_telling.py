"""Where cron runs the weeks, with no scheduler beside it, others are told as well."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from responses import RequestsMock
from tests.captures import body, serving
from tests.delivery.relay import free_port

from digest.cli import run

CONFIG = """
[approval]
required = false

[delivery]
transport = "smtp"

[smtp]
port = {relay}

[hooks]
alerts = "https://ops.example/alerts"
editions = "https://partner.example/editions"
secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

[fetch]
retries = 0
allow_http = true
allow_private_addresses = true

[sources.board]
title = "Board"
url = "{board}"
kind = "scores"
format = "csv"
model = "model"
lead = "score"
columns.score.unit = "%"
"""
NOW = "--now=2026-05-05T09:00:00Z"
PROOF = ("--consented-at", "2026-01-02", "--method", "form", "--wording", "Yes, weekly")

Told = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """What two hooks were told, of needs what about and how, of editions the week. There is a source, one reader, no
    editor, and a relay that is away."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGEST_SECRETS_DIR", str(tmp_path / "secrets"))
    web = RequestsMock(assert_all_requests_are_fired=False)
    with serving(body(b"model,score\nm1,10\nm2,20\n")) as server, web:
        Path("config.toml").write_text(CONFIG.format(relay=free_port(), board=server.url))
        assert run(("subscribers", "add", "ann@example.org", *PROOF, NOW)) == 0
        web.add_passthru("http://127.0.0.1")
        web.post("https://ops.example/alerts", status=200)
        web.post("https://partner.example/editions", status=200)

        def told() -> list[tuple[str, str]]:
            said = [json.loads(call.request.body or b"") for call in web.calls]
            needs = [(need["about"], need["said"]) for one in said for need in one["data"].get("needs", ())]
            return needs + [("edition", one["data"]["week"]) for one in said if one["type"] == "edition.published"]

        yield told


def test_a_week_that_cron_runs_tells_what_it_could_not_do_and_the_new_edition_each_once(
    told: Told, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(("weekly", NOW)) == run(("weekly", NOW)) == 1
    wanted = [one for one in told() if one[0] in ("weekly 2026-W19", "edition")]
    assert wanted == [("weekly 2026-W19", wanted[0][1]), ("edition", "2026-W19")]
    assert wanted[0][1] in capsys.readouterr().err


def test_a_stage_that_cron_could_not_do_is_told_as_that_stage_alone(told: Told) -> None:
    config = Path("config.toml").read_text()
    Path("config.toml").write_text(config.replace('format = "csv"', 'format = "json"'))
    assert run(("weekly", NOW)) == 1
    about = [about for about, _said in told()]
    assert sorted(one for one in about if "W19" in one) == ["stage 2026-W19 draft"]
    assert "source board failed" in about
