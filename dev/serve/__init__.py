"""Everything on one machine: wiki, MCP server, gateway, inspector, and a stand-in for AuthKit. For development.

`python -m dev.serve` runs it; `stack` says how the two apps are told of each other.
"""
