"""The endpoints, at AuthKit's paths."""

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
ROTATE_PATH = "/stand-in/rotate-keys"


def build_app(settings: StandInSettings, now: Clock = time.time, keys: SigningKeys | None = None) -> Starlette:
    """The ASGI application for one environment; `now` and `keys` are for tests that let time pass or sign."""
    server = StandInServer(settings, StandInState(now), keys or SigningKeys(settings.access_token_seconds, now))
    # RFC 8414 and MCP's browser clients read these from another origin; the pages are nobody else's to read.
    shared = [
        _json("/.well-known/oauth-authorization-server", lambda: authorization_server_metadata(settings)),
        _json("/.well-known/openid-configuration", lambda: openid_metadata(settings)),
        _json("/oauth2/jwks", lambda: server.keys.published().as_dict(private=False)),
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
            Route(ROTATE_PATH, _rotate(server), methods=["POST"]),
            Mount("/", routes=shared, middleware=[cors]),
        ],
        # Against DNS rebinding: a page elsewhere that has its own name resolved to this machine.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
    )


def _json(path: str, content: Callable[[], object]) -> Route:
    async def answer(_request: Request) -> Response:
        return JSONResponse(content(), headers={"Cache-Control": "no-store"})

    return Route(path, answer)


def _front(settings: StandInSettings) -> Endpoint:
    async def front(_request: Request) -> Response:
        return front_page(settings)

    return front


def _registration(server: StandInServer) -> Endpoint:
    async def register(request: Request) -> Response:
        try:
            asked = await read_json(request)
            answer: Response = server.create_endpoint_response("client_registration", asked)
        except OAuth2Error as error:
            answer = server.handle_error_response(request, error)
        return answer

    return register


def _token(server: StandInServer) -> Endpoint:
    async def token(request: Request) -> Response:
        try:
            asked = FormRequest(request, server.settings, await read_form(request))
            if not asked.payload.grant_type:
                raise InvalidRequestError("grant_type is missing.")
            answer: Response = server.create_token_response(asked)
        except OAuth2Error as error:
            answer = server.handle_error_response(request, error)
        return answer

    return token


def _authorize(server: StandInServer) -> Endpoint:
    async def authorize(request: Request) -> Response:
        asked = FormRequest(request, server.settings, parse_qsl(request.url.query))
        try:
            grant = _checked(server, asked)
        except OAuth2Error as error:
            # Only a redirect URI that has been checked gets anything (RFC 6749, 4.1.2.1).
            return server.handle_error_response(asked, error) if error.redirect_uri else error_page(error)
        if server.settings.auto_consent:
            return _decide(server, asked, grant, allowed=True)
        ticket = server.store.hold(asked, server.settings.consent_seconds)
        resource = asked.payload.data.get("resource")
        return consent_page(asked.client, grant.redirect_uri, asked.scope, resource, ticket)

    return authorize


def _consent(server: StandInServer) -> Endpoint:
    async def consent(request: Request) -> Response:
        try:
            form = dict(await read_form(request))
            if form.get("choice") not in {"allow", "deny"}:
                raise InvalidRequestError("The choice is neither allow nor deny.")
            asked = server.store.take(form.get("ticket", ""))
            if asked is None:
                raise InvalidRequestError("This page is used or too old. Start again from the client.")
            return _decide(server, asked, _checked(server, asked), allowed=form["choice"] == "allow")
        except OAuth2Error as error:
            return error_page(error)

    return consent


def _rotate(server: StandInServer) -> Endpoint:
    async def rotate(_request: Request) -> Response:
        return JSONResponse({"kid": server.keys.rotate()})

    return rotate


def _checked(server: StandInServer, asked: FormRequest) -> CodeGrant:
    """The grant for an authorization request that is in order.

    Raises:
        OAuth2Error: it is not; with `redirect_uri` where the client is to be told.
    """
    try:
        # A request that must not show a page (prompt=none) has a person only where nobody is asked.
        grant: CodeGrant = server.get_consent_grant(asked, end_user=server.settings.auto_consent or None)
    except UnsupportedResponseTypeError as error:
        missing = not asked.payload.response_type
        error.error = "invalid_request" if missing else error.error
        error.description = "response_type is missing." if missing else "The only response_type is code."
        raise
    except ValueError:  # Authlib, of a message that repeats a parameter with characters that no message may have
        raise InvalidRequestError("A parameter has a value that can't be one.") from None
    return grant


def _decide(server: StandInServer, asked: FormRequest, grant: CodeGrant, *, allowed: bool) -> Response:
    """Back to the client, with a code or with `access_denied`."""
    resource = asked.payload.data.get("resource")
    session = Session(asked.client.client_id, asked.scope, resource) if allowed else None
    response: Response = server.create_authorization_response(asked, grant_user=session, grant=grant)
    return response
