"""`digest`, with a fault planted into it: what the tests of silence must be able to find."""

import sys
import time
from collections.abc import Callable
from typing import Any

from digest.cli import run
from digest.database import reading
from digest.membership import signing_up as membership
from digest.subscribers import store
from digest.web import signing_up

_REAL_SIGN_UP, _REAL_VISIT = membership.sign_up, signing_up._visit


def slow_for_who_complained() -> None:
    """Answers at once, and 5 ms later to who once complained."""

    def sign_up(engine: Any, settings: Any, request: Any, now: Any) -> None:
        with reading(engine) as connection:
            known = store.find(connection, request.email_key)
        if known is not None and known.consent.state == "complained":
            time.sleep(0.005)
        _REAL_SIGN_UP(engine, settings, request, now)

    membership.sign_up = sign_up
    signing_up.ANSWER_AFTER = 0.0001


def logs_the_visitor() -> None:
    """Writes down who asked for what, past the logs, which would not."""

    def visit(site: Any, request: Any) -> Any:
        print(f"a visit from {request.client.host} by {request.headers}", file=sys.stderr, flush=True)
        return _REAL_VISIT(site, request)

    signing_up._visit = visit


def crashes_with_the_address(replace: Callable[[object, str, object], None] = setattr) -> None:
    """Fails in the middle of a request with words that hold all there is to hold."""

    def sign_up(engine: Any, settings: Any, request: Any, now: Any) -> None:
        raise RuntimeError(f"cannot write to {request.email}")

    def visit(site: Any, request: Any) -> Any:
        if request.headers.get("crash"):
            raise RuntimeError(f"cannot look up {request.client.host} for {dict(request.headers)}")
        return _REAL_VISIT(site, request)

    replace(membership, "sign_up", sign_up)
    replace(signing_up, "_visit", visit)


FAULTS: dict[str, Callable[[], None]] = {
    one.__name__: one for one in (slow_for_who_complained, logs_the_visitor, crashes_with_the_address)
}

if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    sys.exit(run(sys.argv[2:]))
