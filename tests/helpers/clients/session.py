"""One session of FastMCP's client, as an application with stored credentials has it: `session.mjs` in Python.

python session.py MCP_URL STATE SECONDS TOOL ARGUMENTS
"""

import asyncio
import json
import os
import sys
import threading
import warnings
import webbrowser
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.auth import OAuth
from helpers.ports import free_port
from helpers.redirects import follow_redirects
from key_value.aio.stores.filetree import FileTreeStore, FileTreeV1KeySanitizationStrategy
from mcp.types import TextContent

opened: list[str] = []


def follow(url: str, *_: object) -> bool:
    """Follow each redirect, the last one to the client, as a browser does if no page asks for consent."""
    opened.append(url)
    threading.Thread(target=follow_redirects, args=[url], daemon=True).start()
    return True


async def session(mcp_url: str, state: Path, seconds: float, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the store warns that it is new
        names = FileTreeV1KeySanitizationStrategy(state)
        store = FileTreeStore(data_directory=state, key_sanitization_strategy=names)
    oauth = OAuth(token_storage=store, callback_port=free_port())

    def token() -> str:
        assert oauth.context.current_tokens
        return oauth.context.current_tokens.access_token

    async with Client(mcp_url, auth=oauth, timeout=60) as client:
        tools = [item.name for item in await client.list_tools()]
        first = token()
        await asyncio.sleep(seconds)
        (content,) = (await client.call_tool(tool, arguments)).content
        assert isinstance(content, TextContent)
        return {"tools": tools, "text": content.text, "signedIn": bool(opened), "refreshed": token() != first}


def run(sender: "Connection[Any, Any]", mcp_url: str, state: Path, seconds: float, tool: str, arguments: Any) -> None:
    """Run one session in this process, and send its result."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]  # a proxy would get the requests to loopback too
    state.mkdir(exist_ok=True)
    webbrowser.open = follow  # type: ignore[assignment] # with fewer parameters: FastMCP passes only the URL
    try:
        sender.send(asyncio.run(session(mcp_url, state, seconds, tool, arguments)))
    except Exception as error:  # noqa: BLE001 - an application would show any error
        sender.send({"error": f"{type(error).__name__}: {error}"})


class _Printer:
    """Prints the result, in place of a connection to the test."""

    @staticmethod
    def send(result: object) -> None:
        print(json.dumps(result))


if __name__ == "__main__":
    url, folder, wait, tool_name, tool_arguments = sys.argv[1:]
    run(_Printer(), url, Path(folder), float(wait), tool_name, json.loads(tool_arguments))  # type: ignore[arg-type] # only `send` is used
