"""Run both apps of this repository behind the local gateway, together with the AuthKit stand-in, on loopback."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.forked_functions import with_forked_functions
from helpers.support import PROJECT
from routegen.config import read_config, with_env
from routegen.serve.local_gateway import open_socket
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway

from dev.authkit.background import BackgroundStandIn, run_in_background
from dev.serve.local_apps import app_environments, make_wiki


@dataclass(frozen=True)
class FullStack:
    """The running gateway, apps and stand-in.

    Attributes:
        gateway: the gateway; `exchanges` are its requests and responses.
        authkit: the stand-in, with its signing keys.
        data: the data directory of the wiki.
    """

    gateway: RunningGateway
    authkit: BackgroundStandIn
    data: Path

    @property
    def url(self) -> str:
        return self.gateway.url

    @property
    def mcp_url(self) -> str:
        return f"{self.gateway.url}/mcp"

    @property
    def issuer(self) -> str:
        return self.authkit.settings.issuer

    def exchange_lines(self, since: int = 0) -> list[str]:
        """One line for each exchange from number `since` on, such as `GET /Home otterwiki 200`."""
        return [
            f"{exchange.request.method} {exchange.request.path} {exchange.app} {exchange.response.status}"
            for exchange in self.gateway.exchanges[since:]
        ]


@contextmanager
def full_stack(
    data: Path,
    *,
    manifest: Path | None = None,
    wiki_env: dict[str, str] | None = None,
    default_app: dict[str, Any] | None = None,
    access_token_seconds: int = 300,
    max_instances: int = 1,
    authorization_server: Callable[[str], AbstractContextManager[str]] | None = None,
    **settings: Any,
) -> Iterator[FullStack]:
    """Run everything until the block ends. The stand-in allows every client without a consent page.

    The functions are forked processes. `make serve` and the load test have new interpreters.

    Args:
        data: the data directory of the wiki; it is created with sample pages if it is missing.
        manifest: another manifest than the committed manifest.
        wiki_env: more environment variables of the wiki.
        default_app: changed fields of the `AppConfig` behind `$default`.
        access_token_seconds: the lifetime of access tokens.
        max_instances: the number of instances of each app. An instance needs a second of CPU time to start.
        authorization_server: starts another authorization server than the stand-in for the URL of the MCP server, and
            returns its issuer.
        settings: fields of the gateway's `ServeSettings`.
    """
    make_wiki(data)
    listening = open_socket("127.0.0.1", 0)
    gateway = f"http://127.0.0.1:{listening.getsockname()[1]}"
    options = {"auto_consent": True, "access_token_seconds": access_token_seconds}
    other = authorization_server(f"{gateway}/mcp") if authorization_server else nullcontext()
    with run_in_background(frozenset({f"{gateway}/mcp"}), **options) as authkit, other as other_issuer:  # type: ignore[arg-type] # mypy does not know the types by name
        issuer = other_issuer or authkit.settings.issuer
        config = read_config(PROJECT / "pyproject.toml")
        for app, env in app_environments(gateway, issuer, authkit.settings.client_id, data).items():
            config = with_env(config, app, env | (wiki_env or {} if app == config.default else {}))
        assert config.default_app
        changed_default_app = config.default_app.model_copy(update=default_app or {})
        config = config.with_changes(default_app=changed_default_app, manifest=manifest or config.manifest)
        config = with_forked_functions(config)
        with running_gateway(config, ServeSettings(max_instances=max_instances, **settings), listening) as running:
            yield FullStack(running, authkit, data)
