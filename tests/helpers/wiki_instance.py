"""The wiki Lambda in a forked process, which gets its events through a connection."""

import json
import os
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from helpers.forked import become
from helpers.support import PROJECT

SLOW_IMPORTS = (
    "apig_wsgi",
    "feedgen.feed",
    "flask_login",
    "flask_mail",
    "flask_sqlalchemy",
    "flask_wtf",
    "git",
    "otterwiki.gitstorage",
    "otterwiki.renderer",
    "PIL.Image",
    "sqlalchemy.dialects.sqlite",
)
"""Imports of the wiki that do not depend on its environment."""


def serve(events: "Connection[str, str]", environment: Mapping[str, str], output: Path) -> None:
    """Import the wiki and answer events until the connection ends.

    Args:
        events: the connection, for events and results in JSON.
        environment: the environment of the function. START_WHEN names a file for which it waits before the import.
        output: the directory for the files `stdout` and `stderr`.
    """
    become(environment, None, stdout=output / "stdout", stderr=output / "stderr")
    if gate := os.environ.get("START_WHEN"):
        Path(gate).with_suffix(f".{os.getpid()}").touch()
        while not Path(gate).exists():
            time.sleep(0.001)
    sys.path.insert(0, str(PROJECT / "app" / "otterwiki"))
    sys.dont_write_bytecode = True  # as on Lambda, whose file system is read-only
    import wiki

    while True:
        try:
            event = events.recv()
        except EOFError:
            return
        events.send(json.dumps(wiki.handler(json.loads(event), None)))
