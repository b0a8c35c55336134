"""One command a verb: parses and prints, decides nothing."""

import signal
import sys
from collections.abc import Sequence

import typer

from digest.cli.commands import app
from digest.cli.context import take_global_options
from digest.errors import DigestError, UsageError


def main() -> None:
    """The program. Exits 0 on success, 1 when the work could not be done, 2 on wrong usage."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end quietly when who reads our output has gone, as `head` does
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run one command line and give its exit status; what went wrong is one sentence on stderr."""
    debug = "--debug" in words
    words = words or ["--help"]
    try:
        return int(app(take_global_options(words), prog_name="digest", standalone_mode=False) or 0)
    except DigestError as error:
        if debug:
            raise
        _say(str(error))
        return 2 if isinstance(error, UsageError) else 1
    except typer.Abort:
        _say("stopped; what was done stays, and running it again goes on from there.")
        return 130
    except typer.exceptions.TyperException as error:  # the command line itself cannot be read
        _say(f"{error.format_message()} See `digest --help`.")
        return int(error.exit_code)
    except Exception as error:
        if debug:
            raise
        _say(f"this is a fault of the program ({type(error).__name__}); run it with --debug and report what it shows.")
        return 1


def _say(sentence: str) -> None:
    print(f"digest: {sentence}", file=sys.stderr)
