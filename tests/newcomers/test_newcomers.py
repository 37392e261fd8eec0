"""Newcomers: `init`, `extract --write`, `check`, `prove` and `verify`, from the wheel, in ten repositories.

Each ends in a correct manifest, or in one message that names the fault and its fix. Quick tests run routegen in this
process; the slow test runs it from the wheel, in an environment that has only its dependencies and the frameworks.
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.support import Run
from helpers.wheel_environment import make_environment
from newcomers.repositories import DISCOVERY, REPOSITORIES, Repository
from routegen.cli import routegen
from routegen.cli.failures import State, run
from routegen.config import read_config
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import running_gateway

Command = Callable[..., Run]


def play(repository: Repository, folder: Path, command: Command) -> None:
    """Follow the README in a repository, and check how it ends."""
    for name, text in repository.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    steps = (("init", *repository.init), ("extract", "--write"), ("check",), ("prove",), ("verify",))
    for step in steps:
        done = command(*step)
        assert "Traceback" not in done.stderr
        if step[0] == repository.ends_at:
            assert done.code in {2, 3, 5}
            assert all(part in done.error for part in repository.message), done.stderr
            return
        # `verify` predicts that some clients fail if a website without a configuration may answer their questions.
        assert done.code == 0 or step[0] == "verify", f"{step}: {done.stdout}{done.stderr}"
        assert done.code in {0, 1}
    manifest = json.loads((folder / "generated" / "routes.json").read_text())
    keys = {key for route in manifest["routes"] for key in route["route_keys"]}
    assert keys >= set(repository.route_keys)


@pytest.mark.parametrize("repository", REPOSITORIES, ids=lambda repository: repository.name)
def test_a_newcomer_ends_in_a_manifest_or_in_one_message(
    repository: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    forked_apps: None,
) -> None:
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Run:
        code = run(routegen, State(), arguments)
        output = capfd.readouterr()
        return Run(code, output.out, output.err)

    play(repository, tmp_path, command)


def test_there_are_ten_newcomers() -> None:
    assert len(REPOSITORIES) == 10


@pytest.fixture(scope="module")
def wheel_with_frameworks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel and the frameworks of all repositories."""
    frameworks = ("fastmcp", "fastapi", "mangum", "pydantic-settings")
    return make_environment(tmp_path_factory.mktemp("environment"), *frameworks)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("repository", REPOSITORIES, ids=lambda repository: repository.name)
def test_a_newcomer_with_the_wheel(repository: Repository, tmp_path: Path, wheel_with_frameworks: Path) -> None:
    play(repository, tmp_path, lambda *arguments: run_with(wheel_with_frameworks, tmp_path, *arguments))


def run_with(python: Path, folder: Path, *arguments: str) -> Run:
    done = subprocess.run(
        [python, "-m", "routegen", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


GATEWAY = """\
[tool.routegen]
manifest = "routes.json"
default = "wiki"

[tool.routegen.apps.mcp]
app = "handlers.py:mcp"
handler = "handlers.mcp"

[tool.routegen.apps.wiki]
app = "handlers.py:wiki"
handler = "handlers.wiki"
"""
HANDLERS = """\
def mcp(event, context):
    url = "https://" + event["requestContext"]["domainName"] + "/.well-known/oauth-protected-resource/mcp"
    if event["rawPath"] != "/mcp":
        return {"statusCode": 404, "headers": {"content-type": "application/json"}, "body": "{}"}
    challenge = 'Bearer resource_metadata="' + url + '"'
    return {"statusCode": 401, "headers": {"www-authenticate": challenge, "content-type": "application/json"},
            "body": '{"error": "invalid_token"}'}

def wiki(event, context):
    return {"statusCode": STATUS, "headers": {"content-type": "text/html"},
            "body": "<!doctype html><title>Page not found</title>" + "<p>An otter." * 500}
"""
BY_HAND = {
    "version": 1,
    "default": "wiki",
    "routes": [{"path": "/mcp", "methods": ["POST"], "app": "mcp", "role": "mcp-endpoint", "route_keys": ["ANY /mcp"]}],
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel only."""
    return make_environment(tmp_path_factory.mktemp("environment"))


@pytest.mark.parametrize("status", [200, 404])
def test_verify_from_the_wheel_names_the_missing_routes(
    status: int, tmp_path: Path, wheel: Path, record_property: Callable[[str, object], None]
) -> None:
    """The fault that routegen was written for: discovery falls to the wiki."""
    project = tmp_path / "gateway"
    project.mkdir()
    (project / "handlers.py").write_text(HANDLERS.replace("STATUS", str(status)))
    (project / "pyproject.toml").write_text(GATEWAY)
    (project / "routes.json").write_text(json.dumps(BY_HAND))
    with running_gateway(read_config(project / "pyproject.toml"), ServeSettings()) as gateway:
        started = time.monotonic()
        done = run_with(wheel, tmp_path, "verify", f"{gateway.url}/mcp")
        record_property("seconds", time.monotonic() - started)
    assert done.code == 1, done.stderr
    assert f"Add a route for {DISCOVERY.removeprefix('ANY ')} to the MCP server" in done.stdout
    assert "Clients also ask for /.well-known/oauth-protected-resource, " in done.stdout
    assert "/.well-known/oauth-authorization-server, " in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 800  # no web page of the wiki
    assert done.stderr == "routegen: no manifest, so the routes are not checked; name one with --manifest FILE\n"
