"""Extract an app object and prove the result, in this process."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from routegen.config import AppConfig
from routegen.discover import DiscoveredRoute, ServedPath, discover_routes, resolve_asgi_app
from routegen.extract.build import build_manifest
from routegen.extract.unsupported import UnsupportedPath
from routegen.gateway import METHODS
from routegen.manifest import Manifest
from routegen.prove.app_proof import AppProof, compare_all_paths, confirm_proof
from routegen.prove.compare_requests import AppComparison
from routegen.prove.driven_request import DrivenRequest
from routegen.prove.driver import drive_app
from routegen.prove.generated_requests import requests_to_send


@dataclass(frozen=True)
class ProvenApp:
    """An app's manifest and its proof."""

    asgi_app: Any
    routes: list[DiscoveredRoute]
    manifest: Manifest
    unsupported: tuple[UnsupportedPath, ...]
    proof: AppProof
    driven: list[DrivenRequest]
    served_paths: list[ServedPath]

    @property
    def methods_by_path(self) -> dict[str, tuple[str, ...]]:
        return {route.path: route.methods for route in self.manifest.routes}

    @property
    def widened_paths(self) -> set[str]:
        return {route.path for route in self.manifest.routes if route.widened}

    @property
    def unsupported_kinds(self) -> set[tuple[str, str]]:
        return {(unsupported.kind, unsupported.path) for unsupported in self.unsupported}

    def serves(self, path: str) -> bool:
        """Whether the app itself serves a path with any method."""
        driven = drive_app(self.asgi_app, self.routes, [(method, path) for method in METHODS])
        return any(request.outcome in {"served", "redirected"} for request in driven)


def prove_app(app: Any, more_requests: Iterable[tuple[str, str]] = (), **config: Any) -> ProvenApp:
    """Extract an app, and prove it with sampled requests and more; unsupported paths are left out by default."""
    settings = AppConfig(name="app", target="app.py:app", root=Path(), **{"unsupported": "warn", **config})
    asgi_app = resolve_asgi_app(app)
    routes, served = discover_routes(asgi_app)
    served_paths = served.paths
    extraction = build_manifest("default", [(settings, served_paths)])
    comparison = AppComparison(extraction.manifest, settings, served)
    paths = compare_all_paths(comparison)
    everywhere = replace(paths, undecided_positions=frozenset(range(len(served_paths))))
    requests = [*requests_to_send(extraction.manifest, served, everywhere), *more_requests]
    driven = drive_app(asgi_app, routes, requests)
    proof = confirm_proof(comparison, paths, driven)
    return ProvenApp(asgi_app, routes, extraction.manifest, extraction.unsupported, proof, driven, served_paths)
