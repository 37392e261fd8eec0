"""The routes of the probe's API. Each question of `measure` needs some of them."""

ROUTE_KEYS = (
    "ANY /greedy/{proxy+}",
    "ANY /rank/b",
    "GET /a/b",
    "GET /challenge",
    "GET /head",
    "GET /item",
    "GET /rank/{x}",
    "GET /status-text",
    "HEAD /length",
    "POST /item",
)
"""The routes to the function in payload format 2.0, beside `$default`."""

OTHER_ROUTE_KEYS = ("GET /challenge-1", "GET /challenge-mapped")
"""A route in payload format 1.0, and one whose integration writes `WWW-Authenticate` with a parameter mapping."""
