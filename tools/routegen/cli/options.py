"""Options that several commands share, each one decorator, and what they mean together."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from routegen.errors import ConfigError

if TYPE_CHECKING:
    from routegen.config import Config


def _remember_debug(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.obj.debug = True


debug_option = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_remember_debug,
    help="With an error, show the traceback too.",
)

manifest_option = click.option(
    "--manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The manifest; without it, what [tool.routegen] names.",
)


@dataclass(frozen=True)
class AppOptions:
    """What a user has said of the apps; None or empty where nothing was said."""

    app: str | None
    name: str | None
    default: str | None
    own: tuple[str, ...]
    uncarried: Literal["refuse", "warn"] | None
    timeout: float | None

    @property
    def words(self) -> list[str]:
        """The same on a command line; the time-out is the machine's and not the app's."""
        pairs = [("--name", self.name), ("--default", self.default), *(("--own", path) for path in self.own)]
        pairs.append(("--uncarried", self.uncarried))
        return [self.app or "", *(word for option, value in pairs if value for word in (option, value))]


_APP_OPTIONS = (
    click.argument("app", required=False, metavar="[APP]"),
    click.option("--name", metavar="NAME", help="What the manifest calls APP.  [default: app]"),
    click.option("--default", metavar="NAME", help="The app behind $default, with APP.  [default: default]"),
    click.option("--own", metavar="PATH", multiple=True, help="APP owns this path and all below it; repeatable."),
    click.option(
        "--uncarried",
        type=click.Choice(["refuse", "warn"]),
        help="What the gateway can't carry of APP: exit code 5, or left out with a warning.  [default: refuse]",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="How long an app may take to be imported.  [default: `timeout` of [tool.routegen], else 60]",
    ),
)


def app_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """APP and what goes with it: the command gets them together, as `apps`."""

    @wraps(command)
    def collected(**values: Any) -> Any:
        apps = AppOptions(**{field.name: values.pop(field.name) for field in fields(AppOptions)})
        return command(apps=apps, **values)

    result: Callable[..., Any] = collected
    for decorator in reversed(_APP_OPTIONS):
        result = decorator(result)
    return result


def configuration(apps: AppOptions) -> "Config":
    """What the options ask for.

    Raises:
        ConfigError: they don't fit together, or `[tool.routegen]` is missing or wrong.
    """
    # Here, not above: `routegen --help` and the shell's completion need no TOML parser.
    from routegen.config import DEFAULT_TIMEOUT, AppConfig, Config, check_name, find_project, own_path, read_config  # noqa: PLC0415

    here = Path.cwd()
    if apps.app is None:
        if apps.words != [""]:
            raise ConfigError(f"{apps.words[1]} goes with APP; without APP, [tool.routegen] names the apps")
        config = read_config(find_project(here))
        return config if apps.timeout is None else replace(config, timeout=apps.timeout)
    name = check_name("--name", apps.name if apps.name is not None else "app")
    default = check_name("--default", apps.default if apps.default is not None else "default")
    if name == default:
        raise ConfigError(f"--name and --default are both {name!r}; the app behind $default has no routes of its own")
    own = tuple(own_path("--own", path) for path in apps.own)
    one = AppConfig(name=name, target=apps.app, root=here, own=own, uncarried=apps.uncarried or "refuse")
    return Config(default, here / "generated" / "routes.json", (one,), timeout=apps.timeout or DEFAULT_TIMEOUT)


def manifest_path(option: Path | None, config: "Config | None" = None) -> Path:
    """The manifest to read: the option, else the configuration's, shown relative to here where it lies below.

    Raises:
        ConfigError: neither the option nor a configuration names one.
    """
    if option is not None:
        return option
    from routegen.config import find_project, read_config  # noqa: PLC0415 - as in `configuration`

    path = (config or read_config(find_project(Path.cwd()))).manifest
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
