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
from routegen.serve.exchange import HOP_BY_HOP_HEADERS, HttpResponse, RequestFailedError

RENAMED_CHALLENGE_HEADER = "x-amzn-remapped-www-authenticate"

# RFC 9110, section 5.1 and 5.5: a name is a token; a value has visible characters, blanks and non-ASCII characters.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# JSON can express half of a surrogate pair (U+D800 to U+DFFF), which UTF-8 cannot.
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\ud7ff\ue000-\U0010ffff]*")
_KINDS: dict[type, str] = {str: "a string", list: "an array", dict: "an object"}
_REPLACED_HEADERS = HOP_BY_HOP_HEADERS | {"content-length", "date"}
_STATUSES_WITHOUT_BODY = frozenset({204, 304})


class InvalidResultError(RequestFailedError):
    """A function's result is not a valid response; the client gets a 500."""

    def __init__(self, reason: str) -> None:
        super().__init__(500, reason)


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
    headers = [(name, text) for name, text in headers if name not in _REPLACED_HEADERS]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    headers += [("set-cookie", cookie) for cookie in _cookies(value.get("cookies"))]
    body = b"" if status in _STATUSES_WITHOUT_BODY else _result_body(value)
    response = HttpResponse(status, tuple(headers), body, head_length)
    return rename_challenge(response) if renames_challenge else response


def rename_challenge(response: HttpResponse) -> HttpResponse:
    """The response with `x-amzn-remapped-www-authenticate` in the place of `WWW-Authenticate`."""
    if all(name != "www-authenticate" for name, _ in response.headers):
        return response
    names = {"www-authenticate": RENAMED_CHALLENGE_HEADER}
    return replace(response, headers=tuple((names.get(name, name), value) for name, value in response.headers))


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, STATUS_CODE_TYPE) or not 200 <= value <= 599:
        raise InvalidResultError(f"statusCode is {_kind(value)}, not a number from 200 to 599")
    return value


def _result_headers(value: Any) -> list[tuple[str, str]]:
    if value is None:
        return []
    if not isinstance(value, dict):
        raise InvalidResultError(f"headers is {_kind(value)}, not an object")
    return [(_header_name(name), _header_value(name, text)) for name, text in value.items() if text is not None]


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        valid_part = re.match(_HEADER_NAME, name)
        beginning = f" after {valid_part[0][:40]!r}" if valid_part else ""
        raise InvalidResultError(f"a header name is not valid{beginning}")
    return name.lower()


def _header_value(name: str, value: Any) -> str:
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        raise InvalidResultError(f"{_kind(value)} is not a valid value of the header {name}")
    return value.strip(" \t")


def _cookies(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidResultError(f"cookies is {_kind(value)}, not an array")
    return [_header_value("set-cookie", cookie) for cookie in value]


def _result_body(value: dict[str, Any]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise InvalidResultError(f"body is {_kind(body)}, not a string")
    try:
        if value.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return body.encode("utf-8")
    except (binascii.Error, ValueError):
        encoding = "base64" if value.get("isBase64Encoded") else "valid Unicode"
        raise InvalidResultError(f"body is not {encoding}") from None


def _kind(value: Any) -> str:
    """A number, or the type of any other value, whose text can be a secret."""
    return _KINDS.get(type(value)) or json.dumps(value)[:20]
