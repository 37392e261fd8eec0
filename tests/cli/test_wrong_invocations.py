"""Wrong command lines: one line on stderr, the exit code of the contract, nothing written, and advice that works.

A command line that begins with @ runs in a folder without a project.
"""

import re
import shlex
from pathlib import Path

import pytest
from helpers.support import SMALL_APP
from routegen.cli import COMMANDS, routegen
from routegen.cli.failures import State, run

pytestmark = pytest.mark.usefixtures("forked_apps")

# The command line, the exit code, and the beginning of the message.
WRONG_INVOCATIONS = [
    ("init", 2, "pyproject.toml: it has a [tool.routegen] already, and init does not change it"),
    ("init server.py:app", 2, "pyproject.toml: it has a [tool.routegen] already"),
    ("@init", 2, "APP: no Python file in "),
    ("@init nope.py:app", 3, "nope.py: there is no such file in "),
    ("@init nope.py:app --name 'a b'", 2, "--name: 'a b' is not a name"),
    ("@init nope.py:app --name a --default a", 2, "--name: 'a' is the name of the app behind $default"),
    ("@init nope.py:app --env NO_SUCH_OTTER", 2, "--env: 'NO_SUCH_OTTER' has no value, and NO_SUCH_OTTER is not in"),
    ("@init nope.py:app --env-file nope.env", 2, "--env-file: nope.env: cannot be read: No such file or directory"),
    ("extract --env =x", 2, "--env: '=x' is not NAME=VALUE, NAME or APP:NAME=VALUE"),
    ("extract --env nope:A=x", 2, "--env: no app is called 'nope'; the apps are mcp"),
    ("extract --env-file server.py", 2, "--env-file: server.py, line 1: write NAME=VALUE"),
    ("extract --write -o x.json", 2, "--write: it names the output as -o does; give one of them"),
    ("extract --project nope", 2, "-C / --project: directory 'nope' does not exist"),
    ("diff a b --env A=b", 2, "--env: it goes with --with"),
    ("chek", 2, "chek: there is no such command; the nearest is `routegen check`"),
    ("--nope", 2, "--nope: there is no such option"),
    ("extract --qqq", 2, "--qqq: there is no such option; `routegen extract --help` shows the usage"),
    ("extract --name", 2, "--name: requires an argument; `routegen extract --help` shows the usage"),
    ("extract --name x", 2, "--name: it goes with APP"),
    ("extract server.py:app --name wiki --default wiki", 2, "--name: 'wiki' is the name of the app behind $default"),
    ("extract server.py:app other", 2, "routegen extract: got unexpected extra argument (other)"),
    ("extract server.py:app --name 'a b'", 2, "--name: 'a b' is not a name: use letters, digits, '-' and '_'"),
    ("extract server.py:app --own mcp", 2, "--own: 'mcp' is not a literal path such as '/mcp'"),
    ("extract server.py:app --unsupported maybe", 2, "--unsupported: 'maybe' is not one of 'refuse', 'warn'"),
    ("extract server.py:app --timeout never", 2, "--timeout: 'never' is not a number from 0.001 to 86,400; `"),
    ("extract server.py:app --timeout 0", 2, "--timeout: '0' is not a number from 0.001 to 86,400; `"),
    ("extract -o folder", 2, "-o / --output: file 'folder' is a directory"),
    ("extract nope.py:app", 3, "nope.py: there is no such file in "),
    ("extract server.py:nope", 3, "server.py: no attribute 'nope'; its apps are app"),
    ("@extract server.py:app", 3, "server.py: there is no such file in "),
    ("check --manifest nope.json", 4, "nope.json: there is no such file; `routegen extract -o nope.json` writes it"),
    ("check --manifest empty.json", 4, "empty.json: the file is empty; `routegen extract -o empty.json` writes a new"),
    ("check --manifest folder", 2, "--manifest: file 'folder' is a directory"),
    ("check --format xml", 2, "--format: 'xml' is not one of 'text', 'json', 'github', 'sarif', 'junit'"),
    ("check --fromat json", 2, "--fromat: there is no such option; the nearest is --format"),
    ("check --fail-on sometimes", 2, "--fail-on: 'sometimes' is not one of 'error', 'warning', 'never'"),
    ("check --ignore RG999", 2, "RG999: no rule has this id; the nearest ids are RG219"),
    ("check --explain 42", 2, "42: no rule has this id; the nearest ids are "),
    ("check server.py:app two", 2, "routegen check: got unexpected extra argument (two)"),
    ("diff", 2, "OLD NEW: give two manifests, each a file or git:REV, or give --with REQUIREMENT instead"),
    ("diff generated/routes.json", 2, "OLD NEW: give two manifests"),
    ("diff generated/routes.json nope.json", 4, "nope.json: there is no such file"),
    ("diff git: generated/routes.json", 4, "git:: names no revision; git:HEAD is the last commit"),
    ("diff git:HEAD generated/routes.json", 4, "git:HEAD: generated/routes.json: "),
    ("diff --with click==1 generated/routes.json", 2, "--with: it compares the manifest with an extraction"),
    ("diff list.json generated/routes.json", 4, "list.json: a manifest is a JSON object, this is an array"),
    ("list extra", 2, "routegen list: got unexpected extra argument (extra)"),
    ("list --format yaml", 2, "--format: 'yaml' is not one of 'text', 'json'"),
    ("list --manifest nope.json", 4, "nope.json: there is no such file"),
    ("explain", 2, "METHOD: is missing; `routegen explain --help` shows the usage"),
    ("explain GET", 2, "PATH_OR_URL: is missing"),
    ("explain FETCH /mcp", 2, "METHOD: 'FETCH' is not a method of an HTTP API: DELETE, GET, HEAD"),
    ("explain GET mcp", 2, "PATH_OR_URL: 'mcp' is neither a path such as /mcp nor a URL such as https://host/mcp"),
    ("explain GET mailto:me", 2, "PATH_OR_URL: 'mailto:me' is neither a path"),
    ("explain GET /mcp extra", 2, "routegen explain: got unexpected extra argument (extra)"),
    ("prove nope.py:app", 3, "nope.py: there is no such file in "),
    ("prove --manifest list.json", 4, "list.json: a manifest is a JSON object"),
    ("prove --default x", 2, "--default: it goes with APP"),
    ("serve", 2, "[tool.routegen.apps.mcp]: handler is missing; add the Lambda handler, for example handler ="),
    ("extract server.py:app --timeout nan", 2, "--timeout: 'nan' is not a number from 0.001 to 86,400; `"),
    ("extract server.py:app --timeout inf", 2, "--timeout: 'inf' is not a number from 0.001 to 86,400; `"),
    ("extract server.py:app --timeout 1e9", 2, "--timeout: '1e9' is not a number from 0.001 to 86,400; `"),
    ("serve --port eighty", 2, "--port: 'eighty' is not a whole number from 0 to 65,535; `"),
    ("serve --port 70000", 2, "--port: '70000' is not a whole number from 0 to 65,535; `"),
    ("serve --port 80.5", 2, "--port: '80.5' is not a whole number from 0 to 65,535; `"),
    ("serve --stage 'a b'", 2, "--stage: 'a b' is not a stage's name: letters, digits, '-' and '_'"),
    ("serve --max-instances 0", 2, "--max-instances: '0' is not a whole number from 1 to 100; `"),
    ("serve --www-authenticate drop", 2, "--www-authenticate: 'drop' is not one of 'rename', 'keep'"),
    ("verify ftp://x", 2, "URL: 'ftp://x' is not an http URL; write it like https://dev.wikibot.io"),
    ("verify dev.wikibot.io", 2, "URL: 'dev.wikibot.io' is not an http URL"),
    ("verify --client netscape", 2, "--client: 'netscape' is not one of python-sdk, "),
    ("verify --page /x", 2, "URL: --page, --register and --allow-private need it: routegen verify URL"),
    ("verify http://127.0.0.1:1 --page x", 2, "--page: 'x' is not a path; write it like /Home"),
    ("verify http://127.0.0.1:1 --timeout -1", 2, "--timeout: '-1' is not a number from 0.001 to 600; `"),
    ("verify http://example.com --token x", 2, "--token: it is not sent to http://example.com/mcp, which is not https"),
    ("verify http://127.0.0.1:1 --manifest nope.json", 4, "nope.json: there is no such file"),
    ("verify http://127.0.0.1:1 two", 2, "routegen verify: got unexpected extra argument (two)"),
    ("audit", 2, "--api-id: give either --api-id ID or --api-name NAME"),
    ("audit --api-id a --api-name b", 2, "--api-id: give either --api-id ID or --api-name NAME"),
    ("audit --api-id a --function mcp", 2, "--function: 'mcp' is not APP=NAME"),
    ("audit --api-id a --manifest nope.json", 4, "nope.json: there is no such file"),
    ("audit --api-id a --stage", 2, "--stage: requires an argument; `routegen audit --help` shows the usage"),
    ("adopt", 2, "--api-id: give --api-id ID, --api-name NAME or --state FILE"),
    ("adopt --state nope.json", 2, "nope.json: cannot be read: No such file or directory"),
    ("adopt --state empty.json", 2, "empty.json: is not JSON; write it with "),
    ("adopt --state list.json --manifest nope.json", 4, "nope.json: there is no such file"),
    ("adopt --state list.json --to cdk", 2, "--to: 'cdk' is not one of 'component', 'pulumi-import', 'terraform'"),
    ("render", 2, "TARGET: is missing; `routegen render --list` shows the targets"),
    ("render nginxx", 2, "TARGET: there is no target 'nginxx'; the nearest is 'nginx'; all targets: caddy, "),
    ("render nginx --set listen", 2, "--set: 'listen' is not NAME=VALUE"),
    ("render nginx --set port=1", 2, "--set: the target nginx has no variable 'port'; it has listen, upstream.mcp, "),
    ("render nginx --set listen=x", 2, "--set: listen must be host:port, or a port, is 'x'"),
    ("render nginx --allow all", 2, "--allow: the target nginx has no approximation 'all'; it has not-utf-8"),
    ("render nginx --template nowhere", 2, "--template: directory 'nowhere' does not exist"),
    ("render nginx -o folder", 2, "-o / --output: file 'folder' is a directory"),
    ("schema extra", 2, "routegen schema: got unexpected extra argument (extra)"),
    ("schema --format json", 2, "--format: there is no such option"),
]  # fmt: skip

