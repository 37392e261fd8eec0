"""`routegen verify`."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from routegen.cli.options import debug_option, manifest_option, manifest_path
from routegen.cli.reports import explain_option, fail_on_option, report_format_option, show_report
from routegen.errors import ConfigError

if TYPE_CHECKING:
    from routegen.manifest import Manifest
    from routegen.report import FailOn
    from routegen.report.writers import Format
    from routegen.verify.answers import Answer, Failure
    from routegen.verify.clients import Client
    from routegen.verify.run import Wanted

_EPILOG = """\b
Examples:
  routegen verify https://dev.wikibot.io --wiki-path /Home
  routegen verify http://127.0.0.1:8000 --format junit > verify.xml
  routegen verify --manifest generated/routes.json
  routegen verify --explain RG030

\b
Exit code 0: nothing wrong; 1: a finding of the level of --fail-on, or above it.
"""

# All requests together may take as many times the time of one.
_OVERALL = 6
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1


@click.command(epilog=_EPILOG)
@click.argument("url", required=False, metavar="[URL]")
@manifest_option
@click.option("--wiki-path", "wiki_paths", multiple=True, metavar="PATH", help="A page behind $default.  Repeatable.")
@click.option(
    "--token",
    envvar="ROUTEGEN_TOKEN",
    show_envvar=True,
    metavar="TOKEN",
    help="An access token: the MCP endpoint is asked with it too.  Better in the environment.",
)
@click.option("--client", "clients", multiple=True, metavar="NAME", help="Whose verdict to tell.  Repeatable.")
@report_format_option
@fail_on_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="For one answer; all together may take six times as long.",
)
@click.option("--register", is_flag=True, help="Register a client, which stays registered.")
@click.option("--allow-private", is_flag=True, help="Let the deployment name servers in a private network.")
@explain_option
@debug_option
def verify(
    url: str | None,
    manifest: Path | None,
    wiki_paths: tuple[str, ...],
    token: str | None,
    clients: tuple[str, ...],
    format_: "Format",
    fail_on: "FailOn",
    timeout: float,
    register: bool,
    allow_private: bool,
) -> int:
    """Walk a running deployment as its clients do, and say what is wrong and what to do.

    URL is the deployment's or its MCP endpoint's. The routes are compared with the manifest, the sign-in is followed
    from the challenge to the keys, and each known client's outcome is foretold. Nothing is changed: GET, HEAD,
    OPTIONS, and one POST to the MCP endpoint without a token.

    Without URL, nothing is asked: what each client will meet is told from the manifest.
    """
    if url is None:
        if wiki_paths or register or allow_private:
            raise ConfigError("--wiki-path, --register and --allow-private go with URL")
        return _offline(manifest_path(manifest), clients, format_, fail_on)
    if find_spec("httpcore2") is None:
        raise ConfigError("routegen verify needs httpcore2: pip install routegen[verify]")
    from routegen.verify.fetch import INITIALIZE, Fetcher, Limits  # noqa: PLC0415 - heavy, and only used here
    from routegen.verify.guard import Guard  # noqa: PLC0415
    from routegen.verify.run import verify as run  # noqa: PLC0415

    guard = Guard.around(url, allow_private=allow_private)
    read, source = _manifest_for_url(manifest)
    wanted = _wanted(url, read, source, wiki_paths, clients, fail_on, register=register)
    fetcher = Fetcher(
        guard,
        Limits(timeout, timeout * _OVERALL),
        posts={wanted.mcp_url: INITIALIZE},
        token=_checked_token(token, wanted.mcp_url),
        told=_progress if sys.stderr.isatty() else lambda _: None,
    )
    return show_report(run(wanted, fetcher), format_)


def _offline(file: Path, clients: tuple[str, ...], format_: "Format", fail_on: "FailOn") -> int:
    from routegen.manifest import read_manifest  # noqa: PLC0415 - pydantic, and only used here
    from routegen.verify.offline import foresee  # noqa: PLC0415

    return show_report(foresee(read_manifest(file), str(file), _chosen(clients), fail_on), format_)


def _manifest_for_url(option: Path | None) -> "tuple[Manifest | None, str]":
    """The manifest to compare with; None outside of a project, where only the sign-in can be followed."""
    from routegen.manifest import read_manifest  # noqa: PLC0415 - pydantic, and only used here

    try:
        file = manifest_path(option)
    except ConfigError as error:
        if "no pyproject.toml" not in str(error):
            raise
        click.echo("routegen: no manifest, so no routes are compared; --manifest names one", err=True)
        return None, ""
    return read_manifest(file), str(file)


def _wanted(
    url: str,
    manifest: "Manifest | None",
    source: str,
    wiki_paths: tuple[str, ...],
    clients: tuple[str, ...],
    fail_on: "FailOn",
    *,
    register: bool,
) -> "Wanted":
    from routegen.verify.checks.routes import Deployment  # noqa: PLC0415 - as above
    from routegen.verify.guard import origin_of  # noqa: PLC0415
    from routegen.verify.offline import mcp_path  # noqa: PLC0415
    from routegen.verify.run import Wanted  # noqa: PLC0415

    for path in wiki_paths:
        if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
            raise ConfigError(f"--wiki-path: {path!r} is not a path like /Home, percent-encoded where it has to be")
    parts = urlsplit(url)
    origin, given = origin_of(parts), parts.path.rstrip("/")
    known = mcp_path(manifest, source) if manifest else given or "/mcp"
    if given and not given.endswith(known):
        raise ConfigError(f"URL: its path is {given!r}, which doesn't end in the manifest's MCP endpoint {known!r}")
    base = origin + given.removesuffix(known)
    deployment = Deployment(base, manifest) if manifest else None
    return Wanted(base + known, base, deployment, wiki_paths, _chosen(clients), register=register, fail_on=fail_on)


def _chosen(names: tuple[str, ...]) -> "tuple[Client, ...]":
    from routegen.verify.clients import CLIENTS  # noqa: PLC0415 - as above

    known = {client.id: client for client in CLIENTS}
    for name in names:
        if name not in known:
            raise ConfigError(f"--client: {name!r} is not one of {', '.join(known)}")
    return tuple(known[name] for name in names) or CLIENTS


def _checked_token(token: str | None, mcp_url: str) -> str | None:
    """The token, if it may be sent; the errors don't show it."""
    from routegen.verify.chain import is_secure  # noqa: PLC0415 - as above

    if token is not None and not _B64TOKEN.fullmatch(token):
        raise ConfigError("--token: it has a character that no access token has (RFC 6750, section 2.1)")
    if token is not None and not is_secure(mcp_url):
        raise ConfigError(f"--token: it is not sent to {mcp_url}, which is not https")
    return token


def _progress(answer: "Answer | Failure") -> None:
    from routegen.verify.answers import Failure  # noqa: PLC0415 - as above

    said = answer.kind if isinstance(answer, Failure) else str(answer.status)
    click.echo(f"{answer.method:<7} {answer.url}  {said}", err=True)
