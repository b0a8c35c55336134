"""What Prometheus may ask: counts of deliveries, their speed, and who is sent to slowly. It names no reader."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from digest.delivery.pacing import providers
from digest.operations.status import SendingState, sending_state
from digest.web.pages import LOOK, Here

router = APIRouter(include_in_schema=False)


class _Sample(NamedTuple):
    labels: Mapping[str, str]
    value: float


@router.api_route("/metrics", methods=LOOK)
def metrics(site: Here) -> Response:
    """How sending stands, as gauges."""
    registry = CollectorRegistry()
    registry.register(_Sending(sending_state(site.engine, site.settings, site.clock())))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Sending(Collector):
    """The state of one moment, in the library's form."""

    def __init__(self, found: SendingState) -> None:
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _families(self._found)


def _families(found: SendingState) -> Iterator[GaugeMetricFamily]:
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
    # What has no name would be one series for many domains.
    named = [one for one in found.limits if one.provider in providers()]
    yield _family(
        "digest_provider_closed",
        "1 where a provider gets nothing for now, 0 where it is sent to slowly.",
        [_Sample({"provider": one.provider}, one.closed_until is not None) for one in named],
    )


def _family(name: str, about: str, samples: Iterable[_Sample]) -> GaugeMetricFamily:
    known = list(samples)
    made = GaugeMetricFamily(name, about, labels=list(known[0].labels) if known else [])
    for labels, value in known:
        made.add_metric(list(labels.values()), float(value))
    return made
