"""An exchange as the page shows it: a line of a list, and everything when it is looked at."""

import base64
import json
from typing import Any

from routegen.explain import Explainer
from routegen.local.exchange import Exchange
from routegen.local.inspector.mask import Masker
from routegen.local.inspector.verdict import is_discovery, verdict

SHOWN = 64 * 1024
"""Characters of a body that are shown."""

Fields = dict[str, Any]


def summary(number: int, exchange: Exchange, replay_of: int | None) -> Fields:
    """A line of the list: nothing in it can hold a secret, because the query isn't."""
    return {
        "number": number,
        "time": exchange.time,
        "method": exchange.request.method,
        "path": exchange.request.path,
        "route_key": exchange.route_key,
        "app": exchange.app,
        "status": exchange.response.status,
        "milliseconds": round(exchange.milliseconds, 1),
        "cold": exchange.cold,
        "discovery": is_discovery(exchange),
        "warning": verdict(exchange),
        "problem": exchange.problem,
        "replay_of": replay_of,
    }


def details(exchange: Exchange, explainer: Explainer, stage: str | None) -> Fields:
    """Everything that is known of an exchange, with its secrets masked."""
    request, response, masker = exchange.request, exchange.response, Masker()
    path = request.path.removeprefix(f"/{stage}") if stage else request.path
    shown = {
        "id": exchange.id,
        "why": explainer.explain(request.method, path).why if exchange.route_key else exchange.problem,
        "request": {
            "line": f"{request.method} {request.path}{'?' * bool(request.query)}{masker.parameters(request.query)}",
            "headers": masker.headers(request.headers),
            "body": _body(masker, request.body, request.header("content-type")),
        },
        "event": _message(masker, exchange.event),
        "result": _message(masker, exchange.result),
        "response": {
            "line": str(response.status),
            "headers": masker.headers(response.headers),
            "body": _body(masker, response.body, dict(response.headers).get("content-type")),
        },
    }
    swept: Fields = masker.sweep(shown)
    return swept


def _body(masker: Masker, body: bytes, content_type: str | None) -> Fields:
    media_type = (content_type or "").partition(";")[0].strip().lower()
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"bytes": len(body), "text": None, "cut": False}
    if "\0" in text:
        return {"bytes": len(body), "text": None, "cut": False}
    masked = masker.text(text, media_type)
    return {"bytes": len(body), "text": masked[:SHOWN], "cut": len(masked) > SHOWN}


def _message(masker: Masker, message: bytes) -> Any:
    """An event or a result: JSON whose parts are HTTP's, masked as such; None where there is none."""
    if not message:
        return None
    try:
        parsed = json.loads(message)
    except ValueError:
        return masker.text(message.decode("utf-8", "replace"))[:SHOWN]
    if not isinstance(parsed, dict):
        return masker.data(parsed)
    return {name: _field(masker, parsed, name) for name in parsed}


def _field(masker: Masker, message: Fields, name: str) -> Any:
    value = message[name]
    match name, value:
        case ("headers", dict()):
            return {key: masker.header(key, one) if isinstance(one, str) else one for key, one in value.items()}
        case ("cookies", list()):
            return [masker.cookie(one) if isinstance(one, str) else one for one in value]
        case ("rawQueryString", str()):
            return masker.parameters(value)
        case ("body", str()):
            return _message_body(masker, value, message)
    return masker.data(value)


def _message_body(masker: Masker, body: str, message: Fields) -> str:
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
    # Decoded, whatever its encoding: what is encoded can't be read, and would carry out what is masked.
    return f"[{shown['bytes']} bytes that are no text]" if shown["text"] is None else shown["text"]
