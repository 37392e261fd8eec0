"""Fixtures: the AuthKit stand-in on a free port, and an OAuth client that sends each request separately."""

import hashlib
import re
import secrets
import socket
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet

from dev.authkit.oauth_endpoints import build_app
from dev.authkit.stand_in_settings import StandInSettings

RESOURCE = "https://mcp.example.com/mcp"
CALLBACK = "http://127.0.0.1:33418/callback"


@dataclass
class Clock:
    """A clock that tests set forward; codes, consent pages and keys use it."""

    seconds: float = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(frozen=True)
class Kit:
    """An OAuth client of the stand-in. It does not follow redirects."""

    url: str
    http: httpx2.Client
    clock: Clock
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")

    def register_raw(self, **metadata: Any) -> httpx2.Response:
        defaults = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "client_name": "Tester"}
        grants = {"grant_types": ["authorization_code", "refresh_token"]}
        return self.http.post("/oauth2/register", json=defaults | grants | metadata)

    def register(self, **metadata: Any) -> dict[str, Any]:
        response = self.register_raw(**metadata)
        assert response.status_code == 201, response.text
        registered: dict[str, Any] = response.json()
        return registered

    def authorize(self, client_id: str, **changes: Any) -> httpx2.Response:
        """Send a valid authorization request with some changes; None removes a parameter."""
        defaults = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            "resource": RESOURCE,
            "state": "a state & more",
        }
        parameters = {name: value for name, value in (defaults | changes).items() if value is not None}
        return self.http.get("/oauth2/authorize", params=parameters)

    def code(self, client_id: str, **changes: Any) -> str:
        (code,) = redirect_parameters(self.authorize(client_id, **changes))["code"]
        return code

    def token(self, client_id: str | None, **form: Any) -> httpx2.Response:
        parameters = {"client_id": client_id} | form
        data = {name: value for name, value in parameters.items() if value is not None}
        return self.http.post("/oauth2/token", data=data)

    def exchange(self, client_id: str | None, code: str, **changes: Any) -> httpx2.Response:
        defaults = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
        }
        return self.token(client_id, **(defaults | changes))

    def refresh(self, client_id: str, refresh_token: str, **form: Any) -> httpx2.Response:
        return self.token(client_id, grant_type="refresh_token", refresh_token=refresh_token, **form)

    def sign_in(self, client_id: str, **changes: Any) -> dict[str, Any]:
        response = self.exchange(client_id, self.code(client_id, **changes))
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        return tokens

    def jwks(self) -> KeySet:
        return KeySet.import_key_set(self.http.get("/oauth2/jwks").json())

    def published_kids(self) -> set[str | None]:
        return {key.kid for key in self.jwks()}

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token after verifying its signature with the published keys."""
        return jwt.decode(token, self.jwks(), algorithms=["RS256"]).claims


def redirect_parameters(response: httpx2.Response) -> dict[str, list[str]]:
    """Return the query parameters of a redirect to the client."""
    assert response.status_code in {302, 303}, response.text
    return parse_qs(urlsplit(response.headers["location"]).query)


def json_error(response: httpx2.Response) -> tuple[int, str]:
    """Return the status and the code of a JSON error, which must have only the fields of RFC 6749, section 5.2."""
    body = response.json()
    assert set(body) <= {"error", "error_description"}, body
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, body["error"]


@pytest.fixture
def parameters() -> Callable[[httpx2.Response], dict[str, list[str]]]:
    return redirect_parameters


@pytest.fixture
def error() -> Callable[[httpx2.Response], tuple[int, str]]:
    return json_error


@pytest.fixture(scope="session")
def start() -> Iterator[Callable[..., Kit]]:
    """Start the stand-in with settings. By default it shows no consent page, and RESOURCE is its Resource Indicator."""
    running: list[tuple[uvicorn.Server, threading.Thread, httpx2.Client]] = []

    def run(**settings: Any) -> Kit:
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        clock = Clock()
        defaults: dict[str, Any] = {"auto_consent": True, "resources": frozenset({RESOURCE})}
        app = build_app(StandInSettings(issuer=url, **(defaults | settings)), clock)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        http = httpx2.Client(base_url=url, trust_env=False)
        running.append((server, thread, http))
        return Kit(url, http, clock)

    yield run
    for server, thread, http in running:
        http.close()
        server.should_exit = True
        thread.join(timeout=30)


@pytest.fixture(scope="session")
def kit(start: Callable[..., Kit]) -> Kit:
    """One stand-in for all tests. Each test registers its own clients, and the clock only goes forward."""
    return start()


@pytest.fixture
def choose() -> Callable[[Kit, httpx2.Response, str], httpx2.Response]:
    """Press a button of the consent page."""

    def press(kit: Kit, page: httpx2.Response, choice: str) -> httpx2.Response:
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert ticket, page.text
        return kit.http.post("/oauth2/consent", data={"ticket": ticket[1], "choice": choice})

    return press
