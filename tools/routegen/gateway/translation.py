"""Translation of Starlette's paths into API Gateway's.

Starlette writes `/files/{name}.json` and `/raw/{rest:path}`. In a route key a variable fills one whole segment, and
only the last variable may be greedy (AWS, http-api-develop-routes). Where a route key cannot say exactly what the app
serves, the translation matches more requests than the app serves, never fewer, and gives the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from routegen.gateway.path_pattern import ANY_PATH, ANY_REST, ANY_SEGMENT, PARAMETER, PathSegment, split_path
from routegen.gateway.route_key import check_path

# RFC 3986, section 3.3: the characters of a path, beside letters and digits.
_SAFE = "/~!$&'()*+,;=:@"
# A variable of a route key matches the same texts: one segment, or, if greedy, one segment or more.
_EXACT_REGEXES = {ANY_SEGMENT, ANY_PATH, ANY_REST}


@dataclass(frozen=True)
class Translation:
    """A path in API Gateway's notation.

    Attributes:
        path: the path of the route key, after the method.
        widened: why the gateway sends more than the app serves; None where it sends exactly that.
    """

    path: str
    widened: str | None = None


def translate_path(path: str, regexes: Sequence[str]) -> Translation:
    """Translate a path from Starlette's notation into API Gateway's.

    Args:
        path: as in `starlette.routing.Route.path`, with the prefixes of its mounts. Starlette compares it with a
            decoded request path, so a character that no URL can have is percent-encoded in the result.
        regexes: the regular expression of each variable, in the path's order.

    Raises:
        RouteKeyError: no route key can have this path (a trailing slash, an empty segment).
    """
    translated: list[str] = []
    reasons: list[str] = []
    segments = split_path(path, regexes)
    for position, segment in enumerate(segments):
        is_last = position == len(segments) - 1
        if segment.is_literal:
            translated.append(encode_path(segment.source))
            continue
        if reason := _why_widened(segment, is_last):
            reasons.append(reason)
        translated.append(_variable(segment, translated))
        if segment.may_hold_slash:
            break
    gateway_path = "/" + "/".join(translated)
    check_path(gateway_path)
    return Translation(gateway_path, "; ".join(reasons) or None)


def _variable(segment: PathSegment, translated: list[str]) -> str:
    """Return the segment's variable under a name that no variable before it has; a mount may have the same name."""
    name = PARAMETER.findall(segment.source)[0][0]
    used_names = {part.strip("{+}") for part in translated if part.startswith("{")}
    candidates = (name, *(f"{name}_{number}" for number in range(2, len(translated) + 3)))
    unused_name = next(candidate for candidate in candidates if candidate not in used_names)
    return f"{{{unused_name}+}}" if segment.may_hold_slash else f"{{{unused_name}}}"


def _why_widened(segment: PathSegment, is_last: bool) -> str | None:
    source = segment.source
    if segment.may_hold_slash and not is_last:
        return f"{source} may hold a slash and is not the last segment; a route key ends with its greedy variable"
    if not segment.is_single_variable:
        return f"{source} mixes text and variables; a variable of a route key fills a whole segment"
    if segment.regexes[0] in _EXACT_REGEXES:
        return None
    convertor = PARAMETER.findall(source)[0][1] or segment.regexes[0]
    return f"{source} takes only {convertor}; a route key's variable takes any segment"


def encode_path(path: str) -> str:
    """Return a decoded path as a URL has it: percent-encoded, apart from the characters that a path can have."""
    return quote(path, safe=_SAFE)


def subtree_path(path: str) -> str:
    """Return the gateway path of everything below `path`: one segment or more (AWS: a greedy path variable)."""
    return f"{path.rstrip('/')}/{{proxy+}}"
