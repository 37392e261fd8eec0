"""From a configuration to a manifest: the whole way from the apps' files.

In: the configuration. Out: a `Manifest` whose content depends on the apps alone. Apps are imported side by
side, each in a process of its own, and what comes after is imported while they are at it.
"""

from typing import TYPE_CHECKING

from routegen import load
from routegen.config import Config

if TYPE_CHECKING:
    from routegen.manifest import Manifest


def extract(config: Config) -> "Manifest":
    """Import the configured apps and say what they serve.

    Raises:
        ConfigError: an app's directory doesn't exist.
        LoadError: an app can't be imported.
        UnsupportedRouteError: an app serves what the gateway can't carry, or two apps serve one path.
    """
    loading: list[load.Loading] = []
    try:
        for app in config.apps:
            loading.append(load.start(app, config.timeout))  # noqa: PERF401 - what has started must be stopped
        # Only now: pydantic's import takes a tenth of a second, in which the apps already run.
        from routegen.assemble import build_manifest  # noqa: PLC0415

        return build_manifest(config.default, [(started.app, started.result()) for started in loading])
    finally:
        for started in loading:
            started.stop()
