"""Reading and writing manifests."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from routegen.errors import OutputError
from routegen.manifest import ManifestError, dump_manifest, json_schema, parse_manifest, read_manifest, replace_file

GOOD: dict[str, Any] = {
    "version": 1,
    "default": "wiki",
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


def parse(document: Any) -> Any:
    return parse_manifest(json.dumps(document).encode(), "routes.json")


def test_writing_what_was_read_gives_the_same_bytes() -> None:
    data = (json.dumps(GOOD, indent=2) + "\n").encode()
    assert dump_manifest(parse_manifest(data, "x")) != b""
    written = dump_manifest(parse_manifest(data, "x"))
    assert json.loads(written) == GOOD
    assert dump_manifest(parse_manifest(written, "x")) == written


def test_the_order_of_the_routes_does_not_matter() -> None:
    turned = deepcopy(GOOD)
    turned["routes"].reverse()
    assert dump_manifest(parse(turned)) == dump_manifest(parse(GOOD))


def hostile() -> list[Any]:
    """(what is done to a good manifest, what the error must say)."""

    def route(**change: Any) -> dict[str, Any]:
        base = {"path": "/x", "methods": ["ANY"], "app": "mcp", "role": "other", "route_keys": ["ANY /x"]}
        return {key: value for key, value in {**base, **change}.items() if value is not ...}

    def key(text: str) -> dict[str, Any]:
        return route(route_keys=[text])

    entry: list[tuple[Any, str]] = [
        (route(path=...), "routes[2].path: is missing"),
        (route(app=...), "routes[2].app (/x): is missing"),
        (route(app=""), "routes[2].app (/x)"),
        (route(app="wiki"), "owns no route"),
        (route(app="../x"), "routes[2].app (/x)"),
        (route(role="king"), "routes[2].role (/x)"),
        (route(methods=[]), "routes[2].methods (/x)"),
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
        (key("ANY /y"), "for another path"),
        (key("GET/x"), "not of the form"),
        (key("get /x"), "not a method"),
        (key("ANY /x/"), "ends in '/'"),
        (route(path="/mcp", route_keys=["ANY /mcp"]), "takes the same requests"),
        (route(path="/mcp", app="other", route_keys=["ANY /mcp"]), "'mcp' and 'other' both claim /mcp"),
        (route(path="/a/{n}", app="other", route_keys=["POST /a/{n}"]), "both claim"),
        (route(path="/a/{n}", route_keys=["GET /a/{n}"]), "takes the same requests"),
        (route(methods=["GET"], route_keys=["POST /x"]), "a method that the entry doesn't list"),
        ("/x", "routes[2]"),
        (None, "routes[2]"),
    ]  # fmt: skip
    whole: list[tuple[dict[str, Any], str]] = [
        ({"version": 2}, "version: 2 is not a version"),
        ({"version": True}, "version: True is not a version"),
        ({"version": "1"}, "version: '1' is not a version"),
        ({"version": None}, "version: None is not a version"),
        ({"version": ...}, "version: is missing"),
        ({"default": ...}, "default: is missing"),
        ({"default": ""}, "default"),
        ({"default": 1}, "default"),
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
        *(({**GOOD, "routes": [*GOOD["routes"], change]}, says) for change, says in entry),
        *(({k: v for k, v in {**GOOD, **change}.items() if v is not ...}, says) for change, says in whole),
    ]


@pytest.mark.parametrize(("document", "says"), hostile(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_manifest_that_is_wrong_names_entry_and_reason(document: Any, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse(document)
    assert str(caught.value).startswith("routes.json: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"null", "this is null"),
        (b'"x"', "this is a string"),
        (b"{", "not JSON"),
        (b"{}\n{}", "not JSON"),
        (b'{"version": NaN}', "NaN is not JSON"),
        (b'{"version": 1, "version": 1}', "the key 'version' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' * 50_000, "nested too deeply"),
        ('{"version": 1}'.encode("utf-16"), "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b" " * (8 * 1024 * 1024) + b"{}", "larger than"),
    ],
)
def test_what_is_no_json_object(data: bytes, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(data, "routes.json")
    assert says in str(caught.value)


def test_several_problems_are_counted() -> None:
    with pytest.raises(ManifestError, match=r"\(and 1 more\)$"):
        parse({**GOOD, "default": 1, "routes": 2})


def test_the_schema_takes_what_the_reader_takes_and_refuses_its_shape_errors() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(GOOD)
    assert not validator.is_valid({**GOOD, "version": 2})
    assert not validator.is_valid({**GOOD, "extra": 1})
    assert not validator.is_valid({**GOOD, "routes": [{**GOOD["routes"][0], "role": "king"}]})


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="routegen extract -o"):
        read_manifest(tmp_path / "routes.json")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        replace_file(tmp_path / "no" / "routes.json", b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_not_replaced(tmp_path: Path) -> None:
    null = tmp_path / "null"
    null.symlink_to("/dev/null")
    replace_file(null, b"x")
    assert null.is_symlink()
    assert Path("/dev/null").is_char_device()
