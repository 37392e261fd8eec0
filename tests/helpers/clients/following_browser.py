"""A browser for clients that open one: it follows each redirect of a sign-in, because no page asks for consent."""

import os
import sys
from pathlib import Path

PROGRAM = """#!{python}
import sys
sys.path.append({tests!r})
from helpers.redirects import follow_redirects
open({marker!r}, "a").write("opened\\n")
follow_redirects(sys.argv[1])
"""


def environment_with_browser(state: Path) -> dict[str, str]:
    """Return an environment in which `xdg-open` opens this browser, with the home directory `state`."""
    state.mkdir(parents=True, exist_ok=True)
    browser = state / "browser"
    tests = str(Path(__file__).parents[2])
    browser.write_text(PROGRAM.format(python=sys.executable, tests=tests, marker=str(state / "opened")))
    browser.chmod(0o700)
    return {"PATH": os.environ["PATH"], "HOME": str(state), "BROWSER": str(browser)}


def count_opened(state: Path) -> int:
    """Return how often the browser was opened."""
    marker = state / "opened"
    return len(marker.read_text().splitlines()) if marker.exists() else 0
