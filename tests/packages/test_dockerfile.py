"""The wiki's image can't be built without Docker; what it refers to can be checked."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("packages")  # two workers would wait for one build

DOCKERFILE = (Path(__file__).parents[2] / "app" / "otterwiki" / "Dockerfile").read_text()


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def test_python_is_an_input() -> None:
    assert instructions("ARG") == ["PYTHON_VERSION=3.13"]
    assert instructions("FROM") == ["public.ecr.aws/lambda/python:${PYTHON_VERSION}"]


def test_context_is_the_package_that_build_makes() -> None:
    assert instructions("COPY") == [". ${LAMBDA_TASK_ROOT}/"]
    usage = [line.removeprefix("#").split() for line in DOCKERFILE.splitlines() if "docker build" in line]
    assert [(words[-2], words[-1]) for words in usage] == [("app/otterwiki/Dockerfile", "build/otterwiki")]


def test_command_is_the_packages_handler(built: Callable[[str], Any]) -> None:
    assert instructions("CMD") == [json.dumps([built("otterwiki").facts["handler"]])]


def test_image_refuses_a_package_for_another_python(built: Callable[[str], Any], tmp_path: Path) -> None:
    check = json.loads(instructions("RUN")[-1])
    assert check[:2] == ["python", "-c"]

    def run_in(directory: Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, *check[1:]], cwd=directory, capture_output=True, text=True, check=False)

    package = built("otterwiki")
    assert run_in(package.path).returncode == 0
    (tmp_path / "lambda.json").write_text(json.dumps(package.facts | {"runtime": "python3.9"}))
    refused = run_in(tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("the package is for python3.9 on x86_64, the image has python3.")
