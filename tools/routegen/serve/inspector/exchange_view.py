"""An exchange as the page shows it: a line of a list, and everything when it is looked at."""

import base64
import json
from contextlib import suppress
from typing import Any

from routegen.manifest.explain import Explainer, Explanation
from routegen.serve.exchange import Exchange
from routegen.serve.inspector.client_warning import is_discovery, verdict
from routegen.serve.inspector.masker import Masker

SHOWN = 64 * 1024
"""Characters that are shown of a text."""

_READ = 2 * SHOWN
"""Characters of it that are masked, so that a secret which is cut has been seen whole."""

_KEYS = frozenset(
    {"path", "problem", "request", "event", "result", "response", "line", "headers", "body", "bytes", "text", "cut"}
)
"""The page finds its way by these; what a client says is a secret doesn't change them."""

Fields = dict[str, Any]


def summary(number: int, exchange: Exchange, replay_of: int | None) -> Fields:
    """A line of the list. The query isn't in it."""
    masker = Masker()
    return {
        "number": number,
        "time": exchange.time,
        "method": exchange.request.method,
        "path": masker.text(exchange.request.path[:_READ]),
        "route_key": exchange.route_key,
        "app": exchange.app,
        "status": exchange.response.status,
        "milliseconds": round(exchange.milliseconds, 1),
        "cold": exchange.cold,
        "discovery": is_discovery(exchange),
        "warning": verdict(exchange),
        "problem": exchange.problem and masker.text(exchange.problem),
        "replay_of": replay_of,
        "replayable": exchange.route_key is not None,
    }


def details(line: Fields, exchange: Exchange, explainer: Explainer, stage: str | None) -> Fields:
    """Everything that is known of an exchange, with its secrets masked.

    Args:
        line: its summary.
        exchange: all of it.
        explainer: says why a route key takes a request.
        stage: the gateway's.
    """
    request, response, masker = exchange.request, exchange.response, Masker()
    path = f"/{request.path[1:].partition('/')[2]}" if stage else request.path
    query = f"?{masker.query(request.query[:_READ])}" if request.query else ""
    shown = {
        "path": line["path"],
        "problem": line["problem"],
        "request": {
            "line": f"{request.method} {line['path']}{query}",
            "headers": _headers(masker, request.headers),
            "body": _body(masker, request.body, request.header("content-type")),
        },
        "event": _message(masker, exchange.event),
        "result": _message(masker, exchange.result),
        "response": {
            "line": str(response.status),
            "headers": _headers(masker, response.headers),
            "body": _body(masker, response.body, dict(response.headers).get("content-type")),
        },
    }
    swept: Fields = _cut(masker.sweep(shown, _KEYS))
    return line | {"id": exchange.id, "why": _why(exchange, explainer.explain(request.method, path))} | swept


def _why(exchange: Exchange, explained: Explanation) -> str | None:
    """Why its route key took it; None where none could."""
    if exchange.route_key is None:
        return None
    if exchange.route_key != (explained.route_key or "$default"):
        return "the routes have changed since then"
    return explained.reason


def _headers(masker: Masker, headers: tuple[tuple[str, str], ...]) -> list[list[str]]:
    return [[name, masker.header(name, value[:_READ])] for name, value in headers]


def _body(masker: Masker, body: bytes, content_type: str | None) -> Fields:
    """A body's length, and its text where it is one; what is encoded can't be read, and isn't shown either."""
    try:
        text = None if b"\0" in body else body.decode()
    except UnicodeDecodeError:
        text = None
    if text is None:
        return {"bytes": len(body), "text": None, "cut": False}
    masked = masker.text(text[:_READ], content_type or "")
    return {"bytes": len(body), "text": masked, "cut": len(masked) > SHOWN or len(text) > _READ}


def _message(masker: Masker, message: bytes) -> Any:
    """An event or a result: JSON whose parts are HTTP's, masked as such; None where there is none."""
    if not message:
        return None
    with suppress(AttributeError, ValueError, RecursionError):
        parsed = json.loads(message)
        rest = {name: value for name, value in parsed.items() if name != "body"}
        if len(json.dumps(rest, allow_nan=False)) <= SHOWN:
            return {name: _field(masker, parsed, name) for name in parsed}
    return masker.text(message.decode("utf-8", "replace")[:_READ])


def _field(masker: Masker, message: Fields, name: str) -> Any:
    value = message[name]
    match name, value:
        case ("headers", dict()):
            return {
                key: masker.header(key, one) if isinstance(one, str) else masker.data(one, key)
                for key, one in value.items()
            }
        case ("rawQueryString", str()):
            return masker.query(value)
        case ("body", str()):
            return _message_body(masker, value, message)
    return masker.data(value, name)


def _message_body(masker: Masker, body: str, message: Fields) -> str:
    """Decoded, whatever its encoding: what is encoded can't be read, and would carry out what is masked."""
    headers = message.get("headers")
    fields = {str(name).lower(): value for name, value in headers.items()} if isinstance(headers, dict) else {}
    content_type = fields.get("content-type")
    raw = body.encode("utf-8", "replace")
    if message.get("isBase64Encoded") is True:
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError:
            return f"[{len(body)} characters that are not base64]"
    shown = _body(masker, raw, content_type if isinstance(content_type, str) else None)
    return f"[{shown['bytes']} bytes that are no text]" if shown["text"] is None else shown["text"]


def _cut(value: Any) -> Any:
    """A JSON value without the ends of texts that are too long."""
    if isinstance(value, str) and len(value) > SHOWN:
        return f"{value[:SHOWN]}\n[cut after {SHOWN // 1024} KB]"
    if isinstance(value, dict):
        return {key: _cut(one) for key, one in value.items()}
    return [_cut(one) for one in value] if isinstance(value, list) else value
