"""What the commands about an edition say of approvals, tests and overrides. Words for a person, on stderr where stdout
holds what a script reads."""

import sys
from collections.abc import Sequence
from typing import cast

from rich.console import Console
from rich.text import Text

from digest.cli.printing import out
from digest.edition.numbers import several
from digest.edition.overrides import Misfit
from digest.operations.approving import Approved
from digest.operations.trials import Tested
from digest.subscribers import routing
from digest.weekly.calendar import Week


def approved(done: Approved) -> None:
    """Who approved an edition, how many more have to, and to whom it goes, on stderr: stdout has the hash alone."""
    err = Console(file=sys.stderr, highlight=False, emoji=False)
    by = ", ".join(done.by) or "nobody by name"
    missing = 0 if done.stored.approved else done.needed - len(done.by)
    err.print(Text(f"Approved by {by}{f'; {missing} more to go' if missing else ''}."), soft_wrap=True)
    for finding in done.found:
        if finding.level == "error":
            err.print(Text(f"Mind: {finding.what} {finding.do}", style="yellow"), soft_wrap=True)
    by_state: dict[tuple[str, str], dict[str, int]] = {}
    for (regime, state, reason), count in done.regions.items():
        by_state.setdefault((str(state), reason), {})[regime or "erased"] = count
    for (state_name, reason), regions in by_state.items():
        what = "goes out" if state_name == "pending" else f"{state_name}{f': {_reason(reason)}' if reason else ''}"
        where = ", ".join(f"{regime} {count:,}" for regime, count in sorted(regions.items(), key=lambda it: -it[1]))
        err.print(Text(f"  {sum(regions.values()):>9,}  {what} ({where})"), soft_wrap=True)


def _reason(reason: str) -> str:
    return routing.REASONS.get(cast(routing.Reason, reason), reason)


def tested(week: Week, result: Tested) -> None:
    """What became of the test mails."""
    print(f"{week}: {several(result.sent, 'test mail')} sent; no reader got one.")
    for said in result.refused:
        out.print(Text(f"  not taken: {said}"), soft_wrap=True)


def misfits(found: Sequence[Misfit]) -> None:
    """Overrides that have no effect any more."""
    for misfit in found:
        one = misfit.override
        line = f"Not heeded: {one.what} {one.story} “{one.about}” by {one.by}: {misfit.why}."
        out.print(Text(line, style="yellow"), soft_wrap=True)
