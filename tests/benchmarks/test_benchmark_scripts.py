"""The scripts of the benchmarks work. The tests do not check any time."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dev.benchmarks import compared_servers
from dev.benchmarks.measuring import Figure, Worker, alternate, print_report, ratio

SCRIPTS = Path(compared_servers.__file__).parent


def start_worker(script: str, *arguments: str) -> Worker:
    return Worker([sys.executable, str(SCRIPTS / script), *arguments])


def test_a_figure_is_the_median_of_its_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    figure = ratio("a / b", [0.002, 0.006, 0.004], [0.001, 0.002, 0.004], bar=2.5)
    assert print_report([figure], as_json=False) == 0
    assert "| a / b | 4.00 ms / 2.00 ms | 2.00 x | 1.00 to 3.00 | 2.50, met |" in capsys.readouterr().out


def test_a_missed_bar_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [Figure("a", "", (1.2, 1.3, 9.0), bar=1.15), Figure("b", "", (40.0,))]
    assert print_report(figures, as_json=True) == 1
    rows = json.loads(capsys.readouterr().out)["figures"]
    assert [(row["name"], row["median"], row["missed"]) for row in rows] == [("a", 1.3, True), ("b", 40.0, False)]


def test_measurements_alternate_after_a_warm_up() -> None:
    calls: list[str] = []

    def measure(name: str, seconds: float) -> float:
        calls.append(name)
        return seconds

    assert alternate(2, lambda: measure("a", 1.0), lambda: measure("b", 2.0)) == ((1.0, 1.0), (2.0, 2.0))
    assert "".join(calls) == "ababab"


@pytest.mark.slow
def test_each_mcp_handler_answers() -> None:
    with start_worker("compared_handlers.py", "warm-1") as worker:
        for case in ("initialize", "tools/list", "tools/call"):
            assert worker.ask(case=case, count=1)["bytes"] == 0
            assert worker.ask(case=case, count=2, bare=True)["seconds"] > 0
        assert worker.ask(case=case, count=2, measure_memory=True)["bytes"] > 0
    with start_worker("compared_handlers.py", "rebuilt-1") as worker:
        assert worker.ask(case="tools/call", count=2)["seconds"] > 0


@pytest.mark.slow
def test_the_project_server_calls_a_sync_tool_with_a_token() -> None:
    with start_worker("compared_handlers.py", "project") as worker:
        assert worker.ask(case="tools/call, sync", count=1)["seconds"] > 0


@pytest.mark.slow
def test_the_runtime_client_works_without_a_gateway(tmp_path: Path) -> None:
    compared_servers.write_site(tmp_path)
    with start_worker("direct_runtime_client.py", str(tmp_path)) as worker:
        assert len(worker.ask(count=3)["each"]) == 3
        assert len(worker.ask(count=6, instances=2)["each"]) == 6


@pytest.mark.slow
@pytest.mark.parametrize("server", ["routegen_serve", "bare_uvicorn", "fixed_response"])
def test_the_load_client_gets_all_responses(tmp_path: Path, server: str) -> None:
    compared_servers.write_site(tmp_path)
    serve: Any = {
        "routegen_serve": lambda: compared_servers.routegen_serve(tmp_path, inspector=True),
        "bare_uvicorn": lambda: compared_servers.bare_uvicorn(tmp_path),
        "fixed_response": lambda: compared_servers.fixed_response(tmp_path),
    }[server]
    with serve() as port, start_worker("load_client.py") as load:
        response = load.ask(port=port, path=compared_servers.PATH, body=compared_servers.BODY, clients=2, count=3)
        assert len(response["each"]) == 6


@pytest.mark.slow
def test_an_unexpected_response_ends_the_load_client(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    compared_servers.write_site(tmp_path)
    with (
        compared_servers.bare_uvicorn(tmp_path) as port,
        start_worker("load_client.py") as load,
        pytest.raises(RuntimeError, match="ended with"),
    ):
        load.ask(port=port, path="/elsewhere", body=compared_servers.BODY, clients=1, count=1)
    assert "unexpected response" in capfd.readouterr().err
