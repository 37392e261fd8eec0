"""Ten repositories of different shape, as newcomers have them, and how routegen's first commands end in each."""

from dataclasses import dataclass, field

DISCOVERY = "ANY /.well-known/oauth-protected-resource/mcp"


@dataclass(frozen=True)
class Repository:
    """A newcomer's repository.

    Attributes:
        name: its shape.
        files: the text of each file.
        init: the arguments of `routegen init`.
        route_keys: route keys that the manifest must have; empty if the commands end with a message.
        ends_at: the command that ends with the message.
        message: what the message contains: the fault, and its fix.
    """

    name: str
    files: dict[str, str]
    init: tuple[str, ...] = ()
    route_keys: tuple[str, ...] = ()
    ends_at: str = ""
    message: tuple[str, ...] = field(default=())


FASTMCP = """\
from fastmcp import FastMCP

mcp = FastMCP("tools")


@mcp.tool
def hello() -> str:
    return "hello"
"""
AUTHKIT = """\
import os

from fastmcp import FastMCP
from fastmcp.server.auth.providers.workos import AuthKitProvider

auth = AuthKitProvider(authkit_domain=os.environ["AUTHKIT_DOMAIN"], base_url=os.environ["BASE_URL"])
app = FastMCP("tools", auth=auth).http_app(path="/mcp", stateless_http=True)
"""
FASTAPI = """\
from fastapi import FastAPI
from fastmcp import FastMCP

mcp_app = FastMCP("tools").http_app(path="/mcp")
app = FastAPI(lifespan=mcp_app.lifespan)


@app.get("/items/{item_id}")
def read_item(item_id: str) -> str:
    return item_id


app.mount("/", mcp_app)
"""
SDK = """\
from mcp.server.mcpserver import MCPServer

server = MCPServer("tools")
app = server.streamable_http_app(stateless_http=True)

if __name__ == "__main__":
    server.run("streamable-http")
"""
STARLETTE = """\
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def answer(request):
    return PlainTextResponse("yes")


"""
FACTORY = STARLETTE + 'def create_app() -> Starlette:\n    return Starlette(routes=[Route("/hook", answer)])\n'
LAMBDA = STARLETTE.replace("\n\n\n", "\n", 1).replace("from star", "from mangum import Mangum\nfrom star", 1) + (
    'app = Starlette(routes=[Route("/jobs/{name}", answer, methods=["PUT"])])\nhandler = Mangum(app)\n'
)
SETTINGS = """\
from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str
    page_size: int


settings = Settings()
app = FastAPI()


@app.get("/pages")
def pages() -> int:
    return settings.page_size
"""

REPOSITORIES = (
    Repository("one file with FastMCP", {"server.py": FASTMCP}, (), ("ANY /mcp",)),
    Repository("FastMCP behind AuthKit", {"server.py": AUTHKIT}, ("--default", "website"), ("ANY /mcp", DISCOVERY)),
    Repository(
        "a package below src",
        {
            "pyproject.toml": '[project]\nname = "acme-tools"\nversion = "1"\n',
            "src/acme_tools/__init__.py": "",
            "src/acme_tools/names.py": 'NAME = "tools"\n',
            "src/acme_tools/server.py": FASTMCP.replace('FastMCP("tools")', "FastMCP(NAME)").replace(
                "FastMCP\n", "FastMCP\n\nfrom acme_tools.names import NAME\n", 1
            ),
        },
        (),
        ("ANY /mcp",),
    ),
    Repository("FastAPI with FastMCP", {"main.py": FASTAPI}, ("main.py:app",), ("ANY /mcp", "ANY /items/{item_id}")),
    Repository("the MCP SDK", {"server.py": SDK}, ("server.py:app",), ("ANY /mcp",)),
    Repository("a factory", {"web/hooks.py": FACTORY}, ("web/hooks.py:create_app",), ("ANY /hook",)),
    Repository("a Lambda handler", {"lambda_function.py": LAMBDA}, (), ("ANY /jobs/{name}",)),
    Repository("settings of pydantic", {"main.py": SETTINGS}, (), ("ANY /pages",)),
    Repository(
        "a server that runs when it is imported",
        {"server.py": FASTMCP + '\nmcp.run("http", port=0, show_banner=False)\n'},
        ends_at="init",
        message=(
            "server.py",
            "starts a server in server.py, line 10",
            'put this call below `if __name__ == "__main__":`',
        ),
    ),
    Repository(
        "a package that is not installed",
        {"server.py": "import acme_core\n" + FASTMCP, "libs/core/acme_core/__init__.py": ""},
        ends_at="init",
        message=("server.py, line 1", "acme_core", "it is in libs/core; run routegen with PYTHONPATH=libs/core"),
    ),
)
