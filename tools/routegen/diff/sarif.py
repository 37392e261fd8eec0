"""Differences as SARIF 2.1.0 (OASIS), for code scanning."""

from collections.abc import Iterable
from typing import Any

from routegen.diff.differences import Difference
from routegen.diff.levels import RULES, Note, rule_of
from routegen.diff.lines import line_of
from routegen.diff.text import consequence, label, path_of
from routegen.manifest import Manifest
from routegen.report.writers.sarif import log, place, result


def as_sarif(
    differences: Iterable[Difference], wanted: Manifest, file: str, text: str, notes: Iterable[Note] = ()
) -> dict[str, Any]:
    """A log with one run; the arguments are as_github's."""
    results = []
    for difference in differences:
        path = path_of(difference)
        message = f"{label(difference)}: {path}: {consequence(difference, wanted)}"
        results.append(result(rule_of(difference), path, message) | _place(path, file, text))
    results += [result(note.of, note.path, note.text) | _place(note.path, file, text) for note in notes]
    return log(RULES, results)


def _place(path: str, file: str, text: str) -> dict[str, Any]:
    return {"locations": [place(file, line_of(text, path))]}
