"""The workflow that deploys: which job has which rights."""

import re
from typing import Any

import yaml
from helpers.support import PROJECT

JOBS: dict[str, Any] = yaml.safe_load((PROJECT / ".github" / "workflows" / "deploy.yml").read_text())["jobs"]


def test_the_job_that_builds_has_no_access_to_aws_and_no_secret() -> None:
    assert "permissions" not in JOBS["build"]
    assert "secrets." not in str(JOBS["build"])
    assert "configure-aws-credentials" not in str(JOBS["build"])


def test_the_machine_has_the_architecture_of_the_functions() -> None:
    """Docker builds the wiki's image natively."""
    runs_on = "${{ inputs.architecture == 'arm64' && 'ubuntu-24.04-arm' || 'ubuntu-24.04' }}"
    assert {job["runs-on"] for job in JOBS.values()} == {runs_on}
    build = {"run": "make package", "env": {"ARCH": "${{ inputs.architecture }}"}}
    assert build in JOBS["build"]["steps"]


def test_a_person_approves_between_preview_and_deploy() -> None:
    assert [(name, job.get("needs")) for name, job in JOBS.items()] == [
        ("build", None), ("preview", "build"), ("deploy", "preview"),
    ]  # fmt: skip
    assert JOBS["preview"]["environment"] != JOBS["deploy"]["environment"]


def test_only_the_step_that_needs_a_secret_has_it() -> None:
    for name in ("preview", "deploy"):
        job = JOBS[name]
        assert "env" not in job
        with_secret = [step for step in job["steps"] if "secrets." in str(step)]
        assert with_secret == [job["steps"][-1]]
        assert "infra/pulumi.sh" in with_secret[0]["run"]


def test_each_action_is_pinned_by_its_commit() -> None:
    actions = [step["uses"] for job in JOBS.values() for step in job["steps"] if "uses" in step]
    assert len(actions) == 13
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in actions)
