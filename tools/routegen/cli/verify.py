"""`routegen verify`."""

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from routegen.cli.options import NumberBetween, manifest_option, manifest_path
from routegen.cli.output import show_progress
from routegen.cli.reports import ReportOptions, report_options, show_report
from routegen.errors import ConfigError, NoProjectError
from routegen.manifest import Manifest, read_manifest
from routegen.manifest.explain import Explainer
from routegen.roles import mcp_endpoint_paths
from routegen.verify.answers import Answer, Failure
from routegen.verify.clients import CLIENTS, McpClient
from routegen.verify.deployment import Deployment
from routegen.verify.fetcher import Fetcher, TimeLimits
from routegen.verify.manifest_prediction import predict_from_manifest
from routegen.verify.mcp_messages import INITIALIZE
from routegen.verify.request_url import is_secure, origin_of
from routegen.verify.ssrf_guard import SsrfGuard
from routegen.verify.verification import VerifyPlan, claims_report, verify

_EPILOG = """\b
Examples:
  routegen verify https://dev.wikibot.io --page /Home
  routegen verify http://127.0.0.1:8000 --format junit > verify.xml
  routegen verify --manifest generated/routes.json
  routegen verify --explain RG030
  routegen verify --clients

\b
Exit code 0: no finding at or above --fail-on; 1: there is one.
"""

# The time limit of all requests together, in multiples of the time limit of one request.
_RUN_LIMIT = 6
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, section 2.1


@click.command("verify", epilog=_EPILOG)
@click.argument("url", required=False, metavar="[URL]")
@manifest_option
@click.option("--page", "pages", multiple=True, metavar="PATH", help="A page of the default app.  Repeatable.")
@click.option(
    "--token",
    envvar="ROUTEGEN_TOKEN",
    show_envvar=True,
    metavar="TOKEN",
    help="An access token, which only the MCP endpoint gets.  Prefer the environment variable.",
)
@click.option("--client", "client_names", multiple=True, metavar="NAME", help="Predict only this client.  Repeatable.")
@click.option("--clients", "lists_clients", is_flag=True, help="List what is known of each client, and stop.")
@report_options
@click.option(
    "--timeout",
    type=NumberBetween(0.001, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="The time limit of one request; all requests together have six times as long.",
)
@click.option("--register", is_flag=True, help="Register a client at the authorization server; it stays registered.")
@click.option("--allow-private", is_flag=True, help="Allow the deployment to name servers in a private network.")
def command(
    url: str | None,
    manifest: Path | None,
    pages: tuple[str, ...],
    token: str | None,
    client_names: tuple[str, ...],
    lists_clients: bool,
    reporting: ReportOptions,
    timeout: float,
    register: bool,
    allow_private: bool,
) -> int:
    """Check a running deployment as MCP clients see it, and report what is wrong and how to fix it.

    URL is the URL of the deployment, or of an MCP endpoint exactly as its clients use it. The command compares the
    routes with the manifest, follows the sign-in from the challenge to the keys, and predicts the outcome for each
    known client. Without --register it changes nothing: it sends GET, HEAD, OPTIONS, and POST to the MCP endpoints.

    Without URL, the command sends no request: it predicts the outcome for each client from the manifest.
    """
    if lists_clients:
        return show_report(claims_report(_chosen_clients(client_names), _today()), reporting)
    if url is None:
        if pages or register or allow_private:
            raise ConfigError("URL: --page, --register and --allow-private need it: routegen verify URL")
        file = manifest_path(manifest)
        clients = _chosen_clients(client_names)
        return show_report(predict_from_manifest(read_manifest(file), str(file), clients, _today()), reporting)
    guard = SsrfGuard.for_url(url, allow_private=allow_private)
    deployed_manifest = _manifest_for_url(manifest)
    mcp_urls, deployment = _locate(url, deployed_manifest, pages)
    fetcher = Fetcher(
        guard,
        TimeLimits(timeout, timeout * _RUN_LIMIT),
        post_bodies=dict.fromkeys(mcp_urls, INITIALIZE),
        token=_checked_token(token, mcp_urls[0]),
        on_answer=_show_answer,
    )
    plan = VerifyPlan(mcp_urls, deployment, _chosen_clients(client_names), register, _today())
    return show_report(verify(plan, fetcher), reporting)


def _manifest_for_url(option: Path | None) -> Manifest | None:
    """The manifest to compare with; None outside of a project, where only the sign-in is checked."""
    try:
        file = manifest_path(option)
    except NoProjectError:
        click.echo("routegen: no manifest, so the routes are not checked; name one with --manifest FILE", err=True)
        return None
    return read_manifest(file)


def _locate(url: str, manifest: Manifest | None, pages: tuple[str, ...]) -> tuple[tuple[str, ...], Deployment]:
    """The URLs of the MCP endpoints, and the deployment, for the URL that the user gives.

    An endpoint's URL is requested exactly as the user writes it, with or without a final slash. Without a manifest, a
    URL without a path means the endpoint `/mcp`. With a manifest, a URL of no endpoint means every endpoint.
    """
    for path in pages:
        if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
            raise ConfigError(f"--page: {path!r} is not a path; write it like /Home, percent-encoded if necessary")
    origin, url_path = origin_of(url), urlsplit(url).path
    if manifest is None:
        endpoint = url_path or "/mcp"
        return (origin + endpoint,), Deployment(origin, None, pages)
    endpoints = mcp_endpoint_paths(manifest.routes)
    route = Explainer(manifest).explain("GET", url_path or "/")
    if route.route_key and route.role != "mcp-endpoint":
        return tuple(origin + path for path in endpoints or ["/mcp"]), Deployment(origin, manifest, pages)
    if url_path and "+}" in (route.route_key or ""):  # an endpoint that answers every path
        return (origin + url_path,), Deployment(origin, manifest, pages)
    matching = [path for path in endpoints if url_path.rstrip("/").endswith(path.rstrip("/")) and path != "/"]
    if matching:
        endpoint = max(matching, key=len)
        base_url = origin + url_path.rstrip("/").removesuffix(endpoint.rstrip("/"))
        return (origin + url_path,), Deployment(base_url, manifest, pages)
    base_url = origin + url_path.rstrip("/")
    return tuple(base_url + path for path in endpoints or ["/mcp"]), Deployment(base_url, manifest, pages)


def _chosen_clients(names: tuple[str, ...]) -> tuple[McpClient, ...]:
    clients = {client.id: client for client in CLIENTS}
    for name in names:
        if name not in clients:
            raise ConfigError(f"--client: {name!r} is not one of {', '.join(clients)}")
    return tuple(clients[name] for name in names) or CLIENTS


def _today() -> date:
    """The day for the review dates; SOURCE_DATE_EPOCH fixes it (reproducible-builds.org)."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() else datetime.now(UTC)).date()


def _checked_token(token: str | None, mcp_url: str) -> str | None:
    """The token, if it can be sent to the MCP endpoint; the errors do not show it."""
    if token is not None and not _B64TOKEN.fullmatch(token):
        raise ConfigError("--token: it has a character that no access token has (RFC 6750, section 2.1)")
    if token is not None and not is_secure(mcp_url):
        raise ConfigError(f"--token: it is not sent to {mcp_url}, which is not https")
    return token


def _show_answer(answer: Answer | Failure) -> None:
    result = answer.kind if isinstance(answer, Failure) else str(answer.status)
    show_progress(f"{answer.method:<7} {answer.url}  {result}")
