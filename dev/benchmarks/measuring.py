"""Shared code of the benchmarks: figures with rounds and bars, reports as a table or JSON, and worker processes.

A round measures each side once, one after the other, so that a change of the machine's speed affects both. A figure has
one value for each round, and its median counts.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """The result of one comparison.

    Attributes:
        name: a description of the comparison.
        medians: the medians of both sides, as text.
        rounds: the value of each round.
        unit: the unit of the values; `x` for a ratio.
        bar: the limit of the median; None if there is no limit.
    """

    name: str
    medians: str
    rounds: tuple[float, ...]
    unit: str = "x"
    bar: float | None = None

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def is_over_bar(self) -> bool:
        """Whether the median is larger than the bar."""
        return self.bar is not None and self.median > self.bar

    @property
    def row(self) -> str:
        """A row of the Markdown table."""
        bar = "none" if self.bar is None else f"{self.bar:.2f}, {'missed' if self.is_over_bar else 'met'}"
        between = f"{_format(min(self.rounds))} to {_format(max(self.rounds))}"
        return f"| {self.name} | {self.medians} | {_format(self.median)} {self.unit} | {between} | {bar} |"


def _format(number: float) -> str:
    return f"{number:,.2f}" if abs(number) < 100 else f"{number:,.0f}"


def ratio(name: str, measured: Sequence[float], baseline: Sequence[float], *, bar: float | None = None) -> Figure:
    """Compare two lists of seconds round by round: measured / baseline."""
    medians = f"{_median_milliseconds(measured)} / {_median_milliseconds(baseline)}"
    return Figure(name, medians, divide_rounds(measured, baseline), bar=bar)


def divide_rounds(measured: Sequence[float], baseline: Sequence[float]) -> tuple[float, ...]:
    """Divide the value of each round by the baseline's value of the same round."""
    return tuple(value / base for value, base in zip(measured, baseline, strict=True))


def _median_milliseconds(seconds: Sequence[float]) -> str:
    median = statistics.median(seconds) * 1000
    return f"{median:,.2f} ms" if median < 100 else f"{median:,.0f} ms"


def seconds_of(call: Callable[[], object]) -> float:
    """Measure the wall-clock seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def alternate(rounds: int, *measurements: Callable[[], float]) -> tuple[tuple[float, ...], ...]:
    """Run all measurements once as a warm-up and then once in each round; return the values of each measurement."""
    for measure in measurements:
        measure()
    return tuple(zip(*[[measure() for measure in measurements] for _ in range(rounds)], strict=True))


def argument_parser(docstring: str | None) -> argparse.ArgumentParser:
    """Create a parser with the options of every benchmark; the docstring is the help text."""
    parser = argparse.ArgumentParser(description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="run few rounds, to test the script")
    parser.add_argument("--json", action="store_true", help="print a JSON object with every round instead of the table")
    return parser


def print_report(figures: Sequence[Figure], as_json: bool) -> int:
    """Print the figures to stdout, and return the exit code: 1 if a figure misses its bar."""
    if as_json:
        rows = [asdict(figure) | {"median": figure.median, "missed": figure.is_over_bar} for figure in figures]
        print(json.dumps({"machine": machine_description(), "figures": rows}, indent=2))
    else:
        head = ["| comparison | medians | figure | rounds | bar |", "|---|---|---|---|---|"]
        print("\n".join([*head, *(figure.row for figure in figures), "", machine_description()]))
    return int(any(figure.is_over_bar for figure in figures))


def machine_description() -> str:
    """Describe the machine without private data."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def run_script(main: Callable[[], int]) -> None:
    """Run a benchmark. The exit code is that of `main`, or 2 with one line on stderr if it could not measure."""
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)


def print_progress(text: str) -> None:
    """Print a line about the present step to stderr."""
    print(text, file=sys.stderr, flush=True)


class Worker:
    """A worker process. It reads one JSON object per line from stdin, and writes one JSON object per line to stdout."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start the process; `env` replaces the whole environment."""
        self._command = command
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request: Any) -> Any:
        """Send a request, and return the response.

        Raises:
            RuntimeError: the process has ended; its stderr has the reason.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        response = self._process.stdout.readline()
        if not response:
            script = Path(str(self._command[1])).name
            raise RuntimeError(f"{script} ended with status {self._process.wait()}; the lines above have the reason")
        return json.loads(response)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        """Close the stdin of the process, which ends it."""
        self._process.communicate()


def answer_requests(function: Callable[..., Any]) -> None:
    """In a worker process, call the function with the fields of each request, and write its result."""
    for line in sys.stdin:
        print(json.dumps(function(**json.loads(line))), flush=True)
