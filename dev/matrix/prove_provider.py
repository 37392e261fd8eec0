"""Extract and prove one auth provider in one transport case, in this process and without a network."""

from dataclasses import dataclass
from pathlib import Path

from routegen.config import AppConfig
from routegen.discover import ServedPath, discover_routes
from routegen.extract.build import Extraction, build_manifest
from routegen.prove.compare_requests import AppProof, compare_requests
from routegen.prove.driver import DrivenRequest, drive_app
from routegen.prove.generated_requests import generate_requests

from dev.matrix.auth_providers import ProviderFactory, without_network
from dev.matrix.transport_cases import TransportCase

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ProviderResult:
    """The result of one provider in one case.

    Attributes:
        provider: the name of the provider.
        case: the name of the case.
        app: the configuration of the app.
        served: the paths that the app serves.
        extraction: the manifest and the unsupported paths.
        outcomes: the outcome of each request to the app.
        proof: the comparison of the outcomes with the manifest.
    """

    provider: str
    case: str
    app: AppConfig
    served: tuple[ServedPath, ...]
    extraction: Extraction
    outcomes: tuple[DrivenRequest, ...]
    proof: AppProof


def prove_provider(provider: ProviderFactory, case: TransportCase) -> ProviderResult:
    """Create the app, extract its manifest, and send all requests of the proof to the app.

    Raises:
        UnsupportedRouteError, UnknownRouteKindError: the app cannot be extracted.
    """
    with without_network():
        asgi = case.build_app(provider.build)
    app = AppConfig(name="mcp", target=f"{provider.name}, {case.name}", root=ROOT, unsupported="warn")
    routes = discover_routes(asgi)
    served = tuple(route.served for route in routes)
    extraction = build_manifest("default", [(app, list(served))])
    outcomes = tuple(drive_app(asgi, routes, generate_requests(served)))
    proof = compare_requests(extraction.manifest, app, served, outcomes)
    return ProviderResult(provider.name, case.name, app, served, extraction, outcomes, proof)
