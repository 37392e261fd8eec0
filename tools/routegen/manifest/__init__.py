"""The manifest: which paths belong to which app, as data that any tool can read.

In: a file, or what `extract` built. Out: `Manifest`, validated whole, or the same bytes for the same app.
Imports no web framework, no command line and no Pulumi, so that a reader starts in a fraction of a second.
"""

from routegen.errors import ManifestError
from routegen.manifest.parse import parse_manifest, read_manifest
from routegen.manifest.schema import VERSION, Manifest, Role, Route, json_schema
from routegen.manifest.write import dump_manifest, replace_file

__all__ = [
    "VERSION",
    "Manifest",
    "ManifestError",
    "Role",
    "Route",
    "dump_manifest",
    "json_schema",
    "parse_manifest",
    "read_manifest",
    "replace_file",
]
