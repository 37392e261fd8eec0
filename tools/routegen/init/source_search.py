"""Find the apps of a repository in the syntax of its sources; nothing is imported."""

import ast
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_FRAMEWORKS = {
    "fastmcp.FastMCP": "FastMCP",
    "fastmcp.server.FastMCP": "FastMCP",
    "fastmcp.server.server.FastMCP": "FastMCP",
    "mcp.server.fastmcp.FastMCP": "MCP SDK",
    "mcp.server.FastMCP": "MCP SDK",
    "mcp.server.MCPServer": "MCP SDK",
    "mcp.server.mcpserver.MCPServer": "MCP SDK",
    "starlette.applications.Starlette": "Starlette",
    "fastapi.FastAPI": "FastAPI",
    "fastapi.applications.FastAPI": "FastAPI",
}
MCP_KINDS = ("FastMCP", "MCP SDK")
_APP_METHODS = {"http_app": "FastMCP", "streamable_http_app": "MCP SDK", "sse_app": "MCP SDK"}
_HANDLER_CLASSES = ("mangum.Mangum", "mangum.adapter.Mangum")
_MOUNT_METHODS = ("mount", "include_router", "import_server")
_HANDLER_NAMES = ("handler", "lambda_handler")
_APP_NAMES = ("app", "application", "asgi", "asgi_app", "api", "server")
_SKIPPED_FOLDERS = {"node_modules", "site-packages", "__pycache__", "build", "dist", "tests", "test"}
_EXAMPLE_FOLDERS = {"example", "examples", "docs", "samples"}
_WORTH_PARSING = re.compile(rb"FastMCP|MCPServer|Starlette|FastAPI|Mangum|http_app|sse_app")
_LARGEST_SOURCE = 1024 * 1024


@dataclass(frozen=True)
class FoundApp:
    """An app in a source.

    Attributes:
        file: the file, relative to the folder of the search.
        attribute: the app's name in its module; a function's name for a factory.
        kind: the framework.
        handler: the name of the module's Lambda handler, if it has one.
    """

    file: PurePosixPath
    attribute: str
    kind: str
    handler: str | None = None

    @property
    def target(self) -> str:
        """The app as the configuration names it."""
        return f"{self.file}:{self.attribute}" if self.attribute else f"{self.file}"


def find_apps(folder: Path) -> list[FoundApp]:
    """Find the outermost apps below a folder, apart from tests; examples count only if there is no other app."""
    scans = [_ModuleScan(PurePosixPath(file.relative_to(folder).as_posix()), tree) for file, tree in _sources(folder)]
    known_apps: dict[str, str] = {}
    for _ in range(2):  # a module can use the app of a module that comes after it
        for scan in scans:
            scan.read(known_apps)
            known_apps |= {f"{scan.file.stem}.{name}": kind for name, kind in scan.kinds.items()}
    imported = {_last_two(name) for scan in scans for name in scan.inner_imports}
    outermost = [
        app for scan in scans for app in scan.outermost() if f"{app.file.stem}.{app.attribute}" not in imported
    ]
    return [app for app in outermost if not _EXAMPLE_FOLDERS.intersection(app.file.parts)] or outermost


def _last_two(dotted: str) -> str:
    return ".".join(dotted.split(".")[-2:])


