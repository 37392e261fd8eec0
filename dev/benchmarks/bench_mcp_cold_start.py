"""The MCP Lambda, cold: importing the built package in a fresh process.

    python dev/benchmarks/bench_mcp_cold_start.py [--quick] [--json] [--package DIR]

Against the same package without its bytecode, and against its floor: FastMCP, AuthKitProvider and Mangum alone, from
the same directory. Python runs as on Lambda: the package is all that it finds beside the standard library, and
bytecode that is missing is not written.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dev.benchmarks.measuring import parser, progress, ratio, report, run  # noqa: E402 - from the checkout

FLOOR_BAR = 1.15
ROUNDS, QUICK_ROUNDS = 21, 2

PACKAGE = "import mcp_server"
FLOOR = """\
from fastmcp import FastMCP
from fastmcp.server.auth.providers.workos import AuthKitProvider
from mangum import Mangum
"""
# As [tool.routegen.apps.mcp.env] has it: the import needs no network.
ENVIRONMENT = {
    "AUTHKIT_DOMAIN": "https://example.authkit.app",
    "MCP_BASE_URL": "https://wiki.example",
    "WORKOS_CLIENT_ID": "client_0123456789",
}


def build(target: Path) -> None:
    """The package, for the interpreter that runs this.

    Raises:
        RuntimeError: it can't be built; why is on stderr.
    """
    script = ROOT / "app" / "poc" / "mcp_package" / "build.sh"
    env = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(["bash", str(script), "-o", str(target)], env=env, check=False, stdout=sys.stderr)
    if done.returncode:
        raise RuntimeError("the package can't be built; the lines above say why")


def seconds(package: Path, imports: str) -> float:
    """Seconds that imports take in a fresh process, its own start left out.

    Raises:
        RuntimeError: they failed, so their time means nothing.
    """
    timed = f"import time\nbegan = time.perf_counter()\n{imports}\nprint(time.perf_counter() - began)"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", **ENVIRONMENT}
    # -S: without the environment that this runs in.
    done = subprocess.run([sys.executable, "-S", "-c", timed], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the import failed:\n{done.stderr}")
    return float(done.stdout)


def options_parser() -> ArgumentParser:
    """This script's options."""
    made = parser(__doc__)
    made.add_argument("--package", type=Path, help="one that is built already, by this Python (default: build one)")
    return made


def check(package: Path) -> None:
    """Refuse what another Python has built: its bytecode would not be used.

    Raises:
        RuntimeError: it is none of ours; the text says so.
    """
    try:
        runtime = json.loads((package / "lambda.json").read_text())["runtime"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RuntimeError(f"{package} is no package of app/poc/mcp_package/build.sh: {error}") from None
    mine = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if runtime != mine:
        raise RuntimeError(
            f"{package} is built for {runtime}, and this is {mine}; build it with PYTHON={sys.executable}"
        )


def main() -> int:
    """Print the table; 1 if a bar is missed."""
    options = options_parser().parse_args()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        package, bare = options.package or Path(folder) / "mcp", Path(folder) / "without"
        if options.package is None:
            build(package)
        check(package)
        shutil.copytree(package, bare, ignore=shutil.ignore_patterns("__pycache__"))
        sides = [(package, PACKAGE), (bare, PACKAGE), (package, FLOOR)]
        progress("importing")
        for side in sides:
            seconds(*side)  # warm-up: the file cache
        taken = [tuple(seconds(*side) for side in sides) for _ in range(rounds)]
    ours, without, floor = zip(*taken, strict=True)
    figures = [
        ratio("import of the package / of FastMCP, AuthKitProvider and Mangum", ours, floor, bar=FLOOR_BAR),
        ratio("import of the package without bytecode / with it", without, ours),
    ]
    return report(figures, options.json)


if __name__ == "__main__":
    run(main)
