"""What a path is in OAuth and MCP terms, with the standard that defines it: the one place that knows.

In: a path and the names of what answers there. Out: `Classified`. A well-known path is what its standard says
by its place; everything else by the code that answers, because `/register` of some other app is no OAuth
registration endpoint.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from routegen.manifest import Role

PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
OPENID_CONFIGURATION = "/.well-known/openid-configuration"


# An MCP endpoint is a short path, and there are few of them.
_DEEP, _ENOUGH = 4, 50


@dataclass(frozen=True)
class Classified:
    """A role of the manifest, and the standard that defines it where one does."""

    role: Role
    spec: str | None = None


@dataclass(frozen=True)
class _Rule:
    role: Role
    spec: str
    applies: Callable[[str, tuple[str, ...]], bool]


def _at(document: str) -> Callable[[str, tuple[str, ...]], bool]:
    """At the well-known path itself or with a resource's or issuer's path after it (RFC 8414, section 3.1)."""
    return lambda path, _: path == document or path.startswith(f"{document}/")


def _answered_by(*names: str) -> Callable[[str, tuple[str, ...]], bool]:
    """By code of FastMCP or the MCP SDK whose qualified name ends so, whatever module a release keeps it in."""
    return lambda _, handlers: any(
        handler.startswith(("mcp.", "fastmcp.")) and handler.endswith(names) for handler in handlers
    )


_RULES = (
    _Rule("protected-resource-metadata", "RFC 9728", _at(PROTECTED_RESOURCE)),
    _Rule("authorization-server-metadata", "RFC 8414", _at(AUTHORIZATION_SERVER)),
    _Rule("openid-configuration", "OpenID Connect Discovery 1.0", _at(OPENID_CONFIGURATION)),
    # OpenID Connect Discovery 1.0, section 4: after the issuer's path, not before it.
    _Rule(
        "openid-configuration",
        "OpenID Connect Discovery 1.0",
        lambda path, _: path.endswith(OPENID_CONFIGURATION),
    ),
    _Rule(
        "mcp-endpoint",
        "MCP Streamable HTTP",
        _answered_by("StreamableHTTPASGIApp", "create_streamable_http_app.<locals>.handle_streamable_http"),
    ),
    _Rule(
        "mcp-endpoint",
        "MCP HTTP+SSE",
        _answered_by(
            "create_sse_app.<locals>.sse_endpoint",
            "create_sse_app.<locals>.handle_sse",
            "SseServerTransport.handle_post_message",
        ),
    ),
    _Rule("authorization-endpoint", "RFC 6749", _answered_by("AuthorizationHandler.handle")),
    _Rule("token-endpoint", "RFC 6749", _answered_by("TokenHandler.handle")),
    _Rule("registration-endpoint", "RFC 7591", _answered_by("RegistrationHandler.handle")),
    _Rule("revocation-endpoint", "RFC 7009", _answered_by("RevocationHandler.handle")),
    _Rule("redirect-callback", "RFC 6749", _answered_by("OAuthProxy._handle_idp_callback")),
)
_CONSENT = _answered_by("ConsentMixin._handle_consent", "OAuthProxy._handle_consent")


def discovery_paths(endpoints: Iterable[str]) -> list[str]:
    """Every path at which clients look for OAuth documents and endpoints, sorted.

    Args:
        endpoints: the paths that an app serves; a document may stand at a well-known path with one of them after it
            (RFC 9728, section 3.1; RFC 8414, section 3.1) or, for OpenID Connect Discovery 1.0, before it.
    """
    literal = {path for path in endpoints if path.count("/") < _DEEP and "{" not in path and "/.well-known" not in path}
    documents = (PROTECTED_RESOURCE, AUTHORIZATION_SERVER, OPENID_CONFIGURATION)
    found = {"/register", "/authorize", "/token", "/revoke", "/consent", "/auth/callback", "/mcp", *documents}
    for path in sorted({"/mcp", *literal} - {"/"})[:_ENOUGH]:
        found |= {f"{document}{path}" for document in documents} | {f"{path}{OPENID_CONFIGURATION}"}
    return sorted(found)


def classify(path: str, handlers: tuple[str, ...]) -> Classified:
    """Say what a served path is.

    Args:
        path: as the app serves it.
        handlers: qualified names of what answers, from the outermost wrapper to the endpoint.
    """
    for rule in _RULES:
        if rule.applies(path, handlers):
            return Classified(rule.role, rule.spec)
    return Classified("consent" if _CONSENT(path, handlers) else "other")
