"""`routegen init`: the configuration that it writes works, and its errors say what to do."""

import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.support import SMALL_APP, Routegen
from routegen.cli import routegen as routegen_group
from routegen.cli.init import _handler_of, _proposed_name
from routegen.init.app_probe import _same_form
from routegen.init.gateway_snippets import find_gateway_tools, gateway_snippet
from routegen.init.source_search import FoundApp

NEEDY_APP = (
    "import os\n"
    + SMALL_APP
    + """
assert os.environ["BASE_URL"].startswith("https://")
port = int(os.environ["WEIGHT"])
debug = os.getenv("DEBUG")
"""
)


def tables(root: Path) -> Any:
    return tomllib.loads((root / "pyproject.toml").read_text())["tool"]["routegen"]


def test_the_configuration_is_extracted_and_checked(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "server.py").write_text(NEEDY_APP)
    done = routegen("init", "--name", "mcp", "--default", "site", "--manifest", "gateway/routes.json")
    assert (done.code, done.stdout) == (0, ""), done.stderr
    assert "BASE_URL is not set" in done.stderr
    assert done.stderr.endswith("next: routegen extract --write\n")
    assert tables(tmp_path)["apps"]["mcp"]["env"] == {"BASE_URL": "https://example.com", "WEIGHT": "1"}
    assert '# DEBUG = "false"\n' in (tmp_path / "pyproject.toml").read_text()
    assert (tmp_path / "gateway").is_dir()
    assert routegen("extract", "--write", cwd=tmp_path / "gateway").code == 0
    assert routegen("check").code == 0


def test_a_dry_run_changes_nothing_and_writes_no_secret(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "server.py").write_text(NEEDY_APP)
    (tmp_path / ".env").write_text("BASE_URL=https://secret.internal/tools\nWEIGHT=42\n")
    done = routegen("init", "server.py:app", "--dry-run", "--env-file", ".env", "--env", "DEBUG=yes")
    assert done.code == 0, done.stderr
    (app,) = tomllib.loads(done.stdout)["tool"]["routegen"]["apps"].values()
    assert app["env"] == {"DEBUG": "yes", "BASE_URL": "https://example.com/tools", "WEIGHT": "1"}
    assert sorted(file.name for file in tmp_path.iterdir()) == [".env", "server.py"]


def test_a_variable_with_an_influence_on_the_paths_is_named(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "server.py").write_text(
        f"import os\n{SMALL_APP}\nos.environ['BASE_URL']\n"
        "app.router.routes.append(Route(os.environ['PREFIX'] + '/x', answer))\n"
    )
    done = routegen("init", "--dry-run")
    assert done.code == 0, done.stderr
    assert "the paths depend on PREFIX; stages with different values need a manifest each: " in done.stderr
    assert "routegen extract --env PREFIX=VALUE -o STAGE.json\n" in done.stderr


def test_a_package_below_src_is_found(tmp_path: Path, routegen: Routegen) -> None:
    package = tmp_path / "src" / "acme"
    package.mkdir(parents=True)
    (package / "names.py").write_text("PATH = '/named'\n")
    (package / "server.py").write_text(f"from acme.names import PATH\n{SMALL_APP}")
    assert routegen("init").code == 0
    assert tables(tmp_path)["apps"]["acme"] == {"app": "src/acme/server.py:app", "path": "src"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "APP: no Python file in "),
        ({"a.py": SMALL_APP, "b.py": SMALL_APP},
         "APP: there are several apps: a.py:app (Starlette), b.py:app (Starlette); name one: routegen init a.py:app"),
    ],
)  # fmt: skip
def test_without_a_choice_there_is_one_error(
    tmp_path: Path, routegen: Routegen, files: dict[str, str], message: str
) -> None:
    for name, source in files.items():
        (tmp_path / name).write_text(source)
    done = routegen("init")
    assert (done.code, done.stdout) == (2, "")
    assert done.error.startswith(f"routegen: error: {message}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "pyproject.toml").exists()


def test_on_a_terminal_the_command_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routegen.cli.init._is_terminal", lambda: True)
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(SMALL_APP)
    done = CliRunner().invoke(routegen_group, ["init"], input="2\ntools\nsite\ngateway/routes.json\n")
    assert done.exit_code == 0, done.output
    assert tables(tmp_path) == {
        "manifest": "gateway/routes.json",
        "default": "site",
        "apps": {"tools": {"app": "b.py:app"}},
    }


def test_a_configured_project_is_not_changed(project: Path, routegen: Routegen) -> None:
    before = (project / "pyproject.toml").read_bytes()
    done = routegen("init")
    assert done.code == 2
    assert done.error.startswith("routegen: error: pyproject.toml: it has a [tool.routegen] already, and init does not")
    assert (project / "pyproject.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "kind", "name"),
    [
        ("server.py", "FastMCP", "mcp"),
        ("server.py", "Starlette", "app"),
        ("src/acme_tools/server.py", "FastAPI", "acme_tools"),
        ("services/my billing/main.py", "FastAPI", "my-billing"),
        ("gateway.py", "Mangum handler", "gateway"),
    ],
)
def test_the_name_of_an_app_comes_from_its_kind_or_its_file(file: str, kind: str, name: str) -> None:
    assert _proposed_name(FoundApp(PurePosixPath(file), "app", kind)) == name


def test_the_handler_of_a_package_is_imported_from_the_folder_above_it(tmp_path: Path) -> None:
    package = tmp_path / "src" / "acme"
    package.mkdir(parents=True)
    app = FoundApp(PurePosixPath("src/acme/server.py"), "app", "FastMCP", "handler")
    assert _handler_of(app, tmp_path) == ("server.handler", "src/acme")
    (package / "__init__.py").touch()
    assert _handler_of(app, tmp_path) == ("acme.server.handler", "src")


@pytest.mark.parametrize(
    ("value", "invented"),
    [
        ("https://user:secret@acme.internal/base/", ["https://example.com/base/"]),
        ("postgresql+asyncpg://user:secret@db/x", ["postgresql+asyncpg://localhost/example"]),
        ("8443", ["1"]),
        ("sk-secret", []),
    ],
)
def test_only_the_form_of_a_real_value_is_taken(value: str, invented: list[str]) -> None:
    assert _same_form(value) == invented


@pytest.mark.parametrize(
    ("file", "content", "tool", "line"),
    [
        ("infra/Pulumi.yaml", "runtime: python\n", "pulumi",
         'ManifestRoutes("routes", api_id=api.id, integrations={"mcp": mcp_function, "my-site": my_site_function})'),
        ("main.tf", "", "terraform", '  source            = "./routes"'),
        ("template.yaml", "Transform: AWS::Serverless-2016-10-31\n", "sam",
         "      MySiteFunctionArn: !GetAtt MySiteFunction.Arn"),
        ("cdk.json", "{}", "cdk",
         'new Routes(this, "Routes", { api, functions: { "mcp": mcpFunction, "my-site": my_siteFunction } });'),
        ("serverless.yml", "", "serverless", "  MySiteFunctionArn=ARN_OF_MY_SITE"),
    ],
)  # fmt: skip
def test_the_snippet_is_for_the_tool_of_the_repository(
    tmp_path: Path, file: str, content: str, tool: str, line: str
) -> None:
    assert find_gateway_tools(tmp_path) == []
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    assert find_gateway_tools(tmp_path) == [tool]
    assert line in gateway_snippet(tool, "generated/routes.json", ["mcp", "my-site"]).splitlines()
