"""Every auth provider that FastMCP ships, on every transport: extracted, and proven without a disagreement.

`python -m dev.matrix` from the repository's root writes docs/providers.md. `auth_providers.py` builds the providers,
`transport_cases.py` puts them behind transports and mounts, `prove_provider.py` extracts and proves one pair of them,
`fastmcp_releases.py` does that for earlier FastMCP releases, `providers_page.py` writes the tables.
"""
