"""The page that explains a rule, from the package's own files: no network is needed to read it."""

import difflib
from importlib.resources import files

from routegen.errors import ConfigError

_PAGES = files("routegen.report").joinpath("pages")


def known_ids() -> list[str]:
    """The id of every rule that has a page, sorted."""
    names = [file.name for file in _PAGES.iterdir()]
    return sorted(name.removesuffix(".md") for name in names if name.endswith(".md"))


def page_of(rule_id: str) -> str:
    """The rule's page, Markdown: what it means, how users notice, how to mend it, where the rule is from.

    Args:
        rule_id: in capitals or not.

    Raises:
        ConfigError: no rule has that id; the text names the nearest ones.
    """
    known = known_ids()
    wanted = rule_id.upper()
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.0)
        raise ConfigError(f"no rule has the id {rule_id!r}; the nearest known ones are {', '.join(near)}")
    return _PAGES.joinpath(f"{wanted}.md").read_text("utf-8")
