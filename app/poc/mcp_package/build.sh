#!/usr/bin/env bash
# Builds the package directory of the MCP Lambda, build/mcp. --help shows the options.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec bash "$here/../../package.sh" mcp "$here" mcp_server.handler --zip -- "$@"
