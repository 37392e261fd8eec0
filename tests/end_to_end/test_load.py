"""Many clients and faults at the same time: each request gets a response of the right app, and no save is lost."""

import asyncio
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from end_to_end.load_run import CLIENTS, GatewayProcess, load, serving

SOAK_REQUESTS = int(os.environ.get("SOAK_REQUESTS", "100000"))


def wait_for_open_files(gateway: GatewayProcess, limit: int) -> int:
    """The gateway's file descriptors, when the connections have ended."""
    deadline = time.monotonic() + 10
    while (count := gateway.open_files()) > limit and time.monotonic() < deadline:
        time.sleep(0.05)
    return count


@pytest.mark.timeout(7200)
@pytest.mark.reliability("loads with faults")
@pytest.mark.parametrize(
    ("requests", "faults", "instances"),
    [
        (300, 7, 2),
        pytest.param(2_000, 16, 3, marks=pytest.mark.slow),
        pytest.param(SOAK_REQUESTS, max(40, SOAK_REQUESTS // 1000), 3, marks=pytest.mark.long),
    ],
    ids=["300", "2000", "soak"],
)
def test_every_request_gets_a_response_of_the_right_app_and_no_save_is_lost(
    requests: int, faults: int, instances: int, tmp_path: Path, record_load: Any
) -> None:
    begun = time.monotonic()
    with serving(tmp_path, instances) as gateway:
        before = asyncio.run(load(gateway, 10, 0))
        files_before = wait_for_open_files(gateway, 0) if requests > 1000 else gateway.open_files()
        result = asyncio.run(load(gateway, requests, faults, saves=max(3, requests // 100)))
        after = asyncio.run(load(gateway, 10, 0))
        files_after = wait_for_open_files(gateway, files_before + 10)
    memory_after_a_third, kills = result.memory[len(result.memory) // 3], result.faults["kill"]
    record_load(
        requests=sum(result.statuses.values()),
        clients=CLIENTS,
        seconds=round(time.monotonic() - begun),
        faults=dict(result.faults),
        failed=result.failed,
        saves=len(result.saves),
        refused_saves=result.refused_saves,
        lost=len(result.wrong),
        megabytes=[round(memory_after_a_third / 1024, 1), round(result.memory[-1] / 1024, 1)],
        files=[files_before, files_after],
    )
    assert result.wrong == []
    assert sum(result.statuses.values()) == requests
    assert result.failed <= kills, "a killed process can fail only the request that it handles"
    assert result.faults.total() == faults
    assert result.max_processes <= 2 * instances
    assert result.memory[-1] <= memory_after_a_third + 8 * 1024, "the memory grows"
    assert files_after <= files_before + 10, "file descriptors are not closed"
    assert before.statuses == after.statuses == {200: 10}
    git = ["git", "-c", "safe.directory=*", "-C", str(gateway.repository)]
    assert subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True).stdout == b""
    subprocess.run([*git, "fsck", "--strict"], capture_output=True, check=True)
