"""Flask's URL rules as served paths in Starlette's notation.

Werkzeug writes `/<path:name>/edit` (werkzeug.routing, "Rule Format").
"""

import re
from collections.abc import Iterator
from typing import Any

from routegen.discover.served_path import ServedPath
from routegen.gateway.path_pattern import ANY_SEGMENT

# The regular expression of werkzeug's `string` convertor, which takes any segment.
_STRING = "[^/]{1,}"
_VARIABLE = re.compile(r"<(?:([a-zA-Z_][a-zA-Z0-9_]*)(?:\([^)]*\))?:)?([a-zA-Z_][a-zA-Z0-9_]*)>")


def served_by_flask(app: Any) -> Iterator[ServedPath]:
    """Yield an entry for each rule of a Flask application that answers HTTP requests."""
    for rule in app.url_map.iter_rules():
        if rule.build_only or rule.websocket:
            continue
        convertors = [rule._converters[name].regex for _, name in _VARIABLE.findall(rule.rule)]  # noqa: SLF001
        regexes = tuple(ANY_SEGMENT if regex == _STRING else regex for regex in convertors)
        path = _VARIABLE.sub(lambda variable: f"{{{variable[2]}:{variable[1] or 'string'}}}", rule.rule)
        methods = tuple(sorted(rule.methods)) if rule.methods else None
        yield ServedPath(path, methods, (str(rule.endpoint),), regexes, host=rule.host)
