"""`routegen diff`, and what differences look like to CI."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from helpers.project import run_in
from helpers.schemas import SARIF, read_schema
from helpers.support import PYPROJECT, Routegen, Run

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main"]


def manifest(*entries: tuple[str, str], default: str | None = "wiki") -> str:
    """A manifest's text from (path, role) pairs."""
    routes = [
        {"path": path, "methods": ["GET"], "app": "mcp", "role": role, "route_keys": [f"ANY {path}"]}
        for path, role in entries
    ]
    with_default = {"default": default} if default else {}
    return json.dumps({"version": 1, **with_default, "routes": routes}, indent=2) + "\n"


ASM = ("/.well-known/oauth-authorization-server", "authorization-server-metadata")
OLD = manifest(ASM, ("/a,b:c", "other"), ("/mcp", "mcp-endpoint"))
NEW = manifest(("/mcp", "other"), ("/mcp/{proxy+}", "owned"), default="site")
EXPECTED = [
    ("$default", "changed", "RG205"),
    ("/.well-known/oauth-authorization-server", "removed", "RG200"),
    ("/a,b:c", "removed", "RG201"),
    ("/mcp", "changed", "RG202"),
    ("/mcp/{proxy+}", "added", "RG204"),
]


@pytest.fixture
def two(tmp_path: Path) -> Path:
    (tmp_path / "old.json").write_text(OLD)
    (tmp_path / "new.json").write_text(NEW)
    return tmp_path


def test_each_difference_has_its_rule_and_level(two: Path, routegen: Routegen) -> None:
    done = routegen("diff", "old.json", "new.json", "--format", "json")
    assert done.code == 1
    report = json.loads(done.stdout)
    assert [(one["path"], one["kind"]) for one in report["differences"]] == [(path, kind) for path, kind, _ in EXPECTED]
    found = [(one["subject"], one["rule"], one["level"]) for one in report["findings"]]
    assert found == [(path, rule, "error") for path, _, rule in EXPECTED]
    (before,) = [one["before"] for one in report["differences"] if one["path"] == "/a,b:c"]
    assert before["route_keys"] == ["ANY /a,b:c"]


def test_a_removed_path_says_who_gets_its_requests(two: Path, routegen: Routegen) -> None:
    (two / "new.json").write_text(manifest(("/mcp/{proxy+}", "owned")))
    (two / "old.json").write_text(manifest(("/mcp/{proxy+}", "owned"), ("/mcp/x", "other"), ASM))
    text = routegen("diff", "old.json", "new.json").stdout
    assert "its requests go to mcp through ANY /mcp/{proxy+}. Each of its requests goes to the same app as" in text
    assert "its requests go to wiki, which may answer with HTML where a client expects JSON. GET /.well-k" in text


def test_a_removed_default_app_leaves_requests_to_no_app(two: Path, routegen: Routegen) -> None:
    (two / "old.json").write_text(manifest(("/mcp", "other"), ASM))
    (two / "new.json").write_text(manifest(("/mcp", "other"), default=None))
    text = routegen("diff", "old.json", "new.json").stdout
    assert "requests that no route takes go to no app: the gateway answers 404; before, they went to wiki. GET" in text
    assert "Without the route, its requests go to no app: the gateway answers 404. GET /.well-known/oauth-a" in text
    report = json.loads(routegen("diff", "old.json", "new.json", "--format", "json").stdout)
    (default,) = [difference for difference in report["differences"] if difference["path"] == "$default"]
    assert (default["before"], default["after"]) == ("wiki", None)


def test_the_same_twice_is_no_difference(two: Path, routegen: Routegen) -> None:
    done = routegen("diff", "old.json", "old.json")
    assert (done.code, done.stdout) == (0, "old.json: the same routes as old.json\n")


def test_github_annotations_point_at_the_lines(two: Path, routegen: Routegen) -> None:
    done = routegen("diff", "new.json", "old.json", "--format", "github")
    assert done.code == 1
    lines = done.stdout.splitlines()
    assert len(lines) == len(EXPECTED)
    number = OLD.splitlines().index('      "path": "/mcp",') + 1
    (changed,) = [line for line in lines if "::/mcp: Changed: " in line]
    assert changed.startswith(f"::error file=old.json,line={number},title=RG203%3A ")
    (added,) = [line for line in lines if "::/a,b:c: Added: " in line]
    assert "title=RG204%3A " in added


