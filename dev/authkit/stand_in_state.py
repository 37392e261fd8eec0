"""What the stand-in remembers, all of it in memory: clients, sign-ins, codes, tokens and keys."""

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
    """A registered client (RFC 7591, section 2); `secret` is empty for a public one."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    auth_method: str
    grant_types: tuple[str, ...]
    scopes: tuple[str, ...] = SCOPES
    secret: str = ""

    def get_client_id(self) -> str:
        """Authlib's question."""
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        """The one that a request without `redirect_uri` means, if there is one only (RFC 6749, 3.1.2.3)."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is asked for, as far as the client has registered it; all of that if nothing is asked for.

        None if nothing is left: Authlib makes `invalid_scope` of it.
        """
        asked = scope.split() if scope else self.scopes
        return " ".join(name for name in asked if name in self.scopes) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Equal to a registered one (RFC 9700, 2.1); on a loopback address the port is free (RFC 8252, 7.3)."""
        wanted = _without_loopback_port(redirect_uri)
        return any(wanted == _without_loopback_port(registered) for registered in self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        """Compared in constant time."""
        return bool(self.secret) and secrets.compare_digest(self.secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """A client authenticates the way it has registered and no other."""
        return method == self.auth_method

    def check_response_type(self, response_type: str) -> bool:
        """There is one."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Authlib's question."""
        return grant_type in self.grant_types


def _without_loopback_port(uri: str) -> str:
    """RFC 8252 frees the port of the addresses, not of `localhost` (section 8.3)."""
    try:
        parts = urlsplit(uri)
        if parts.scheme != "http" or parts.hostname not in {"127.0.0.1", "::1"} or parts.port is None:
            return uri
    except ValueError:
        return uri
    return uri.replace(f":{parts.port}", "", 1)


@dataclass(frozen=True)
class Session:
    """What a person has allowed a client; every code and token belongs to one, and ends with it."""

    client_id: str
    scope: str
    resource: str | None
    session_id: str = field(default_factory=lambda: f"session_{secrets.token_hex(13)}")

    def get_user_id(self) -> str:
        """Authlib takes the session for the user: there is one person here, and a token is for a session."""
        return USER_ID


@dataclass(frozen=True)
class AuthorizationCode(AuthorizationCodeMixin):
    """An authorization code and all that it is bound to."""

    code: str
    session: Session
    redirect_uri: str | None
    code_challenge: str
    expires_at: float
    nonce: str | None = None
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str | None:
        """As the client has sent it: None if it did not."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Authlib's question."""
        return self.session.scope

    def get_nonce(self) -> str | None:
        """For the ID token (OpenID Connect Core 1.0, 3.1.3.6)."""
        return self.nonce

    def get_auth_time(self) -> None:
        """Not kept: nobody signs in here."""

    get_acr = get_amr = get_auth_time


@dataclass(frozen=True)
class RefreshToken(TokenMixin):
    """A refresh token; `spent` ones are kept, so that a second use is noticed."""

    value: str
    session: Session

    def check_client(self, client: RegisteredClient) -> bool:
        """Authlib's question."""
        return self.session.client_id == client.client_id

    def get_scope(self) -> str:
        """What the person has allowed."""
        return self.session.scope


@dataclass(frozen=True)
class PendingRequest:
    """An authorization request that waits for a person's choice."""

    request: OAuth2Request
    expires_at: float


@dataclass
class StandInState:
    """Everything by its key. Nothing is written to disk, and a restart forgets it all."""

    now: Clock = time.time
    clients: dict[str, RegisteredClient] = field(default_factory=dict)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    pending: dict[str, PendingRequest] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)

    def use_code(self, value: str, client_id: str) -> AuthorizationCode | None:
        """The code, if it is this client's, unused and not expired."""
        code = self.codes.get(value)
        usable = code and self._usable(value, code.session, client_id) and code.expires_at > self.now()
        return code if usable else None

    def use_refresh_token(self, value: str, client_id: str) -> RefreshToken | None:
        """The refresh token, if it is this client's, unused, and its session has not ended."""
        token = self.refresh_tokens.get(value)
        return token if token and self._usable(value, token.session, client_id) else None

    def remember(self, refresh_token: str, session: Session) -> None:
        """A refresh token has been issued."""
        self.refresh_tokens[refresh_token] = RefreshToken(refresh_token, session)

    def _usable(self, value: str, session: Session, client_id: str) -> bool:
        """Whether it is this client's and alive; a second use ends the session (RFC 6749, 4.1.2; RFC 9700, 4.14.2)."""
        if session.client_id != client_id:
            return False
        if value in self.spent:
            self.ended.add(session.session_id)
        return session.session_id not in self.ended

    def hold(self, request: OAuth2Request, seconds: float) -> str:
        """Keep a request for a person's choice; a ticket that can't be guessed."""
        now = self.now()
        self.pending = {ticket: kept for ticket, kept in self.pending.items() if kept.expires_at > now}
        ticket = secrets.token_urlsafe(32)
        self.pending[ticket] = PendingRequest(request, now + seconds)
        return ticket

    def take(self, ticket: str) -> OAuth2Request | None:
        """The request behind a ticket, once."""
        kept = self.pending.pop(ticket, None)
        return kept.request if kept and kept.expires_at > self.now() else None


class SigningKeys:
    """The signing key, the next one, and the old ones until the last token of theirs has expired.

    The next key is published before it signs: a verifier that keeps what it has read, as FastMCP's does for 30
    seconds at least, knows it already when the first token comes.
    """

    def __init__(self, token_seconds: int, now: Clock = time.time) -> None:
        """Take how long a token lives."""
        self._token_seconds = token_seconds
        self._now = now
        self._retired: list[tuple[RSAKey, float]] = []
        self._current, self._next = _new_key(), _new_key()

    def rotate(self) -> str:
        """Sign with the next key from now on; its `kid`."""
        self._retired.append((self._current, self._now() + self._token_seconds))
        self._current, self._next = self._next, _new_key()
        return str(self._current.kid)

    def signing(self) -> KeySet:
        """The key that signs, alone, so that its `kid` gets into the header."""
        return KeySet([self._current])

    def published(self) -> KeySet:
        """What `/oauth2/jwks` shows."""
        now = self._now()
        self._retired = [(key, until) for key, until in self._retired if until > now]
        return KeySet([self._current, self._next, *(key for key, _ in self._retired)])


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
