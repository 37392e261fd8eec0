"""All servers by their names."""

from truth.servers import (
    fastmcp_servers,
    mounted_servers,
    sdk_servers,
    several_apps,
    signed_in_servers,
    wrapped_servers,
)

GROUPS = (fastmcp_servers, mounted_servers, sdk_servers, wrapped_servers, signed_in_servers, several_apps)
SERVERS = {mcp_server.name: mcp_server for group in GROUPS for mcp_server in group.SERVERS}
