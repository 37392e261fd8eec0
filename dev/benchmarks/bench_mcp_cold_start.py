"""Measure the cold start of the MCP Lambda: importing the built package in a new process.

    python dev/benchmarks/bench_mcp_cold_start.py [--quick] [--json] [--package DIR]

The import is compared with an import of only FastMCP, AuthKitProvider and Mangum from the same directory, and with an
import of the same package without bytecode. Python runs as on Lambda: it finds only the package and the standard
library, and it writes no missing bytecode.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from dev.benchmarks.measuring import (  # noqa: E402 - from the checkout
    alternate,
    argument_parser,
    print_progress,
    print_report,
    ratio,
    run_script,
)

REQUIREMENTS_BAR = 1.15
ROUNDS, QUICK_ROUNDS = 21, 2

IMPORT_SERVER = "import mcp_server"
IMPORT_REQUIREMENTS = """\
from fastmcp import FastMCP
from fastmcp.server.auth.providers.workos import AuthKitProvider
from mangum import Mangum
"""
# Invented values, like those in [tool.routegen.apps.mcp.env]: the import needs no network.
ENVIRONMENT = {
    "AUTHKIT_DOMAIN": "https://example.authkit.app",
    "MCP_BASE_URL": "https://wiki.example",
    "WORKOS_CLIENT_ID": "client_0123456789",
}


def build_package(directory: Path) -> None:
    """Build the package with the interpreter that runs this script.

    Raises:
        RuntimeError: the build has failed; its stderr has the reason.
    """
    script = ROOT / "app" / "poc" / "mcp_package" / "build.sh"
    env = {**os.environ, "PYTHON": sys.executable}
    completed = subprocess.run(["bash", str(script), "-o", str(directory)], env=env, check=False, stdout=sys.stderr)
    if completed.returncode:
        raise RuntimeError("the package could not be built; the lines above have the reason")


def seconds_of_import(package: Path, statements: str) -> float:
    """Measure the seconds of imports in a new process, without the start of the process.

    Raises:
        RuntimeError: the import has failed, so its time means nothing.
    """
    program = f"import time\nstart = time.perf_counter()\n{statements}\nprint(time.perf_counter() - start)"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", **ENVIRONMENT}
    # -S excludes the site-packages of this virtual environment.
    command = [sys.executable, "-S", "-c", program]
    completed = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise RuntimeError(f"the import has failed:\n{completed.stderr}")
    return float(completed.stdout)


def options_parser() -> ArgumentParser:
    """Create the parser of this script's options."""
    parser = argument_parser(__doc__)
    parser.add_argument("--package", type=Path, help="a package that this Python has built (default: build a package)")
    return parser


def check_package(package: Path) -> None:
    """Check that this Python version has built the package, because another version cannot use its bytecode.

    Raises:
        RuntimeError: the directory is not a package, or another Python version has built it.
    """
    try:
        runtime = json.loads((package / "lambda.json").read_text())["runtime"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RuntimeError(f"{package} is not a package of app/poc/mcp_package/build.sh: {error}") from None
    present_runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if runtime != present_runtime:
        raise RuntimeError(
            f"{package} is built for {runtime}, and this Python is {present_runtime}; "
            f"build it with PYTHON={sys.executable}"
        )


def main() -> int:
    """Print the table, and return 1 if a figure misses its bar."""
    options = options_parser().parse_args()
    rounds = QUICK_ROUNDS if options.quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        package, sources_only = options.package or Path(folder) / "mcp", Path(folder) / "sources-only"
        if options.package is None:
            build_package(package)
        check_package(package)
        shutil.copytree(package, sources_only, ignore=shutil.ignore_patterns("__pycache__"))
        print_progress("importing the package")
        server, server_without_bytecode, requirements = alternate(
            rounds,
            partial(seconds_of_import, package, IMPORT_SERVER),
            partial(seconds_of_import, sources_only, IMPORT_SERVER),
            partial(seconds_of_import, package, IMPORT_REQUIREMENTS),
        )
    name = "import of the package / of FastMCP, AuthKitProvider and Mangum"
    figures = [
        ratio(name, server, requirements, bar=REQUIREMENTS_BAR),
        ratio("import of the package without bytecode / with bytecode", server_without_bytecode, server),
    ]
    return print_report(figures, options.json)


if __name__ == "__main__":
    run_script(main)
