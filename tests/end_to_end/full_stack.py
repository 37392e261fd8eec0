"""Everything together on loopback: this repository's two apps behind the gateway, and the AuthKit stand-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.support import PROJECT
from routegen.config import read_config, with_env
from routegen.serve.local_gateway import open_socket
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway

from dev.authkit.background import BackgroundStandIn, run_in_background
from dev.serve.local_apps import app_environments, make_wiki


@dataclass(frozen=True)
class Whole:
    """A running whole.

    Attributes:
        gateway: has what it has answered, in `exchanges`.
        authkit: has its keys.
        data: the wiki's directory.
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

    def took(self, since: int = 0) -> list[str]:
        """Which app answered what: `GET /Home otterwiki 200`, from the exchange `since` on."""
        exchanges = self.gateway.exchanges[since:]
        return [f"{one.request.method} {one.request.path} {one.app} {one.response.status}" for one in exchanges]


@contextmanager
def whole(
    data: Path,
    *,
    manifest: Path | None = None,
    wiki: dict[str, str] | None = None,
    default_app: dict[str, Any] | None = None,
    access_token_seconds: int = 300,
    **settings: Any,
) -> Iterator[Whole]:
    """Run it until the block ends; clients are let in without a person's consent.

    Args:
        data: the wiki's directory, made with a few pages where it is missing.
        manifest: another one than the committed.
        wiki: more of the wiki's environment.
        default_app: other fields of the `AppConfig` behind `$default`.
        access_token_seconds: how long a token lives.
        settings: fields of the gateway's `Settings`.
    """
    make_wiki(data)
    listening = open_socket("127.0.0.1", 0)
    gateway = f"http://127.0.0.1:{listening.getsockname()[1]}"
    options = {"auto_consent": True, "access_token_seconds": access_token_seconds}
    with run_in_background(frozenset({f"{gateway}/mcp"}), **options) as authkit:  # type: ignore[arg-type] # by name
        config = read_config(PROJECT / "pyproject.toml")
        for app, env in app_environments(gateway, authkit.settings.issuer, authkit.settings.client_id, data).items():
            config = with_env(config, app, env | (wiki or {} if app == config.default else {}))
        assert config.default_app
        behind_default = config.default_app.model_copy(update=default_app or {})
        config = config.with_changes(default_app=behind_default, manifest=manifest or config.manifest)
        with running_gateway(config, ServeSettings(**settings), listening) as one:
            yield Whole(one, authkit, data)
