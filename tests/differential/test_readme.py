"""The README's command lines for nginx, Caddy and HAProxy, unchanged and run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from differential.servers import PATH, environment
from helpers.support import PROJECT

LINES = re.findall(r"^routegen render (\w+)(.*)$", (PROJECT / "README.md").read_text(), re.MULTILINE)
COMMANDS = {
    target: f"routegen render {target}{rest}" for target, rest in LINES if target in {"nginx", "caddy", "haproxy"}
}


@pytest.mark.parametrize("server", ["nginx", "caddy", "haproxy"])
def test_the_server_accepts_the_rendered_configuration(server: str, tmp_path: Path) -> None:
    if shutil.which(server, path=PATH) is None:
        pytest.skip(f"{server} is not installed")
    shutil.copytree(PROJECT / "generated", tmp_path / "generated")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), PATH])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", COMMANDS[server]],
        cwd=tmp_path,
        env={**environment(tmp_path), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
