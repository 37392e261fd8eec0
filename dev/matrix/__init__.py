"""`make matrix`: extract and prove every auth provider of FastMCP with every transport, and write docs/providers.md.

- `auth_providers`: creates each auth provider.
- `transport_cases`: the transports and mounts that are combined with each provider.
- `prove_provider`: extracts and proves one provider in one case.
- `fastmcp_releases`: does the same for older FastMCP releases.
- `providers_page`: writes the tables of docs/providers.md.
- `__main__`: the command `python -m dev.matrix`.
"""
