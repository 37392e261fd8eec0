"""Compare the time of `routegen extract` and `routegen --help` with the time of the imports that they need.

    python dev/benchmarks/bench_command_startup.py [--quick] [--json]

`routegen extract` is compared with a bare import of the same server, and `routegen --help` with an import of click.
Each side is a whole process.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from routegen.config import read_config  # noqa: E402 - from the checkout, installed or not

from dev.benchmarks.measuring import (  # noqa: E402
    Figure,
    alternate,
    argument_parser,
    print_report,
    ratio,
    run_script,
    seconds_of,
)

ROUNDS, QUICK_ROUNDS = 15, 2


@dataclass(frozen=True)
class CommandPair:
    """A command of routegen, and the command that it is compared with."""

    name: str
    command: list[str]
    baseline: list[str]
    env: dict[str, str]
    bar: float


def command_pairs() -> list[CommandPair]:
    """Return both pairs. They use this repository's server with the environment of its configuration."""
    app = read_config(ROOT / "pyproject.toml").apps[0]
    routegen = str(Path(sys.executable).with_name("routegen"))
    bare_import = f"import sys; sys.path.insert(0, {app.path!r}); import mcp_server; mcp_server.app"
    return [
        CommandPair(
            "routegen extract / import of the server",
            [routegen, "extract"],
            [sys.executable, "-c", bare_import],
            dict(app.env),
            1.10,
        ),
        CommandPair(
            "routegen --help / import of click",
            [routegen, "--help"],
            [sys.executable, "-c", "import click"],
            {},
            1.75,  # the group imports the options of every command
        ),
    ]


def seconds_of_process(command: list[str], env: dict[str, str]) -> float:
    """Measure the wall-clock seconds of a process.

    Raises:
        RuntimeError: the process has failed, so its time means nothing.
    """
    run = partial(subprocess.run, command, cwd=ROOT, env={**os.environ, **env}, check=True, capture_output=True)
    try:
        return seconds_of(run)
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{error}: {error.stderr.decode()}") from None


def compare(pair: CommandPair, rounds: int) -> Figure:
    """Measure both commands of a pair in each round."""
    command = partial(seconds_of_process, pair.command, pair.env)
    baseline = partial(seconds_of_process, pair.baseline, pair.env)
    return ratio(pair.name, *alternate(rounds, command, baseline), bar=pair.bar)


def main() -> int:
    """Print the table, and return 1 if a figure misses its bar."""
    options = argument_parser(__doc__).parse_args()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    return print_report([compare(pair, rounds) for pair in command_pairs()], options.json)


if __name__ == "__main__":
    run_script(main)
