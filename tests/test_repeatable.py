"""The examples of a property test are the same whatever else was loaded."""

import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st


def drawn() -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []

    @given(st.integers(), st.text())
    def each(number: int, text: str) -> None:
        found.append((number, text))

    each()
    return found


def test_a_module_that_was_loaded_meanwhile_changes_no_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn()
    path = tmp_path / "full_of_constants.py"
    path.write_text("".join(f"n{n} = {n}\nt{n} = 'word {n}'\n" for n in range(1_000_003, 1_000_503)))
    spec = importlib.util.spec_from_file_location("full_of_constants", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "full_of_constants", module)
    assert drawn() == before
