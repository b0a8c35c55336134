"""What is told to Prometheus, and whether the program is ready."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine, text
from tests.web.visitors import Client

from digest.config.sections import Web
from digest.config.settings import Settings
from digest.database import writing
from digest.delivery import throttles
from digest.delivery.outbox import Mailing
from digest.delivery.pacing import Throttle
from digest.web.app import create_app


def asked(engine: Engine, settings: Settings, now: datetime, path: str) -> tuple[int, str]:
    answer = Client(create_app(engine, settings, lambda: now)).get(path)
    return answer.status_code, answer.text


def test_metrics_count_deliveries_and_name_no_small_domain(
    engine: Engine,
    settings: Settings,
    now: datetime,
    add_readers: Callable[..., list[int]],
    queue: Callable[[], Mailing],
) -> None:
    add_readers(3)
    queue()
    until = now + timedelta(minutes=5)
    standing = {name: Throttle(name, now, closed_until=until) for name in ("google", "ann-lovelace.example")}
    with writing(engine) as connection:
        throttles.save(connection, {}, standing, now)
    shown = settings.model_copy(update={"web": Web(metrics=True)})
    status, told = asked(engine, shown, now, "/metrics")
    assert status == 200
    assert 'digest_deliveries{kind="edition",state="pending",week="2026-W18"} 3.0\n' in told
    assert 'digest_provider_closed{provider="google"} 1.0\n' in told
    assert "ann-lovelace" not in told


def test_metrics_are_told_only_where_the_operator_says_so(engine: Engine, settings: Settings, now: datetime) -> None:
    assert asked(engine, settings, now, "/metrics")[0] == 404


def test_the_program_is_ready_once_the_database_has_its_tables(
    engine: Engine, settings: Settings, now: datetime
) -> None:
    assert asked(engine, settings, now, "/readyz")[0] == 200
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert asked(engine, settings, now, "/readyz")[0] == 503
