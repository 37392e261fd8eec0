"""`routegen init`."""

import os
import re
import shlex
import sys
from pathlib import Path, PurePosixPath

import click

from routegen.cli.env_file import read_env_file
from routegen.cli.options import (
    NumberBetween,
    env_options,
    project_folder,
    project_option,
    project_words,
    variable_of_caller,
    with_variables,
)
from routegen.cli.output import emit, show_progress
from routegen.config import config_for_app
from routegen.errors import ConfigError
from routegen.init.app_probe import AppProbe, probe_app
from routegen.init.configuration_text import add_configuration, configuration_text, project_file, read_project_file
from routegen.init.gateway_snippets import find_gateway_tools, gateway_snippet
from routegen.init.source_search import MCP_KINDS, FoundApp, find_apps

_EPILOG = """\b
Examples:
  routegen init
  routegen init server.py:app --name mcp --default site
  routegen init --dry-run
  routegen init server.py:app --env BASE_URL=https://tools.example.org --env-file .env
"""

_PLAIN_NAMES = {
    "app", "application", "asgi", "handler", "index", "lambda_function", "main", "server", "__init__", "src"
}  # fmt: skip


@click.command("init", epilog=_EPILOG)
@click.argument("app", required=False, metavar="[APP]")
@click.option("--name", metavar="NAME", help="The name of APP in the manifest.  [default: mcp, or from its file]")
@click.option("--default", metavar="NAME", help="The app behind $default.  [default: none: the gateway answers 404]")
@click.option("--manifest", metavar="FILE", help="The manifest to configure.  [default: generated/routes.json]")
@env_options
@project_option
@click.option("--dry-run", is_flag=True, help="Write the configuration to stdout, and change no file.")
def command(
    app: str | None,
    name: str | None,
    default: str | None,
    manifest: str | None,
    variables: tuple[str, ...],
    env_files: tuple[Path, ...],
    dry_run: bool,
) -> None:
    """Write a first [tool.routegen] for a repository.

    The command finds the apps in the sources, or takes APP, imports the app, and writes the configuration to
    pyproject.toml, with an invented value for each environment variable that the import needs. From --env-file, and
    from --env NAME, it takes only the form of a value. It changes no existing configuration.
    """
    file = project_file(project_folder())
    text = read_project_file(_shown(file))
    chosen_app = _choose_app(app, file.parent)
    name = name or _ask("Name of the app in the manifest", _proposed_name(chosen_app))
    default = (
        default or _ask("Name of the app that gets all other requests (empty: the gateway answers 404)", "") or None
    )
    manifest = manifest or _ask("Manifest", "generated/routes.json")
    config = config_for_app(chosen_app.target, name=name, default=default, root=file.parent)
    config = with_variables(config, tuple(variable for variable in variables if "=" in variable), ())
    handler, path = _handler_of(chosen_app, file.parent)
    configured = config.apps[0].model_copy(update={"handler": handler, "path": path})
    hints = _hints(variables, env_files)
    show_progress(f"importing {chosen_app.target}")
    probe = probe_app(configured, config, hints)
    click.echo(f"{name}: {chosen_app.target} ({chosen_app.kind})", err=True)
    _show_variables(probe, [variable for variable in probe.app.env if variable not in configured.env])
    tables = configuration_text(probe.app, default, manifest, probe.optional_variables)
    if dry_run:
        emit(tables)
    else:
        add_configuration(_shown(file), text, tables)
        (file.parent / manifest).parent.mkdir(parents=True, exist_ok=True)
        click.echo(f"wrote [tool.routegen] to {_shown(file)}", err=True)
    _show_next_steps(file.parent, manifest, [name, *([default] if default else [])])


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask(question: str, default: str) -> str:
    """The user's answer on a terminal; the default without one."""
    return click.prompt(question, default=default, err=True) if _is_terminal() else default


def _choose_app(target: str | None, root: Path) -> FoundApp:
    """The app that the command line names, or the only one in the sources, or the one that the user chooses.

    Raises:
        ConfigError: there is no app, or there are several and no terminal.
    """
    apps = find_apps(root)
    if target is not None:
        module, _, attribute = target.partition(":")
        if module.endswith(".py") or "/" in module:
            module = Path(os.path.relpath(project_folder() / module, root)).as_posix()
        named_app = FoundApp(PurePosixPath(module), attribute, "named on the command line")
        return next((app for app in apps if app.target == named_app.target), named_app)
    if not apps:
        raise ConfigError(
            f"APP: no Python file in {root} makes an app of FastMCP, the MCP SDK, Starlette or FastAPI; "
            "name the app: routegen init path/to/file.py:attribute"
        )
    if len(apps) == 1:
        return apps[0]
    if not _is_terminal():
        listed = ", ".join(f"{app.target} ({app.kind})" for app in apps)
        raise ConfigError(f"APP: there are several apps: {listed}; name one: routegen init {apps[0].target}")
    for number, app in enumerate(apps, 1):
        click.echo(f"  {number}  {app.target} ({app.kind})", err=True)
    chosen_number: int = click.prompt("Which app", type=NumberBetween(1, len(apps)), default=1, err=True)
    return apps[chosen_number - 1]


def _proposed_name(app: FoundApp) -> str:
    """`mcp` for an MCP server; else the first word of the file's path that says more than `app`."""
    if app.kind in MCP_KINDS:
        return "mcp"
    words = [re.sub(r"[^A-Za-z0-9_-]+", "-", word).strip("-_") for word in (app.file.stem, *app.file.parts[-2::-1])]
    return next((word for word in words if word and word not in _PLAIN_NAMES), "app")


def _handler_of(app: FoundApp, root: Path) -> tuple[str | None, str | None]:
    """The Lambda handler of the app's module, and the folder that it is imported from."""
    if app.handler is None:
        return None, None
    folder, module = (root / app.file).parent, app.file.stem
    while (folder / "__init__.py").is_file():
        folder, module = folder.parent, f"{folder.name}.{module}"
    path = folder.relative_to(root).as_posix()
    return f"{module}.{app.handler}", None if path == "." else path


def _hints(variables: tuple[str, ...], env_files: tuple[Path, ...]) -> dict[str, str]:
    """Real values, of which only the form is used."""
    hints = {name: value for file in env_files for name, value in read_env_file(file).items()}
    return hints | {name: variable_of_caller(name) for name in variables if "=" not in name}


def _show_variables(probe: AppProbe, invented: list[str]) -> None:
    for variable in invented:
        click.echo(f"{variable} is not set, so it gets an invented value", err=True)
    if probe.path_variables:
        names = ", ".join(probe.path_variables)
        click.echo(
            f"the paths depend on {names}; stages with different values need a manifest each: "
            f"routegen extract --env {probe.path_variables[0]}=VALUE -o STAGE.json",
            err=True,
        )


def _shown(file: Path) -> Path:
    """The file as messages show it: relative to the working directory if it is below it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _show_next_steps(root: Path, manifest: str, apps: list[str]) -> None:
    tools = find_gateway_tools(root)
    for tool in tools:
        click.echo(f"\nthe routes in {tool}:\n\n{gateway_snippet(tool, manifest, apps)}", err=True)
    if not tools:
        click.echo("the routes in your gateway: `routegen render --list` shows the tools", err=True)
    click.echo(f"next: {shlex.join(['routegen', 'extract', *project_words(), '--write'])}", err=True)
