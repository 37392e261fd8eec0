"""Import an app again and again, with an invented value for each environment variable that the import misses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routegen.config import AppConfig, Config
from routegen.errors import LoadError
from routegen.load import find_module_folder, invented_values, is_source_folder, start_app_process

_MAX_IMPORTS = 60


@dataclass(frozen=True)
class AppProbe:
    """An app that can be imported, with the environment that it needs.

    Attributes:
        app: the app with its environment.
        optional_variables: the variables that the app's own lines read without a default, and that can be absent.
        path_variables: the variables with an influence on the paths that the app serves.
    """

    app: AppConfig
    optional_variables: tuple[str, ...]
    path_variables: tuple[str, ...]


def probe_app(app: AppConfig, config: Config, hints: Mapping[str, str]) -> AppProbe:
    """Import an app, and find the environment variables and the folder of sources that it needs.

    Args:
        app: the app, with the values that the user gives.
        config: the configuration, with the time-out.
        hints: real values of variables; only their form is used.

    Raises:
        LoadError: the app cannot be imported for another reason, or no invented value helps.
    """
    user_variables = set(app.env)
    values: dict[str, list[str]] = {}
    for _ in range(_MAX_IMPORTS):
        try:
            answer = start_app_process(app, config).wait_for_answer()
        except LoadError as error:
            changed = _with_next_values(app, error, values, user_variables, hints) or _with_source_folder(app, error)
            if changed is None:
                raise
            app = changed
        else:
            return AppProbe(app, tuple(answer["unset_variables"]), _path_variables(app, config, _paths(answer)))
    raise LoadError(f"{app.target}: the import needs more than {_MAX_IMPORTS} environment variables")


def _paths(answer: Mapping[str, Any]) -> set[str]:
    return {served["path"] for served in answer["paths"]}


def _path_variables(app: AppConfig, config: Config, paths: set[str]) -> tuple[str, ...]:
    """Return the variables that change the paths if they have another value of the same form."""
    changed_values = {name: value.replace("example", "other") for name, value in app.env.items() if "example" in value}

    def changes_paths(changed: Mapping[str, str]) -> bool:
        other_app = app.model_copy(update={"env": {**app.env, **changed}})
        try:
            return _paths(start_app_process(other_app, config).wait_for_answer()) != paths
        except LoadError:
            return False

    if not changed_values or not changes_paths(changed_values):
        return ()
    return tuple(name for name, value in changed_values.items() if changes_paths({name: value}))


def _with_next_values(
    app: AppConfig, error: LoadError, values: dict[str, list[str]], user_variables: set[str], hints: Mapping[str, str]
) -> AppConfig | None:
    """The app with the next invented value of each variable that the error names; None if there is none."""
    changed = dict(app.env)
    for name, value in error.variables.items():
        if name in user_variables:
            continue
        remaining = values.setdefault(
            name, [*_same_form(hints.get(name, "")), *filter(None, [value]), *invented_values(name)]
        )
        if remaining:
            changed[name] = remaining.pop(0)
    return app.model_copy(update={"env": changed}) if changed != app.env else None


def _with_source_folder(app: AppConfig, error: LoadError) -> AppConfig | None:
    """The app with `path`, if the missing module is in a folder of sources that has the app too, such as `src`."""
    folder = find_module_folder(error.missing_module, app.root)
    if folder is None or app.path or not is_source_folder(folder, app):
        return None
    return app.model_copy(update={"path": folder.relative_to(app.root).as_posix()})


def _same_form(value: str) -> list[str]:
    """An invented value of the same form as a real one, so that no secret is written."""
    if match := re.match(r"(https?)://[^/]*(.*)", value):
        return [f"{match[1]}://example.com{match[2]}"]
    if match := re.match(r"[a-z0-9+]+://", value):
        return [f"{match[0]}localhost/example"]
    return ["1"] if value.isdecimal() else []
