"""Read a manifest: validate all of it before any of it is used."""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from routegen.errors import ManifestError, shorten
from routegen.gateway import ROUTE_QUOTA
from routegen.manifest.schema import VERSION, Manifest, Route
from routegen.manifest.validation import find_problems

# A manifest with 300 routes, the quota, has about 100 kB. The counts are checked before the values, because pydantic
# makes an error object for each wrong value.
_MAX_BYTES = 1024 * 1024
_MAX_KEYS, _MAX_METHODS, _MAX_DIGITS = 32, 64, 20


def read_manifest(path: Path) -> Manifest:
    """Read and validate the manifest at `path`.

    Raises:
        ManifestError: the file is missing, unreadable or invalid; the text names the file, the entry and the reason.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ManifestError(f"{path}: there is no such file; `routegen extract -o {path}` writes it") from None
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror or error}") from None
    return parse_manifest(data, str(path))


def parse_manifest(data: bytes, source: str) -> Manifest:
    """Parse and validate a manifest's bytes.

    Args:
        data: UTF-8 JSON.
        source: the name of the data in error messages, usually the file's path.

    Raises:
        ManifestError: the data is invalid; the text names the source, the entry and the reason.
    """
    document = _parse_json(data, source)
    if not isinstance(document, dict):
        raise ManifestError(f"{source}: a manifest is a JSON object, this is {_json_type(document)}")
    version = document.get("version", VERSION)
    if type(version) is not int or version != VERSION:
        text = shorten(repr(version))
        raise ManifestError(f"{source}: version: {text} is not a version that this routegen reads ({VERSION})")
    for problem in _count_problems(document.get("routes")):
        raise ManifestError(f"{source}: {problem}")
    try:
        # pydantic's strict mode takes a JSON array for a tuple only if it parses the JSON itself.
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        problems = [_describe(detail, document) for detail in error.errors(include_url=False)]
    else:
        problems = list(find_problems(manifest))
        if not problems:
            return manifest
    rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise ManifestError(f"{source}: {problems[0]}{rest}")


def _parse_json(data: bytes, source: str) -> Any:
    if not data.strip():
        raise ManifestError(f"{source}: the file is empty; `routegen extract -o {source}` writes a new one")
    if len(data) > _MAX_BYTES:
        raise ManifestError(f"{source}: the file has more than {_MAX_BYTES} bytes, which no manifest needs")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{source}: not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
    try:
        return json.loads(
            text, object_pairs_hook=_check_object, parse_int=_parse_integer, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise ManifestError(f"{source}: not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ManifestError(f"{source}: not a manifest: nested too deeply") from None
    except ValueError as error:
        raise ManifestError(f"{source}: {error}") from None


def _check_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _MAX_KEYS:
        raise ValueError(f"an object has {len(pairs)} keys, more than a manifest can have")
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {shorten(key)!r} occurs twice in one object")
        result[key] = value
    return result


def _parse_integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"the number {shorten(text)} has {len(text)} digits")
    return int(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _count_problems(routes: Any) -> Iterator[str]:
    entries = routes if isinstance(routes, list) else []
    if len(entries) > ROUTE_QUOTA:
        yield f"routes: {len(entries)} entries; an HTTP API has at most {ROUTE_QUOTA} routes"
    for position, entry in enumerate(entries):
        for key in ("methods", "route_keys"):
            values = entry.get(key) if isinstance(entry, dict) else None
            if isinstance(values, list) and len(values) > _MAX_METHODS:
                yield f"routes[{position}].{key}: {len(values)} values; a path has at most {_MAX_METHODS} methods"


def _describe(detail: Any, document: dict[str, Any]) -> str:
    """Describe one of pydantic's validation errors for a reader of the file."""
    location = detail["loc"]
    if detail["type"] == "json_invalid":  # pydantic allows less nesting than Python, and no half of a surrogate pair
        return f"not JSON: {detail['ctx']['error']}"
    place = _place(location, document)
    if detail["type"] == "extra_forbidden":
        keys = (Manifest if len(location) == 1 else Route).model_fields
        near = difflib.get_close_matches(str(location[-1]), keys, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the known keys are {', '.join(keys)}"
        return f"{place}: unknown key{hint}"
    if detail["type"] == "missing":
        return f"{place}: is missing"
    value = detail["input"]
    text = f" (the value is {shorten(json.dumps(value))})" if isinstance(value, str | int | float | bool | None) else ""
    return f"{place}: {detail['msg'][0].lower()}{detail['msg'][1:]}{text}"


def _place(location: tuple[str | int, ...], document: dict[str, Any]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{shorten(step)}" if text else shorten(step)
    if len(location) > 1 and location[0] == "routes" and isinstance(location[1], int):
        entry = document["routes"][location[1]]
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str):
            text += f" ({shorten(path)})" if path.isprintable() else ""
    return text


def _json_type(value: Any) -> str:
    names = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}
    return names.get(type(value), "null")
