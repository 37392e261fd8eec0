"""The wiki Lambda: Otterwiki behind an API Gateway HTTP API.

In: events in payload format 2.0, and `WIKI_DATA_DIR`, the directory that keeps the wiki (EFS on AWS).
Out: responses in payload format 2.0; `app` is Otterwiki's own Flask application.
Cost: the first start makes a git repository and a database, one instance at a time; every other start
only imports Otterwiki.

Otterwiki reads its settings from the environment (https://otterwiki.com/Configuration), so `SITE_NAME`,
`READ_ACCESS`, `SECRET_KEY` and the rest are set on the function as they are.
"""

import fcntl
import gzip
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from apig_wsgi import make_lambda_handler
from flask import Flask, Response, request
from sqlalchemy.exc import DatabaseError

READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SQLITE_BUSY_SECONDS = 20
LARGEST_FILE = 4_000_000  # bytes; Lambda's answer has 6 MB at most, and base64 makes 4 of 3
SECRET_LENGTH = 16  # Otterwiki takes no shorter one


def stop(problem: str) -> NoReturn:
    """End the start with one line on stderr and exit code 1.

    Args:
        problem: what happened, where, and what to do.
    """
    raise SystemExit(f"wiki: {problem}")


def data_directory() -> Path:
    """The directory that `WIKI_DATA_DIR` names, made if it is missing."""
    name = os.environ.get("WIKI_DATA_DIR", "")
    if not name:
        stop("WIKI_DATA_DIR is not set; name the directory that keeps the wiki, e.g. WIKI_DATA_DIR=/mnt/wiki")
    data = Path(name).expanduser().resolve()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        unusable(data, error)
    return data


