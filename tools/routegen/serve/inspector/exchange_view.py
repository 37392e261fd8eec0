"""An exchange as the page shows it: a summary for the list, and the details with secrets masked."""

import base64
import json
from contextlib import suppress
from typing import Any

from routegen.manifest.explain import Explainer, Explanation
from routegen.serve.exchange import Exchange
from routegen.serve.inspector.client_warning import client_warning, is_sign_in_request
from routegen.serve.inspector.masker import Masker

MAX_SHOWN = 64 * 1024
"""Number of characters of a text that are shown."""

_MAX_READ = 2 * MAX_SHOWN
"""Number of characters of a text that are masked: more than are shown, so that no secret is recognized too late because
the end of the text cuts it."""

_PAGE_KEYS = frozenset(
    {"path", "problem", "warning", "request", "event", "result", "response", "line", "headers", "body", "bytes", "text",
     "truncated"}
)  # fmt: skip
"""Keys that the page reads. They stay unchanged even if a client sends one of them as a secret."""

JsonObject = dict[str, Any]


def exchange_summary(number: int, exchange: Exchange, replay_of: int | None) -> JsonObject:
    """The line of an exchange in the page's list, without the query."""
    masker = Masker()
    warning = client_warning(exchange)
    return {
        "number": number,
        "time": exchange.time,
        "method": exchange.request.method,
        "path": masker.mask_text(exchange.request.path[:_MAX_READ]),
        "route_key": exchange.route_key,
        "app": exchange.app,
        "reserved": exchange.reserved and masker.mask_text(exchange.reserved),
        "status": exchange.response.status,
        "milliseconds": round(exchange.milliseconds, 1),
        "cold": exchange.cold,
        "sign_in": is_sign_in_request(exchange.request),
        "warning": warning and masker.mask_text(warning),
        "problem": exchange.problem and masker.mask_text(exchange.problem),
        "replay_of": replay_of,
        "replayable": exchange.is_complete,
    }


def exchange_details(summary: JsonObject, exchange: Exchange, explainer: Explainer, stage: str | None) -> JsonObject:
    """Everything about an exchange, with its secrets masked.

    Args:
        summary: its line in the list.
        exchange: the exchange.
        explainer: explains why a route key matches a request.
        stage: the gateway's stage.
    """
    request, response, masker = exchange.request, exchange.response, Masker()
    path = f"/{request.path[1:].partition('/')[2]}" if stage else request.path
    query = f"?{masker.mask_query(request.query[:_MAX_READ])}" if request.query else ""
    parts = {
        "path": summary["path"],
        "problem": summary["problem"],
        "warning": summary["warning"],
        "request": {
            "line": f"{request.method} {summary['path']}{query}",
            "headers": _masked_headers(masker, request.headers),
            "body": _masked_body(masker, request.body, request.header("content-type")),
        },
        "event": _masked_message(masker, exchange.event),
        "result": _masked_message(masker, exchange.result),
        "response": {
            "line": str(response.status),
            "headers": _masked_headers(masker, response.headers),
            "body": _masked_body(masker, response.body, dict(response.headers).get("content-type")),
        },
    }
    masked: JsonObject = _truncated(masker.mask_copies(parts, _PAGE_KEYS))
    reason = _route_key_reason(exchange, explainer.explain(request.method, path))
    return summary | {"id": exchange.id, "reason": reason} | masked


def _route_key_reason(exchange: Exchange, explanation: Explanation) -> str | None:
    """Why the route key was selected; None if none was."""
    if exchange.route_key is None:
        return None
    if exchange.route_key != (explanation.route_key or "$default"):
        return "the routes have changed since this request"
    return explanation.reason


def _masked_headers(masker: Masker, headers: tuple[tuple[str, str], ...]) -> list[list[str]]:
    return [[name, masker.mask_header(name, value[:_MAX_READ])] for name, value in headers]


def _masked_body(masker: Masker, body: bytes, content_type: str | None) -> JsonObject:
    """A body's size, and its text. A body that is not text is not shown, because it cannot be searched for secrets."""
    try:
        text = None if b"\0" in body else body.decode()
    except UnicodeDecodeError:
        text = None
    if text is None:
        return {"bytes": len(body), "text": None, "truncated": False}
    masked = masker.mask_text(text[:_MAX_READ], content_type or "")
    truncated = len(masked) > MAX_SHOWN or len(text) > _MAX_READ
    return {"bytes": len(body), "text": masked, "truncated": truncated}


def _masked_message(masker: Masker, message: bytes) -> Any:
    """An event or a result, whose JSON fields are parts of an HTTP message; None if there is none."""
    if not message:
        return None
    with suppress(AttributeError, ValueError, RecursionError):
        parsed = json.loads(message)
        rest = {name: value for name, value in parsed.items() if name != "body"}
        if len(json.dumps(rest, allow_nan=False)) <= MAX_SHOWN:
            return {name: _masked_field(masker, parsed, name) for name in parsed}
    return masker.mask_text(message.decode("utf-8", "replace")[:_MAX_READ])


def _masked_field(masker: Masker, message: JsonObject, name: str) -> Any:
    value = message[name]
    match name, value:
        case ("headers", dict()):
            return {
                key: masker.mask_header(key, item) if isinstance(item, str) else masker.mask_json(item, key)
                for key, item in value.items()
            }
        case ("rawQueryString", str()):
            return masker.mask_query(value)
        case ("body", str()):
            return _masked_message_body(masker, value, message)
    return masker.mask_json(value, name)


def _masked_message_body(masker: Masker, body: str, message: JsonObject) -> str:
    """The decoded body: in base64 it could not be read, and its secrets would not be masked."""
    headers = message.get("headers")
    fields = {str(name).lower(): value for name, value in headers.items()} if isinstance(headers, dict) else {}
    content_type = fields.get("content-type")
    raw = body.encode("utf-8", "replace")
    if message.get("isBase64Encoded") is True:
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError:
            return f"[not base64: {len(body)} characters]"
    masked = _masked_body(masker, raw, content_type if isinstance(content_type, str) else None)
    return f"[not text: {masked['bytes']} bytes]" if masked["text"] is None else masked["text"]


def _truncated(value: Any) -> Any:
    """A JSON value in which every text has at most `MAX_SHOWN` characters."""
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return f"{value[:MAX_SHOWN]}\n[truncated after {MAX_SHOWN // 1024} KB]"
    if isinstance(value, dict):
        return {key: _truncated(item) for key, item in value.items()}
    return [_truncated(item) for item in value] if isinstance(value, list) else value
