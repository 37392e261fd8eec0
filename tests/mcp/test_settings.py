"""A cold start with an environment that can't be used ends with one line that names the variable."""

import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

Environment = Callable[..., dict[str, str]]
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(mcp_environment: Environment, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Read:
    """The settings that the server reads from an environment with these variables."""

    def settings(**changed: str) -> dict[str, Any]:
        for name, value in mcp_environment(**changed).items():
            monkeypatch.delenv(name, raising=False) if value == "(unset)" else monkeypatch.setenv(name, value)
        said: dict[str, Any] = load("mcp_settings").load_settings().model_dump()
        return said

    return settings


@pytest.fixture
def failure(read: Read) -> Callable[..., str]:
    """The line that the start ends with; Python prints the text of a SystemExit on stderr, its status is 1."""

    def line(**changed: str) -> str:
        with pytest.raises(SystemExit) as ended:
            read(**changed)
        assert isinstance(ended.value.code, str)
        assert len(ended.value.code.splitlines()) == 1
        return ended.value.code

    return line


def test_the_servers_own_start_stops_with_one_line(mcp_environment: Environment) -> None:
    env = mcp_environment(WIKI_URL="ftp://wiki.example")
    del env["AUTHKIT_DOMAIN"]
    done = subprocess.run(
        [sys.executable, "-c", "import mcp_server"], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("mcp_server: AUTHKIT_DOMAIN is not set (a good value: https://your-app.authkit.app); ")
    assert "WIKI_URL is not an http(s) URL" in line


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("WORKOS_CLIENT_ID", "(unset)", "is not set (a good value: client_01ABCDEF)"),
        ("MCP_BASE_URL", "(unset)", "is not set"),
        ("MCP_BASE_URL", "http://wiki.example", "is not https"),
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
    failure: Callable[..., str], name: str, value: str, message: str
) -> None:
    line = failure(**{name: value})
    assert line.startswith(f"mcp_server: {name} {message}")
    assert "a good value: " in line
    assert "secret" not in line


def test_all_problems_are_told_at_once(failure: Callable[..., str]) -> None:
    line = failure(AUTHKIT_DOMAIN="(unset)", WORKOS_CLIENT_ID="x", MCP_BASE_URL="x")
    assert all(name in line for name in ("AUTHKIT_DOMAIN", "WORKOS_CLIENT_ID", "MCP_BASE_URL"))


@pytest.mark.parametrize(
    ("given", "expected"),
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
def test_values_that_are_taken(read: Read, given: dict[str, str], expected: dict[str, str]) -> None:
    assert read(**given).items() >= expected.items()
