"""`routegen explain`."""

from pathlib import Path

import click

from routegen.cli.failures import debug_option
from routegen.cli.options import data_format_option, manifest_option, manifest_path
from routegen.cli.output import emit, emit_json
from routegen.errors import ConfigError
from routegen.manifest import read_manifest
from routegen.manifest.explain import Explainer

_EPILOG = """\b
Examples:
  routegen explain GET /.well-known/oauth-authorization-server
  routegen explain POST /mcp --format json
"""


@click.command("explain", epilog=_EPILOG)
@click.argument("method")
@click.argument("path")
@manifest_option
@data_format_option
@debug_option
def command(method: str, path: str, manifest: Path | None, format_: str) -> None:
    """Say which route key takes a request, which app gets it, and why.

    PATH is as in the request line, percent-encoded; a query is ignored.
    """
    if not method.isalpha() or not method.isascii():
        raise ConfigError(f"METHOD: {method!r} is not an HTTP method")
    if not path.startswith("/"):
        raise ConfigError(f"PATH: {path!r} does not start with '/'")
    explanation = Explainer(read_manifest(manifest_path(manifest))).explain(method.upper(), path)
    if format_ == "json":
        emit_json(vars(explanation))
        return
    role = f" ({explanation.role})" if explanation.role else ""
    emit(
        f"{explanation.method} {explanation.path} goes to {explanation.goes_to}{role}\n"
        f"  route key  {explanation.route_key or ('$default' if explanation.app else 'none')}\n"
        f"  reason     {explanation.reason}\n"
    )
