"""An MCP server and a wiki behind one HTTP API. What is built, and why: docs/infra.md."""

import pulumi
from custom_domain import build_custom_domain
from http_api import build_http_api
from lambda_functions import build_mcp_function, build_wiki_function
from stack_settings import load_settings
from wiki_network import build_wiki_network
from wiki_storage import build_wiki_storage

settings = load_settings()
network = build_wiki_network(settings)
storage = build_wiki_storage(settings, network)
mcp = build_mcp_function(settings)
wiki = build_wiki_function(settings, network, storage)
gateway = build_http_api(settings, {"mcp": mcp, "otterwiki": wiki})
build_custom_domain(settings, gateway)

pulumi.export("url", settings.url)
pulumi.export("mcp_url", f"{settings.url}/mcp")
pulumi.export("wiki_url", settings.url)
pulumi.export("api_id", gateway.api.id)
pulumi.export("api_endpoint", gateway.api.api_endpoint)
pulumi.export("mcp_function", mcp.name)
pulumi.export("wiki_function", wiki.name)
pulumi.export("route_keys", sorted(gateway.route_keys))
