"""Mask secrets in the parts of an exchange before they leave for the page.

A secret is recognized by its name (of a header, cookie, parameter, form field or JSON key) or by its form (a JWT, a
bearer token). Every copy of it is then masked too, in all that is shown of the exchange and in each encoding. A text
that cannot be parsed is searched. The time for that grows only linearly with the text, because anybody can send it.
"""

import json
import re
from collections.abc import Set
from typing import Any
from urllib.parse import quote, unquote, unquote_plus

from routegen.serve.inspector.secret_copies import MASKED, mask_copies
from routegen.serve.inspector.secret_names import COOKIE_NAMES, is_secret_name, normalize_name

_AUTHORIZATION_SCHEMES = frozenset({"bearer", "basic", "digest", "dpop", "negotiate", "aws4-hmac-sha256"})
_URL_HEADERS = frozenset({"location", "content-location", "referer"})
# RFC 6265, section 4.1.1, and its successor's draft.
_COOKIE_ATTRIBUTES = frozenset(
    {"path", "domain", "expires", "max-age", "samesite", "secure", "httponly", "partitioned", "priority"}
)
_MAX_DEPTH = 6
"""Number of values within values (a URL in a parameter of a URL) that are parsed; a deeper value is masked."""

# Parts with dots between them. In a JWT the first part is a JSON object in base64 (RFC 7519, RFC 7516).
_DOTTED_PARTS = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]*+){2,}", re.ASCII)
_JWT = re.compile(r"eyJ[\w-]{6,}+\.", re.ASCII)
# RFC 6750, RFC 7617 and RFC 9449: a scheme and its credentials.
_CREDENTIALS = re.compile(r"\b(?i:bearer|basic|dpop)(?: {1,3}|%20|\+)([\w.~+/%-]{6,}+=*+)", re.ASCII)
_NOT_PROSE = re.compile(r"\d|[a-z][A-Z]|=$")
# RFC 3986, section 3.2.1: user and password before a host.
_USER_INFORMATION = re.compile(r"(?<=//)([^/\s:@\"'<>]{0,200}+:)([^/\s@\"'<>]{1,200}+)(?=@)")
# A name, with or without quotes, and the sign that its value follows: `=` or `:` before a quote, `=`, or `:` before a
# number. The quotes have backslashes in a JSON text within a JSON text.
_NAME_BEFORE_VALUE = re.compile(
    r"(?<![\w.%\[\]-])([\w.%\[\]-]{2,200}+)"
    r"(?:(?:\\*+[\"'])?\s{0,4}[:=]\s{0,4}(\\*+[\"'])|\\*+[\"']\s{0,4}:\s{0,4}(?=(-?\d))|=)",
    re.ASCII,
)
# Characters between blanks, quotes and separators; and a percent-encoded `"`, `:` or `=` in them.
_UNSEPARATED = re.compile(r"[^\s\"'<>&=\\]+")
_ENCODED_DELIMITER = re.compile(r"%(?:25)*(?:22|3[aAdD])")
_UNQUOTED_VALUE = re.compile(r"[^&\s\"'<>\\]*+")
_NUMBER = re.compile(r"-?[\d.eE+-]+")
_QUOTED_VALUES = {
    '"': re.compile(r'(?:[^"\\]|\\.)*+', re.DOTALL),
    "'": re.compile(r"(?:[^'\\]|\\.)*+", re.DOTALL),
}
_FORM = re.compile(r"[\w.%\[\]+-]+=\S*")
_HTML_FIELD = re.compile(r"<(?:input|meta|button)\b[^<>]*>", re.IGNORECASE)
_HTML_TEXT_AREA = re.compile(r"(<textarea\b([^<>]*)>)([^<]+)", re.IGNORECASE)
_HTML_ATTRIBUTE = re.compile(r"\b(name|value|content)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";\s]+)', re.IGNORECASE)
_EMPTY_LINE = re.compile(r"\r?\n\r?\n")
_PART_NAME = re.compile(r'(?<![\w*])name="?([^";\r\n]+)', re.IGNORECASE)


