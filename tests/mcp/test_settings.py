"""A cold start with an environment that can't be used ends with one line that names the variable."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

Environment = Callable[..., dict[str, str]]
READ = "import json, mcp_settings; print(json.dumps(mcp_settings.load_settings().model_dump()))"


def run(code: str, names: dict[str, str]) -> subprocess.CompletedProcess[str]:
    used = {name: value for name, value in names.items() if value != "(unset)"}
    return subprocess.run([sys.executable, "-c", code], env=used, capture_output=True, text=True, check=False)


def failure(code: str, names: dict[str, str]) -> str:
    done = run(code, names)
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AUTHKIT_DOMAIN", "(unset)", "AUTHKIT_DOMAIN is not set (a good value: https://your-app.authkit.app)"),
        ("WORKOS_CLIENT_ID", "(unset)", "WORKOS_CLIENT_ID is not set (a good value: client_01ABCDEF)"),
        ("MCP_BASE_URL", "http://wiki.example", "MCP_BASE_URL is not https"),
        ("WIKI_URL", "ftp://wiki.example", "WIKI_URL is not an http(s) URL"),
    ],
)
def test_the_servers_own_start_stops_with_one_line(
    mcp_environment: Environment, name: str, value: str, message: str
) -> None:
    line = failure("import mcp_server", mcp_environment(**{name: value}))
    assert line.startswith(f"mcp_server: {message}")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MCP_BASE_URL", "(unset)", "is not set"),
        ("AUTHKIT_DOMAIN", "", "is not an http(s) URL"),
        ("AUTHKIT_DOMAIN", "ftp://example.authkit.app", "is not an http(s) URL"),
        ("AUTHKIT_DOMAIN", "http://example.authkit.app", "is not https"),
        ("AUTHKIT_DOMAIN", "https://example.authkit.app/path", "has a path"),
        ("AUTHKIT_DOMAIN", "example.authkit.app/path", "has a path"),
        ("AUTHKIT_DOMAIN", "https://exa mple", "has a character that a URL can't have"),
        ("WORKOS_CLIENT_ID", "", "is not a WorkOS client id"),
        ("WORKOS_CLIENT_ID", "org_01TEST", "is not a WorkOS client id"),
        ("WORKOS_CLIENT_ID", "client_", "is not a WorkOS client id"),
        ("WORKOS_CLIENT_ID", "client_1\n", "is not a WorkOS client id"),
        ("MCP_BASE_URL", "wiki.example", "is not an http(s) URL"),
        ("MCP_BASE_URL", "https://", "is not an http(s) URL"),
        ("MCP_BASE_URL", "https://[::1", "is not an http(s) URL"),
        ("MCP_BASE_URL", "https://wiki.example:99999", "is not an http(s) URL"),
        ("MCP_BASE_URL", "https://wiki.example:port", "is not an http(s) URL"),
        ("MCP_BASE_URL", "https://me:secret@wiki.example", "has more than scheme, host and path"),
        ("MCP_BASE_URL", "https://wiki.example?x=1", "has more than scheme, host and path"),
        ("MCP_BASE_URL", "https://wiki.example#x", "has more than scheme, host and path"),
        ("MCP_BASE_URL", " https://wiki.example", "has a character that a URL can't have"),
        ("MCP_BASE_URL", "https://wiki.example\n", "has a character that a URL can't have"),
        ("MCP_BASE_URL", "https:\\\\wiki.example", "has a character that a URL can't have"),
        ("WIKI_URL", "", "is not an http(s) URL"),
        ("WIKI_URL", "/wiki", "is not an http(s) URL"),
    ],
)
def test_a_malformed_value_is_named_and_never_repeated(
    mcp_environment: Environment, name: str, value: str, message: str
) -> None:
    line = failure(READ, mcp_environment(**{name: value}))
    assert line.startswith(f"mcp_server: {name} {message}")
    assert "a good value: " in line
    assert "secret" not in line


def test_all_problems_are_told_at_once(mcp_environment: Environment) -> None:
    line = failure(READ, mcp_environment(AUTHKIT_DOMAIN="(unset)", WORKOS_CLIENT_ID="x", MCP_BASE_URL="x"))
    assert all(name in line for name in ("AUTHKIT_DOMAIN", "WORKOS_CLIENT_ID", "MCP_BASE_URL"))


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({}, {"wiki_url": "https://wiki.example"}),
        ({"AUTHKIT_DOMAIN": "Example.authkit.app"}, {"authkit_domain": "https://example.authkit.app"}),
        ({"AUTHKIT_DOMAIN": "https://example.authkit.app/"}, {"authkit_domain": "https://example.authkit.app"}),
        ({"AUTHKIT_DOMAIN": "http://127.0.0.1:8000"}, {"authkit_domain": "http://127.0.0.1:8000"}),
        (
            {"MCP_BASE_URL": "https://wiki.example:8443/api/"},
            {"mcp_base_url": "https://wiki.example:8443/api", "wiki_url": "https://wiki.example:8443"},
        ),
        ({"MCP_BASE_URL": "http://localhost:8000"}, {"wiki_url": "http://localhost:8000"}),
        ({"MCP_BASE_URL": "http://[::1]:8000"}, {"wiki_url": "http://[::1]:8000"}),
        ({"WIKI_URL": "http://wiki.internal:8080/docs/"}, {"wiki_url": "http://wiki.internal:8080/docs"}),
    ],
)
def test_values_that_are_taken(mcp_environment: Environment, given: dict[str, str], read: dict[str, str]) -> None:
    done = run(READ, mcp_environment(**given))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout).items() >= read.items()
