"""Mask the values in the log and in the inspector, except those that are known to be harmless.

A value is shown only if the name of its header, parameter or JSON key is on a list; every other value is masked, so a
secret needs no known name or form. A part of a path is shown if the manifest has it, or if it is one plain word.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from routegen.manifest import Manifest
from routegen.roles import DISCOVERY_DOCUMENTS
from routegen.serve.serve_settings import ServeSettings

MASKED = "[masked]"

_MAX_NAME_LENGTH = 40
"""Length up to which a name is shown. A longer name can be a token in the place of a name."""

_SHOWN_NAMES = frozenset(
    """accept accept-encoding accept-language access-control-allow-credentials access-control-allow-headers
    access-control-allow-methods access-control-request-headers access-control-request-method age allow apigw-requestid
    cache-control connection content-encoding content-language content-length content-type date expires host
    last-modified mcp-protocol-version retry-after sec-fetch-dest sec-fetch-mode sec-fetch-site server
    transfer-encoding user-agent vary x-amzn-trace-id x-content-type-options x-forwarded-for x-forwarded-port
    x-forwarded-proto x-frame-options max-age samesite domain
    version route-key account-id api-id domain-name domain-prefix protocol source-ip request-id stage time time-epoch
    status-code is-base64-encoded jsonrpc protocol-version scope grant-type response-type code-challenge-method
    token-type expires-in realm""".replace("-", "").split()
)
"""Names, without `-` and `_`, whose values are shown."""

_SHOWN_ENDING = "supported"
"""OAuth's metadata has lists of names below names with this ending (RFC 8414, section 2)."""

_WORD_NAMES = frozenset({"method", "name", "error", "type"})
"""Names whose values are shown if they consist of words, such as the method and the tool of a JSON-RPC request."""

_NUMBER_NAMES = frozenset({"id", "code", "status"})
"""Names whose values are shown if they are numbers below 1000: JSON-RPC's ids and error codes, HTTP's status codes."""

_URL_NAMES = frozenset(
    """location content-location referer origin access-control-allow-origin path raw-path issuer resource
    resource-metadata authorization-servers""".replace("-", "").split()
)
"""Names whose values are URLs or paths: the host, the harmless parts of the path and the query's names are shown."""

_URL_ENDINGS = ("endpoint", "uri", "uris")
_CHALLENGE_NAMES = ("wwwauthenticate", "xamznremappedwwwauthenticate")
_SCHEMES = frozenset({"bearer", "basic", "digest", "dpop", "negotiate"})
_FLAGS = frozenset({"httponly", "secure", "partitioned"})
"""Attributes of a cookie that have no value."""

_PLAIN_WORD = re.compile(r"-|v\d|oauth2|[A-Za-z][a-z]{0,11}(?:\.[a-z]{2,4})?")
_WORDS = re.compile(r"GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|[A-Z]?[a-z]++(?:[-_./ ]?[A-Z]?[a-z]++)*+")
_ORIGIN = re.compile(r"https?://[\w.:\[\]-]+(?=/|$)", re.ASCII)
_PATH_IN_TEXT = re.compile(r"(?<![\w<])/[^\s;,\"]+")
_CHALLENGE_PARAMETER = re.compile(r'([\w-]+)="([^"]*)"')


