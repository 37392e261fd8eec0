"""The stack that is broken on purpose is right enough for a real client, when nothing is broken."""

from pathlib import Path

import pytest
from end_to_end.client_sessions import run_session, skip_reason
from verify.broken_stack import broken_stack


@pytest.mark.parametrize("client", ["python", "typescript-v2"])
def test_a_real_client_signs_in_and_calls_the_tool(client: str, tmp_path: Path) -> None:
    if reason := skip_reason(client):
        pytest.skip(reason)
    with broken_stack() as stack:
        said = run_session(client, stack.mcp_url, tmp_path / "state", "hello", {})
    assert (said["tools"], said["text"], said["signedIn"]) == (["hello"], "hello", True)
