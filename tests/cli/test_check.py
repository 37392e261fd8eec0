"""`routegen check` and `routegen list`, as CI and people run them."""

import json
from pathlib import Path

import pytest
from helpers.support import PYPROJECT, SMALL_APP, Routegen
from routegen.cli.list import make_table


def test_no_difference(committed: Path, routegen: Routegen) -> None:
    done = routegen("check")
    assert (done.code, done.stdout) == (0, "generated/routes.json: 3 routes, as the apps serve them\n")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('Route("/mcp", answer', 'Route("/mpc", answer', {"/mpc": "added", "/mcp": "changed"}),
        ('"/items/{id:int}"', '"/items"', {"/items": "added", "/items/{id}": "removed"}),
        ("{id:int}", "{id}", {"/items/{id}": "changed"}),
        ('methods=["POST"]', 'methods=["POST", "DELETE"]', {"/mcp": "changed"}),
    ],
)
def test_drift_is_told_apart(
    project: Path, committed: Path, routegen: Routegen, before: str, after: str, expected: dict[str, str]
) -> None:
    assert before in SMALL_APP
    (project / "server.py").write_text(SMALL_APP.replace(before, after))
    text = routegen("check")
    assert text.code == 1
    for path, kind in expected.items():
        assert f"  {path}\n        {kind.title()}: " in text.stdout
    assert "If the app is right, run: routegen extract --write\n" in text.stdout
    found = json.loads(routegen("check", "--format", "json").stdout)
    assert {difference["path"]: difference["kind"] for difference in found["differences"]} == expected


def test_a_removed_route_says_where_its_requests_go(project: Path, committed: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP.replace("/items/{id:int}", "/mcp"))
    says = (
        "mcp no longer serves this path (other). Without the route, its requests go to wiki. "
        "GET /items/x went to mcp, and now goes to wiki.\n"
    )
    assert says in routegen("check").stdout


def test_methods_are_told_old_and_new(project: Path, committed: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP.replace('["POST"]', '["DELETE", "POST"]'))
    assert (
        "Changed: methods: POST -> DELETE, POST. Each of its requests goes to the same app as before.\n"
        in routegen("check").stdout
    )


def test_the_mending_command_mends(project: Path, committed: Path, routegen: Routegen) -> None:
    arguments = ("server.py:app", "--name", "api", "--default", "site", "--manifest", committed)
    done = routegen("check", *arguments)
    assert done.code == 1
    assert "$default\n        Changed: " in done.stdout
    mend = done.stdout.partition("If the app is right, run: routegen ")[2].partition("\n")[0].split()
    assert routegen(*mend).code == 0
    assert routegen("check", *arguments).code == 0


def test_the_form_of_the_file_is_no_difference(committed: Path, routegen: Routegen) -> None:
    committed.write_text(json.dumps(json.loads(committed.read_text())))
    assert routegen("check").code == 0


def test_no_colour_off_a_terminal(project: Path, committed: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP.replace("/mcp", "/mpc"))
    assert "\x1b" not in routegen("check", env={"FORCE_COLOR": "1"}).stdout


WIKI = """\
from flask import Flask

wiki = Flask("wiki", static_folder=None)
for rule in ("/<path:page>", "/<path:page>/edit", "/mcp/help", "/-/about"):
    wiki.add_url_rule(rule, rule, lambda **_: "")
"""


def test_what_the_routes_take_from_the_app_behind_default_is_information(
    project: Path, committed: Path, routegen: Routegen
) -> None:
    (project / "site.py").write_text(WIKI)
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.routegen.apps.wiki]\napp = "site.py:wiki"\n')
    done = routegen("check")
    assert done.code == 0, done.stderr
    assert "warning RG211  /mcp/{proxy+}\n" in done.stdout
    assert "wiki has a rule /mcp/help; requests to it go to the route for /mcp/{proxy+}.\n" in done.stdout
    assert (
        "Pages of wiki at /items/{id}, /mcp, /mcp/{proxy+} are not reachable "
        "(/{page:path} and 1 more rules would answer them).\n"
    ) in done.stdout
    assert "/-/about" not in done.stdout
    findings = json.loads(routegen("check", "--format", "json").stdout)["findings"]
    assert [(one["rule"], one["level"]) for one in findings] == [("RG211", "warning"), ("RG212", "note")]
    assert routegen("check", "--fail-on", "warning").code == 1
    assert routegen("check", "--fail-on", "warning", "--ignore", "RG211").code == 0


@pytest.mark.parametrize("key", ["unsupported", "uncarried"])
def test_what_is_left_out_is_said_each_time(project: Path, routegen: Routegen, key: str) -> None:
    (project / "server.py").write_text(
        SMALL_APP
        + "from starlette.routing import WebSocketRoute\napp.router.routes.append(WebSocketRoute('/ws', answer))\n"
    )
    config = project / "pyproject.toml"
    config.write_text(config.read_text() + f'{key} = "warn"\n')
    done = routegen("extract", "-o", "generated/routes.json")
    assert done.code == 0
    assert (
        "routegen: warning: websocket: mcp: /ws is a WebSocket, and an HTTP API does not support WebSockets\n"
        in done.stderr
    )
    checked = routegen("check", "--format", "github")
    assert checked.code == 0
    assert checked.stdout.startswith("::warning file=generated/routes.json,line=1,title=RG210%3A ")
    assert "::/ws: websocket: mcp: /ws is a WebSocket" in checked.stdout


