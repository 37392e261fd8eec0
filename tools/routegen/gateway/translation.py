"""From Starlette's paths to API Gateway's.

Starlette writes `/files/{name}.json` and `/raw/{rest:path}`; in a route key a variable fills one whole
segment and only the last one may be greedy (AWS, http-api-develop-routes). Where that says less than the app
does, the translation is wider than the app, never narrower, and says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from routegen.gateway.path_pattern import ANY_PATH, ANY_REST, ANY_SEGMENT, PARAMETER, Segment, segments
from routegen.gateway.route_key import check_path

_SAFE = "~!$&'()*+,;=:@"
# What a variable of a route key takes too: a segment, or, greedy, one segment or more.
_EXACT = {ANY_SEGMENT, ANY_PATH, ANY_REST}


@dataclass(frozen=True)
class Translation:
    """A path in API Gateway's notation.

    Attributes:
        path: what a route key carries after the method.
        widened: why the gateway sends more than the app serves, or None where the two say the same.
    """

    path: str
    widened: str | None = None


def translate(path: str, regexes: Sequence[str]) -> Translation:
    """Say a Starlette path in API Gateway's notation.

    Args:
        path: as in `starlette.routing.Route.path`, mount prefixes included. It is compared with a decoded request
            path, so a character that a URL can't have stands percent-encoded in the result.
        regexes: what each variable takes, in the path's order.

    Raises:
        RouteKeyError: no route key can carry it (a trailing slash, an empty segment).
    """
    result: list[str] = []
    reasons: list[str] = []
    parts = segments(path, regexes)
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if part.literal:
            result.append(quote(part.source, safe=_SAFE))
            continue
        if reason := _why_widened(part, last):
            reasons.append(reason)
        result.append(_variable(part, result))
        if part.spans:
            break
    found = "/" + "/".join(result)
    check_path(found)
    return Translation(found, "; ".join(reasons) or None)


def _variable(part: Segment, before: list[str]) -> str:
    """The segment's variable under a name that no variable before it has, which a mount's may."""
    name = PARAMETER.findall(part.source)[0][0]
    taken = {segment.strip("{+}") for segment in before if segment.startswith("{")}
    candidates = (name, *(f"{name}_{number}" for number in range(2, len(before) + 3)))
    free = next(candidate for candidate in candidates if candidate not in taken)
    return f"{{{free}+}}" if part.spans else f"{{{free}}}"


def _why_widened(part: Segment, last: bool) -> str | None:
    if part.spans and not last:
        return f"{part.source} may hold a slash and isn't the last segment; a route key ends with its greedy variable"
    if not part.whole:
        return f"{part.source} mixes text and variables; a variable of a route key fills a whole segment"
    if part.regexes[0] in _EXACT:
        return None
    takes = PARAMETER.findall(part.source)[0][1] or part.regexes[0]
    return f"{part.source} takes only {takes}; a route key's variable takes any segment"


def below(path: str) -> str:
    """The gateway path for everything under `path`: one segment or more (AWS: a greedy path variable)."""
    return f"{path.rstrip('/')}/{{proxy+}}"
