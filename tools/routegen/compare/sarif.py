"""Differences as SARIF 2.1.0 (OASIS), for code scanning."""

from collections.abc import Iterable
from typing import Any

from routegen import __version__
from routegen.compare.differences import Difference
from routegen.compare.levels import RULES, rule_of
from routegen.compare.lines import line_of
from routegen.compare.text import consequence, label, path_of
from routegen.manifest import Manifest


def as_sarif(differences: Iterable[Difference], wanted: Manifest, file: str, text: str) -> dict[str, Any]:
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
    results = [_result(difference, wanted, file, text) for difference in differences]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(difference: Difference, wanted: Manifest, file: str, text: str) -> dict[str, Any]:
    path = path_of(difference)
    rule = rule_of(difference)
    location = {"artifactLocation": {"uri": file}, "region": {"startLine": line_of(text, path)}}
    return {
        "ruleId": rule.id,
        "level": rule.level,
        "message": {"text": f"{label(difference)}: {path}: {consequence(difference, wanted)}"},
        "locations": [{"physicalLocation": location}],
        # Two runs over one manifest agree on what is the same finding, whatever line it has moved to.
        "partialFingerprints": {"routegen/v1": f"{rule.id} {path}"},
    }
