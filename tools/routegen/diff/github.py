"""Differences as GitHub's workflow commands, which annotate the manifest's lines in a pull request."""

from collections.abc import Iterable

from routegen.diff.differences import Difference
from routegen.diff.levels import Note, rule_of
from routegen.diff.lines import line_of
from routegen.diff.text import consequence, label, path_of
from routegen.manifest import Manifest
from routegen.report import Level
from routegen.report.writers.github import command


def as_github(
    differences: Iterable[Difference], wanted: Manifest, file: str, text: str, notes: Iterable[Note] = ()
) -> str:
    """One workflow command a difference or note (GitHub, "Workflow commands for GitHub Actions").

    Args:
        differences: what differs.
        wanted: the manifest as it should be.
        file: the manifest's path in the repository.
        text: the manifest's text as it stands, for the lines.
        notes: what else is worth an annotation.
    """

    def line(level: Level, path: str, title: str, message: str) -> str:
        return command(level, title, message, file, line_of(text, path))

    lines = []
    for difference in differences:
        path = path_of(difference)
        title = f"{label(difference)}: {path}"
        lines.append(line(rule_of(difference).level, path, title, consequence(difference, wanted)))
    lines += [line(note.level, note.path, f"{note.rule}: {note.path}", note.text) for note in notes]
    return "".join(lines)
