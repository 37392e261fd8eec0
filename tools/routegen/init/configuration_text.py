"""The text of a first `[tool.routegen]`, and the pyproject.toml that gets it."""

import tomllib
from pathlib import Path

from routegen.config import AppConfig
from routegen.errors import ConfigError
from routegen.load import invented_values, toml_text
from routegen.manifest import replace_file


def configuration_text(app: AppConfig, default: str | None, manifest: str, optional_variables: tuple[str, ...]) -> str:
    """Return the tables of `[tool.routegen]`.

    Args:
        app: the app.
        default: the name of the app behind `$default`, if there is one.
        manifest: the manifest's file.
        optional_variables: variables that the app reads and that have no value.
    """
    project = {"manifest": manifest} | ({"default": default} if default else {})
    table = {"app": app.target, "handler": app.handler, "path": app.path}
    lines = ["[tool.routegen]", *_pairs(project), "", f"[tool.routegen.apps.{app.name}]", *_pairs(table)]
    if app.env or optional_variables:
        lines += ["", "# Only the form of these values matters; they are never secrets."]
        lines += [f"[tool.routegen.apps.{app.name}.env]", *_pairs(app.env)]
    if optional_variables:
        lines.append("# The app also reads these variables. If the deployment sets one, set it here too:")
        lines += [f"# {line}" for line in _pairs({name: invented_values(name)[0] for name in optional_variables})]
    return "\n".join(lines) + "\n"


def _pairs(values: dict[str, str] | dict[str, str | None]) -> list[str]:
    return [f"{_key(name)} = {toml_text(value)}" for name, value in values.items() if value is not None]


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else toml_text(name)


def project_file(folder: Path) -> Path:
    """Return the nearest pyproject.toml in the repository, or the one to create in the folder."""
    parents = [folder, *folder.parents]
    repository = next((parent for parent in parents if (parent / ".git").exists()), folder)
    inside = parents[: parents.index(repository) + 1]
    return next(
        (parent / "pyproject.toml" for parent in inside if (parent / "pyproject.toml").is_file()),
        folder / "pyproject.toml",
    )


def read_project_file(file: Path) -> str:
    """Return the text of a pyproject.toml without `[tool.routegen]`; an empty text if there is no file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or is configured already.
    """
    try:
        text = file.read_bytes().decode()
        tables = tomllib.loads(text)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{file}: not TOML: {error}") from None
    if "routegen" in tables.get("tool", {}):
        raise ConfigError(f"{file}: it has a [tool.routegen] already, and init does not change it")
    return text


def add_configuration(file: Path, text: str, tables: str) -> None:
    """Add the tables to the end of a pyproject.toml, and leave its text as it is.

    Args:
        file: the file.
        text: its text.
        tables: the tables.

    Raises:
        ConfigError: TOML does not allow these tables at the end of the file.
        OutputError: the file cannot be written.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    separator = newline * (2 if text.endswith(newline) else 3) if text.strip() else ""
    added = text + separator.removeprefix(newline) + tables.replace("\n", newline)
    try:
        tomllib.loads(added)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: [tool.routegen] cannot be added at its end: {error}") from None
    replace_file(file, added.encode())
