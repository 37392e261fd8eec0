"""`[tool.routegen]` in pyproject.toml, read into frozen data.

In: a pyproject.toml. Out: `Config`. Checked by hand rather than by pydantic: an extraction starts the app's
process as soon as it knows the configuration, and importing pydantic first would delay that by a tenth of a
second (`dev/benchmarks/bench_command_startup.py`).
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from routegen.errors import ConfigError

DEFAULT_TIMEOUT = 60.0
"""Seconds that an app may take to be imported."""

T = TypeVar("T")
Methods = Literal["any", "exact"]
Uncarried = Literal["refuse", "warn"]


@dataclass(frozen=True)
class AppConfig:
    """One app behind the gateway.

    Attributes:
        name: what the manifest calls it.
        target: `path/to/file.py:attribute` or `package.module:attribute`.
        root: the directory that relative paths start from.
        handler: the Lambda handler, `module.function`, where it is configured.
        path: the directory that the handler is imported from, where it is configured.
        own: paths that the app owns, with all below them.
        env: the environment that the app sees.
        methods: `any` gives each path one `ANY` key; `exact` one key a method.
        uncarried: `refuse` ends an extraction when the app serves what the gateway can't carry; `warn` leaves it
            out and says so.
    """

    name: str
    target: str
    root: Path
    handler: str | None = None
    path: str | None = None
    own: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    methods: Methods = "any"
    uncarried: Uncarried = "refuse"


@dataclass(frozen=True)
class Config:
    """A project's configuration.

    Attributes:
        default: the app behind `$default`.
        manifest: the manifest's file.
        apps: the apps to extract, by name; the default app is not among them.
        default_app: the app behind `$default`, where it is configured too.
        timeout: seconds that an app may take to be imported.
        packages: a directory whose packages come before those of the environment.
    """

    default: str
    manifest: Path
    apps: tuple[AppConfig, ...]
    default_app: AppConfig | None = None
    timeout: float = DEFAULT_TIMEOUT
    packages: Path | None = None


def find_project(start: Path) -> Path:
    """The nearest pyproject.toml with a `[tool.routegen]`, from `start` upwards.

    Raises:
        ConfigError: there is none, or one on the way can't be read.
    """
    for directory in (start, *start.parents):
        file = directory / "pyproject.toml"
        if file.is_file() and "routegen" in _read(file).get("tool", {}):
            return file
    raise ConfigError(
        f"no pyproject.toml with a [tool.routegen] in {start} or above it; add one, "
        "or name the app: routegen extract path/to/file.py:app"
    )


def read_config(file: Path) -> Config:
    """Read and check `[tool.routegen]` of a pyproject.toml.

    Raises:
        ConfigError: unreadable, an unknown key, a value of the wrong type; the text names the key.
    """
    table = _read(file).get("tool", {}).get("routegen")
    where = "[tool.routegen]"
    try:
        _table(where, table)
        _known(where, table, ("manifest", "default", "apps", "timeout"))
        default = _take(where, table, "default", check_name)
        apps = _take(where, table, "apps", _table)
        read = {name: _app(name, apps[name], file.parent) for name in apps}
        timeout = _take(where, table, "timeout", _seconds, DEFAULT_TIMEOUT)
        manifest = _take(where, table, "manifest", _text, "generated/routes.json")
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    extracted = tuple(app for name, app in read.items() if name != default)
    if not extracted:
        raise ConfigError(f"{file}: {where}: apps names no app beside the default {default!r}, so there is no route")
    return Config(default, file.parent / manifest, extracted, read.get(default), timeout)


def with_env(config: Config, app: str, env: Mapping[str, str]) -> Config:
    """The configuration with some of an app's environment replaced.

    Args:
        config: as it was read.
        app: the app's name; the default app's too.
        env: what to add or replace.

    Raises:
        ConfigError: no app has that name, or a name or value can't be an environment variable.
    """
    env = _environment(f"the environment of {app}", dict(env))
    apps = {one.name: one for one in (*config.apps, config.default_app) if one}
    if app not in apps:
        raise ConfigError(f"no app is called {app!r}; [tool.routegen.apps] has {', '.join(apps)}")
    changed = replace(apps[app], env={**apps[app].env, **env})
    if changed.name == config.default:
        return replace(config, default_app=changed)
    return replace(config, apps=tuple(changed if one.name == app else one for one in config.apps))


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"{file}: can't be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not TOML: {error}") from None


def _app(name: str, table: Any, root: Path) -> AppConfig:
    where = f"[tool.routegen.apps.{name}]"
    check_name(where, name)
    _table(where, table)
    _known(where, table, ("app", "handler", "path", "own", "env", "methods", "uncarried"))
    return AppConfig(
        name=name,
        target=_take(where, table, "app", _text),
        root=root,
        handler=_take(where, table, "handler", _text, None),
        path=_take(where, table, "path", _text, None),
        own=_take(where, table, "own", _paths, ()),
        env=_take(where, table, "env", _environment, {}),
        methods=_take(where, table, "methods", _one_of(get_args(Methods)), "any"),
        uncarried=_take(where, table, "uncarried", _one_of(get_args(Uncarried)), "refuse"),
    )


_REQUIRED: Any = object()


def _take(where: str, table: Mapping[str, Any], key: str, check: Callable[[str, Any], T], default: T = _REQUIRED) -> T:
    if key in table:
        return check(f"{where}: {key}", table[key])
    if default is _REQUIRED:
        raise ConfigError(f"{where}: {key} is missing")
    return default


def _known(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise ConfigError(f"{where}: unknown key {key!r}; the nearest known one is {near!r}")


def _table(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: must be a table, is {value!r}")
    return value


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where}: must be a text that isn't empty, is {value!r}")
    return value


def check_name(where: str, value: Any) -> str:
    """An app's name, or a ConfigError that says where and why it isn't one."""
    text = _text(where, value)
    if not text.isascii() or not text[0].isalnum() or not all(c.isalnum() or c in "-_" for c in text):
        raise ConfigError(f"{where}: {text!r} is not a name: letters, digits, '-' and '_', the first not a sign")
    return text


def _paths(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
        raise ConfigError(f"{where}: must be a list of paths, is {value!r}")
    return tuple(own_path(where, path) for path in value)


def own_path(where: str, path: str) -> str:
    """A path that an app may own, or a ConfigError that says where and why it can't."""
    if not path.startswith("/") or path == "/" or path.endswith("/") or "{" in path:
        raise ConfigError(
            f"{where}: {path!r} is not a literal path like '/mcp': from '/', not '/' itself, no final '/'"
        )
    return path


def _environment(where: str, value: Any) -> dict[str, str]:
    for key, text in _table(where, value).items():
        if not isinstance(text, str):
            raise ConfigError(f"{where}: {key}: must be a text, is {text!r}")
        if not key or "=" in key or "\0" in key + text:
            raise ConfigError(f"{where}: {key!r} can't be an environment variable")
    return dict(value)


def _one_of(words: tuple[str, ...]) -> Callable[[str, Any], Any]:
    def check(where: str, value: Any) -> str:
        if value not in words:
            raise ConfigError(f"{where}: must be {' or '.join(map(repr, words))}, is {value!r}")
        return str(value)

    return check


def _seconds(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError(f"{where}: must be a number of seconds above 0, is {value!r}")
    return float(value)
