"""The handler with an application that holds nothing of its own lifespan."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

CODE = """
import asyncio, contextlib, gc, json, sys
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from warm_handler import WarmHandler

said = []

@contextlib.asynccontextmanager
async def lifespan(app):
    said.append("entered")
    try:
        yield
    finally:
        print("left" if said[3:] else "left early", flush=True)

async def answer(request):
    await asyncio.sleep(0)
    return PlainTextResponse("yes")

handler = WarmHandler(Starlette(routes=[Route("/", answer)], lifespan=lifespan))
for _ in range(3):
    said.append(handler(json.loads(sys.argv[1]), None)["body"])
    gc.collect()
print(*said, flush=True)
"""


def test_a_lifespan_is_entered_once_kept_and_left_at_the_end(
    mcp_environment: Callable[..., dict[str, str]], event: Callable[..., Any]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(event("GET", "/"))],
        env=mcp_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("entered yes yes yes\nleft\n", "")
