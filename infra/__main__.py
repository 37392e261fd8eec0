"""An MCP server and a wiki behind one HTTP API. What is built, and why: docs/infra.md."""

import pulumi
from domain import build_domain
from functions import build_mcp_function, build_wiki_function
from gateway import build_gateway
from network import build_network
from settings import load_settings
from storage import build_storage

settings = load_settings()
network = build_network(settings)
storage = build_storage(settings, network)
mcp = build_mcp_function(settings)
wiki = build_wiki_function(settings, network, storage)
gateway = build_gateway(settings, {"mcp": mcp, "otterwiki": wiki})
build_domain(settings, gateway)

pulumi.export("url", settings.url)
pulumi.export("mcp_url", f"{settings.url}/mcp")
pulumi.export("wiki_url", settings.url)
pulumi.export("api_id", gateway.api.id)
pulumi.export("api_endpoint", gateway.api.api_endpoint)
pulumi.export("mcp_function", mcp.name)
pulumi.export("wiki_function", wiki.name)
pulumi.export("route_keys", sorted(gateway.route_keys))
