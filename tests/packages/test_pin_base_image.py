"""The digest of the wiki's base image, from a registry on loopback that demands a token as Amazon's registry does."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dev.pin_base_image import DOCKERFILE, pin_base_image

OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def index_of(*architectures: str) -> bytes:
    entries = [{"platform": {"os": "linux", "architecture": name}, "digest": name} for name in architectures]
    return json.dumps({"mediaType": OCI_INDEX, "manifests": entries}, indent=3).encode()


@dataclass
class Registry:
    """A registry with one repository; `contents` has the answer for each tag."""

    host: str = ""
    contents: dict[str, bytes] = field(default_factory=dict)
    challenge: str = 'Bearer realm="http://{host}/token/",service="registry.example",scope="aws"'
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def registry() -> Iterator[Registry]:
    running = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            content = running.contents.get(self.path.rpartition("/")[2])
            if self.path == "/token/?service=registry.example&scope=aws":
                self.answer(200, b'{"token": "anonymous"}')
            elif self.headers["Authorization"] != "Bearer anonymous":
                self.answer(401, b"", {"WWW-Authenticate": running.challenge.format(host=running.host)})
            elif content is None or OCI_INDEX not in self.headers["Accept"]:
                self.answer(404, b"{}")
            else:
                self.answer(200, content)

        def answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name is that of the base class)
            """Print no log line."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    running.host = f"127.0.0.1:{server.server_port}"
    yield running
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def dockerfile(tmp_path: Path, registry: Registry) -> Path:
    """A copy of the wiki's Dockerfile whose base image is in the registry on loopback."""
    copy = tmp_path / "Dockerfile"
    copy.write_text(DOCKERFILE.read_text().replace("public.ecr.aws", registry.host))
    return copy


def test_the_digest_of_the_tag_is_written_and_the_next_run_replaces_it(dockerfile: Path, registry: Registry) -> None:
    original = dockerfile.read_text()
    for content in (index_of("amd64", "arm64"), index_of("arm64", "amd64", "riscv64")):
        registry.contents["3.13"] = content
        image = f"{registry.host}/lambda/python:3.13@sha256:{hashlib.sha256(content).hexdigest()}"
        assert pin_base_image(dockerfile) == image
        lines = dockerfile.read_text().splitlines()
        assert [line for line in lines if line.startswith("ARG")] == [f"ARG BASE_IMAGE={image}"]
        assert len(lines) == len(original.splitlines())
    assert registry.asked[:3] == [
        "/v2/lambda/python/manifests/3.13",
        "/token/?service=registry.example&scope=aws",
        "/v2/lambda/python/manifests/3.13",
    ]


def test_another_python_version_is_another_tag(dockerfile: Path, registry: Registry) -> None:
    registry.contents["3.12"] = index_of("amd64", "arm64")
    assert pin_base_image(dockerfile, "3.12").startswith(f"{registry.host}/lambda/python:3.12@sha256:")
    assert ":3.12@sha256:" in dockerfile.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the registry has no such image, or it cannot be reached: HTTP Error 404: Not Found"),
        (b"<html>", "the registry's answer is not an index of images; the tag must have all platforms"),
        (b'{"layers": []}', "the registry's answer is not an index of images; the tag must have all platforms"),
        (index_of("amd64"), "there is no image for linux/arm64"),
    ],
    ids=["none", "page", "one image", "one platform"],
)
def test_a_wrong_answer_changes_nothing(
    dockerfile: Path, registry: Registry, content: bytes | None, message: str
) -> None:
    before = dockerfile.read_text()
    registry.contents |= {} if content is None else {"3.13": content}
    with pytest.raises(SystemExit) as caught:
        pin_base_image(dockerfile)
    assert caught.value.code == f"pin_base_image: {registry.host}/lambda/python:3.13: {message}"
    assert dockerfile.read_text() == before


@pytest.mark.parametrize("challenge", ["Basic", 'Bearer realm="http://registry.example/token"'])
def test_a_token_is_asked_only_at_a_safe_place(dockerfile: Path, registry: Registry, challenge: str) -> None:
    registry.challenge = challenge
    with pytest.raises(SystemExit, match="the registry demands a token and does not say where to get it"):
        pin_base_image(dockerfile)


def test_a_registry_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("ARG BASE_IMAGE=127.0.0.1:1/lambda/python:3.13\n")
    with pytest.raises(SystemExit, match="it cannot be reached: <urlopen error"):
        pin_base_image(file)
    file.write_text("FROM scratch\n")
    with pytest.raises(SystemExit, match="it has no line ARG BASE_IMAGE=HOST/REPOSITORY:TAG"):
        pin_base_image(file)
