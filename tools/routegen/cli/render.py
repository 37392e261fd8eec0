"""`routegen render`."""

from pathlib import Path

import click

from routegen.cli.options import manifest_option, manifest_path, name_value_pairs, output_option
from routegen.cli.output import emit, write_output
from routegen.errors import ConfigError
from routegen.manifest import read_manifest
from routegen.render import RenderRequest, find_target, source_name, target_names
from routegen.render import render as render_target

_EPILOG = """\b
Examples:
  routegen render --list
  routegen render nginx -o nginx.conf
  routegen render nginx --set listen=8080 --set upstream.mcp=127.0.0.1:9001
  routegen render markdown -o generated/ROUTES.md
"""
_LIST_NOTE = """\
--set NAME=VALUE sets a variable; the list shows its default. {app} is the name of an app of the manifest, for example
--set upstream.mcp=127.0.0.1:9001. --allow NAME accepts an approximation."""


@click.command("render", epilog=_EPILOG)
@click.argument("target", required=False, metavar="[TARGET]")
@manifest_option
@output_option
@click.option(
    "--set", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable of the target.  Repeatable."
)
@click.option(
    "--allow",
    multiple=True,
    metavar="NAME",
    help="Accept an approximation for a route that the target cannot express.  Repeatable.",
)
@click.option(
    "--template",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="A folder with your own templates; they can extend the packaged ones as 'routegen/TARGET/FILE'.",
)
@click.option("--list", "listing", is_flag=True, help="List the targets with their variables and approximations.")
def command(
    target: str | None,
    manifest: Path | None,
    output: Path | None,
    variables: tuple[str, ...],
    allow: tuple[str, ...],
    template: Path | None,
    listing: bool,
) -> None:
    """Write the routes of the manifest in the language of another tool."""
    if listing:
        _list_targets()
        return
    if target is None:
        raise ConfigError("TARGET: is missing; `routegen render --list` shows the targets")
    find_target(target)
    file = manifest_path(manifest)
    request = RenderRequest(
        target,
        read_manifest(file),
        source_name(file),
        name_value_pairs("--set", "NAME=VALUE", variables),
        frozenset(allow),
        template,
    )
    write_output(render_target(request), output, f"{target}, {len(request.manifest.routes)} routes")


def _list_targets() -> None:
    lines = []
    for name in target_names():
        target = find_target(name)
        lines.append(f"{name:<15} {target.summary}")
        lines += [
            f"{'':<15} --set {key}={variable.default}  {variable.description}"
            for key, variable in target.variables.items()
        ]
        lines += [f"{'':<15} --allow {key}  {consequence}" for key, consequence in target.approximations.items()]
    emit("\n".join(lines) + "\n")
    click.echo(_LIST_NOTE, err=True)
