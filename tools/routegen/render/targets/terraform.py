"""A Terraform module for the AWS provider: routes, integrations and permissions."""

from collections.abc import Mapping
from typing import Any

from routegen.render.quote import quote_as_hcl
from routegen.render.render_target import RenderSettings, RenderTarget
from routegen.render.template_data import TemplateGateway


def prepare(gateway: TemplateGateway, _settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the routes by name, with the equals signs in the column where `terraform fmt` puts them."""
    routes = [(route.stable_name, route.key, route.app.name, route.reserved_comment) for route in gateway.routes]
    if gateway.default:
        routes.append(("$default", "$default", gateway.default.name, ""))
    # `terraform fmt` aligns the equals signs between two comments.
    groups: list[list[tuple[str, str, str, str]]] = [[]]
    for route in sorted(routes):
        if route[3]:
            groups.append([])
        groups[-1].append(route)
    return {
        "routes": [
            {"name": quote_as_hcl(name).ljust(_width(group)), "key": key, "app": app, "comment": comment}
            for group in groups
            for name, key, app, comment in group
        ],
        "apps": [app.name for app in gateway.apps],
    }


def _width(routes: list[tuple[str, str, str, str]]) -> int:
    return max(len(quote_as_hcl(name)) for name, *_ in routes)


TARGET = RenderTarget(
    summary="Terraform module: routes, integrations and permissions of an HTTP API",
    template="main.tf.j2",
    quote=quote_as_hcl,
    prepare=prepare,
)
