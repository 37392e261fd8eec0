"""Where in a manifest's text an entry stands, for whoever annotates the file."""

import json


def line_of(text: str, path: str) -> int:
    """The line, from 1, on which the entry for `path` names it; 1 where none does.

    Args:
        text: the manifest's text.
        path: an entry's path, or `$default` for the line that names the default app.
    """
    wanted = '"default":' if path == "$default" else f'"path": {json.dumps(path, ensure_ascii=False)}'
    return next((number for number, line in enumerate(text.splitlines(), 1) if wanted in line), 1)
