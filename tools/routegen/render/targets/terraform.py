"""A Terraform module for the AWS provider: routes, integrations and permissions."""

from collections.abc import Mapping
from typing import Any

from routegen.render.quote import quote_as_hcl
from routegen.render.render_target import RenderSettings, RenderTarget
from routegen.render.template_data import TemplateGateway


def prepare(gateway: TemplateGateway, _settings: RenderSettings) -> Mapping[str, Any]:
    """Prepare the routes by name, with the equals signs in the column where `terraform fmt` puts them."""
    routes = [(route.stable_name, route.key, route.app.name) for route in gateway.routes]
    routes.append(("$default", "$default", gateway.default.name))
    width = max(len(quote_as_hcl(name)) for name, _, _ in routes)
    return {
        "routes": [
            {"name": quote_as_hcl(name).ljust(width), "key": key, "app": app} for name, key, app in sorted(routes)
        ],
        "apps": [app.name for app in gateway.apps],
    }


TARGET = RenderTarget(
    summary="Terraform module: routes, integrations and permissions of an HTTP API",
    template="main.tf.j2",
    quote=quote_as_hcl,
    prepare=prepare,
)
