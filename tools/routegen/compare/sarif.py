"""Differences as SARIF 2.1.0 (OASIS), for code scanning."""

from collections.abc import Iterable
from typing import Any

from routegen import __version__
from routegen.compare.differences import Difference
from routegen.compare.levels import RULES, Level, Note, rule_of
from routegen.compare.lines import line_of
from routegen.compare.text import consequence, label, path_of
from routegen.manifest import Manifest


def as_sarif(
    differences: Iterable[Difference], wanted: Manifest, file: str, text: str, notes: Iterable[Note] = ()
) -> dict[str, Any]:
    """A log with one run; the arguments are as_github's."""
    rules = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.text},
            "defaultConfiguration": {"level": rule.level},
        }
        for rule in RULES
    ]
    driver = {"name": "routegen", "version": __version__, "rules": rules}
    results = []
    for difference in differences:
        path, rule = path_of(difference), rule_of(difference)
        message = f"{label(difference)}: {path}: {consequence(difference, wanted)}"
        results.append(_result(rule.id, rule.level, path, message) | _place(path, file, text))
    results += [_result(note.rule, note.level, note.path, note.text) | _place(note.path, file, text) for note in notes]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(rule: str, level: Level, path: str, message: str) -> dict[str, Any]:
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": message},
        # Two runs over one manifest agree on what is the same finding, whatever line it has moved to.
        "partialFingerprints": {"routegen/v1": f"{rule} {path}"},
    }


def _place(path: str, file: str, text: str) -> dict[str, Any]:
    location = {"artifactLocation": {"uri": file}, "region": {"startLine": line_of(text, path)}}
    return {"locations": [{"physicalLocation": location}]}
