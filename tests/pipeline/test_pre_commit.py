"""The pre-commit hook."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from helpers.support import PROJECT
from pre_commit.clientlib import MANIFEST_SCHEMA, load_manifest

HOOKS = PROJECT / ".pre-commit-hooks.yaml"


def test_pre_commit_accepts_the_hook() -> None:
    (hook,) = load_manifest(HOOKS)
    assert (hook["id"], hook["pass_filenames"], hook["always_run"]) == ("routegen-check", False, True)
    assert MANIFEST_SCHEMA is not None


def test_a_hook_takes_a_project_folder(repository: Path) -> None:
    """pre-commit runs the entry with the user's `args` in the root of the repository."""
    (hook,) = load_manifest(HOOKS)
    project = repository / "services" / "tools"
    project.mkdir(parents=True)
    for name in ("server.py", "pyproject.toml", "generated"):
        (repository / name).rename(project / name)
    page = (PROJECT / "docs" / "situations" / "monorepo.md").read_text()
    assert "args: [--project, services/tools]" in page
    entry = [*hook["entry"].split()[1:], "--project", "services/tools"]
    done = subprocess.run([sys.executable, *entry], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("services/tools/generated/routes.json: ")


@pytest.mark.slow
def test_a_commit_is_refused_after_a_path_of_the_app_has_changed(repository: Path, tmp_path: Path) -> None:
    """pre-commit clones this repository and installs the hook's environment from the registry, as for a user."""
    source = tmp_path / "hook"
    subprocess.run(["git", "clone", "-q", PROJECT, source], check=True)
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=source, capture_output=True, text=True, check=True)
    hook = {"id": "routegen-check", "additional_dependencies": ["starlette"]}
    repos = [{"repo": str(source), "rev": revision.stdout.strip(), "hooks": [hook]}]
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": repos}))
    env = {
        **os.environ,
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b",
    }  # fmt: skip

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", *arguments], cwd=repository, env=env, capture_output=True, text=True, check=False, timeout=200
        )

    git("init", "-q")
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=repository, env=env, check=True)
    git("add", "-A")
    first = git("commit", "-m", "all is well")
    assert first.returncode == 0, first.stderr
    server = repository / "server.py"
    server.write_text(server.read_text().replace('"/', '"/moved/', 1))
    git("add", "-A")
    second = git("commit", "-m", "moved")
    assert second.returncode == 1
    assert "routegen extract --write" in second.stderr
