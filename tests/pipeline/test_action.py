"""The GitHub Action, in a repository that isn't this one."""

import json
import os
import re
import site
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from helpers.schemas import read_schema
from helpers.support import PROJECT
from pipeline.runner import ACTION, run


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that has everything but routegen, and a pip that asks no index."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)  # there is ours
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "ours.pth").write_text("\n".join(one for one in site.getsitepackages()))
    return {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it so: the build's requirements are those of the environment
        "PIP_FORCE_REINSTALL": "1",
        "PIP_NO_DEPS": "1",
    }


def test_an_app_and_its_manifest_that_agree(repository: Path, python: dict[str, str]) -> None:
    ran = run(repository, {}, python)
    assert (ran.code, ran.outputs, ran.uses) == (0, {"exit-code": "0"}, []), ran.text
    env = {**os.environ, **python}
    listed = subprocess.run(
        ["python", "-m", "pip", "show", "-f", "routegen"], env=env, capture_output=True, text=True, check=True
    )
    assert "routegen/cli/__init__.py" in listed.stdout  # copied: no link to where it came from


def test_drift_annotates_the_manifest_and_a_missing_one_is_an_error(repository: Path, python: dict[str, str]) -> None:
    server = repository / "server.py"
    server.write_text(server.read_text().replace('"/', '"/moved/', 1))
    ran = run(repository, {}, python)
    assert (ran.code, ran.outputs) == (1, {"exit-code": "1"})
    assert re.search(r"^::(error|warning) .*file=generated/routes\.json,line=\d+", ran.text, re.MULTILINE)

    (repository / "generated" / "routes.json").unlink()
    assert run(repository, {}, python, but="Install").outputs == {"exit-code": "4"}


def test_the_inputs(repository: Path, python: dict[str, str]) -> None:
    inner = repository / "inner folder"
    inner.mkdir()
    for name in ("server.py", "pyproject.toml", "generated"):
        (repository / name).rename(inner / name)
    ran = run(
        repository,
        {
            "working-directory": "inner folder",
            "args": "explain GET /$(touch${IFS}no);`touch${IFS}no`",
            "python-version": "3.13",
            "requirements": f"{PROJECT} --no-deps",
        },
        python,
    )
    assert ran.uses == ["actions/setup-python@v5"]
    assert ran.code == 0, ran.text
    assert not list(repository.rglob("no"))


def test_no_input_is_part_of_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def documented() -> list[tuple[str, Any]]:
    """The examples of the document that are whole files."""
    text = (PROJECT / "docs" / "pipeline.md").read_text()
    found = re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.DOTALL)
    return [(name, yaml.safe_load(body)) for name, body in found]


SCHEMAS = {
    ".pre-commit-config.yaml": "https://json.schemastore.org/pre-commit-config.json",
    ".gitlab-ci.yml": "https://gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json",
    "workflow": "https://json.schemastore.org/github-workflow.json",
    "action": "https://json.schemastore.org/github-action.json",
}
FILES = [
    *documented(),
    *((f".github/workflows/{file.name}", yaml.safe_load(file.read_text()))
      for file in sorted((PROJECT / ".github" / "workflows").iterdir())),
    ("action.yml", ACTION),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content"), FILES, ids=[f"{n}-{name}" for n, (name, _) in enumerate(FILES)])
def test_a_file_is_what_its_schema_says(name: str, content: Any) -> None:
    kind = "workflow" if name.startswith(".github/workflows/") else "action" if name == "action.yml" else name
    rules = read_schema(SCHEMAS[kind])
    # YAML 1.1 reads the key `on` as a truth; the schema is older than the runner's name.
    said = {("on" if key is True else key): value for key, value in content.items()}
    known = json.loads(json.dumps(said).replace("ubuntu-24.04", "ubuntu-latest"))
    jsonschema.validators.validator_for(rules)(rules).validate(known)


def test_the_documented_workflows_use_inputs_that_exist() -> None:
    used = [
        step
        for name, content in documented()
        if name.startswith(".github/")
        for job in content["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("routegen/")
    ]
    assert len(used) == 2
    for step in used:
        assert step["with"].keys() <= ACTION["inputs"].keys()


def test_the_document_lists_the_inputs() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", (PROJECT / "docs" / "pipeline.md").read_text(), re.MULTILINE)
    assert rows == list(ACTION["inputs"])
