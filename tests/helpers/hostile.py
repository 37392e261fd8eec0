"""A valid manifest, and many invalid ones that the reader, the commands and the Pulumi program must refuse."""

import json
from typing import Any

import pytest

GOOD: dict[str, Any] = {
    "version": 1,
    "default": "otterwiki",
    "routes": [
        {
            "path": "/a/{id}",
            "methods": ["GET", "HEAD"],
            "app": "mcp",
            "role": "other",
            "route_keys": ["GET /a/{id}", "HEAD /a/{id}"],
            "widened": "{id:int} takes only int",
        },
        {"path": "/mcp", "methods": ["ANY"], "app": "mcp", "role": "owned", "spec": "RFC", "route_keys": ["ANY /mcp"]},
    ],
}  # fmt: skip


LONG = "k" * 200_000
"""A text of which a message must repeat only the beginning."""


def documents() -> list[tuple[Any, str]]:
    """JSON documents that are no manifest, each with a text that the error must contain."""

    def route(**change: Any) -> dict[str, Any]:
        base = {"path": "/x", "methods": ["ANY"], "app": "mcp", "role": "other", "route_keys": ["ANY /x"]}
        return {key: value for key, value in {**base, **change}.items() if value is not ...}

    def key(text: str) -> dict[str, Any]:
        return route(route_keys=[text])

    entries: list[tuple[Any, str]] = [
        (route(path=...), "routes[2].path: is missing"),
        (route(app=...), "routes[2].app (/x): is missing"),
        (route(app=""), "routes[2].app (/x)"),
        (route(app="otterwiki"), "owns no route"),
        (route(app="../x"), "routes[2].app (/x)"),
        (route(role="king"), "routes[2].role (/x)"),
        (route(methods=[]), "methods must be empty for a reserved path, and only there"),
        (route(reserved="why"), "methods must be empty for a reserved path, and only there"),
        (route(methods=[], reserved="why", widened="why"), "a reserved path cannot be widened"),
        (route(methods=[], reserved=""), "routes[2].reserved (/x)"),
        (route(methods="GET"), "routes[2].methods (/x)"),
        (route(methods=["get"]), "routes[2].methods[0] (/x)"),
        (route(methods=["HEAD", "GET"]), "not sorted"),
        (route(methods=["GET", "GET"]), "without doubles"),
        (route(methods=["ANY", "GET"]), "just ['ANY']"),
        (route(route_keys=[]), "routes[2].route_keys (/x)"),
        (route(route_keys=[1]), "routes[2].route_keys[0] (/x)"),
        (route(route_keys=None), "routes[2].route_keys (/x)"),
        (route(spec="a\nb"), "routes[2].spec (/x)"),
        (route(widened=""), "routes[2].widened (/x)"),
        (route(path="/x\n"), "routes[2].path"),
        (route(pth="/x"), "routes[2].pth (/x): unknown key; did you mean 'path'?"),
        (key("$default"), "$default belongs to"),
        (key("ANY /{proxy+}"), "takes every path"),
        (key("ANY /y"), "has another path"),
        (key("GET/x"), "not of the form"),
        (key("get /x"), "not a method"),
        (key("ANY /x/"), "ends in '/'"),
        (route(path="/mcp", route_keys=["ANY /mcp"]), "takes the same requests"),
        (route(path="/mcp", app="other", route_keys=["ANY /mcp"]), "'mcp' and 'other' both claim /mcp"),
        (route(path="/a/{n}", app="other", route_keys=["POST /a/{n}"]), "both claim"),
        (route(path="/a/{n}", route_keys=["GET /a/{n}"]), "takes the same requests"),
        (route(methods=["GET"], route_keys=["POST /x"]), "a method that the entry does not list"),
        (route(path="/x/{a}/{a}", route_keys=["ANY /x/{a}/{a}"]), "names the variable 'a' twice"),
        (route(path="/x/{a+}/b", route_keys=["ANY /x/{a+}/b"]), "is not the last segment"),
        (route(path="/x{a}", route_keys=["ANY /x{a}"]), "neither a literal nor one whole variable"),
        (route(path="//x", route_keys=["ANY //x"]), "has an empty segment"),
        (route(path="x", route_keys=["ANY x"]), "does not start with '/'"),
        (route(path="/x y", route_keys=["ANY /x y"]), "a character that a URL path cannot have"),
        (route(path="/x?a=1", route_keys=["ANY /x?a=1"]), "a character that a URL path cannot have"),
        (route(path="/%6dcp", route_keys=["ANY /%6dcp"]), "takes the same requests as 'ANY /mcp'"),
        (route(methods=[1]), "routes[2].methods[0] (/x)"),
        (route(methods=None), "routes[2].methods (/x)"),
        (route(route_keys=["ANY /x", "ANY /x"]), "takes the same requests"),
        (route(**{LONG: 1}), "unknown key"),
        (route(app=f"{LONG} {LONG}"), "routes[2].app (/x)"),
        (route(role=LONG), "routes[2].role (/x)"),
        (route(path=f"/{LONG}"), "has another path"),
        (route(path=f"/{LONG} ", route_keys=[f"ANY /{LONG} "]), "a character that a URL path cannot have"),
        (route(path=f"/{LONG}", route_keys=[f"ANY /{LONG}"] * 2), "takes the same requests"),
        (route(path="/mcp", app=LONG, route_keys=["ANY /mcp"]), "both claim /mcp"),
        (route(methods=[LONG.upper(), "GET"]), "not sorted"),
        (key(LONG), "not of the form"),
        (route(methods=["GET"] * 100_000), "routes[2].methods: 100000 values; a path has at most 64 methods"),
        (route(route_keys=[0] * 100_000), "routes[2].route_keys: 100000 values; a path has at most 64 methods"),
        ("/x", "routes[2]"),
        ([], "routes[2]"),
        (None, "routes[2]"),
    ]  # fmt: skip
    changes: list[tuple[dict[str, Any], str]] = [
        ({"version": 2}, "version: 2 is not a version"),
        ({"version": True}, "version: True is not a version"),
        ({"version": "1"}, "version: '1' is not a version"),
        ({"version": None}, "version: None is not a version"),
        ({"version": ...}, "version: is missing"),
        ({"default": ..., "routes": []}, "neither a route nor a default app"),
        ({"default": ""}, "default"),
        ({"default": 1}, "default"),
        ({"version": 1.0}, "version: 1.0 is not a version"),
        ({"default": "a b"}, "default"),
        ({"routes": ...}, "routes: is missing"),
        ({"routes": {}}, "routes"),
        ({"routes": None}, "routes"),
        ({"rotues": []}, "rotues: unknown key; did you mean 'routes'?"),
        (
            {
                "routes": [
                    {**GOOD["routes"][1], "path": f"/p{number}", "route_keys": [f"ANY /p{number}"]}
                    for number in range(300)
                ]
            },
            "an HTTP API has at most 300",
        ),
    ]
    return [
        *(({**GOOD, "routes": [*GOOD["routes"], entry]}, reason) for entry, reason in entries),
        *(({k: v for k, v in {**GOOD, **change}.items() if v is not ...}, reason) for change, reason in changes),
    ]


