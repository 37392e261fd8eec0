"""The environment variables behind an error of pydantic-settings, each with an invented value that its field accepts.

Source: pydantic-settings, "Environment variable names" and "Parsing environment variable values".
"""

import json
import re
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import Enum
from numbers import Number
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter

from routegen.load.invented_values import invented_values

_OTHER_VALUES = (
    "someone@example.com", "127.0.0.1", "PT1S", "00000000-0000-4000-8000-000000000000", "/tmp", "/etc/hosts"  # noqa: S108
)  # fmt: skip
_LIMITS = (("ge", 0), ("gt", 1), ("le", 0), ("lt", -1))
"""Constraints of numbers, each with the distance of the nearest value that is allowed."""


def settings_variables(error: BaseException) -> dict[str, str]:
    """Return the variables of an error of pydantic-settings, or of a model of os.environ; empty for another error.

    The values are empty for a model of os.environ, whose fields are not known.
    """
    details = pydantic_errors(error)
    locations = [[str(part) for part in item["loc"]] for item in details if item["loc"]]
    if type(error).__name__ == "SettingsError":  # the value of a field is not JSON
        locations = [[name] for name in re.findall(r'field "(\w+)"', str(error))]
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    instances = [value for frame in frames for value in list(frame.f_locals.values())[:1] if _is_settings(value)]
    if instances:
        settings = type(instances[-1])
        return {name: value for location in locations for name, value in _variables(settings, location)}
    return {item["loc"][0]: "" for item in details if item["type"] == "missing" and str(item["loc"][0]).isupper()}


def pydantic_errors(error: BaseException) -> list[dict[str, Any]]:
    """Return the details of a pydantic error without the values; an empty list for another error."""
    if type(error).__name__ != "ValidationError" or not hasattr(error, "errors"):
        return []
    try:
        return list(error.errors(include_url=False, include_context=False, include_input=False))
    except TypeError:  # another library's error with the same name
        return []


def _is_settings(value: Any) -> bool:
    return any(cls.__name__ == "BaseSettings" and "settings" in cls.__module__ for cls in type(value).__mro__)


def _variables(settings: Any, location: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the variables of the field at a location, each with a value."""
    config = settings.model_config
    delimiter = config.get("env_nested_delimiter") or ""
    first, *rest = location
    is_field = first in settings.model_fields and _alias(settings.model_fields[first]) is None
    path = [f"{config.get('env_prefix', '')}{first}" if is_field else first]
    field = _field(settings, first)
    while delimiter and rest and (model := _model(field)):
        first, *rest = rest
        path.append(first)
        field = _field(model, first)
    for names, leaf in _leaves(path, field, is_nested=bool(delimiter)):
        name = delimiter.join(names)
        yield name if config.get("case_sensitive") else name.upper(), _environment_value(names[-1], leaf)


def _leaves(path: list[str], field: Any, *, is_nested: bool) -> Iterator[tuple[list[str], Any]]:
    """Yield the names and the field of each variable that a field needs: one for each required field of its model."""
    required = _required_fields(_model(field)) if is_nested else {}
    for name, inner in required.items():
        yield from _leaves([*path, name], inner, is_nested=True)
    if not required:
        yield path, field


def _alias(field: Any) -> str | None:
    """Return the alias of a field, the first one of `AliasChoices`."""
    alias = field.validation_alias or field.alias
    alias = getattr(alias, "choices", [alias])[0]
    return alias if isinstance(alias, str) or alias is None else str(alias.path[0])


def _field(model: Any, name: str) -> Any:
    """Return the field with a name or an alias; None if there is none."""
    return next((field for key, field in model.model_fields.items() if name in (key, _alias(field))), None)


def _model(field: Any) -> Any:
    """Return the pydantic model that a field has as its type, or as one of the types of a union."""
    annotation = getattr(field, "annotation", None)
    types = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return next((kind for kind in types if isinstance(kind, type) and hasattr(kind, "model_fields")), None)


def _required_fields(model: Any) -> dict[str, Any]:
    fields = getattr(model, "model_fields", {}).items()
    return {_alias(field) or name: field for name, field in fields if field.is_required()}


def _environment_value(name: str, field: Any) -> str:
    """Return a value of a variable that its field accepts; empty if the field is not known."""
    if field is None:
        return ""
    value = _accepted_value(name, field.annotation, field.metadata)
    return value if isinstance(value, str) else json.dumps(value)


def _accepted_value(name: str, annotation: Any, constraints: Sequence[Any] = ()) -> Any:
    """Return the first of some values that a type with its constraints accepts; the type's own example if none is."""
    likely, *other_forms = invented_values(name)
    example = _example(name, annotation)
    numbers = [
        getattr(constraint, limit) + distance
        for constraint in constraints
        for limit, distance in _LIMITS
        if isinstance(getattr(constraint, limit, None), Number)
    ]
    # A variable of a model or a collection is JSON, so that a text is no value of it.
    texts = () if isinstance(example, list | dict) else (likely, example, *other_forms, *_OTHER_VALUES)
    kind = Annotated[(annotation, *constraints)] if constraints else annotation
    return next((value for value in (*texts, example, *numbers) if _is_accepted(kind, value)), example)


def _is_accepted(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except Exception:  # noqa: BLE001 - a type of the app can raise any error
        return False
    return True


def _example(name: str, annotation: Any) -> Any:
    """Return a value of a type, as JSON has it."""
    kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if kind in (Union, UnionType, Annotated):
        return _example(name, next(argument for argument in arguments if argument is not type(None)))
    if kind is Literal:
        return arguments[0]
    if hasattr(kind, "model_fields"):
        fields = _required_fields(kind).items()
        return {key: _accepted_value(key, field.annotation, field.metadata) for key, field in fields}
    return _example_of_class(name, kind, arguments) if isinstance(kind, type) else invented_values(name)[0]


def _example_of_class(name: str, kind: type, arguments: Sequence[Any]) -> Any:
    if issubclass(kind, Mapping):
        return {}
    if issubclass(kind, Collection) and not issubclass(kind, str | bytes | Enum):
        return [_accepted_value(name, argument) for argument in arguments if argument is not ...]
    if issubclass(kind, Enum):
        return next(iter(kind)).value
    if issubclass(kind, bool):
        return True
    if issubclass(kind, Number):
        return 1
    constraints = getattr(kind, "_constraints", None)  # of pydantic's types of URLs
    schemes = getattr(constraints, "allowed_schemes", None) or ["https"]
    return invented_values(name)[0] if "https" in schemes else f"{schemes[0]}://localhost/example"
