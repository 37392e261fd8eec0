"""A composite action's steps, run as GitHub's runner runs them: expressions filled in, each script by its shell.

Only what `action.yml` needs: `inputs.NAME`, `github.action_path`, `if: inputs.NAME != ''`.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from helpers.support import PROJECT

ACTION: Any = yaml.safe_load((PROJECT / "action.yml").read_text())
_EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")  # what `shell: bash` means to the runner


@dataclass
class Ran:
    """What a run has done.

    Attributes:
        code: the exit code of the step that failed, else 0.
        uses: the actions that it would have used.
        outputs: of the steps.
        text: what its scripts have said.
    """

    code: int = 0
    uses: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    text: str = ""


def run(workspace: Path, inputs: Mapping[str, str], env: Mapping[str, str], but: str = "") -> Ran:
    """Use the action in a workspace; an unknown input is refused, as the runner warns of it.

    Args:
        workspace: the repository that uses it.
        inputs: by name.
        env: what the runner's machine has in its environment.
        but: the name of a step to leave out, whose work is done already.
    """
    assert not inputs.keys() - ACTION["inputs"].keys()
    given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | dict(inputs)
    facts = {f"inputs.{name}": value for name, value in given.items()} | {"github.action_path": str(PROJECT)}
    ran = Ran()
    for step in ACTION["runs"]["steps"]:
        if not _wanted(step.get("if", ""), facts) or (but and step.get("name") == but):
            continue
        if "uses" in step:
            ran.uses.append(step["uses"])
            continue
        _step(step, workspace, facts, env, ran)
        if ran.code:
            break
    return ran


def _wanted(condition: str, facts: Mapping[str, str]) -> bool:
    if not condition:
        return True
    name, _, value = condition.partition(" != ")
    assert value == "''"
    return facts[name] != ""


def _step(step: Mapping[str, Any], workspace: Path, facts: Mapping[str, str], env: Mapping[str, str], ran: Ran) -> None:
    def filled(text: str) -> str:
        return _EXPRESSION.sub(lambda found: facts[found[1]], text)

    assert step["shell"] == "bash"
    output = workspace / ".github-output"
    output.write_text("")
    done = subprocess.run(
        [*_BASH, "-c", filled(step["run"])],
        cwd=workspace / filled(step["working-directory"]),
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            **env,
            **{name: filled(value) for name, value in step["env"].items()},
            "GITHUB_OUTPUT": str(output),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    ran.code = done.returncode
    ran.text += done.stdout
    ran.outputs |= dict(line.split("=", 1) for line in output.read_text().splitlines())
