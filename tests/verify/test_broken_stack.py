"""Real MCP clients can use the stack of `broken_stack` if it has no fault."""

from pathlib import Path

import pytest
from end_to_end.client_sessions import run_session, skip_reason
from verify.broken_stack import broken_stack


@pytest.mark.parametrize("client", ["python", "typescript-v2"])
def test_a_real_client_signs_in_and_calls_the_tool(client: str, tmp_path: Path) -> None:
    if reason := skip_reason(client):
        pytest.skip(reason)
    with broken_stack() as stack:
        result = run_session(client, stack.mcp_url, tmp_path / "state", "hello", {})
    assert (result["tools"], result["text"], result["signedIn"]) == (["hello"], "hello", True)
