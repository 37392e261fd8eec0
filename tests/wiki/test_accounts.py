"""The accounts of the deployed wiki: it has no mail server, and its administrator exists before the first visitor."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.pulumi_program import DEPLOYED_WIKI, REQUIRED
from helpers.wiki_browser import check_life_of_an_account
from werkzeug.security import generate_password_hash

Start = Callable[..., Any]


def test_an_account_is_created_approved_used_and_gets_a_new_password(start: Start, tmp_path: Path) -> None:
    check_life_of_an_account(start(tmp_path, **DEPLOYED_WIKI))


def test_the_environment_sets_a_new_password_of_the_administrator_once(start: Start, tmp_path: Path) -> None:
    assert start(tmp_path, **DEPLOYED_WIKI).log_in("admin")
    hashed = generate_password_hash("second password", method="pbkdf2:sha256:10")
    wiki = start(tmp_path, **DEPLOYED_WIKI | {"WIKI_ADMIN_PASSWORD_HASH": hashed})
    assert not wiki.log_in("admin")
    assert wiki.log_in("admin", "second password")
    wiki.post("/-/settings", password1="changed in the wiki", password2="changed in the wiki")
    again = start(tmp_path, **DEPLOYED_WIKI | {"WIKI_ADMIN_PASSWORD_HASH": hashed})
    assert again.log_in("admin", "changed in the wiki")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"WIKI_ADMIN_PASSWORD_HASH": ""}, "set both WIKI_ADMIN_EMAIL and WIKI_ADMIN_PASSWORD_HASH, or none of them"),
        ({"WIKI_ADMIN_EMAIL": "admin"}, "WIKI_ADMIN_EMAIL is not an e-mail address; write it as admin@example.com"),
        ({"WIKI_ADMIN_PASSWORD_HASH": "plain"}, "WIKI_ADMIN_PASSWORD_HASH is not a hash of werkzeug.security."),
        ({"WIKI_READER_TOKEN_HASH": "x"}, "WIKI_READER_TOKEN_HASH is not a SHA-256 of 64 hexadecimal digits; "),
    ],
)
def test_a_wrong_account_setting_is_an_error(
    fail_to_start: Callable[..., str], tmp_path: Path, change: dict[str, str], message: str
) -> None:
    assert fail_to_start(tmp_path, **DEPLOYED_WIKI | change).splitlines()[-1].startswith(f"wiki: {message}")


def test_the_token_of_the_reader_reads_pages_and_nothing_else(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path, **DEPLOYED_WIKI)

    def ask(method: str, path: str, token: str = REQUIRED["reader_token"]) -> int:
        return int(wiki.request(method, path, authorization=f"Bearer {token}").status)

    readable = ("/Home", "/Home/source", "/sitemap.xml", "/-/search/welcome", "/-/changelog/feed.atom")
    assert {ask("GET", path) for path in readable} == {200}
    assert {ask("GET", path, "wrong") for path in ("/Home", "/Home/source")} == {302}
    assert {ask("POST", path) for path in ("/Home/save", "/Home/delete", "/-/search")} <= {400, 403}
    assert {ask("GET", path) for path in ("/-/settings", "/-/admin", "/Home/draft", "/Home/rename")} == {403}
    assert wiki.request("GET", "/Home", "edit", authorization=f"Bearer {REQUIRED['reader_token']}").status == 403


def test_log_lines_have_no_token(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path, **DEPLOYED_WIKI)
    token = wiki.evaluate(
        "__import__('otterwiki.helper').helper.serialize({'email': 'x@example.com', 'ls': ''}, salt='other')"
    )
    for path in ("recover_password", "confirm_email"):
        for end in ("", "/", "/view"):
            wiki.get(f"/-/{path}/{token}{end}")
    wiki.get("/-/recover_password/short-and-wrong")
    log = wiki.log.read_text()
    assert "Invalid token: [token]" in log
    assert [part for part in token.split(".") if part.casefold() in log.casefold()] == []
