"""The configuration: `[tool.routegen]` in a pyproject.toml."""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from routegen.errors import ConfigError, NoProjectError, shorten

DEFAULT_TIMEOUT = 60.0
"""Seconds that an app is allowed to take for its import."""

MAX_TIMEOUT = 86_400
"""The largest time limit in seconds, because a longer one than the system can represent would be an error later."""

# A process needs these to run; apps and functions see no other variable of the caller's environment.
_INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")

_TABLE = "[tool.routegen]"
_STRICT = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError(f"must be a text that is not empty, is {shorten(text)!r}")
    return text


def _check_name(name: str) -> str:
    if not name[:1].isalnum() or not name.isascii() or not all(c.isalnum() or c in "-_" for c in name):
        raise ValueError(
            f"{shorten(name)!r} is not a name: use letters, digits, '-' and '_', and begin with a letter or digit"
        )
    return name


def _check_literal_path(path: str) -> str:
    if not path.startswith("/") or path == "/" or path.endswith("/") or "{" in path:
        raise ValueError(
            f"{shorten(path)!r} is not a literal path such as '/mcp': "
            "begin with '/', do not end with '/', use no variable"
        )
    return path


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_server = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        is_server = False
    if not is_server or "@" in parts.netloc or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise ValueError(f"{shorten(url)!r} is not the URL of a server such as 'http://127.0.0.1:3000'")
    return url


def _check_reserve(reserve: object) -> object:
    if isinstance(reserve, list | tuple):
        return tuple(reserve)
    if reserve not in get_args(ReservePolicy):
        raise ValueError(f"must be 'auto', 'all', 'none' or a list of paths, is {shorten(repr(reserve))}")
    return reserve


