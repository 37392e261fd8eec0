"""`routegen check` and `routegen list`, as CI and people run them."""

import json
from pathlib import Path

import pytest
from support import SMALL_APP, Routegen


def test_no_difference(committed: Path, routegen: Routegen) -> None:
    done = routegen("check")
    assert (done.code, done.stdout) == (0, "generated/routes.json: 3 routes, as the app serves them\n")


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
        assert f"{kind:<8} {path}  " in text.stdout
    assert "If the app is right: routegen extract -o generated/routes.json\n" in text.stdout
    found = json.loads(routegen("check", "--format", "json").stdout)
    assert {difference["path"]: difference["kind"] for difference in found["differences"]} == expected

    assert routegen("extract", "-o", committed).code == 0
    assert routegen("check").code == 0
    (project / "server.py").write_text(SMALL_APP)
    assert routegen("check").code == 1


def test_a_removed_route_says_where_its_requests_go(project: Path, committed: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP.replace("/items/{id:int}", "/mcp"))
    says = "mcp no longer serves it; without the route its requests go to wiki\n"
    assert says in routegen("check").stdout


def test_methods_are_told_old_and_new(project: Path, committed: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP.replace('["POST"]', '["DELETE", "POST"]'))
    assert "methods: POST -> DELETE, POST\n" in routegen("check").stdout


def test_the_mending_command_mends(project: Path, committed: Path, routegen: Routegen) -> None:
    arguments = ("server.py:app", "--name", "api", "--default", "site", "--manifest", committed)
    done = routegen("check", *arguments)
    assert done.code == 1
    assert "changed  $default" in done.stdout
    mend = done.stdout.rstrip().rpartition("If the app is right: routegen ")[2].split()
    assert routegen(*mend).code == 0
    assert routegen("check", *arguments).code == 0


def test_the_form_of_the_file_is_no_difference(committed: Path, routegen: Routegen) -> None:
    committed.write_text(json.dumps(json.loads(committed.read_text())))
    assert routegen("check").code == 0


def test_no_colour_off_a_terminal(project: Path, committed: Path, routegen: Routegen) -> None:
    (project / "server.py").write_text(SMALL_APP.replace("/mcp", "/mpc"))
    assert "\x1b" not in routegen("check", env={"FORCE_COLOR": "1"}).stdout


def test_list_shows_a_table(committed: Path, routegen: Routegen) -> None:
    done = routegen("list")
    assert done.code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "PATH", "/items/{id}", "/mcp", "/mcp/{proxy+}", "$default",
    ]  # fmt: skip
    assert not any(line.endswith(" ") for line in done.stdout.splitlines())


def test_list_as_json_is_the_manifests_routes(committed: Path, routegen: Routegen) -> None:
    assert json.loads(routegen("list", "--json").stdout) == json.loads(committed.read_text())["routes"]


def test_a_manifest_needs_no_configuration(
    committed: Path, routegen: Routegen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert routegen("list", "--manifest", committed, cwd=elsewhere).code == 0


def test_schema_is_json(routegen: Routegen) -> None:
    done = routegen("schema")
    assert done.code == 0
    assert json.loads(done.stdout)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
