"""From a function's result to an HTTP response; pure.

Source: "Create AWS Lambda proxy integrations for HTTP APIs" (AWS, http-api-develop-integrations-lambda), and what
clients of deployed APIs were seen to get.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from routegen.serve.proxy_event import HOP_BY_HOP
from routegen.serve.serve_settings import Settings

REMAPPED = "x-amzn-remapped-www-authenticate"

_MESSAGES = {
    400: "Bad Request",
    404: "Not Found",
    413: "Request Entity Too Large",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
# RFC 9110, section 5.1 and 5.5: a token; visible characters, blanks and what is beyond ASCII.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True)
class Response:
    """An HTTP response.

    Attributes:
        status: 200 to 599.
        headers: names in lower case; without content-length, which follows from the body.
        body: as it is sent.
        length: what a HEAD's body would be long, where the function says it.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    length: str | None = None


class NonsenseError(ValueError):
    """A result is none that the gateway can send; the text says why, for the log."""


def own_response(status: int) -> Response:
    """What the gateway answers by itself: `{"message": ...}`."""
    body = json.dumps({"message": _MESSAGES[status]}, separators=(",", ":")).encode()
    return Response(status, (("content-type", "application/json"),), body)


def make_response(result: bytes, settings: Settings) -> Response:
    """The response that a function's result stands for.

    Args:
        result: JSON, as the function's runtime has sent it.
        settings: whether the challenge is renamed, and the decisions.

    Raises:
        NonsenseError: it stands for none; the client gets a 500.
    """
    try:
        value = json.loads(result)
    except ValueError:
        raise NonsenseError("the result is not JSON") from None
    if not isinstance(value, dict) or "statusCode" not in value:
        # A text is its own body, without quotes (AWS's example of an inferred response).
        body = value.encode("utf-8", "replace") if isinstance(value, str) else result
        return Response(200, (("content-type", "application/json"),), body)
    status = _status(value["statusCode"], settings)
    headers = _headers(value.get("headers"))
    length = next((text for name, text in headers if name == "content-length" and text.isdigit()), None)
    kept = [(name, text) for name, text in headers if name not in HOP_BY_HOP | {"content-length", "date"}]
    if not any(name == "content-type" for name, _ in kept):
        kept.append(("content-type", "text/plain; charset=utf-8"))
    if settings.renames_challenge:
        kept = [(REMAPPED if name == "www-authenticate" else name, text) for name, text in kept]
    kept += [("set-cookie", cookie) for cookie in _cookies(value.get("cookies"))]
    body = b"" if status in _NO_BODY else _body(value)
    return Response(status, tuple(kept), body, length if settings.decisions.keeps_head_length else None)


def _status(value: Any, settings: Settings) -> int:
    if settings.decisions.reads_status_text and isinstance(value, str) and re.fullmatch("[0-9]{3}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 200 <= value <= 599:
        raise NonsenseError(f"statusCode is {_short(value)}, not a number from 200 to 599")
    return value


def _headers(value: Any) -> list[tuple[str, str]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise NonsenseError(f"headers are {_short(value)}, not an object")
    return [(_name(name), _header_value(name, text)) for name, text in value.items() if text is not None]


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise NonsenseError(f"{_short(name)} can't be the name of a header")
    return name.lower()


def _header_value(name: str, value: Any) -> str:
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str) or not _VALUE.fullmatch(value) or _surrogate(value):
        raise NonsenseError(f"the header {name} can't be {_short(value)}")
    return value.strip(" \t")


def _cookies(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise NonsenseError(f"cookies are {_short(value)}, not an array")
    return [_header_value("set-cookie", cookie) for cookie in value]


def _body(value: dict[str, Any]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise NonsenseError(f"body is {_short(body)}, not a text")
    try:
        if value.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body.encode("utf-8")
    except (binascii.Error, ValueError):
        raise NonsenseError("body is not what isBase64Encoded says") from None


def _surrogate(text: str) -> bool:
    """Whether a text has half a character, which JSON can say and UTF-8 can't."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
