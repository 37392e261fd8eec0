"""Authlib's authorization server for Starlette. Authlib itself supports only Flask and Django."""

import json
from collections import defaultdict
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidRequestError,
    JsonPayload,
    JsonRequest,
    OAuth2Payload,
    OAuth2Request,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dev.authkit.client_registration import RegistrationEndpoint
from dev.authkit.grants import (
    AccessTokens,
    AuthorizationParameters,
    CodeGrant,
    IdToken,
    RefreshGrant,
    RequireS256,
    ResourceIndicator,
)
from dev.authkit.stand_in_settings import SCOPES, StandInSettings
from dev.authkit.stand_in_state import RegisteredClient, SigningKeys, StandInState

MAX_BODY_BYTES = 64 * 1024
Pairs = list[tuple[str, str]]


class _Payload(OAuth2Payload):
    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs

    @cached_property
    def data(self) -> dict[str, str]:
        return dict(self._pairs)

    @cached_property
    def datalist(self) -> defaultdict[str, list[str]]:
        values: defaultdict[str, list[str]] = defaultdict(list)
        for name, value in self._pairs:
            values[name].append(value)
        return values


class FormRequest(OAuth2Request):
    """A request with parameters, from the query or from a form."""

    def __init__(self, request: Request, settings: StandInSettings, pairs: Pairs) -> None:
        """Create the request. Its URI begins with the issuer and does not depend on the Host header."""
        super().__init__(request.method, f"{settings.issuer}{request.url.path}", headers=request.headers)
        self.payload = _Payload(pairs)

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters; Authlib reads those of the token endpoint from here."""
        return dict(self.payload.data)


class _JsonBody(JsonPayload):
    def __init__(self, data: object) -> None:
        self._data = data

    @property
    def data(self) -> object:
        return self._data


async def read_body(request: Request) -> bytes:
    """Read the whole body.

    Raises:
        InvalidRequestError: the body is larger than 64 KiB.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise InvalidRequestError("The body is larger than 64 KiB.")
    return body


def _check_media_type(request: Request, media_type: str) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise InvalidRequestError(f"The body must be {media_type}.")


async def read_form(request: Request) -> Pairs:
    """Read the parameters of a form body. Parameters without a value are ignored (RFC 6749, section 3.2).

    Raises:
        InvalidRequestError: the body is not form-encoded, or a parameter occurs more than once.
    """
    _check_media_type(request, "application/x-www-form-urlencoded")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=100)
    except ValueError:
        raise InvalidRequestError("The body is not UTF-8, or has more than 100 parameters.") from None
    names = [name for name, _ in pairs if name != "resource"]
    if len(names) != len(set(names)):
        raise InvalidRequestError("A parameter occurs more than once.")
    return pairs


async def read_json(request: Request) -> JsonRequest:
    """Read a JSON body. Invalid JSON becomes `null`, which the endpoint refuses.

    Raises:
        InvalidRequestError: the body is not application/json, or it is too large.
    """
    _check_media_type(request, "application/json")
    json_request = JsonRequest(request.method, str(request.url), request.headers)
    body = await read_body(request)
    try:
        data = json.loads(body)
        json.dumps(data, ensure_ascii=False).encode()  # a single surrogate cannot be encoded in the response
    except (ValueError, RecursionError):
        data = None
    json_request.payload = _JsonBody(data)
    return json_request


class StandInServer(AuthorizationServer):
    """The authorization server with its state."""

    def __init__(self, settings: StandInSettings, state: StandInState, keys: SigningKeys) -> None:
        """Register the grants and endpoints."""
        super().__init__(scopes_supported=list(SCOPES))
        self.settings = settings
        self.state = state
        self.keys = keys
        self.register_token_generator("default", AccessTokens(settings, keys))
        extensions = [AuthorizationParameters(), RequireS256(required=True), ResourceIndicator()]
        self.register_grant(CodeGrant, [*extensions, IdToken(settings, keys)])
        self.register_grant(RefreshGrant)
        self.register_endpoint(RegistrationEndpoint())

    def query_client(self, client_id: str) -> RegisteredClient | None:
        """Return a registered client."""
        return self.state.clients.get(client_id)

    def authenticate_client(
        self, request: FormRequest, methods: list[str], endpoint: str = "token"
    ) -> RegisteredClient:
        """Authenticate a client with one method (RFC 6749, section 2.3).

        Raises:
            InvalidClientError: the authentication fails.
            InvalidRequestError: the request uses a method that is not supported, or several methods.
        """
        form = request.form
        if "client_assertion" in form or "client_assertion_type" in form:
            raise InvalidRequestError("client_assertion is not supported.")
        if "authorization" in request.headers:
            if "client_secret" in form:
                raise InvalidRequestError("The client uses the Authorization header and client_secret.")
            methods = ["client_secret_basic"]
        try:
            client: RegisteredClient = super().authenticate_client(request, methods, endpoint)
        except UnicodeDecodeError:
            raise InvalidClientError("The Authorization header is not UTF-8.", status_code=401) from None
        if form.get("client_id", client.client_id) != client.client_id:
            raise InvalidRequestError("client_id is not the client of the Authorization header.")
        return client

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Store the refresh token. Access tokens are signed and need no storage."""
        if value := token.get("refresh_token"):
            self.state.add_refresh_token(value, request.user)

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        """Return the request, which the endpoint creates: Authlib cannot read a body asynchronously."""
        return request

    def create_json_request(self, request: JsonRequest) -> JsonRequest:
        """Return the request, which the endpoint creates."""
        return request

    def handle_response(self, status: int, body: object, headers: list[tuple[str, str]]) -> Response:
        """Return a JSON response, or a redirect without a body, which names the issuer (RFC 9207)."""
        fields = dict(headers)
        if isinstance(body, dict):
            return JSONResponse(body, status, fields)
        fields["Location"] = add_params_to_uri(fields["Location"], [("iss", self.settings.issuer)])
        return Response(status_code=status, headers=fields | {"Cache-Control": "no-store"})

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Ignore signals, because nothing receives them."""
