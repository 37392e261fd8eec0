"""Extract a server, serve it behind a website that answers every path, and list its tools."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import httpx2
from routegen.config import Config, with_env
from routegen.errors import LoadError, RoutegenError
from routegen.extract.extraction_findings import extraction_findings
from routegen.manifest import dump_manifest, replace_file
from routegen.serve.local_gateway import open_socket
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway
from truth.in_this_process import SERVER_PROCESS, extract_here, serve_here, serve_in_processes
from truth.mcp_clients import list_tools, list_tools_after_sign_in, open_consent_page
from truth.mcp_server import McpServer

from dev.authkit.background import run_in_background


@dataclass(frozen=True)
class ExtractionResult:
    """What `extract` says about a server.

    Attributes:
        outcome: `accepted`, `warned` or `refused`.
        text: the warnings or the error.
        is_written: whether there is a manifest.
    """

    outcome: str
    text: str
    is_written: bool


def extract_server(config: Config) -> ExtractionResult:
    """Extract the apps of a project, and write the manifest.

    The manifest of a project that is refused because of a path is written with `unsupported = "warn"`.
    """
    outcome, text = "accepted", ""
    try:
        extraction = extract_here(config)
    except LoadError as error:
        return ExtractionResult("refused", str(error), is_written=False)
    except RoutegenError as error:
        outcome, text = "refused", str(error)
        accepting = tuple(app.model_copy(update={"unsupported": "warn"}) for app in config.apps)
        try:
            extraction = extract_here(config.with_changes(apps=accepting))
        except RoutegenError:
            return ExtractionResult("refused", text, is_written=False)
    replace_file(config.manifest, dump_manifest(extraction.manifest))
    warnings = [item.message for item in extraction_findings(extraction) if item.rule.level != "note"]
    assert bool(warnings) == bool(extraction.unsupported), "extract and check warn about the same"
    if warnings and outcome == "accepted":
        outcome, text = "warned", "\n".join(warnings)
    return ExtractionResult(outcome, text, is_written=True)


@contextmanager
def serve_server(mcp_server: McpServer, config: Config, *, in_processes: bool = False) -> Iterator[RunningGateway]:
    """Serve an extracted server until the block ends, with an AuthKit stand-in for each app that needs one.

    Args:
        mcp_server: the server.
        config: its configuration; the manifest is there.
        in_processes: whether the Lambda functions run in processes, as with `routegen serve`.
    """
    listening = open_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with ExitStack() as stack:
        for name in mcp_server.apps:
            environment = _stand_in(stack, url, mcp_server.endpoints) if mcp_server.sign_in == "complete" else {}
            config = with_env(config, name, {"BASE_URL": url} | environment)
        apps = tuple(
            app.model_copy(update={"handler": app.handler or f"{SERVER_PROCESS}{app.target.replace('.py', '')}"})
            for app in config.apps
        )
        # With one instance, an authorization server that keeps its clients in memory knows all of them.
        settings = ServeSettings(max_instances=1, timeout=mcp_server.timeout)
        serve = serve_in_processes if in_processes else serve_here
        yield stack.enter_context(serve(config.with_changes(apps=apps), settings, listening))


def _stand_in(stack: ExitStack, url: str, endpoints: tuple[str, ...]) -> dict[str, str]:
    """Start an AuthKit stand-in, register a client for servers that are clients themselves, and return variables."""
    resources = frozenset({url, *(f"{url}{endpoint}" for endpoint in endpoints)})
    issuer = stack.enter_context(run_in_background(resources, auto_consent=True)).settings.issuer
    metadata = {"redirect_uris": [f"{url}/auth/callback"], "token_endpoint_auth_method": "client_secret_basic"}
    with httpx2.Client(trust_env=False) as http:
        client = http.post(f"{issuer}/oauth2/register", json=metadata).json()
    return {"ISSUER": issuer, "CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"]}


def client_error(mcp_server: McpServer, gateway: RunningGateway) -> str | None:
    """Return the error that a client shows at one of the endpoints; None if clients list the tools at each of them."""
    for endpoint in mcp_server.endpoints:
        url = f"{gateway.url}{endpoint}"
        try:
            match mcp_server.sign_in:
                case "none":
                    assert list_tools(url)
                case "token":
                    assert list_tools(url, token=mcp_server.token)
                case "complete":
                    assert list_tools_after_sign_in(url)
                case "consent-page":
                    assert "<form" in open_consent_page(url)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - a client can show any error
            return f"{endpoint}: {type(error).__name__}: {error}"
    return None
