"""infra/pulumi.sh with a fake Pulumi CLI, and without a Pulumi CLI."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.support import PROJECT

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with the script, a virtual environment, and both packages."""
    (tmp_path / "infra").mkdir()
    shutil.copy(PROJECT / "infra" / "pulumi.sh", tmp_path / "infra")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text((Path(sys.prefix) / "pyvenv.cfg").read_text())
    (tmp_path / ".venv" / "lib").symlink_to(Path(sys.prefix) / "lib")
    for package in ("mcp", "otterwiki"):
        (tmp_path / "build" / package).mkdir(parents=True)
        (tmp_path / "build" / package / "lambda.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    for tool in ("bash", "dirname", "cat"):
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def write_tool(root: Path, tool: str, script: str) -> None:
    file = root / "bin" / tool
    file.write_text(f"#!/usr/bin/env bash\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def pulumi_sh(root: Path) -> Callable[..., Done]:
    def run(*arguments: str, **env: str) -> Done:
        return subprocess.run(
            [str(root / "bin" / "bash"), root / "infra" / "pulumi.sh", *arguments],
            cwd=root,
            env={"PATH": str(root / "bin"), **env},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


SKIP_PREVIEW = """case "$*" in "preview --json"*) echo '{"steps": []}'; exit ;; esac\n"""
PRINT_ARGUMENTS = SKIP_PREVIEW + 'printf "%s|" "$PWD" "$@"; echo "$BUILDX_NO_DEFAULT_ATTESTATIONS"'


def test_the_arguments_are_passed_to_pulumi(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", PRINT_ARGUMENTS)
    write_tool(root, "docker", "true")
    done = pulumi_sh("up", "--stack", "my dev", "--yes")
    assert (done.returncode, done.stdout) == (0, f"{root}/infra|up|--stack|my dev|--yes|1\n")


def test_the_exit_code_is_that_of_pulumi(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", "exit 7")
    assert pulumi_sh("stack", "output").returncode == 7


def test_npx_is_not_used(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    """The npm package `pulumi` downloads the CLI when it runs for the first time."""
    write_tool(root, "npx", f"touch {root}/asked")
    assert pulumi_sh("stack", "ls").returncode == 1
    assert not (root / "pulumi-arguments").exists()


def test_the_command_can_be_after_options(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", PRINT_ARGUMENTS)
    shutil.rmtree(root / "build" / "mcp")
    assert "the package build/mcp is missing" in pulumi_sh("--stack", "dev", "up").stderr


def test_missing_pulumi_is_an_error(pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("up")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "infra/pulumi.sh: pulumi is not on PATH; install it: https://www.pulumi.com/docs/install/\n"


def test_a_missing_virtual_environment_is_an_error(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", PRINT_ARGUMENTS)
    shutil.rmtree(root / ".venv")
    done = pulumi_sh("preview")
    assert done.returncode == 1
    assert done.stderr.endswith("does not have the extra `infra`; run: make setup\n")


def test_a_missing_package_is_an_error(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", PRINT_ARGUMENTS)
    shutil.rmtree(root / "build" / "otterwiki")
    done = pulumi_sh("preview")
    assert done.stderr == (
        "infra/pulumi.sh: the package build/otterwiki is missing; run: PYTHON=python3.13 make package\n"
    )
    assert pulumi_sh("stack", "ls").returncode == 0


def test_missing_docker_is_an_error_for_up_only(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", PRINT_ARGUMENTS)
    assert "the wiki's image needs Docker; start Docker" in pulumi_sh("up").stderr
    write_tool(root, "docker", "exit 1")
    assert "the wiki's image needs Docker; start Docker" in pulumi_sh("up").stderr
    assert pulumi_sh("preview").returncode == 0


def test_help_needs_no_other_tool(pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("--help")
    assert done.returncode == 0
    assert "bash infra/pulumi.sh up --stack dev" in done.stdout


OUTPUTS = f"""
{SKIP_PREVIEW}
printf '%s|' "$@" >> "$PWD/../pulumi-arguments"; echo >> "$PWD/../pulumi-arguments"
case "$*" in
*"stack output api_id"*) echo a1b2c3 ;;
*"stack output url"*) echo https://dev.wikibot.io ;;
*"stack output mcp_function"*) echo wikibot-mcp:live ;;
*"stack output wiki_function"*) echo wikibot-wiki:live ;;
*"config get aws:region"*) echo eu-central-1 ;;
esac
"""
AUDIT = (
    "audit|--api-id|a1b2c3|--region|eu-central-1|--format|{}|--function|mcp=wikibot-mcp:live"
    "|--function|otterwiki=wikibot-wiki:live|--domain|dev.wikibot.io|"
)
VERIFY = "verify|https://dev.wikibot.io|--page|/|--format|{}|"


@pytest.fixture
def routegen(root: Path) -> Callable[[str], None]:
    """Install a fake routegen that records its arguments; `routegen(script)` makes it run a script too."""

    def install(script: str = "") -> None:
        file = root / ".venv" / "bin" / "routegen"
        log = root / "routegen-arguments"
        file.write_text(f"#!{shutil.which('bash')}\nprintf '%s|' \"$@\" >> {log}; echo >> {log}\n{script}\n")
        file.chmod(0o755)

    install()
    python = root / ".venv" / "bin" / "python"  # `true` instead of an import of Pulumi, which takes a second
    python.unlink()
    python.symlink_to(str(shutil.which("true")))
    write_tool(root, "docker", "true")
    write_tool(root, "pulumi", OUTPUTS)
    return install


def routegen_calls(root: Path) -> list[str]:
    return (root / "routegen-arguments").read_text().splitlines()


@pytest.mark.usefixtures("routegen")
def test_check_takes_its_arguments_from_the_stack(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("check", "--stack", "my dev")
    assert (done.returncode, done.stderr) == (0, "")
    assert routegen_calls(root) == [AUDIT.format("text"), VERIFY.format("text")]
    calls = (root / "pulumi-arguments").read_text().splitlines()
    assert all(line.endswith("|--stack|my dev|") for line in calls)
    assert not any(line.startswith(("up|", "check|")) for line in calls)


@pytest.mark.usefixtures("routegen")
@pytest.mark.parametrize(
    "arguments", [["up", "--check", "--stack=dev", "--yes"], ["-s", "dev", "up", "--yes", "--check"]]
)
def test_up_with_check_runs_check_after_up(root: Path, pulumi_sh: Callable[..., Done], arguments: list[str]) -> None:
    assert pulumi_sh(*arguments).returncode == 0
    first_call = (root / "pulumi-arguments").read_text().splitlines()[0]
    assert first_call == "".join(f"{word}|" for word in arguments if word != "--check")
    assert routegen_calls(root) == [AUDIT.format("text"), VERIFY.format("text")]


def test_verify_runs_even_if_audit_fails(
    root: Path, pulumi_sh: Callable[..., Done], routegen: Callable[[str], None]
) -> None:
    routegen('[ "$1" != audit ]')
    done = pulumi_sh("up", "--check")
    assert done.returncode == 1
    assert len(routegen_calls(root)) == 2
    assert (
        done.stderr
        == "infra/pulumi.sh: audit or verify has found an error in the deployment; the lines above name it\n"
    )


@pytest.mark.usefixtures("routegen")
def test_check_does_not_run_after_a_failed_up(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", SKIP_PREVIEW + "exit 7")
    assert pulumi_sh("up", "--check").returncode == 7
    assert not (root / "routegen-arguments").exists()


@pytest.mark.usefixtures("routegen")
def test_up_without_check_runs_no_check(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    assert pulumi_sh("up").returncode == 0
    assert not (root / "routegen-arguments").exists()


@pytest.mark.usefixtures("routegen")
def test_check_of_a_stack_without_a_deployment_is_an_error(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "pulumi", "exit 255")
    done = pulumi_sh("check")
    assert (done.returncode, (root / "routegen-arguments").exists()) == (1, False)
    assert done.stderr.endswith("the stack has no output api_id; deploy it first: bash infra/pulumi.sh up\n")


@pytest.mark.usefixtures("routegen")
def test_check_is_only_possible_with_up(pulumi_sh: Callable[..., Done]) -> None:
    done = pulumi_sh("preview", "--check")
    assert (done.returncode, done.stderr) == (
        1,
        "infra/pulumi.sh: --check and --allow-replace are only possible with up\n",
    )


@pytest.mark.usefixtures("routegen")
def test_on_github_the_findings_are_annotations(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    assert pulumi_sh("check", GITHUB_ACTIONS="true").returncode == 0
    assert routegen_calls(root) == [AUDIT.format("github"), VERIFY.format("github")]


ROUTE = "urn:pulumi:dev::wikibot::routegen:aws:ManifestRoutes$aws:apigatewayv2/route:Route::route ANY /mcp"
API = "urn:pulumi:dev::wikibot::aws:apigatewayv2/api:Api::api"


def write_preview(root: Path, *steps: tuple[str, str]) -> None:
    """Install a fake Pulumi whose preview has these steps: operation and URN."""
    preview = json.dumps({"steps": [{"op": operation, "urn": urn} for operation, urn in steps]})
    write_tool(root, "pulumi", f"case $1 in preview) echo '{preview}' ;; *) printf '%s|' \"$@\" ;; esac")
    write_tool(root, "docker", "true")


@pytest.mark.parametrize("operation", ["delete", "replace", "create-replacement", "delete-replaced"])
def test_up_stops_before_anything_but_a_route_is_replaced(
    root: Path, pulumi_sh: Callable[..., Done], operation: str
) -> None:
    write_preview(root, ("same", API), ("create", ROUTE), (operation, API))
    done = pulumi_sh("up", "--stack", "dev")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "infra/pulumi.sh: the preview would delete or replace aws:apigatewayv2/api:Api::api; read it with: "
        "bash infra/pulumi.sh preview --diff, and give --allow-replace to go on\n"
    )
    assert pulumi_sh("up", "--stack", "dev", "--allow-replace").stdout == "up|--stack|dev|"


def test_up_deletes_and_replaces_routes(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_preview(root, ("delete", ROUTE), ("update", API), ("create", API))
    assert pulumi_sh("up", "--yes").stdout == "up|--yes|"


def test_up_does_not_run_after_a_preview_that_fails(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "docker", "true")
    write_tool(
        root, "pulumi", "[ \"$2\" = --json ] || echo 'wikibot:domain is not set' >&2; [ $1 = up ] && echo up; exit 255"
    )
    done = pulumi_sh("up")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "wikibot:domain is not set\ninfra/pulumi.sh: the preview has failed, so nothing was deployed\n"
    )


@pytest.mark.usefixtures("routegen")
def test_rollback_changes_the_alias_and_the_configuration(root: Path, pulumi_sh: Callable[..., Done]) -> None:
    write_tool(root, "aws", 'printf "%s|" "$@" >> "$PWD/../aws-arguments"')
    done = pulumi_sh("rollback", "mcp", "41", "--stack", "dev")
    assert done.returncode == 0
    assert (root / "aws-arguments").read_text() == (
        "lambda|update-alias|--function-name|wikibot-mcp|--name|live|--function-version|41|--region|eu-central-1|"
    )
    assert (root / "pulumi-arguments").read_text().splitlines()[-1] == "config|set|mcp_version|41|--stack|dev|"
    assert done.stderr == (
        "wikibot-mcp:live leads to version 41. To go forward: pulumi config rm mcp_version, and up\n"
    )


@pytest.mark.usefixtures("routegen")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "rollback needs a function and a version: bash infra/pulumi.sh rollback mcp 41"),
        (("blog", "1"), "rollback needs a function and a version"),
        (
            ("mcp", "newest"),
            "rollback needs the number of a version, not 'newest'; the output mcp_version has the present",
        ),
        (("mcp", "1"), "aws is not on PATH; install the AWS CLI"),
    ],
)
def test_a_wrong_rollback_is_an_error(pulumi_sh: Callable[..., Done], arguments: tuple[str, ...], message: str) -> None:
    done = pulumi_sh("rollback", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"infra/pulumi.sh: {message}")
