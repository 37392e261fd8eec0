"""Secrets out, before anything leaves for the page: what a name says is one, and every copy of it.

In: parts of one exchange. Out: the same with `MASKED` where a secret stood. A secret is known by its name (a header, a
cookie, a parameter, a JSON key) or by its form (a JWT, a bearer token). What was found once is then taken out of
everything else that is shown of the exchange, however it is written there. What can't be parsed is searched as text,
in time that grows with its length alone: anybody may have sent it.
"""

import json
import re
from collections.abc import Set
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

from routegen.serve.inspector.secret_copies import MASKED, sweep
from routegen.serve.inspector.secret_names import COOKIES, is_secret, normal

_SCHEMES = frozenset({"bearer", "basic", "digest", "dpop", "negotiate", "aws4-hmac-sha256"})
_URL_HEADERS = frozenset({"location", "content-location", "referer"})
# RFC 6265, section 4.1.1, and its successor's.
_ATTRIBUTES = frozenset(
    {"path", "domain", "expires", "max-age", "samesite", "secure", "httponly", "partitioned", "priority"}
)
_DEPTH = 6
"""Values within values (a URL in a parameter of a URL) that are looked into; what is deeper is masked as a whole."""

# A run of parts with dots between; a JWT is one with a JSON object in base64 for its header (RFC 7519, RFC 7516).
_DOTTED = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]*+){2,}", re.ASCII)
_JWT = re.compile(r"eyJ[\w-]{6,}+\.", re.ASCII)
# RFC 6750, RFC 7617 and RFC 9449: a scheme and its credentials.
_BEARER = re.compile(r"\b(?i:bearer|basic|dpop)(?: {1,3}|%20|\+)([\w.~+/%-]{6,}+=*+)", re.ASCII)
_NO_WORD = re.compile(r"\d|[a-z][A-Z]|=$")
# RFC 3986, section 3.2.1: the password before a host.
_USER = re.compile(r"(?<=//)([^/\s:@\"'<>]{0,200}+:)([^/\s@\"'<>]{1,200}+)(?=@)")
# A name, perhaps in quotes, and what says that its value follows: `=` and `:` before a quote, `=` alone, `:` before a
# number. Quotes have backslashes before them in a JSON text within another.
_NAMED = re.compile(
    r"(?<![\w.%\[\]-])([\w.%\[\]-]{2,200}+)"
    r"(?:(?:\\*+[\"'])?\s{0,4}[:=]\s{0,4}(\\*+[\"'])|\\*+[\"']\s{0,4}:\s{0,4}(?=(-?\d))|=)",
    re.ASCII,
)
# What stands between blanks, quotes and separators, and a percent-encoded `"`, `:` or `=` in it.
_RUN = re.compile(r"[^\s\"'<>&=\\]+")
_ENCODED = re.compile(r"%(?:25)*(?:22|3[aAdD])")
_BARE = re.compile(r"[^&\s\"'<>\\]*+")
_NUMBER = re.compile(r"-?[\d.eE+-]+")
_QUOTED = {'"': re.compile(r'(?:[^"\\]|\\.)*+', re.DOTALL), "'": re.compile(r"(?:[^'\\]|\\.)*+", re.DOTALL)}
_FORM = re.compile(r"[\w.%\[\]+-]+=\S*")
_INPUT = re.compile(r"<(?:input|meta|button)\b[^<>]*>", re.IGNORECASE)
_AREA = re.compile(r"(<textarea\b([^<>]*)>)([^<]+)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(name|value|content)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";\s]+)', re.IGNORECASE)
_BLANK = re.compile(r"\r?\n\r?\n")
_PART_NAME = re.compile(r'(?<![\w*])name="?([^";\r\n]+)', re.IGNORECASE)


