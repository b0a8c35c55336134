"""Whether the process that holds a lease still lives, told by its name."""

import subprocess
import sys
from pathlib import Path

import pytest

from digest.delivery import claimants


def of_the_dead() -> str:
    """The name of a holder whose process ran on this machine and is no more."""
    script = "from digest.delivery import claimants; print(claimants.name())"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def test_who_runs_here_lives_and_who_ran_here_is_dead() -> None:
    assert not claimants.is_dead(claimants.name())
    assert claimants.is_dead(of_the_dead())


def test_who_ran_on_a_machine_that_this_one_was_cloned_from_is_not_known_to_be_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known, read = of_the_dead(), Path.read_text

    def cloned(path: Path, *words: str, **more: str) -> str:
        return "0123456789abcdef0123456789abcdef\n" if str(path) == "/etc/machine-id" else read(path, *words, **more)

    monkeypatch.setattr(Path, "read_text", cloned)
    assert not claimants.is_dead(known)


def test_where_there_is_no_machine_id_processes_of_one_container_know_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*_words: object, **_more: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    place, pid, _ = claimants.name().rsplit(":", 2)
    assert not claimants.is_dead(f"{place}:{pid}:0")
    assert claimants.is_dead(f"{place}:{2**22 + 1}:0")  # no process has so high a number
