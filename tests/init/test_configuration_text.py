"""The text that `routegen init` adds to a pyproject.toml."""

import tomllib
from pathlib import Path

import pytest
from routegen.config import AppConfig
from routegen.errors import ConfigError
from routegen.init.configuration_text import add_configuration, configuration_text, project_file, read_project_file

APP = AppConfig(target="server.py:app", name="mcp", root=Path("/"), env={"BASE_URL": "https://example.com"})
TABLES = configuration_text(APP, "site", "generated/routes.json", ("DEBUG",))


def test_the_tables_have_the_app_and_its_environment() -> None:
    assert tomllib.loads(TABLES)["tool"]["routegen"] == {
        "manifest": "generated/routes.json",
        "default": "site",
        "apps": {"mcp": {"app": "server.py:app", "env": {"BASE_URL": "https://example.com"}}},
    }
    assert '\n# DEBUG = "false"\n' in TABLES


def test_without_a_default_app_there_is_no_key_for_it() -> None:
    assert "default" not in tomllib.loads(configuration_text(APP, None, "r.json", ()))["tool"]["routegen"]


def test_unusual_texts_are_quoted() -> None:
    app = AppConfig(target='a "b" \\ ü\x7f/server.py:app', name="x", root=Path("/"), env={"A B": "1\n2"})
    table = tomllib.loads(configuration_text(app, None, "r.json", ()))["tool"]["routegen"]["apps"]["x"]
    assert table == {"app": 'a "b" \\ ü\x7f/server.py:app', "env": {"A B": "1\n2"}}


@pytest.mark.parametrize(
    "before",
    [b"", b"\n", b'[project]\nname = "x" # comment', b"[tool.ruff]\r\nline-length = 120\r\n", b"# \xc3\xbc\n[a]\n\n\n"],
)
def test_the_text_that_was_there_stays(tmp_path: Path, before: bytes) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(before)
    add_configuration(file, read_project_file(file), TABLES)
    after = file.read_bytes()
    assert after.startswith(before)
    assert (b"\r\n" in before) == (b"\r\n" in after)
    assert after.count(b"\n") == after.count(b"\r\n") or b"\r\n" not in after
    assert tomllib.loads(after.decode())["tool"]["routegen"]["default"] == "site"


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (b"[tool.routegen]\ndefault = 1\n", "it has a [tool.routegen] already, and init does not change it"),
        (b"tool.routegen.default = 'x'\n", "it has a [tool.routegen] already"),
        (b"[tool\n", "not TOML"),
        (b"\xff", "not TOML"),
        (b"tool = {}\n", "[tool.routegen] cannot be added at its end"),
    ],
)
def test_a_file_that_cannot_be_extended_is_not_changed(tmp_path: Path, before: bytes, message: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(before)
    with pytest.raises(ConfigError) as error:
        add_configuration(file, read_project_file(file), TABLES)
    assert str(error.value).startswith(f"{file}: {message}")
    assert file.read_bytes() == before


def test_the_file_is_the_nearest_one_in_the_repository(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "service" / "api"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert project_file(folder) == folder / "pyproject.toml"
    (tmp_path / "repository" / ".git").mkdir()
    assert project_file(folder) == folder / "pyproject.toml"
    (tmp_path / "repository" / "pyproject.toml").touch()
    assert project_file(folder) == tmp_path / "repository" / "pyproject.toml"
