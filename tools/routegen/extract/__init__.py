"""Extraction: from the configured apps to a manifest.

`pipeline.extract` loads each app in its own process, `build` turns the served paths into a manifest,
`unsupported` lists the paths that a route key cannot express, `shadowing` lists the rules of the default app whose
requests the routes take, and `with_requirements` extracts with other releases of the apps' dependencies.
"""

from routegen.extract.build import Extraction, build_manifest
from routegen.extract.pipeline import extract

__all__ = ["Extraction", "build_manifest", "extract"]
