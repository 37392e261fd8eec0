"""Several instances with one data directory: readers, writers, searches, and writers that are killed."""

import fcntl
import itertools
import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
CountAttacks = Callable[[int], None]

SLOW_PATTERN = "(.|..)*[!?~]{2}$"


def git(data: Path, *arguments: str) -> str:
    command = ["git", "-C", str(data / "repository"), *arguments]
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def version(data: Path) -> int:
    return int((data / "write.lock").read_text())


def test_a_slow_search_blocks_no_save_and_ends(start: Start, tmp_path: Path) -> None:
    writer = start(tmp_path)
    writer.save("Text", "hello " * 40)
    reader = start(tmp_path, WRITE_ACCESS="REGISTERED")
    with ThreadPoolExecutor() as pool:
        begun = time.monotonic()
        search = pool.submit(reader.post, "/-/search", query=SLOW_PATTERN, is_regexp="y")
        time.sleep(0.5)
        assert not search.done()
        assert writer.save("Other", "saved").status == 302
        assert not search.done(), "the save has waited for the search"
        answer = search.result()
        assert (answer.status, time.monotonic() - begun < 15) == (503, True)
    assert answer.text.startswith("The search took too long and was stopped.")
    assert "Text" in reader.post("/-/search", query="hello", is_regexp="y").text
    assert "Text" in reader.post("/-/search", query="hello").text


