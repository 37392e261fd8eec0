"""Deployed APIs of different shapes in moto, and the application of a plan through boto3."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from audit.moto_deployment import MANIFEST, MotoDeployment
from routegen.gateway import RouteKey, RouteKeyError, RouteTable
from routegen.manifest import read_manifest

SEED = ("ANY /mcp", "ANY /mcp/{proxy+}")
OTHER_APP = "blog"


def deploy(routes: Mapping[str, str], *, integration_for_each_route: bool = False) -> MotoDeployment:
    """Deploy an API by hand.

    Args:
        routes: for each route key the app whose function it leads to.
        integration_for_each_route: whether each route has its integration, as routes have that the console created.
    """
    deployment = MotoDeployment(read_manifest(MANIFEST).model_copy(update={"routes": (), "default": None})).create()
    if OTHER_APP in routes.values():
        deployment.create_function(OTHER_APP)
        deployment.add_permission(OTHER_APP, f"{deployment.source}/*/*")
        deployment.integrations[OTHER_APP] = deployment.create_integration(deployment.arns[OTHER_APP])
    for key, app in routes.items():
        if integration_for_each_route:
            deployment.integrations[app] = deployment.create_integration(deployment.arns[app])
        deployment.create_route(key, app)
    return deployment


def _wiki_and(*keys: str) -> dict[str, str]:
    return {**dict.fromkeys(keys, "mcp"), "$default": "otterwiki"}


def _complete() -> dict[str, str]:
    return _wiki_and(*(key for route in read_manifest(MANIFEST).routes for key in route.route_keys))


SHAPES: dict[str, Callable[[], MotoDeployment]] = {
    "two routes written by hand": lambda: deploy(_wiki_and(*SEED)),
    "a route for each method": lambda: deploy(_wiki_and("GET /mcp", "POST /mcp", "DELETE /mcp")),
    "another name of the variable": lambda: deploy(_wiki_and("ANY /mcp", "ANY /mcp/{any+}")),
    "an integration for each route": lambda: deploy(_wiki_and(*SEED), integration_for_each_route=True),
    "all routes of the manifest": lambda: deploy(_complete()),
    "routes that another route includes": lambda: deploy(_wiki_and(*SEED, "POST /mcp/messages", "ANY /mcp/v1/{x}")),
    "a route of the website": lambda: deploy({**_wiki_and(*SEED), "GET /page/{name}": "otterwiki"}),
    "many document routes": lambda: deploy(
        _wiki_and(*SEED, "GET /.well-known/oauth-protected-resource", "GET /.well-known/oauth-authorization-server")
    ),
    "no $default": lambda: deploy(dict.fromkeys(SEED, "mcp") | {"GET /": "otterwiki"}),
    "only the endpoint": lambda: deploy(_wiki_and("ANY /mcp")),
}
"""The shapes that can be adopted safely."""


def apply(deployment: MotoDeployment, plan: Mapping[str, Any]) -> Iterator[str]:
    """Apply the steps of a plan in its order, and yield each route key after its step."""
    gateway, api = deployment.gateway, {"ApiId": deployment.api_id}
    integrations = {app: identifier or deployment.integrations[app] for app, identifier in plan["integrations"].items()}
    for step in plan["steps"]:
        if step["action"] == "remove":
            gateway.delete_route(**api, RouteId=step["route_id"])
        elif step["action"] != "keep":
            target = {"RouteKey": step["route_key"], "Target": f"integrations/{integrations[step['app']]}"}
            if step["action"] == "create":
                gateway.create_route(**api, **target)
            else:
                gateway.update_route(**api, RouteId=step["route_id"], AuthorizationType="NONE", **target)
        yield step["route_key"]


def answering_functions(deployment: MotoDeployment) -> dict[tuple[str, str], str | None]:
    """For a request to each route of the manifest, and to the website, the function that gets it now."""
    gateway, api = deployment.gateway, {"ApiId": deployment.api_id}
    uris = {item["IntegrationId"]: item["IntegrationUri"] for item in gateway.get_integrations(**api)["Items"]}
    routes = {
        item["RouteKey"]: uris[item["Target"].removeprefix("integrations/")]
        for item in gateway.get_routes(**api, MaxResults="500")["Items"]
    }
    table = RouteTable(key for key in map(_parse, routes) if key)
    paths = [key.partition(" ")[2] for route in deployed_manifest().routes for key in route.route_keys]
    requests = [
        (method, path.replace("{proxy+}", "x/y")) for path in (*paths, "/", "/page/x") for method in ("GET", "POST")
    ]
    return {
        request: routes.get("$default" if (key := table.select(*request)) is None else str(key)) for request in requests
    }


def deployed_manifest() -> Any:
    return read_manifest(MANIFEST)


def _parse(key: str) -> RouteKey | None:
    try:
        return RouteKey.parse(key)
    except RouteKeyError:
        return None
