"""Options that several commands share, each as one decorator."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

from routegen.cli.env_file import read_env_file
from routegen.cli.failures import State
from routegen.config import DEFAULT_TIMEOUT, MAX_TIMEOUT, Config, config_for_app, find_project, read_config, with_env
from routegen.errors import ConfigError


class NumberBetween(click.ParamType[Any]):
    """A number from a minimum to a maximum; both are allowed, and an error names them."""

    def __init__(self, minimum: float, maximum: float) -> None:
        self.name = "integer" if isinstance(minimum, int) else "float"
        self.minimum, self.maximum = minimum, maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; click calls this with each value and with the default."""
        try:
            number = type(self.minimum)(value)
        except ValueError:
            number = None
        if number is None or not self.minimum <= number <= self.maximum:  # NaN is in no range
            noun = "a whole number" if self.name == "integer" else "a number"
            self.fail(f"{str(value)!r} is not {noun} from {self.minimum:g} to {self.maximum:,}", param, ctx)
        return number


def _remember_project(context: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    context.ensure_object(State).project = folder


project_option = click.option(
    "-C",
    "--project",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    metavar="DIR",
    expose_value=False,
    callback=_remember_project,
    help="The folder of the project: APP and [tool.routegen] are searched there.  [default: the working directory]",
)


def manifest_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --manifest, and --project, whose configuration names the manifest."""
    return click.option(
        "--manifest",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The manifest.  [default: `manifest` of [tool.routegen]]",
    )(project_option(command))


def env_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --env and --env-file, which the command gets as `variables` and `env_files`."""
    variables = click.option(
        "--env",
        "variables",
        multiple=True,
        metavar="[APP:]NAME[=VALUE]",
        help="Set a variable in the environment of the apps, or of one app; without VALUE, to your value.  Repeatable.",
    )
    env_files = click.option(
        "--env-file",
        "env_files",
        type=click.Path(path_type=Path, dir_okay=False),
        multiple=True,
        metavar="FILE",
        help="Set the environment variables of the apps that FILE lists as NAME=VALUE lines.  Repeatable.",
    )
    return variables(env_files(command))


output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE, all of it or nothing, instead of stdout.",
)

data_format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: for scripts.",
)


_AWS_OPTIONS = (
    click.option("--api-id", metavar="ID", help="The API's id."),
    click.option("--api-name", metavar="NAME", help="The API's name."),
    click.option("--stage", default="$default", show_default=True, metavar="NAME", help="The stage that clients use."),
    click.option("--profile", metavar="NAME", help="The profile of the AWS configuration."),
    click.option("--region", metavar="NAME", help="The AWS region."),
)


