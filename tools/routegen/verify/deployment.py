"""A deployment of a manifest, and the requests that show which app answers each of its routes."""

from dataclasses import dataclass
from functools import cached_property

from routegen.gateway import shape
from routegen.manifest import DOCUMENT_ROLES, Manifest, Route
from routegen.manifest.explain import Explainer
from routegen.verify.answers import SAFE_METHODS

UNSERVED_PATH = "/routegen-verify/there-is-no-such-page"
"""A path that no app serves."""

_SAMPLE = "routegen-verify"


@dataclass(frozen=True)
class RouteProbe:
    """A route, and the request that shows which app answers it.

    Attributes:
        route: the route of the manifest.
        method: the method of the request; None if the gateway sends the app only methods that can change something.
        url: the URL of the request, with a sample value for each path variable.
    """

    route: Route
    method: str | None
    url: str


@dataclass(frozen=True)
class Deployment:
    """The deployment that `verify` checks.

    Attributes:
        base_url: the URL before each path of the manifest and each page, without a final slash.
        manifest: the routes of the deployment; None if they are unknown.
        pages: paths of the default app that should answer with a page.
    """

    base_url: str
    manifest: Manifest | None = None
    pages: tuple[str, ...] = ()

    @property
    def default_app(self) -> str:
        """The name of the app that gets the requests that no other app serves."""
        if self.manifest is None:
            return "the default app"
        return Explainer(self.manifest).explain("GET", UNSERVED_PATH).app or "the app behind $default"

    @property
    def unserved_url(self) -> str:
        """A URL that no app serves: its answer is the answer of the default app to an unknown path."""
        return f"{self.base_url}{UNSERVED_PATH}"

    @cached_property
    def probes(self) -> tuple[RouteProbe, ...]:
        """One request for each route, in the order of the manifest: GET, or else HEAD or OPTIONS."""
        if self.manifest is None:
            return ()
        explainer = Explainer(self.manifest)
        probes = []
        for route in self.manifest.routes:
            path = _sample_path(route.path)
            methods = (method for method in SAFE_METHODS if explainer.explain(method, path).app == route.app)
            probes.append(RouteProbe(route, next(methods, None), f"{self.base_url}{path}"))
        return tuple(probes)

    @cached_property
    def head_urls(self) -> tuple[str, ...]:
        """The URLs of the documents that the manifest serves with GET and HEAD."""
        probes = (probe for probe in self.probes if probe.method == "GET" and probe.route.role in DOCUMENT_ROLES)
        return tuple(probe.url for probe in probes if {"GET", "HEAD"} <= {*probe.route.methods})


def _sample_path(path: str) -> str:
    """A path of the manifest with a sample value for each variable."""
    segments = zip(shape(path), path[1:].split("/"), strict=True)
    return "/" + "/".join(_SAMPLE if pattern in {"{}", "{+}"} else literal for pattern, literal in segments)
