"""The data directory: made once, kept, shared by instances, and refused in one line when it can't be used."""

import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
Fail = Callable[..., str]


def commits(data: Path, **more: str) -> list[str]:
    log = ["git", "-C", str(data / "repository"), "log", "--format=%s|%cn"]
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, **more}
    return subprocess.run(log, env=env, capture_output=True, text=True, check=True).stdout.splitlines()


def test_first_start_makes_everything(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "not" / "yet" / "there"
    assert start(data).get("/Home").status == 200
    assert commits(data) == ["Initial commit|Otterwiki"]
    secret = data / "secret_key"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_text()) == 64


def test_second_start_keeps_pages_secret_and_session(start: Start, tmp_path: Path) -> None:
    registration = {"EMAIL_NEEDS_CONFIRMATION": "False"}
    first = start(tmp_path, **registration)
    password = {"password1": "long enough", "password2": "long enough"}
    first.post("/-/register", email="otter@example.com", name="Otter", **password)
    assert first.post("/-/login", email="otter@example.com", password="long enough").status == 302
    assert first.get("/-/settings").status == 200
    first.save("Kept", "Still here.", message="mine")
    secret = (tmp_path / "secret_key").read_text()
    first.stop()

    second = start(tmp_path, **registration)
    assert second.get("/-/settings").status == 302, "a stranger is sent to the login"
    second.cookies |= first.cookies
    assert second.get("/-/settings").status == 200
    assert "Still here." in second.get("/Kept").text
    assert "Otter" in second.get("/Kept/history").text
    assert (tmp_path / "secret_key").read_text() == secret
    assert len(commits(tmp_path)) == 2


def test_deleted_secret_is_made_anew(start: Start, tmp_path: Path) -> None:
    start(tmp_path).get("/Home")
    old = (tmp_path / "secret_key").read_text()
    (tmp_path / "secret_key").unlink()
    assert start(tmp_path).get("/Home").status == 200
    assert (tmp_path / "secret_key").read_text() != old


def test_secret_from_the_environment(start: Start, tmp_path: Path) -> None:
    first = start(tmp_path, SECRET_KEY="one secret, long enough")
    first.get("/-/login")
    other = start(tmp_path, SECRET_KEY="another one, long enough")
    token = first.post("/A/save", content="x", commit="x")
    assert token.status == 302
    other.cookies |= first.cookies
    assert other.save("B", "x").status == 302, "a session of another key counts as none, not as a failure"


def test_instances_that_start_at_once_share_one_wiki(start: Start, tmp_path: Path) -> None:
    data, gate = tmp_path / "data", tmp_path / "gate"
    wikis = [start(data, START_WHEN=str(gate)) for _ in range(6)]
    while len(list(tmp_path.glob("gate.*"))) < len(wikis):
        time.sleep(0.01)
    gate.touch()
    assert [wiki.get("/Home").status for wiki in wikis] == [200] * 6
    assert commits(data) == ["Initial commit|Otterwiki"]
    wikis[0].save("Shared", "For all.")
    assert all("For all." in wiki.get("/Shared").text for wiki in wikis)


def test_instances_that_save_at_once_lose_nothing(start: Start, tmp_path: Path) -> None:
    wikis = [start(tmp_path) for _ in range(2)]

    def save_some(number: int) -> list[int]:
        return [wikis[number].save(f"Page {number}{n}", "text", f"{number}{n}").status for n in range(8)]

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(save_some, range(2))) == [[302] * 8] * 2
    assert len(commits(tmp_path)) == 17


def test_saving_survives_a_killed_writers_lock(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path)
    wiki.get("/Home")
    git = tmp_path / "repository" / ".git"
    for name in ("index.lock", "HEAD.lock", "refs/heads/main.lock"):
        (git / name).touch()
    assert wiki.save("After", "the crash").status == 302
    assert "the crash" in wiki.get("/After").text
    assert not list(git.rglob("*.lock"))


def test_files_of_another_owner(start: Start, tmp_path: Path) -> None:
    start(tmp_path).get("/Home")
    foreign = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    if os.geteuid() == 0:  # the real thing, as on an EFS access point
        for path in (tmp_path / "repository").rglob("*"):
            os.chown(path, 1234, 1234)
        os.chown(tmp_path / "repository", 1234, 1234)
        foreign = {}
    with pytest.raises(subprocess.CalledProcessError):  # git on its own refuses it
        commits(tmp_path, **foreign)
    wiki = start(tmp_path, **foreign)
    assert wiki.save("Foreign", "owned by another").status == 302
    assert "a change" in wiki.get("/Foreign/history").text


def test_attachment_in_any_encoding(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path)
    wiki.get("/Home")
    folder = tmp_path / "repository" / "home"
    folder.mkdir()
    for name in ("report.txt", "page.html", "table.csv"):
        (folder / name).write_bytes("<p>Grüße</p>".encode("latin-1"))
        answer = wiki.get(f"/Home/a/{name}")
        assert (answer.status, answer.body) == (200, "<p>Grüße</p>".encode("latin-1")), name


def test_no_git(fail_to_start: Fail, tmp_path: Path) -> None:
    said = fail_to_start(tmp_path / "data", PATH=str(tmp_path))
    assert said.startswith("wiki: Otterwiki needs the git executable and PATH has none; install git")
    assert said.count("\n") == 1
    assert not list((tmp_path / "data").iterdir()), "nothing half made"


@pytest.mark.parametrize("value", [None, ""])
def test_no_data_directory(fail_to_start: Fail, value: str | None) -> None:
    said = fail_to_start(None, **({} if value is None else {"WIKI_DATA_DIR": value}))
    assert said == (
        "wiki: WIKI_DATA_DIR is not set; name the directory that keeps the wiki, e.g. WIKI_DATA_DIR=/mnt/wiki\n"
    )


def test_data_directory_that_is_a_file(fail_to_start: Fail, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    said = fail_to_start(tmp_path / "data")
    assert said.startswith(f"wiki: {tmp_path}/data: File exists; WIKI_DATA_DIR must name a directory")
    assert said.count("\n") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_data_directory_without_permission(fail_to_start: Fail, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    said = fail_to_start(tmp_path)
    assert "Permission denied; WIKI_DATA_DIR must name a directory that this process may write" in said
    assert said.count("\n") == 1


def test_data_directory_on_a_file_system_that_takes_none(fail_to_start: Fail) -> None:
    said = fail_to_start(Path("/proc/wiki"))
    assert said.startswith("wiki: /proc/wiki: ")
    assert said.count("\n") == 1


def test_short_secret(fail_to_start: Fail, tmp_path: Path) -> None:
    said = fail_to_start(tmp_path, SECRET_KEY="short")
    assert said.startswith("wiki: the secret in the environment variable SECRET_KEY is shorter than 16 characters")
    assert said.count("\n") == 1


def test_broken_database(fail_to_start: Fail, tmp_path: Path) -> None:
    (tmp_path / "wiki.sqlite").write_text("this is no database, whatever it is called")
    last = fail_to_start(tmp_path).splitlines()[-1]
    assert last == f"wiki: the database {tmp_path}/wiki.sqlite can't be used: file is not a database"