# The wrong command line, the advice in its message, the command line that follows it, and the exit code of that.
ADVICE = [
    ("check --fromat json", "the nearest is --format", "check --format json", 0),
    ("check --ignore RG999", "the nearest ids are RG219", "check --ignore RG219", 0),
    ("check --explain 42", "the nearest ids are RG142", "check --explain RG142", 0),
    ("extract --name x", "it goes with APP", "extract server.py:app --name x", 0),
    ("extract server.py:nope", "its apps are app", "extract server.py:app", 0),
    ("extract server.py:app --own mcp", "such as '/mcp'", "extract server.py:app --own /mcp", 0),
    ("diff generated/routes.json", "two manifests", "diff generated/routes.json generated/routes.json", 0),
    ("explain FETCH /mcp", "GET, HEAD, OPTIONS", "explain OPTIONS /mcp", 0),
    ("explain GET host/mcp", "a path such as /mcp", "explain GET /mcp", 0),
    ("explain GET host/mcp", "a URL such as https://host/mcp", "explain GET https://host/mcp", 0),
    ("verify --client netscape", "claude-ai", "verify --client claude-ai", 1),
    ("verify --page /x", "routegen verify URL", "verify http://127.0.0.1:1 --page /x", 1),
    ("render nginxx", "the nearest is 'nginx'", "render nginx", 0),
    ("render nginx --set port=1", "it has listen", "render nginx --set listen=1", 0),
    ("render nginx --allow all", "it has not-utf-8", "render nginx --allow not-utf-8", 0),
]


