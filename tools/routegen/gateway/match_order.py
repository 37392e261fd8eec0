"""The model as a list: route keys in the order in which a server that takes the first match must ask them.

The trie of `match` and this list decide alike under the project's decisions; a property test holds them together.
A look-up in it costs a comparison with each key until one matches.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from routegen.gateway.route_key import ANY, RouteKey, from_literal, shape

# What PCRE, RE2, JavaScript and Python take for itself, in a pattern and in any of their quotes.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-/~@:,=&%!")
_NOTHING = r"[^\s\S]"


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
    return "".join("/" + (parts.get(segment) or _literal(segment, _escape)) for segment in shape(path))


def encoded_path_regex(path: str) -> str:
    r"""The same for paths as a request line has them: each byte as it is or percent-encoded.

    For a server that can't decode a path without removing dot segments or doubled slashes from it. The expression is
    ASCII, and for an engine that takes bytes. It has lookahead, which RE2 hasn't. A question mark ends the path.

    Args:
        path: in API Gateway's notation.
    """
    parts = {"{}": "(?:(?!%2[fF])[^/?])+", "{+}": "[^?]+"}
    if path == "/":
        return "/?"  # a URL may have no path (RFC 9112, section 3.2.2)
    segments = (parts.get(segment) or _literal(segment, _encoded) for segment in shape(path))
    # A request target starts with a slash as it is (RFC 9112, section 3.2.1).
    return "/" + "(?:/|%2[fF])".join(segments)


def _literal(segment: str, spell: Callable[[str], str]) -> str:
    if "/" in segment:  # an encoded one: no segment of a decoded path has it
        return _NOTHING
    return "".join(map(spell, from_literal(segment)))


@lru_cache(maxsize=256)  # a path has few characters, and each a dozen here
def _encoded(char: str) -> str:
    if char == "%":  # nothing is encoded by it unless two digits follow
        return "(?:%25|%(?![0-9a-fA-F]{2}))"
    if char == "?":  # as it is, the query starts here
        return "%3[fF]"
    return "".join(f"(?:{_byte(byte)}|%{_hex_digits(byte)})" for byte in char.encode())


def _byte(byte: int) -> str:
    return _escape(chr(byte)) if byte < 0x80 else rf"\x{byte:02x}"


def _hex_digits(byte: int) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{byte:02x}")


def _escape(char: str) -> str:
    if char in _PLAIN or not char.isascii():
        return char
    # Quotes, blanks, braces, dollars and the like mean something to the language around the pattern too.
    return f"\\{char}" if char in ".*+?|()[]^" else f"\\x{ord(char):02x}"
