"""One session of the MCP Inspector's command line, one process for each method: `session.mjs` for the Inspector.

    python inspector.py PROGRAM MCP_URL STATE SECONDS TOOL ARGUMENTS

PROGRAM is a JSON list: node and the script. The result has no `refreshed`, because the Inspector shows no token.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from helpers.clients.following_browser import count_opened, environment_with_browser
from helpers.ports import free_port


class InspectorError(Exception):
    """An error that the Inspector shows."""


def run_session(program: list[str], mcp_url: str, state: Path, seconds: float, tool: str, arguments: Any) -> Any:
    opened = count_opened(state)
    command = [
        *program,
        "--cli",
        mcp_url,
        "--transport",
        "http",
        "--callback-url",
        f"http://127.0.0.1:{free_port()}/oauth/callback",
    ]
    try:
        tools = _run(command, state, "--method", "tools/list")["tools"]
        time.sleep(seconds)
        pairs = [f"{name}={value}" for name, value in arguments.items()]
        options = ["--tool-arg", *pairs] if pairs else []
        content = _run(command, state, "--method", "tools/call", "--tool-name", tool, *options)["content"]
    except InspectorError as error:
        return {"error": str(error)}
    signed_in = count_opened(state) > opened
    return {"tools": [item["name"] for item in tools], "text": content[0]["text"], "signedIn": signed_in}


def _run(command: list[str], state: Path, *options: str) -> Any:
    environment = environment_with_browser(state) | {
        "MCP_AUTO_OPEN_ENABLED": "true",
        "MCP_INSPECTOR_SECRET_STORE": "file",
    }
    completed = subprocess.run(
        [*command, *options], env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if completed.returncode:
        raise InspectorError(json.loads(completed.stderr.strip().splitlines()[-1])["error"]["message"])
    return json.loads(completed.stdout)


if __name__ == "__main__":
    node, url, folder, wait, tool_name, tool_arguments = sys.argv[1:]
    arguments_object = json.loads(tool_arguments)
    print(json.dumps(run_session(json.loads(node), url, Path(folder), float(wait), tool_name, arguments_object)))
