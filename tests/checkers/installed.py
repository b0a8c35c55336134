"""The checkers that are no Python packages, where `.ci/run` puts them. Without one a test skips, and says so."""

import shutil
import sys
from pathlib import Path

import pytest

NODE_MODULES = Path(sys.prefix) / "npm" / "node_modules"


def program(name: str) -> str:
    """The path of a program."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def from_npm(file: str) -> Path:
    """A file of a package of npm, `package/path/in/it`."""
    path = NODE_MODULES / file
    if not path.is_file():
        pytest.skip(f"npm's {file.partition('/')[0]} is not installed in .venv/npm")
    return path
