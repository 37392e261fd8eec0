"""An exchange as the page shows it: a summary for the list, and the details, both with masked values."""

import base64
import json
from dataclasses import replace
from typing import Any

from routegen.manifest.explain import Explainer, Explanation
from routegen.serve.exchange import Exchange, Headers
from routegen.serve.inspector.client_warning import client_warning, is_sign_in_request
from routegen.serve.masker import Masker

MAX_SHOWN = 64 * 1024
"""Number of characters of a text that are shown."""

JsonObject = dict[str, Any]


def exchange_summary(number: int, exchange: Exchange, masker: Masker) -> JsonObject:
    """The line of an exchange in the page's list, without the query."""
    path = masker.mask_path(exchange.request.path)
    headers = tuple((name, masker.mask_value(name, value)) for name, value in exchange.response.headers)
    request, response = replace(exchange.request, path=path), replace(exchange.response, headers=headers)
    return {
        "number": number,
        "time": exchange.time,
        "method": exchange.request.method,
        "path": path,
        "route_key": exchange.route_key,
        "app": exchange.app,
        "reserved": exchange.reserved,
        "status": exchange.response.status,
        "milliseconds": round(exchange.milliseconds, 1),
        "cold": exchange.cold,
        "sign_in": is_sign_in_request(request),
        "warning": client_warning(replace(exchange, request=request, response=response)),
        "problem": exchange.problem,
        "replay_of": exchange.replay_of,
        "replayable": exchange.request.is_complete,
    }


def exchange_details(
    number: int, exchange: Exchange, explainer: Explainer, masker: Masker, stage: str | None
) -> JsonObject:
    """Everything about an exchange.

    Args:
        number: its number.
        exchange: the exchange.
        explainer: explains why a route key matches a request.
        masker: masks its values.
        stage: the gateway's stage.
    """
    summary, request, response = exchange_summary(number, exchange, masker), exchange.request, exchange.response
    path = f"/{request.path[1:].partition('/')[2]}" if stage else request.path
    query = f"?{masker.mask_query(request.query)}" if request.query else ""
    reason = _route_key_reason(exchange, explainer.explain(request.method, path))
    return summary | {
        "id": exchange.id,
        "reason": reason and masker.mask_paths_in(reason),
        "request": _message(masker, f"{request.method} {summary['path']}{query}", request.headers, request.body),
        "event": _shown_json(masker, exchange.event),
        "result": _shown_json(masker, exchange.result),
        "response": _message(masker, str(response.status), response.headers, response.body),
    }


def _route_key_reason(exchange: Exchange, explanation: Explanation) -> str | None:
    """Why the route key was selected; None if none was."""
    if exchange.route_key is None:
        return None
    if exchange.route_key != (explanation.route_key or "$default"):
        return "the routes have changed since this request"
    return explanation.reason


def _message(masker: Masker, line: str, headers: Headers, body: bytes) -> JsonObject:
    """A request or a response: its first line, headers, and body."""
    text = masker.mask_body(body, dict(headers).get("content-type", ""))
    return {
        "line": line,
        "headers": [[name, _truncated(masker.mask_value(name, value))] for name, value in headers],
        "body": {"bytes": len(body), "text": text and _truncated(text), "truncated": len(text or "") > MAX_SHOWN},
    }


def _shown_json(masker: Masker, message: bytes) -> Any:
    """An event or a result; None if there is none, and a text if it is not JSON or too large."""
    if not message:
        return None
    try:
        # A constant such as NaN, which JSON does not have, becomes text.
        value = json.loads(message, parse_constant=str)
        shown = masker.mask_json(value)
        if isinstance(value, dict) and isinstance(value.get("body"), str):
            shown["body"] = _truncated(_message_body(masker, value))
        text = json.dumps(shown)
    except (ValueError, RecursionError):
        return _truncated(masker.mask(message.decode("utf-8", "replace")))
    return shown if len(text) <= 2 * MAX_SHOWN else _truncated(text)


def _message_body(masker: Masker, message: JsonObject) -> str:
    """The decoded body of an event or a result: in base64 it could not be read."""
    headers = message.get("headers")
    fields = {str(name).lower(): value for name, value in headers.items()} if isinstance(headers, dict) else {}
    body: str = message["body"]
    raw = body.encode("utf-8", "replace")
    if message.get("isBase64Encoded") is True:
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError:
            return f"[not base64: {len(body)} characters]"
    text = masker.mask_body(raw, str(fields.get("content-type", "")))
    return f"[not text: {len(raw)} bytes]" if text is None else text


def _truncated(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}\n[truncated after {MAX_SHOWN // 1024} KB]"
