#!/usr/bin/env bash
# Builds the MCP Lambda's package directory, build/mcp; --help says more.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/../../package.sh" mcp "$here" mcp_server.handler -- "$@"
