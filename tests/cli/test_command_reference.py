"""What is written about the commands, anywhere in the checkout, is what the program has."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.command_reference import commands, fault_of, page

CHECKOUT = Path(__file__).parents[2]
WRITTEN = [
    *sorted(path for path in CHECKOUT.glob("docs/*.md") if path.name != "commands.md"),
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "config.toml", "Makefile")),
    *sorted(path for path in (CHECKOUT / "deploy").rglob("*") if path.is_file()),
]
_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`(digest [^`]+)`")
_TYPED = re.compile(r"^\s*(?:sudo )?(?:\S*/bin/)?(?:docker compose .*? \w+ )?digest(?:-ctl)? (.*)")
_STARTED = re.compile(r"/bin/digest ([^'\"]*)")
_LISTED = re.compile(r"\[(?:CMD, )?\"?digest\"?, ([^\]]+)\]")
_WORD = re.compile(r"[^\s\",]+")


def lines_of(path: Path) -> Iterator[str]:
    """What a file tells a person or a machine to call, each as a line that begins with `digest`."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    if path.suffix in (".md", ".toml"):
        yield from (re.sub(r"\s+", " ", span) for span in _SPAN.findall(_BLOCK.sub("", text)))
        blocks = "\n".join(_BLOCK.findall(text)) if path.suffix == ".md" else ""
        yield from (f"digest {found[1]}" for line in blocks.splitlines() if (found := _TYPED.match(line)))
        return
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            yield from (f"digest {words}" for words in _STARTED.findall(line))
            yield from (" ".join(["digest", *_WORD.findall(words)]) for words in _LISTED.findall(line))


def test_the_page_of_commands_is_the_programs_own() -> None:
    said = "docs/commands.md is not what the program says: run `make reference`"
    assert (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8") == page(), said


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_every_command_that_is_written_down_exists(path: Path) -> None:
    known = commands()
    faults = {line: fault for line in lines_of(path) if (fault := fault_of(line, known))}
    assert faults == {}


def test_commands_are_found_where_they_are_written() -> None:
    """Otherwise the test above would hold nothing."""
    found = {path.name: list(lines_of(path)) for path in WRITTEN}
    assert "digest serve" in found["Dockerfile"]
    assert {"digest worker", "digest keys list"} <= set(found["compose.yaml"])
    assert any("serve" in line for line in found["digest.service"])
    assert len(found["README.md"]) > 20


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("digest send 2026-W18 --dry-run", ""),
        ("digest --config x.toml subscribers import readers.csv --report=out.csv", ""),
        ("digest sned", "there is no command sned"),
        ("digest send --force", "send has no option --force"),
        ("digest subscribers burn all", "there is no command subscribers"),
    ],
)
def test_a_wrong_line_is_found(line: str, fault: str) -> None:
    assert fault_of(line, commands()) == fault
