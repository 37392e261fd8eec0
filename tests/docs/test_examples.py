"""Every shell and TOML block of README.md and docs/ is run, page by page, in an empty folder.

- ```` ```sh ````: routegen runs in this process, every other command in bash. A line that ends with `# exit code 1`
  must have that exit code.
- ```` ```sh parse ````: the block needs AWS, the network, time or a server that keeps running, so only its syntax, the
  options of routegen, the targets of make and the names of scripts are checked.
- ```` ```toml ````: must be a valid configuration of routegen, if necessary together with an app. If the folder has a
  pyproject.toml, it must say the same.
- A block that begins with `# FILE` is a file, which later blocks of the page use.
- `<!-- The examples run in a copy of this repository. -->` puts this repository's apps and manifest into the folder.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from helpers.support import PROJECT
from routegen.cli import COMMANDS, routegen
from routegen.cli.failures import State, run
from routegen.config import ProjectTable

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")
_EXIT_CODE = re.compile(r"# exit code (\d+)$")
_IN_REPOSITORY = "<!-- The examples run in a copy of this repository. -->"
_PROGRAMS = {
    "aws", "bash", "caddy", "cd", "curl", "eval", "git", "haproxy", "jq", "make", "mkdir", "nginx", "pip", "pipx",
    "pulumi", "python", "python3", "routegen", "source", "terraform", "uv", "uvx",
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A fenced block: what its first line says after the backticks, and its text."""

    info: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    return [Block(info, text) for info, text in _BLOCK.findall(page.read_text())]


def commands_of(text: str) -> list[str]:
    """The command lines of a shell block, without empty lines and comments."""
    commands: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        if commands and _is_open(commands[-1]):
            commands[-1] += f"\n{line}"
        elif line.strip() and not line.startswith("#"):
            commands.append(line)
    return commands


def _is_open(command: str) -> bool:
    """Whether a quotation of the command continues on the next line."""
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return True
    return False


PAGES_WITH_EXAMPLES = [
    page for page in PAGES if any(block.info.startswith(("sh", "toml")) for block in blocks_of(page))
]


@pytest.mark.parametrize("page", PAGES_WITH_EXAMPLES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_the_examples_of_a_page_work(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked_apps: None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if _IN_REPOSITORY in page.read_text():
        for name in ("pyproject.toml", "generated"):
            copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
            copy(PROJECT / name, tmp_path / name)
        (tmp_path / "app").symlink_to(PROJECT / "app")
    for block in blocks_of(page):
        run_block(block, tmp_path)


def run_block(block: Block, folder: Path) -> None:
    name = _FILE_NAME.match(block.text)
    if name:
        file = folder / name[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
    match block.info:
        case "toml":
            check_configuration(block.text)
            if (folder / "pyproject.toml").exists():
                assert tomllib.loads(block.text) == tomllib.loads((folder / "pyproject.toml").read_text())
        case "python":
            compile(block.text, "<block>", "exec")
        case "sh parse":
            subprocess.run(["bash", "-n"], input=block.text, text=True, check=True)
            for line in commands_of(block.text):
                check_command(line)
        case "sh":
            for line in commands_of(block.text):
                run_line(line)


def check_configuration(text: str) -> None:
    table: dict[str, Any] = tomllib.loads(text).get("tool", {}).get("routegen", {})
    apps = table.get("apps", {"mcp": {}})
    source = {"app": "server.py:app"}
    table["apps"] = {name: app if "upstream" in app else {**source, **app} for name, app in apps.items()}
    ProjectTable.model_validate(table)


def run_line(line: str) -> None:
    expected = _EXIT_CODE.search(line)
    words = shlex.split(line, comments=True)
    if words[0] == "cd":
        os.chdir(words[1])
        return
    if words[0] == "routegen" and not set(words) & {"|", ">", "&&", "<"}:
        code = run(routegen, State(), words[1:])
    else:
        if missing := next((word for word in words if word in _PROGRAMS and not shutil.which(word)), None):
            pytest.skip(f"{missing} is not installed")
        code = subprocess.run(["bash", "-c", line], check=False, timeout=60).returncode
    assert code == (int(expected[1]) if expected else 0), line


def check_command(line: str) -> None:
    """Check what can be checked of a command that is not run."""
    for part in re.split(r"\s(?:&&|\|)\s", line):
        words = shlex.split(part.partition(">")[0], comments=True)
        match words:
            case ["routegen", name, *arguments]:
                command = next(lazy.load() for lazy in COMMANDS if lazy.name == name)
                # A command keeps the help option of its first context, so the context has the group's settings.
                parent = click.Context(routegen, **routegen.context_settings)
                command.make_context(name, arguments, obj=State(), parent=parent)
            case ["make", *targets]:
                makefile = (PROJECT / "Makefile").read_text()
                assert all(f"\n{target}:" in makefile for target in targets if "=" not in target), line
            case ["python", "-m", module, *_] if module.startswith("dev."):
                assert (PROJECT / module.replace(".", "/")).exists(), line
            case ["bash", script, *_]:
                assert (PROJECT / script).exists(), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_command_line_is_in_a_shell_block(page: Path) -> None:
    """A block that has no language shows an output."""
    for block in blocks_of(page):
        if not block.info:
            first_words = {line.split()[0] for line in block.text.splitlines() if line and not line.startswith(" ")}
            assert not first_words & (_PROGRAMS | {"$"}), block.text
        assert block.info in {"", "sh", "sh parse", "toml", "python", "json", "yaml", "hcl", "js", "jinja"}, block
