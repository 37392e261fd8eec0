"""Read the OAuth document that a route's handler holds, without calling the handler.

The handlers of the official SDK, which FastMCP uses too, keep the document in an attribute. Users keep it in a
variable, or write it into the function that returns it.
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any

from routegen.discover.mcp_endpoints import called_functions, wrapped_endpoints
from routegen.discover.unwrap import closure_variables, global_variables, instance_variables

_URLS = ("issuer", "authorization_endpoint", "token_endpoint", "registration_endpoint", "resource")
_SERVERS = "authorization_servers"


def find_document(handlers: Iterable[Any]) -> dict[str, Any] | None:
    """Return the URLs of the OAuth document that a handler holds, by the names of their fields; None if it holds none.

    Args:
        handlers: the handler and everything inside its wrappers.
    """
    for handler in handlers:
        for value in _values(handler):
            if document := _urls(value):
                return document
    return None


def _values(handler: Any) -> Iterator[Any]:
    """Yield each value that can be the document: attributes, variables, and literals in the handler's code."""
    for value in wrapped_endpoints(handler):
        owner = getattr(value, "__self__", value)
        yield from instance_variables(owner).values()
        for function in called_functions(value):
            variables = {"self": owner, **global_variables(function), **closure_variables(function)}
            yield from variables.values()
            yield from _literals(function, variables)


def _urls(value: Any) -> dict[str, Any] | None:
    """Return the URLs of a value that is an OAuth document: a mapping, a pydantic model, or JSON in a response."""
    body = getattr(value, "body", value)
    if isinstance(body, str | bytes):
        try:
            body = json.loads(body)
        except ValueError:
            return None
    fields = body if isinstance(body, Mapping) else vars(body) if hasattr(type(body), "model_fields") else {}
    if not ("resource" in fields and _SERVERS in fields) and not {"issuer", "authorization_endpoint"} <= set(fields):
        return None
    document: dict[str, Any] = {name: str(fields[name]) for name in _URLS if fields.get(name)}
    if isinstance(servers := fields.get(_SERVERS), list | tuple):
        document[_SERVERS] = [str(server) for server in servers]
    return document


def _literals(function: FunctionType, variables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each dictionary in the source of a function, without the fields whose values it computes."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError, TypeError):  # no source, or a lambda in the middle of an expression
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield dict(_fields(node, variables))


def _fields(node: ast.Dict, variables: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            try:
                yield key.value, _evaluate(value, variables)
            except (LookupError, TypeError):
                continue


def _evaluate(node: ast.expr, variables: Mapping[str, Any]) -> Any:
    """Return the value of an expression of literals and variables.

    Raises:
        LookupError: it is another expression, or a variable has no value yet.
        TypeError: its values do not fit together.
    """
    result: Any
    match node:
        case ast.Constant(value):
            result = value
        case ast.Name(name):
            result = variables[name]
        case ast.Attribute(owner, name):
            result = vars(_evaluate(owner, variables))[name]
        case ast.BinOp(left, ast.Add(), right):
            result = _evaluate(left, variables) + _evaluate(right, variables)
        case ast.JoinedStr(parts):
            result = "".join(str(_evaluate(part, variables)) for part in parts)
        case ast.FormattedValue(inner, -1, None):
            result = _evaluate(inner, variables)
        case ast.List(items) | ast.Tuple(items):
            result = [_evaluate(item, variables) for item in items]
        case _:
            raise LookupError(ast.dump(node))
    return result
