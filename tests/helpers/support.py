"""Names that the tests of routegen share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Run:
    """What a command has done."""

    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        """The last line on stderr: routegen's own, after whatever the app has printed."""
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
