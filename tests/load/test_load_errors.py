"""The error of an app that cannot be imported names the cause and the remedy."""

from pathlib import Path
from typing import Any

import pytest
from routegen.config import config_for_app, with_env
from routegen.errors import LoadError
from routegen.load import start_app_process
from routegen.load.failure_cause import FailureCause
from routegen.load.import_record import ImportRecord, runs_a_loop
from routegen.load.load_advice import load_advice

pytestmark = pytest.mark.usefixtures("forked_apps")

SETTINGS = """
from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict
class Database(BaseModel):
    host: str
    name: str = "main"
class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="acme_", env_nested_delimiter="__")
    base_url: str
    database: Database
    key: str = Field(validation_alias="SPECIAL_KEY")
Settings()
"""
SERVE = "import http.server\nserver = http.server.HTTPServer(('', 0), http.server.BaseHTTPRequestHandler)\n"
ASYNC_SERVER = """
import asyncio
async def serve():
    server = await asyncio.start_server(print, "localhost")
    await server.serve_forever()
asyncio.run(serve())
"""


def load_error(
    folder: Path, files: dict[str, str], target: str = "server.py:app", *, from_options: bool = True, **env: str
) -> LoadError:
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source)
    config = config_for_app(
        target, name="mcp", default="site", own=(), unsupported="refuse", timeout=20, root=folder
    ).with_changes(from_options=from_options)
    config = with_env(config, None, env)
    with pytest.raises(LoadError) as error:
        start_app_process(config.apps[0], config).wait_for_answer()
    assert "\n" not in str(error.value)
    return error.value


@pytest.mark.parametrize(
    ("source", "variables"),
    [
        ("os.environ['SITE_KEY']", ["SITE_KEY"]),
        ("dict(os.environ)['SITE_KEY']", ["SITE_KEY"]),
        ("{'SITE_KEY': 1}['OTHER_KEY']", []),
        ("int(os.getenv('PORT'))", ["PORT"]),
        ("port = os.getenv('PORT')\nhost = os.getenv('HOST', 'x')\n\nint(port)", ["PORT"]),
        ("os.environ.get('HOSTS')[0]", ["HOSTS"]),
        ("base = os.getenv('BASE')\nraise ValueError(f'no URL: {base}/mcp')", ["BASE"]),
        ("assert os.getenv('SITE_KEY')", ["SITE_KEY"]),
        ("if 'SITE_KEY' not in os.environ:\n    raise RuntimeError('SITE_KEY must be set')", ["SITE_KEY"]),
        ("if not os.getenv('SITE_KEY'):\n    sys.exit(1)", ["SITE_KEY"]),
        ("os.getenv('SITE_KEY')\n1 / 0", []),
        ("None.nothing", []),
        ("sys.exit(3)", []),
        ("class NoRegionError(Exception): ...\nraise NoRegionError('no region')", ["AWS_DEFAULT_REGION"]),
        (SETTINGS, ["ACME_BASE_URL", "ACME_DATABASE__HOST", "SPECIAL_KEY"]),
    ],
)  # fmt: skip
def test_the_missing_variables_are_named(tmp_path: Path, source: str, variables: list[str]) -> None:
    error = load_error(tmp_path, {"server.py": f"import os, sys\n{source}\n"})
    assert list(error.variables) == variables
    assert ("an invented value of the right form is enough" in str(error)) == bool(variables)


@pytest.mark.parametrize("end", ["raise ValueError('k' * 100_000)", "raise SystemExit('k' * 100_000)"])
def test_a_message_repeats_only_the_beginning_of_a_long_error(tmp_path: Path, end: str) -> None:
    assert 100 < str(load_error(tmp_path, {"server.py": end})).count("k") <= 200


def test_a_variable_that_a_second_module_reads_in_a_factory(tmp_path: Path) -> None:
    files = {
        "server.py": "def make():\n    import conf.settings\n",
        "conf/settings.py": "import os\nKEY = os.environ['SITE_KEY']\n",
    }
    error = load_error(tmp_path, files, "server.py:make")
    assert str(error).startswith("server.py: conf/settings.py, line 2: KeyError: 'SITE_KEY'; the environment variable ")


