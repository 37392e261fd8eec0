"""The differences between two manifests, as typed data and as findings."""

from routegen.diff.difference_findings import as_data, as_findings
from routegen.diff.entry_lines import line_of_entry
from routegen.diff.manifest_differences import Added, Changed, DefaultChanged, Difference, Removed, compare

__all__ = [
    "Added",
    "Changed",
    "DefaultChanged",
    "Difference",
    "Removed",
    "as_data",
    "as_findings",
    "compare",
    "line_of_entry",
]
