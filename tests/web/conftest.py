"""Web pages on a database of the test's own."""

import pytest
from sqlalchemy import Engine
from tests.web.visitors import Client, Site

from digest.config.settings import Settings


@pytest.fixture
def site(engine: Engine, settings: Settings) -> Site:
    return Site(engine, settings)


@pytest.fixture
def visitor(site: Site) -> Client:
    return site.client
