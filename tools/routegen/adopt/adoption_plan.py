"""The steps from the routes that an API has to those of the manifest, in a safe order.

New routes come first, then the changes of existing routes, then the removals. So a request never meets a moment
without a route, because API Gateway selects a route for each request by itself and a route that is removed has been
replaced before.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from routegen.audit.api_deployment import DeployedIntegration, DeployedRoute
from routegen.audit.app_functions import normalize_route_key
from routegen.audit.function_arns import parse_function_arn, short_function_name
from routegen.errors import ConfigError
from routegen.gateway import ANY, DEFAULT_ROUTE, METHODS, ROUTE_QUOTA, RouteKey, RouteKeyError, RouteTable
from routegen.manifest import Manifest

Action = Literal["create", "change", "keep", "remove"]
_ORDER: tuple[Action, ...] = ("create", "change", "keep", "remove")


@dataclass(frozen=True)
class ExistingApi:
    """An API that exists, as AWS or the state of a tool describes it.

    Attributes:
        id: the API's id.
        routes: its routes.
        integrations: its integrations by id.
        addresses: for a route's id the name by which the state of a tool knows it: a URN, or a Terraform address.
        stage_variables: the values that the URIs of integrations use.
    """

    id: str
    routes: tuple[DeployedRoute, ...]
    integrations: Mapping[str, DeployedIntegration]
    addresses: Mapping[str, str] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AdoptionStep:
    """What happens to one route.

    Attributes:
        action: `create`, `change`, `keep` or `remove`.
        route_key: the route key after the step; of a removed route, its key.
        app: the app that the manifest names for the route; None if the route is removed.
        integration_id: the integration after the step; None if the app has none yet.
        route_id: the id of the route; empty if it is created.
        former_key: the route key before the step.
        explanation: what the step changes, or which route takes over; empty if the action says it all.
        refusal: why the step is not safe; empty if it is.
    """

    action: Action
    route_key: str
    app: str | None
    integration_id: str | None
    route_id: str = ""
    former_key: str = ""
    explanation: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class AdoptionPlan:
    """All steps, in the order in which they are safe.

    Attributes:
        api: the API.
        steps: one step for each route of the API and of the manifest.
        integrations: the integration of each app; None if the API has none for it.
        unused_integrations: the ids of the integrations that no route has after the last step.
    """

    api: ExistingApi
    steps: tuple[AdoptionStep, ...]
    integrations: Mapping[str, str | None]
    unused_integrations: tuple[str, ...]

    @property
    def refused(self) -> tuple[AdoptionStep, ...]:
        """The steps that are not safe."""
        return tuple(step for step in self.steps if step.refusal)


def make_plan(
    manifest: Manifest, api: ExistingApi, named_integrations: Mapping[str, str], accepted: Collection[str] = ()
) -> AdoptionPlan:
    """Compare an API with the manifest.

    Args:
        manifest: the manifest.
        api: the API.
        named_integrations: integrations that the user names, by app: the id of each.
        accepted: route keys whose step the user accepts although it is not safe.

    Raises:
        ConfigError: an integration or an accepted key does not exist; or more routes than the quota would exist at the
            same time.
    """
    planner = _Planner(manifest, api, named_integrations)
    steps = [*planner.steps_of_the_manifest(), *planner.removals()]
    keys = {key for step in steps for key in (step.route_key, step.former_key)}
    for key in accepted:
        if key not in keys:
            raise ConfigError(f"--accept: neither the API nor the manifest has the route key {key!r}")
    steps = [replace(step, refusal="") if {step.route_key, step.former_key} & {*accepted} else step for step in steps]
    steps.sort(key=lambda step: (_ORDER.index(step.action), step.route_key == DEFAULT_ROUTE))
    if len(steps) > ROUTE_QUOTA:
        raise ConfigError(
            f"the API {api.id}: {len(steps)} routes would exist before the first is removed; the quota is "
            f"{ROUTE_QUOTA}, so ask AWS for a higher quota, or let an app own a path and all paths below it (`own`)"
        )
    used_integrations = {step.integration_id for step in steps if step.action != "remove"}
    unused = tuple(sorted(api.integrations.keys() - used_integrations))
    return AdoptionPlan(api, tuple(steps), planner.integrations, unused)


def _check_named(api: ExistingApi, apps: Collection[str], named_integrations: Mapping[str, str]) -> None:
    for app, integration in named_integrations.items():
        if app not in apps:
            names = ", ".join(sorted(apps))
            raise ConfigError(f"--integration: the manifest has no app {app!r}; it has {names}")
        if integration not in api.integrations:
            ids = ", ".join(sorted(api.integrations)) or "none"
            raise ConfigError(f"--integration: the API {api.id} has no integration {integration!r}; it has {ids}")


def _backend(api: ExistingApi, integration_id: str | None) -> str | None:
    """Return what an integration invokes, so that two integrations of one function are equal."""
    integration = api.integrations.get(integration_id or "")
    if integration is None:
        return None
    if integration.integration_subtype:
        return integration.integration_id
    return (
        parse_function_arn(integration.integration_uri, api.stage_variables)
        or integration.integration_uri
        or integration.integration_id
    )


class _Planner:
    """Makes the steps of one plan."""

    def __init__(self, manifest: Manifest, api: ExistingApi, named_integrations: Mapping[str, str]) -> None:
        self._api = api
        self._targets = manifest.apps_by_route_key
        self._table = RouteTable(RouteKey.parse(key) for key in self._targets if key != DEFAULT_ROUTE)
        self._keys = {normalize_route_key(key): key for key in self._targets}
        self._existing = {normalize_route_key(route.route_key): route for route in api.routes}
        self._present = RouteTable(filter(None, (_parse(route.route_key) for route in api.routes)))
        self.integrations = self._choose_integrations(manifest.default, named_integrations)

    def _choose_integrations(self, default: str | None, named_integrations: Mapping[str, str]) -> dict[str, str | None]:
        """Choose the integration of each app: the named one, or the one that most of its routes have.

        `$default` decides first about the default app, because a route that leads nowhere else leads there.
        """
        apps = {*self._targets.values()}
        _check_named(self._api, apps, named_integrations)
        chosen: dict[str, str | None] = dict(named_integrations)
        for app in sorted(apps - named_integrations.keys(), key=lambda app: (app != default, app)):
            chosen_backends = {_backend(self._api, integration) for integration in chosen.values()}
            only_default = app == default and DEFAULT_ROUTE in self._existing
            votes = Counter(
                route.integration_id
                for route in self._api.routes
                if self._app_of(route.route_key) == app
                and (route.route_key == DEFAULT_ROUTE or not only_default)
                and route.integration_id in self._api.integrations
                and _backend(self._api, route.integration_id) not in chosen_backends
            )
            chosen[app] = min(votes, key=lambda identifier: (-votes[identifier], identifier or "")) if votes else None
        return dict(sorted(chosen.items()))

    def _app_of(self, key: str) -> str | None:
        """Return the app that the manifest sends the requests of a route to."""
        same = self._keys.get(normalize_route_key(key)) or self._successor(key, _methods(key)[0])
        return None if same is None else self._targets[same]

    def steps_of_the_manifest(self) -> Iterator[AdoptionStep]:
        """Yield one step for each route key of the manifest."""
        for key, app in self._targets.items():
            route = self._existing.get(normalize_route_key(key))
            integration = self.integrations[app]
            if route is None:
                yield AdoptionStep("create", key, app, integration, explanation=self._creation(key, app))
            else:
                yield self._adopt(AdoptionStep("keep", key, app, integration, route.route_id, route.route_key), route)

    def _creation(self, key: str, app: str) -> str:
        if self.integrations[app] is None:
            return f"{app} has no integration yet"
        return "" if key == DEFAULT_ROUTE else f"today {self._present_backend(key)} gets these requests"

    def _present_backend(self, key: str) -> str:
        selected = self._present.select(_methods(key)[0], _sample_path(key))
        route = self._existing.get(normalize_route_key(DEFAULT_ROUTE if selected is None else str(selected)))
        return "nobody" if route is None else self._describe(route.integration_id)

    def _adopt(self, step: AdoptionStep, route: DeployedRoute) -> AdoptionStep:
        changes, refusals = [], []
        if route.route_key != step.route_key:
            changes.append(f"renamed from {route.route_key}")
        if route.integration_id != step.integration_id:
            former, current = _backend(self._api, route.integration_id), _backend(self._api, step.integration_id)
            changes.append(f"its target was {self._describe(route.integration_id)}")
            if former is not None and former != current:
                refusals.append(f"its requests would move from {self._describe(route.integration_id)} to {step.app}")
        if route.authorization_type != "NONE":
            changes.append(f"its {route.authorization_type} authorizer is removed")
            refusals.append(f"its {route.authorization_type} authorizer would be removed")
        if not changes:
            return step
        return replace(step, action="change", explanation="; ".join(changes), refusal="; ".join(refusals))

    def removals(self) -> Iterator[AdoptionStep]:
        """Yield one step for each route that the manifest does not have."""
        for route in sorted(self._api.routes, key=lambda route: route.route_key):
            if normalize_route_key(route.route_key) not in self._keys:
                step = AdoptionStep(
                    "remove", route.route_key, None, route.integration_id, route.route_id, route.route_key
                )
                yield self._remove(step, route)

    def _remove(self, step: AdoptionStep, route: DeployedRoute) -> AdoptionStep:
        successors = {self._successor(route.route_key, method) for method in _methods(route.route_key)}
        backends = {_backend(self._api, self.integrations[self._targets[key]]) if key else None for key in successors}
        former = _backend(self._api, route.integration_id)
        if backends == {former} or former is None:
            takers = ", ".join(sorted(key for key in successors if key)) or "no route"
            return replace(step, explanation=f"{takers} takes its requests")
        takers = " and ".join(sorted(f"{key} ({self._targets[key]})" if key else "nobody" for key in successors))
        refusal = f"{self._describe(route.integration_id)} would lose its requests, and {takers} would get them"
        return replace(step, explanation=refusal, refusal=refusal)

    def _successor(self, key: str, method: str) -> str | None:
        """Return the key of the manifest that gets a route's requests after its removal."""
        selected = None if key == DEFAULT_ROUTE else self._table.select(method, _sample_path(key))
        if selected is not None:
            return str(selected)
        return DEFAULT_ROUTE if DEFAULT_ROUTE in self._targets else None

    def _describe(self, integration_id: str | None) -> str:
        backend = _backend(self._api, integration_id)
        if backend is None:
            return "nobody"
        names = [app for app, chosen in self.integrations.items() if _backend(self._api, chosen) == backend]
        return names[0] if names else short_function_name(backend)


def _parse(key: str) -> RouteKey | None:
    try:
        return RouteKey.parse(key)
    except RouteKeyError:  # `$default`, or a key that no manifest can have
        return None


def _methods(key: str) -> list[str]:
    method = key.partition(" ")[0]
    return ["GET", *sorted(METHODS - {"GET"})] if method in {ANY, DEFAULT_ROUTE} else [method]


def _sample_path(key: str) -> str:
    """Return a request path that a route key matches; no literal of another key is like its variables."""
    path = key.partition(" ")[2]
    return "/".join("~sample~" if "{" in segment else segment for segment in path.split("/"))