class Masker:
    """Masks what is shown of the requests to one manifest's routes."""

    def __init__(self, manifest: Manifest, settings: ServeSettings) -> None:
        """Know the parts of the manifest's paths; mask nothing if the settings say so."""
        paths = [*(route.path for route in manifest.routes), *(path for path, _ in DISCOVERY_DOCUMENTS)]
        self._known_parts = {part for path in paths for part in path.split("/")} | {settings.stage or ""}
        self._shows_values = settings.shows_values
        self._maskers: dict[str, Callable[[str], str]] = {
            **dict.fromkeys(_URL_NAMES, self.mask_url),
            **dict.fromkeys(_CHALLENGE_NAMES, self._mask_challenge),
            "rawquerystring": self.mask_query,
            "authorization": self._mask_credentials,
            "cookie": self._mask_cookies,
            "setcookie": self._mask_set_cookie,
            "cookies": self._mask_set_cookie,
        }

    def mask(self, text: str) -> str:
        """Mask a whole text; an empty text has nothing to mask."""
        return text if self._shows_values or not text else MASKED

    def mask_path(self, path: str) -> str:
        """Mask the parts of a path that are neither in the manifest nor plain words."""
        parts = path.split("/")
        return "/".join(
            part if part in self._known_parts or _PLAIN_WORD.fullmatch(part) else self.mask(part) for part in parts
        )

    def mask_paths_in(self, text: str) -> str:
        """Mask the paths in a sentence of routegen."""
        return _PATH_IN_TEXT.sub(lambda match: self.mask_path(match[0]), text)

    def mask_url(self, url: str) -> str:
        """Mask a URL; its fragment can be a form (RFC 6749, section 4.2.2)."""
        before_fragment, hash_sign, fragment = url.partition("#")
        before_query, question_mark, query = before_fragment.partition("?")
        origin = _ORIGIN.match(before_query)
        path_start = origin.end() if origin else 0
        masked_url = before_query[:path_start] + self.mask_path(before_query[path_start:])
        return f"{masked_url}{question_mark}{self.mask_query(query)}{hash_sign}{self.mask_query(fragment)}"

    def mask_query(self, query: str) -> str:
        """Mask a query or a form (URL Standard, application/x-www-form-urlencoded)."""
        return query if self._shows_values else "&".join(map(self._mask_parameter, query.split("&")))

    def mask_json(self, value: Any, name: str = "") -> Any:
        """Mask a JSON value below a key."""
        if isinstance(value, dict):
            is_query = name == "queryStringParameters"
            return {
                self._mask_name(key, str(item) if is_query else key): self.mask_json(item, key)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.mask_json(item, name) for item in value]
        if isinstance(value, str):
            return self.mask_value(name, value)
        plain_name = _plain_name(name)
        is_listed = plain_name in _SHOWN_NAMES or (plain_name in _NUMBER_NAMES and value is not None and value < 1000)
        return value if is_listed or self._shows_values or value is None or isinstance(value, bool) else MASKED

    def mask_value(self, name: str, value: str) -> str:
        """Mask a value by the name of its header, parameter or JSON key."""
        plain_name = _plain_name(name)
        is_listed = plain_name in _SHOWN_NAMES or plain_name.endswith(_SHOWN_ENDING)
        if self._shows_values or (is_listed and "@" not in value):  # no user information in a host
            return value
        if plain_name in _WORD_NAMES and _are_words(value):
            return value
        if plain_name.endswith(_URL_ENDINGS):
            return self.mask_url(value)
        return self._maskers.get(plain_name, self.mask)(value)

    def mask_body(self, body: bytes, content_type: str) -> str | None:
        """Mask a body: JSON, server-sent events and forms by their names, any other text as a whole.

        None if the body is not UTF-8, because then it is not shown at all.
        """
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return None
        media_type = content_type.partition(";")[0].strip().lower()
        if "\0" in text:
            return None
        if media_type == "application/x-www-form-urlencoded":
            return self.mask_query(text)
        if media_type == "text/event-stream":
            return "\n".join(map(self._mask_event_line, text.splitlines()))
        return self._mask_text(text)

    def _mask_text(self, text: str) -> str:
        """Mask JSON by its keys, and any other text as a whole."""
        if self._shows_values or not text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
            return self.mask(text)
        try:
            # A constant such as NaN, which JSON does not have, becomes text.
            return json.dumps(self.mask_json(json.loads(text.lstrip("\ufeff"), parse_constant=str)), ensure_ascii=False)
        except (ValueError, RecursionError):
            return MASKED

    def _mask_event_line(self, line: str) -> str:
        """Mask a line of server-sent events (HTML Standard, section 9.2)."""
        field, _, value = line.partition(":")
        if field == "event" and _are_words(value.strip()):
            return line
        return f"{field}: {self._mask_text(value.strip())}" if field == "data" else self.mask(line)

    def _mask_parameter(self, parameter: str) -> str:
        name, equals, value = parameter.partition("=")
        if not equals:
            return self.mask(parameter)
        masked = self.mask_value(unquote(name), unquote(value))
        return f"{self._mask_name(name, value)}={quote(masked, safe='[]/:?+ ')}"

    def _mask_name(self, name: str, value: str) -> str:
        """Mask a name that is too long, or has no value: a token in base64 can end with equals signs."""
        return name if value.strip("=") and len(name) <= _MAX_NAME_LENGTH else self.mask(name)

    def _mask_credentials(self, text: str) -> str:
        """Mask credentials after the name of their scheme (RFC 9110, section 11.6.2)."""
        scheme, space, credentials = text.partition(" ")
        is_known = space and scheme.lower() in _SCHEMES
        return f"{scheme} {self.mask(credentials)}" if is_known else self.mask(text)

    def _mask_cookies(self, text: str) -> str:
        return "; ".join(self._mask_cookie(pair.strip()) for pair in text.split(";"))

    def _mask_set_cookie(self, text: str) -> str:
        """Mask a cookie, and its attributes by their names (RFC 6265, section 4.1)."""
        cookie, *attributes = (pair.strip() for pair in text.split(";"))
        shown = (name if name.lower() in _FLAGS else self._mask_parameter(name) for name in attributes)
        return "; ".join([self._mask_cookie(cookie), *shown])

    def _mask_cookie(self, pair: str) -> str:
        name, equals, value = pair.partition("=")
        return f"{self._mask_name(name, value)}={self.mask(value)}" if equals else self.mask(pair)

    def _mask_challenge(self, text: str) -> str:
        """Mask a challenge, `scheme name="value"` (RFC 9110, section 11.6.1), without parameters of another form."""
        scheme, _, parameters = text.partition(" ")
        pairs = [f'{name}="{self.mask_value(name, value)}"' for name, value in _CHALLENGE_PARAMETER.findall(parameters)]
        return f"{scheme if scheme.lower() in _SCHEMES else self.mask(scheme)} {', '.join(pairs)}".strip()


def _are_words(text: str) -> bool:
    return len(text) <= _MAX_NAME_LENGTH and _WORDS.fullmatch(text) is not None


def _plain_name(name: str) -> str:
    """A name in one spelling: `Content-Type`, `content_type` and `contentType` are the same name."""
    return name.replace("-", "").replace("_", "").lower()