class Masker:
    """Masks the parts of one exchange, and remembers the secrets in them for `mask_copies`."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._depth = 0

    def mask_copies(self, value: Any, kept_keys: Set[str]) -> Any:
        """Mask every copy of the secrets up to now in a JSON value; the keys in `kept_keys` stay."""
        return mask_copies(self._secrets, value, kept_keys)

    def mask_header(self, name: str, value: str) -> str:
        """Mask the value of a header."""
        lower_name = name.lower()
        if lower_name == "cookie":
            return "; ".join(self.mask_cookie(cookie) for cookie in value.split(";"))
        if lower_name in {"set-cookie", "cookies"}:
            return self.mask_cookie(value)
        if lower_name in {"authorization", "proxy-authorization"}:
            scheme, space, credentials = value.partition(" ")
            if space and scheme.lower() in _AUTHORIZATION_SCHEMES:
                return f"{scheme} {self._hide(credentials)}"
            return self._hide(value)
        if is_secret_name(lower_name.removeprefix("x-")):
            return self._hide(value)
        return self.mask_url(value) if lower_name in _URL_HEADERS else self.mask_text(value)

    def mask_cookie(self, text: str) -> str:
        """Mask the value of a cookie, `name=value` with attributes: it is always a secret."""
        pair, *attributes = text.split(";")
        masked = (item if _is_cookie_attribute(item) else self._hide_pair(item) for item in attributes)
        return ";".join([self._hide_pair(pair), *masked])

    def _hide_pair(self, pair: str) -> str:
        name, equals, value = pair.strip().partition("=")
        return f"{name}={self._hide(value)}" if equals else self._hide(name)

    def mask_url(self, text: str) -> str:
        """Mask a URL's query, and its fragment: OAuth's implicit flow has a form there (RFC 6749, section 4.2.2)."""
        url, hash_sign, fragment = text.partition("#")
        path, question_mark, query = url.partition("?")
        return f"{self._search(path)}{question_mark}{self.mask_query(query)}{hash_sign}{self.mask_query(fragment)}"

    def mask_query(self, text: str) -> str:
        """Mask a query or a form, in which only `&` ends a value (URL Standard, application/x-www-form-urlencoded)."""
        return "&".join(self._mask_pair(pair) for pair in text.split("&"))

    def mask_json(self, value: Any, name: str = "", secret: bool = False) -> Any:
        """Mask a JSON value; a string in it that is JSON is masked as JSON.

        Args:
            value: the value, as `json.loads` returns it.
            name: the key of the value.
            secret: whether it is a part of a secret.
        """
        secret = secret or is_secret_name(name)
        if isinstance(value, dict):
            secret = secret or normalize_name(name) in COOKIE_NAMES
            return {self._search(str(key)): self.mask_json(item, str(key), secret) for key, item in value.items()}
        if isinstance(value, list):
            return [self.mask_json(item, name, secret) for item in value]
        if isinstance(value, str):
            if secret:
                return self._hide(value)
            normalized = normalize_name(name)
            if normalized in COOKIE_NAMES:
                return self.mask_header(normalized.replace("_", "-"), value)
            return self.mask_text(value)
        # Error codes of JSON-RPC and status codes of HTTP are numbers whose name is that of OAuth's code.
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return self._hide(str(value)) if secret and is_number and normalize_name(name) != "code" else value

    def mask_text(self, text: str, content_type: str = "") -> str:
        """Mask a text, such as a body, by its content type and by its form."""
        if self._depth > _MAX_DEPTH:
            return self._hide(text) if set("%=:").intersection(text) else text
        self._depth += 1
        try:
            return self._mask_text(text, content_type)
        finally:
            self._depth -= 1

    def _mask_text(self, text: str, content_type: str) -> str:
        masked_json = self._mask_json_text(text)
        if masked_json is not None:
            return masked_json
        media_type, _, parameters = content_type.partition(";")
        media_type = media_type.strip().lower()
        if media_type == "application/x-www-form-urlencoded" or _FORM.fullmatch(text):
            return self.mask_query(text)
        if media_type.startswith("multipart/") and (match := _BOUNDARY.search(parameters)):
            boundary = f"--{match[1]}"
            return boundary.join(self._mask_form_part(part) for part in text.split(boundary))
        return self._search(_HTML_TEXT_AREA.sub(self._mask_text_area, _HTML_FIELD.sub(self._mask_html_field, text)))

    def _mask_json_text(self, text: str) -> str | None:
        """The masked text if it is JSON, unchanged if there is no secret in it; None if it is not JSON."""
        stripped = text.lstrip("\ufeff \t\r\n")
        if not stripped.startswith(("{", "[")):
            return None
        try:
            value = json.loads(stripped, object_pairs_hook=_unique_pairs, parse_constant=_reject_constant)
            masked = self.mask_json(value)
        except (ValueError, RecursionError):
            return None
        return text if masked == value else json.dumps(masked, ensure_ascii=False, indent=2)

    def _mask_pair(self, text: str) -> str:
        name, equals, value = text.partition("=")
        if not equals:
            return self._search(text)
        if is_secret_name(unquote_plus(name)):
            return f"{name}={self._hide(value)}"
        decoded = unquote_plus(value)
        masked = self.mask_text(decoded)
        return f"{name}={self._search(value) if masked == decoded else quote(masked, safe='[]/:?')}"

    def _mask_form_part(self, part: str) -> str:
        """Mask a part of a multipart form (RFC 7578): headers, an empty line, and the value."""
        empty_line = _EMPTY_LINE.search(part)
        if not empty_line:
            return self._search(part)
        headers, value = part[: empty_line.end()], part[empty_line.end() :]
        name = _PART_NAME.search(headers)
        stripped = value.rstrip("\r\n")
        masked = self._hide(stripped) if name and is_secret_name(name[1]) else self.mask_text(stripped)
        return headers + masked + value[len(stripped) :]

    def _mask_html_field(self, match: re.Match[str]) -> str:
        """Mask the value of an HTML field if its name is that of a secret."""
        attributes = {name.lower(): value.strip("\"'") for name, value in _HTML_ATTRIBUTE.findall(match[0])}
        value = attributes.get("value") or attributes.get("content") or ""
        secret = is_secret_name(attributes.get("name", "")) and value
        return match[0].replace(value, self._hide(value)) if secret else match[0]

    def _mask_text_area(self, match: re.Match[str]) -> str:
        name = dict(_HTML_ATTRIBUTE.findall(match[2].lower())).get("name", "")
        return match[1] + (self._hide(match[3]) if is_secret_name(name.strip("\"'")) else match[3])

    def _search(self, text: str) -> str:
        """Mask secrets in any text: values after the name of a secret, and secrets that have a known form."""
        parts, end = [], 0
        for match in _NAME_BEFORE_VALUE.finditer(text):
            start = match.end()
            is_status_code = bool(match[3]) and normalize_name(match[1]) == "code"
            if match.start() < end or not is_secret_name(match[1]) or is_status_code:
                continue
            value_end = _value_end(text, start, match[2], bool(match[3]))
            parts += [text[end:start], self._hide(text[start:value_end])]
            end = value_end
        text = "".join([*parts, text[end:]])
        text = _USER_INFORMATION.sub(lambda match: match[1] + self._hide(match[2]), text)
        text = _CREDENTIALS.sub(self._mask_credentials, _DOTTED_PARTS.sub(self._mask_jwt, text))
        return _UNSEPARATED.sub(self._mask_encoded, text) if "%" in text else text

    def _mask_encoded(self, match: re.Match[str]) -> str:
        """Mask secrets in a percent-encoded text."""
        if not _ENCODED_DELIMITER.search(match[0]):
            return match[0]
        decoded = unquote(match[0])
        masked = self.mask_text(decoded)
        return match[0] if masked == decoded else quote(masked, safe="[]/:?")

    def _mask_jwt(self, match: re.Match[str]) -> str:
        text = match[0]
        token = _JWT.search(text[: text.rindex(".") + 1])
        return text[: token.start()] + self._hide(text[token.start() :]) if token else text

    def _mask_credentials(self, match: re.Match[str]) -> str:
        """Mask credentials, but neither a word of prose nor the name of a challenge's parameter."""
        is_parameter = match.string[match.end() : match.end() + 1] in {'"', "'"}
        if is_parameter or not _NOT_PROSE.search(match[1]):
            return match[0]
        return match[0].removesuffix(match[1]) + self._hide(match[1])

    def _hide(self, secret: str) -> str:
        unquoted = secret.strip("\"'")
        self._secrets |= {text for text in (secret, unquoted, unquote_plus(unquoted)) if text != MASKED}
        return MASKED if secret else ""


def _is_cookie_attribute(text: str) -> bool:
    return text.partition("=")[0].strip().lower() in _COOKIE_ATTRIBUTES


def _value_end(text: str, start: int, opening: str | None, is_number: bool) -> int:
    """The end of a value that follows its name.

    Args:
        text: the whole text.
        start: where the value begins.
        opening: the quote before the value, with its backslashes.
        is_number: whether the value is a number.
    """
    if opening and opening not in _QUOTED_VALUES:
        closing = re.compile(rf"(?<!\\){re.escape(opening)}").search(text, start)
        return closing.start() if closing else len(text)
    pattern = _NUMBER if is_number else _QUOTED_VALUES[opening] if opening else _UNQUOTED_VALUE
    match = pattern.match(text, start)
    return match.end() if match else start


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, if no key is repeated: the first value would be lost, and shown without having been masked."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key is repeated")
    return values


def _reject_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
