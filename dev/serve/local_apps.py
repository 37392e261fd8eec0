"""What the two apps need to know of each other, and a wiki with a few pages."""

import os
import shutil
import subprocess
from pathlib import Path

PAGES = Path(__file__).with_name("pages")

# Otterwiki keeps a page in a file of its name in lower case.
_FILES = {
    "home.md": "home.md",
    "otters.md": "otters.md",
    "onboarding.md": "team/onboarding.md",
    "sizes.md": "über uns/größe 100%.md",
}
_AUTHOR = ("-c", "user.name=make serve", "-c", "user.email=developer@example.com")


def app_environments(gateway: str, authkit: str, client_id: str, wiki_data: Path) -> dict[str, dict[str, str]]:
    """The variables of each app of this repository, by app.

    Args:
        gateway: its URL without a final slash; both apps are behind it.
        authkit: the issuer.
        client_id: the issuer's environment.
        wiki_data: the directory that keeps the wiki.
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
    """Make a wiki's data directory with the pages of `pages/`; one that exists stays as it is.

    Raises:
        OSError: the directory can't be written.
        subprocess.CalledProcessError: git has failed.
    """
    repository = data / "repository"
    if repository.exists():
        return
    # Whole or not at all: the wiki takes any repository that is there for its own.
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
    # Nobody's own settings: a template, a hook or a signing key would end up in the wiki.
    env = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, env=env)
