"""Every auth provider of the installed FastMCP, created with invented values and without a network.

Each call creates a new provider, because a proof replaces the endpoints of its app permanently.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from fastmcp.server.auth import MultiAuth, RemoteAuthProvider
from fastmcp.server.auth.auth import AuthProvider
from fastmcp.server.auth.oauth_proxy import OAuthProxy
from fastmcp.server.auth.oidc_proxy import OIDCConfiguration, OIDCProxy
from fastmcp.server.auth.providers.auth0 import Auth0MCPProvider, Auth0Provider
from fastmcp.server.auth.providers.aws import AWSCognitoProvider
from fastmcp.server.auth.providers.azure import AzureJWTVerifier, AzureProvider
from fastmcp.server.auth.providers.clerk import ClerkProvider
from fastmcp.server.auth.providers.debug import DebugTokenVerifier
from fastmcp.server.auth.providers.descope import DescopeProvider
from fastmcp.server.auth.providers.discord import DiscordProvider
from fastmcp.server.auth.providers.github import GitHubProvider
from fastmcp.server.auth.providers.google import GoogleProvider
from fastmcp.server.auth.providers.huggingface import HuggingFaceProvider
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.auth.providers.introspection import IntrospectionTokenVerifier
from fastmcp.server.auth.providers.jwt import JWTVerifier, StaticTokenVerifier
from fastmcp.server.auth.providers.keycloak import KeycloakAuthProvider
from fastmcp.server.auth.providers.oci import OCIProvider
from fastmcp.server.auth.providers.propelauth import PropelAuthProvider
from fastmcp.server.auth.providers.scalekit import ScalekitProvider
from fastmcp.server.auth.providers.supabase import SupabaseProvider
from fastmcp.server.auth.providers.workos import AuthKitProvider, WorkOSProvider
from key_value.aio.stores.memory import MemoryStore
from mcp.server.auth.settings import ClientRegistrationOptions, RevocationOptions
from pydantic import AnyHttpUrl

_ISSUER = "https://login.example.com"
_CONFIG = f"{_ISSUER}/.well-known/openid-configuration"
_DESCOPE = "https://api.descope.com/v1/apps/agentic/P0123456789/M0123456789/.well-known/openid-configuration"
_INVENTED = "not-a-real-value-0123456789"
# FastMCP uses bytes directly as the key. From a str it would derive a key, which is slow by design.
_KEY = b"not-a-real-key-not-a-real-key-00"
_SCOPES = ["read"]


@dataclass(frozen=True)
class ProviderFactory:
    """One row of the matrix.

    Attributes:
        name: the name in FastMCP's documentation.
        build: creates the provider for a public URL; None means a server without a provider.
    """

    name: str
    build: Callable[[str], AuthProvider | None]


def _client_arguments() -> dict[str, Any]:
    """Return the arguments of each provider that registers clients; the state is not in the home directory."""
    return {
        "client_id": _INVENTED,
        "client_secret": _INVENTED,
        "jwt_signing_key": _KEY,
        "client_storage": MemoryStore(),
    }


def _jwt() -> JWTVerifier:
    return JWTVerifier(jwks_uri=f"{_ISSUER}/jwks.json", issuer=_ISSUER, audience="mcp")


def _introspection() -> IntrospectionTokenVerifier:
    return IntrospectionTokenVerifier(
        introspection_url=f"{_ISSUER}/introspect", client_id=_INVENTED, client_secret=_INVENTED
    )


def _oauth_proxy(url: str) -> OAuthProxy:
    return OAuthProxy(
        upstream_authorization_endpoint=f"{_ISSUER}/authorize",
        upstream_token_endpoint=f"{_ISSUER}/token",
        upstream_revocation_endpoint=f"{_ISSUER}/revoke",
        upstream_client_id=_INVENTED,
        upstream_client_secret=_INVENTED,
        token_verifier=_jwt(),
        base_url=url,
        jwt_signing_key=_KEY,
        client_storage=MemoryStore(),
    )


def _remote(url: str) -> RemoteAuthProvider:
    return RemoteAuthProvider(token_verifier=_jwt(), authorization_servers=[AnyHttpUrl(_ISSUER)], base_url=url)


def _remote_azure(url: str) -> RemoteAuthProvider:
    verifier = AzureJWTVerifier(client_id=_INVENTED, tenant_id="tenant", required_scopes=_SCOPES)
    return RemoteAuthProvider(verifier, [AnyHttpUrl("https://login.microsoftonline.com/tenant/v2.0")], base_url=url)


def _in_memory(url: str) -> InMemoryOAuthProvider:
    return InMemoryOAuthProvider(
        base_url=url,
        client_registration_options=ClientRegistrationOptions(enabled=True),
        revocation_options=RevocationOptions(enabled=True),
    )


PROVIDERS = (
    ProviderFactory("AuthKit", lambda url: AuthKitProvider(authkit_domain="https://example.authkit.app", base_url=url)),
    ProviderFactory(
        "WorkOS",
        lambda url: WorkOSProvider(authkit_domain="https://example.authkit.app", base_url=url, **_client_arguments()),
    ),
    ProviderFactory("GitHub", lambda url: GitHubProvider(base_url=url, **_client_arguments())),
    ProviderFactory("Google", lambda url: GoogleProvider(base_url=url, **_client_arguments())),
    ProviderFactory(
        "Azure",
        lambda url: AzureProvider(tenant_id="tenant", required_scopes=_SCOPES, base_url=url, **_client_arguments()),
    ),
    ProviderFactory(
        "Auth0", lambda url: Auth0Provider(config_url=_CONFIG, audience="mcp", base_url=url, **_client_arguments())
    ),
    ProviderFactory("Auth0 for MCP", lambda url: Auth0MCPProvider(config_url=_CONFIG, base_url=url)),
    ProviderFactory(
        "AWS Cognito",
        lambda url: AWSCognitoProvider(user_pool_id="eu-central-1_x", base_url=url, **_client_arguments()),
    ),
    ProviderFactory("Discord", lambda url: DiscordProvider(base_url=url, **_client_arguments())),
    ProviderFactory(
        "Descope",
        lambda url: DescopeProvider(config_url=_DESCOPE, base_url=url),
    ),
    ProviderFactory(
        "Scalekit",
        lambda url: ScalekitProvider(environment_url="https://example.scalekit.com", resource_id="res_0", base_url=url),
    ),
    ProviderFactory("Supabase", lambda url: SupabaseProvider(project_url="https://example.supabase.co", base_url=url)),
    ProviderFactory(
        "Clerk", lambda url: ClerkProvider(domain="example.clerk.accounts.dev", base_url=url, **_client_arguments())
    ),
    ProviderFactory("Keycloak", lambda url: KeycloakAuthProvider(realm_url=f"{_ISSUER}/realms/mcp", base_url=url)),
    ProviderFactory(
        "PropelAuth",
        lambda url: PropelAuthProvider(
            auth_url="https://auth.example.com",
            introspection_client_id=_INVENTED,
            introspection_client_secret=_INVENTED,
            base_url=url,
        ),
    ),
    ProviderFactory("HuggingFace", lambda url: HuggingFaceProvider(base_url=url, **_client_arguments())),
    ProviderFactory("OCI", lambda url: OCIProvider(config_url=_CONFIG, base_url=url, **_client_arguments())),
    ProviderFactory("OAuth proxy", _oauth_proxy),
    ProviderFactory("OIDC proxy", lambda url: OIDCProxy(config_url=_CONFIG, base_url=url, **_client_arguments())),
    ProviderFactory("in-memory", _in_memory),
    ProviderFactory("remote", _remote),
    ProviderFactory("remote, Azure tokens", _remote_azure),
    ProviderFactory("multi-auth", lambda url: MultiAuth(server=_oauth_proxy(url), verifiers=[_introspection()])),
    ProviderFactory("multi-auth of verifiers", lambda _: MultiAuth(verifiers=[_jwt(), _introspection()])),
    ProviderFactory("JWT", lambda _: _jwt()),
    ProviderFactory("introspection", lambda _: _introspection()),
    ProviderFactory(
        "static tokens", lambda _: StaticTokenVerifier({_INVENTED: {"client_id": "client", "scopes": _SCOPES}})
    ),
    ProviderFactory("debug", lambda _: DebugTokenVerifier()),
    ProviderFactory("none", lambda _: None),
)


# The required fields of OpenID Connect Discovery 1.0, section 3.
_OPENID_CONFIGURATION = {
    "issuer": _ISSUER,
    "authorization_endpoint": f"{_ISSUER}/authorize",
    "token_endpoint": f"{_ISSUER}/token",
    "revocation_endpoint": f"{_ISSUER}/revoke",
    "jwks_uri": f"{_ISSUER}/jwks.json",
    "response_types_supported": ["code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256"],
}


@contextmanager
def without_network() -> Iterator[None]:
    """Replace the only request that providers send when they are created (OpenID Connect Discovery 1.0, section 4)."""
    configuration = OIDCConfiguration.model_validate(_OPENID_CONFIGURATION)
    # Auth0, AWS Cognito, OCI and the OIDC proxy all use this function.
    with patch.object(OIDCConfiguration, "get_oidc_configuration", return_value=configuration):
        yield
