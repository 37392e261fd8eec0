"""Find the reasons why an MCP endpoint fails on every request, although its route exists.

- `not-started`: nothing starts the endpoint's session manager, because the lifespan of its own application never runs.
- `lifespan-off`: the Lambda handler is Mangum and runs no lifespan.
- `starts-once`: the session manager exists since the import and can start only once, and Mangum starts the lifespan
  for each event.
- `asgi-function`: the endpoint of a `Route` is a function with the arguments of ASGI; Starlette calls a function with
  one request.
- `no-authentication`: the endpoint requires a user, and no application around it has the middleware that reads the
  token, because only the routes were copied.
- `loopback-only`: the endpoint refuses each host name except those of its own machine, as the official SDK does by
  default against DNS rebinding.
- `host-guard` and `trusted-hosts`: FastMCP's or Starlette's middleware refuses these host names. On Lambda, FastMCP's
  middleware allows the host of the request.
"""

import functools
import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any, Literal

from routegen.discover.adapters import DiscoveredRoute
from routegen.discover.lifespan import can_start
from routegen.discover.mcp_endpoints import find_session_manager, find_transport, wrapped_endpoints
from routegen.discover.unwrap import find_wrappers, has_class, instance_variables, is_lambda_handler

EndpointFault = Literal[
    "not-started", "lifespan-off", "starts-once", "asgi-function", "no-authentication", "loopback-only", "host-guard",
    "trusted-hosts",
]  # fmt: skip

_AUTHENTICATION = "starlette.middleware.authentication.AuthenticationMiddleware"
_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
_ASGI_ARGUMENTS = 3


def find_endpoint_faults(app: Any, router: Any, route: DiscoveredRoute) -> tuple[EndpointFault, ...]:
    """Return each certain fault of an MCP endpoint; empty for every other route.

    Args:
        app: the app that runs, with its middleware and its Lambda handler.
        router: the app's outermost router.
        route: the route of the endpoint.
    """
    endpoint = getattr(route.holder, "endpoint", getattr(route.holder, "app", None))
    manager = find_session_manager(endpoint)
    transport = find_transport(endpoint)
    if manager is None and transport is None:
        return ()
    mangum_lifespan = getattr(app, "lifespan", None) if is_lambda_handler(app) else None
    faults: dict[EndpointFault, bool] = {
        "not-started": not can_start(app, router, transport if manager is None else manager),
        "lifespan-off": mangum_lifespan == "off",
        "starts-once": manager is not None and mangum_lifespan in {"auto", "on"},
        "asgi-function": has_class(route.holder, "starlette.routing.Route") and _has_asgi_arguments(endpoint),
        "no-authentication": _requires_user(endpoint) and not any(map(_reads_token, _applications(app, route))),
        "loopback-only": _allows_only_loopback(manager),
        "host-guard": any(map(_is_closed_host_guard, _middleware(app, route))),
        "trusted-hosts": any(map(_trusts_only_loopback, _middleware(app, route))),
    }
    return tuple(fault for fault, is_present in faults.items() if is_present)


def _has_asgi_arguments(endpoint: Any) -> bool:
    while isinstance(endpoint, functools.partial):
        endpoint = endpoint.func
    if not isinstance(endpoint, FunctionType | MethodType):
        return False
    parameters = inspect.signature(endpoint).parameters.values()
    return len([item for item in parameters if item.default is item.empty]) == _ASGI_ARGUMENTS


def _requires_user(endpoint: Any) -> bool:
    names = (cls.__name__ for value in wrapped_endpoints(endpoint) for cls in type(value).__mro__)
    return "RequireAuthMiddleware" in names


def _applications(app: Any, route: DiscoveredRoute) -> Iterator[Any]:
    """Yield each application and each middleware around a route."""
    yield from find_wrappers(app)
    for mount, _ in route.mounts:
        yield from find_wrappers(mount.app)
    yield from wrapped_endpoints(getattr(route.holder, "app", None))


def _reads_token(application: Any) -> bool:
    classes = [item.cls for item in getattr(application, "user_middleware", ())]
    names = [f"{base.__module__}.{base.__qualname__}" for cls in classes for base in getattr(cls, "__mro__", ())]
    return has_class(application, _AUTHENTICATION) or _AUTHENTICATION in names


def _allows_only_loopback(manager: Any) -> bool:
    settings: Any = getattr(manager, "security_settings", None)
    if settings is None or not settings.enable_dns_rebinding_protection:
        return False
    return _are_loopback(settings.allowed_hosts)


def _are_loopback(hosts: Iterable[str]) -> bool:
    return all(host.removesuffix(":*") in _LOOPBACK_HOSTS for host in hosts)


def _middleware(app: Any, route: DiscoveredRoute) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the class of each middleware around a route, with its settings."""
    for application in _applications(app, route):
        yield type(application).__name__, instance_variables(application)
        for item in getattr(application, "user_middleware", ()):
            yield getattr(item.cls, "__name__", ""), item.kwargs


def _is_closed_host_guard(middleware: tuple[str, Mapping[str, Any]]) -> bool:
    name, settings = middleware
    hosts = settings.get("allowed_hosts")
    is_active = settings.get("mode") == "strict" or bool(hosts)
    return name == "HostOriginGuardMiddleware" and is_active and _are_loopback(hosts or ())


def _trusts_only_loopback(middleware: tuple[str, Mapping[str, Any]]) -> bool:
    name, settings = middleware
    hosts = settings.get("allowed_hosts")
    return name == "TrustedHostMiddleware" and bool(hosts) and _are_loopback(hosts or ())
