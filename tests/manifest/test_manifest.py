"""Reading and writing manifests, and their JSON Schema."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from helpers.hostile import GOOD, HOSTILE, LONG
from routegen.cli import routegen
from routegen.cli.failures import State, run
from routegen.errors import OutputError
from routegen.manifest import ManifestError, dump_manifest, json_schema, parse_manifest, read_manifest, replace_file


def parse(document: Any) -> Any:
    return parse_manifest(json.dumps(document).encode(), "routes.json")


def test_a_manifest_is_written_as_it_was_read() -> None:
    data = (json.dumps(GOOD, indent=2) + "\n").encode()
    assert dump_manifest(parse_manifest(data, "x")) != b""
    written = dump_manifest(parse_manifest(data, "x"))
    assert json.loads(written) == GOOD
    assert dump_manifest(parse_manifest(written, "x")) == written


def test_a_manifest_without_a_default_app_has_no_such_key() -> None:
    document = {key: value for key, value in GOOD.items() if key != "default"}
    catch_all = {**GOOD["routes"][0], "path": "/{all+}", "app": "site", "role": "other", "route_keys": ["ANY /{all+}"]}
    document["routes"] = [*document["routes"], catch_all]
    manifest = parse(document)
    assert manifest.default is None
    assert manifest.app_names == ("mcp", "site")
    assert json.loads(dump_manifest(manifest)).keys() == {"version", "routes"}
    with pytest.raises(ManifestError, match=r"takes every path, so 'otterwiki' would get no request through \$default"):
        parse({**document, "default": "otterwiki"})


@pytest.mark.parametrize(("default", "quota"), [({}, 300), ({"default": "wiki"}, 299)])
def test_the_default_route_counts_towards_the_quota(default: dict[str, str], quota: int) -> None:
    routes = [
        {"path": path, "methods": ["ANY"], "app": "mcp", "role": "other", "route_keys": [f"ANY {path}"]}
        for path in (f"/{number}" for number in range(quota + 1))
    ]
    parse({"version": 1, **default, "routes": routes[:quota]})
    with pytest.raises(ManifestError, match="an HTTP API has at most 300 routes"):
        parse({"version": 1, **default, "routes": routes})


def test_routes_are_written_in_the_same_order() -> None:
    reordered = deepcopy(GOOD)
    reordered["routes"].reverse()
    assert dump_manifest(parse(reordered)) == dump_manifest(parse(GOOD))


@pytest.mark.parametrize(("data", "reason"), HOSTILE)
@pytest.mark.reliability("files that are no manifest")
def test_a_file_that_is_no_manifest_is_refused_with_the_entry_and_the_reason(
    data: bytes, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "routes.json"
    file.write_bytes(data)
    monkeypatch.setattr("sys.argv", ["routegen", "explain", "GET", "/", "--manifest", str(file)])
    assert run(routegen, State()) == 4
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"routegen: error: {file}: ")
    assert reason in output.err
    assert output.err.count("\n") == 1
    assert len(output.err.replace(str(file), "")) < 600


def test_a_message_repeats_at_most_200_characters_of_the_manifest() -> None:
    longest = max((count_repeated(data) for parameter in HOSTILE for data in [parameter.values[0]]), default=0)
    assert 50 < longest <= 200


def count_repeated(data: Any) -> int:
    """How many characters of the long text the error for a manifest repeats."""
    with pytest.raises(ManifestError) as error:
        parse_manifest(data, "routes.json")
    return str(error.value).count("k") if LONG.encode() in data else 0


def test_there_are_at_least_60_invalid_manifests() -> None:
    assert len(HOSTILE) >= 60


def test_the_error_counts_further_problems() -> None:
    with pytest.raises(ManifestError, match=r"\(and 1 more\)$"):
        parse({**GOOD, "default": 1, "routes": 2})


def test_the_json_schema_agrees_with_the_reader() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(GOOD)
    assert validator.is_valid({key: value for key, value in GOOD.items() if key != "default"})
    assert not validator.is_valid({**GOOD, "version": 2})
    assert not validator.is_valid({**GOOD, "extra": 1})
    assert not validator.is_valid({**GOOD, "routes": [{**GOOD["routes"][0], "role": "king"}]})


def test_the_error_for_a_missing_file_names_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="routegen extract -o"):
        read_manifest(tmp_path / "routes.json")


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        replace_file(tmp_path / "file" / "routes.json", b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    null = tmp_path / "null"
    null.symlink_to("/dev/null")
    replace_file(null, b"x")
    assert null.is_symlink()
    assert Path("/dev/null").is_char_device()
