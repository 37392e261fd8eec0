"""infra/pulumi.sh with a stand-in for the Pulumi CLI, and with none."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.support import PROJECT

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the script, an environment, and both packages."""
    (tmp_path / "infra").mkdir()
    shutil.copy(PROJECT / "infra" / "pulumi.sh", tmp_path / "infra")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
    (tmp_path / ".venv" / "lib").symlink_to(Path(sys.prefix) / "lib")
    for package in ("mcp", "otterwiki"):
        (tmp_path / "build" / package).mkdir(parents=True)
        (tmp_path / "build" / package / "lambda.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "cat"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def put(root: Path, tool: str, script: str) -> None:
    file = root / "bin" / tool
    file.write_text(f"#!/usr/bin/env bash\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def pulumi_sh(root: Path) -> Callable[..., Done]:
    def run(*arguments: str, **env: str) -> Done:
        return subprocess.run(
            [str(root / "bin" / "bash"), root / "infra" / "pulumi.sh", *arguments],
            cwd=root,
            env={"PATH": str(root / "bin"), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


SAYS = 'printf "%s|" "$PWD" "$@"; echo "$BUILDX_NO_DEFAULT_ATTESTATIONS"'


def test_arguments_reach_pulumi_in_infra(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", SAYS)
    put(root, "docker", "true")
    done = pulumi_sh("up", "--stack", "my dev", "--yes")
    assert (done.returncode, done.stdout) == (0, f"{root}/infra|up|--stack|my dev|--yes|1\n")


def test_an_exit_code_is_pulumis(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", "exit 7")
    assert pulumi_sh("stack", "output").returncode == 7


def test_npx_is_not_asked_for_it(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    """The npm package of that name downloads the CLI when it first runs."""
    put(root, "npx", f"touch {root}/asked")
    assert pulumi_sh("stack", "ls").returncode == 1
    assert not (root / "asked").exists()


def test_the_command_may_stand_after_options(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", SAYS)
    shutil.rmtree(root / "build" / "mcp")
    assert "there is no package build/mcp" in pulumi_sh("--stack", "dev", "up").stderr


def test_no_pulumi(pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("up")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "infra/pulumi.sh: there is no pulumi on PATH; install it: https://www.pulumi.com/docs/install/\n"
    )


def test_no_environment(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", SAYS)
    shutil.rmtree(root / ".venv")
    done = pulumi_sh("preview")
    assert done.returncode == 1
    assert done.stderr.endswith("lacks the extra `infra`; run: make setup\n")


def test_no_package(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", SAYS)
    shutil.rmtree(root / "build" / "otterwiki")
    done = pulumi_sh("preview")
    assert done.stderr == (
        "infra/pulumi.sh: there is no package build/otterwiki; run: PYTHON=python3.13 make package\n"
    )
    assert pulumi_sh("stack", "ls").returncode == 0


def test_no_docker(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", SAYS)
    assert "needs a running Docker" in pulumi_sh("up").stderr
    put(root, "docker", "exit 1")
    assert "needs a running Docker" in pulumi_sh("up").stderr
    assert pulumi_sh("preview").returncode == 0


def test_help_needs_nothing(pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("--help")
    assert done.returncode == 0
    assert "bash infra/pulumi.sh up --stack dev" in done.stdout


OUTPUTS = """
printf '%s|' "$@" >> "$PWD/../asked"; echo >> "$PWD/../asked"
case "$*" in
*"stack output api_id"*) echo a1b2c3 ;;
*"stack output url"*) echo https://dev.wikibot.io ;;
*"stack output mcp_function"*) echo wikibot-mcp-1 ;;
*"stack output wiki_function"*) echo wikibot-wiki-2 ;;
*"config get aws:region"*) echo eu-central-1 ;;
esac
"""
AUDIT = (
    "audit|--api-id|a1b2c3|--region|eu-central-1|--format|{}|--function|mcp=wikibot-mcp-1"
    "|--function|otterwiki=wikibot-wiki-2|"
)
VERIFY = "verify|https://dev.wikibot.io|--wiki-path|/|--format|{}|"


@pytest.fixture
def routegen(root: Path) -> Callable[[str], None]:
    """`routegen(script)` is what routegen does beside writing down its arguments."""

    def put_(script: str = "") -> None:
        file = root / ".venv" / "bin" / "routegen"
        file.write_text(f"#!{shutil.which('bash')}\nprintf '%s|' \"$@\" >> {root}/ran; echo >> {root}/ran\n{script}\n")
        file.chmod(0o755)

    put_()
    python = root / ".venv" / "bin" / "python"  # importing Pulumi takes a second, and another test does
    python.unlink()
    python.symlink_to(str(shutil.which("true")))
    put(root, "docker", "true")
    put(root, "pulumi", OUTPUTS)
    return put_


def ran(root: Path) -> list[str]:
    return (root / "ran").read_text().splitlines()


@pytest.mark.usefixtures("routegen")
def test_check_asks_for_what_the_stack_says(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("check", "--stack", "my dev")
    assert (done.returncode, done.stderr) == (0, "")
    assert ran(root) == [AUDIT.format("text"), VERIFY.format("text")]
    asked = (root / "asked").read_text().splitlines()
    assert all(line.endswith("|--stack|my dev|") for line in asked)
    assert not any(line.startswith(("up|", "check|")) for line in asked)


@pytest.mark.usefixtures("routegen")
@pytest.mark.parametrize(
    "arguments", [["up", "--check", "--stack=dev", "--yes"], ["-s", "dev", "up", "--yes", "--check"]]
)
def test_up_and_then_a_check(root: Path, pulumi_sh: Callable[..., Done], arguments: list[str]) -> None:
    assert pulumi_sh(*arguments).returncode == 0
    first = (root / "asked").read_text().splitlines()[0]
    assert first == "".join(f"{word}|" for word in arguments if word != "--check")
    assert ran(root) == [AUDIT.format("text"), VERIFY.format("text")]


def test_both_are_run_and_the_failure_of_one_counts(
    root: Path, pulumi_sh: Callable[..., Done], routegen: Callable[[str], None]
) -> None:
    routegen('[ "$1" != audit ]')
    done = pulumi_sh("up", "--check")
    assert done.returncode == 1
    assert len(ran(root)) == 2
    assert done.stderr == "infra/pulumi.sh: the deployment is not as it should be: see above\n"


@pytest.mark.usefixtures("routegen")
def test_no_check_after_a_failed_up(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", "exit 7")
    assert pulumi_sh("up", "--check").returncode == 7
    assert not (root / "ran").exists()


@pytest.mark.usefixtures("routegen")
def test_nothing_is_checked_unasked(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    assert pulumi_sh("up").returncode == 0
    assert not (root / "ran").exists()


@pytest.mark.usefixtures("routegen")
def test_a_stack_that_was_never_deployed(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    put(root, "pulumi", "exit 255")
    done = pulumi_sh("check")
    assert (done.returncode, (root / "ran").exists()) == (1, False)
    assert done.stderr.endswith("the stack has no output api_id: has it been deployed?\n")


@pytest.mark.usefixtures("routegen")
def test_check_goes_with_up(pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("preview", "--check")
    assert (done.returncode, done.stderr) == (1, "infra/pulumi.sh: --check goes with up\n")


@pytest.mark.usefixtures("routegen")
def test_on_github_the_findings_annotate_the_run(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    assert pulumi_sh("check", GITHUB_ACTIONS="true").returncode == 0
    assert ran(root) == [AUDIT.format("github"), VERIFY.format("github")]
