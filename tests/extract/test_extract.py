"""`routegen extract` as a user runs it, on small apps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.support import DATA, Routegen


def routes(text: str) -> dict[str, dict[str, object]]:
    return {route["path"]: route for route in json.loads(text)["routes"]}


def test_the_manifest_has_the_served_and_the_owned_paths(project: Path, routegen: Routegen) -> None:
    done = routegen("extract")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout) == {
        "version": 1,
        "default": "wiki",
        "routes": [
            {
                "path": "/items/{id}",
                "methods": ["GET", "HEAD"],
                "app": "mcp",
                "role": "other",
                "route_keys": ["ANY /items/{id}"],
                "widened": "{id:int} takes only int; a route key's variable takes any segment",
            },
            {"path": "/mcp", "methods": ["POST"], "app": "mcp", "role": "other", "route_keys": ["ANY /mcp"]},
            {
                "path": "/mcp/{proxy+}",
                "methods": ["ANY"],
                "app": "mcp",
                "role": "owned",
                "route_keys": ["ANY /mcp/{proxy+}"],
            },
        ],
    }
    assert done.stdout == json.dumps(json.loads(done.stdout), indent=2) + "\n"


def test_the_output_file_is_replaced_and_keeps_its_permissions(
    project: Path, committed: Path, routegen: Routegen
) -> None:
    committed.chmod(0o640)
    link = project / "link.json"
    link.symlink_to(committed)
    committed.write_text("old")
    assert routegen("extract", "-o", link).code == 0
    assert link.is_symlink()
    assert json.loads(committed.read_text())["version"] == 1
    assert committed.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in committed.parent.iterdir()] == ["routes.json"]


def test_exact_methods_give_one_key_for_each_method_except_below_owned_paths(project: Path, routegen: Routegen) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('methods = "exact"\n')
    extracted = routes(routegen("extract").stdout)
    assert extracted["/items/{id}"]["route_keys"] == ["GET /items/{id}", "HEAD /items/{id}"]
    assert extracted["/mcp"]["route_keys"] == ["ANY /mcp"]


def test_a_server_behind_authkit(routegen: Routegen) -> None:
    done = routegen("extract", DATA / "authkit.py", "--name", "mcp", "--default", "otterwiki")
    assert done.code == 0, done.stderr
    served = {
        path: (route["methods"], route["role"], route.get("spec"))
        for path, route in routes(done.stdout).items()
        if "reserved" not in route
    }
    assert served == {
        "/.well-known/oauth-authorization-server": (["GET", "HEAD"], "authorization-server-metadata", "RFC 8414"),
        "/.well-known/oauth-protected-resource/mcp": (
            ["GET", "HEAD", "OPTIONS"],
            "protected-resource-metadata",
            "RFC 9728",
        ),
        "/mcp": (["DELETE", "POST"], "mcp-endpoint", "MCP Streamable HTTP"),
    }


@pytest.mark.parametrize(
    ("provider", "arguments", "expected"),
    [
        ("workos.AuthKitProvider", "authkit_domain='https://a.authkit.app', base_url='https://x.example/api'",
         {"/.well-known/oauth-protected-resource/api/mcp": "protected-resource-metadata"}),
        ("github.GitHubProvider", "client_id='a', client_secret='b' * 40, base_url='https://x.example'",
         {"/authorize": "authorization-endpoint", "/token": "token-endpoint", "/register": "registration-endpoint",
          "/auth/callback": "redirect-callback", "/consent": "consent"}),
        ("github.GitHubProvider",
         "client_id='a', client_secret='b' * 40, base_url='https://x.example', redirect_path='/elsewhere'",
         {"/elsewhere": "redirect-callback"}),
    ],
)  # fmt: skip
def test_roles_of_the_paths_of_each_auth_provider(
    tmp_path: Path, routegen: Routegen, provider: str, arguments: str, expected: dict[str, str]
) -> None:
    module, _, name = provider.partition(".")
    (tmp_path / "server.py").write_text(
        f"from fastmcp import FastMCP\nfrom fastmcp.server.auth.providers.{module} import {name}\n"
        f"mcp = FastMCP('x', auth={name}({arguments}))\n"
    )
    done = routegen("extract", "server.py", "--unsupported", "warn")
    assert done.code == 0, done.stderr
    roles = {path: route["role"] for path, route in routes(done.stdout).items()}
    assert expected.items() <= roles.items()


def test_the_manifest_can_be_redirected_into_a_file(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    with target.open("wb") as file:
        subprocess.run(
            [sys.executable, "-m", "routegen", "extract"], cwd=project, stdout=file, check=True, env=dict(os.environ)
        )
    assert json.loads(target.read_text())["routes"]
