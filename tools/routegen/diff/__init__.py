"""The differences between two manifests, as typed data and as findings."""

from routegen.diff.difference_findings import as_data, as_findings
from routegen.diff.manifest_differences import Difference, compare, line_of_entry

__all__ = ["Difference", "as_data", "as_findings", "compare", "line_of_entry"]
