"""The recording lab runs a client in a recorded case, and finds what differs from the recording."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.node import reason_not_to_run

from dev.client_lab.__main__ import expected_outcomes, main, record
from dev.client_lab.client_sessions import CLIENTS, installed_version

CASES = ("good", "B3-200html", "C-same-B", "asm-issuer-other", "resource-slash", "url-query")


def skip_without_node(client: str) -> None:
    package = "mcp-remote" if client in {"mcp-remote", "inspector"} else ".ready"
    if client != "python-sdk" and (reason := reason_not_to_run(package)):
        pytest.skip(reason)


def test_a_run_is_as_recorded_and_a_changed_server_is_noticed() -> None:
    skip_without_node("typescript-v2")
    replies, expected = expected_outcomes("typescript-v2")["resource-slash"]
    assert record("typescript-v2", replies) == expected
    without_metadata = {request: reply for request, reply in replies.items() if "protected-resource" not in request}
    assert record("typescript-v2", without_metadata) != expected


@pytest.mark.long
@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_behaves_as_recorded(client: str, tmp_path: Path) -> None:
    skip_without_node(client)
    file = tmp_path / "outcomes.json"
    options = [option for case in CASES for option in ("--case", case)]
    result = CliRunner().invoke(main, [client, "--output", str(file), *options])
    assert (result.exit_code, result.stdout) == (0, "")
    outcomes = json.loads(file.read_text())
    assert (outcomes["version"], set(outcomes["outcomes"])) == (installed_version(client), set(CASES))


def test_every_recorded_case_can_be_run() -> None:
    numbers = {"python-sdk": 145, "typescript-v1": 144, "typescript-v2": 145, "mcp-remote": 139, "inspector": 143}
    assert {client: len(expected_outcomes(client)) for client in CLIENTS} == numbers