def _sources(root: Path) -> Iterator[tuple[Path, ast.Module]]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED_FOLDERS and name[0] != "." and not Path(folder, name, "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            file = Path(folder, name)
            if name.endswith(".py") and not name.startswith(("test_", "conftest")) and str(file).isprintable():
                tree = _parse(file)
                if tree:
                    yield file, tree


def _parse(file: Path) -> ast.Module | None:
    try:
        if file.stat().st_size > _LARGEST_SOURCE:
            return None
        source = file.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns about the source's strings
            return ast.parse(source) if _WORTH_PARSING.search(source) else None
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


@dataclass
class _ModuleScan:
    """The apps of one module.

    Attributes:
        file: the module's file.
        tree: its syntax.
        kinds: the framework of each app and factory, by name.
        inner: the apps that are inside another app.
        imports: each imported name with its dotted name.
        handlers: the names of Lambda handlers, each with the app that it is made from.
        known_apps: the apps of other modules, as `module.name`.
    """

    file: PurePosixPath
    tree: ast.Module
    kinds: dict[str, str] = field(default_factory=dict)
    inner: set[str] = field(default_factory=set)
    imports: dict[str, str] = field(default_factory=dict)
    handlers: dict[str, str | None] = field(default_factory=dict)
    known_apps: dict[str, str] = field(default_factory=dict)

    def read(self, known_apps: dict[str, str]) -> None:
        """Read the statements of the module's top level."""
        self.known_apps = dict(known_apps)
        for statement in _statements(self.tree.body):
            self._read_statement(statement)

    @property
    def inner_imports(self) -> set[str]:
        """The dotted names of other modules' apps that are inside an app of this module."""
        return {self.imports[name] for name in self.inner if name in self.imports}

    def outermost(self) -> list[FoundApp]:
        """Return the apps that are inside no other app, with the module's Lambda handler."""
        names = [name for name in self.kinds if name not in self.inner and name[0] != "_"]
        handler = next(iter(self.handlers), None)
        wrapped = self.handlers.get(handler) if handler else None
        return [
            FoundApp(self.file, name, self.kinds[name], handler if wrapped in (None, name) else None) for name in names
        ]

    def _read_statement(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Import(names):
                self.imports |= {alias.asname: alias.name for alias in names if alias.asname}
            case ast.ImportFrom(module, names):
                self.imports |= {alias.asname or alias.name: f"{module or ''}.{alias.name}" for alias in names}
            case ast.Assign([ast.Name(name)], value) | ast.AnnAssign(ast.Name(name), _, ast.expr() as value):
                self._read_assignment(name, value)
            case ast.Expr(ast.Call(ast.Attribute(_, method), arguments, keywords)) if method in _MOUNT_METHODS:
                for argument in (*arguments, *(keyword.value for keyword in keywords)):
                    self.inner |= self._apps_inside(argument)
            case ast.FunctionDef() if _takes_event(statement) and statement.name in _HANDLER_NAMES:
                self.handlers.setdefault(statement.name, None)
            case ast.FunctionDef() if not _required_arguments(statement):
                self._read_factory(statement)

    def _read_assignment(self, name: str, value: ast.expr) -> None:
        call = value if isinstance(value, ast.Call) else None
        if call and (self._dotted(call.func) in _HANDLER_CLASSES or name in _HANDLER_NAMES):
            wrapped = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "app"), None)
            local = wrapped.id if isinstance(wrapped, ast.Name) and wrapped.id in self.kinds else None
            self.handlers[name] = local
            if local or self._dotted(call.func) not in _HANDLER_CLASSES:
                return
            self.kinds[name] = "Mangum handler"
            self.inner |= self._apps_inside(value)
        elif kind := self._kind(value, name):
            self.kinds[name] = kind
            self.inner |= self._apps_inside(value) - {name}

    def _read_factory(self, function: ast.FunctionDef) -> None:
        outside, inner = dict(self.kinds), set(self.inner)
        kind = None
        for statement in _statements(function.body):
            if isinstance(statement, ast.Return) and statement.value:
                kind = self._kind(statement.value, "app") or kind
                self.inner |= self._apps_inside(statement.value)
            elif not isinstance(statement, ast.FunctionDef):
                self._read_statement(statement)
        self.kinds = outside | ({function.name: kind} if kind else {})
        self.inner = self.inner & set(outside) | inner if kind else inner

    def _kind(self, value: ast.expr, name: str) -> str | None:
        """Return the framework of the app that an expression returns; None if it returns no app."""
        if isinstance(value, ast.Name):
            return self.kinds.get(value.id) or self.known_apps.get(_last_two(self.imports.get(value.id, "")))
        if not isinstance(value, ast.Call):
            return None
        callee = self._dotted(value.func)
        owner, _, method = callee.rpartition(".")
        if kind := _APP_METHODS.get(method) or _FRAMEWORKS.get(callee) or _FRAMEWORKS.get(owner):
            return kind
        if kind := self.kinds.get(callee) or self.known_apps.get(_last_two(callee)):  # a factory
            return kind
        if name in _APP_NAMES or callee.endswith("Middleware"):
            arguments = [*value.args[:1], *(keyword.value for keyword in value.keywords if keyword.arg == "app")]
            return next((kind for argument in arguments if (kind := self._kind(argument, ""))), None)
        return None

    def _apps_inside(self, value: ast.expr) -> set[str]:
        names = {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
        return {name for name in names if name in self.kinds or name in self.imports}

    def _dotted(self, node: ast.expr) -> str:
        """Return the name that an expression calls, as its module imports it: `fastmcp.FastMCP`."""
        match node:
            case ast.Subscript(value) | ast.Call(value):  # FastMCP[State](...), FastMCP("tools").http_app()
                return self._dotted(value)
            case ast.Attribute(value, attribute):
                return f"{self._dotted(value)}.{attribute}"
            case ast.Name(name):
                return self.imports.get(name, name)
        return ""


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when the module is imported."""
    for statement in body:
        yield statement
        is_main = isinstance(statement, ast.If) and "__main__" in ast.unparse(statement.test)
        if isinstance(statement, ast.If | ast.Try | ast.With) and not is_main:
            yield from _statements(statement.body)
            yield from _statements(getattr(statement, "orelse", []))


def _required_arguments(function: ast.FunctionDef) -> list[str]:
    positional = [*function.args.posonlyargs, *function.args.args]
    required = positional[: len(positional) - len(function.args.defaults)]
    keyword_only = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return [argument.arg for argument in (*required, *(each for each, default in keyword_only if default is None))]


def _takes_event(function: ast.FunctionDef) -> bool:
    return len(_required_arguments(function)) == 2