def test_a_table_beside_the_manifest_is_kept_in_step(project: Path, committed: Path, routegen: Routegen) -> None:
    table = committed.with_name("ROUTES.md")
    name = "generated/ROUTES.md"
    assert routegen("render", "markdown", "-o", name).code == 0
    assert routegen("check").code == routegen("check", "--manifest", committed).code == 0
    table.write_text(table.read_text().replace("/mcp", "/mpc"))
    done = routegen("check")
    assert done.code == 1
    assert f"error   RG206  {name}\n" in done.stdout
    assert f"Run: routegen render markdown -o {name}\n" in done.stdout
    assert "If the app is right" not in done.stdout
    report = json.loads(routegen("check", "--format", "json").stdout)
    assert report["differences"] == []
    assert [(one["rule"], one["subject"]) for one in report["findings"]] == [("RG206", name)]
    assert routegen("check", "--ignore", "RG206").code == 0
    for format_ in ("github", "sarif"):
        assert name in routegen("check", "--format", format_).stdout


def test_strict_refuses_what_is_wider_than_the_app(project: Path, committed: Path, routegen: Routegen) -> None:
    assert routegen("check").code == 0
    strict = routegen("check", "--strict")
    assert (strict.code, strict.stdout) == (5, "")
    assert "/items/{id} is wider than the app: {id:int} takes only int; a route key's variable" in strict.error
    (project / "server.py").write_text(SMALL_APP.replace("{id:int}", "{id}"))
    assert routegen("extract", "-o", committed).code == 0
    assert routegen("check", "--strict").code == 0


def test_list_shows_a_table(committed: Path, routegen: Routegen) -> None:
    done = routegen("list")
    assert done.code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "PATH", "/items/{id}", "/mcp", "/mcp/{proxy+}", "$default",
    ]  # fmt: skip
    assert not any(line.endswith(" ") for line in done.stdout.splitlines())


def test_list_as_json_is_the_manifests_routes(committed: Path, routegen: Routegen) -> None:
    assert json.loads(routegen("list", "--format", "json").stdout) == json.loads(committed.read_text())["routes"]


def test_a_manifest_needs_no_configuration(
    committed: Path, routegen: Routegen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert routegen("list", "--manifest", committed, cwd=elsewhere).code == 0


def test_schema_is_json(routegen: Routegen) -> None:
    done = routegen("schema")
    assert done.code == 0
    assert json.loads(done.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("inside", [True, False])
def test_locations_are_relative_to_the_root_of_the_repository(
    tmp_path: Path, extracted: str, routegen: Routegen, inside: bool
) -> None:
    """GitHub reads a location relative to the repository: the working directory and the project do not matter."""
    project = tmp_path / "services" / "an mcp"
    (project / "generated").mkdir(parents=True)
    (project / "generated" / "routes.json").write_text(extracted)
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "server.py").write_text(SMALL_APP.replace("/mcp", "/mpc"))
    if inside:
        (tmp_path / ".git").mkdir()
    name = "services/an mcp/generated/routes.json" if inside else "generated/routes.json"
    annotations = routegen("check", "--format", "github", cwd=project).stdout
    assert f"::error file={name},line=" in annotations
    (result, *_) = json.loads(routegen("check", "--format", "sarif", cwd=project).stdout)["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": name.replace(" ", "%20"), "uriBaseId": "%SRCROOT%"}


def test_a_manifest_outside_of_the_repository_has_an_absolute_location(committed: Path, routegen: Routegen) -> None:
    folder = committed.parent / "elsewhere"
    folder.mkdir()
    other = folder / "other.json"
    other.write_text(committed.read_text().replace("ANY /mcp", "POST /mcp"))
    found = routegen("diff", committed, other, "--format", "github", cwd=folder).stdout
    assert "::" in found
    assert "file=other.json," in found
    found = routegen("diff", other, committed, "--format", "github", cwd=folder).stdout
    assert f"file={committed}," in found


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 100, 200])
def test_list_fits_the_width_of_a_terminal(columns: int) -> None:
    long_path = "/.well-known/oauth-authorization-server/mcp"
    rows = [("PATH", "METHODS", "APP", "ROLE", "SPEC"), (long_path, "DELETE GET HEAD", "mcp", "other", "RFC 8414")]
    table = make_table(rows, columns)
    assert max(map(len, table.splitlines())) <= columns
    first_column = max(len(line.partition("  ")[0]) for line in table.splitlines())
    assert "".join(line[:first_column].strip() for line in table.splitlines()[1:]) == long_path
    assert "mcp" in table.split()
    assert ("RFC 8414" in table) == (columns >= 100)
    assert "RFC 8414" in make_table(rows, None)


def test_list_off_a_terminal_shows_every_column(committed: Path, routegen: Routegen) -> None:
    header = "PATH           METHODS   APP   ROLE             SPEC\n"
    assert routegen("list", env={"COLUMNS": "20"}).stdout.startswith(header)