def test_the_advice_is_in_options_or_in_keys(tmp_path: Path) -> None:
    files = {"server.py": "import os\nos.environ['AUTHKIT_DOMAIN']\n"}
    option = "--env AUTHKIT_DOMAIN=https://example.authkit.app"
    key = 'env = { AUTHKIT_DOMAIN = "https://example.authkit.app" } in [tool.routegen.apps.mcp]'
    assert str(load_error(tmp_path, files)).endswith(f"enough: {option}, or {key}")
    assert str(load_error(tmp_path, files, from_options=False)).endswith(f"enough: {key}, or {option}")


def test_a_value_of_the_wrong_form_is_named(tmp_path: Path) -> None:
    error = load_error(tmp_path, {"server.py": "import os\nsize = os.environ['SIZE']\nint(size)\n"}, SIZE="large")
    assert list(error.variables) == ["SIZE"]
    assert "the environment variable SIZE is not of the right form" in str(error)


def test_a_model_without_a_delimiter_is_json(tmp_path: Path) -> None:
    files = {"server.py": SETTINGS.replace(', env_nested_delimiter="__"', "")}
    options = """--env ACME_BASE_URL=https://example.com --env 'ACME_DATABASE={"host": "example.com"}' """
    key = """ACME_DATABASE = '{"host": "example.com"}', SPECIAL_KEY = "invented-"""
    message = str(load_error(tmp_path, files))
    assert f"an invented value of the right form is enough: {options}--env SPECIAL_KEY=invented-" in message
    assert key in message
    message = str(load_error(tmp_path, files, ACME_BASE_URL="x", ACME_DATABASE="example", SPECIAL_KEY="x"))
    assert "the environment variable ACME_DATABASE is not of the right form; " in message
    assert """is enough: --env 'ACME_DATABASE={"host": "example.com"}', or env = { ACME_DATABASE = '{"h""" in message


def test_a_value_of_the_likeliest_form_is_not_named(tmp_path: Path) -> None:
    source = (
        "import os\nfor url in (os.environ['AUTHKIT_DOMAIN'], os.environ['BASE_URL']):\n    assert '//' in url, url\n"
    )
    domain = "https://example.authkit.app"
    message = str(load_error(tmp_path, {"server.py": source}, AUTHKIT_DOMAIN=domain, BASE_URL="example.com"))
    assert "the environment variable BASE_URL is not of the right form" in message
    assert message.endswith('env = { BASE_URL = "https://example.com" } in [tool.routegen.apps.mcp]')


@pytest.mark.parametrize(
    ("files", "target", "advice"),
    [
        ({"src/acme/server.py": "", "src/acme/__init__.py": ""}, "acme.server:app",
         "it is in src; name src/acme/server.py:app"),
        ({"server.py": "import core", "libs/core/src/core/__init__.py": ""}, "server.py:app",
         "it is in libs/core/src; run routegen with PYTHONPATH=libs/core/src"),
        ({"server.py": "import core", "libs/core/src/core/__init__.py": "", "libs/core/pyproject.toml": ""},
         "server.py:app", "pip install -e libs/core"),
        ({"api/v1/server.py": "import api.common", "api/common.py": ""}, "api/v1/server.py:app",
         "it is in the project's folder; name the module api.v1.server:app"),
        ({"server.py": "import no_such_otter"}, "server.py:app", "`additional_dependencies`"),
        ({"pkg/server.py": "from .names import X", "pkg/names.py": ""}, "pkg/server.py:app",
         "its folder is no package; name the module pkg.server:app, or create pkg/__init__.py"),
        ({"server.py": "from .names import X"}, "server.py:app",
         "write an absolute import, because the file is in no package"),
    ],
)  # fmt: skip
def test_a_module_that_is_not_found(tmp_path: Path, files: dict[str, str], target: str, advice: str) -> None:
    assert str(load_error(tmp_path, files, target)).endswith(advice)