def test_sarif_has_a_result_a_difference(two: Path, routegen: Routegen) -> None:
    done = routegen("diff", "old.json", "new.json", "--format", "sarif")
    assert done.code == 1
    log: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(log, read_schema(SARIF))
    (run,) = log["runs"]
    rules = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in run["tool"]["driver"]["rules"]}
    assert [(r["ruleId"], r["level"]) for r in run["results"]] == [(rule, "error") for _, _, rule in EXPECTED]
    assert all(rules[result["ruleId"]] == result["level"] for result in run["results"])
    assert all(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "new.json" for r in run["results"])


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository whose manifest changed between two commits, the first one tagged v1."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    file = tmp_path / "generated" / "routes.json"
    file.parent.mkdir()
    for number, text in enumerate((OLD, NEW), 1):
        file.write_text(text)
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"], ["tag", f"v{number}"]):
            subprocess.run([*GIT, *command], cwd=tmp_path, check=True)
    return tmp_path


def test_a_revision_names_the_committed_manifest(history: Path, routegen: Routegen) -> None:
    assert routegen("diff", "git:v2", "generated/routes.json").code == 0
    found = routegen("diff", "git:v1", "git:HEAD", "--format", "json", cwd=history / "generated")
    assert [d["path"] for d in json.loads(found.stdout)["differences"]] == [path for path, *_ in EXPECTED]


@pytest.mark.parametrize("revision", ["git:nope", "git:--help", "git:", "git:v1~5"])
def test_a_revision_that_is_not_there(history: Path, routegen: Routegen, revision: str) -> None:
    done = routegen("diff", revision, "generated/routes.json")
    assert (done.code, done.stdout) == (4, "")
    assert done.error.startswith(f"routegen: error: {revision}: ")
    assert done.stderr.count("\n") == 1


def test_no_repository(tmp_path: Path, routegen: Routegen) -> None:
    (tmp_path / "routes.json").write_text(OLD)
    done = routegen("diff", "git:HEAD", "routes.json", "--manifest", "routes.json")
    assert done.code == 4
    assert "not a git repository" in done.error


SERVER = """\
import click
from starlette.applications import Starlette
from starlette.routing import Route

def answer(request):
    raise NotImplementedError

app = Starlette(routes=[Route("/click-" + click.__version__, answer), Route("/mcp", answer)])
"""


def test_each_difference_names_a_shortest_request_that_goes_to_another_app(two: Path, routegen: Routegen) -> None:
    (two / "old.json").write_text(manifest(("/mcp", "mcp-endpoint"), ("/mcp/{proxy+}", "owned"), ("/a/{id}", "other")))
    (two / "new.json").write_text(manifest(("/mcp", "mcp-endpoint"), ("/a/{name}", "other"), ("/b/{x}/c", "other")))
    done = routegen("diff", "old.json", "new.json", "--format", "json")
    requests = {one["path"]: one["request"] for one in json.loads(done.stdout)["differences"]}
    assert requests == {
        "/a/{id}": None,
        "/a/{name}": None,
        "/b/{x}/c": {"method": "GET", "path": "/b/x/c", "before": "wiki", "after": "mcp"},
        "/mcp/{proxy+}": {"method": "GET", "path": "/mcp/x", "before": "mcp", "after": "wiki"},
    }
    text = routegen("diff", "old.json", "new.json").stdout
    assert "GET /mcp/x went to mcp, and now goes to wiki.\n" in text
    assert "Removed: mcp no longer serves this path (other). Without the route, its requests go to mcp through" in text
    assert "Each of its requests goes to the same app as before.\n" in text


@pytest.mark.long
def test_what_another_release_would_change(tmp_path: Path) -> None:
    def routegen(*arguments: str) -> Run:
        return run_in(tmp_path, *arguments, forks_apps=False)  # a forked process has the release of the tests

    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    assert routegen("extract", "-o", "generated/routes.json").code == 0
    done = routegen("diff", "--with", "click==8.1.7")
    assert done.code == 1, done.stderr
    assert "error   RG204  /click-8.1.7\n" in done.stdout
    assert routegen("check").code == 0, "the environment is as it was"
    missing = routegen("diff", "--with", "click==0.0.99")
    assert (missing.code, missing.stdout) == (3, "")
    assert "click==0.0.99: cannot be installed: " in missing.error


def test_with_goes_alone(two: Path, routegen: Routegen) -> None:
    assert routegen("diff", "old.json", "new.json", "--with", "x").code == 2
    assert routegen("diff", "old.json").code == 2
