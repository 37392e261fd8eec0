"""From Starlette's paths to API Gateway's.

Starlette writes `/files/{name}.json` and `/raw/{rest:path}`; in a route key a variable fills one whole
segment and only the last one may be greedy (AWS, http-api-develop-routes). Where that says less than the app
does, the translation is wider than the app, never narrower, and says why.
"""

import re
from dataclasses import dataclass

from routegen.gateway.route_key import check_path

# As in starlette.routing: {name} or {name:convertor}.
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?::([A-Za-z_][A-Za-z0-9_]*))?\}")


@dataclass(frozen=True)
class Translation:
    """A path in API Gateway's notation.

    Attributes:
        path: what a route key carries after the method.
        widened: why the gateway sends more than the app serves, or None where the two say the same.
    """

    path: str
    widened: str | None = None


def translate(path: str) -> Translation:
    """Say a Starlette path in API Gateway's notation.

    Args:
        path: as in `starlette.routing.Route.path`, mount prefixes included.

    Raises:
        RouteKeyError: no route key can carry it (a trailing slash, an empty segment).
    """
    segments: list[str] = []
    reasons: list[str] = []
    parts = path[1:].split("/")
    for position, part in enumerate(parts):
        parameters = list(_PARAMETER.finditer(part))
        if not parameters:
            segments.append(part)
            continue
        first = parameters[0]
        reason = _why_widened(part, parameters)
        greedy = any(parameter[2] == "path" for parameter in parameters)
        if greedy and position < len(parts) - 1:
            reason = f"{part} is greedy and not the last segment; a route key ends with its greedy variable"
        if reason:
            reasons.append(reason)
        segments.append(f"{{{first[1]}+}}" if greedy else f"{{{first[1]}}}")
        if greedy:
            break
    result = "/" + "/".join(segments)
    check_path(result)
    return Translation(result, "; ".join(reasons) or None)


def _why_widened(part: str, parameters: list[re.Match[str]]) -> str | None:
    whole = len(parameters) == 1 and parameters[0][0] == part
    if not whole:
        return f"{part} mixes text and variables; a variable of a route key fills a whole segment"
    convertor = parameters[0][2] or "str"
    if convertor in {"str", "path"}:
        return None
    return f"{part} takes only {convertor}; a route key's variable takes any segment"


def below(path: str) -> str:
    """The gateway path for everything under `path`: one segment or more (AWS: a greedy path variable)."""
    return f"{path.rstrip('/')}/{{proxy+}}"
