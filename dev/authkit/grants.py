"""Authlib's grants with AuthKit's choices: PKCE by S256 always, and RFC 8707's `resource` as the audience."""

import secrets
from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeGrant,
    InvalidRequestError,
    OAuth2Error,
    OAuth2Request,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import OpenIDCode
from joserfc.jwk import KeySet

from dev.authkit.stand_in_settings import AUTH_METHODS, EMAIL, USER_ID, StandInSettings, is_resource
from dev.authkit.stand_in_state import (
    AuthorizationCode,
    RefreshToken,
    RegisteredClient,
    Session,
    SigningKeys,
    StandInState,
)


class InvalidTargetError(OAuth2Error):
    """The resource can't be served (RFC 8707, section 2)."""

    error = "invalid_target"


class CodeGrant(AuthorizationCodeGrant):
    """RFC 6749, section 4.1."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)

    @staticmethod
    def validate_authorization_redirect_uri(request: OAuth2Request, client: RegisteredClient) -> str:
        """Where the answer goes. The message doesn't repeat the URI: not every character may be in it."""
        asked = request.payload.redirect_uri
        if asked and not client.check_redirect_uri(asked):
            raise InvalidRequestError("This redirect_uri is not registered for the client.")
        uri = asked or client.get_default_redirect_uri()
        if not uri:
            raise InvalidRequestError("Which redirect_uri? The client has registered several.")
        return str(uri)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        """The request has been checked, and the person has allowed it: `request.user` is the session."""
        data = request.payload.data
        store: StandInState = self.server.store
        expires_at = store.now() + self.server.settings.code_seconds
        store.codes[code] = AuthorizationCode(
            code, request.user, request.payload.redirect_uri, data["code_challenge"], expires_at, data.get("nonce")
        )

    def query_authorization_code(self, code: str, client: RegisteredClient) -> AuthorizationCode | None:
        """None is `invalid_grant`."""
        store: StandInState = self.server.store
        return store.use_code(code, client.client_id)

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Kept as spent, so that a replay is noticed."""
        self.server.store.spent.add(authorization_code.code)

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Session:
        """Whom the tokens are for."""
        return authorization_code.session


class RefreshGrant(RefreshTokenGrant):
    """RFC 6749, section 6, with a new refresh token each time."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = list(AUTH_METHODS)
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        """None is `invalid_grant`."""
        store: StandInState = self.server.store
        return store.use_refresh_token(refresh_token, self.request.client.client_id)

    def validate_token_request(self) -> None:
        """Authlib's checks, and the resource."""
        super().validate_token_request()
        check_resource(self.request, self.request.refresh_token.session, self.server.settings)

    def authenticate_user(self, refresh_token: RefreshToken) -> Session:
        """Whom the tokens are for."""
        return refresh_token.session

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """Kept as spent, so that a replay is noticed."""
        self.server.store.spent.add(refresh_token.value)


class RequireS256(CodeChallenge):
    """RFC 7636, required of every client, with S256 alone."""

    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar = ["S256"]

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Authlib lets a request without any challenge pass, and takes a missing method for `plain`."""
        data = grant.request.payload.data
        if not data.get("code_challenge"):
            raise InvalidRequestError("PKCE is required: code_challenge is missing.")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required with code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class ResourceIndicator:
    """RFC 8707 for the code grant."""

    def __call__(self, grant: CodeGrant) -> None:
        """Authlib calls this with each grant that it makes."""
        grant.register_hook("after_validate_authorization_request_payload", self._at_authorization)
        grant.register_hook("after_validate_token_request", self._at_token)

    @staticmethod
    def _at_authorization(grant: CodeGrant, _redirect_uri: str) -> None:
        """AuthKit doesn't look here whether the resource is registered: it says so at the token endpoint."""
        asked = grant.request.payload.datalist.get("resource", [])
        if len(asked) > 1:
            raise InvalidTargetError("One resource at a time, please.")
        if asked and not is_resource(asked[0]):
            raise InvalidTargetError("The resource is not an absolute URI without a fragment.")

    @staticmethod
    def _at_token(grant: CodeGrant, _result: None) -> None:
        check_resource(grant.request, grant.request.authorization_code.session, grant.server.settings)


def check_resource(request: OAuth2Request, session: Session, settings: StandInSettings) -> None:
    """Refuse a resource at the token endpoint that was not allowed, or that is no Resource Indicator here.

    Raises:
        InvalidTargetError: it can't have a token.
    """
    asked = request.payload.datalist.get("resource", [])
    if not settings.resources:
        return
    if asked and asked != [session.resource]:
        raise InvalidTargetError("The resource is not the one of the authorization request.")
    if session.resource is not None and session.resource not in settings.resources:
        raise InvalidTargetError("The resource is not among the Resource Indicators (--resource) of this stand-in.")


class AccessTokens(JWTBearerTokenGenerator):
    """RFC 9068's access tokens, and opaque refresh tokens."""

    def __init__(self, settings: StandInSettings, keys: SigningKeys) -> None:
        """Take what the tokens say and how they are signed."""
        super().__init__(
            issuer=settings.issuer,
            refresh_token_generator=_refresh_token,
            expires_generator=settings.access_token_seconds,
        )
        self._settings = settings
        self._keys = keys

    def get_jwks(self) -> KeySet:
        """The key that signs."""
        return self._keys.signing()

    def get_audiences(self, _client: RegisteredClient, user: Session, _scope: str) -> str:
        """The resource, or the environment where AuthKit knows of none."""
        return user.resource if user.resource in self._settings.resources else self._settings.client_id

    def get_extra_claims(
        self, _client: RegisteredClient, _grant_type: str, user: Session, _scope: str
    ) -> dict[str, str]:
        """AuthKit's `sid`."""
        return {"sid": user.session_id}

    def generate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """AuthKit gives a refresh token for `offline_access` alone."""
        token: dict[str, Any] = super().generate(*args, **kwargs)
        if "offline_access" not in token.get("scope", "").split():
            token.pop("refresh_token", None)
        return token


def _refresh_token(**_for: object) -> str:
    return secrets.token_urlsafe(32)


class IdToken(OpenIDCode):
    """OpenID Connect Core 1.0, section 3.1.3.3: an ID token where `openid` has been allowed."""

    def __init__(self, settings: StandInSettings, keys: SigningKeys) -> None:
        """Take what the tokens say and how they are signed."""
        super().__init__()
        self._settings = settings
        self._keys = keys

    def exists_nonce(self, _nonce: str, _request: OAuth2Request) -> bool:
        """The code is used once, and the nonce with it."""
        return False

    def resolve_client_private_key(self, _client: RegisteredClient) -> KeySet:
        """The key that signs."""
        return self._keys.signing()

    def get_client_claims(self, client: RegisteredClient) -> dict[str, str]:
        """Who says it, and to whom."""
        return {"iss": self._settings.issuer, "aud": client.client_id}

    def get_encode_header(self, _client: RegisteredClient) -> dict[str, str]:
        """`kid` comes with the key."""
        return {"alg": "RS256"}

    def generate_user_info(self, _user: Session, scope: str) -> dict[str, Any]:
        """The one person there is."""
        return {"sub": USER_ID} | ({"email": EMAIL, "email_verified": True} if "email" in scope.split() else {})
