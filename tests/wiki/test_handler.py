"""The wiki's responses to events of API Gateway."""

import gzip
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest


def test_home_is_a_page_of_the_wiki(wiki: Any) -> None:
    answer = wiki.get("/Home")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not answer.encoded
    assert "Welcome to your wiki!" in answer.text
    assert "Otters at work" in answer.text, "Otterwiki does not read SITE_NAME from the environment"


def test_the_health_endpoint_answers(wiki: Any) -> None:
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
def test_static_files_are_unchanged(wiki: Any, path: str, file: str, content_type: str) -> None:
    answer = wiki.get(path)
    assert answer.status == 200
    assert answer.encoded
    assert answer.headers["content-type"] == content_type
    assert "content-encoding" not in answer.headers
    assert answer.body == (files("otterwiki") / "static" / file).read_bytes()


def test_a_missing_page_is_404(wiki: Any) -> None:
    assert wiki.get("/NoSuchPage").status == 404


def test_a_head_response_has_no_body(wiki: Any) -> None:
    answer = wiki.request("HEAD", "/Home")
    assert (answer.status, answer.body) == (200, b"")


def test_the_query_string_is_passed_on(wiki: Any) -> None:
    wiki.save("Rivers", "The Isar and the Inn.")
    assert "Rivers" in wiki.get("/-/search", "query=Isar").text


PAGE_NAMES = [
    "mcp", "Notes/Winter", "Über uns", "100% sure", "50%25 off", "日本語", "a+b", "a&b", "a=b", "a;b", "a,b", "a@b",
    "a'b", "(a)", "~a", "a--b", "_a_", "Größe/Maße", "ﬁ", "🦦", "мир", "a%2Fb", "Deep/er/and/deep/er", "a*b",
    "a b  c", "Ä", "Ελλάδα", "한국어", "שלום", "n°5", "x%20y",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGE_NAMES)
@pytest.mark.reliability("names of wiki pages: saved, read and found again")
def test_a_saved_page_can_be_read_and_has_a_history(wiki: Any, page: str) -> None:
    saved = wiki.save(page, f"# Heading\n\nAll about otters: {page}", message="first words")
    assert saved.status == 302
    assert saved.headers["location"].isascii()
    assert unquote(saved.headers["location"]).casefold().endswith(page.casefold())
    assert "All about otters" in wiki.get(f"/{page}").text
    assert "All about otters" in wiki.get(f"/{page}/source").text
    assert "first words" in wiki.get(f"/{page}/history").text
    assert "first words" in wiki.get("/-/changelog").text


def test_a_form_without_a_csrf_token_is_refused(wiki: Any) -> None:
    answer = wiki.request("POST", "/Forged/save", form={"content": "x", "commit": "x"})
    assert answer.status == 400
    assert wiki.get("/Forged").status == 404


def test_a_wrong_password_is_refused(wiki: Any) -> None:
    answer = wiki.post("/-/login", email="nobody@example.com", password="wrong-password")
    assert answer.status == 200
    assert "Invalid email address or password" in answer.text


def get_mermaid(wiki: Any, **headers: str) -> Any:
    (file,) = Path(str(files("otterwiki") / "static" / "js")).glob("mermaid@*.js")
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": f"/static/js/{file.name}",
        "headers": {"host": "wiki.example", **headers},
        "requestContext": {
            "http": {
                "method": "GET",
                "path": f"/static/js/{file.name}",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
            }
        },
        "isBase64Encoded": False,
    }
    return wiki.send(event), file.read_bytes()


def test_a_file_that_is_too_large_for_lambda_is_compressed(wiki: Any) -> None:
    answer, content = get_mermaid(wiki, **{"accept-encoding": "gzip, br"})
    assert len(content) * 4 / 3 > 6_000_000, "the file is too small for this test"
    assert (answer.status, answer.encoded) == (200, True)
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    assert gzip.decompress(answer.body) == content
    assert len(answer.body) < 4_000_000
    conditional, _ = get_mermaid(wiki, **{"accept-encoding": "gzip", "if-none-match": answer.headers["etag"]})
    assert conditional.status == 304


@pytest.mark.parametrize("accepted", [{}, {"accept-encoding": "identity"}, {"accept-encoding": "gzip;q=0"}])
def test_a_large_file_is_not_compressed_without_gzip_in_accept_encoding(wiki: Any, accepted: dict[str, str]) -> None:
    answer, content = get_mermaid(wiki, **accepted)
    assert "content-encoding" not in answer.headers
    assert answer.body == content


def test_a_range_refers_to_the_uncompressed_file(wiki: Any) -> None:
    answer, content = get_mermaid(wiki, **{"accept-encoding": "gzip", "range": "bytes=1000-5200999"})
    assert (answer.status, answer.body) == (206, content[1000:5201000])
    assert "content-encoding" not in answer.headers
