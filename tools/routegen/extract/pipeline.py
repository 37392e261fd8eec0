"""Load the configured apps and build their manifest."""

from contextlib import ExitStack

from routegen.config import AppConfig, Config
from routegen.extract.build import Extraction, build_manifest
from routegen.load import AppProcess, start_app_process


def extract(config: Config) -> Extraction:
    """Load the configured apps side by side, the default app too, and build their manifest.

    Args:
        config: the configuration.

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
        default = start(config.default_app) if config.default_app else None
        served_paths = [(process.app, process.wait_for_paths()) for process in apps]
        default_paths = default.wait_for_paths() if default else None
        return build_manifest(config.default, served_paths, default_paths)
