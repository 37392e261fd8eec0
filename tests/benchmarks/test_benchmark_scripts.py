"""The benchmarks still measure what they say; no time is looked at."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dev.benchmarks import compared_servers
from dev.benchmarks.measuring import Figure, Worker, ratio, report

SCRIPTS = Path(compared_servers.__file__).parent


def start(script: str, *arguments: str) -> Worker:
    return Worker([sys.executable, str(SCRIPTS / script), *arguments])


def test_a_figure_is_the_median_of_its_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    met = ratio("a / b", [0.002, 0.006, 0.004], [0.001, 0.002, 0.004], bar=2.5)
    assert report([met], as_json=False) == 0
    assert "| a / b | 4.00 ms / 2.00 ms | 2.00 x | 1.00 to 3.00 | 2.50, met |" in capsys.readouterr().out


def test_a_missed_bar_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [Figure("a", "", (1.2, 1.3, 9.0), bar=1.15), Figure("b", "", (40.0,))]
    assert report(figures, as_json=True) == 1
    said = json.loads(capsys.readouterr().out)["figures"]
    assert [(one["name"], one["median"], one["missed"]) for one in said] == [("a", 1.3, True), ("b", 40.0, False)]


def test_each_mcp_handler_answers() -> None:
    with start("compared_handlers.py", "warm-1") as worker:
        for case in ("initialize", "tools/list", "tools/call"):
            assert worker.ask(case=case, count=1)["bytes"] == 0
            assert worker.ask(case=case, count=2, bare=True)["seconds"] > 0
        assert worker.ask(case=case, count=2, weigh=True)["bytes"] > 0
    with start("compared_handlers.py", "rebuilt-1") as worker:
        assert worker.ask(case="tools/call", count=2)["seconds"] > 0


def test_a_sync_tool_is_called_signed_in() -> None:
    with start("compared_handlers.py", "project") as worker:
        assert worker.ask(case="tools/call, sync", count=1)["seconds"] > 0


def test_the_runtime_client_answers_without_a_gateway(tmp_path: Path) -> None:
    compared_servers.write_site(tmp_path)
    with start("direct_runtime_client.py", str(tmp_path)) as worker:
        assert len(worker.ask(count=3)["each"]) == 3


@pytest.mark.parametrize("server", ["routegen", "uvicorn", "ceiling"])
def test_the_load_client_wants_the_answer(tmp_path: Path, server: str) -> None:
    compared_servers.write_site(tmp_path)
    serve: Any = {
        "routegen": lambda: compared_servers.routegen(tmp_path, inspector=True),
        "uvicorn": lambda: compared_servers.uvicorn(tmp_path),
        "ceiling": lambda: compared_servers.ceiling(tmp_path),
    }[server]
    with serve() as port, start("load_client.py") as load:
        took = load.ask(port=port, path=compared_servers.PATH, body=compared_servers.BODY, clients=2, count=3)
        assert len(took["each"]) == 6


def test_another_answer_ends_the_load_client(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    compared_servers.write_site(tmp_path)
    with (
        compared_servers.uvicorn(tmp_path) as port,
        start("load_client.py") as load,
        pytest.raises(RuntimeError, match="ended with"),
    ):
        load.ask(port=port, path="/elsewhere", body=compared_servers.BODY, clients=1, count=1)
    assert "an answer that was not expected" in capfd.readouterr().err
