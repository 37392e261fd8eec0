"""Extracting from an app object and proving the result, in this process."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routegen.config import AppConfig
from routegen.discover import ServedPath, discover_routes, resolve_asgi_app
from routegen.extract.build import build_manifest
from routegen.extract.unsupported import Notice
from routegen.manifest import Manifest
from routegen.prove.drive import Seen, drive
from routegen.prove.judge import AppProof, judge
from routegen.prove.requests import requests


@dataclass(frozen=True)
class Proof:
    """What came of one app."""

    manifest: Manifest
    notices: tuple[Notice, ...]
    verdict: AppProof
    seen: list[Seen]
    served: list[ServedPath]

    @property
    def paths(self) -> dict[str, tuple[str, ...]]:
        return {route.path: route.methods for route in self.manifest.routes}

    @property
    def widened(self) -> set[str]:
        return {route.path for route in self.manifest.routes if route.widened}

    @property
    def kinds(self) -> set[tuple[str, str]]:
        return {(notice.kind, notice.path) for notice in self.notices}


def prove_app(app: Any, more: Iterable[tuple[str, str]] = (), **config: Any) -> Proof:
    """Extract, and drive the app with its own requests and with more; what can't be carried is left out."""
    settings = AppConfig(name="app", target="here:app", root=Path(), **{"unsupported": "warn", **config})
    asgi = resolve_asgi_app(app)
    found = discover_routes(asgi)
    served = [one.served for one in found]
    extraction = build_manifest("default", [(settings, served)])
    seen = drive(asgi, found, [*requests(served), *more])
    verdict = judge(extraction.manifest, settings, served, seen)
    return Proof(extraction.manifest, extraction.notices, verdict, seen, served)