@pytest.fixture
def folder(committed: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with some wrong files beside it."""
    (project / "empty.json").write_text("")
    (project / "list.json").write_text("[]")
    (project / "folder").mkdir()
    for variable in ("AWS_PROFILE", "ROUTEGEN_TOKEN", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(project)
    return project


def _files(folder: Path) -> dict[Path, bytes | None]:
    return {file: file.read_bytes() if file.is_file() else None for file in folder.rglob("*")}


@pytest.mark.parametrize(("line", "code", "message"), WRONG_INVOCATIONS, ids=[line for line, *_ in WRONG_INVOCATIONS])
def test_a_wrong_command_line_is_one_line_on_stderr(
    folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    line: str,
    code: int,
    message: str,
) -> None:
    if line.startswith("@"):
        monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    before = _files(folder)
    assert run(routegen, State(), shlex.split(line.removeprefix("@"))) == code
    output = capfd.readouterr()
    assert output.err.startswith(f"routegen: error: {message}")
    assert output.err.count("\n") == 1
    assert output.out == ""
    assert _files(folder) == before
    for command in re.findall(r"`(routegen [^`]*)`", output.err):
        assert run(routegen, State(), shlex.split(command)[1:]) == 0, command


@pytest.mark.parametrize(("line", "advice", "followed", "code"), ADVICE, ids=[followed for *_, followed, _ in ADVICE])
def test_advice_works_when_it_is_followed(
    folder: Path, capfd: pytest.CaptureFixture[str], line: str, advice: str, followed: str, code: int
) -> None:
    assert run(routegen, State(), shlex.split(line)) != 0
    assert advice in capfd.readouterr().err
    assert run(routegen, State(), shlex.split(followed)) == code


@pytest.mark.parametrize("line", ["extract", "check", "list", "explain GET /", "prove", "verify", "render nginx"])
def test_without_a_configuration_init_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(routegen, State(), shlex.split(line)) == 2
    error = capfd.readouterr().err
    assert error.startswith(f"routegen: error: pyproject.toml: none in {tmp_path} or above it has a [tool.routegen]; ")
    assert "`routegen init` writes one" in error
    assert error.count("\n") == 1
    if line == "list":
        (tmp_path / "server.py").write_text(SMALL_APP)
        for command in (["init"], ["extract", "--write"], ["list"]):
            assert run(routegen, State(), command) == 0


def test_every_command_has_wrong_invocations() -> None:
    assert len(WRONG_INVOCATIONS) >= 60
    assert {command.name for command in COMMANDS} <= {
        line.removeprefix("@").split()[0] for line, *_ in WRONG_INVOCATIONS
    }


def test_without_a_command_the_help_is_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(routegen, State(), []) == 2
    output = capfd.readouterr()
    assert output.err.startswith("Usage: routegen [OPTIONS] COMMAND")
    assert output.out == ""
