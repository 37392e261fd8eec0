"""What the wiki answers to API Gateway's events."""

from importlib.resources import files
from typing import Any
from urllib.parse import quote

import pytest


def test_home_is_the_wikis_page(wiki: Any) -> None:
    answer = wiki.get("/Home")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not answer.encoded
    assert "Welcome to your wiki!" in answer.text
    assert "Otters at work" in answer.text, "SITE_NAME reaches Otterwiki from the environment"


def test_health(wiki: Any) -> None:
    answer = wiki.get("/-/healthz")
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize(
    ("path", "file", "content_type"),
    [
        ("/favicon.ico", "img/otter-favicon.ico", "image/vnd.microsoft.icon"),
        ("/static/img/otter.png", "img/otter.png", "image/png"),
        ("/static/css/otterwiki.css", "css/otterwiki.css", "text/css; charset=utf-8"),
    ],
)
def test_static_files_arrive_byte_for_byte(wiki: Any, path: str, file: str, content_type: str) -> None:
    answer = wiki.get(path)
    assert answer.status == 200
    assert answer.encoded
    assert answer.headers["content-type"] == content_type
    assert "content-encoding" not in answer.headers
    assert answer.body == (files("otterwiki") / "static" / file).read_bytes()


def test_missing_page_is_404(wiki: Any) -> None:
    assert wiki.get("/NoSuchPage").status == 404


def test_head_has_no_body(wiki: Any) -> None:
    answer = wiki.request("HEAD", "/Home")
    assert (answer.status, answer.body) == (200, b"")


def test_query_string(wiki: Any) -> None:
    wiki.save("Rivers", "The Isar and the Inn.")
    assert "Rivers" in wiki.get("/-/search", "query=Isar").text


@pytest.mark.parametrize("page", ["mcp", "Notes/Winter", "Über uns", "100% sure", "50%25 off", "日本語", "a+b"])
def test_saved_page_is_read_and_has_a_history(wiki: Any, page: str) -> None:
    saved = wiki.save(page, f"# Heading\n\nAll about otters: {page}", message="first words")
    assert saved.status == 302
    assert saved.headers["location"].casefold().endswith(quote(page, safe="/+").casefold())
    assert "All about otters" in wiki.get(f"/{page}").text
    assert "All about otters" in wiki.get(f"/{page}/source").text
    assert "first words" in wiki.get(f"/{page}/history").text
    assert "first words" in wiki.get("/-/changelog").text


def test_form_without_a_token_is_refused(wiki: Any) -> None:
    answer = wiki.request("POST", "/Forged/save", form={"content": "x", "commit": "x"})
    assert answer.status == 400
    assert wiki.get("/Forged").status == 404


def test_wrong_password_is_refused(wiki: Any) -> None:
    answer = wiki.post("/-/login", email="nobody@example.com", password="wrong-password")
    assert answer.status == 200
    assert "Invalid email address or password" in answer.text
