"""Settings of the stand-in, and its metadata documents."""

import re
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
    """Settings of the stand-in. Lifetimes are in seconds.

    Attributes:
        issuer: its URL.
        resources: the Resource Indicators, which is the term of the WorkOS dashboard.
        client_id: the client id of the environment; it is the `aud` of a token without a resource.
    """

    issuer: str
    resources: frozenset[str] = frozenset()
    client_id: str = "client_01DEVELOPMENT"
    auto_consent: bool = False
    access_token_seconds: int = 300
    code_seconds: int = 60
    consent_seconds: int = 600


def authorization_server_metadata(settings: StandInSettings) -> dict[str, object]:
    """Return the metadata of RFC 8414, section 2, validated by Authlib. Like AuthKit's, the issuer has no final slash.

    Raises:
        ValueError: the issuer is invalid, such as an http URL of a host that is not loopback.
    """
    document = AuthorizationServerMetadata(
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
    document.validate()
    return dict(document) | {"authorization_response_iss_parameter_supported": True}


def openid_metadata(settings: StandInSettings) -> dict[str, object]:
    """Return the metadata for OpenID clients (OpenID Connect Discovery 1.0, section 3)."""
    openid_fields = {"subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"]}
    # Without this field, a client can send a `request_uri`.
    return authorization_server_metadata(settings) | openid_fields | {"request_uri_parameter_supported": False}


def is_loopback(host: str) -> bool:
    """Whether a host of a URL or of a command line is a loopback address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_resource(uri: str) -> bool:
    """Whether a URI can name a resource: it is absolute and has no fragment (RFC 8707, section 2)."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    absolute = bool(parts.scheme and (parts.netloc or parts.path))
    return absolute and uri.isprintable() and not any(char in "# " for char in uri)


def is_scope(text: str) -> bool:
    """Whether a text is a list of scopes with single spaces between them (RFC 6749, section 3.3)."""
    return re.fullmatch(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*", text) is not None
