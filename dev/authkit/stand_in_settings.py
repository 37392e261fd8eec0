"""How the stand-in runs, and what it says about itself."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

SCOPES = ("email", "offline_access", "openid", "profile")
AUTH_METHODS = ("none", "client_secret_post", "client_secret_basic")
GRANT_TYPES = ("authorization_code", "refresh_token")
USER_ID = "user_01DEVELOPMENT"
EMAIL = "developer@example.com"


@dataclass(frozen=True)
class StandInSettings:
    """One environment of the stand-in; lifetimes are in seconds.

    `resources` are its Resource Indicators, as the WorkOS dashboard calls them; `client_id` is the environment's,
    the `aud` of a token for no resource.
    """

    issuer: str
    resources: frozenset[str] = frozenset()
    client_id: str = "client_01DEVELOPMENT"
    auto_consent: bool = False
    access_token_seconds: int = 300
    code_seconds: int = 60
    consent_seconds: int = 600


def authorization_server_metadata(settings: StandInSettings) -> dict[str, object]:
    """The metadata of RFC 8414, section 2, checked by Authlib; `issuer` has no final slash, as AuthKit's.

    Raises:
        ValueError: the issuer can't be one, such as http on another host than loopback.
    """
    said = AuthorizationServerMetadata(
        issuer=settings.issuer,
        authorization_endpoint=f"{settings.issuer}/oauth2/authorize",
        token_endpoint=f"{settings.issuer}/oauth2/token",
        registration_endpoint=f"{settings.issuer}/oauth2/register",
        jwks_uri=f"{settings.issuer}/oauth2/jwks",
        scopes_supported=list(SCOPES),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=list(GRANT_TYPES),
        token_endpoint_auth_methods_supported=list(AUTH_METHODS),
        code_challenge_methods_supported=["S256"],
    )
    said.validate()
    return dict(said)


def openid_metadata(settings: StandInSettings) -> dict[str, object]:
    """The same for OpenID clients, with what OpenID Connect Discovery 1.0, section 3, requires."""
    more = {"subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}
    return authorization_server_metadata(settings) | more


def is_loopback(host: str) -> bool:
    """Whether a host, as in a URL or on a command line, is this machine and nothing else."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_resource(uri: str) -> bool:
    """Whether it can name a resource: an absolute URI without a fragment (RFC 8707, section 2)."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    whole = bool(parts.scheme and (parts.netloc or parts.path))
    return whole and uri.isprintable() and not any(char in "# " for char in uri)
