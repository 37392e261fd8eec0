"""Routes, integrations and permissions as a Terraform module for the AWS provider."""

from collections.abc import Mapping
from typing import Any

from routegen.render.data import Gateway
from routegen.render.quote import as_hcl
from routegen.render.target import Asked, Target


def prepare(gateway: Gateway, _asked: Asked) -> Mapping[str, Any]:
    """The routes by name, the equals signs where `terraform fmt` puts them."""
    routes = [(rule.name, rule.key, rule.app.name) for rule in gateway.rules]
    routes.append(("$default", "$default", gateway.default.name))
    widest = max(len(as_hcl(name)) for name, _, _ in routes)
    return {
        "routes": [{"name": as_hcl(name).ljust(widest), "key": key, "app": app} for name, key, app in sorted(routes)],
        "apps": [app.name for app in gateway.apps],
    }


TARGET = Target(
    about="Terraform module: routes, integrations, permissions of an HTTP API",
    template="main.tf.j2",
    quote=as_hcl,
    prepare=prepare,
)
