"""WarmHandler with an application that keeps no reference to its lifespan."""

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

events = []

@contextlib.asynccontextmanager
async def lifespan(app):
    events.append("started")
    try:
        yield
    finally:
        print("ended" if events[3:] else "ended too early", flush=True)

async def answer(request):
    await asyncio.sleep(0)
    return PlainTextResponse("yes")

handler = WarmHandler(Starlette(routes=[Route("/", answer)], lifespan=lifespan))
for _ in range(3):
    events.append(handler(json.loads(sys.argv[1]), None)["body"])
    gc.collect()
print(*events, flush=True)
"""


def test_the_lifespan_starts_once_and_ends_when_the_process_exits(
    mcp_environment: Callable[..., dict[str, str]], event: Callable[..., Any]
) -> None:
    completed = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(event("GET", "/"))],
        env=mcp_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (completed.stdout, completed.stderr) == ("started yes yes yes\nended\n", "")
