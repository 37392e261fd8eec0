"""Authlib's grants with AuthKit's options: PKCE with S256 is required, and `resource` (RFC 8707) is the audience."""

import re
import secrets
from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    OAuth2Request,
    RefreshTokenGrant,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import OpenIDCode
from joserfc.jwk import KeySet

from dev.authkit.stand_in_settings import AUTH_METHODS, EMAIL, USER_ID, StandInSettings, is_resource, is_scope
from dev.authkit.stand_in_state import (
    AuthorizationCode,
    RefreshToken,
    RegisteredClient,
    Session,
    SigningKeys,
    StandInState,
)


class InvalidTargetError(OAuth2Error):
    """The error for an invalid resource (RFC 8707, section 2)."""

    error = "invalid_target"


class CodeGrant(AuthorizationCodeGrant):
    """Authorization code grant (RFC 6749, section 4.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)

    @staticmethod
    def validate_no_multiple_request_parameter(request: OAuth2Request) -> None:
        """Check only the parameters without which no error can be sent to the client."""
        for name in ("client_id", "redirect_uri"):
            if len(request.payload.datalist.get(name, [])) > 1:
                raise InvalidRequestError(f"{name} occurs more than once.")

    @staticmethod
    def validate_authorization_redirect_uri(request: OAuth2Request, client: RegisteredClient) -> str:
        """Return the redirect URI. Error messages do not contain it, because not every character is allowed there."""
        requested = request.payload.redirect_uri
        if requested and not client.check_redirect_uri(requested):
            raise InvalidRequestError("This redirect_uri is not registered for the client.")
        uri = requested or client.get_default_redirect_uri()
        if not uri:
            raise InvalidRequestError("redirect_uri is missing, and the client has registered several.")
        return str(uri)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """Store the code of an allowed request; `request.user` is the session."""
        data = request.payload.data
        state: StandInState = self.server.state
        expires_at = state.now() + self.server.settings.code_seconds
        state.codes[code] = AuthorizationCode(
            code, request.user, request.payload.redirect_uri, data["code_challenge"], expires_at, data.get("nonce")
        )

    def query_authorization_code(self, code: str, client: RegisteredClient) -> AuthorizationCode | None:
        """Return the code or token; Authlib answers `invalid_grant` for None."""
        state: StandInState = self.server.state
        return state.use_code(code, client.client_id)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Mark it as used instead of deleting it, so that a second use is detected."""
        self.server.state.used_values.add(authorization_code.code)

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Session:
        """Return the session that the tokens are for."""
        return authorization_code.session


class RefreshGrant(RefreshTokenGrant):
    """Refresh token grant (RFC 6749, section 6), with a new refresh token for each request."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        """Return the code or token; Authlib answers `invalid_grant` for None."""
        state: StandInState = self.server.state
        return state.use_refresh_token(refresh_token, self.request.client.client_id)

    def validate_token_request(self) -> None:
        """Run Authlib's checks, and check the form of the scope and the resource."""
        check_scope(self.request)
        super().validate_token_request()
        check_resource(self.request, self.request.refresh_token.session, self.server.settings)

    def authenticate_user(self, refresh_token: RefreshToken) -> Session:
        """Return the session that the tokens are for."""
        return refresh_token.session

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """Mark it as used instead of deleting it, so that a second use is detected."""
        self.server.state.used_values.add(refresh_token.value)


def check_scope(request: OAuth2Request) -> None:
    """Check the form of the requested scope.

    Raises:
        InvalidScopeError: it is not a list of scopes with single spaces between them.
    """
    if request.payload.scope and not is_scope(request.payload.scope):
        raise InvalidScopeError("The scopes must have single spaces between them.")


class AuthorizationParameters:
    """Parameters of an authorization request that Authlib does not check."""

    def __call__(self, grant: CodeGrant) -> None:
        """Register the hook; Authlib calls this with each grant."""
        grant.register_hook("before_validate_authorization_request_payload", self._check)

    def _check(self, grant: CodeGrant, _redirect_uri: str) -> None:
        payload = grant.request.payload
        repeated = [name for name, values in payload.datalist.items() if len(values) > 1 and name != "resource"]
        if repeated:  # RFC 6749, section 3.1
            raise InvalidRequestError("A parameter occurs more than once.")
        for name in ("request", "request_uri", "registration"):  # OpenID Connect Core 1.0, section 3.1.2.6
            if payload.data.get(name):
                raise OAuth2Error(f"The parameter {name} is not supported.", error=f"{name}_not_supported")
        if not grant.request.client.check_grant_type("authorization_code"):
            raise UnauthorizedClientError("The client has not registered the grant type authorization_code.")
        check_scope(grant.request)
        for name, pattern in _VALUES.items():
            value = payload.data.get(name)
            if value and not re.fullmatch(pattern, value):
                raise InvalidRequestError(f"{name} has a value that is not supported.")