class Masker:
    """Masks the parts of one exchange, and remembers what it has found in them."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._depth = 0

    def sweep(self, value: Any, names: Set[str]) -> Any:
        """Take every copy of what was found out of a JSON value; `names` are keys that stay."""
        return sweep(self._found, value, names)

    def header(self, name: str, value: str) -> str:
        """One header field's value."""
        lower = name.lower()
        if lower == "cookie":
            return "; ".join(self.cookie(one) for one in value.split(";"))
        if lower in {"set-cookie", "cookies"}:
            return self.cookie(value)
        if lower in {"authorization", "proxy-authorization"}:
            scheme, space, rest = value.partition(" ")
            return f"{scheme} {self._hide(rest)}" if space and scheme.lower() in _SCHEMES else self._hide(value)
        if is_secret(lower.removeprefix("x-")):
            return self._hide(value)
        return self.url(value) if lower in _URL_HEADERS else self.text(value)

    def cookie(self, text: str) -> str:
        """`name=value` with its attributes: the value is always a secret."""
        first, *others = text.split(";")
        shown = (one if one.partition("=")[0].strip().lower() in _ATTRIBUTES else self._value(one) for one in others)
        return ";".join([self._value(first), *shown])

    def _value(self, pair: str) -> str:
        name, equals, value = pair.strip().partition("=")
        return f"{name}={self._hide(value)}" if equals else self._hide(name)

    def url(self, text: str) -> str:
        """A URL: its query and its fragment, which OAuth's implicit flow fills as a query (RFC 6749, section 4.2.2)."""
        before, hash_, fragment = text.partition("#")
        path, mark, query = before.partition("?")
        return f"{self._search(path)}{mark}{self.query(query)}{hash_}{self.query(fragment)}"

    def query(self, text: str) -> str:
        """A query or a form: `&` and nothing else ends a value (URL Standard, application/x-www-form-urlencoded)."""
        return "&".join(self._pair(one) for one in text.split("&"))

    def data(self, value: Any, name: str = "", secret: bool = False) -> Any:
        """A JSON value; a text in it that is JSON itself is masked as such.

        Args:
            value: what `json.loads` gives.
            name: the key that it stands under.
            secret: whether it is part of a secret.
        """
        secret = secret or is_secret(name)
        if isinstance(value, dict):
            secret = secret or normal(name) in COOKIES
            return {self._search(str(key)): self.data(one, str(key), secret) for key, one in value.items()}
        if isinstance(value, list):
            return [self.data(one, name, secret) for one in value]
        if isinstance(value, str):
            if secret:
                return self._hide(value)
            return self.header(normal(name).replace("_", "-"), value) if normal(name) in COOKIES else self.text(value)
        # JSON-RPC's and HTTP's codes are numbers under the name of OAuth's.
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return self._hide(str(value)) if secret and is_number and normal(name) != "code" else value

    def text(self, text: str, content_type: str = "") -> str:
        """A body, by its type and by what it looks like."""
        if self._depth > _DEPTH:
            return self._hide(text) if set("%=:").intersection(text) else text
        self._depth += 1
        try:
            return self._text(text, content_type)
        finally:
            self._depth -= 1

    def _text(self, text: str, content_type: str) -> str:
        parsed = self._json(text)
        if parsed is not None:
            return parsed
        media_type, _, parameters = content_type.partition(";")
        media_type = media_type.strip().lower()
        if media_type == "application/x-www-form-urlencoded" or _FORM.fullmatch(text):
            return self.query(text)
        if media_type.startswith("multipart/") and (found := _BOUNDARY.search(parameters)):
            boundary = f"--{found[1]}"
            return boundary.join(self._part(part) for part in text.split(boundary))
        return self._search(_AREA.sub(self._area, _INPUT.sub(self._input, text)))

    def _json(self, text: str) -> str | None:
        """JSON, as it is where nothing is in it; None where it is none that can be told."""
        bare = text.lstrip("\ufeff \t\r\n")
        if not bare.startswith(("{", "[")):
            return None
        try:
            parsed = json.loads(bare, object_pairs_hook=_each_once, parse_constant=_no_number)
            masked = self.data(parsed)
        except (ValueError, RecursionError):
            return None
        return text if masked == parsed else json.dumps(masked, ensure_ascii=False, indent=2)

    def _pair(self, text: str) -> str:
        name, equals, value = text.partition("=")
        if not equals:
            return self._search(text)
        if is_secret(unquote_plus(name)):
            return f"{name}={self._hide(value)}"
        plain = unquote_plus(value)
        masked = self.text(plain)
        return f"{name}={self._search(value) if masked == plain else quote(masked, safe='[]/:?')}"

    def _part(self, part: str) -> str:
        """A part of a form (RFC 7578): its header fields, an empty line, its value."""
        blank = _BLANK.search(part)
        if not blank:
            return self._search(part)
        head, value = part[: blank.end()], part[blank.end() :]
        name = _PART_NAME.search(head)
        bare = value.rstrip("\r\n")
        shown = self._hide(bare) if name and is_secret(name[1]) else self.text(bare)
        return head + shown + value[len(bare) :]

    def _input(self, found: re.Match[str]) -> str:
        """A field of an HTML form: its value where its name says that it is a secret."""
        attributes = {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(found[0])}
        value = attributes.get("value") or attributes.get("content") or ""
        secret = is_secret(attributes.get("name", "")) and value
        return found[0].replace(value, self._hide(value)) if secret else found[0]

    def _area(self, found: re.Match[str]) -> str:
        name = dict(_ATTRIBUTE.findall(found[2].lower())).get("name", "")
        return found[1] + (self._hide(found[3]) if is_secret(name.strip("\"'")) else found[3])

    def _search(self, text: str) -> str:
        """Any text: what a name announces, and what is known by its form."""
        parts, at = [], 0
        for found in _NAMED.finditer(text):
            start = found.end()
            if found.start() < at or not is_secret(found[1]) or (found[3] and normal(found[1]) == "code"):
                continue
            end = _value_end(text, start, found[2], bool(found[3]))
            parts += [text[at:start], self._hide(text[start:end])]
            at = end
        text = "".join([*parts, text[at:]])
        text = _USER.sub(lambda found: found[1] + self._hide(found[2]), text)
        text = _BEARER.sub(self._bearer, _DOTTED.sub(self._dotted, text))
        return _RUN.sub(self._decoded, text) if "%" in text else text

    def _decoded(self, found: re.Match[str]) -> str:
        """A run of text, looked into where it is percent-encoded."""
        if not _ENCODED.search(found[0]):
            return found[0]
        plain = unquote(found[0])
        masked = self.text(plain)
        return found[0] if masked == plain else quote(masked, safe="[]/:?")

    def _dotted(self, found: re.Match[str]) -> str:
        run = found[0]
        token = _JWT.search(run[: run.rindex(".") + 1])
        return run[: token.start()] + self._hide(run[token.start() :]) if token else run

    def _bearer(self, found: re.Match[str]) -> str:
        """Credentials, and neither a word of prose nor a parameter of a challenge."""
        names = found.string[found.end() : found.end() + 1] in {'"', "'"}
        if names or not _NO_WORD.search(found[1]):
            return found[0]
        return found[0].removesuffix(found[1]) + self._hide(found[1])

    def _hide(self, secret: str) -> str:
        bare = secret.strip("\"'")
        self._found |= {one for one in (secret, bare, unquote_plus(bare)) if one != MASKED}
        return MASKED if secret else ""


def _value_end(text: str, start: int, opening: str | None, is_number: bool) -> int:
    """Where the value ends that a name has announced.

    Args:
        text: all of it.
        start: where the value begins.
        opening: the quote before it, with its backslashes.
        is_number: whether it is one.
    """
    if opening and opening not in _QUOTED:
        end = re.compile(rf"(?<!\\){re.escape(opening)}").search(text, start)
        return end.start() if end else len(text)
    matched = (_NUMBER if is_number else _QUOTED[opening] if opening else _BARE).match(text, start)
    return matched.end() if matched else start


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without a name said twice: the first would be lost, and shown unread."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
