"""The Grafana dashboard asks for what /metrics tells, by the names and labels that it has there."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine
from tests.web.visitors import Client

from digest.config.sections import Web
from digest.config.settings import Settings
from digest.database import writing
from digest.delivery import throttles
from digest.delivery.outbox import Mailing
from digest.delivery.pacing import Throttle
from digest.web.app import create_app

DASHBOARD: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "grafana.json").read_text(encoding="utf-8")
)
_METRIC = re.compile(r"\b(digest_\w+)(?:\{([^}]*)\})?")


def asked() -> Iterator[tuple[str, set[str]]]:
    """Each metric that a panel or a variable asks for, and the labels by which."""
    queries = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    queries += [one["query"]["query"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    for query in queries:
        grouped = set(re.findall(r"\w+", "".join(re.findall(r"by \(([^)]*)\)", query))))
        for name, labels in _METRIC.findall(query):
            yield name, set(re.findall(r"(\w+)=", labels)) | grouped


def test_a_dashboard_asks_only_for_what_is_told(
    engine: Engine,
    settings: Settings,
    now: datetime,
    add_readers: Callable[..., list[int]],
    queue: Callable[[], Mailing],
) -> None:
    add_readers(1)
    queue()
    with writing(engine) as connection:
        throttles.save(connection, {}, {"google": Throttle("google", now, closed_until=now.replace(hour=23))}, now)
    shown = settings.model_copy(update={"web": Web(metrics=True)})
    told = Client(create_app(engine, shown, lambda: now)).get("/metrics").text
    families = {family.name: family.samples for family in text_string_to_metric_families(told)}
    for name, labels in asked():
        assert name in families
        for sample in families[name]:
            assert labels <= set(sample.labels), name
    assert {name for name, _labels in asked()} == {name for name in families if name.startswith("digest_")}


def test_panels_have_a_place_and_a_name_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels})
    assert len(set(places)) == len(panels)
    assert all(panel["description"] for panel in panels)
