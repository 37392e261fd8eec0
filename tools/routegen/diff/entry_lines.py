"""The line of a manifest's text on which an entry is, for annotations."""

import json

DEFAULT_ROUTE = "$default"


def line_of_entry(text: str, path: str) -> int:
    """Find the line, counted from 1, that names an entry; 1 where no line does.

    Args:
        text: the manifest's text.
        path: the entry's path, or `$default` for the line that names the default app.
    """
    key = '"default":' if path == DEFAULT_ROUTE else f'"path": {json.dumps(path, ensure_ascii=False)}'
    return next((number for number, line in enumerate(text.splitlines(), 1) if key in line), 1)
