"""Prove the configured apps: each app is driven in its own process, side by side."""

from collections.abc import Iterator
from contextlib import ExitStack

from routegen.config import Config
from routegen.discover.served_path import ServedPath
from routegen.extract.build import build_manifest, claimed_paths
from routegen.load import start_app_process
from routegen.manifest import Manifest
from routegen.prove.compare_requests import AppProof, compare_requests
from routegen.prove.driver import DrivenRequest


def prove_apps(config: Config, manifest: Manifest | None) -> Iterator[AppProof]:
    """Drive each configured app, and compare the results with a manifest.

    Args:
        config: the configuration.
        manifest: the manifest; None for the manifest that the apps give now.

    Raises:
        ConfigError, LoadError, UnsupportedRouteError: as `routegen.extract.extract`.
    """
    with ExitStack() as processes:
        started = []
        for app in (app for app in config.apps if not app.upstream):
            process = start_app_process(app, config, "routegen.prove.proof_task")
            processes.callback(process.stop)
            started.append(process)
        answers = [(process.app, process.wait_for_answer()) for process in started]
    apps = [(app, [ServedPath.from_data(entry) for entry in answer["served"]]) for app, answer in answers]
    if manifest is None:
        manifest = build_manifest(config.default, apps).manifest
    claims = claimed_paths(config.apps)
    for (app, served_paths), (_, answer) in zip(apps, answers, strict=True):
        driven = (DrivenRequest(*entry) for entry in answer["driven"])
        yield compare_requests(manifest, app, served_paths, driven, claims)
