"""What the scripts that measure in rounds share: a figure with its rounds and its bar, as a table or as JSON.

A round measures each side once, in turn, so that a machine whose speed drifts slows all of them. A figure is made
round by round; its median is what counts.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One thing that was measured.

    Attributes:
        name: what, in words.
        medians: of the two sides, in words.
        rounds: the figure of each round.
        unit: `x` for a ratio.
        bar: what the median should not exceed; None where it is only reported.
    """

    name: str
    medians: str
    rounds: tuple[float, ...]
    unit: str = "x"
    bar: float | None = None

    @property
    def median(self) -> float:
        """The one that counts."""
        return statistics.median(self.rounds)

    @property
    def missed(self) -> bool:
        """Whether it is past its bar."""
        return self.bar is not None and self.median > self.bar

    def said(self, number: float) -> str:
        """A number of this figure's."""
        return f"{number:,.2f}" if abs(number) < 100 else f"{number:,.0f}"

    @property
    def row(self) -> str:
        """A row of the Markdown table."""
        bar = "none" if self.bar is None else f"{self.bar:.2f}, {'missed' if self.missed else 'met'}"
        between = f"{self.said(min(self.rounds))} to {self.said(max(self.rounds))}"
        return f"| {self.name} | {self.medians} | {self.said(self.median)} {self.unit} | {between} | {bar} |"


def ratio(name: str, ours: Sequence[float], baseline: Sequence[float], *, bar: float | None = None) -> Figure:
    """How many times as long the one takes as the other; both in seconds, paired by round."""
    medians = f"{milliseconds(ours)} / {milliseconds(baseline)}"
    return Figure(name, medians, tuple(one / other for one, other in zip(ours, baseline, strict=True)), bar=bar)


def milliseconds(seconds: Sequence[float]) -> str:
    """The median, in words."""
    median = statistics.median(seconds) * 1000
    return f"{median:,.2f} ms" if median < 100 else f"{median:,.0f} ms"


def parser(text: str | None) -> argparse.ArgumentParser:
    """The options that each script has; `text` is its docstring."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="few rounds: whether it works, not what it costs")
    made.add_argument("--json", action="store_true", help="a JSON object with every round instead of the table")
    return made


def report(figures: Sequence[Figure], as_json: bool) -> int:
    """Print the figures to stdout; the exit code is 1 where a bar is missed."""
    if as_json:
        rows = [asdict(one) | {"median": one.median, "missed": one.missed} for one in figures]
        print(json.dumps({"machine": machine(), "figures": rows}, indent=2))
    else:
        head = ["| compared | medians | figure | rounds | bar |", "|---|---|---|---|---|"]
        print("\n".join([*head, *(one.row for one in figures), "", machine()]))
    return int(any(one.missed for one in figures))


def machine() -> str:
    """What it was measured on, as far as others may know."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}"


def run(main: Callable[[], int]) -> None:
    """Run a script: its exit code is `main`'s, and 2 with one line where it could not measure."""
    try:
        sys.exit(main())
    except (RuntimeError, OSError) as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)


def progress(text: str) -> None:
    """Tell a waiting person what is being done."""
    print(text, file=sys.stderr, flush=True)


class Worker:
    """A process that does a piece of work when it is asked: a JSON object a line, in and out."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start it; it has `env` alone where that is given."""
        self._command = command
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **what: Any) -> Any:
        """Have something done, and return what it says.

        Raises:
            RuntimeError: it has ended; what it said is on stderr.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            script = Path(str(self._command[1])).name
            raise RuntimeError(f"{script} ended with status {self._process.wait()}; the lines above say why")
        return json.loads(answer)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        """End it: its stdin ends."""
        self._process.communicate()


def work(do: Callable[..., Any]) -> None:
    """A worker's side: call `do` with each object's fields until there are no more."""
    for line in sys.stdin:
        print(json.dumps(do(**json.loads(line))), flush=True)