def unusable(data: Path, error: OSError) -> NoReturn:
    """End the start because the data directory can't be used."""
    where = error.filename or data
    stop(f"{where}: {error.strerror}; WIKI_DATA_DIR must name a directory that this process may write")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, across processes and across Lambda instances.

    EFS carries `flock` as an NFSv4 advisory lock, and it ends with its process
    (https://docs.aws.amazon.com/efs/latest/ug/features.html).
    """
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def first_start(data: Path) -> Iterator[None]:
    """Let one process at a time make what is missing; the block is Otterwiki's import.

    Otterwiki creates its tables and its first page while it is imported, so the import is in the lock
    too, once for each Otterwiki version. Later starts wait for nobody.
    """
    ready, secret = data / f"ready-{version('otterwiki')}", data / "secret_key"
    try:
        if ready.exists() and secret.exists():
            yield
            return
        with locked(data / "start.lock"):
            make_repository(data / "repository")
            make_secret(secret)
            yield
            ready.touch()
    except OSError as error:
        unusable(data, error)


def make_repository(repository: Path) -> None:
    """Make an empty git repository; one that exists stays as it is."""
    repository.mkdir(exist_ok=True)
    init = ["git", "init", "--quiet", "--initial-branch=main", str(repository)]
    done = subprocess.run(init, capture_output=True, text=True, check=False)
    if done.returncode:
        stop(f"git could not make the repository {repository}: {' '.join(done.stderr.split())}")
    remove_stale_locks(repository)


def make_secret(path: Path) -> None:
    """Write a new secret, readable by its owner alone; one that exists stays as it is."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    part.replace(path)


def secret_key(path: Path) -> str:
    """The key that signs the session cookies: the environment's, else the one in the data directory."""
    configured = os.environ.get("SECRET_KEY")
    secret = path.read_text() if configured is None else configured
    if len(secret) < SECRET_LENGTH:
        source = path if configured is None else "the environment variable SECRET_KEY"
        stop(f"the secret in {source} is shorter than {SECRET_LENGTH} characters; remove it to get a new one")
    return secret


def git_environment(repository: Path) -> dict[str, str]:
    """What git needs to see, whoever owns the files and whether or not there is a home directory.

    An EFS access point writes files under its own user id, which git takes for dubious ownership
    unless `safe.directory` names the repository (https://git-scm.com/docs/git-config).
    """
    return {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": str(repository),
        "GIT_COMMITTER_NAME": "Otterwiki",
        "GIT_COMMITTER_EMAIL": "noreply@otterwiki",
        "GIT_OPTIONAL_LOCKS": "0",  # so that only writers, one at a time, leave a lock file
    }


def otterwiki_environment(data: Path) -> dict[str, str]:
    """Otterwiki's own settings for this data directory."""
    return {
        "REPOSITORY": str(data / "repository"),
        # SQLite's rollback journal, its default: WAL needs shared memory, which NFS hasn't
        # (https://www.sqlite.org/wal.html).
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{data}/wiki.sqlite?timeout={SQLITE_BUSY_SECONDS}",
    }


def import_otterwiki(data: Path) -> Flask:
    """Otterwiki's application, on its data directory.

    Raises:
        SystemExit: git, the directory, the secret or the database can't be used.
    """
    if shutil.which("git") is None:
        stop(
            "Otterwiki needs the git executable and PATH has none; install git (on Amazon Linux:"
            " dnf install git-core) or deploy the image of app/otterwiki/Dockerfile"
        )
    os.environ.update(git_environment(data / "repository") | otterwiki_environment(data))
    with first_start(data):
        os.environ["SECRET_KEY"] = secret_key(data / "secret_key")
        try:
            from otterwiki.server import app as otterwiki_app  # noqa: PLC0415  (reads the environment as it is imported)
        except DatabaseError as error:
            stop(f"the database {data}/wiki.sqlite can't be used: {error.orig}")
    application: Flask = otterwiki_app
    return application


def mark_files(response: Response) -> Response:
    """Mark a file's response as bytes for apig-wsgi, which would decode every `text/*` as UTF-8."""
    if response.direct_passthrough:
        if response.status_code == 200:  # a part (206) is of the file as it is
            shrink(response)
        response.headers.setdefault("Content-Encoding", "identity")
    return response


def shrink(response: Response) -> None:
    """Compress a file that would not fit into Lambda's answer, for whoever reads gzip.

    Otterwiki's own Mermaid script is one. Its entity tag becomes a weak one (RFC 9110, section 8.8.1), which a
    browser's question whether it has changed still matches.
    """
    kind = response.mimetype or ""
    script = kind.startswith("text/") or kind == "application/javascript"
    if (response.content_length or 0) <= LARGEST_FILE or not script or not request.accept_encodings["gzip"]:
        return
    response.direct_passthrough = False
    response.set_data(gzip.compress(response.get_data(), compresslevel=6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    etag, _ = response.get_etag()
    if etag:
        response.set_etag(etag, weak=True)


def as_wsgi_reads_it(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as apig-wsgi wants it: `rawPath` percent-encoded again, `rawQueryString` always there.

    API Gateway decodes `rawPath`; apig-wsgi decodes it once more, as Latin-1. Encoded here, a page name
    with an umlaut or a percent sign arrives whole.
    """
    return {"rawQueryString": "", **event, "rawPath": quote(event["rawPath"])}


def remove_stale_locks(repository: Path) -> None:
    """Remove the lock files of a writer that was killed; the caller holds the lock that keeps others out.

    Without this, one Lambda timeout while a page is saved would end all saving.
    """
    git = repository / ".git"
    for lock in (*git.glob("*.lock"), *git.glob("refs/heads/*.lock")):
        lock.unlink(missing_ok=True)


@contextmanager
def only_writer(data: Path) -> Iterator[None]:
    """Hold the writers' lock: two instances that commit at once would fail on git's index."""
    with locked(data / "write.lock"):
        remove_stale_locks(data / "repository")
        yield


DATA = data_directory()
app = import_otterwiki(DATA)
app.after_request(mark_files)
call_app = make_lambda_handler(app)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one payload-2.0 event.

    Args:
        event: API Gateway's event, its path decoded
            (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
        context: Lambda's context, handed on.

    Returns:
        A payload-2.0 response; files are base64-encoded.
    """
    reads = event["requestContext"]["http"]["method"] in READ_METHODS
    with nullcontext() if reads else only_writer(DATA):
        response = call_app(as_wsgi_reads_it(event), context)
    if response["headers"].get("content-encoding") == "identity":
        del response["headers"]["content-encoding"]
    return response
