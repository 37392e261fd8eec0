"""Run the steps of a composite action as GitHub's runner does: fill in the expressions, and run each script.

Only the syntax that `action.yml` uses is supported: `inputs.NAME`, `github.action_path`, `if: inputs.NAME != ''`.
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
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")  # the runner's command for `shell: bash`


@dataclass
class ActionResult:
    """The result of a run.

    Attributes:
        code: the exit code of the step that failed, or 0.
        uses: the actions that the steps name; they are not run.
        outputs: the outputs of the steps.
        text: the output of the scripts.
    """

    code: int = 0
    uses: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    text: str = ""


def run_action(
    workspace: Path, inputs: Mapping[str, str], env: Mapping[str, str], skipped_step: str = ""
) -> ActionResult:
    """Run the action in a workspace; an unknown input is an error here, and a warning in the runner.

    Args:
        workspace: the repository that uses the action.
        inputs: the inputs by name.
        env: the environment variables of the runner's machine.
        skipped_step: the name of a step that an earlier run has done already.
    """
    assert not inputs.keys() - ACTION["inputs"].keys()
    values = {name: str(declared.get("default", "")) for name, declared in ACTION["inputs"].items()} | dict(inputs)
    context = {f"inputs.{name}": value for name, value in values.items()} | {"github.action_path": str(PROJECT)}
    result = ActionResult()
    for step in ACTION["runs"]["steps"]:
        if not _holds(step.get("if", ""), context) or (skipped_step and step.get("name") == skipped_step):
            continue
        if "uses" in step:
            result.uses.append(step["uses"])
            continue
        _run_step(step, workspace, context, env, result)
        if result.code:
            break
    return result


def _holds(condition: str, context: Mapping[str, str]) -> bool:
    if not condition:
        return True
    name, _, value = condition.partition(" != ")
    assert value == "''"
    return context[name] != ""


def _run_step(
    step: Mapping[str, Any], workspace: Path, context: Mapping[str, str], env: Mapping[str, str], result: ActionResult
) -> None:
    def fill_in(text: str) -> str:
        return _EXPRESSION.sub(lambda match: context[match[1]], text)

    assert step["shell"] == "bash"
    output = workspace / ".github-output"
    output.write_text("")
    done = subprocess.run(
        [*_BASH, "-c", fill_in(step["run"])],
        cwd=workspace / fill_in(step["working-directory"]),
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            **env,
            **{name: fill_in(value) for name, value in step["env"].items()},
            "GITHUB_OUTPUT": str(output),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    result.code = done.returncode
    result.text += done.stdout
    result.outputs |= dict(line.split("=", 1) for line in output.read_text().splitlines())
