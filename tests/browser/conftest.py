"""The system's Chromium, which reaches nothing but this machine, and the web pages served for real."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine
from tests.web.visitors import Site

from digest.config.settings import Settings
from digest.web.app import create_app

CHROMIUM = shutil.which("chromium")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

Serving = Callable[[Settings], AbstractContextManager[Site]]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", OFFLINE])
        yield browser
        browser.close()


@pytest.fixture
def serving(engine: Engine) -> Serving:
    """Serves the pages on a free port of this machine, which the mails' links lead to. `now` of the site moves."""

    @contextmanager
    def serve(settings: Settings) -> Iterator[Site]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            here = f"http://127.0.0.1:{listener.getsockname()[1]}"
            series = settings.series.model_copy(update={"base_url": here})
            site = Site(engine, settings.model_copy(update={"series": series}))
            app = create_app(engine, site.settings, lambda: site.now)
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
            thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
            thread.start()
            while not server.started:
                time.sleep(0.005)
            try:
                yield site
            finally:
                server.should_exit = True
                thread.join()

    return serve
