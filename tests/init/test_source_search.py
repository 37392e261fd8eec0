"""The apps that `routegen init` finds in sources, without importing them."""

from pathlib import Path

import pytest
from helpers.support import PROJECT
from routegen.init.source_search import find_apps

SERVER = "from fastmcp import FastMCP\nmcp = FastMCP('tools')\n"
STARLETTE = "from starlette.applications import Starlette\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (SERVER, ["mcp FastMCP"]),
        (SERVER + "app = mcp.http_app()\n", ["app FastMCP"]),
        (SERVER + "app = mcp.http_app()\nmcp_app = app\n", ["mcp_app FastMCP"]),
        (SERVER + "other = FastMCP('x')\n", ["mcp FastMCP", "other FastMCP"]),
        (SERVER + "other = FastMCP('x')\nmcp.mount(other)\n", ["mcp FastMCP"]),
        (SERVER + "if __name__ == '__main__':\n    app = mcp.http_app()\n", ["mcp FastMCP"]),
        (SERVER + "_inner = FastMCP('x')\n", ["mcp FastMCP"]),
        ("from fastmcp import FastMCP as Server\ntools = Server[None]('x')\n", ["tools FastMCP"]),
        ("import fastmcp\ntools: fastmcp.FastMCP = fastmcp.FastMCP('x')\n", ["tools FastMCP"]),
        ("from fastmcp import FastMCP\nmcp = FastMCP.from_openapi({}, None)\n", ["mcp FastMCP"]),
        ("from fastmcp import FastMCP\napp = FastMCP('x').http_app(path='/mcp')\n", ["app FastMCP"]),
        ("from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('x')\napp = mcp.streamable_http_app()\n",
         ["app MCP SDK"]),
        ("from mcp.server import MCPServer\nserver = MCPServer('x')\n", ["server MCP SDK"]),
        ("from fastapi import FastAPI\napp = FastAPI()\n", ["app FastAPI"]),
        ("try:\n    from starlette.applications import Starlette as S\nexcept ImportError:\n    raise\nroot = S()\n",
         ["root Starlette"]),
        (SERVER + STARLETTE + "app = Starlette(routes=[Mount('/', app=mcp.http_app())])\n", ["app Starlette"]),
        (SERVER + "from fastapi import FastAPI\napi = FastAPI()\napi.mount('/m', mcp.http_app())\n", ["api FastAPI"]),
        (SERVER + "inner = mcp.http_app()\nclass Log: ...\napp = Log(inner)\n", ["app FastMCP"]),
        (SERVER + "app = CORSMiddleware(mcp.http_app(), allow_origins=['*'])\n", ["app FastMCP"]),
        (SERVER + "from mangum import Mangum\nhandler = Mangum(mcp.http_app())\n", ["handler Mangum handler handler"]),
        (SERVER + "app = mcp.http_app()\nimport mangum\ngo = mangum.Mangum(app, lifespan='off')\n", ["app FastMCP go"]),
        (SERVER + "app = mcp.http_app()\nhandler = WarmHandler(app)\n", ["app FastMCP handler"]),
        (SERVER + "app = mcp.http_app()\ndef handler(event, context): ...\n", ["app FastMCP handler"]),
        (STARLETTE + "def create_app(debug=False):\n    return Starlette()\n", ["create_app Starlette"]),
        (STARLETTE + "def create_app():\n    site = Starlette()\n    return site\napp = create_app()\n",
         ["app Starlette"]),
        (STARLETTE + "def create_app(settings):\n    return Starlette()\n", []),
        (STARLETTE + "async def create_app():\n    return Starlette()\n", []),
        (SERVER + "def build():\n    return mcp.http_app()\n", ["build FastMCP"]),
        (SERVER + "def main():\n    mcp.run()\n", ["mcp FastMCP"]),
        ("import fastmcp\nprint('FastMCP')\n", []),
        ("from fastmcp import FastMCP\n(", []),
    ],
)  # fmt: skip
def test_the_outermost_app_of_a_module_is_found(tmp_path: Path, source: str, expected: list[str]) -> None:
    write(tmp_path, {"server.py": source})
    found = [f"{app.attribute} {app.kind} {app.handler or ''}".strip() for app in find_apps(tmp_path)]
    assert found == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.py": SERVER, "pkg/b.py": STARLETTE + "app = Starlette()\n"}, ["a.py:mcp", "pkg/b.py:app"]),
        ({"tools.py": SERVER, "web.py": "from tools import mcp\napp = mcp.http_app()\n"}, ["web.py:app"]),
        ({"pkg/tools.py": SERVER, "pkg/web.py": "from .tools import mcp\napp = mcp.http_app()\n"}, ["pkg/web.py:app"]),
        ({"server.py": SERVER, "aws.py": "from mangum import Mangum\nfrom server import mcp\nhandler = Mangum(mcp)\n"},
         ["aws.py:handler"]),
        ({"z.py": STARLETTE + "def make():\n    return Starlette()\n",
          "a.py": "from z import make\n#Starlette\napp = make()\n"},
         ["a.py:app"]),
        ({"tests/a.py": SERVER, "test_a.py": SERVER, ".x/a.py": SERVER, "v/pyvenv.cfg": "", "v/lib/a.py": SERVER}, []),
        ({"examples/a.py": SERVER, "b.py": SERVER}, ["b.py:mcp"]),
        ({"examples/a.py": SERVER}, ["examples/a.py:mcp"]),
        ({"src/acme/server.py": SERVER, "src/acme/__init__.py": ""}, ["src/acme/server.py:mcp"]),
    ],
)  # fmt: skip
def test_the_outermost_apps_of_a_repository_are_found(
    tmp_path: Path, files: dict[str, str], expected: list[str]
) -> None:
    write(tmp_path, files)
    assert [app.target for app in find_apps(tmp_path)] == expected


def test_no_source_is_imported(tmp_path: Path) -> None:
    write(tmp_path, {"server.py": SERVER + "raise SystemExit('imported')\n"})
    assert [app.target for app in find_apps(tmp_path)] == ["server.py:mcp"]


def test_the_server_of_this_repository_is_found_with_its_handler() -> None:
    (app,) = find_apps(PROJECT / "app")
    assert (app.target, app.handler) == ("poc/mcp_package/mcp_server.py:app", "handler")
