"""The target haproxy: the tests that the other reverse proxies do not share."""

import subprocess
from pathlib import Path

from differential.servers import environment, server_command
from render.manifests import COMMITTED
from render.test_proxies import make_manifest, write_config


def check_files(folder: Path, *files: Path, **variables: str) -> tuple[int, str]:
    """Check configuration files with HAProxy, and return its exit code and its output."""
    program = server_command("haproxy", folder)[0]
    arguments = [argument for file in files for argument in ("-f", str(file))]
    done = subprocess.run(
        [program, "-c", *arguments], capture_output=True, text=True, check=False, env=environment(folder) | variables
    )
    return done.returncode, done.stdout + done.stderr


def test_it_can_be_added_to_a_configuration(tmp_path: Path) -> None:
    user_config = tmp_path / "haproxy.cfg"
    user_config.write_text(
        "global\n    maxconn 100\ndefaults\n    mode tcp\n    timeout client 1s\nfrontend db\n    bind :1\n"
    )
    assert check_files(tmp_path, user_config, write_config("haproxy", tmp_path)) == (0, "Configuration file is valid\n")


def test_an_environment_variable_sets_the_address_of_an_app(tmp_path: Path) -> None:
    config = write_config("haproxy", tmp_path)
    assert check_files(tmp_path, config, UPSTREAM_MCP="127.0.0.1:1")[0] == 0
    code, output = check_files(tmp_path, config, UPSTREAM_MCP="127.0.0.1:port")
    assert code == 1
    assert "127.0.0.1:port" in output


def test_an_app_can_have_the_name_of_the_frontend(tmp_path: Path) -> None:
    manifest = make_manifest("/x").model_copy(update={"default": "gateway"})
    assert check_files(tmp_path, write_config("haproxy", tmp_path, manifest)) == (0, "Configuration file is valid\n")


def test_each_route_key_of_an_app_leads_to_it(tmp_path: Path) -> None:
    lines = write_config("haproxy", tmp_path, COMMITTED).read_text().splitlines()
    assert sum(line.strip().startswith("use_backend mcp if ") for line in lines) == len(COMMITTED.routes)
