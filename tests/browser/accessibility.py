"""What is checked on a page as it stands in the browser. All of it works while the page's own scripts are off."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# What stands in an .off box is cut to one pixel.
OVERFLOWING = """() => [...document.querySelectorAll('body *:not(.off *)')].filter(element => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && getComputedStyle(element).display !== 'none' && box.right > innerWidth + 1;
}).map(element => element.outerHTML.slice(0, 120))"""

CONTRASTS = """() => {
    const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const parse = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const ground = element => {
        for (let here = element; here; here = here.parentElement) {
            const colour = parse(getComputedStyle(here).backgroundColor);
            if (colour.length === 3 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const low = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const element = walk.currentNode.parentElement, box = element.getBoundingClientRect();
        if (!walk.currentNode.data.trim() || box.width < 2 || box.height < 2) continue;
        const pair = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (ratio < 4.5) low.push(walk.currentNode.data.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
    }
    return low;
}"""

# A link inside a sentence is as high as its line (WCAG 2.2, 2.5.8: "Inline"); a box is pressed by its whole label.
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, input, select, summary')].filter(element => {
    if (element.disabled || element.closest('.off') || !element.checkVisibility()) return false;
    const beside = element.parentElement.textContent.replace(element.textContent, '').trim();
    if (element.tagName === 'A' && getComputedStyle(element).display === 'inline' && beside) return false;
    const box = (element.closest('label') ?? element).getBoundingClientRect();
    return box.width < 44 || box.height < 44;
}).map(element => element.outerHTML.slice(0, 120))"""

FOCUSED = """() => {
    const element = document.activeElement;
    if (element === document.body) return '';
    const named = (element.labels?.[0] ?? element).cloneNode(true);
    named.querySelectorAll('.hint').forEach(hint => hint.remove());
    const ring = getComputedStyle(element).outlineStyle === 'none' ? 'no ring: ' : '';
    return ring + named.textContent.trim();
}"""
"""The words of what has the focus, and whether it is seen to have it; nothing where nothing has."""


def violations(page: Page) -> list[str]:
    """What axe-core finds: its rule and where.

    A browser that runs no scripts runs no timers either, by which axe takes a rest between its rules; so it takes none.
    Nothing is loaded beforehand, for every style sheet stands in its page.
    """
    page.evaluate(
        "() => { window.setTimeout = (work, _, ...given) => void Promise.resolve().then(() => work(...given)) }"
    )
    page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations'], preload: false})")
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]


def overflowing(page: Page) -> list[str]:
    """Elements that reach beyond the window's right edge."""
    found: list[str] = page.evaluate(OVERFLOWING)
    return found


def overflowing_when_zoomed(page: Page) -> list[str]:
    """What does not fit a window of 1,280 px at 200 % and 400 %, which a browser lays out as 640 and 320 CSS pixels
    (WCAG 2.2, 1.4.4 and 1.4.10)."""
    found = []
    for width in (640, 320):
        page.set_viewport_size({"width": width, "height": 800})
        found += overflowing(page)
        reaches = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{reaches} px at {width}"] if reaches != width else []
    return found


def low_contrasts(page: Page) -> list[str]:
    """Texts with a contrast below 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    found: list[str] = page.evaluate(CONTRASTS)
    return found


def small_targets(page: Page) -> list[str]:
    """What is pressed and is less than 44 px wide or high (WCAG 2.2, 2.5.5)."""
    found: list[str] = page.evaluate(SMALL_TARGETS)
    return found


def tab_stops(page: Page) -> list[str]:
    """Where the tabulator key leads from the top of the page, each stop by its words."""
    stops: list[str] = []
    for _ in range(100):
        page.keyboard.press("Tab")
        focused: str = page.evaluate(FOCUSED)
        if not focused:
            return stops
        stops.append(focused)
    raise AssertionError(f"the keyboard does not get out of {stops[-1]}")
