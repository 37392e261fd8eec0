"""Secrets out, before anything leaves for the page: what a name says is one, and every copy of it.

In: parts of one exchange. Out: the same with `MASKED` where a secret stood. A secret is known by its name (a header, a
cookie, a parameter, a JSON key) or by its form (a JWT, a bearer token). What was found once is then taken out of
everything else that is shown of the exchange, however it is written there.
"""

import json
import re
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

MASKED = "[masked]"

_NAMES = frozenset(
    {"authorization", "proxy_authorization", "code", "code_verifier", "token", "secret", "password", "passwd", "pwd",
     "assertion", "client_assertion", "api_key", "apikey", "credential", "session", "sid", "ticket", "otp"}
)  # fmt: skip
_ENDS = ("token", "_secret", "password", "api_key", "secret_key", "private_key", "access_key", "session_id")
# Not secrets, for all their names: MCP's and others' marks of a place.
_HARMLESS = frozenset({"next_page_token", "page_token", "progress_token"})
_URL_HEADERS = frozenset({"location", "content-location", "referer", "link", "refresh"})
# RFC 7519: three parts, the first a JSON object; RFC 6750 and RFC 7617: a scheme and its credentials.
_FORMS = re.compile(r"eyJ[\w-]{6,}\.[\w-]{4,}\.[\w-]*|(?i:\b(?:bearer|basic)\s+)([\w.~+/=-]{6,})")
_PARAMETER = re.compile(r"([?&;#]|^)([^=&;#?\s]+)=([^&;#\s\"'<>]*)")
_INPUT = re.compile(r"<input\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(name|value)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
# RFC 7578: a field of a form, its headers, an empty line, its value up to the next boundary.
_PART = re.compile(r'(name="([^"\r\n]+)"[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)(.*?)(?=\r?\n--)', re.DOTALL)
_SHORTEST = 6
"""Characters that a secret has at least to be looked for elsewhere: a shorter text is in too many others."""


def is_secret(name: str) -> bool:
    """Whether what goes by this name must not be shown."""
    lower = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().replace("-", "_")
    return lower not in _HARMLESS and (lower in _NAMES or lower.endswith(_ENDS))


class Masker:
    """Masks the parts of one exchange, and remembers what it has found in them."""

    def __init__(self) -> None:
        self._found: set[str] = set()

    def headers(self, headers: tuple[tuple[str, str], ...]) -> list[list[str]]:
        """Header fields, as pairs."""
        return [[name, self.header(name, value)] for name, value in headers]

    def header(self, name: str, value: str) -> str:
        """One header field's value."""
        lower = name.lower()
        if lower == "cookie":
            return "; ".join(self.cookie(one) for one in value.split(";"))
        if lower == "set-cookie":
            return self.cookie(value)
        if lower in {"authorization", "proxy-authorization"}:
            scheme, space, rest = value.partition(" ")
            return f"{scheme} {self._hide(rest)}" if space else self._hide(value)
        if is_secret(lower.removeprefix("x-")):
            return self._hide(value)
        return self.parameters(value) if lower in _URL_HEADERS else self._forms(value)

    def cookie(self, text: str) -> str:
        """`name=value` with what follows: the value is always one."""
        pair, semicolon, attributes = text.strip().partition(";")
        name, equals, value = pair.partition("=")
        return f"{name}{equals}{self._hide(value)}{semicolon}{attributes}" if equals else self._hide(pair)

    def parameters(self, text: str) -> str:
        """A query, a form or a URL with either."""

        def masked(found: re.Match[str]) -> str:
            before, name, value = found.groups()
            shown = self._hide(value) if is_secret(unquote_plus(name)) else self._forms(value)
            return f"{before}{name}={shown}"

        return _PARAMETER.sub(masked, text)

    def data(self, value: Any, name: str = "") -> Any:
        """A JSON value; a text in it that is JSON itself is masked as such."""
        if isinstance(value, dict):
            return {key: self.data(one, str(key)) for key, one in value.items()}
        if isinstance(value, list):
            return [self.data(one, name) for one in value]
        if not isinstance(value, str):
            return value
        return self._hide(value) if is_secret(name) else self.text(value)

    def text(self, text: str, media_type: str = "") -> str:
        """A body, by its type and by what it looks like."""
        if text.lstrip()[:1] in {"{", "["}:
            try:
                parsed = json.loads(text)
            except (ValueError, RecursionError):
                pass
            else:
                masked = self.data(parsed)
                return text if masked == parsed else json.dumps(masked, ensure_ascii=False, indent=2)
        if media_type == "application/x-www-form-urlencoded":
            return self.parameters(text)
        if media_type.startswith("multipart/"):
            return _PART.sub(self._part, text)
        return self._forms(_INPUT.sub(self._input, self.parameters(text)))

    def sweep(self, value: Any) -> Any:
        """Take out every copy of what was found: as it is, percent-encoded, and as JSON writes it."""
        copies = {
            copy
            for secret in self._found
            for copy in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1])
        }
        pattern = "|".join(re.escape(copy) for copy in sorted(copies, key=len, reverse=True))
        return _everywhere(re.compile(pattern), value) if pattern else value

    def _part(self, found: re.Match[str]) -> str:
        before, name, value = found.groups()
        return before + (self._hide(value) if is_secret(name) else self._forms(value))

    def _input(self, found: re.Match[str]) -> str:
        """A field of an HTML form: its value where its name says that it is a secret."""
        attributes = {name.lower(): value.strip("\"'") for name, value in _ATTRIBUTE.findall(found[0])}
        value = attributes.get("value", "")
        secret = is_secret(attributes.get("name", "")) and value
        return found[0].replace(value, self._hide(value)) if secret else found[0]

    def _forms(self, text: str) -> str:
        def masked(found: re.Match[str]) -> str:
            if found[1] is None:
                return self._hide(found[0])
            return found[0].removesuffix(found[1]) + self._hide(found[1])

        return _FORMS.sub(masked, text)

    def _hide(self, secret: str) -> str:
        for one in {secret, unquote_plus(secret)}:
            if len(one) >= _SHORTEST and one != MASKED:
                self._found.add(one)
        return MASKED if secret else ""


def _everywhere(pattern: re.Pattern[str], value: Any) -> Any:
    if isinstance(value, str):
        return pattern.sub(MASKED, value)
    if isinstance(value, dict):
        return {pattern.sub(MASKED, key): _everywhere(pattern, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_everywhere(pattern, one) for one in value]
    return value
