"""Load the configured apps and build their manifest."""

from contextlib import ExitStack
from dataclasses import replace

from routegen.config import AppConfig, Config
from routegen.extract.build import Extraction, build_manifest
from routegen.load import AppProcess, start_app_process


def extract(config: Config, *, include_default: bool = False) -> Extraction:
    """Load the configured apps side by side, and build their manifest.

    Args:
        config: the configuration.
        include_default: also load the app behind `$default`, if it is configured, and return its served paths.

    Raises:
        ConfigError: an app's directory does not exist.
        LoadError: an app cannot be loaded.
        UnsupportedRouteError: an app serves a path that a route key cannot express, two apps serve the same path, or
            there are more routes than an HTTP API can have.
    """
    with ExitStack() as processes:

        def start(app: AppConfig) -> AppProcess:
            process = start_app_process(app, config)
            processes.callback(process.stop)
            return process

        apps = [start(app) for app in config.apps]
        default = start(config.default_app) if include_default and config.default_app else None
        extraction = build_manifest(config.default, [(process.app, process.wait_for_paths()) for process in apps])
        return replace(extraction, default_paths=tuple(default.wait_for_paths())) if default else extraction
