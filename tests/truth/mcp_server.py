"""MCP servers as data: the source texts of a project, and what `extract` says and clients meet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from routegen.config import Config, read_config

SITE = """
from mangum import Mangum
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

async def page(request):
    return HTMLResponse("<!doctype html><title>Site</title><p>The site.")

app = Starlette(routes=[Route("/{path:path}", page, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"])])
handler = Mangum(app, lifespan="off")
"""
"""A website that answers every path with a page."""

PLACEHOLDERS = {
    "BASE_URL": "https://tools.example.org",
    "ISSUER": "https://example.authkit.app",
    "CLIENT_ID": "client_0123456789",
    "CLIENT_SECRET": "invented-0123456789",
}
"""The environment of the servers while they are extracted."""

SignIn = Literal["none", "token", "consent-page", "complete"]
"""The part of the sign-in that a test can do: `token` needs none, because the client has a token already;
`consent-page` ends where another company would ask the user."""


@dataclass(frozen=True)
class App:
    """One app of a project.

    Attributes:
        source: the text of its module.
        attribute: the attribute that the configuration names; empty for none.
        handler: the Lambda handler in the module; empty for a server process behind an HTTP integration.
        table: more lines of its table in the configuration.
    """

    source: str
    attribute: str = "app"
    handler: str = "handler"
    table: str = ""


@dataclass(frozen=True)
class McpServer:
    """A project with one or several apps, as users write it.

    Attributes:
        name: a short description.
        apps: the apps by their names in the configuration.
        endpoints: the paths of the URLs that users give to their clients.
        expected: `accepted` means without a warning.
        message: a part of the warning or of the error.
        works: whether clients list the tools; None if exactly the accepted servers work.
        sign_in: the part of the sign-in that clients do.
        token: the token of clients that have one already.
        timeout: seconds after which the gateway ends a request.
        has_website: whether a website is behind `$default`; without one, the gateway answers 404.
    """

    name: str
    apps: Mapping[str, App]
    endpoints: tuple[str, ...] = ("/mcp",)
    expected: Literal["accepted", "warned", "refused"] = "accepted"
    message: str = ""
    works: bool | None = None
    sign_in: SignIn = "none"
    token: str = "otter"
    timeout: float = 30.0
    has_website: bool = True

    @property
    def lists_tools(self) -> bool:
        """Whether clients list the tools behind the gateway."""
        return self.expected == "accepted" if self.works is None else self.works


def server(name: str, *sources: str, app: str = "app", handler: str = "handler", **options: Any) -> McpServer:
    """Return a server with one app.

    Args:
        name: its name.
        sources: the parts of its module.
        app: the attribute that the configuration names.
        handler: its Lambda handler; empty for a server process.
        options: fields of `McpServer`; `table` has more lines of the configuration.
    """
    table = options.pop("table", "")
    return McpServer(name, {"mcp": App("\n".join(sources), app, handler, table)}, **options)


def write_project(mcp_server: McpServer, folder: Path) -> Config:
    """Write the project of a server, and read its configuration."""
    lines = ["[tool.routegen]", 'manifest = "routes.json"', 'default = "site"' if mcp_server.has_website else ""]
    website = {"site": App(SITE)} if mcp_server.has_website else {}
    for name, app in {**mcp_server.apps, **website}.items():
        module = f"{name}_app"
        (folder / f"{module}.py").write_text(app.source)
        target = f"{module}.py:{app.attribute}" if app.attribute else f"{module}.py"
        handler = f'handler = "{module}.{app.handler}"' if app.handler else ""
        environment = ", ".join(f"{variable} = {json.dumps(value)}" for variable, value in PLACEHOLDERS.items())
        lines += [f"[tool.routegen.apps.{name}]", f'app = "{target}"', handler, app.table, f"env = {{ {environment} }}"]
    (folder / "pyproject.toml").write_text("\n".join(lines))
    return read_config(folder / "pyproject.toml")
