"""Differences as GitHub's workflow commands, which annotate the manifest's lines in a pull request."""

from collections.abc import Iterable

from routegen.compare.differences import Difference
from routegen.compare.levels import rule_of
from routegen.compare.lines import line_of
from routegen.compare.text import consequence, label, path_of
from routegen.manifest import Manifest

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def as_github(differences: Iterable[Difference], wanted: Manifest, file: str, text: str) -> str:
    """One workflow command a difference (GitHub, "Workflow commands for GitHub Actions").

    Args:
        differences: what differs.
        wanted: the manifest as it should be.
        file: the manifest's path in the repository.
        text: the manifest's text as it stands, for the lines.
    """
    lines = []
    for difference in differences:
        path = path_of(difference)
        where = f"file={_property(file)},line={line_of(text, path)},title={_property(f'{label(difference)}: {path}')}"
        lines.append(f"::{_COMMANDS[rule_of(difference).level]} {where}::{_data(consequence(difference, wanted))}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
