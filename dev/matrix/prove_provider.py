"""Extract and prove one auth provider in one transport case, in this process and without a network."""

from dataclasses import dataclass, replace
from pathlib import Path

from routegen.config import AppConfig
from routegen.discover import ServedRoutes, discover_routes
from routegen.extract.build import Extraction, build_manifest
from routegen.prove.app_proof import AppProof, compare_all_paths, confirm_proof
from routegen.prove.compare_requests import AppComparison
from routegen.prove.driven_request import DrivenRequest
from routegen.prove.driver import drive_app
from routegen.prove.generated_requests import requests_to_send

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
        served: what the app serves.
        extraction: the manifest and the unsupported paths.
        outcomes: the outcome of each request to the app.
        proof: the proof of the manifest.
    """

    provider: str
    case: str
    app: AppConfig
    served: ServedRoutes
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
    routes, served = discover_routes(asgi)
    extraction = build_manifest("default", [(app, served.paths)])
    comparison = AppComparison(extraction.manifest, app, served)
    paths = compare_all_paths(comparison)
    # Every path is sampled too, so that the samples check the proof.
    everywhere = replace(paths, undecided_positions=frozenset(range(len(routes))))
    outcomes = tuple(drive_app(asgi, routes, requests_to_send(extraction.manifest, served, everywhere)))
    proof = confirm_proof(comparison, paths, outcomes)
    return ProviderResult(provider.name, case.name, app, served, extraction, outcomes, proof)
