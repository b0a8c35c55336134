"""Pictures of mails, taken with the system's Chromium: wide and narrow, light, dark, and with images off."""

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from digest.errors import DigestError
from digest.rendering.lint.page import Specimen

WIDTHS = (600, 375)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"


class View(NamedTuple):
    """How a mail is looked at: in CSS pixels, in a colour scheme, with or without its images."""

    width: int
    scheme: Literal["light", "dark"]
    images: bool

    @property
    def name(self) -> str:
        """As it stands in a file's name: `600-dark`, `375-light-images-off`."""
        return f"{self.width}-{self.scheme}{'' if self.images else '-images-off'}"


VIEWS = tuple(
    view
    for width in WIDTHS
    for view in (View(width, "light", True), View(width, "dark", True), View(width, "light", False))
)


def take_pictures(week: str, specimens: Iterable[Specimen], folder: Path) -> Iterator[Path]:
    """A PNG of each mail that has an HTML part, in each view: `2026-W18-full-DE-600-dark.png`. Opens no connection.

    Raises DigestError where the browser, or the extra that drives it, is not there, or the folder cannot be written.
    """
    wanted = [specimen for specimen in specimens if specimen.html is not None]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DigestError(f"{folder}: cannot be made ({error.strerror}); name a folder for the pictures.") from error
    playwright, failure = _playwright()
    with playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=_browser(), args=_arguments())
            for specimen in wanted:
                for view in VIEWS:
                    path = folder / f"{week}-{_file_name(specimen.rendition)}-{view.name}.png"
                    _take(browser, specimen.html or "", view, path)
                    yield path
            browser.close()
        except failure as error:
            said = str(error).strip().splitlines() or ["no reason given"]
            raise DigestError(f"Chromium took no picture: {said[0]}; try to start it by hand.") from error


def _playwright() -> tuple[Any, type[Exception]]:
    """What drives the browser, and what it raises. Imported here, for only pictures want it."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise DigestError(
            "pictures want Playwright; install it with `pip install 'digest-newsletter[preview]'`."
        ) from error
    return sync_playwright, Error


def _browser() -> str:
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise DigestError(
            f"pictures want a browser, and none of {', '.join(_BROWSERS)} is on the PATH; install Chromium."
        )
    return found


def _arguments() -> list[str]:
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0  # Chromium's sandbox does not start for root
    return [_OFFLINE, *(["--no-sandbox"] if as_root else [])]


def _take(browser: Any, html: str, view: View, path: Path) -> None:
    page = browser.new_page(
        viewport={"width": view.width, "height": 800},
        color_scheme=view.scheme,
        java_script_enabled=False,
        device_scale_factor=2,
    )
    try:
        if not view.images:
            page.route(
                "**/*", lambda route: route.abort() if route.request.resource_type == "image" else route.continue_()
            )
        page.set_content(html)
        page.screenshot(path=path, full_page=True)
    finally:
        page.close()


def _file_name(rendition: str) -> str:
    return "-".join("".join(char if char.isalnum() else " " for char in rendition).split())
