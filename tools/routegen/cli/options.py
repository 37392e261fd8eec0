"""Options that several commands share, each one decorator, and what they mean together."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from routegen.errors import ConfigError

if TYPE_CHECKING:
    from routegen.config import Config

F = TypeVar("F", bound=Callable[..., Any])


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


def app_options(command: F) -> F:
    """APP, --name, --default and --timeout: which apps to import."""
    decorators = [
        click.argument("app", required=False, metavar="[APP]"),
        click.option("--name", metavar="NAME", help="What the manifest calls APP.  [default: app]"),
        click.option("--default", metavar="NAME", help="The app behind $default, with APP.  [default: default]"),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="How long an app may take to be imported.  [default: `timeout` of [tool.routegen], else 60]",
        ),
    ]
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def configuration(app: str | None, name: str | None, default: str | None, timeout: float | None) -> "Config":
    """What the options of `app_options` ask for.

    Raises:
        ConfigError: they don't fit together, or `[tool.routegen]` is missing or wrong.
    """
    # Here, not above: `routegen --help` and the shell's completion need no TOML parser.
    from dataclasses import replace  # noqa: PLC0415

    from routegen.config import DEFAULT_TIMEOUT, AppConfig, Config, check_name, find_project, read_config  # noqa: PLC0415

    here = Path.cwd()
    if app is None:
        if name is not None or default is not None:
            raise ConfigError("--name and --default go with APP; without APP, [tool.routegen] names the apps")
        config = read_config(find_project(here))
        return config if timeout is None else replace(config, timeout=timeout)
    name = check_name("--name", name if name is not None else "app")
    default = check_name("--default", default if default is not None else "default")
    if name == default:
        raise ConfigError(f"--name and --default are both {name!r}; the app behind $default has no routes of its own")
    one = AppConfig(name=name, target=app, root=here)
    return Config(default, here / "generated" / "routes.json", (one,), timeout=timeout or DEFAULT_TIMEOUT)


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