def test_a_save_that_waits_too_long_is_503_and_saves_nothing(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path, TEST_BUSY_SECONDS="0.3")
    wiki.get("/Home")
    with (tmp_path / "write.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        answer = wiki.save("Late", "text")
        assert (answer.status, answer.headers["retry-after"]) == (503, "2")
        assert "Nothing was saved" in answer.text
        assert wiki.get("/Home").status == 200, "readers do not wait for the lock"
    assert wiki.get("/Late").status == 404
    assert wiki.save("Late", "text").status == 302


def test_a_client_that_cannot_write_does_not_wait_for_the_lock(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path, WRITE_ACCESS="REGISTERED", ATTACHMENT_ACCESS="REGISTERED")
    wiki.get("/Home")
    with (tmp_path / "write.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert wiki.save("Home", "text").status == 403
        assert wiki.post("/-/login", email="a@example.com", password="wrong").status == 200
        assert wiki.post("/-/search", query="Welcome").status == 200
        assert wiki.post("/Home/preview", content="x").status == 403
        assert wiki.get("/-/plugin/a/b").status == 404


def test_a_reader_waits_for_a_writer_and_reads_a_whole_page(start: Start, tmp_path: Path) -> None:
    """The test is the writer: it makes the version odd, as a writer of another instance does."""
    wiki = start(tmp_path)
    wiki.save("Page", "old text")
    page = tmp_path / "repository" / "page.md"
    with (tmp_path / "write.lock").open("r+") as file, ThreadPoolExecutor() as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        even = version(tmp_path)
        os.pwrite(file.fileno(), f"{even + 1:020}".encode(), 0)
        page.write_text("")
        answer = pool.submit(wiki.get, "/Page/source", "raw")
        time.sleep(0.3)
        assert not answer.done()
        page.write_text("new text")
        os.pwrite(file.fileno(), f"{even + 2:020}".encode(), 0)
        fcntl.flock(file, fcntl.LOCK_UN)
        assert "new text" in answer.result().text


def test_every_endpoint_of_otterwiki_is_known(wiki: Any) -> None:
    """An unknown endpoint works, with the write lock. Look in its code whether it changes the repository."""
    known = wiki.evaluate("sorted([*wiki.READERS, *wiki.UNRELATED, *wiki.WRITERS])")
    assert known == wiki.evaluate("sorted(wiki.app.view_functions)")


def test_an_unknown_endpoint_is_a_writer(wiki: Any) -> None:
    data = Path(wiki.evaluate("str(wiki.DATA)"))
    wiki.save("First", "text")
    assert wiki.get("/Home").status == 200
    read = version(data)
    wiki.evaluate("setattr(wiki, 'READERS', wiki.READERS - {'view'})")
    assert wiki.get("/Home").status == 200
    wiki.evaluate("setattr(wiki, 'READERS', wiki.READERS | {'view'})")
    assert (read % 2, version(data)) == (0, read + 2)


def test_a_request_without_the_lock_changes_no_page(wiki: Any) -> None:
    """Send a form to each endpoint that is not known as a writer, as a user who can write."""
    wiki.save("Victim", "text")
    data = Path(wiki.evaluate("str(wiki.DATA)"))
    rules = wiki.evaluate(
        "[r.rule for r in wiki.app.url_map.iter_rules() if r.endpoint in wiki.READERS | wiki.UNRELATED]"
    )
    before = [git(data, *command.split()) for command in ("rev-parse HEAD", "status --porcelain", "ls-files")]
    form = {"content": "x", "commit": "x", "message": "x", "delete": "1", "new_pagename": "Moved", "pagename": "New"}
    for rule in rules:
        path = re.sub(r"<(path:)?(page)?path>", "Victim", rule)
        path = re.sub(r"<\w+:revision>", before[0].strip(), path)
        wiki.post(re.sub(r"<[^>]+>", "x", path), **form, draft="discard")
    assert [git(data, *c.split()) for c in ("rev-parse HEAD", "status --porcelain", "ls-files")] == before


@pytest.mark.parametrize("name", ["logs/HEAD.lock", "logs/refs/heads/main.lock", "packed-refs.lock", "config.lock"])
def test_every_lock_file_of_a_killed_git_is_removed(start: Start, tmp_path: Path, name: str) -> None:
    wiki = start(tmp_path)
    lock = tmp_path / "repository" / ".git" / name
    wiki.get("/Home")
    lock.touch()
    assert wiki.save("After", "the crash").status == 302
    assert not lock.exists()


def test_the_rest_of_an_unfinished_save_is_removed(start: Start, tmp_path: Path) -> None:
    """A truncated page, a staged page, a new page and a new folder; an older file without a commit stays."""
    wiki = start(tmp_path)
    wiki.save("Page", "committed")
    repository = tmp_path / "repository"
    (repository / "mine.txt").write_text("an administrator has put this file here")
    time.sleep(0.02)
    lock = tmp_path / "write.lock"
    lock.write_text(f"{version(tmp_path) + 1:020}")
    (repository / "page.md").write_text("")
    (repository / "staged.md").write_text("staged")
    git(tmp_path, "add", "staged.md")
    (repository / "new" / "folder").mkdir(parents=True)
    (repository / "new" / "folder" / "file.md").write_text("new")
    assert "committed" in wiki.get("/Page").text
    assert version(tmp_path) % 2 == 0
    assert [wiki.get(path).status for path in ("/Staged", "/New/Folder/File")] == [404, 404]
    assert sorted(path.name for path in repository.iterdir()) == [".git", "home.md", "mine.txt", "page.md"]


def test_a_save_that_fails_leaves_no_change(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path)
    wiki.save("Page", "committed")
    objects = tmp_path / "repository" / ".git" / "objects"
    moved = objects.rename(objects.with_name("moved"))
    objects.touch()
    assert wiki.save("Page", "cannot be committed").status == 500
    objects.unlink()
    moved.rename(objects)
    assert "committed" in wiki.get("/Page/source").text
    assert git(tmp_path, "status", "--porcelain") == ""


def kill_writers(start: Start, data: Path, kills: int) -> None:
    """Kill an instance and its git processes at random moments, and check that each accepted save is there."""
    chance = random.Random(kills)
    texts: dict[str, set[str]] = {}  # the texts that a page can have: two of them after an unanswered save
    for number in range(kills):
        wiki = start(data)
        for page, possible in texts.items():
            answer = wiki.get(f"/{page}/source", "raw")
            text = "" if answer.status == 404 else answer.text.partition("\n[]: # (")[0].strip()
            assert text in possible, f"kill {number}: {page} has neither the old text nor the new text"
            texts[page] = {text}
        assert wiki.save("Next", f"after kill {number}").status == 302
        killed = threading.Timer(chance.uniform(0, 0.3), wiki.kill)
        killed.start()
        try:
            for attempt in itertools.count():
                page, text = f"Page{chance.randrange(4)}", f"text {number} {attempt} " + "words " * 500
                texts[page] = texts.get(page, {""}) | {text.strip()}
                if wiki.save(page, text).status == 302:
                    texts[page] = {text.strip()}
        except (ValueError, OSError):
            killed.join()
    assert start(data).save("Next", "after all").status == 302
    git(data, "fsck", "--strict")
    assert git(data, "status", "--porcelain") == ""
    assert not list((data / "repository" / ".git").rglob("*.lock"))


@pytest.mark.reliability("wiki instances that are killed while they save")
def test_kills_at_random_moments_lose_no_save(start: Start, tmp_path: Path, count_attacks: CountAttacks) -> None:
    count_attacks(6)
    kill_writers(start, tmp_path, 6)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.reliability("wiki instances that are killed while they save")
def test_500_kills_at_random_moments_lose_no_save(start: Start, tmp_path: Path, count_attacks: CountAttacks) -> None:
    count_attacks(500)
    kill_writers(start, tmp_path, 500)
