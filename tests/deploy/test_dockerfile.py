"""The Dockerfile's steps, done in a folder where no container engine is; and what it promises."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).parents[2]
DOCKERFILE = CHECKOUT / "deploy" / "Dockerfile"
PLACES = ("/opt/digest", "/opt/build", "/src", "/data")
"""The folders of the image that the steps touch; here they are below a folder of the test's."""


class Step(NamedTuple):
    verb: str
    rest: str


def steps() -> list[Step]:
    """The instructions in order, each on one line."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(verb, rest.strip()) for verb, _, rest in (line.partition(" ") for line in joined.split("\n") if line)]


def given(verb: str) -> list[str]:
    return [step.rest for step in steps() if step.verb == verb]


def words_of(form: str) -> list[str]:
    """An instruction's exec form (a JSON list)."""
    words: list[str] = json.loads(form)
    return words


def test_the_image_runs_as_nobody_in_particular_and_tells_how_it_is() -> None:
    last_stage = steps()[max(number for number, step in enumerate(steps()) if step.verb == "FROM") :]
    assert [step.rest for step in last_stage if step.verb == "USER"] == ["10001:10001"]
    assert [step.verb for step in last_stage].index("USER") > [step.verb for step in last_stage].index("RUN")
    assert any("/healthz" in step.rest for step in last_stage if step.verb == "HEALTHCHECK")
    assert not [step for step in last_stage if step.verb == "COPY" and "--from=build" not in step.rest]


def test_images_are_pinned_and_what_is_installed_is_known_by_its_hash() -> None:
    bases = {rest.split()[0] for rest in given("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases.pop())
    words = [command for rest in given("RUN") for command in rest.split("&&") if "/pip " in command]
    assert len(words) == 4
    safe = ("--require-hashes", "--no-deps --no-build-isolation", "--no-deps --no-index")
    assert all(any(flags in command for flags in safe) for command in words)


def test_no_secret_and_no_database_gets_into_the_image() -> None:
    ignored = (DOCKERFILE.with_name("Dockerfile.dockerignore")).read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {name for rest in given("COPY") if "--from" not in rest for name in rest.split()[:-1]}
    assert ignored[1] == "*"
    assert copied == allowed
    assert not [rest for rest in given("ENV") + given("ARG") if re.search("PASSWORD|TOKEN|KEY|SECRET", rest)]


class Image(NamedTuple):
    root: Path
    environment: Mapping[str, str]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the steps make, below a folder; without the packages and the account of the machine itself."""
    root = tmp_path_factory.mktemp("image")
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "LANG"))}
    folder = root
    cache = Path.home() / ".cache" / "pip"  # the machine's own: what is installed is known by its hash
    environment = {
        **kept,
        "PIP_CACHE_DIR": str(cache),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(root),
    }
    for verb, rest in steps():
        if verb == "ENV":
            environment |= dict(_settings(rest, root, environment))
            environment.pop("PIP_NO_CACHE_DIR", None)
        elif verb == "WORKDIR":
            folder = root / rest.strip("/")
            folder.mkdir(parents=True, exist_ok=True)
        elif verb == "COPY" and "--from" not in rest:
            _copy(*rest.split(), into=folder)
        elif verb == "RUN" and not rest.startswith(("apt-get", "useradd")):
            done = subprocess.run(
                ["sh", "-c", _below(rest, root)], cwd=folder, env=environment, capture_output=True, text=True
            )
            if re.search("NewConnectionError|No matching distribution", done.stderr):
                pytest.skip("there is no package index")
            assert done.returncode == 0, done.stderr[-2000:]
    return Image(root, environment)


def _settings(rest: str, root: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for word in rest.split():
        name, _, value = word.partition("=")
        yield name, _below(value, root).replace("$PATH", environment["PATH"])


def _below(text: str, root: Path) -> str:
    return re.sub(rf"(?<![\w.])({'|'.join(PLACES)})(?=[/\s:]|$)", lambda found: f"{root}{found[1]}", text)


def _copy(*words: str, into: Path) -> None:
    *sources, target = words
    for name in sources:
        if (CHECKOUT / name).is_dir():
            shutil.copytree(CHECKOUT / name, into / target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(CHECKOUT / name, into / target)


@pytest.mark.long
def test_the_steps_make_a_program_that_serves_and_is_found_healthy(image: Image) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**image.environment, "DIGEST_WEB__PORT": str(port), "DIGEST_WEB__HOST": "127.0.0.1"}
    (started,) = given("CMD")
    (check,) = (rest.partition("CMD ")[2] for rest in given("HEALTHCHECK"))
    program = [shutil.which(words_of(started)[0], path=environment["PATH"]) or "", *words_of(started)[1:]]
    assert Path(program[0]).is_relative_to(image.root)

    def healthy() -> bool:
        return subprocess.run(words_of(check), capture_output=True, env=environment).returncode == 0

    assert not healthy()
    data, before = image.root / "data", dict(outside(image.root / "data"))
    serving = subprocess.Popen(program, stdout=subprocess.DEVNULL, cwd=data, env=environment)
    try:
        give_up = time.monotonic() + 60
        while not healthy():
            assert serving.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.5)
    finally:
        serving.terminate()
    assert serving.wait(timeout=60) in (0, -15)
    assert (data / "digest.db").is_file()
    assert dict(outside(data)) == before, "the root is read-only: nothing is written but below /data"


def outside(data: Path) -> Iterator[tuple[Path, int]]:
    """Every file of the image that is not below /data, and when it was changed."""
    for path in data.parent.rglob("*"):
        if not path.is_relative_to(data):
            yield path, path.lstat().st_mtime_ns
