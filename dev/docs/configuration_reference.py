"""Write docs/configuration.md from the models of the configuration; `make docs` runs this file."""

from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from routegen.config import AppTable, ProjectTable

FILE = Path(__file__).parents[2] / "docs" / "configuration.md"
_INTRODUCTION = """\
# `[tool.routegen]` in pyproject.toml

<!-- Written by dev/docs/configuration_reference.py from the models in tools/routegen/config.py: `make docs`. -->

`routegen init` writes a first table. The commands use the nearest pyproject.toml that has the table, from the working
directory or the folder of `--project` upwards. Paths of files are relative to the folder of that pyproject.toml. An
unknown key is an error that names the nearest known key. Several manifests in one repository, for several gateways, are
several folders, each with its own pyproject.toml: [a monorepo](situations/monorepo.md).
"""
_EXAMPLES = {
    "default": 'default = "website"',
    "apps": 'apps.mcp.app = "server.py:app"',
    "manifest": 'manifest = "infra/routes.json"',
    "timeout": "timeout = 120",
    "app": 'app = "src/tools/server.py:create_app"',
    "upstream": 'upstream = "http://127.0.0.1:3000"\nown = ["/mcp"]',
    "handler": 'handler = "server.handler"',
    "path": 'path = "src"',
    "own": 'own = ["/mcp"]',
    "routes": 'routes = ["/health"]',
    "endpoints": 'endpoints = ["/tools"]',
    "reserve": 'reserve = "all"',
    "env": 'env = { BASE_URL = "https://tools.example.org" }',
    "methods": 'methods = "exact"',
    "unsupported": 'unsupported = "warn"',
}


def reference() -> str:
    """The whole page in Markdown."""
    tables = (("[tool.routegen]", ProjectTable), ("[tool.routegen.apps.NAME]", AppTable))
    return "\n".join([_INTRODUCTION, *(_section(title, model) for title, model in tables)])


def _section(title: str, model: type[BaseModel]) -> str:
    summary = (model.__doc__ or "").partition(": ")[2]
    text = f"## `{title}`\n\n{summary[:1].upper()}{summary[1:]}\n"
    for name, field in model.model_fields.items():
        key = field.alias or name
        header = title.replace("NAME", "mcp")
        text += f"\n### `{key}`\n\n{field.description} {_default(field)}\n\n```toml\n{header}\n{_EXAMPLES[key]}\n```\n"
    return text


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "Required."
    value = field.default
    if value == "":  # only `app` has this default
        return "Required, unless the app has an `upstream`."
    if value in (None, (), {}):
        return "Default: none."
    return f"Default: `{value:g}`." if isinstance(value, float) else f'Default: `"{value}"`.'


if __name__ == "__main__":
    FILE.write_text(reference())
