"""Prove the configured apps: each app is driven in its own process, side by side."""

from collections.abc import Iterator
from contextlib import ExitStack

from routegen.config import Config
from routegen.discover import ServedRoutes
from routegen.extract.build import Extraction, build_manifest, claimed_paths
from routegen.load import start_app_process
from routegen.manifest import Manifest
from routegen.prove.app_proof import AppProof, compare_all_paths, confirm_proof
from routegen.prove.compare_requests import AppComparison, Disagreement
from routegen.prove.driven_request import DrivenRequest
from routegen.prove.generated_requests import requests_to_send


def prove_apps(config: Config, manifest: Manifest | None) -> Iterator[AppProof]:
    """Compare each configured app with a manifest for all paths, and put requests to the app to confirm it.

    Args:
        config: the configuration.
        manifest: the manifest; None for the manifest that the apps give now.

    Raises:
        ConfigError, LoadError, UnsupportedRouteError: as `routegen.extract.extract`.
    """
    with ExitStack() as processes:
        apps = [app for app in config.apps if not app.upstream]
        started = [processes.enter_context(start_app_process(app, config, "routegen.prove.driver")) for app in apps]
        served = [ServedRoutes.from_data(process.wait_for_question()) for process in started]
        if manifest is None:
            served_paths = [(app, routes.paths) for app, routes in zip(apps, served, strict=True)]
            manifest = build_manifest(config.default, served_paths).manifest
        proofs = []
        for process, routes in zip(started, served, strict=True):
            comparison = AppComparison(manifest, process.app, routes, claimed_paths(config.apps))
            paths = compare_all_paths(comparison)
            process.reply(requests_to_send(manifest, routes, paths))
            proofs.append((process, comparison, paths))
        for process, comparison, paths in proofs:
            driven = [DrivenRequest(*entry) for entry in process.wait_for_answer()["driven"]]
            yield confirm_proof(comparison, paths, driven)


def find_disagreements(config: Config, extraction: Extraction) -> list[Disagreement]:
    """Compare each app with the manifest of its extraction, for all paths and without a request.

    They disagree if two apps serve the same path.
    """
    claims = claimed_paths(config.apps)
    comparisons = [AppComparison(extraction.manifest, app, routes, claims) for app, routes in extraction.apps]
    return [disagreement for comparison in comparisons for disagreement in compare_all_paths(comparison).disagreements]
