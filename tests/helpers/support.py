"""Constants and types that the tests of several rooms share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Run:
    """The result of a command."""

    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The last line on stderr, which is routegen's error; lines before it can come from the app."""
        return self.stderr.rstrip().rpartition("\n")[2]


Routegen = Callable[..., Run]

SMALL_APP = """\
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def answer(request):
    return PlainTextResponse("yes")

app = Starlette(routes=[Route("/mcp", answer, methods=["POST"]), Route("/items/{id:int}", answer)])
"""

PYPROJECT = """\
[tool.routegen]
manifest = "generated/routes.json"
default = "wiki"

[tool.routegen.apps.mcp]
app = "server.py:app"
own = ["/mcp"]
"""
