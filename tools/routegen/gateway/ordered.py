"""The model as a list: route keys in the order in which a server that takes the first match must ask them.

The trie of `match` and this list decide alike under the project's decisions; a property test holds them together.
A look-up in it costs a comparison with each key until one matches.
"""

from collections.abc import Iterable

from routegen.gateway.route_key import ANY, RouteKey, from_literal, shape

# What PCRE, RE2, JavaScript and Python take for itself, in a pattern and in any of their quotes.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-/~@:,=&%!")


def in_order(keys: Iterable[RouteKey]) -> tuple[RouteKey, ...]:
    """Sort route keys so that the first one that matches a request is the one that API Gateway selects.

    A full match comes before a greedy one, a literal segment before a variable from left to right, a longer prefix
    before a shorter, a method before `ANY` on one path.
    """
    return tuple(sorted(keys, key=lambda key: (key.shape[-1] == "{+}", _rank(key), key.shape, key.method == ANY, key)))


def _rank(key: RouteKey) -> tuple[int, ...]:
    return tuple({"{}": 1, "{+}": 2}.get(segment, 0) for segment in key.shape)


def path_regex(path: str) -> str:
    r"""A regular expression for the percent-decoded paths that a route key's path takes, to be anchored by the caller.

    `{name}` takes one segment that isn't empty, `{name+}` one character or more. It uses only what PCRE, RE2,
    JavaScript and Python agree on; anchors are not among it: `$` lets a newline follow in some, and `\z` is unknown
    to others.

    Args:
        path: in API Gateway's notation.
    """
    parts = {"{}": "[^/]+", "{+}": r"[\s\S]+"}
    if path == "/":
        return "/"
    return "".join("/" + (parts.get(segment) or _literal(segment)) for segment in shape(path))


def _literal(segment: str) -> str:
    if "/" in segment:  # an encoded one: no segment of a decoded path has it
        return r"[^\s\S]"
    return "".join(_escape(char) for char in from_literal(segment))


def _escape(char: str) -> str:
    if char in _PLAIN or not char.isascii():
        return char
    # Quotes, blanks, braces, dollars and the like mean something to the language around the pattern too.
    return f"\\{char}" if char in ".*+?|()[]^" else f"\\x{ord(char):02x}"
