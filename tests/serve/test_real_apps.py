"""This repository's two apps behind the local gateway, with the committed manifest."""

import json
from collections.abc import Iterator
from importlib.resources import files

import pytest
from helpers.forked_functions import with_forked_functions
from helpers.support import PROJECT
from routegen.config import read_config
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    config = read_config(PROJECT / "pyproject.toml")
    assert config.default_app
    wiki = config.default_app.model_copy(update={"env": {"WIKI_DATA_DIR": str(tmp_path_factory.mktemp("wiki"))}})
    config = with_forked_functions(config.with_changes(default_app=wiki))
    with running_gateway(config, ServeSettings()) as module_gateway:
        yield module_gateway


def test_get_of_the_mcp_endpoint_is_the_mcp_server_s_405(gateway: RunningGateway) -> None:
    answer = gateway.get("/mcp")
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"DELETE", "POST"}


def test_the_challenge_header_is_renamed(gateway: RunningGateway) -> None:
    answer = gateway.ask("POST", "/mcp", b"{}", {"content-type": "application/json"})
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    assert "oauth-protected-resource/mcp" in answer.headers["x-amzn-remapped-www-authenticate"]
    assert "www-authenticate" not in answer.headers


def test_the_protected_resource_metadata_is_json(gateway: RunningGateway) -> None:
    answer = gateway.get("/.well-known/oauth-protected-resource/mcp")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["authorization_servers"] == ["https://example.authkit.app"]


def test_other_paths_reach_the_wiki(gateway: RunningGateway) -> None:
    answer = gateway.get("/Home")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert b"<title>" in answer.body
    assert json.loads(gateway.exchanges[-1].event)["routeKey"] == "$default"


def test_a_file_of_the_wiki_is_unchanged(gateway: RunningGateway) -> None:
    file = files("otterwiki") / "static" / "img" / "otter-favicon.png"
    assert gateway.get("/static/img/otter-favicon.png").body == file.read_bytes()


def test_head_of_a_file_has_its_content_length(gateway: RunningGateway) -> None:
    answer = gateway.ask("HEAD", "/static/img/otter-favicon.png")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
