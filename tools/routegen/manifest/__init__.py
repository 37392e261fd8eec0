"""The manifest: the paths and the app of each path behind one gateway, as data that any tool can read.

`parse` is the only reader and validates all of a manifest, `write` writes the same bytes for the same content, and
`explain` answers which app gets a request. Nothing here imports a web framework, a command line or Pulumi, so that a
program that only reads a manifest starts quickly.
"""

from routegen.errors import ManifestError
from routegen.manifest.parse import parse_manifest, read_manifest
from routegen.manifest.schema import DOCUMENT_ROLES, VERSION, Manifest, Role, Route, json_schema
from routegen.manifest.write import dump_manifest, replace_file

__all__ = [
    "DOCUMENT_ROLES",
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
