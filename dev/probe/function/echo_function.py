"""The Lambda function of the probe: it answers with what it was given. It runs without any other module."""

import json
from typing import Any


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one event, in payload format 1.0 or 2.0."""
    path = event.get("rawPath") or event.get("path", "")
    if path.startswith("/challenge"):
        return {"statusCode": 401, "headers": {"WWW-Authenticate": 'Bearer realm="probe"'}, "body": "{}"}
    if path == "/status-text":
        return {"statusCode": "200", "body": "{}"}
    if path == "/length":
        return {"statusCode": 200, "headers": {"content-length": "42", "x-route-key": event["routeKey"]}, "body": ""}
    route_key = event.get("routeKey", "")
    facts = {"routeKey": route_key, "rawQueryString": event.get("rawQueryString")}
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "x-route-key": route_key},
        "body": json.dumps(facts),
    }
