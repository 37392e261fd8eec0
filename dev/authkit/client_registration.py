"""Dynamic client registration (RFC 7591), open to every client as AuthKit's is when it is turned on."""

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
# Schemes that a browser handles itself: never a native app's own (RFC 8252, 7.1).
_NOT_PRIVATE = {"about", "blob", "data", "file", "filesystem", "ftp", "javascript", "vbscript", "view-source"}


class ClientMetadata(ClientMetadataClaims):
    """RFC 7591, section 2. Authlib checks what the values mean; that they have the right types is checked here."""

    def validate(self, now: int | None = None, leeway: int = 0) -> None:
        """Check everything, and fill in the defaults, which the answer has to tell (section 3.2.1).

        Raises:
            InvalidClientMetadataError: a value can't be used.
            InvalidRedirectURIError: a redirect URI can't be used.
            joserfc.errors.JoseError: what Authlib makes an `invalid_client_metadata` of.
        """
        for name in set(self).difference(self.REGISTERED_CLAIMS) | {"jwks", "jwks_uri"}:
            self.pop(name, None)  # no use for a client's keys: no client authenticates with one
        for name in _LISTS:
            value = self.get(name, [])
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise InvalidClientMetadataError(f"{name} is not a list of strings.")
        for name in _TEXTS:
            if not isinstance(self.get(name, ""), str):
                raise InvalidClientMetadataError(f"{name} is not a string.")
        self["grant_types"] = self.get("grant_types") or ["authorization_code"]
        self["response_types"] = self.get("response_types") or ["code"]
        self["scope"] = self.get("scope") or " ".join(SCOPES)
        super().validate(now, leeway)

    def validate_redirect_uris(self) -> None:
        """At least one, each of which can be redirected to and is nobody else's by accident."""
        uris = self.get("redirect_uris")
        if not uris:
            raise InvalidRedirectURIError("At least one redirect URI is required.")
        for number, uri in enumerate(uris, 1):
            if problem := redirect_uri_problem(uri):
                raise InvalidRedirectURIError(f"Redirect URI number {number} {problem}.")


def redirect_uri_problem(uri: str) -> str | None:
    """What is wrong with a redirect URI (RFC 6749, 3.1.2; RFC 8252, section 7), or None."""
    if not uri.isascii() or not uri.isprintable() or any(char in ' "<>\\^`{|}' for char in uri):
        return "has a character that a URI can't have"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URI"
    web = parts.scheme in {"http", "https"}
    problems = {
        "is not an absolute URI": not parts.scheme or not uri[len(parts.scheme) + 1 :],
        "has a fragment": "#" in uri,
        "has a user name": "@" in parts.netloc,
        "has no host": web and not host,
        "is http, which only loopback may be": parts.scheme == "http" and not is_loopback(host or ""),
        "has a scheme that is not an app's own": parts.scheme in _NOT_PRIVATE,
    }
    return next((problem for problem, found in problems.items() if found), None)


class RegistrationEndpoint(ClientRegistrationEndpoint):
    """`POST /oauth2/register`."""

    def __init__(self) -> None:
        """The server sets itself."""
        super().__init__(claims_classes=[ClientMetadata])

    def create_registration_response(self, request: JsonRequest) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """Authlib's, for a body that is a JSON object."""
        if not isinstance(request.payload.data, dict) or not request.payload.data:
            raise InvalidClientMetadataError("The body is not a JSON object with client metadata.")
        status, body, headers = super().create_registration_response(request)
        if not body["client_secret"]:
            del body["client_secret"], body["client_secret_expires_at"]
        return status, body, headers

    def authenticate_token(self, _request: JsonRequest) -> str:
        """No initial access token is wanted (section 3)."""
        return "open"

    def get_server_metadata(self) -> dict[str, object]:
        """What a client may ask for."""
        return authorization_server_metadata(self.server.settings)

    def generate_client_id(self, _request: JsonRequest) -> str:
        """In AuthKit's form."""
        return f"client_{secrets.token_hex(13).upper()}"

    def generate_client_secret(self, request: JsonRequest) -> str:
        """Empty for a public client."""
        public = request.payload.data.get("token_endpoint_auth_method") == "none"
        return "" if public else secrets.token_urlsafe(32)

    def generate_client_info(self, request: JsonRequest) -> dict[str, Any]:
        """Section 3.2.1; a secret doesn't expire."""
        return {
            "client_id": self.generate_client_id(request),
            "client_secret": self.generate_client_secret(request),
            "client_id_issued_at": int(time.time()),
            "client_secret_expires_at": 0,
        }

    def save_client(
        self, client_info: dict[str, Any], client_metadata: dict[str, Any], _request: JsonRequest
    ) -> RegisteredClient:
        """Remember it."""
        client = RegisteredClient(
            client_id=client_info["client_id"],
            secret=client_info["client_secret"],
            name=client_metadata.get("client_name") or client_info["client_id"],
            redirect_uris=tuple(client_metadata["redirect_uris"]),
            auth_method=client_metadata["token_endpoint_auth_method"],
            grant_types=tuple(client_metadata["grant_types"]),
            scopes=tuple(client_metadata["scope"].split()),
        )
        self.server.store.clients[client.client_id] = client
        return client
