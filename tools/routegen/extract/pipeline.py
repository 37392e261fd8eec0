"""From a configuration to a manifest: the whole way from the apps' files.

In: the configuration. Out: an `Extraction` whose content depends on the apps alone. Apps are imported side by
side, each in a process of its own, and what comes after is imported while they are at it.
"""

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from routegen import load

if TYPE_CHECKING:
    from routegen.config import AppConfig, Config
    from routegen.extract.build import Extraction


def extract(config: "Config", *, default_too: bool = False) -> "Extraction":
    """Import the configured apps and say what they serve.

    Args:
        config: which apps.
        default_too: also import the app behind `$default`, where it is configured, and say what it serves.

    Raises:
        ConfigError: an app's directory doesn't exist.
        LoadError: an app can't be imported.
        UnsupportedRouteError: an app serves what the gateway can't carry, or two apps serve one path.
        QuotaError: more routes than an HTTP API may have; the text says what would help, which takes an import of
            the app behind `$default` where that is configured.
    """
    with ExitStack() as started:

        def start(app: "AppConfig") -> load.AppProcess:
            loading = load.start_app_process(app, config)
            started.callback(loading.stop)
            return loading

        loading = [start(app) for app in config.apps]
        default = start(config.default_app) if default_too and config.default_app else None
        # Only now: pydantic's import takes a tenth of a second, in which the apps already run.
        from routegen.extract.build import build_manifest  # noqa: PLC0415
        from routegen.extract.quota import QuotaError  # noqa: PLC0415

        served = [(one.app, one.wait_for_paths()) for one in loading]
        try:
            extraction = build_manifest(config.default, served)
        except QuotaError as error:
            default = default or (start(config.default_app) if config.default_app else None)
            if default is None:
                raise
            raise QuotaError(error.routes, default.wait_for_paths()) from None
        return replace(extraction, default_serves=tuple(default.wait_for_paths())) if default else extraction
