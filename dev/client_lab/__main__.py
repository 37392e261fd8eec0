"""`python -m dev.client_lab`: run the installed clients in the recorded cases, and compare them with the recordings."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from dev.client_lab.client_sessions import CLIENTS, ToolCall, installed_version, session_command, session_environment
from dev.client_lab.recorded_answers import (
    ENDPOINT_PATHS,
    NOT_FOUND_PAGE,
    OPENID_PATH,
    RESOURCE_PATH,
    SERVER_PATH,
    Replies,
    read_recording,
    recorded_cases,
    single_fault_cases,
)
from dev.client_lab.replying_servers import ReplyingServers, run_replying_servers

SECONDS = 60
"""The time after which a client that neither ends nor opens the sign-in page is stopped."""

SECONDS_AT_PAGE = 2
"""The time in which a client can refuse to go on after the sign-in page."""

NO_CODE = "no redirect with a code"
"""The error of the browser in `session.mjs`."""

Outcome = dict[str, Any]


def record(client: str, replies: Replies, path: str = "/mcp") -> Outcome:
    """Run a client up to the sign-in page; return its error, or None if it opens the page, and its requests."""
    with run_replying_servers(replies) as servers, tempfile.TemporaryDirectory() as folder:
        url = servers.urls["origin"] + path
        program = session_command(client, url, Path(folder, "state"), ToolCall("hello", {}))
        with subprocess.Popen(
            program,
            env=session_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as process:
            _wait(process, servers.signing_in, SECONDS)
            _wait(process, servers.went_on, SECONDS_AT_PAGE if servers.signing_in.is_set() else 0)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0]
        requests = [line.rpartition(" ")[0] for line in servers.requests]
        if servers.signing_in.is_set() and any(line.endswith("/register") for line in requests):
            # While the browser starts, mcp-remote already looks for the documents that it needs after the sign-in.
            while not requests[-1].endswith("/register"):
                requests.pop()
        error = json.loads(output or "{}").get("error")
        if not servers.has_sign_in_page and (not error or NO_CODE in error):
            error = ""  # only the browser shows an error
        elif servers.went_on.is_set():
            error = None
        return {"error": error and without_urls(error, servers), "requests": requests}


def _wait(process: "subprocess.Popen[str]", event: threading.Event, seconds: float) -> None:
    """Wait until a process ends, or until something has happened."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and not event.is_set() and time.monotonic() < deadline:
        time.sleep(0.01)


def without_urls(text: str, servers: ReplyingServers) -> str:
    """Replace what differs in each run by the names of the recordings."""
    for name, url in servers.urls.items():
        text = text.replace(url, f"{{{name}}}").replace(url.upper(), f"{{{name.upper()}}}")
    return text.replace(NOT_FOUND_PAGE[2], "{page}")


def expected_outcomes(client: str) -> dict[str, tuple[Replies, Outcome]]:
    """The replies and the recorded outcome of each case of a client."""
    outcomes = {}
    for run in read_recording("recorded")["runs"]:
        if run["client"] == client:
            error = run["error"] and run["error"].replace("http://127.0.0.1:PORT", "{origin}")
            error = error and error.replace("http://127.0.0.1:ASPORT", "{authkit}").replace(NOT_FOUND_PAGE[2], "{page}")
            requests = [line.rpartition(" ")[0] for line in run["requests"]]
            outcomes[run["case"]] = (recorded_cases()[run["case"]], {"error": error, "requests": requests})
    paths = {"prm": RESOURCE_PATH, "asm": SERVER_PATH, "oidc": OPENID_PATH}
    for run in read_recording("single_faults")["runs"]:
        if client in run["clients"]:
            requests = [line.format(**paths) for line in run["requests"]]
            outcomes[run["case"]] = (single_fault_cases()[run["case"]], {"error": run["error"], "requests": requests})
    return outcomes


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("client", type=click.Choice(CLIENTS))
@click.option("--case", "cases", multiple=True, help="Run only this case; can be repeated.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the outcomes to this file, as JSON.")
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True, help="The number of parallel runs.")
def main(*, client: str, cases: tuple[str, ...], output: Path | None, jobs: int) -> None:
    """Run the installed version of CLIENT in the recorded cases, and print each difference from the recordings.

    The exit code is 1 if a request or an error differs. Then update the recordings in `tests/verify/data`, the
    prediction of the client and its claim.
    """
    expected = {name: case for name, case in expected_outcomes(client).items() if not cases or name in cases}
    started = time.monotonic()

    def run(name: str) -> Outcome:
        return record(client, expected[name][0], ENDPOINT_PATHS.get(name, "/mcp"))

    # The first run also installs a client that is missing.
    first_case, *other_cases = expected
    outcomes = {first_case: run(first_case)}
    with ThreadPoolExecutor(jobs) as pool:
        outcomes |= zip(other_cases, pool.map(run, other_cases), strict=True)
    for name in [name for name in expected if outcomes[name] != expected[name][1]]:
        outcomes[name] = run(name)  # one more time: a client that fails can still send a request before it ends
    version = installed_version(client)
    if output:
        output.write_text(json.dumps({"client": client, "version": version, "outcomes": outcomes}, indent=1) + "\n")
    different = [name for name in expected if outcomes[name] != expected[name][1]]
    for name in different:
        click.echo(f"{name}\n  recorded {json.dumps(expected[name][1])}\n  now      {json.dumps(outcomes[name])}")
    seconds = time.monotonic() - started
    click.echo(f"{version}: {len(expected)} cases, {len(different)} different, {seconds:.0f} s", err=True)
    sys.exit(bool(different))


if __name__ == "__main__":
    main(prog_name="python -m dev.client_lab")
