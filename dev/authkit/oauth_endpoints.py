"""The ASGI application: OAuth endpoints at the paths of AuthKit."""

import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError, UnsupportedResponseTypeError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from dev.authkit.authorization_server import FormRequest, StandInServer, read_form, read_json
from dev.authkit.grants import CodeGrant
from dev.authkit.html_pages import consent_page, error_page, front_page
from dev.authkit.stand_in_settings import StandInSettings, authorization_server_metadata, openid_metadata
from dev.authkit.stand_in_state import Clock, Session, SigningKeys, StandInState

Endpoint = Callable[[Request], Awaitable[Response]]
ROTATE_KEYS_PATH = "/stand-in/rotate-keys"


def build_app(settings: StandInSettings, now: Clock = time.time, keys: SigningKeys | None = None) -> Starlette:
    """Build the ASGI application.

    Args:
        settings: the settings of the stand-in.
        now: the clock; a test can pass another clock.
        keys: the signing keys, for a test that signs tokens itself.
    """
    server = StandInServer(settings, StandInState(now), keys or SigningKeys(settings.access_token_seconds, now))
    # Browser clients call these endpoints from other origins. Other origins must not read the HTML pages.
    cors_routes = [
        _json_route("/.well-known/oauth-authorization-server", lambda: authorization_server_metadata(settings)),
        _json_route("/.well-known/openid-configuration", lambda: openid_metadata(settings)),
        _json_route("/oauth2/jwks", lambda: server.keys.published().as_dict(private=False)),
        Route("/oauth2/register", _registration(server), methods=["POST"]),
        Route("/oauth2/token", _token(server), methods=["POST"]),
    ]
    cors = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["*"])
    hosts = [urlsplit(settings.issuer).netloc.rpartition(":")[0], "localhost", "127.0.0.1"]
    return Starlette(
        routes=[
            Route("/", _front(settings)),
            Route("/oauth2/authorize", _authorize(server)),
            Route("/oauth2/consent", _consent(server), methods=["POST"]),
            Route(ROTATE_KEYS_PATH, _rotate(server, settings.issuer), methods=["POST"]),
            Mount("/", routes=cors_routes, middleware=[cors]),
        ],
        # Against DNS rebinding, where a foreign page resolves its own host name to this machine.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
    )


def _json_route(path: str, content: Callable[[], object]) -> Route:
    async def send_json(_request: Request) -> Response:
        return JSONResponse(content(), headers={"Cache-Control": "no-store"})

    return Route(path, send_json)


def _front(settings: StandInSettings) -> Endpoint:
    async def front(_request: Request) -> Response:
        return front_page(settings)

    return front


def _registration(server: StandInServer) -> Endpoint:
    async def register(request: Request) -> Response:
        try:
            registration = await read_json(request)
            response: Response = server.create_endpoint_response("client_registration", registration)
        except OAuth2Error as error:
            response = server.handle_error_response(request, error)
        return response

    return register


def _token(server: StandInServer) -> Endpoint:
    async def token(request: Request) -> Response:
        try:
            token_request = FormRequest(request, server.settings, await read_form(request))
            if not token_request.payload.grant_type:
                raise InvalidRequestError("grant_type is missing.")
            response: Response = server.create_token_response(token_request)
        except OAuth2Error as error:
            response = server.handle_error_response(request, error)
        return response

    return token


def _authorize(server: StandInServer) -> Endpoint:
    async def authorize(request: Request) -> Response:
        authorization = FormRequest(request, server.settings, parse_qsl(request.url.query))
        try:
            grant = _validate(server, authorization)
        except OAuth2Error as error:
            # An error is sent to a redirect URI only if the client has registered it (RFC 6749, 4.1.2.1).
            return server.handle_error_response(authorization, error) if error.redirect_uri else error_page(error)
        if server.settings.auto_consent:
            return _redirect(server, authorization, grant, allowed=True)
        ticket = server.state.add_pending(authorization, server.settings.consent_seconds)
        resource = authorization.payload.data.get("resource")
        return consent_page(authorization.client, grant.redirect_uri, authorization.scope, resource, ticket)

    return authorize


def _consent(server: StandInServer) -> Endpoint:
    async def consent(request: Request) -> Response:
        try:
            form = dict(await read_form(request))
            if form.get("choice") not in {"allow", "deny"}:
                raise InvalidRequestError("The choice must be allow or deny.")
            authorization = server.state.pop_pending(form.get("ticket", ""))
            if authorization is None:
                raise InvalidRequestError("This page was used already or is too old. Start again from the client.")
            grant = _validate(server, authorization)
            return _redirect(server, authorization, grant, allowed=form["choice"] == "allow")
        except OAuth2Error as error:
            return error_page(error)

    return consent


def _rotate(server: StandInServer, issuer: str) -> Endpoint:
    async def rotate(request: Request) -> Response:
        if request.headers.get("origin", issuer) != issuer:  # a page of another site can send a POST
            return JSONResponse({"error": "only a program or a page of this server can rotate the keys"}, 403)
        return JSONResponse({"kid": server.keys.rotate()})

    return rotate


def _validate(server: StandInServer, authorization: FormRequest) -> CodeGrant:
    """Validate an authorization request, and return its grant.

    Raises:
        OAuth2Error: the request is invalid. The error has a `redirect_uri` if it must be sent to the client.
    """
    try:
        # A request with prompt=none, which must not show a page, is possible only with auto_consent.
        grant: CodeGrant = server.get_consent_grant(authorization, end_user=server.settings.auto_consent or None)
    except UnsupportedResponseTypeError as error:
        missing = not authorization.payload.response_type
        error.error = "invalid_request" if missing else error.error
        error.description = "response_type is missing." if missing else "The response_type must be code."
        raise
    except ValueError:  # Authlib refuses the characters of a parameter in its own error message
        raise InvalidRequestError("A parameter has an invalid value.") from None
    return grant


def _redirect(server: StandInServer, authorization: FormRequest, grant: CodeGrant, *, allowed: bool) -> Response:
    """Redirect to the client, with a code or with `access_denied`."""
    resource = authorization.payload.data.get("resource")
    session = Session(authorization.client.client_id, authorization.scope, resource) if allowed else None
    response: Response = server.create_authorization_response(authorization, grant_user=session, grant=grant)
    return response
