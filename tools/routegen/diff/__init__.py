"""The differences between two manifests, as typed data and as findings."""

from routegen.diff.comparison import Added, Changed, DefaultChanged, Difference, Removed, compare
from routegen.diff.entry_lines import line_of_entry
from routegen.diff.findings import as_data, as_findings

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
