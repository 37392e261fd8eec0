"""Build the HTTP response from a function's result, payload format 2.0; pure functions.

Source: "Create AWS Lambda proxy integrations for HTTP APIs" (AWS, http-api-develop-integrations-lambda), and responses
that clients of deployed APIs received.
"""

import base64
import binascii
import json
import re
from dataclasses import replace
from typing import Any

from routegen.serve.aws_behaviour import HEAD_LENGTH_HEADER, STATUS_CODE_TYPE
from routegen.serve.exchange import HOP_BY_HOP_HEADERS, HttpResponse

RENAMED_CHALLENGE_HEADER = "x-amzn-remapped-www-authenticate"

# RFC 9110, section 5.1 and 5.5: a name is a token; a value has visible characters, blanks and non-ASCII characters.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
_STATUSES_WITHOUT_BODY = frozenset({204, 304})


class InvalidResultError(ValueError):
    """A function's result is not a valid response; the text is the reason, for the log."""


def make_response(result: bytes, *, renames_challenge: bool) -> HttpResponse:
    """The response for a function's result.

    Args:
        result: JSON, as the function's runtime sent it.
        renames_challenge: whether `WWW-Authenticate` becomes `x-amzn-remapped-www-authenticate`.

    Raises:
        InvalidResultError: the result is not a valid response; the client gets a 500.
    """
    try:
        value = json.loads(result)
    except ValueError:
        raise InvalidResultError("the result is not JSON") from None
    except RecursionError:
        raise InvalidResultError("the result is nested too deeply") from None
    if not isinstance(value, dict) or "statusCode" not in value:
        # A string is the body without its quotes (AWS's example of an inferred response).
        body = value.encode("utf-8", "replace") if isinstance(value, str) else result
        return HttpResponse(200, (("content-type", "application/json"),), body)
    status = _status(value["statusCode"])
    headers = _result_headers(value.get("headers"))
    head_length = next((text for name, text in headers if name == HEAD_LENGTH_HEADER and text.isdigit()), None)
    left_out = HOP_BY_HOP_HEADERS | {"content-length", "date"}
    headers = [(name, text) for name, text in headers if name not in left_out]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers += [("set-cookie", cookie) for cookie in _cookies(value.get("cookies"))]
    body = b"" if status in _STATUSES_WITHOUT_BODY else _result_body(value)
    response = HttpResponse(status, tuple(headers), body, head_length)
    return rename_challenge(response) if renames_challenge else response


def rename_challenge(response: HttpResponse) -> HttpResponse:
    """The response with `x-amzn-remapped-www-authenticate` in the place of `WWW-Authenticate`."""
    names = {"www-authenticate": RENAMED_CHALLENGE_HEADER}
    return replace(response, headers=tuple((names.get(name, name), value) for name, value in response.headers))


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, STATUS_CODE_TYPE) or not 200 <= value <= 599:
        raise InvalidResultError(f"statusCode is {_shortened(value)}, not a number from 200 to 599")
    return value


def _result_headers(value: Any) -> list[tuple[str, str]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise InvalidResultError(f"headers is {_shortened(value)}, not an object")
    return [(_header_name(name), _header_value(name, text)) for name, text in value.items() if text is not None]


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise InvalidResultError(f"{_shortened(name)} is not a valid header name")
    return name.lower()


def _header_value(name: str, value: Any) -> str:
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value) or _has_surrogate(value):
        raise InvalidResultError(f"{_shortened(value)} is not a valid value of the header {name}")
    return value.strip(" \t")


def _cookies(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidResultError(f"cookies is {_shortened(value)}, not an array")
    return [_header_value("set-cookie", cookie) for cookie in value]


def _result_body(value: dict[str, Any]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise InvalidResultError(f"body is {_shortened(body)}, not a string")
    try:
        if value.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body.encode("utf-8")
    except (binascii.Error, ValueError):
        encoding = "base64" if value.get("isBase64Encoded") else "valid Unicode"
        raise InvalidResultError(f"body is not {encoding}") from None


def _has_surrogate(text: str) -> bool:
    """Whether a text has half of a surrogate pair, which JSON can express and UTF-8 cannot."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def _shortened(value: Any) -> str:
    try:
        text = json.dumps(value)
    except RecursionError:
        return "a value that is nested too deeply"
    return text if len(text) <= 60 else f"{text[:57]}..."
