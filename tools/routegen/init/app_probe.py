"""Import an app again and again, with an invented value for each environment variable that the import misses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
    """

    app: AppConfig
    optional_variables: tuple[str, ...] = ()


def probe_app(app: AppConfig, config: Config, hints: Mapping[str, str]) -> AppProbe:
    """Import an app, and find the environment variables and the folder of sources that it needs.

    Args:
        app: the app, with the values that the user gives.
        config: the configuration, with the time-out.
        hints: real values of variables; only their form is used.

    Raises:
        LoadError: the app cannot be imported for another reason, or no invented value helps.
    """
    given = set(app.env)
    values: dict[str, list[str]] = {}
    for _ in range(_MAX_IMPORTS):
        try:
            answer = start_app_process(app, config).wait_for_answer()
        except LoadError as error:
            changed = _with_next_values(app, error, values, given, hints) or _with_source_folder(app, error)
            if changed is None:
                raise
            app = changed
        else:
            return AppProbe(app, tuple(answer["unset_variables"]))
    raise LoadError(f"{app.target}: the import needs more than {_MAX_IMPORTS} environment variables")


def _with_next_values(
    app: AppConfig, error: LoadError, values: dict[str, list[str]], given: set[str], hints: Mapping[str, str]
) -> AppConfig | None:
    """The app with the next invented value of each variable that the error names; None if there is none."""
    changed = dict(app.env)
    for name in error.variables:
        if name in given:
            continue
        remaining = values.setdefault(name, [*_same_form(hints.get(name, "")), *invented_values(name)])
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
