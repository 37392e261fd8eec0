"""The tests that the targets nginx, caddy and haproxy share; tests/differential compares the servers' decisions."""

import json
import subprocess
from pathlib import Path

import pytest
from differential.servers import SERVERS, environment, server_command
from render.manifests import COMMITTED, HOSTILE, WITHOUT_DEFAULT
from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.manifest import Manifest
from routegen.render import RenderRequest, find_target, render


def make_manifest(*paths: str) -> Manifest:
    routes = [
        {"path": path, "methods": ["ANY"], "app": "a", "role": "other", "route_keys": [f"ANY {path}"]} for path in paths
    ]
    return Manifest.model_validate_json(json.dumps({"version": 1, "default": "wiki", "routes": routes}))


def check_config(server: str, config: Path) -> str:
    """Let a server check its configuration, and return the output; an invalid configuration fails the test."""
    done = subprocess.run(
        server_command(server, config, test=True),
        capture_output=True,
        text=True,
        check=False,
        cwd=config.parent,
        env=environment(config.parent),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def write_config(server: str, folder: Path, manifest: Manifest = COMMITTED, **variables: str) -> Path:
    """Render a manifest for a server into a file of a folder."""
    config = folder / f"{server}.conf"
    directory = {"run": str(folder)} if server == "nginx" else {}
    config.write_text(render(RenderRequest(server, manifest, variables=directory | variables)))
    return config


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "8080", "[::1]:8080", "localhost:8080"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_server_accepts_the_configuration(server: str, listen: str, tmp_path: Path) -> None:
    output = check_config(server, write_config(server, tmp_path, listen=listen))
    assert "warn" not in output.lower()


@pytest.mark.parametrize("manifest", [HOSTILE, WITHOUT_DEFAULT], ids=["hostile", "without-default"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_server_accepts_the_configuration_of_a_hostile_manifest(
    server: str, manifest: Manifest, tmp_path: Path
) -> None:
    assert "warn" not in check_config(server, write_config(server, tmp_path, manifest)).lower()


@pytest.mark.parametrize("server", SERVERS)
def test_an_app_gets_the_address_that_is_set(server: str) -> None:
    text = render(RenderRequest(server, COMMITTED, variables={"upstream.mcp": "mcp.internal:8000"}))
    assert "mcp.internal:8000" in text
    assert "127.0.0.1:9001" not in text
    assert "127.0.0.1:9002" in text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("listen", "", "must be host:port, or a port"),
        ("listen", "0", "must be host:port, or a port"),
        ("listen", "65536", "must be host:port, or a port"),
        ("listen", "127.0.0.1", "must be host:port, or a port"),
        ("listen", "8080; }", "must be host:port, or a port"),
        ("listen", "\u0668", "must be host:port, or a port"),
        ("upstream.mcp", "9001", "must be host:port"),
        ("upstream.mcp", "127.0.0.1:99999", "must be host:port"),
        ("upstream.mcp", "::1:9001", "must be host:port"),
        ("upstream.mcp", "a b:1", "must be host:port"),
        ("upstream.mcp", "a:1\n", "must be host:port"),
        ("upstream.mcp", "{env.X}:1", "must be host:port"),
        ("upstream.mcp", '"$x":1', "must be host:port"),
        ("trusted", "10.0.0.0/8;", "must be addresses or networks"),
        ("trusted", "10.0.0.1/8", "must be addresses or networks"),
        ("trusted", "balancer.internal", "must be addresses or networks"),
        ("trusted", "10.0.0.0/8 ::1", "must be addresses or networks"),
        ("trusted", "fe80::1%eth0;}", "must be addresses or networks"),
    ],
)
@pytest.mark.parametrize("server", SERVERS)
def test_a_wrong_address_is_refused(server: str, name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"--set: {name} {message}.*, is "):
        render(RenderRequest(server, COMMITTED, variables={name: value}))


@pytest.mark.parametrize("server", ["nginx", "caddy"])
def test_another_form_than_the_two_is_refused(server: str) -> None:
    with pytest.raises(ConfigError, match=r"form must be 'standalone' or 'include', is 'snippet'"):
        render(RenderRequest(server, COMMITTED, variables={"form": "snippet"}))


@pytest.mark.parametrize("path", ["/x%FF", "/%EF%BF%BD/{y}"])
@pytest.mark.parametrize("server", SERVERS)
def test_a_path_that_is_not_utf_8_is_refused_unless_allowed(server: str, path: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRouteError, match=rf"ANY {path}: .* --allow not-utf-8".replace("{", r"\{")):
        render(RenderRequest(server, make_manifest(path)))
    allowed = frozenset(find_target(server).approximations)
    (tmp_path / "allowed").write_text(render(RenderRequest(server, make_manifest(path), allowed=allowed, variables={})))
    assert f"ANY {path}" in (tmp_path / "allowed").read_text()


QUOTABLE_TEXTS = [
    "",
    "a b",
    'say "otter"',
    r"C:\temp\new\rest",
    r"\\",
    '\\"',
    "a\\",
    ";}#",
    "'",
    "''\\'",
    "%{x} %[src]",
    "é\u202e",
]


@pytest.mark.parametrize("server", SERVERS)
def test_the_server_reads_a_quoted_text_as_one_word(server: str, tmp_path: Path) -> None:
    quote = find_target(server).quote
    assert quote
    for number, text in enumerate(filter(None, QUOTABLE_TEXTS)):
        config = tmp_path / str(number)
        config.mkdir()
        (config / "server.conf").write_text(
            CONFIGS_WITH_A_WORD[server].replace("WORD", quote(text)).replace("RUN", str(tmp_path))
        )
        check_config(server, config / "server.conf")


CONFIGS_WITH_A_WORD = {
    "nginx": "error_log stderr; pid RUN/pid; events {} http { map $uri $x { WORD y; } }",
    "caddy": "http://:1 {\n\trespond WORD\n}\n",
    "haproxy": "frontend a\n mode http\n timeout client 1s\n bind :1\n http-request deny if { path -m str -- WORD }\n",
}


@pytest.mark.parametrize(
    ("server", "text", "message"),
    [
        ("nginx", "$evil", "dollar sign"),
        ("caddy", "`evil`", "backtick"),
        ("caddy", "{$EVIL}", "backtick"),
        ("haproxy", "evil\nglobal", "line break"),
    ],
)
def test_a_text_that_cannot_be_quoted_is_an_error(server: str, text: str, message: str) -> None:
    quote = find_target(server).quote
    assert quote
    with pytest.raises(ConfigError, match=message):
        quote(text)
