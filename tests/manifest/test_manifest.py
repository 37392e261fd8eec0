"""Reading and writing manifests."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from helpers.hostile import GOOD, HOSTILE
from routegen.cli import routegen
from routegen.cli.failures import State, run
from routegen.errors import OutputError
from routegen.manifest import ManifestError, dump_manifest, json_schema, parse_manifest, read_manifest, replace_file


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


@pytest.mark.parametrize(("data", "says"), HOSTILE)
def test_a_file_that_is_no_manifest_is_rejected_with_entry_and_reason(
    data: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "routes.json"
    file.write_bytes(data)
    monkeypatch.setattr("sys.argv", ["routegen", "explain", "GET", "/", "--manifest", str(file)])
    assert run(routegen, State()) == 4
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"routegen: error: {file}: ")
    assert says in told.err
    assert told.err.count("\n") == 1


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 60


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
