"""HAProxy: what the other reverse proxies don't have."""

import subprocess
from pathlib import Path

from differential.servers import command, environment
from render.manifests import COMMITTED
from render.test_proxies import manifest, written


def check(folder: Path, *files: Path, **more: str) -> tuple[int, str]:
    """HAProxy's exit code and words for its configuration."""
    program = command("haproxy", folder)[0]
    arguments = [argument for file in files for argument in ("-f", str(file))]
    done = subprocess.run(
        [program, "-c", *arguments], capture_output=True, text=True, check=False, env=environment(folder) | more
    )
    return done.returncode, done.stdout + done.stderr


def test_it_stands_beside_a_configuration_of_one_s_own(tmp_path: Path) -> None:
    mine = tmp_path / "haproxy.cfg"
    mine.write_text(
        "global\n    maxconn 100\ndefaults\n    mode tcp\n    timeout client 1s\nfrontend db\n    bind :1\n"
    )
    assert check(tmp_path, mine, written("haproxy", tmp_path)) == (0, "Configuration file is valid\n")


def test_the_environment_says_where_an_app_is(tmp_path: Path) -> None:
    config = written("haproxy", tmp_path)
    assert check(tmp_path, config, UPSTREAM_MCP="127.0.0.1:1")[0] == 0
    code, said = check(tmp_path, config, UPSTREAM_MCP="127.0.0.1:port")
    assert code == 1
    assert "127.0.0.1:port" in said


def test_an_app_may_have_the_frontend_s_name(tmp_path: Path) -> None:
    named = manifest("/x").model_copy(update={"default": "gateway"})
    assert check(tmp_path, written("haproxy", tmp_path, named)) == (0, "Configuration file is valid\n")


def test_the_same_app_is_behind_each_of_its_keys(tmp_path: Path) -> None:
    lines = written("haproxy", tmp_path, COMMITTED).read_text().splitlines()
    assert sum(line.strip().startswith("use_backend mcp if ") for line in lines) == len(COMMITTED.routes)
