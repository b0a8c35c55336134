"""The public API: what the commands print with `--json`, for anybody, and a tag by which nothing is sent twice."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.web.newest import AFTER, BEFORE, a_receipt, a_week, publish, with_sources
from tests.web.visitors import Client, Site

from digest.cli.commands import app
from digest.cli.context import take_global_options
from digest.config.settings import Settings
from digest.edition.content import Edition
from digest.web import public_api

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PAIR = "/api/v1/versus?model=gpt-5.4&model=gpt-5.5"
TWO = "/api/v1/changes?from=2026-W17&to=2026-W18"
OLDER = {"gpt-5.5-xhigh": "70", "gpt-5.4-xhigh": "80.3", "zeta": "50"}
CONFIG = """
[sources.{name}]
title = "{title}"
url = "https://sample.example/"
kind = "scores"
format = "csv"
model = "model"
lead = "score"
[sources.{name}.columns.score]
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_sources(settings)


@pytest.fixture
def client(site: Site) -> Client:
    return site.client


@pytest.fixture
def printed(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> Any:
    """What a command prints of the same database with the same sources."""
    config = tmp_path / "config.toml"
    titles = {"board": "Sample board", "prices": "Sample prices"}
    config.write_text("".join(CONFIG.format(name=name, title=title) for name, title in titles.items()))
    monkeypatch.setenv("DIGEST_DATABASE__URL", database_url)

    def run(*words: str) -> Any:
        capsys.readouterr()
        given = [*words, "--json", f"--config={config}", "--now=2026-05-04T09:00:00Z"]
        app(take_global_options(given), standalone_mode=False)
        return json.loads(capsys.readouterr().out)

    return run


def test_changes_are_those_that_the_command_prints(client: Client, engine: Engine, printed: Any) -> None:
    a_week(engine, OLDER, on=BEFORE)
    a_week(engine, on=AFTER)
    news = client.get(TWO).json()
    assert news == printed("changes", "2026-W17", "2026-W18")
    assert news["changes"]
    assert client.get(f"{TWO}&all=true&source=board").json() == printed(
        "changes", "2026-W17", "2026-W18", "--all", "--source=board"
    )
    assert client.get("/api/v1/changes?from=2026-W17&to=latest").json() == news


def test_the_leaderboard_is_the_one_that_the_command_prints(client: Client, engine: Engine, printed: Any) -> None:
    a_week(engine)
    assert client.get("/api/v1/leaderboard").json() == printed("leaderboard")
    assert client.get("/api/v1/leaderboard?category=Coding").json() == printed("leaderboard", "--category=coding")


def test_the_side_by_side_is_the_one_that_the_command_prints(client: Client, engine: Engine, printed: Any) -> None:
    a_week(engine)
    assert client.get(PAIR).json() == printed("versus", "gpt-5.4", "gpt-5.5")
    assert client.get("/api/v1/versus?model=GPT-5.5&model=gpt-5.4").json() == client.get(PAIR).json()


def test_editions_are_listed_the_newest_first_and_read_whole(client: Client, engine: Engine) -> None:
    publish(engine, week="2026-W17", number=17)
    edition = publish(engine, [a_receipt()])
    publish(engine, week="2026-W19", number=19, approve=False)
    listed = client.get("/api/v1/editions").json()["editions"]
    assert [(one["week"], one["number"]) for one in listed] == [("2026-W18", 18), ("2026-W17", 17)]
    assert Edition.model_validate_json(client.get(listed[0]["document"]).text) == edition
    assert client.get("/api/v1/editions/2026-W19").status_code == 404


@pytest.mark.parametrize("path", [TWO, "/api/v1/leaderboard", PAIR, "/api/v1/editions", "/api/v1/editions/2026-W18"])
def test_who_has_a_document_is_told_that_it_is_the_same(client: Client, engine: Engine, path: str) -> None:
    publish(engine)
    a_week(engine, OLDER, on=BEFORE)
    a_week(engine, on=AFTER)
    answer = client.get(path)
    assert answer.status_code == 200
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(path).headers["ETag"] == answer.headers["ETag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/changes?from=2026-W18&to=2026-W17", 422), ("/api/v1/changes?from=x&to=latest", 422),
        ("/api/v1/changes?from=2026-W17", 422), (f"{TWO}&source=nobody", 404), ("/api/v1/leaderboard?source=x", 404),
        ("/api/v1/versus?model=gpt-5.5", 422), ("/api/v1/versus?model=gpt-5.5&model=gpt-5.5", 422),
        ("/api/v1/versus?model=gpt-5.5&model=nobody", 404), ("/api/v1/editions/2026-W99", 404),
        ("/api/v1/editions/latest", 422),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said_as_problem_details(client: Client, engine: Engine, path: str, status: int) -> None:
    a_week(engine)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["status"] == status


def test_before_any_capture_there_is_nothing_to_read(client: Client) -> None:
    assert client.get("/api/v1/editions").json() == {"editions": []}
    assert [client.get(path).status_code for path in (TWO, PAIR, "/api/v1/leaderboard")] == [404, 404, 404]


def test_one_comparison_is_made_at_a_time_and_kept_for_a_minute(client: Client, engine: Engine, site: Site) -> None:
    a_week(engine)
    with public_api._comparing:
        busy = client.get(TWO)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
    assert client.get(TWO).status_code == 200
    with public_api._comparing:
        assert client.get(TWO).status_code == 200
        site.now = site.now.replace(minute=1)
        assert client.get(TWO).status_code == 503


def test_it_is_described_beside_the_operators_part(client: Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    reads = {"editions", "editions/{week}", "changes", "leaderboard", "versus"}
    assert {f"/api/v1/{name}" for name in reads} < set(paths)
    assert all("security" not in paths[f"/api/v1/{name}"]["get"] for name in reads)
    assert client.get("/api/docs").status_code == 200
