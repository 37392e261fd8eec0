"""Proving a whole configuration: each app driven in a process of its own, side by side."""

from collections.abc import Iterator
from contextlib import ExitStack

from routegen import load
from routegen.config import Config
from routegen.discover.served_path import ServedPath
from routegen.extract.build import build_manifest
from routegen.manifest import Manifest
from routegen.prove.comparison import AppProof, judge
from routegen.prove.driver import Seen


def prove(config: Config, manifest: Manifest | None) -> Iterator[AppProof]:
    """Drive each configured app and compare it with a manifest.

    Args:
        config: which apps.
        manifest: the manifest; None for the one that the apps give now.

    Raises:
        ConfigError, LoadError, UnsupportedRouteError: as `routegen.extract.extract`.
    """
    with ExitStack() as started:
        loading = []
        for app in config.apps:
            loading.append(load.start_app_process(app, config, "routegen.prove.proof_task"))
            started.callback(loading[-1].stop)
        answers = [(one.app, one.wait_for_answer()) for one in loading]
    served = [(app, [ServedPath.from_data(entry) for entry in answer["served"]]) for app, answer in answers]
    if manifest is None:
        manifest = build_manifest(config.default, served).manifest
    for (app, entries), (_, answer) in zip(served, answers, strict=True):
        yield judge(manifest, app, entries, (Seen(*one) for one in answer["seen"]))
