"""One provider in one case: extracted, then proven.

In: a provider and a case. Out: a `ProviderResult`. All in this process, without a network; costs about 20 ms.
"""

from dataclasses import dataclass
from pathlib import Path

from routegen.config import AppConfig
from routegen.discover import ServedPath, discover_routes
from routegen.extract.build import Extraction, build_manifest
from routegen.prove.drive import Seen, drive
from routegen.prove.judge import AppProof, judge
from routegen.prove.requests import requests

from dev.matrix.auth_providers import Provider, without_network
from dev.matrix.transport_cases import Case

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ProviderResult:
    """What one provider in one case has shown.

    Attributes:
        provider: its name.
        case: the case's name.
        served: what the app serves.
        extraction: its manifest, with the notices.
        seen: what came of each request that was put to the app.
        verdict: the comparison of both.
    """

    provider: str
    case: str
    app: AppConfig
    served: tuple[ServedPath, ...]
    extraction: Extraction
    seen: tuple[Seen, ...]
    verdict: AppProof


def prove_provider(provider: Provider, case: Case) -> ProviderResult:
    """Extract, and put every request to the app.

    Raises:
        UnsupportedRouteError, UnknownRouteKindError: the app can't be extracted.
    """
    with without_network():
        asgi = case.app(provider.build)
    app = AppConfig(name="mcp", target=f"{provider.name}, {case.name}", root=ROOT, unsupported="warn")
    found = discover_routes(asgi)
    served = tuple(one.served for one in found)
    extraction = build_manifest("default", [(app, list(served))])
    seen = tuple(drive(asgi, found, requests(served)))
    verdict = judge(extraction.manifest, app, served, seen)
    return ProviderResult(provider.name, case.name, app, served, extraction, seen, verdict)
