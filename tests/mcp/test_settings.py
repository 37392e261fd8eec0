"""A missing or malformed environment variable ends the cold start with one line that names it."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers.forked import start_program

Environment = Callable[..., dict[str, str]]
Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(mcp_environment: Environment, load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Read:
    """Read the settings from an environment with some changed variables."""

    def settings(**changed: str) -> dict[str, Any]:
        for name, value in mcp_environment(**changed).items():
            monkeypatch.delenv(name, raising=False) if value == "(unset)" else monkeypatch.setenv(name, value)
        values: dict[str, Any] = load("mcp_settings").load_settings().model_dump()
        return values

    return settings


@pytest.fixture
def error_line(read: Read) -> Callable[..., str]:
    """Read wrong settings, and return the error line. Python prints it to stderr and exits with code 1."""

    def line(**changed: str) -> str:
        with pytest.raises(SystemExit) as caught:
            read(**changed)
        assert isinstance(caught.value.code, str)
        assert len(caught.value.code.splitlines()) == 1
        return caught.value.code

    return line


def test_the_server_exits_with_one_line_for_all_problems(mcp_environment: Environment, tmp_path: Path) -> None:
    env = mcp_environment(WIKI_URL="ftp://wiki.example")
    del env["AUTHKIT_DOMAIN"]
    program = start_program("import mcp_server", env, tmp_path / "stderr")
    assert (program.stream.read(), program.exit_code()) == ("", 1)
    (line,) = (tmp_path / "stderr").read_text().splitlines()
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
        ("AUTHKIT_DOMAIN", "https://exa mple", "has a character that a URL cannot have"),
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
        ("MCP_BASE_URL", " https://wiki.example", "has a character that a URL cannot have"),
        ("MCP_BASE_URL", "https://wiki.example\n", "has a character that a URL cannot have"),
        ("MCP_BASE_URL", "https:\\\\wiki.example", "has a character that a URL cannot have"),
        ("WIKI_URL", "", "is not an http(s) URL"),
        ("WIKI_URL", "/wiki", "is not an http(s) URL"),
        ("WIKI_READER_TOKEN", "secret\n", "has a character that no token can have"),
        ("WIKI_READER_TOKEN", "secret token", "has a character that no token can have"),
    ],
)
def test_a_malformed_value_is_named_but_not_printed(
    error_line: Callable[..., str], name: str, value: str, message: str
) -> None:
    line = error_line(**{name: value})
    assert line.startswith(f"mcp_server: {name} {message}")
    assert "a good value: " in line
    assert "secret" not in line


@pytest.mark.parametrize("url", ["http://wiki.internal:8080", "http://localhost.example"])
def test_the_token_of_the_reader_is_not_sent_without_tls(error_line: Callable[..., str], url: str) -> None:
    line = error_line(WIKI_URL=url, WIKI_READER_TOKEN="secret")
    assert line == (
        "mcp_server: WIKI_URL is not https; only a loopback address can use http, and WIKI_READER_TOKEN is not sent "
        "without TLS (a good value: https://mcp.example.com)"
    )


@pytest.mark.parametrize("url", ["https://wiki.internal", "http://127.0.0.1:8000", "http://[::1]:8000"])
def test_the_token_of_the_reader_is_a_secret(read: Read, url: str) -> None:
    settings = read(WIKI_URL=url, WIKI_READER_TOKEN="read-only")
    assert "read-only" not in repr(settings)
    assert settings["wiki_reader_token"].get_secret_value() == "read-only"


def test_all_problems_are_in_one_line(error_line: Callable[..., str]) -> None:
    line = error_line(AUTHKIT_DOMAIN="(unset)", WORKOS_CLIENT_ID="x", MCP_BASE_URL="x")
    assert all(name in line for name in ("AUTHKIT_DOMAIN", "WORKOS_CLIENT_ID", "MCP_BASE_URL"))


@pytest.mark.parametrize(
    ("changed", "expected"),
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
def test_valid_values_are_normalized(read: Read, changed: dict[str, str], expected: dict[str, str]) -> None:
    assert read(**changed).items() >= expected.items()