def _check_variable(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise ValueError(f"{shorten(name)!r} cannot be the name of an environment variable")
    return name


def _check_value(value: str) -> str:
    if "\0" in value:
        raise ValueError("an environment variable cannot contain a NUL character")
    return value


Text = Annotated[str, AfterValidator(_check_text)]
Name = Annotated[str, AfterValidator(_check_name)]
Url = Annotated[str, AfterValidator(_check_url)]
LiteralPath = Annotated[str, AfterValidator(_check_literal_path)]
ReservePolicy = Literal["auto", "all", "none"]
Environment = dict[Annotated[str, AfterValidator(_check_variable)], Annotated[str, AfterValidator(_check_value)]]


class AppTable(BaseModel):
    """`[tool.routegen.apps.NAME]`: one app behind the gateway."""

    model_config = _STRICT

    target: Annotated[
        Text, Field(alias="app", description="The app: `path/to/file.py:attribute` or `package.module:attribute`.")
    ] = ""
    upstream: Annotated[
        Url | None,
        Field(
            description="In the place of `app`: the URL of a running server, such as `http://127.0.0.1:3000`, to which "
            "`serve` sends the app's requests. Its routes cannot be read from code, so write them in `own` or `routes`."
        ),
    ] = None
    handler: Annotated[
        Text | None, Field(description="The Lambda handler, `module.function`, for `serve` and the infrastructure.")
    ] = None
    path: Annotated[Text | None, Field(description="The folder that the handler is imported from.")] = None
    own: Annotated[
        tuple[LiteralPath, ...], Field(strict=False, description="Paths that the app owns, with all paths below them.")
    ] = ()
    routes: Annotated[
        tuple[LiteralPath, ...],
        Field(
            strict=False,
            description="Paths that the app gets although its route table does not list them, because middleware "
            "answers them; and documents of the whole domain that this app answers for other apps too.",
        ),
    ] = ()
    endpoints: Annotated[
        tuple[LiteralPath, ...],
        Field(strict=False, description="Paths of MCP endpoints, if the code does not show that they are endpoints."),
    ] = ()
    reserve: Annotated[
        ReservePolicy | tuple[LiteralPath, ...],
        BeforeValidator(_check_reserve),
        Field(
            description="Paths that MCP clients ask about the app's endpoints and that the app does not serve: its own "
            '404 is the right answer. `"auto"`: all of them, except where the default app has a rule that names the '
            'path. `"all"`, `"none"`, or a list of paths.',
        ),
    ] = "auto"
    env: Annotated[
        Environment, Field(description="The environment that the app sees when it is imported; never a secret.")
    ] = {}
    methods: Annotated[
        Literal["any", "exact"],
        Field(description='`"any"`: one `ANY` route key for each path. `"exact"`: one route key for each method.'),
    ] = "any"
    unsupported: Annotated[
        Literal["refuse", "warn"],
        Field(
            # The second name is the former one; configurations with it exist.
            validation_alias=AliasChoices("unsupported", "uncarried"),
            description="What to do about a path that a route key cannot express. "
            '`"refuse"`: end with exit code 5. `"warn"`: leave it out and say so.',
        ),
    ] = "refuse"

    @model_validator(mode="after")
    def _check_source(self) -> Self:
        if self.upstream is None:
            if not self.target:
                raise ValueError("app is missing")
        elif keys_of_code := [key for key, value in (("app", self.target), ("handler", self.handler)) if value]:
            raise ValueError(
                f"upstream is a running server, so {keys_of_code[0]} has no meaning; remove one of the two"
            )
        return self


class AppConfig(AppTable):
    """One app, with the name that the manifest uses.

    Attributes:
        name: the app's name.
        root: the folder that relative paths start from.
    """

    name: Name
    root: Path

    def owns(self, path: str) -> bool:
        """Whether `own` gives a path to the app: it is one of these paths, or below one."""
        return any(f"{path}/".startswith(f"{prefix}/") for prefix in self.own)


class ProjectTable(BaseModel):
    """`[tool.routegen]`: the manifest and the apps behind the gateway."""

    model_config = _STRICT

    default: Annotated[
        Name | None,
        Field(description="The app behind `$default`. Without it, the gateway answers 404 where no route matches."),
    ] = None
    apps: Annotated[dict[Name, AppTable], Field(description="The apps, by name.")]
    manifest: Annotated[Text, Field(description="The manifest's file.")] = "generated/routes.json"
    timeout: Annotated[
        float, Field(gt=0, le=MAX_TIMEOUT, description="Seconds that an app is allowed to take for its import.")
    ] = DEFAULT_TIMEOUT


class Config(BaseModel):
    """The configuration of a run.

    Attributes:
        default: the app behind `$default`; None if there is none, so that the gateway answers 404.
        manifest: the manifest's file.
        apps: the apps to extract; the default app is not one of them.
        default_app: the default app, if it is configured.
        timeout: seconds that an app is allowed to take for its import.
        packages: a folder whose packages are found before those of the environment.
        from_options: whether the command line names the app, so that advice names options and not keys.
    """

    model_config = ConfigDict(frozen=True)

    default: Name | None
    manifest: Path
    apps: tuple[AppConfig, ...]
    default_app: AppConfig | None = None
    timeout: float = DEFAULT_TIMEOUT
    packages: Path | None = None
    from_options: bool = False

    def with_changes(self, **changes: Any) -> Self:
        """A copy with some fields replaced."""
        return self.model_copy(update=changes)


def find_project(start: Path) -> Path:
    """Find the nearest pyproject.toml with a `[tool.routegen]`, from `start` upwards.

    Raises:
        NoProjectError: there is none.
        ConfigError: a pyproject.toml on the way cannot be read.
    """
    for directory in (start, *start.parents):
        file = directory / "pyproject.toml"
        if file.is_file() and "routegen" in _read_toml(file).get("tool", {}):
            return file
    raise NoProjectError(
        f"pyproject.toml: none in {start} or above it has a {_TABLE}; `routegen init` writes one, "
        "or name the app: routegen extract path/to/file.py:app"
    )


def read_config(file: Path) -> Config:
    """Read and validate `[tool.routegen]` of a pyproject.toml.

    Raises:
        ConfigError: the file cannot be read, or a key is unknown or has a wrong value; the message names the key.
    """
    table = _read_toml(file).get("tool", {}).get("routegen")
    try:
        project = ProjectTable.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{file}: {_first_problem(error)}") from None
    root = file.parent
    configured = {
        name: AppConfig.model_construct(**dict(app), name=name, root=root) for name, app in project.apps.items()
    }
    apps = tuple(app for name, app in configured.items() if name != project.default)
    if not apps:
        besides = f" beside the default {project.default!r}" if project.default else ""
        raise ConfigError(f"{file}: {_TABLE}: apps names no app{besides}, so there is no route")
    for app in apps:
        if app.upstream and not (app.own or app.routes or app.endpoints):
            table = f"[tool.routegen.apps.{app.name}]"
            raise ConfigError(
                f"{file}: {table}: upstream has no code that routes can be read from; write them in own, routes or "
                f"endpoints, or make it the default app: default = {app.name!r}"
            )
    return Config(
        default=project.default,
        manifest=root / project.manifest,
        apps=apps,
        default_app=configured.get(project.default) if project.default else None,
        timeout=project.timeout,
    )


def config_for_app(  # noqa: PLR0913 - one parameter for each option
    target: str,
    *,
    name: str,
    default: str | None,
    root: Path,
    own: tuple[str, ...] = (),
    unsupported: str = "refuse",
    timeout: float = DEFAULT_TIMEOUT,
) -> Config:
    """The configuration for one app that the command line names.

    Args:
        target: the app, as `AppTable.target`.
        name: the app's name in the manifest.
        default: the name of the app behind `$default`, if there is one.
        root: the folder that relative paths start from.
        own: paths that the app owns.
        unsupported: `refuse` or `warn`.
        timeout: seconds that the app is allowed to take for its import.

    Raises:
        ConfigError: an option has a wrong value; the message names the option.
    """
    if name == default:
        raise ConfigError(f"--name: {name!r} is the name of the app behind $default too; give another name")
    options = {"target": target, "name": name, "own": own, "unsupported": unsupported, "root": root}
    try:
        app = AppConfig.model_validate(options)
        manifest = root / "generated" / "routes.json"
        return Config(default=default, manifest=manifest, apps=(app,), timeout=timeout, from_options=True)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        raise ConfigError(f"--{detail['loc'][0]}: {_reason(detail)}") from None


def with_env(config: Config, app: str | None, env: Mapping[str, str]) -> Config:
    """The configuration with some of an app's environment replaced.

    Args:
        config: the configuration.
        app: the app's name, also the default app's; None for every app.
        env: the variables to add or replace.

    Raises:
        ConfigError: no app has that name, or a name or value cannot be an environment variable.
    """
    configured = [each for each in (*config.apps, config.default_app) if each]
    names = [each.name for each in configured]
    if app is not None and app not in names:
        raise ConfigError(f"--env: no app is called {app!r}; the apps are {', '.join(names)}")
    changed = {each.name: _app_with_env(each, env) if app in (None, each.name) else each for each in configured}
    return config.with_changes(
        apps=tuple(changed[each.name] for each in config.apps),
        default_app=config.default_app and changed[config.default_app.name],
    )


def _app_with_env(app: AppConfig, env: Mapping[str, str]) -> AppConfig:
    try:
        return AppConfig.model_validate({**app.model_dump(exclude_defaults=True), "env": {**app.env, **env}})
    except ValidationError as error:
        raise ConfigError(f"the environment of {app.name}: {_reason(error.errors(include_url=False)[0])}") from None


def inherited_environment() -> dict[str, str]:
    """Return the variables that the process of an app or a function inherits from the caller's environment."""
    inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    if folders := inherited.get("PYTHONPATH"):  # the process has another working directory
        inherited["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, folders.split(os.pathsep)))
    return inherited


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not TOML: {error}") from None


def _first_problem(error: ValidationError) -> str:
    """The first validation error as one sentence that begins with the table and the key."""
    details = error.errors(include_url=False)
    # An unknown key is often the misspelt name of a missing one: it explains more.
    detail = next((detail for detail in details if detail["type"] == "extra_forbidden"), details[0])
    location = [str(part) for part in detail["loc"] if part != "[key]"]
    table, model = _TABLE, ProjectTable.model_fields
    if len(location) > 1 and location[0] == "apps":
        table, model = f"[tool.routegen.apps.{location[1]}]", AppTable.model_fields
        location = location[2:]
    if detail["type"] == "extra_forbidden":
        keys = [field.alias or name for name, field in model.items()]
        nearest = difflib.get_close_matches(location[-1], keys, n=1, cutoff=0.0)[0]
        return f"{table}: unknown key {shorten(str(location[-1]))!r}; the nearest known key is {nearest!r}"
    if detail["type"] == "missing":
        return f"{table}: {location[-1]} is missing"
    place = f"{location[0]}[{location[1]}]" if location[1:] and location[1].isdecimal() else ": ".join(location[:2])
    return f"{table}: {place}: {_reason(detail)}" if place else f"{table}: {_reason(detail)}"


_EXPECTED = {
    "model_type": "a table",
    "dict_type": "a table",
    "tuple_type": "a list of paths",
    "string_type": "a text",
    **dict.fromkeys(
        ("float_type", "greater_than", "less_than_equal", "finite_number"),
        f"a number of seconds above 0 and up to {MAX_TIMEOUT:,}",
    ),
}


def _reason(detail: Any) -> str:
    """Why a value is wrong: `must be a text, is 1`."""
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    expected = detail["ctx"]["expected"] if detail["type"] == "literal_error" else _EXPECTED.get(detail["type"])
    if expected is None:
        return f"{detail['msg'][0].lower()}{detail['msg'][1:]}"
    value = detail["input"]
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return f"must be {expected}, is {shorten(text)}"