# OpenID Connect Core 1.0, section 3.1.2.1; OAuth 2.0 Multiple Response Types, section 2.1
_PROMPT = "none|login|consent|select_account"
_VALUES = {
    "response_type": "code",
    "response_mode": "query",
    "max_age": "[0-9]+",
    "prompt": f"({_PROMPT})( ({_PROMPT}))*",
}


class RequireS256(CodeChallenge):
    """PKCE (RFC 7636), which is required for every client, and only with S256."""

    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar = ["S256"]

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Require a challenge and S256. Authlib allows a missing challenge, and a missing method means `plain`."""
        data = grant.request.payload.data
        if not data.get("code_challenge"):
            raise InvalidRequestError("PKCE is required: code_challenge is missing.")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required with code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class ResourceIndicator:
    """Resource indicators (RFC 8707) for the code grant."""

    def __call__(self, grant: CodeGrant) -> None:
        """Register the hooks; Authlib calls this with each grant."""
        grant.register_hook("after_validate_authorization_request_payload", self._check_authorization_request)
        grant.register_hook("after_validate_token_request", self._check_token_request)

    @staticmethod
    def _check_authorization_request(grant: CodeGrant, _redirect_uri: str) -> None:
        """Check only the form. Like AuthKit, the token endpoint refuses a resource that is not registered."""
        requested = grant.request.payload.datalist.get("resource", [])
        if len(requested) > 1:
            raise InvalidTargetError("Only one resource is allowed in a request.")
        if requested and not is_resource(requested[0]):
            raise InvalidTargetError("The resource must be an absolute URI without a fragment.")

    @staticmethod
    def _check_token_request(grant: CodeGrant, _result: None) -> None:
        check_resource(grant.request, grant.request.authorization_code.session, grant.server.settings)


def check_resource(request: OAuth2Request, session: Session, settings: StandInSettings) -> None:
    """Check the resource at the token endpoint.

    Raises:
        InvalidTargetError: the resource is not that of the session, or not a Resource Indicator of the settings.
    """
    requested = request.payload.datalist.get("resource", [])
    if not settings.resources:
        return
    if requested and requested != [session.resource]:
        raise InvalidTargetError("The resource must be that of the authorization request.")
    if session.resource is not None and session.resource not in settings.resources:
        raise InvalidTargetError("The resource is not among the Resource Indicators (--resource) of this stand-in.")


class AccessTokens(JWTBearerTokenGenerator):
    """JWT access tokens (RFC 9068) and opaque refresh tokens."""

    def __init__(self, settings: StandInSettings, keys: SigningKeys) -> None:
        """Use these settings and signing keys."""
        super().__init__(
            issuer=settings.issuer,
            refresh_token_generator=_generate_refresh_token,
            expires_generator=settings.access_token_seconds,
        )
        self._settings = settings
        self._keys = keys

    def get_jwks(self) -> KeySet:
        """Return the signing key."""
        return self._keys.signing()

    def get_audiences(self, _client: RegisteredClient, user: Session, _scope: str) -> str:
        """Return the resource, or the client id of the environment if the resource is not a Resource Indicator."""
        return user.resource if user.resource in self._settings.resources else self._settings.client_id

    def get_extra_claims(
        self, _client: RegisteredClient, _grant_type: str, user: Session, _scope: str
    ) -> dict[str, str]:
        """Return the claim `sid`, which AuthKit's tokens have."""
        return {"sid": user.session_id}

    def generate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Generate tokens. Like AuthKit, give a refresh token only for `offline_access`."""
        token: dict[str, Any] = super().generate(*args, **kwargs)
        if "offline_access" not in token.get("scope", "").split():
            token.pop("refresh_token", None)
        return token


def _generate_refresh_token(**_options: object) -> str:
    return secrets.token_urlsafe(32)


class IdToken(OpenIDCode):
    """ID tokens for the scope `openid` (OpenID Connect Core 1.0, section 3.1.3.3)."""

    def __init__(self, settings: StandInSettings, keys: SigningKeys) -> None:
        """Use these settings and signing keys."""
        super().__init__()
        self._settings = settings
        self._keys = keys

    def exists_nonce(self, _nonce: str, _request: OAuth2Request) -> bool:
        """Return False: a nonce belongs to a code, and a code can be used only once."""
        return False

    def resolve_client_private_key(self, _client: RegisteredClient) -> KeySet:
        """Return the signing key."""
        return self._keys.signing()

    def get_client_claims(self, client: RegisteredClient) -> dict[str, str]:
        """Return the issuer and the audience."""
        return {"iss": self._settings.issuer, "aud": client.client_id}

    def get_encode_header(self, _client: RegisteredClient) -> dict[str, str]:
        """Return the header; the key adds its `kid`."""
        return {"alg": "RS256"}

    def generate_user_info(self, _user: Session, scope: str) -> dict[str, Any]:
        """Return the claims of the only user."""
        return {"sub": USER_ID} | ({"email": EMAIL, "email_verified": True} if "email" in scope.split() else {})
