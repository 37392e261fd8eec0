"""The GitHub Action, used in another repository."""

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
from pipeline.conftest import make_repository
from pipeline.runner import ACTION, ActionResult, run_action


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A Python environment with all packages except routegen, in which pip uses no package index."""
    folder = tmp_path_factory.mktemp("python")
    # The environment of the tests has pip already.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    (packages / "tests.pth").write_text("\n".join(site.getsitepackages()))
    return {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # for pip, 0 means no isolation: the build uses the packages of the environment
        "PIP_FORCE_REINSTALL": "1",
        "PIP_NO_DEPS": "1",
    }


@pytest.fixture(scope="module")
def first_run(python: dict[str, str], extracted: str, tmp_path_factory: pytest.TempPathFactory) -> ActionResult:
    """A run of the action without inputs, which installs routegen into that environment."""
    return run_action(make_repository(tmp_path_factory.mktemp("first"), extracted), {}, python)


def test_the_action_succeeds_if_app_and_manifest_agree(first_run: ActionResult, python: dict[str, str]) -> None:
    assert (first_run.code, first_run.outputs, first_run.uses) == (0, {"exit-code": "0"}, []), first_run.text
    folder = Path(python["PATH"].partition(os.pathsep)[0]).parent
    (record,) = folder.glob("lib/python*/site-packages/routegen-*.dist-info/RECORD")
    # pip has copied the files, and made no link to the repository
    assert "routegen/cli/__init__.py," in record.read_text()
    assert record.parents[1].joinpath("routegen", "cli", "__init__.py").is_file()


@pytest.mark.usefixtures("first_run")
def test_drift_annotates_the_manifest_and_no_manifest_is_an_error(repository: Path, python: dict[str, str]) -> None:
    server = repository / "server.py"
    server.write_text(server.read_text().replace('"/', '"/moved/', 1))
    result = run_action(repository, {}, python, skipped_step="Install")
    assert (result.code, result.outputs) == (1, {"exit-code": "1"})
    assert re.search(r"^::(error|warning) .*file=generated/routes\.json,line=\d+", result.text, re.MULTILINE)

    (repository / "generated" / "routes.json").unlink()
    assert run_action(repository, {}, python, skipped_step="Install").outputs == {"exit-code": "4"}


def test_every_input_has_its_effect(repository: Path, python: dict[str, str]) -> None:
    inner = repository / "inner folder"
    inner.mkdir()
    for name in ("server.py", "pyproject.toml", "generated"):
        (repository / name).rename(inner / name)
    result = run_action(
        repository,
        {
            "project": "inner folder",
            "args": "explain GET /$(touch${IFS}no);`touch${IFS}no`",
            "python-version": "3.13",
            "requirements": f"{PROJECT} --no-deps",
        },
        python,
    )
    assert result.uses == ["actions/setup-python@v5"]
    assert result.code == 0, result.text
    assert not list(repository.rglob("no"))


def test_no_script_contains_an_expression() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def documented() -> list[tuple[str, Any]]:
    """The examples of the documents that are whole files."""
    pages = (PROJECT / "docs" / "pipeline.md", PROJECT / "docs" / "situations" / "monorepo.md")
    text = "".join(page.read_text() for page in pages)
    examples = re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.DOTALL)
    return [(name, yaml.safe_load(body)) for name, body in examples]


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
def test_a_file_matches_its_schema(name: str, content: Any) -> None:
    kind = "workflow" if name.startswith(".github/workflows/") else "action" if name == "action.yml" else name
    schema = read_schema(SCHEMAS[kind])
    # YAML 1.1 reads the key `on` as true. The schema does not have the runner image ubuntu-24.04 yet.
    document = {("on" if key is True else key): value for key, value in content.items()}
    document = json.loads(json.dumps(document).replace("ubuntu-24.04", "ubuntu-latest"))
    jsonschema.validators.validator_for(schema)(schema).validate(document)


def test_the_documented_workflows_use_inputs_that_exist() -> None:
    steps = [
        step
        for name, content in documented()
        if name.startswith(".github/")
        for job in content["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("OWNER/REPO@")
    ]
    assert len(steps) == 3
    for step in steps:
        assert step["with"].keys() <= ACTION["inputs"].keys()


def test_the_document_lists_the_inputs() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", (PROJECT / "docs" / "pipeline.md").read_text(), re.MULTILINE)
    assert rows == list(ACTION["inputs"])
