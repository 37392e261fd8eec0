"""Route keys of an API Gateway HTTP API: `GET /pets/{id}`, `ANY /files/{proxy+}`.

Source of the rules: "Create routes for HTTP APIs" (AWS, http-api-develop-routes).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

ANY = "ANY"
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""The methods that a route key may name, beside `ANY`."""

ROUTE_QUOTA = 300
"""Routes an HTTP API may have, `$default` included ("Quotas for HTTP APIs"; AWS raises it on request)."""

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)(\+?)\}")
# RFC 3986, section 3.3: the characters of a path segment, percent-encoded triplets included.
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+")


class RouteKeyError(ValueError):
    """A text is not a route key; `str()` says why."""


@dataclass(frozen=True, order=True)
class RouteKey:
    """One route key, taken apart.

    Attributes:
        path: in API Gateway's notation, as written.
        method: an HTTP method in capitals, or `ANY`.
    """

    path: str
    method: str

    @classmethod
    def parse(cls, text: str) -> "RouteKey":
        """Read `METHOD /path`.

        Raises:
            RouteKeyError: it isn't one. `$default` isn't either: no manifest entry may take it.
        """
        if text == "$default":
            raise RouteKeyError("$default belongs to the manifest's default app and is not a route of its own")
        method, space, path = text.partition(" ")
        if not space:
            raise RouteKeyError(f"{text!r} is not of the form 'METHOD /path'")
        if method != ANY and method not in METHODS:
            raise RouteKeyError(f"{method!r} is not a method of an HTTP API ({', '.join(sorted(METHODS))}, {ANY})")
        check_path(path)
        return cls(path=path, method=method)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def shape(self) -> tuple[str, ...]:
        """The shape of the key's path."""
        return shape(self.path)

    @property
    def nameless(self) -> str:
        """The key without its variables' names: `GET /pets/{}`.

        What a stack calls the route by. With the names in it a renamed variable would be a second route for the same
        requests, and API Gateway refuses that; without them it is an update of the first.
        """
        path = _VARIABLE.sub(r"{\2}", self.path)
        return f"{self.method} {path}"

    @property
    def swallows_default(self) -> bool:
        """Whether this key takes every path, so that `$default` would get none of its method."""
        return takes_every_path(self.path)


@lru_cache(maxsize=4096)  # a key is asked for its shape wherever two are compared
def shape(path: str) -> tuple[str, ...]:
    """The segments of a gateway path with the variables' names taken out, and literals percent-decoded (`as_literal`).

    Example: `/a%20b/{id}/{rest+}` gives `("a b", "{}", "{+}")`. Two paths of one shape take the same requests.
    """
    return tuple(_shape_of(segment) for segment in path[1:].split("/"))


def takes_every_path(path: str) -> bool:
    """Whether a gateway path takes whatever is asked for: a greedy variable at the root."""
    return shape(path) == ("{+}",)


def _shape_of(segment: str) -> str:
    if variable := _VARIABLE.fullmatch(segment):
        return f"{{{variable[2]}}}"
    return as_literal(unquote(segment))


def as_literal(decoded: str) -> str:
    """A decoded text as it stands in a shape: a brace encoded, or `%7B%7D` would read as a variable.

    The percent sign is encoded too, so that no two texts become one.
    """
    return decoded.replace("%", "%25").replace("{", "%7B")


def from_literal(segment: str) -> str:
    """The text that a segment of a shape stands for."""
    return segment.replace("%7B", "{").replace("%25", "%")


def check_path(path: str) -> None:
    """Say whether `path` is one that a route key may have.

    Raises:
        RouteKeyError: it isn't; the text names the segment and the rule.
    """
    if not path.startswith("/"):
        raise RouteKeyError(f"the path {path!r} does not start with '/'")
    if path == "/":
        return
    segments = path[1:].split("/")
    if segments[-1] == "":
        raise RouteKeyError(f"the path {path!r} ends in '/', which a route key can't")
    names: set[str] = set()
    for position, segment in enumerate(segments):
        variable = _VARIABLE.fullmatch(segment)
        if variable is None:
            _check_literal(path, segment)
            continue
        if variable[2] and position != len(segments) - 1:
            raise RouteKeyError(f"the greedy path variable {segment!r} in {path!r} is not the last segment")
        if variable[1] in names:
            raise RouteKeyError(f"the path {path!r} names the variable {variable[1]!r} twice")
        names.add(variable[1])


def _check_literal(path: str, segment: str) -> None:
    if segment == "":
        raise RouteKeyError(f"the path {path!r} has an empty segment")
    if "{" in segment or "}" in segment:
        raise RouteKeyError(f"the segment {segment!r} in {path!r} is neither a literal nor one whole variable")
    if not _LITERAL.fullmatch(segment):
        raise RouteKeyError(f"the segment {segment!r} in {path!r} has a character that a URL path can't have")
