"""Reading a manifest: all of it is validated before any of it is used."""

import difflib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from routegen.errors import ManifestError
from routegen.manifest.schema import VERSION, Manifest, Route
from routegen.manifest.validation import problems

# Far above any manifest within the quota (300 routes are about 100 kB), far below what hurts to parse.
_MAX_BYTES = 8 * 1024 * 1024


def read_manifest(path: Path) -> Manifest:
    """Read and validate the manifest at `path`.

    Raises:
        ManifestError: it is missing, unreadable or invalid; the text names the file, the entry and the reason.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ManifestError(f"{path}: there is no such file; `routegen extract -o {path}` writes it") from None
    except OSError as error:
        raise ManifestError(f"{path}: can't be read: {error.strerror or error}") from None
    return parse_manifest(data, str(path))


def parse_manifest(data: bytes, source: str) -> Manifest:
    """Validate a manifest's bytes.

    Args:
        data: UTF-8 JSON.
        source: what the error text calls it, usually the file's path.

    Raises:
        ManifestError: as `read_manifest`.
    """
    document = _parse_json(data, source)
    if not isinstance(document, dict):
        raise ManifestError(f"{source}: a manifest is a JSON object, this is {_json_type(document)}")
    version = document.get("version", VERSION)
    if type(version) is not int or version != VERSION:
        raise ManifestError(f"{source}: version: {version!r} is not a version that this routegen reads ({VERSION})")
    try:
        # From the bytes, not from `document`: pydantic's strict mode takes a JSON array for a tuple only there.
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        found = [_describe(detail, document) for detail in error.errors(include_url=False)]
    else:
        found = list(problems(manifest))
        if not found:
            return manifest
    rest = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raise ManifestError(f"{source}: {found[0]}{rest}")


def _parse_json(data: bytes, source: str) -> Any:
    if not data.strip():
        raise ManifestError(f"{source}: the file is empty; `routegen extract -o FILE` writes it anew")
    if len(data) > _MAX_BYTES:
        raise ManifestError(f"{source}: larger than {_MAX_BYTES} bytes, which no manifest is")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{source}: not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
    try:
        return json.loads(text, object_pairs_hook=_no_doubled_keys, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{source}: not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise ManifestError(f"{source}: not a manifest: nested too deeply") from None
    except ValueError as error:
        raise ManifestError(f"{source}: {error}") from None


def _no_doubled_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {key!r} stands twice in one object")
        result[key] = value
    return result


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _describe(detail: Any, document: dict[str, Any]) -> str:
    """One validation error of pydantic's, as a reader of the file would say it."""
    location = detail["loc"]
    where = _where(location, document)
    if detail["type"] == "extra_forbidden":
        known = (Manifest if len(location) == 1 else Route).model_fields
        near = difflib.get_close_matches(str(location[-1]), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        return f"{where}: unknown key{hint}"
    if detail["type"] == "missing":
        return f"{where}: is missing"
    value = detail["input"]
    shown = f" (here: {json.dumps(value)[:60]})" if isinstance(value, str | int | float | bool | None) else ""
    return f"{where}: {detail['msg'][0].lower()}{detail['msg'][1:]}{shown}"


def _where(location: tuple[str | int, ...], document: dict[str, Any]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    if len(location) > 1 and location[0] == "routes" and isinstance(location[1], int):
        entry = document["routes"][location[1]]
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str):
            text += f" ({path})" if path.isprintable() else ""
    return text


def _json_type(value: Any) -> str:
    names = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}
    return names.get(type(value), "null")
