"""Chromium, driven by Playwright, on loopback alone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

# So that it looks nothing up: it would ask for updates and for Google's hosts at every start.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The browser's file, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser until the block ends."""
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        try:
            yield one
        finally:
            one.close()


def problems(page: Any, axe: str) -> list[str]:
    """What axe finds wrong with a page for people who don't see it, or don't use a mouse (WCAG 2, A and AA).

    Args:
        page: Playwright's.
        axe: axe's source.
    """
    page.evaluate(axe)
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})")
    return [f"{one['id']}: {node['html']}" for one in found["violations"] for node in one["nodes"]]
