"""The data directory: it is created once and shared by instances; errors are one line."""

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


def commits(data: Path, **variables: str) -> list[str]:
    log = ["git", "-C", str(data / "repository"), "log", "--format=%s|%cn"]
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, **variables}
    return subprocess.run(log, env=env, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_first_start_creates_all_data(start: Start, tmp_path: Path) -> None:
    data = tmp_path / "missing" / "directory"
    assert start(data).get("/Home").status == 200
    assert commits(data) == ["Initial commit|Otterwiki"]
    secret = data / "secret_key"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert len(secret.read_text()) == 64


def test_a_second_start_keeps_pages_secret_and_sessions(start: Start, tmp_path: Path) -> None:
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
    assert second.get("/-/settings").status == 302, "without cookies, the wiki redirects to the login"
    second.cookies |= first.cookies
    assert second.get("/-/settings").status == 200
    assert "Still here." in second.get("/Kept").text
    assert "Otter" in second.get("/Kept/history").text
    assert (tmp_path / "secret_key").read_text() == secret
    assert len(commits(tmp_path)) == 2


def test_a_deleted_secret_is_created_again(start: Start, tmp_path: Path) -> None:
    start(tmp_path).get("/Home")
    old = (tmp_path / "secret_key").read_text()
    (tmp_path / "secret_key").unlink()
    assert start(tmp_path).get("/Home").status == 200
    assert (tmp_path / "secret_key").read_text() != old


def test_the_secret_can_come_from_the_environment(start: Start, tmp_path: Path) -> None:
    first = start(tmp_path, SECRET_KEY="one secret, long enough")
    first.get("/-/login")
    other = start(tmp_path, SECRET_KEY="another one, long enough")
    saved = first.post("/A/save", content="x", commit="x")
    assert saved.status == 302
    other.cookies |= first.cookies
    assert other.save("B", "x").status == 302, "a session with another key is ignored and causes no error"


def test_instances_that_start_at_the_same_time_share_one_wiki(start: Start, tmp_path: Path) -> None:
    data, gate = tmp_path / "data", tmp_path / "gate"
    wikis = [start(data, START_WHEN=str(gate)) for _ in range(6)]
    while len(list(tmp_path.glob("gate.*"))) < len(wikis):
        time.sleep(0.01)
    gate.touch()
    assert [wiki.get("/Home").status for wiki in wikis] == [200] * 6
    assert commits(data) == ["Initial commit|Otterwiki"]
    wikis[0].save("Shared", "For all.")
    assert all("For all." in wiki.get("/Shared").text for wiki in wikis)


@pytest.mark.parametrize(("instances", "saves"), [(2, 8), pytest.param(7, 30, marks=pytest.mark.slow)])
@pytest.mark.reliability("saves of several wiki instances at the same time")
def test_instances_can_save_at_the_same_time(
    start: Start, tmp_path: Path, instances: int, saves: int, count_attacks: Callable[[int], None]
) -> None:
    count_attacks(instances * saves)
    wikis = [start(tmp_path) for _ in range(instances)]

    def save_some(number: int) -> list[int]:
        return [wikis[number].save(f"Page {number} {n}", "text", f"{number} {n}").status for n in range(saves)]

    with ThreadPoolExecutor(instances) as pool:
        assert list(pool.map(save_some, range(instances))) == [[302] * saves] * instances
    assert len(commits(tmp_path)) == instances * saves + 1
    status = ["git", "-c", "safe.directory=*", "-C", str(tmp_path / "repository"), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == ""


def test_saving_works_after_a_process_was_killed_during_a_commit(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path)
    wiki.get("/Home")
    git = tmp_path / "repository" / ".git"
    for name in ("index.lock", "HEAD.lock", "refs/heads/main.lock"):
        (git / name).touch()
    assert wiki.save("After", "the crash").status == 302
    assert "the crash" in wiki.get("/After").text
    assert not list(git.rglob("*.lock"))


def test_the_files_can_have_another_owner(start: Start, tmp_path: Path) -> None:
    start(tmp_path).get("/Home")
    variables = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
    if os.geteuid() == 0:  # real files of another owner, as on an EFS access point
        for path in (tmp_path / "repository").rglob("*"):
            os.chown(path, 1234, 1234)
        os.chown(tmp_path / "repository", 1234, 1234)
        variables = {}
    with pytest.raises(subprocess.CalledProcessError):  # without the handler's settings, git refuses the repository
        commits(tmp_path, **variables)
    wiki = start(tmp_path, **variables)
    assert wiki.save("Foreign", "owned by another").status == 302
    assert "a change" in wiki.get("/Foreign/history").text


def test_an_attachment_can_have_any_encoding(start: Start, tmp_path: Path) -> None:
    wiki = start(tmp_path)
    wiki.get("/Home")
    folder = tmp_path / "repository" / "home"
    folder.mkdir()
    for name in ("report.txt", "page.html", "table.csv"):
        (folder / name).write_bytes("<p>Grüße</p>".encode("latin-1"))
        answer = wiki.get(f"/Home/a/{name}")
        assert (answer.status, answer.body) == (200, "<p>Grüße</p>".encode("latin-1")), name


def test_missing_git_is_an_error(fail_to_start: Fail, tmp_path: Path) -> None:
    stderr = fail_to_start(tmp_path / "data", PATH=str(tmp_path))
    assert stderr.startswith("wiki: Otterwiki needs the git executable, which is not on PATH; install git")
    assert stderr.count("\n") == 1
    assert not list((tmp_path / "data").iterdir()), "the start has created files"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_data_directory_is_an_error(fail_to_start: Fail, value: str | None) -> None:
    stderr = fail_to_start(None, **({} if value is None else {"WIKI_DATA_DIR": value}))
    assert stderr == ("wiki: WIKI_DATA_DIR is not set; set it to the directory of the wiki's data, e.g. /mnt/wiki\n")


def test_a_data_directory_that_is_a_file_is_an_error(fail_to_start: Fail, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    stderr = fail_to_start(tmp_path / "data")
    assert stderr.startswith(f"wiki: {tmp_path}/data: File exists; WIKI_DATA_DIR must name a directory")
    assert stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_data_directory_without_permission_is_an_error(fail_to_start: Fail, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    stderr = fail_to_start(tmp_path)
    assert "Permission denied; WIKI_DATA_DIR must name a directory that this process can write to" in stderr
    assert stderr.count("\n") == 1


def test_a_data_directory_that_cannot_be_created_is_an_error(fail_to_start: Fail) -> None:
    stderr = fail_to_start(Path("/proc/wiki"))
    assert stderr.startswith("wiki: /proc/wiki: ")
    assert stderr.count("\n") == 1


def test_a_short_secret_is_an_error(fail_to_start: Fail, tmp_path: Path) -> None:
    stderr = fail_to_start(tmp_path, SECRET_KEY="short")
    assert stderr.startswith("wiki: the secret in the environment variable SECRET_KEY is shorter than 16 characters")
    assert stderr.count("\n") == 1


def test_a_broken_database_is_an_error(fail_to_start: Fail, tmp_path: Path) -> None:
    (tmp_path / "wiki.sqlite").write_text("this is not a database")
    last = fail_to_start(tmp_path).splitlines()[-1]
    assert last == f"wiki: the database {tmp_path}/wiki.sqlite cannot be used: file is not a database"
