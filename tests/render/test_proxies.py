"""What the targets for nginx, Caddy and HAProxy share; tests/differential has the servers' decisions."""

import json
import subprocess
from pathlib import Path

import pytest
from differential.servers import SERVERS, command, environment
from render.manifests import COMMITTED, HOSTILE
from routegen.errors import ConfigError, UnsupportedRouteError
from routegen.manifest import Manifest
from routegen.render import Request, find_target, render


def manifest(*paths: str) -> Manifest:
    routes = [
        {"path": path, "methods": ["ANY"], "app": "a", "role": "other", "route_keys": [f"ANY {path}"]} for path in paths
    ]
    return Manifest.model_validate_json(json.dumps({"version": 1, "default": "wiki", "routes": routes}))


def checked(server: str, config: Path) -> str:
    """What a server says of a configuration that it can use."""
    done = subprocess.run(
        command(server, config, test=True),
        capture_output=True,
        text=True,
        check=False,
        cwd=config.parent,
        env=environment(config.parent),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def written(server: str, folder: Path, manifest: Manifest = COMMITTED, **variables: str) -> Path:
    config = folder / f"{server}.conf"
    run = {"run": str(folder)} if server == "nginx" else {}
    config.write_text(render(Request(server, manifest, variables=run | variables)))
    return config


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "8080", "[::1]:8080", "localhost:8080"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_server_takes_the_configuration(server: str, listen: str, tmp_path: Path) -> None:
    said = checked(server, written(server, tmp_path, listen=listen))
    assert "warn" not in said.lower()


@pytest.mark.parametrize("server", SERVERS)
def test_the_server_takes_a_hostile_manifest_s(server: str, tmp_path: Path) -> None:
    assert "warn" not in checked(server, written(server, tmp_path, HOSTILE)).lower()


@pytest.mark.parametrize("server", SERVERS)
def test_an_app_is_where_it_is_said_to_be(server: str) -> None:
    text = render(Request(server, COMMITTED, variables={"upstream.mcp": "mcp.internal:8000"}))
    assert "mcp.internal:8000" in text
    assert "127.0.0.1:9001" not in text
    assert "127.0.0.1:9002" in text


@pytest.mark.parametrize(
    ("name", "value", "says"),
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
    ],
)
@pytest.mark.parametrize("server", SERVERS)
def test_what_is_no_address_is_said(server: str, name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"--set: {name} {says}, is "):
        render(Request(server, COMMITTED, variables={name: value}))


@pytest.mark.parametrize("server", ["nginx", "caddy"])
def test_a_form_is_one_of_two(server: str) -> None:
    with pytest.raises(ConfigError, match=r"form must be 'standalone' or 'include', is 'snippet'"):
        render(Request(server, COMMITTED, variables={"form": "snippet"}))


@pytest.mark.parametrize("path", ["/x%FF", "/%EF%BF%BD/{y}"])
@pytest.mark.parametrize("server", SERVERS)
def test_a_path_that_is_not_utf_8_is_refused_or_allowed(server: str, path: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRouteError, match=rf"ANY {path}: .* --allow not-utf-8".replace("{", r"\{")):
        render(Request(server, manifest(path)))
    allowed = frozenset(find_target(server).approximations)
    (tmp_path / "allowed").write_text(render(Request(server, manifest(path), allowed=allowed, variables={})))
    assert f"ANY {path}" in (tmp_path / "allowed").read_text()


HARMLESS = [
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
def test_a_text_is_one_word_again_when_the_server_has_read_it(server: str, tmp_path: Path) -> None:
    """In a comparison that the server makes with what it is asked, or in what it adapts."""
    quote = find_target(server).quote
    assert quote
    for number, text in enumerate(filter(None, HARMLESS)):
        config = tmp_path / str(number)
        config.mkdir()
        (config / "server.conf").write_text(ONE_WORD[server].replace("WORD", quote(text)).replace("RUN", str(tmp_path)))
        checked(server, config / "server.conf")


ONE_WORD = {
    "nginx": "error_log stderr; pid RUN/pid; events {} http { map $uri $x { WORD y; } }",
    "caddy": "http://:1 {\n\trespond WORD\n}\n",
    "haproxy": "frontend a\n mode http\n timeout client 1s\n bind :1\n http-request deny if { path -m str -- WORD }\n",
}


@pytest.mark.parametrize(
    ("server", "text", "says"),
    [
        ("nginx", "$evil", "dollar sign"),
        ("caddy", "`evil`", "backtick"),
        ("caddy", "{$EVIL}", "backtick"),
        ("haproxy", "evil\nglobal", "line break"),
    ],
)
def test_what_can_t_be_quoted_is_said(server: str, text: str, says: str) -> None:
    quote = find_target(server).quote
    assert quote
    with pytest.raises(ConfigError, match=says):
        quote(text)
