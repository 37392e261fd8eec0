"""Write the digest of the wiki's base image into its Dockerfile: `make pin-base-image`, or with PYTHON_VERSION=3.12.

The registry is asked as Docker asks it ("OCI Distribution Specification"): for the manifest of the tag, with an
anonymous token if it demands one. The digest is that of the index of all platforms, so it is right for both
architectures of Lambda.
"""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

DOCKERFILE = Path(__file__).parents[1] / "app" / "otterwiki" / "Dockerfile"
_BASE_IMAGE = re.compile(
    r"^ARG BASE_IMAGE=(?P<host>[^/\s]+)/(?P<repository>[^\s:@]+):(?P<tag>[\w.-]+)(?:@\S+)?$", re.MULTILINE
)
_INDEX_TYPES = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
_PLATFORMS = {"linux/amd64", "linux/arm64"}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT_SECONDS = 30


def pin_base_image(dockerfile: Path, python_version: str = "") -> str:
    """Replace the base image of a Dockerfile by the image that its tag names now.

    Args:
        dockerfile: the file, with a line `ARG BASE_IMAGE=HOST/REPOSITORY:TAG`.
        python_version: the new tag; empty for the present one.

    Returns:
        The image with its tag and its digest.

    Raises:
        SystemExit: the file has no such line, or the registry does not answer as a registry must.
    """
    text = dockerfile.read_text()
    match = _BASE_IMAGE.search(text)
    if match is None:
        _fail(f"{dockerfile}: it has no line ARG BASE_IMAGE=HOST/REPOSITORY:TAG")
    host, repository, tag = match["host"], match["repository"], python_version or match["tag"]
    # Docker too speaks http only with a registry on this machine.
    scheme = "http" if host.partition(":")[0] in {"127.0.0.1", "localhost"} else "https"
    image = f"{host}/{repository}:{tag}"
    digest = _read_digest(f"{scheme}://{host}/v2/{repository}/manifests/{tag}", image)
    dockerfile.write_text(_BASE_IMAGE.sub(f"ARG BASE_IMAGE={image}@{digest}", text))
    return f"{image}@{digest}"


def _read_digest(url: str, image: str) -> str:
    """Return the digest of an index, which is the SHA-256 of its bytes."""
    try:
        content = _get(url, image)
        index = json.loads(content)
        platforms = {f"{entry['platform']['os']}/{entry['platform']['architecture']}" for entry in index["manifests"]}
    except (URLError, TimeoutError) as error:
        _fail(f"{image}: the registry has no such image, or it cannot be reached: {error}")
    except (ValueError, LookupError, TypeError):
        _fail(f"{image}: the registry's answer is not an index of images; the tag must have all platforms")
    if missing := sorted(_PLATFORMS - platforms):
        _fail(f"{image}: there is no image for {', '.join(missing)}")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _get(url: str, image: str) -> bytes:
    request = Request(url, headers={"Accept": _INDEX_TYPES})  # noqa: S310 - http only on this machine
    try:
        return _read(request)
    except HTTPError as error:
        if error.code != 401:
            raise
        challenge = dict(_PARAMETER.findall(error.headers.get("WWW-Authenticate", "")))
    if not challenge.get("realm", "").startswith(("https://", "http://127.0.0.1:")):
        _fail(f"{image}: the registry demands a token and does not say where to get it")
    query = urlencode({key: value for key, value in challenge.items() if key in {"service", "scope"}})
    answer = json.loads(_read(Request(f"{challenge['realm']}?{query}")))  # noqa: S310 - checked above
    request.add_header("Authorization", f"Bearer {answer['token']}")
    return _read(request)


def _read(request: Request) -> bytes:
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as response:  # noqa: S310 - http only on this machine
            content: bytes = response.read()
    except HTTPError as error:
        error.close()
        raise
    return content


def _fail(problem: str) -> NoReturn:
    raise SystemExit(f"pin_base_image: {problem}")


if __name__ == "__main__":
    print(pin_base_image(DOCKERFILE, *sys.argv[1:]))
