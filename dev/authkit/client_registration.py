"""Dynamic client registration (RFC 7591), open to every client, like AuthKit's when it is turned on."""

import secrets
import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import JsonRequest
from authlib.oauth2.rfc7591 import (
    ClientMetadataClaims,
    ClientRegistrationEndpoint,
    InvalidClientMetadataError,
    InvalidRedirectURIError,
)

from dev.authkit.stand_in_settings import SCOPES, authorization_server_metadata, is_loopback, is_scope
from dev.authkit.stand_in_state import RegisteredClient

_LISTS = ("redirect_uris", "grant_types", "response_types", "contacts")
_TEXTS = (
    "token_endpoint_auth_method",
    "client_name",
    "client_uri",
    "logo_uri",
    "scope",
    "tos_uri",
    "policy_uri",
    "jwks_uri",
    "software_id",
    "software_version",
    "application_type",
)
# Schemes that browsers handle themselves, so they are not private schemes of native apps (RFC 8252, 7.1).
_BROWSER_SCHEMES = {"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "view-source"}


class ClientMetadata(ClientMetadataClaims):
    """Client metadata (RFC 7591, section 2). This class checks the types of the values, and Authlib their meaning.

    MCP 2026-07-28 adds `application_type` (OpenID Connect Registration 1.0, section 2).
    """

    REGISTERED_CLAIMS: ClassVar = [*ClientMetadataClaims.REGISTERED_CLAIMS, "application_type"]

    def validate(self, now: int | None = None, leeway: int = 0) -> None:
        """Check all values, and set the defaults, which the response must contain (section 3.2.1).

        Raises:
            InvalidClientMetadataError: a value is invalid.
            InvalidRedirectURIError: a redirect URI is invalid.
            joserfc.errors.JoseError: a value is invalid; Authlib answers `invalid_client_metadata`.
        """
        for name in set(self).difference(self.REGISTERED_CLAIMS):
            del self[name]
        for name in _LISTS:
            value = self.get(name, [])
            if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
                error = InvalidRedirectURIError if name == "redirect_uris" else InvalidClientMetadataError
                raise error(f"{name} is not a list of strings, or one is empty.")
        for name in _TEXTS:
            value = self.get(name, "default")
            if not isinstance(value, str) or not value:
                raise InvalidClientMetadataError(f"{name} is not a string, or it is empty.")
            if name.endswith("_uri") and name in self and not _is_web_url(value):
                raise InvalidClientMetadataError(f"{name} is not an http or https URL.")
        if self.get("application_type", "web") not in {"native", "web"}:
            raise InvalidClientMetadataError("application_type is neither native nor web.")
        self["grant_types"] = self.get("grant_types") or ["authorization_code"]
        self["response_types"] = self.get("response_types") or ["code"]
        self["scope"] = self.get("scope") or " ".join(SCOPES)
        super().validate(now, leeway)
        for name in ("jwks", "jwks_uri"):
            self.pop(name, None)  # clients cannot authenticate with keys here

    def validate_redirect_uris(self) -> None:
        """Require at least one redirect URI, and check each."""
        uris = self.get("redirect_uris")
        if not uris:
            raise InvalidRedirectURIError("At least one redirect URI is required.")
        for number, uri in enumerate(uris, 1):
            if problem := redirect_uri_problem(uri, self.get("application_type")):
                raise InvalidRedirectURIError(f"Redirect URI number {number} {problem}.")

    def validate_scope(self) -> None:
        """Check the form of the scope; Authlib checks its names."""
        if not is_scope(self["scope"]):
            raise InvalidClientMetadataError("scope is not a list of scopes with single spaces between them.")

    def validate_jwks(self) -> None:
        """Require public keys, and not both fields with keys. Authlib does not expect every type of value here."""
        jwks = self.get("jwks", {"keys": []})
        keys = jwks.get("keys") if isinstance(jwks, dict) else None
        if not isinstance(keys, list) or not all(isinstance(key, dict) and key.get("kty") for key in keys):
            raise InvalidClientMetadataError("jwks is not a set of keys (RFC 7517, section 5).")
        if any(key["kty"] == "oct" or "d" in key for key in keys):
            raise InvalidClientMetadataError("jwks has a key that is not public.")
        if {"jwks", "jwks_uri"} <= set(self):
            raise InvalidClientMetadataError("jwks and jwks_uri exclude each other.")


def _has_only_uri_characters(text: str) -> bool:
    return text.isascii() and text.isprintable() and not any(char in ' "<>\\^`{|}' for char in text)


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and _has_only_uri_characters(url)


def redirect_uri_problem(uri: str, application_type: str | None = None) -> str | None:
    """Return the problem of a redirect URI (RFC 6749, 3.1.2; RFC 8252, section 7), or None.

    Args:
        uri: the redirect URI.
        application_type: `native`, `web`, or None for a client that does not state its type. It limits the URIs
            (OpenID Connect Registration 1.0, section 2).
    """
    if not _has_only_uri_characters(uri):
        return "has a character that a URI cannot have"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URI"
    is_web = parts.scheme in {"http", "https"}
    problems = {
        "is not an absolute URI": not parts.scheme or not uri[len(parts.scheme) + 1 :],
        "has a fragment": "#" in uri,
        "has a user name": "@" in parts.netloc,
        "has no host": is_web and not host,
        "is http, which is allowed only for loopback": parts.scheme == "http" and not is_loopback(host or ""),
        "has a scheme that is not private to an app": parts.scheme in _BROWSER_SCHEMES,
        "has a private scheme, and the client is not native": application_type == "web" and not is_web,
        "is https for loopback": application_type == "native" and parts.scheme == "https" and is_loopback(host or ""),
    }
    return next((problem for problem, applies in problems.items() if applies), None)


class RegistrationEndpoint(ClientRegistrationEndpoint):
    """The registration endpoint, `POST /oauth2/register`."""

    def __init__(self) -> None:
        """Create the endpoint; Authlib sets its server."""
        super().__init__(claims_classes=[ClientMetadata])

    def create_registration_response(self, request: JsonRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Register a client if the body is a JSON object."""
        if not isinstance(request.payload.data, dict) or not request.payload.data:
            raise InvalidClientMetadataError("The body is not a JSON object with client metadata.")
        status, body, headers = super().create_registration_response(request)
        if not body["client_secret"]:
            del body["client_secret"], body["client_secret_expires_at"]
        return status, body, headers

    def authenticate_token(self, _request: JsonRequest) -> str:
        """Accept every request: registration needs no initial access token (section 3)."""
        return "open"

    def get_server_metadata(self) -> dict[str, object]:
        """Return the metadata with the supported values."""
        return authorization_server_metadata(self.server.settings)

    def generate_client_id(self, _request: JsonRequest) -> str:
        """Generate a client id in the form of AuthKit."""
        return f"client_{secrets.token_hex(13).upper()}"

    def generate_client_secret(self, request: JsonRequest) -> str:
        """Generate a secret, which is empty for a public client."""
        public = request.payload.data.get("token_endpoint_auth_method") == "none"
        return "" if public else secrets.token_urlsafe(32)

    def generate_client_info(self, request: JsonRequest) -> dict[str, Any]:
        """Return the client information (section 3.2.1); the secret does not expire."""
        return {
            "client_id": self.generate_client_id(request),
            "client_secret": self.generate_client_secret(request),
            "client_id_issued_at": int(time.time()),
            "client_secret_expires_at": 0,
        }

    def save_client(
        self, client_info: dict[str, Any], client_metadata: dict[str, Any], _request: JsonRequest
    ) -> RegisteredClient:
        """Store the client."""
        client = RegisteredClient(
            client_id=client_info["client_id"],
            secret=client_info["client_secret"],
            name=client_metadata.get("client_name") or client_info["client_id"],
            redirect_uris=tuple(client_metadata["redirect_uris"]),
            auth_method=client_metadata["token_endpoint_auth_method"],
            grant_types=tuple(client_metadata["grant_types"]),
            scopes=tuple(client_metadata["scope"].split()),
            is_native=client_metadata.get("application_type") == "native",
        )
        self.server.state.clients[client.client_id] = client
        return client
