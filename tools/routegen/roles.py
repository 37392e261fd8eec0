"""Roles of paths in OAuth and MCP terms, each with the standard that defines it.

The role of a well-known path follows from the path, as its standard says. Every other role follows from the code that
answers, because `/register` of another app is not an OAuth registration endpoint.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from routegen.gateway import ANY
from routegen.manifest import Role, Route

PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
OPENID_CONFIGURATION = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class PathRole:
    """A role of the manifest, and the standard that defines it; None if no standard does."""

    role: Role
    spec: str | None = None


DISCOVERY_DOCUMENTS: tuple[tuple[str, PathRole], ...] = (
    (PROTECTED_RESOURCE, PathRole("protected-resource-metadata", "RFC 9728")),
    (AUTHORIZATION_SERVER, PathRole("authorization-server-metadata", "RFC 8414")),
    (OPENID_CONFIGURATION, PathRole("openid-configuration", "OpenID Connect Discovery 1.0")),
)
"""The documents that MCP clients ask for, at the root of the domain or with an endpoint's path, each with its role."""


# An MCP endpoint has a short path, and an app has few MCP endpoints.
_MAX_ENDPOINT_SEGMENTS, _MAX_ENDPOINTS = 3, 50


_Predicate = Callable[[str, tuple[str, ...]], bool]


def _is_document(document: str) -> _Predicate:
    """Match a well-known path, with or without a resource's or issuer's path after it (RFC 8414, section 3.1)."""
    return lambda path, _: path == document or path.startswith(f"{document}/")


def _is_below_a_path(path: str, _handlers: tuple[str, ...]) -> bool:
    """Match metadata below a path, where the standards do not put it (RFC 9728, section 3.1; RFC 8414, section 3.1)."""
    return any(path.find(document) > 0 for document in (PROTECTED_RESOURCE, AUTHORIZATION_SERVER))


def _answered_by(*names: str) -> _Predicate:
    """Match code of FastMCP or the MCP SDK by the end of its qualified name; its module differs between releases."""
    return lambda _, handlers: any(
        handler.startswith(("mcp.", "fastmcp.")) and handler.endswith(names) for handler in handlers
    )


_ROLE_RULES: tuple[tuple[PathRole, _Predicate], ...] = (
    *((role, _is_document(document)) for document, role in DISCOVERY_DOCUMENTS),
    # OpenID Connect Discovery 1.0, section 4: the well-known path comes after the issuer's path.
    (dict(DISCOVERY_DOCUMENTS)[OPENID_CONFIGURATION], lambda path, _: path.endswith(OPENID_CONFIGURATION)),
    (PathRole("misplaced-metadata"), _is_below_a_path),
    (
        PathRole("mcp-endpoint", "MCP Streamable HTTP"),
        _answered_by(
            "StreamableHTTPASGIApp",
            "create_streamable_http_app.<locals>.handle_streamable_http",
            "StreamableHTTPSessionManager.handle_request",
            "written-by-hand",
        ),
    ),
    (
        PathRole("mcp-endpoint", "MCP HTTP+SSE"),
        _answered_by(
            "sse_app.<locals>.sse_endpoint",
            "sse_app.<locals>.handle_sse",
            "SseServerTransport.handle_post_message",
        ),
    ),
    (PathRole("authorization-endpoint", "RFC 6749"), _answered_by("AuthorizationHandler.handle")),
    (PathRole("token-endpoint", "RFC 6749"), _answered_by("TokenHandler.handle")),
    (PathRole("registration-endpoint", "RFC 7591"), _answered_by("RegistrationHandler.handle")),
    (PathRole("revocation-endpoint", "RFC 7009"), _answered_by("RevocationHandler.handle")),
    (PathRole("redirect-callback", "RFC 6749"), _answered_by("OAuthProxy._handle_idp_callback")),
    (PathRole("consent"), _answered_by("ConsentMixin._handle_consent", "OAuthProxy._handle_consent")),
)


def mcp_endpoint_paths(routes: Iterable[Route], *, with_variables: bool = False) -> list[str]:
    """Return the paths of the MCP endpoints that take POST: Streamable HTTP before the older SSE transport.

    Args:
        routes: the routes of a manifest.
        with_variables: whether to include paths with variables such as `/{tenant}/mcp`, without greedy variables.
    """
    excluded = "+}" if with_variables else "{"
    endpoints = [
        route
        for route in routes
        if route.role == "mcp-endpoint" and excluded not in route.path and {"POST", ANY}.intersection(route.methods)
    ]
    return [route.path for route in sorted(endpoints, key=lambda route: ("SSE" in (route.spec or ""), route.path))]


def discovery_documents(endpoint: str) -> Iterator[tuple[str, PathRole]]:
    """Yield each path at which MCP clients ask for a document about an endpoint, with the document's role.

    The endpoint's path comes after the well-known path (RFC 9728, section 3.1; RFC 8414, section 3.1) or before it
    (OpenID Connect Discovery 1.0, section 4; some clients do so for the other documents). The documents at the root of
    the domain come last.

    Args:
        endpoint: the path of an MCP endpoint.
    """
    if endpoint != "/":
        yield from ((f"{document}{endpoint}", role) for document, role in DISCOVERY_DOCUMENTS)
        yield from ((f"{endpoint.rstrip('/')}{document}", role) for document, role in DISCOVERY_DOCUMENTS)
    yield from DISCOVERY_DOCUMENTS


def issuer_documents(issuer: str) -> Iterator[tuple[str, PathRole]]:
    """Yield each path at which MCP clients ask for the metadata of an authorization server, with the document's role.

    Args:
        issuer: the path of the issuer, without a final slash; empty for the root of the domain.
    """
    for document, role in DISCOVERY_DOCUMENTS[1:]:
        yield f"{document}{issuer}", role
    if issuer:
        yield f"{issuer}{OPENID_CONFIGURATION}", DISCOVERY_DOCUMENTS[2][1]


def list_discovery_paths(served_paths: Iterable[str]) -> list[str]:
    """Return every path at which clients look for OAuth documents and endpoints, sorted.

    Args:
        served_paths: the paths that an app serves. The path of a document can contain one of them: after the
            well-known path (RFC 9728, section 3.1; RFC 8414, section 3.1) or, for OpenID Connect Discovery 1.0,
            before it.
    """
    endpoints = {
        path
        for path in served_paths
        if path.count("/") <= _MAX_ENDPOINT_SEGMENTS and "{" not in path and "/.well-known" not in path
    }
    paths = {"/register", "/authorize", "/token", "/revoke", "/consent", "/auth/callback", "/mcp"}
    for endpoint in sorted({"/mcp", *endpoints} - {"/"})[:_MAX_ENDPOINTS]:
        paths |= {path for path, _ in discovery_documents(endpoint)}
    return sorted(paths)


def classify_path(path: str, handlers: tuple[str, ...]) -> PathRole:
    """Return the role of a served path.

    Args:
        path: as the app serves it.
        handlers: qualified names of the code that answers, from the outermost wrapper to the endpoint.
    """
    return next((role for role, applies in _ROLE_RULES if applies(path, handlers)), PathRole("other"))