RAW: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"  \n", "empty"),
    (b"null", "this is null"),
    (b'"x"', "this is a string"),
    (b"[]", "this is an array"),
    (b"{", "not JSON"),
    (b"{}\n{}", "not JSON"),
    (b'{"version": NaN}', "NaN is not JSON"),
    (b'{"version": 1, "version": 1}', "the key 'version' occurs twice"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"a": ' * 50_000, "nested too deeply"),
    ('{"version": 1}'.encode("utf-16"), "not UTF-8"),
    (b"\xef\xbb\xbf{}", "not JSON"),
    (b" " * (1024 * 1024) + b"{}", "more than 1048576 bytes"),
    (b'{"version": 1, "routes": [' + b"0, " * 2_000_000 + b"0]}", "more than 1048576 bytes"),
    (b'{"version": 1, "routes": [' + b"0, " * 300_000 + b"0]}", "routes: 300001 entries; an HTTP API has at most 300"),
    (b'{"version": 1, "routes": ' + b"[" * 900 + b"]" * 900 + b"}", "not JSON: recursion limit exceeded"),
    (b'{"version": ' + b"1" * 100_000 + b"}", "has 100000 digits"),
    (b"{" + b",".join(b'"k%d": 1' % number for number in range(50_000)) + b"}", "an object has 50000 keys"),
    (b'{"' + b"k" * 200_000 + b'": 1, "' + b"k" * 200_000 + b'": 2}', "occurs twice"),
    (b'{"version": "' + b"1" * 200_000 + b'"}', "is not a version"),
    (b'{"version": 1, "default": "\\ud800", "routes": []}', "not JSON: unexpected end of hex escape"),
]
"""Bytes that are no JSON object, each with a text that the error must contain."""

_ALL = [(json.dumps(document).encode(), reason) for document, reason in documents()] + RAW
HOSTILE = [pytest.param(data, reason, id=f"{number}: {reason}") for number, (data, reason) in enumerate(_ALL)]
"""Files that every reader of manifests must refuse, each with a text that the error must contain."""
