"""`routegen extract`."""

import os
from pathlib import Path

import click

from routegen.cli.options import AppOptions, app_options, configuration, manifest_path, output_option, project_option
from routegen.cli.output import show_progress, warn, write_output
from routegen.config import Config
from routegen.errors import ConfigError, RoutegenError, UnsupportedRouteError
from routegen.extract import Extraction, extract
from routegen.manifest import dump_manifest
from routegen.prove.compare_requests import Disagreement
from routegen.prove.prove_apps import find_disagreements

_EPILOG = """\b
Examples:
  routegen extract --write
  routegen extract -o routes.json
  routegen extract server.py:app --name mcp --default wiki
"""


@click.command("extract", epilog=_EPILOG)
@app_options
@project_option
@output_option
@click.option("--write", is_flag=True, help="Write to the manifest that [tool.routegen] names.")
def command(apps: AppOptions, output: Path | None, write: bool) -> None:
    """Import the apps and write their manifest.

    APP is path/to/file.py:attribute or package.module:attribute; the attribute may be a factory. Without APP, the apps
    that [tool.routegen] in pyproject.toml names are imported. Everything that an app prints goes to stderr.
    """
    if write and output:
        raise ConfigError("--write: it names the output as -o does; give one of them")
    config = configuration(apps)
    if write:
        output = manifest_path(None, config)
    show_progress(f"importing {', '.join(app.target for app in config.apps if app.target)}")
    try:
        extraction = extract(config)
        _refuse_disagreements(config, extraction)
    except RoutegenError:
        if output is None:
            _explain_emptied_manifest(config)
        raise
    warn(unsupported.text for unsupported in extraction.unsupported)
    write_output(dump_manifest(extraction.manifest), output, f"{len(extraction.manifest.routes)} routes")


def _refuse_disagreements(config: Config, extraction: Extraction) -> None:
    """Refuse apps that serve the same path, or warn if that is their policy.

    Raises:
        UnsupportedRouteError: an app serves a request that another app gets, and its policy is to refuse.
    """
    policies = {app.name: app.unsupported for app in config.apps}
    for disagreement in find_disagreements(config, extraction):
        text = f"{disagreement.kind}: {disagreement.app}: {disagreement.text}"
        if policies[disagreement.app] == "refuse":
            raise UnsupportedRouteError(f"{text}; {_remedy(disagreement)}")
        warn([text])


def _remedy(disagreement: Disagreement) -> str:
    _, _, path = (disagreement.route_key or "").partition(" ")
    claim = (
        f'routes = ["{path}"] in [tool.routegen.apps.{disagreement.goes_to}] says that this is right; ' if path else ""
    )
    warning = f'unsupported = "warn" in [tool.routegen.apps.{disagreement.app}]'
    return f"{claim}--unsupported warn, or {warning}, accepts it"


def _explain_emptied_manifest(config: Config) -> None:
    """Say how to get the manifest back after `extract > MANIFEST`, for which the shell empties the file first."""
    try:
        is_manifest = os.path.samestat(os.fstat(1), config.manifest.stat())
    except OSError:
        return
    if is_manifest:
        name = config.manifest.name
        click.echo(
            f"routegen: the shell's `>` has emptied {name}; `git restore {config.manifest}` brings it back, "
            f"and `routegen extract -o` keeps the old file when the extraction fails",
            err=True,
        )
