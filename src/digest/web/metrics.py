"""What Prometheus may ask: counts of deliveries, their speed, and who is sent to slowly. It names no reader.

The text format is that of https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from fastapi import APIRouter, Response

from digest.delivery.pacing import providers
from digest.operations.status import SendingState, sending_state
from digest.web.pages import LOOK, Here

router = APIRouter(include_in_schema=False)

_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Sample(NamedTuple):
    labels: Mapping[str, str]
    value: float


@router.api_route("/metrics", methods=LOOK)
def metrics(site: Here) -> Response:
    """How sending stands, as gauges."""
    found = sending_state(site.engine, site.settings, site.clock())
    return Response("".join(_families(found)), media_type=_TYPE)


def _families(found: SendingState) -> Iterator[str]:
    counts, moves = [], []
    for mailing, tally, progress in found.mailings:
        labels = {"kind": mailing.kind, "week": mailing.week}
        counts += [_Sample({**labels, "state": state}, count) for state, count in tally.items()]
        moves.append((labels, mailing, progress))
    yield _family("digest_deliveries", "Deliveries of a mailing by state.", counts)
    yield _family(
        "digest_sending_per_second",
        "Deliveries a second, of all senders.",
        [_Sample(labels, progress.per_second) for labels, _mailing, progress in moves],
    )
    yield _family(
        "digest_sending_seconds_left",
        "Seconds until what is due is done at this speed.",
        [_Sample(labels, it.seconds_left) for labels, _mailing, it in moves if it.seconds_left is not None],
    )
    yield _family("digest_senders", "Senders at work.", [_Sample(labels, it.senders) for labels, _mailing, it in moves])
    yield _family(
        "digest_mailing_paused",
        "1 where a person paused the mailing.",
        [_Sample(labels, mailing.control == "paused") for labels, mailing, _it in moves],
    )
    # A domain that is no large provider's may be one reader's own: it is not named here.
    named = [one for one in found.limits if one.provider in providers()]
    yield _family(
        "digest_provider_closed",
        "1 where a provider gets nothing for now, 0 where it is sent to slowly.",
        [_Sample({"provider": one.provider}, one.closed_until is not None) for one in named],
    )


def _family(name: str, about: str, samples: Iterable[_Sample]) -> str:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{{{inner}}} {float(value):g}" if inner else f"{name} {float(value):g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
