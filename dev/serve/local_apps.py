"""Environment variables of both apps for `make serve`, and a wiki with sample pages."""

import os
import shutil
import subprocess
from pathlib import Path

PAGES = Path(__file__).with_name("pages")

# Otterwiki's file names are the page names in lower case.
_FILES = {
    "home.md": "home.md",
    "otters.md": "otters.md",
    "onboarding.md": "team/onboarding.md",
    "sizes.md": "über uns/größe 100%.md",
}
_AUTHOR = ("-c", "user.name=make serve", "-c", "user.email=developer@example.com")


def app_environments(gateway: str, authkit: str, client_id: str, wiki_data: Path) -> dict[str, dict[str, str]]:
    """Return the environment variables of each app of this repository, by app.

    Args:
        gateway: the URL of the gateway in front of both apps, without a slash at the end.
        authkit: the URL of the AuthKit stand-in, which is the issuer.
        client_id: the client id of the environment.
        wiki_data: the data directory of the wiki.
    """
    return {
        "mcp": {
            "AUTHKIT_DOMAIN": authkit,
            "WORKOS_CLIENT_ID": client_id,
            "MCP_BASE_URL": gateway,
            "WIKI_URL": gateway,
        },
        "otterwiki": {"WIKI_DATA_DIR": str(wiki_data), "GIT_WEB_SERVER": "True", "SITE_NAME": "routegen's wiki"},
    }


def make_wiki(data: Path) -> None:
    """Create a data directory of the wiki with the pages of `pages/`, unless it exists.

    Raises:
        OSError: the directory cannot be written.
        subprocess.CalledProcessError: git has failed.
    """
    repository = data / "repository"
    if repository.exists():
        return
    # The repository is renamed when it is complete, because the wiki would use an incomplete one.
    part = data / "repository.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for source, file in _FILES.items():
        (part / file).parent.mkdir(exist_ok=True)
        (part / file).write_bytes((PAGES / source).read_bytes())
    _git(part, "init", "--quiet", "--initial-branch=main")
    _git(part, "add", ".")
    _git(part, *_AUTHOR, "commit", "--quiet", "--message", "A few pages")
    part.rename(repository)


def _git(repository: Path, *arguments: str) -> None:
    # The developer's git settings must not have an effect: templates, hooks and signing keys would change the wiki.
    env = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, env=env)
