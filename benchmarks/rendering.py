"""Rendering one rendition of a 40-section edition, beside npm's mjml and premailer as it is by default.

Ours is Jinja2, mjml, premailer with the options of rendering/markup.py, and squeezing. The peer gets the MJML that our
templates made, in a node process that lives as long as the benchmark, so that neither node's start nor the way between
the processes is counted. Times are the processor's.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from premailer import Premailer
from tests import builders as b

from digest.edition.content import Edition
from digest.rendering import email
from digest.rendering.markup import mail_html
from digest.rendering.templates import fill

NPM = Path(sys.prefix) / "npm"
SECTIONS = 40
ROUNDS, WARM = 7, 3
TEMPLATE = "email/edition.mjml"

NODE = """
const mjml = require(process.argv[1]);
require('readline').createInterface({input: process.stdin}).on('line', async line => {
    const start = process.cpuUsage();
    const made = await (mjml.default ?? mjml)(JSON.parse(line));
    const took = process.cpuUsage(start);
    console.log(JSON.stringify({html: made.html, seconds: (took.user + took.system) / 1e6}));
});
"""


def run() -> None:
    """Print the ratio, and what each step takes: medians of interleaved rounds, after some that warm both up."""
    facts = facts_of(an_edition())
    markup = fill(TEMPLATE, facts)
    sections = markup.count("<mj-section")
    print(
        f"render one rendition of a 40-section edition, {len(markup) / 1000:.0f} kB of MJML ({sections} mj-sections):"
    )
    if not (node := shutil.which("node")) or not (NPM / "node_modules" / "mjml").is_dir():
        print("  npm's mjml is not there to be compared with: npm install --prefix .venv/npm mjml@5.4.1")
        return
    with mjml_in(node) as npm_mjml:
        rounds = [one_round(facts, npm_mjml) for _ in range(WARM + ROUNDS)][WARM:]
    took = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    ours, theirs = took["Jinja2"] + took["mjml and premailer"], took["npm mjml"] + took["default premailer"]
    print(f"  {ours / theirs:.2f} of the time of npm mjml and default premailer on the same MJML")
    told = ", ".join(f"{name} {1000 * seconds:.1f} ms" for name, seconds in took.items())
    print(f"  (medians of {ROUNDS} rounds: {told})")


def an_edition() -> Edition:
    """34 boards, and one each of movers, new models, prices, source health, in brief and a watch list."""
    boards = tuple(b.a_board(source=f"board-{number}", title=f"Board {number}") for number in range(SECTIONS - 6))
    return b.an_edition(boards=boards)


def facts_of(edition: Edition) -> Mapping[str, Any]:
    """What the mail's template is filled with, before anything of an edition this long is folded away."""
    asked: list[Mapping[str, Any]] = []

    def noting(name: str, facts: Mapping[str, Any]) -> str:
        asked.append(facts)
        return fill(name, facts)

    with mock.patch.object(email, "fill", noting):
        email.render(edition, b.some_settings())
    return asked[0]


def one_round(facts: Mapping[str, Any], npm_mjml: Callable[[str], tuple[str, float]]) -> dict[str, float]:
    """Seconds of the processor for each step, on the same edition."""
    start = time.process_time()
    markup = fill(TEMPLATE, facts)
    filled = time.process_time()
    ours = mail_html(markup)
    done = time.process_time()
    theirs, seconds = npm_mjml(markup)
    start_premailer = time.process_time()
    inlined = Premailer(theirs).transform()
    inlining = time.process_time() - start_premailer
    assert all(made.count("<h2") == SECTIONS for made in (ours, inlined))
    return {
        "Jinja2": filled - start,
        "mjml and premailer": done - filled,
        "npm mjml": seconds,
        "default premailer": inlining,
    }


@contextmanager
def mjml_in(node: str) -> Iterator[Callable[[str], tuple[str, float]]]:
    """npm's mjml: MJML -> its HTML, and the seconds that it took there."""
    command = [node, "-e", NODE, str(NPM / "node_modules" / "mjml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        lines_in, lines_out = process.stdin, process.stdout
        assert lines_in is not None
        assert lines_out is not None

        def made(markup: str) -> tuple[str, float]:
            print(json.dumps(markup), file=lines_in, flush=True)
            answer = json.loads(lines_out.readline())
            return str(answer["html"]), float(answer["seconds"])

        yield made
        lines_in.close()


if __name__ == "__main__":
    run()
