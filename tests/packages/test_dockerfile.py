"""Tests of the wiki's Dockerfile that need no Docker: its instructions fit the package."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DOCKERFILE = (Path(__file__).parents[2] / "app" / "otterwiki" / "Dockerfile").read_text()


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def test_the_base_image_is_a_build_argument() -> None:
    (argument,) = instructions("ARG")
    assert argument.partition("@")[0] == "BASE_IMAGE=public.ecr.aws/lambda/python:3.13"
    assert instructions("FROM") == ["${BASE_IMAGE}"]


def test_the_build_context_is_the_package_directory() -> None:
    assert instructions("COPY") == [". ${LAMBDA_TASK_ROOT}/"]
    usage = [line.removeprefix("#").split() for line in DOCKERFILE.splitlines() if "docker build" in line]
    assert [(words[-2], words[-1]) for words in usage] == [("app/otterwiki/Dockerfile", "build/otterwiki")]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("packages")
def test_the_command_is_the_handler_of_the_package(built: Callable[[str], Any]) -> None:
    assert instructions("CMD") == [json.dumps([built("otterwiki").facts["handler"]])]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("packages")
def test_the_build_fails_for_a_package_of_another_python(built: Callable[[str], Any], tmp_path: Path) -> None:
    check = json.loads(instructions("RUN")[-1])
    assert check[:2] == ["python", "-c"]

    def run_in(directory: Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, *check[1:]], cwd=directory, capture_output=True, text=True, check=False)

    package = built("otterwiki")
    assert run_in(package.path).returncode == 0
    (tmp_path / "lambda.json").write_text(json.dumps(package.facts | {"runtime": "python3.9"}))
    completed = run_in(tmp_path)
    assert completed.returncode == 1
    assert completed.stderr.startswith("the package is for python3.9 on x86_64, the image has python3.")
