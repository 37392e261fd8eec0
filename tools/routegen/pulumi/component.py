"""The component `ManifestRoutes`: the routes of a manifest on an HTTP API that a Pulumi program has."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pulumi
import pulumi_aws as aws

from routegen.config import find_project, read_config
from routegen.errors import RoutegenError
from routegen.gateway import DEFAULT_ROUTE, stable_name
from routegen.manifest import Manifest, read_manifest

AnyFunction = aws.lambda_.Function | aws.lambda_.Alias


class ManifestRoutes(pulumi.ComponentResource):
    """Create one route for each route key of a manifest, and `$default`.

    Everything is checked before the first resource is registered. The logical name of a route is its route key without
    the names of the variables, so that another route in the manifest replaces nothing and a renamed variable is an
    update.

    Example:
        ```python
        ManifestRoutes("routes", api_id=api.id, integrations={"mcp": mcp_integration.id, "wiki": wiki_function})
        ```

    Attributes:
        route_keys: the route keys, as the API has them.
        routes: the route of each key; a stage that does not deploy automatically depends on these.
        integrations: the integration that was made for each app whose function was given.
    """

    def __init__(  # noqa: PLR0913 - the inputs of the component
        self,
        resource_name: str,
        *,
        api_id: pulumi.Input[str],
        integrations: Mapping[str, pulumi.Input[str] | AnyFunction],
        manifest: Manifest | str | Path | None = None,
        default: bool = True,
        adopt: Mapping[str, str] | None = None,
        import_: Mapping[str, str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the routes.

        Args:
            resource_name: the logical name; those of the routes begin with it.
            api_id: the id of the HTTP API.
            integrations: for each app of the manifest the id of an integration, or a Lambda function or its alias.
                A function gets an integration with payload format 2.0, and one permission for all routes, because one
                for each route exceeds the 20,480 bytes of a function's resource policy ("Lambda quotas").
            manifest: the manifest or its file. By default, the file that `[tool.routegen]` of the nearest
                pyproject.toml configures.
            default: whether to create `$default` for the manifest's default app.
            adopt: for a route key, the logical name or the URN of the resource that the program had for it. The
                component takes over this resource with its state; remove the old declaration from the program. A
                resource without a parent that has the new logical name is taken over without this.
            import_: for a route key, `API_ID/ROUTE_ID` of a route that the API has and that no state knows.
            opts: the options of the component.

        Raises:
            pulumi.RunError: the manifest is missing or invalid, or an argument does not fit it.
        """
        content = _load_manifest(manifest)
        apps = {key: app for key, app in content.apps_by_route_key.items() if default or key != DEFAULT_ROUTE}
        adopted = _by_route_key("adopt", adopt or {}, apps)
        imported = _by_route_key("import_", import_ or {}, apps)
        _check_arguments(apps, integrations, adopted, imported)

        super().__init__("routegen:aws:ManifestRoutes", resource_name, None, opts)
        self.integrations: dict[str, aws.apigatewayv2.Integration] = {}
        self.routes: dict[str, aws.apigatewayv2.Route] = {}
        ids = {app: self._integration_id(resource_name, api_id, app, backend) for app, backend in integrations.items()}
        for key, app in apps.items():
            name = f"{resource_name} {stable_name(key)}"
            self.routes[key] = aws.apigatewayv2.Route(
                name,
                api_id=api_id,
                route_key=key,
                target=pulumi.Output.concat("integrations/", ids[app]),
                opts=pulumi.ResourceOptions(
                    parent=self, aliases=[_former_identity(adopted.get(key, name))], import_=imported.get(key)
                ),
            )
        self.route_keys = tuple(self.routes)
        self.register_outputs({"route_keys": list(self.route_keys)})

    def _integration_id(
        self, resource_name: str, api_id: pulumi.Input[str], app: str, backend: pulumi.Input[str] | AnyFunction
    ) -> pulumi.Input[str]:
        if not isinstance(backend, AnyFunction):
            return backend
        name = f"{resource_name} {app}"
        if isinstance(backend, aws.lambda_.Alias):
            function, qualifier = backend.function_name, backend.name
        else:
            function, qualifier = backend.name, None
        execution_arn = aws.apigatewayv2.get_api_output(api_id=api_id).execution_arn
        aws.lambda_.Permission(
            name,
            action="lambda:InvokeFunction",
            function=function,
            qualifier=qualifier,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(execution_arn, "/*/*"),  # every stage and every route of this API
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.integrations[app] = aws.apigatewayv2.Integration(
            name,
            api_id=api_id,
            integration_type="AWS_PROXY",
            integration_method="POST",
            integration_uri=backend.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=30000,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return self.integrations[app].id


def _load_manifest(manifest: Manifest | str | Path | None) -> Manifest:
    if isinstance(manifest, Manifest):
        return manifest
    try:
        return read_manifest(read_config(find_project(Path.cwd())).manifest if manifest is None else Path(manifest))
    except RoutegenError as error:
        raise pulumi.RunError(f"the manifest: {error}") from None


def _by_route_key(argument: str, spellings: Mapping[str, str], apps: Collection[str]) -> dict[str, str]:
    """Return an argument with the manifest's spelling of each route key; names of variables do not matter."""
    keys = {stable_name(key): key for key in apps}
    unknown = [key for key in spellings if stable_name(key) not in keys]
    if unknown:
        raise pulumi.RunError(
            f"{argument}: the manifest has no route key {unknown[0]!r}; it has {', '.join(keys.values())}"
        )
    return {keys[stable_name(key)]: value for key, value in spellings.items()}


def _check_arguments(
    apps: Mapping[str, str],
    integrations: Collection[str],
    adopted: Collection[str],
    imported: Mapping[str, str],
) -> None:
    for key, app in apps.items():
        if app not in integrations:
            names = ", ".join(integrations) or "nothing"
            raise pulumi.RunError(
                f"integrations: {app!r} is missing, to which the manifest sends {key}; given: {names}"
            )
    if both := sorted(set(adopted).intersection(imported)):
        raise pulumi.RunError(f"import_: {both[0]!r} is in adopt too; a route that the state has is not imported")
    for key, route_id in imported.items():
        if len([part for part in route_id.split("/") if part]) != 2:
            raise pulumi.RunError(f"import_: {key!r}: {route_id!r} is not API_ID/ROUTE_ID")


def _former_identity(former: str) -> pulumi.Alias | str:
    """Return the URN itself, or a logical name as that of a resource without a parent."""
    return former if former.startswith("urn:") else pulumi.Alias(name=former, parent=pulumi.ROOT_STACK_RESOURCE)