def test_a_source_folder_is_advised_as_a_key(tmp_path: Path) -> None:
    files = {"src/acme/server.py": "", "src/acme/__init__.py": ""}
    error = load_error(tmp_path, files, "acme.server:app", from_options=False)
    assert str(error).endswith('it is in src; write path = "src" in [tool.routegen.apps.mcp]')


def server_library(package: str, function: str, body: str) -> dict[str, str]:
    """A library of a server in site-packages, and the app that calls it at its import."""
    return {
        f"site-packages/{package}/__init__.py": f"import socket, threading\ndef {function}():\n    {body}\n",
        "server.py": f"import sys\nsys.path.append('site-packages')\nimport {package}\n{package}.{function}()\n",
    }


BIND = "server = socket.socket(); server.bind(('127.0.0.1', 0)); threading.Event().wait()"


@pytest.mark.parametrize(
    "files",
    [
        server_library("granian", "serve", "threading.Event().wait()"),
        server_library("my_server", "start", f"def startListening(): {BIND}\n    startListening()"),
        server_library("my_server", "run", f"def bind_sockets(): {BIND}\n    bind_sockets()"),
    ],
)
def test_a_server_of_a_library_is_found_before_the_time_out(tmp_path: Path, files: dict[str, str]) -> None:
    assert str(load_error(tmp_path, files)) == (
        "server.py: the import does not end; the app starts a server in server.py, line 4; put this call below "
        '`if __name__ == "__main__":`'
    )


def test_an_event_loop_of_the_main_thread_is_seen_from_another_thread(tmp_path: Path) -> None:
    record = ImportRecord((f"{tmp_path}/",))
    source = "import asyncio\nasync def wait(): return await asyncio.to_thread(runs_a_loop, record)\n"
    names: dict[str, Any] = {"runs_a_loop": runs_a_loop, "record": record}
    exec(compile(f"{source}found = asyncio.run(wait())\n", tmp_path / "server.py", "exec"), names)
    assert names["found"] is True
    assert runs_a_loop(record) is False


def test_an_event_loop_until_the_time_out_can_be_a_server(tmp_path: Path) -> None:
    config = config_for_app(
        "server.py:app", name="mcp", default="site", own=(), unsupported="refuse", timeout=20, root=tmp_path
    )
    assert load_advice(FailureCause("loop", place="server.py, line 3"), config.apps[0], config) == (
        "still importing after 20 s in server.py, line 3; if this line runs a server, put it below "
        '`if __name__ == "__main__":`; if it needs longer, raise --timeout'
    )


@pytest.mark.parametrize(
    "source",
    [SERVE + "server.serve_forever()\n", ASYNC_SERVER],
)
def test_a_server_that_the_import_runs_is_found_before_the_time_out(tmp_path: Path, source: str) -> None:
    error = load_error(tmp_path, {"server.py": source})
    assert "the import does not end; the app starts a server in server.py, line " in str(error)
    assert str(error).endswith('put this call below `if __name__ == "__main__":`')
    assert "timeout" not in str(error)


def test_a_server_in_another_thread_is_allowed(tmp_path: Path) -> None:
    thread = (
        "import threading, time\nthreading.Thread(target=server.serve_forever, daemon=True).start()\ntime.sleep(0.7)\n"
    )
    assert str(load_error(tmp_path, {"server.py": f"{SERVE}{thread}1 / 0\n"})) == (
        "server.py, line 6: ZeroDivisionError: division by zero"
    )


@pytest.mark.parametrize(
    ("call", "address"),
    [
        ("socket.create_connection(('localhost', 5432))", "127.0.0.1:5432"),
        ("__import__('urllib.request').request.urlopen('http://config.example/x')", "config.example"),
    ],
)
def test_a_connection_names_the_address_and_the_line(tmp_path: Path, call: str, address: str) -> None:
    files = {"server.py": "import other\n", "other.py": f"import socket\n{call}\n"}
    error = str(load_error(tmp_path, files))
    assert f"the app tried to reach {address} in other.py, line 2, and an app is loaded without a network" in error
    assert "make the request at its first use or in the lifespan, or skip it if a variable is set" in error