def aws_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name a deployed API and the access to AWS."""
    for option in reversed(_AWS_OPTIONS):
        command = option(command)
    return command


def name_value_pairs(option: str, form: str, texts: Iterable[str]) -> dict[str, str]:
    """The values of a repeatable option, by name.

    Args:
        option: the option, for the error message.
        form: the form of a value, such as `NAME=VALUE`.
        texts: the values.

    Raises:
        ConfigError: a value does not have the form.
    """
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ConfigError(f"{option}: {text!r} is not {form}")
        pairs[name] = value
    return pairs


def collect_options(
    parameter: str, model: Any, options: tuple[Callable[..., Any], ...]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds options, which the command gets together as one parameter: a dataclass `model`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_collected_options(**values: Any) -> Any:
            collected = model(**{field.name: values.pop(field.name) for field in fields(model)})
            return command(**{parameter: collected}, **values)

        decorated: Callable[..., Any] = with_collected_options
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


@dataclass(frozen=True)
class AppOptions:
    """What the command line says about the apps; None or empty where it says nothing."""

    app: str | None
    name: str | None
    default: str | None
    own: tuple[str, ...]
    unsupported: str | None
    timeout: float | None
    variables: tuple[str, ...] = ()
    env_files: tuple[Path, ...] = ()

    @property
    def words(self) -> list[str]:
        """APP and the options that go with it, as on a command line."""
        pairs = [("--name", self.name), ("--default", self.default), *(("--own", path) for path in self.own)]
        pairs.append(("--unsupported", self.unsupported))
        return [self.app or "", *(word for option, value in pairs if value for word in (option, value))]

    @property
    def env_words(self) -> list[str]:
        """The options of the environment, as on a command line."""
        pairs = [("--env-file", os.fspath(file)) for file in self.env_files]
        pairs += [("--env", variable) for variable in self.variables]
        return [word for pair in pairs for word in pair]


_APP_OPTIONS = (
    click.argument("app", required=False, metavar="[APP]"),
    click.option("--name", metavar="NAME", help="The name of APP in the manifest.  [default: app]"),
    click.option("--default", metavar="NAME", help="The app behind $default, with APP.  [default: default]"),
    click.option("--own", metavar="PATH", multiple=True, help="APP owns this path and all below it.  Repeatable."),
    click.option(
        "--unsupported",
        type=click.Choice(["refuse", "warn"]),
        help="A path of APP that a route key cannot express: exit code 5, or leave it out and warn.  [default: refuse]",
    ),
    click.option(
        "--timeout",
        type=NumberBetween(0.001, MAX_TIMEOUT),
        metavar="SECONDS",
        help="The time that an app has for its import.  [default: `timeout` of [tool.routegen], else 60]",
    ),
    env_options,
)


app_options = collect_options("apps", AppOptions, _APP_OPTIONS)
"""Add APP and the options that belong to it; the command gets them together, as `apps`."""


def project_folder() -> Path:
    """The folder of --project, or the working directory."""
    return click.get_current_context().ensure_object(State).project or Path.cwd()


def project_words() -> list[str]:
    """--project, as on a command line; empty if the project is in the working directory."""
    folder = project_folder()
    return [] if folder == Path.cwd() else ["--project", os.path.relpath(folder)]


def project_config() -> Config:
    """The configuration of the project that the folder of --project, or the working directory, is in."""
    return read_config(find_project(project_folder()))


def configuration(apps: AppOptions) -> Config:
    """The configuration that the options ask for.

    Raises:
        ConfigError: the options contradict each other, or `[tool.routegen]` is missing or wrong.
    """
    return with_variables(_configuration(apps), apps.variables, apps.env_files)


def _configuration(apps: AppOptions) -> Config:
    if apps.app is None:
        if apps.words != [""]:
            raise ConfigError(f"{apps.words[1]}: it goes with APP; without APP, [tool.routegen] names the apps")
        config = project_config()
        return config if apps.timeout is None else config.with_changes(timeout=apps.timeout)
    return config_for_app(
        apps.app,
        name=apps.name if apps.name is not None else "app",
        default=apps.default if apps.default is not None else "default",
        own=apps.own,
        unsupported=apps.unsupported or "refuse",
        timeout=apps.timeout or DEFAULT_TIMEOUT,
        root=project_folder(),
    )


def with_variables(config: Config, variables: tuple[str, ...], env_files: tuple[Path, ...]) -> Config:
    """The configuration with the environment variables of --env-file and --env, which has priority.

    Raises:
        ConfigError: a variable has no name or no value, no app has the name, or a file cannot be read.
    """
    for file in env_files:
        config = with_env(config, None, read_env_file(file))
    for variable in variables:
        key, equals, value = variable.partition("=")
        app, colon, name = key.rpartition(":")
        if not name or (colon and not app):
            raise ConfigError(f"--env: {variable!r} is not NAME=VALUE, NAME or APP:NAME=VALUE")
        config = with_env(config, app or None, {name: value if equals else variable_of_caller(name)})
    return config


def variable_of_caller(name: str) -> str:
    """The value of a variable in the caller's environment.

    Raises:
        ConfigError: it has none.
    """
    if name not in os.environ:
        raise ConfigError(f"--env: {name!r} has no value, and {name} is not in your environment either")
    return os.environ[name]


def manifest_path(option: Path | None, config: Config | None = None) -> Path:
    """The manifest to read: the option or the configured file, relative to the working directory if it is below it.

    Raises:
        ConfigError: neither the option nor a configuration names a manifest.
    """
    if option is not None:
        return option
    path = (config or project_config()).manifest
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
