"""What deploy/compose.yaml promises: nobody is root, nothing can be written but volumes, no secret is written in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from digest.config.loading import load_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


@pytest.mark.parametrize("name", ["compose.yaml", "compose.mailpit.yaml"])
def test_the_file_is_one_of_the_compose_specification(name: str) -> None:
    checker = shutil.which("check-jsonschema", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if checker is None:
        pytest.skip("check-jsonschema is not installed")
    words = [checker, "--builtin-schema", "vendor.compose-spec", str(DEPLOY / name)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@every_service
def test_a_service_runs_without_rights_on_a_system_that_cannot_be_written(service: dict[str, Any]) -> None:
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "network_mode"} & set(service)


@every_service
def test_a_service_tells_how_it_is_and_starts_after_what_it_needs(service: dict[str, Any]) -> None:
    assert service["healthcheck"]["test"][0] == "CMD"
    for name, wanted in service.get("depends_on", {}).items():
        assert wanted == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[name]


@every_service
def test_an_image_is_pinned_to_a_version(service: dict[str, Any]) -> None:
    name, _, tag = service["image"].rpartition(":")
    assert name
    assert tag.strip("v")[0].isdigit()


def test_no_port_is_open_but_the_webs_and_that_on_this_machine_alone() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }
    assert COMPOSE["networks"]["inside"]["internal"]
    assert SERVICES["postgres"]["networks"] == ["inside"]


def test_secrets_are_files_beside_it_and_in_no_variable() -> None:
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        named = [name for name in service.get("environment", {}) if not name.endswith(("_FILE", "_DIR"))]
        assert not [name for name in named if any(word in name for word in ("PASSWORD", "TOKEN", "KEY", "SECRET"))]
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


def test_web_and_two_workers_share_settings_that_the_program_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert SERVICES["worker"]["environment"] == SERVICES["web"]["environment"]
    (tmp_path / "database__url").write_text("postgresql://digest:of-a-test@postgres/digest\n")
    (tmp_path / "links__keys").write_text('["0123456789abcdef0123456789abcdef"]\n')
    for name, value in SERVICES["web"]["environment"].items():
        monkeypatch.setenv(name, str(tmp_path) if name == "DIGEST_SECRETS_DIR" else value)
    settings = load_settings(DEPLOY / "digest.toml")
    assert settings.database.url == "postgresql://digest:of-a-test@postgres/digest"
    assert settings.links.keys[0].get_secret_value() == "0123456789abcdef0123456789abcdef"
    assert settings.smtp.host in SERVICES
    (gateway,) = (pool["gateway"] for pool in COMPOSE["networks"]["outside"]["ipam"]["config"])
    assert settings.location.trusted_proxies == [f"{gateway}/32"]
