"""One session of mcp-remote, as a desktop application that speaks stdio has it: `session.mjs` for mcp-remote.

    python mcp_remote.py PROGRAM MCP_URL STATE SECONDS TOOL ARGUMENTS

PROGRAM is a JSON list: node and the script. The result has no `refreshed`, because mcp-remote shows no token.
"""

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from helpers.clients.following_browser import count_opened, environment_with_browser
from helpers.ports import free_port


def run_session(program: list[str], mcp_url: str, state: Path, seconds: float, tool: str, arguments: Any) -> Any:
    environment = environment_with_browser(state) | {"MCP_REMOTE_CONFIG_DIR": str(state / "mcp-remote")}
    opened = count_opened(state)
    command = [*program, mcp_url, str(free_port()), "--allow-http"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr
        log: list[str] = []
        reader = threading.Thread(target=log.extend, args=[process.stderr], daemon=True)
        reader.start()
        try:
            client_info = {"name": "session", "version": "1.0.0"}
            _ask(process, 1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client_info)
            _send(process, {"method": "notifications/initialized"})
            tools = _ask(process, 2, "tools/list")["tools"]
            time.sleep(seconds)
            content = _ask(process, 3, "tools/call", name=tool, arguments=arguments)["content"]
            signed_in = count_opened(state) > opened
            return {"tools": [item["name"] for item in tools], "text": content[0]["text"], "signedIn": signed_in}
        except (EOFError, BrokenPipeError):
            reader.join(timeout=10)
            return {"error": _fatal_error("".join(log))}
        finally:
            process.kill()


def _send(process: "subprocess.Popen[str]", message: dict[str, Any]) -> None:
    assert process.stdin
    print(json.dumps({"jsonrpc": "2.0"} | message), file=process.stdin, flush=True)


def _ask(process: "subprocess.Popen[str]", number: int, method: str, **params: Any) -> Any:
    _send(process, {"id": number, "method": method, "params": params})
    assert process.stdout
    for line in process.stdout:
        if (reply := json.loads(line)).get("id") == number:
            return reply["result"]
    raise EOFError


def _fatal_error(log: str) -> str:
    """Return the last error in the log, without its stack and its fields."""
    error = log.rpartition("Fatal error: ")[2]
    return re.split(r"\n {4}at |(?<=\S) \{\n", error)[0].strip()


if __name__ == "__main__":
    node, url, folder, wait, tool_name, tool_arguments = sys.argv[1:]
    arguments_object = json.loads(tool_arguments)
    print(json.dumps(run_session(json.loads(node), url, Path(folder), float(wait), tool_name, arguments_object)))
