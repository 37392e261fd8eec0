"""Every auth provider that FastMCP ships, on every transport: extracted, and proven without a disagreement.

`python -m dev.matrix` from the repository's root writes docs/providers.md. `providers.py` builds the providers,
`cases.py` puts them behind transports and mounts, `run.py` extracts and proves one pair of them, `releases.py` does
that for earlier FastMCP releases, `report.py` writes the tables.
"""
