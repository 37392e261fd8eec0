"""Dynamic client registration (RFC 7591), open to every client, like AuthKit's when it is turned on."""

import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import JsonRequest
from authlib.oauth2.rfc7591 import (
    ClientMetadataClaims,
    ClientRegistrationEndpoint,
    InvalidClientMetadataError,
    InvalidRedirectURIError,
)

from dev.authkit.stand_in_settings import SCOPES, authorization_server_metadata, is_loopback
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
    "software_id",
    "software_version",
)
# Schemes that browsers handle themselves, so they are not private schemes of native apps (RFC 8252, 7.1).
_BROWSER_SCHEMES = {"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "view-source"}


class ClientMetadata(ClientMetadataClaims):
    """Client metadata (RFC 7591, section 2). This class checks the types of the values, and Authlib their meaning."""

    def validate(self, now: int | None = None, leeway: int = 0) -> None:
        """Check all values, and set the defaults, which the response must contain (section 3.2.1).

        Raises:
            InvalidClientMetadataError: a value is invalid.
            InvalidRedirectURIError: a redirect URI is invalid.
            joserfc.errors.JoseError: a value is invalid; Authlib answers `invalid_client_metadata`.
        """
        for name in set(self).difference(self.REGISTERED_CLAIMS) | {"jwks", "jwks_uri"}:
            self.pop(name, None)  # clients cannot authenticate with keys here
        for name in _LISTS:
            value = self.get(name, [])
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise InvalidClientMetadataError(f"{name} is not a list of strings.")
        for name in _TEXTS:
            value = self.get(name, "default")
            if not isinstance(value, str) or not value:
                raise InvalidClientMetadataError(f"{name} is not a string, or it is empty.")
        self["grant_types"] = self.get("grant_types") or ["authorization_code"]
        self["response_types"] = self.get("response_types") or ["code"]
        self["scope"] = self.get("scope") or " ".join(SCOPES)
        super().validate(now, leeway)

    def validate_redirect_uris(self) -> None:
        """Require at least one redirect URI, and check each."""
        uris = self.get("redirect_uris")
        if not uris:
            raise InvalidRedirectURIError("At least one redirect URI is required.")
        for number, uri in enumerate(uris, 1):
            if problem := redirect_uri_problem(uri):
                raise InvalidRedirectURIError(f"Redirect URI number {number} {problem}.")


def redirect_uri_problem(uri: str) -> str | None:
    """Return the problem of a redirect URI (RFC 6749, 3.1.2; RFC 8252, section 7), or None."""
    if not uri.isascii() or not uri.isprintable() or any(char in ' "<>\\^`{|}' for char in uri):
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
        )
        self.server.state.clients[client.client_id] = client
        return client
