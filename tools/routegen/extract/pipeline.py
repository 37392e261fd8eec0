"""Load the configured apps and build their manifest."""

from contextlib import ExitStack
from dataclasses import replace

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
            return processes.enter_context(start_app_process(app, config))

        # An app with `upstream` is a running server, of which nothing can be imported: it has the configured paths.
        processes_of_apps = [(app, None if app.upstream else start(app)) for app in config.apps]
        default = start(config.default_app) if config.default_app and not config.default_app.upstream else None
        apps = [(app, process.wait_for_routes() if process else None) for app, process in processes_of_apps]
        default_paths = default.wait_for_routes().paths if default else None
        served_paths = [(app, routes.paths if routes else []) for app, routes in apps]
        extraction = build_manifest(config.default, served_paths, default_paths)
        return replace(extraction, apps=tuple((app, routes) for app, routes in apps if routes))
