"""State of the stand-in, in memory: registered clients, sessions, codes, refresh tokens and signing keys."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, OAuth2Request, TokenMixin
from joserfc.jwk import KeySet, RSAKey

from dev.authkit.stand_in_settings import SCOPES, USER_ID

Clock = Callable[[], float]


@dataclass(frozen=True)
class RegisteredClient(ClientMixin):
    """A registered client (RFC 7591, section 2). `secret` is empty for a public client."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    auth_method: str
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...] = SCOPES
    secret: str = ""
    is_native: bool = False

    def get_client_id(self) -> str:
        """Return the client id."""
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        """Return the URI of a request without `redirect_uri`, if only one is registered (RFC 6749, 3.1.2.3)."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return the requested scopes that the client has registered, or all registered scopes without a request.

        None means that no scope is allowed; Authlib then answers `invalid_scope`.
        """
        requested = scope.split() if scope else self.scopes
        return " ".join(name for name in requested if name in self.scopes) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Compare exactly (RFC 9700, 2.1). A native app can use any port of a loopback address (RFC 8252, 7.3)."""
        if not self.is_native:
            return redirect_uri in self.redirect_uris
        requested = _without_loopback_port(redirect_uri)
        return any(requested == _without_loopback_port(registered) for registered in self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare in constant time."""
        return bool(self.secret) and secrets.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Allow only the authentication method that the client has registered."""
        return method == self.auth_method

    def check_response_type(self, response_type: str) -> bool:
        """Allow only `code`."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Allow only grant types that the client has registered."""
        return grant_type in self.grant_types


def _without_loopback_port(uri: str) -> str:
    """Remove the port of a loopback address; RFC 8252, section 8.3, does not include `localhost`."""
    try:
        parts = urlsplit(uri)
        if parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "::1"} or parts.port is None:
            return uri
    except ValueError:
        return uri
    return uri.replace(f":{parts.port}", "", 1)


@dataclass(frozen=True)
class Session:
    """The consent of a person for a client. Every code and token belongs to a session and ends with it."""

    client_id: str
    scope: str
    resource: str | None
    session_id: str = field(default_factory=lambda: f"session_{secrets.token_hex(13)}")

    def get_user_id(self) -> str:
        """Return the id of the only user. Authlib gets the session as its user, because a token is for a session."""
        return USER_ID


@dataclass(frozen=True)
class AuthorizationCode(AuthorizationCodeMixin):
    """An authorization code, with the parameters of its authorization request."""

    code: str
    session: Session
    redirect_uri: str | None
    code_challenge: str
    expires_at: float
    nonce: str | None = None
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str | None:
        """Return the `redirect_uri` of the request, or None if the request had none."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return the allowed scope."""
        return self.session.scope

    def get_nonce(self) -> str | None:
        """Return the nonce for the ID token (OpenID Connect Core 1.0, 3.1.3.6)."""
        return self.nonce

    def get_auth_time(self) -> None:
        """Return None, because nobody signs in here."""

    get_acr = get_amr = get_auth_time


@dataclass(frozen=True)
class RefreshToken(TokenMixin):
    """A refresh token."""

    value: str
    session: Session

    def check_client(self, client: RegisteredClient) -> bool:
        """Whether the token belongs to the client."""
        return self.session.client_id == client.client_id

    def get_scope(self) -> str:
        """Return the allowed scope."""
        return self.session.scope


@dataclass(frozen=True)
class PendingRequest:
    """An authorization request that waits for the choice of a person."""

    request: OAuth2Request
    expires_at: float


@dataclass
class StandInState:
    """All state except the keys. It is not written to disk, so it is lost when the process ends.

    Used codes and refresh tokens stay in `used_values`, so that a second use is detected.
    """

    now: Clock = time.time
    clients: dict[str, RegisteredClient] = field(default_factory=dict)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    pending: dict[str, PendingRequest] = field(default_factory=dict)
    used_values: set[str] = field(default_factory=set)
    ended_sessions: set[str] = field(default_factory=set)

    def use_code(self, value: str, client_id: str) -> AuthorizationCode | None:
        """Return the code if it belongs to the client, is unused and has not expired."""
        code = self.codes.get(value)
        usable = code and self._is_usable(value, code.session, client_id) and code.expires_at > self.now()
        return code if usable else None

    def use_refresh_token(self, value: str, client_id: str) -> RefreshToken | None:
        """Return the refresh token if it belongs to the client, is unused, and its session has not ended."""
        token = self.refresh_tokens.get(value)
        return token if token and self._is_usable(value, token.session, client_id) else None

    def add_refresh_token(self, refresh_token: str, session: Session) -> None:
        """Store an issued refresh token."""
        self.refresh_tokens[refresh_token] = RefreshToken(refresh_token, session)

    def _is_usable(self, value: str, session: Session, client_id: str) -> bool:
        """Whether a code or token is usable; a second use ends its session (RFC 6749, 4.1.2; RFC 9700, 4.14.2)."""
        if session.client_id != client_id:
            return False
        if value in self.used_values:
            self.ended_sessions.add(session.session_id)
        return session.session_id not in self.ended_sessions

    def add_pending(self, request: OAuth2Request, seconds: float) -> str:
        """Store a request that waits for a choice, and return its ticket, which nobody can guess."""
        now = self.now()
        self.pending = {key: pending for key, pending in self.pending.items() if pending.expires_at > now}
        ticket = secrets.token_urlsafe(32)
        self.pending[ticket] = PendingRequest(request, now + seconds)
        return ticket

    def pop_pending(self, ticket: str) -> OAuth2Request | None:
        """Return the request of a ticket and delete it; None if the ticket is unknown or has expired."""
        pending = self.pending.pop(ticket, None)
        return pending.request if pending and pending.expires_at > self.now() else None


class SigningKeys:
    """The signing key, the next key, and old keys until their last token has expired.

    The next key is published before it signs, because verifiers cache the published keys (FastMCP's for at least 30
    seconds). So a verifier has the key already when it gets the first token.
    """

    def __init__(self, token_seconds: int, now: Clock = time.time) -> None:
        """Create two keys; `token_seconds` is the lifetime of a token."""
        self._token_seconds = token_seconds
        self._now = now
        self._retired: list[tuple[RSAKey, float]] = []
        self._current, self._next = _new_key(), _new_key()

    def rotate(self) -> str:
        """Sign with the next key from now on, and return its `kid`."""
        self._retired.append((self._current, self._now() + self._token_seconds))
        self._current, self._next = self._next, _new_key()
        return str(self._current.kid)

    def signing(self) -> KeySet:
        """Return a set with only the signing key, so that its `kid` is in the header of tokens."""
        return KeySet([self._current])

    def published(self) -> KeySet:
        """Return the keys for `/oauth2/jwks`."""
        now = self._now()
        self._retired = [(key, expires_at) for key, expires_at in self._retired if expires_at > now]
        return KeySet([self._current, self._next, *(key for key, _ in self._retired)])


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
