"""Flask's rules, for the app behind `$default`: which paths it names, in Starlette's notation.

Werkzeug writes `/<path:name>/edit` (werkzeug.routing, "Rule Format").
"""

import re
from collections.abc import Iterator
from typing import Any

from routegen.discover.served_path import Served
from routegen.gateway.path_pattern import ANY_SEGMENT

# How werkzeug's `string` convertor says "any segment".
_STRING = "[^/]{1,}"
_VARIABLE = re.compile(r"<(?:([a-zA-Z_][a-zA-Z0-9_]*)(?:\([^)]*\))?:)?([a-zA-Z_][a-zA-Z0-9_]*)>")


def rules_of(app: Any) -> Iterator[Served]:
    """Every rule that answers HTTP requests."""
    for rule in app.url_map.iter_rules():
        if rule.build_only or rule.websocket:
            continue
        found = [rule._converters[name].regex for _, name in _VARIABLE.findall(rule.rule)]  # noqa: SLF001
        regexes = tuple(ANY_SEGMENT if regex == _STRING else regex for regex in found)
        path = _VARIABLE.sub(lambda found: f"{{{found[2]}:{found[1] or 'string'}}}", rule.rule)
        methods = tuple(sorted(rule.methods)) if rule.methods else None
        yield Served(path, methods, (str(rule.endpoint),), regexes, host=rule.host)
