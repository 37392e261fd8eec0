"""Route keys of an API Gateway HTTP API: `GET /pets/{id}`, `ANY /files/{proxy+}`.

Source of the rules: "Create routes for HTTP APIs" (AWS, http-api-develop-routes).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from routegen.errors import shorten

ANY = "ANY"
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""The methods that a route key can name, beside `ANY`."""

DEFAULT_ROUTE = "$default"
"""The key of the route that gets each request that no other route matches."""

ROUTE_QUOTA = 300
"""How many routes an HTTP API can have, `$default` included ("Quotas for HTTP APIs"; AWS raises it on request)."""

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)(\+?)\}")
# RFC 3986, section 3.3: the characters of a path segment, percent-encoded triplets included.
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")


class RouteKeyError(ValueError):
    """A text is not a route key; `str()` gives the reason."""


@dataclass(frozen=True, order=True)
class RouteKey:
    """One route key, parsed.

    Attributes:
        path: in API Gateway's notation, as written.
        method: an HTTP method in capitals, or `ANY`.
    """

    path: str
    method: str

    @classmethod
    def parse(cls, text: str) -> "RouteKey":
        """Parse `METHOD /path`.

        Raises:
            RouteKeyError: the text is not a route key. `$default` is refused too: no entry of a manifest can have it.
        """
        if text == DEFAULT_ROUTE:
            raise RouteKeyError("$default belongs to the manifest's default app; no entry can have it")
        method, space, path = text.partition(" ")
        if not space:
            raise RouteKeyError(f"{shorten(text)!r} is not of the form 'METHOD /path'")
        if method != ANY and method not in METHODS:
            methods = ", ".join(sorted(METHODS))
            raise RouteKeyError(f"{shorten(method)!r} is not a method of an HTTP API ({methods}, {ANY})")
        check_path(path)
        return cls(path=path, method=method)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def shape(self) -> tuple[str, ...]:
        """The shape of the key's path."""
        return shape(self.path)

    @property
    def without_variable_names(self) -> str:
        """The key without the names of its variables: `GET /pets/{}`.

        A Pulumi or Terraform program names the route's resource by it. If the names were in it, a renamed variable
        would give a second route for the same requests, which API Gateway refuses; without them it is an update.
        """
        path = _VARIABLE.sub(r"{\2}", self.path)
        return f"{self.method} {path}"

    @property
    def takes_every_path(self) -> bool:
        """Whether the key takes every path, so that `$default` would get no request with its method."""
        return takes_every_path(self.path)


def stable_name(key: str) -> str:
    """Return a route key without the names of its variables; `$default`, and a text that is no route key, as it is."""
    try:
        return RouteKey.parse(key).without_variable_names
    except RouteKeyError:
        return key


@lru_cache(maxsize=4096)  # each comparison of two keys needs both shapes
def shape(path: str) -> tuple[str, ...]:
    """Return the segments of a gateway path, variables without their names and literals percent-decoded.

    Example: `/a%20b/{id}/{rest+}` gives `("a b", "{}", "{+}")`. Two paths with the same shape take the same requests.
    `escape_literal` keeps a literal brace apart from a variable.
    """
    return tuple(_segment_shape(segment) for segment in path[1:].split("/"))


def takes_every_path(path: str) -> bool:
    """Whether a gateway path takes every request path: it is a greedy variable at the root."""
    return shape(path) == ("{+}",)


def _segment_shape(segment: str) -> str:
    if variable := _VARIABLE.fullmatch(segment):
        return f"{{{variable[2]}}}"
    return escape_literal(unquote(segment))


def escape_literal(decoded: str) -> str:
    """Escape a decoded literal segment for a shape: a brace is encoded, because `{}` means a variable there.

    The percent sign is encoded too, so that no two texts become the same.
    """
    return decoded.replace("%", "%25").replace("{", "%7B")


def unescape_literal(segment: str) -> str:
    """Undo `escape_literal`."""
    return segment.replace("%7B", "{").replace("%25", "%")


def check_path(path: str) -> None:
    """Check that a route key can have this path.

    Raises:
        RouteKeyError: it cannot; the text names the segment and the rule.
    """
    for reason in _reasons_against_path(path):
        raise RouteKeyError(f"the path {shorten(path)!r} {reason}")


def _reasons_against_path(path: str) -> Iterator[str]:
    if not path.startswith("/"):
        yield "does not start with '/'"
    if path == "/":
        return
    segments = path[1:].split("/")
    if segments[-1] == "":
        yield "ends in '/', which a route key cannot"
    names: set[str] = set()
    for position, segment in enumerate(segments):
        variable = _VARIABLE.fullmatch(segment)
        if variable is None:
            yield from _reasons_against_literal(segment)
            continue
        if variable[2] and position != len(segments) - 1:
            yield f"has the greedy path variable {shorten(segment)!r}, which is not the last segment"
        if variable[1] in names:
            yield f"names the variable {shorten(variable[1])!r} twice"
        names.add(variable[1])


def _reasons_against_literal(segment: str) -> Iterator[str]:
    if segment == "":
        yield "has an empty segment"
    elif "{" in segment or "}" in segment:
        yield f"has the segment {shorten(segment)!r}, which is neither a literal nor one whole variable"
    elif not _LITERAL.fullmatch(segment):
        yield f"has the segment {shorten(segment)!r}, with a character that a URL path cannot have"
