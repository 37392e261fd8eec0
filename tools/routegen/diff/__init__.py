"""Two manifests, compared: typed differences, and their forms.

In: the manifest as it stands and as it should be. Out: `Difference` entries in path order; `text.py` and
`as_json.py` say them to people and to scripts.
"""

from routegen.diff.differences import Added, Changed, DefaultChanged, Difference, Removed, TableOutdated, compare
from routegen.diff.levels import Note

__all__ = ["Added", "Changed", "DefaultChanged", "Difference", "Note", "Removed", "TableOutdated", "compare"]
