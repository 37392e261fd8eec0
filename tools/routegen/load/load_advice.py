"""What a user can do about an app that cannot be loaded."""

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from routegen.config import AppConfig, Config
from routegen.load.app_reference import AppReference
from routegen.load.failure_cause import FailureCause
from routegen.load.invented_values import invented_values

_BELOW_MAIN = 'below `if __name__ == "__main__":`'
_MAX_FOLDERS = 3
_SKIPPED = ("node_modules", "site-packages", "__pycache__", "build", "dist")


def load_advice(cause: FailureCause, app: AppConfig, config: Config) -> str:
    """Return the end of an error message: the cause and the remedy.

    Args:
        cause: the cause.
        app: the app that cannot be loaded.
        config: the configuration. If the command line names the app, the advice names options and not keys.
    """
    from_options = config.from_options
    place = f" in {cause.place}" if cause.place else ""
    match cause.kind:
        case "variable":
            text = _variable_advice(cause.variables, app, from_options)
        case "server":
            text = f"the app starts a server{place}; put this call {_BELOW_MAIN}"
        case "timeout" | "loop":
            remedy = "--timeout" if from_options else "`timeout` in [tool.routegen], or --timeout"
            server = f"if this line runs a server, put it {_BELOW_MAIN}; " if cause.kind == "loop" else ""
            text = f"still importing after {config.timeout:g} s{place}; {server}if it needs longer, raise {remedy}"
        case "network":
            text = (
                f"the app tried to reach {cause.names[0]}{place}, and an app is loaded without a network; make the "
                "request at its first use or in the lifespan, or skip it if a variable is set, such as --env OFFLINE=1"
            )
        case "shadowing":
            file, module = cause.names
            text = f"{file} has the name of the installed module {module} and hides it; rename {file}"
        case "relative":
            text = _relative_advice(app)
        case "module":
            text = _module_advice(cause.names[0], app, from_options)
    return text


def _variable_advice(variables: Mapping[str, str], app: AppConfig, from_options: bool) -> str:
    candidates = {name: [*filter(None, [value]), *invented_values(name)] for name, value in variables.items()}
    # A variable with the likeliest value is not the reason, if another one can be.
    names = [name for name, values in candidates.items() if app.env.get(name) != values[0]] or list(candidates)
    values = {name: next(value for value in candidates[name] if value != app.env.get(name)) for name in names}
    options = " ".join(shlex.join(["--env", f"{name}={value}"]) for name, value in values.items())
    keys = ", ".join(f"{name} = {toml_text(value)}" for name, value in values.items())
    key = f"env = {{ {keys} }} in [tool.routegen.apps.{app.name}]"
    first, second = (options, key) if from_options else (key, options)
    is_set = all(name in app.env for name in names)
    noun = "variable" if len(names) == 1 else "variables"
    verb = "is" if len(names) == 1 else "are"
    problem = (
        f"{verb} not of the right form" if is_set else f"{verb} not set, because an app does not see your environment"
    )
    return (
        f"the environment {noun} {', '.join(names)} {problem}; "
        f"an invented value of the right form is enough: {first}, or {second}"
    )


def toml_text(text: str) -> str:
    """Return a text as TOML: a literal string for JSON, or else a basic string, which has the escapes of JSON."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _relative_advice(app: AppConfig) -> str:
    reference = AppReference.parse(app.target)
    module = reference.module.removesuffix(".py").strip("./").replace("/", ".")
    attribute = f":{reference.attribute}" if reference.attribute else ""
    folder = Path(reference.module).parent
    if "." not in module:
        return "write an absolute import, because the file is in no package"
    return f"its folder is no package; name the module {module}{attribute}, or create {folder / '__init__.py'}"


def _module_advice(name: str, app: AppConfig, from_options: bool) -> str:
    folder = find_module_folder(name, app.root)
    if folder is not None:
        folder_name = folder.relative_to(app.root).as_posix()
        if is_source_folder(folder, app):
            reference = AppReference.parse(app.target)
            file = folder.joinpath(*reference.module.split(".")).with_suffix(".py")
            if from_options and not reference.is_file and file.is_file():
                target = f"{file.relative_to(app.root).as_posix()}:{reference.attribute or ''}".rstrip(":")
                return f"it is in {folder_name}; name {target}"
            if reference.is_file and from_options and folder == app.root:
                module = reference.module.removesuffix(".py").removeprefix("./").replace("/", ".")
                return f"it is in the project's folder; name the module {module}:{reference.attribute or ''}".rstrip(
                    ":"
                )
            if not from_options:
                return f'it is in {folder_name}; write path = "{folder_name}" in [tool.routegen.apps.{app.name}]'
        parents = [parent for parent in (folder, folder.parent) if app.root in parent.parents]
        package = next((parent for parent in parents if (parent / "pyproject.toml").is_file()), None)
        if package is not None:
            place = package.relative_to(app.root).as_posix()
            return f"it is in {folder_name}; install it for {sys.executable}: pip install -e {shlex.quote(place)}"
        return f"it is in {folder_name}; run routegen with PYTHONPATH={shlex.quote(folder_name)}"
    return (
        f"{sys.executable} does not have it; install routegen in the environment of the app and run it there "
        "(`uv run routegen`, `.venv/bin/routegen`); a pre-commit hook needs the package in `additional_dependencies`"
    )


def is_source_folder(folder: Path, app: AppConfig) -> bool:
    """Whether the app itself is below a folder of sources, such as `src`."""
    reference = AppReference.parse(app.target)
    if reference.is_file:
        return folder.resolve() in (app.root / reference.module).resolve().parents
    return (folder / reference.module.partition(".")[0]).exists()


def find_module_folder(name: str, root: Path) -> Path | None:
    """Return the project's folder that has a module, at most three folders below the root."""
    for folder in _folders(root) if name else ():
        module = folder.joinpath(*name.split("."))
        if module.with_name(f"{module.name}.py").is_file() or any(module.glob("*.py")):
            return folder
    return None


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folders of a project that can hold sources, those with a short path first."""
    level = [root]
    for _ in range(_MAX_FOLDERS + 1):
        yield from level
        level = [child for folder in level for child in _children(folder)]


def _children(folder: Path) -> list[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    folders = [folder / name for name in names if not name.startswith(".") and name not in _SKIPPED]
    return [child for child in folders if not (child / "pyvenv.cfg").exists()]
