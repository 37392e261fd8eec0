"""Route keys as an ordered list of regular expressions, for servers that take the first match.

`RouteTable` and this list select the same keys; a property test compares them. A look-up in the list compares the
request with each key until one matches.
"""

from collections.abc import Iterable
from functools import lru_cache

from routegen.gateway.regex_tree import Regex
from routegen.gateway.route_key import ANY, RouteKey, shape, unescape_literal

# The characters that mean themselves in patterns of PCRE, RE2, JavaScript and Python, and within any of their quotes.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-/~@:,=&%!")
_NEVER_MATCHES = r"[^\s\S]"


def sort_route_keys(keys: Iterable[RouteKey]) -> tuple[RouteKey, ...]:
    """Sort route keys so that the first one that matches a request is the one that API Gateway selects.

    A full match comes before a greedy one, a literal segment before a variable from left to right, a longer prefix
    before a shorter one, and on the same path a method before `ANY`.
    """
    return tuple(sorted(keys, key=lambda key: (key.shape[-1] == "{+}", _rank(key), key.shape, key.method == ANY, key)))


def _rank(key: RouteKey) -> tuple[int, ...]:
    return tuple({"{}": 1, "{+}": 2}.get(segment, 0) for segment in key.shape)


def path_parts(path: str) -> list[str]:
    """Return a route key's path as a pattern for an automaton: its texts and its regular expressions.

    `{name}` takes one segment that is not empty, `{name+}` one character or more.

    Args:
        path: in API Gateway's notation.
    """
    return ["/"] if path == "/" else [part for segment in shape(path) for part in ("/", _part(segment))]


def _part(segment: str) -> str:
    if "/" in segment:  # an encoded slash: no segment of a decoded path has one
        return Regex(_NEVER_MATCHES)
    variables = {"{}": Regex("[^/]+"), "{+}": Regex(".+")}
    return variables.get(segment) or unescape_literal(segment)


def path_regex(path: str) -> str:
    r"""Return a regular expression for the percent-decoded paths that a route key's path takes, without anchors.

    The expression uses only syntax that PCRE, RE2, JavaScript and Python share. Anchors are no part of that: `$` lets
    a newline follow in some, and others do not know `\z`.

    Args:
        path: in API Gateway's notation.
    """
    parts = path_parts(path)
    # In these engines a dot does not match every character.
    return "".join(part.replace(".+", r"[\s\S]+") if isinstance(part, Regex) else _quoted(part) for part in parts)


def _quoted(text: str) -> str:
    return "".join(map(_escape, text))


def encoded_path_regex(path: str) -> str:
    r"""Return a regular expression for the paths of request lines: each byte as it is or percent-encoded.

    It is for a server that cannot decode a path without removing dot segments or doubled slashes from it. The
    expression is ASCII, for an engine that matches bytes. It uses lookahead, which RE2 does not have. A question mark
    ends the path.

    Args:
        path: in API Gateway's notation.
    """
    parts = {"{}": "(?:(?!%2[fF])[^/?])+", "{+}": "[^?]+"}
    if path == "/":
        return "/?"  # a URL can have an empty path (RFC 9112, section 3.2.2)
    segments = (parts.get(segment) or _encoded_text(_part(segment)) for segment in shape(path))
    # A request target starts with a slash as it is (RFC 9112, section 3.2.1).
    return "/" + "(?:/|%2[fF])".join(segments)


def _encoded_text(part: str) -> str:
    return part if isinstance(part, Regex) else "".join(map(_encoded, part))


@lru_cache(maxsize=256)  # paths use few different characters
def _encoded(char: str) -> str:
    if char == "%":  # it encodes a byte only if two digits follow
        return "(?:%25|%(?![0-9a-fA-F]{2}))"
    if char == "?":  # unencoded, it starts the query
        return "%3[fF]"
    return "".join(f"(?:{_byte(byte)}|%{_hex_digits(byte)})" for byte in char.encode())


def _byte(byte: int) -> str:
    return _escape(chr(byte)) if byte < 0x80 else rf"\x{byte:02x}"


def _hex_digits(byte: int) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{byte:02x}")


def _escape(char: str) -> str:
    if char in _PLAIN or not char.isascii():
        return char
    # Quotes, spaces, braces, dollar signs and the like have a meaning in the language around the pattern too.
    return f"\\{char}" if char in ".*+?|()[]^" else f"\\x{ord(char):02x}"
