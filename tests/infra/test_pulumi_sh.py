"""infra/pulumi.sh with a stand-in for the Pulumi CLI, and with none."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PROJECT

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
    def run(*arguments: str) -> Done:
        return subprocess.run(
            [str(root / "bin" / "bash"), root / "infra" / "pulumi.sh", *arguments],
            cwd=root,
            env={"PATH": str(root / "bin")},
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
