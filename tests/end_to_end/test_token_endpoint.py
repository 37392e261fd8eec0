"""An authorization server behind the gateway gets forms unchanged."""

import hashlib
import json
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from helpers.support import PROJECT
from routegen.config import read_config, with_env
from routegen.serve.local_gateway import open_socket
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway, write_project

FUNCTION = """
import os, sys
sys.path.insert(0, os.environ["PROJECT"])
from mangum import Mangum
from dev.authkit.oauth_endpoints import build_app
from dev.authkit.stand_in_settings import StandInSettings
handler = Mangum(build_app(StandInSettings(os.environ["ISSUER"], auto_consent=True)), lifespan="off")
"""
CALLBACK = "http://127.0.0.1:9/callback?otter=%26"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[RunningGateway]:
    root = write_project(tmp_path)
    (root / "mcp" / "echo.py").write_text(FUNCTION)
    route = {
        "path": "/oauth2/{rest+}",
        "methods": ["ANY"],
        "app": "mcp",
        "role": "owned",
        "route_keys": ["ANY /oauth2/{rest+}"],
    }
    (root / "routes.json").write_text(json.dumps({"version": 1, "default": "wiki", "routes": [route]}))
    listening = open_socket("127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = with_env(read_config(root / "pyproject.toml"), "mcp", {"PROJECT": str(PROJECT), "ISSUER": issuer})
    # One instance, because the state of the stand-in is in memory.
    with running_gateway(config, ServeSettings(max_instances=1), listening) as gateway:
        yield gateway


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_client_registers_signs_in_and_refreshes_its_token(site: RunningGateway, method: str) -> None:
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    metadata = {
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": method,
        "grant_types": ["authorization_code", "refresh_token"],
        "client_name": "Otter & Söhne",
    }
    with httpx2.Client(base_url=site.url, trust_env=False, timeout=60) as http:
        client = http.post("/oauth2/register", json=metadata).json()
        authorization = {
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": CALLBACK,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "state": "a state & more = ü",
            "scope": "openid offline_access",
        }
        callback = parse_qs(urlsplit(http.get("/oauth2/authorize", params=authorization).headers["location"]).query)
        assert (callback["state"], callback["otter"]) == (["a state & more = ü"], ["&"])

        def token(**form: str) -> httpx2.Response:
            headers = {}
            if method == "client_secret_basic":
                credentials = f"{client['client_id']}:{client['client_secret']}"
                headers["authorization"] = f"Basic {b64encode(credentials.encode()).decode()}"
            else:
                form["client_id"] = client["client_id"]
            if method == "client_secret_post":
                form["client_secret"] = client["client_secret"]
            return http.post("/oauth2/token", data=form, headers=headers)

        code = {"grant_type": "authorization_code", "code": callback["code"][0], "redirect_uri": CALLBACK}
        first = token(**code, code_verifier=verifier)
        assert first.status_code == 200, first.text
        second = token(grant_type="refresh_token", refresh_token=first.json()["refresh_token"])
        assert second.status_code == 200, second.text
        assert second.json()["access_token"] != first.json()["access_token"]
        reused = token(**code, code_verifier=verifier)
        assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert json.loads(site.exchanges[-1].event)["isBase64Encoded"] is True
