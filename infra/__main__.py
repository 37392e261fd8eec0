"""The Pulumi program: an MCP server and a wiki behind one HTTP API. docs/infra.md explains it."""

import pulumi
from custom_domain import build_custom_domain
from http_api import build_http_api
from lambda_functions import build_mcp_function, build_wiki_function
from stack_settings import check_base_image, load_manifest, load_package, load_settings
from wiki_network import build_wiki_network
from wiki_storage import build_wiki_storage

# All input is checked before the first resource, so that a mistake never leaves a half-built stack.
settings = load_settings()
manifest = load_manifest(settings)
mcp_package = load_package("mcp", "app/poc/mcp_package/build.sh", settings)
load_package("otterwiki", "app/otterwiki/build.sh", settings)
check_base_image(settings)

network = build_wiki_network(settings)
storage = build_wiki_storage(settings, network)
mcp = build_mcp_function(settings, mcp_package.handler)
wiki = build_wiki_function(settings, network, storage)
http_api = build_http_api(settings, manifest, {"mcp": mcp.alias, "otterwiki": wiki.alias})
build_custom_domain(settings, http_api)

pulumi.export("url", settings.url)
pulumi.export("mcp_url", f"{settings.url}/mcp")
pulumi.export("wiki_url", settings.url)
pulumi.export("api_id", http_api.api.id)
pulumi.export("api_endpoint", http_api.api.api_endpoint)
pulumi.export("mcp_function", pulumi.Output.concat(mcp.function.name, ":", mcp.alias.name))
pulumi.export("wiki_function", pulumi.Output.concat(wiki.function.name, ":", wiki.alias.name))
pulumi.export("mcp_version", mcp.alias.function_version)
pulumi.export("wiki_version", wiki.alias.function_version)
pulumi.export("route_keys", sorted(http_api.route_keys))
