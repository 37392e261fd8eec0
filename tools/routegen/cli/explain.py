"""`routegen explain`."""

from pathlib import Path

import click
from pydantic import ValidationError
from pydantic_core import Url

from routegen.cli.options import data_format_option, manifest_option, manifest_path
from routegen.cli.output import emit, emit_json
from routegen.errors import ConfigError
from routegen.gateway import METHODS
from routegen.manifest import read_manifest
from routegen.manifest.explain import Explainer

_EPILOG = """\b
Examples:
  routegen explain GET /.well-known/oauth-authorization-server
  routegen explain POST https://dev.wikibot.io/mcp?session=1
  routegen explain POST /mcp --format json
"""


@click.command("explain", epilog=_EPILOG)
@click.argument("method")
@click.argument("request_target", metavar="PATH_OR_URL")
@manifest_option
@data_format_option
def command(method: str, request_target: str, manifest: Path | None, format_: str) -> None:
    """Say which route key takes a request, which app gets it, and why.

    A path is as in the request line, percent-encoded. Of a URL, the path counts that clients request. The query and
    the fragment do not matter.
    """
    if method.upper() not in METHODS:
        raise ConfigError(f"METHOD: {method!r} is not a method of an HTTP API: {', '.join(sorted(METHODS))}")
    path = request_target if request_target.startswith("/") else _path_of_url(request_target)
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


def _path_of_url(text: str) -> str:
    """The path that clients request for a URL: percent-encoded, without `.` and `..` (WHATWG URL standard)."""
    try:
        url = Url(text)
    except ValidationError:
        url = None
    if url is None or url.scheme not in {"http", "https"}:
        raise ConfigError(f"PATH_OR_URL: {text!r} is neither a path such as /mcp nor a URL such as https://host/mcp")
    return url.path or "/"
