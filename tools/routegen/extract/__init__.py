"""From the configured apps to a manifest.

`pipeline.extract` imports each app in a process of its own, `build` turns what they serve into a manifest,
`unsupported` lists what a route key cannot express, `shadowing` lists the rules of the default app whose requests
the routes take, and `with_requirements` extracts with other releases of what the apps use.
"""

from routegen.extract.build import Extraction, build_manifest
from routegen.extract.pipeline import extract
from routegen.extract.quota import QuotaError

__all__ = ["Extraction", "QuotaError", "build_manifest", "extract"]
