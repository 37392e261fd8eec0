"""Start the local gateway, follow changes of its files, and end everything that it started."""

import asyncio
import errno
import signal
import socket
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from routegen.config import Config
from routegen.errors import ConfigError, RoutegenError
from routegen.manifest import read_manifest
from routegen.manifest.explain import Explainer
from routegen.serve.aws_behaviour import MAX_BODY_BYTES, MAX_LAMBDA_PAYLOAD_BYTES
from routegen.serve.exchange import Exchange
from routegen.serve.file_versions import FileVersion, file_version, source_versions
from routegen.serve.gateway_app import GatewayApp
from routegen.serve.gateway_log import GatewayLog
from routegen.serve.http_server import HttpServer
from routegen.serve.inspector import Inspector
from routegen.serve.instance_pool import InstancePool, PoolContext
from routegen.serve.lambda_function import LambdaFunction, lambda_functions
from routegen.serve.masker import Masker
from routegen.serve.runtime_api import RuntimeApi
from routegen.serve.serve_settings import ServeSettings
from routegen.serve.upstream_app import UpstreamApp
from routegen.serve.watchdog import ProcessWatchdog

make_event_loop = import_module("uvloop" if find_spec("uvloop") else "asyncio").new_event_loop
"""uvloop is faster; it is used if it is installed."""

POLL_INTERVAL = 1.0
"""Seconds between two looks at the files."""


class LocalGateway:
    """A gateway, its functions and its files.

    The constructor raises every error of the configuration; it starts nothing.
    """

    def __init__(self, config: Config, manifest_file: Path, settings: ServeSettings, log: GatewayLog) -> None:
        """Read the manifest.

        Args:
            config: the configuration of each app.
            manifest_file: the manifest, whose changes are followed.
            settings: the settings of this run.
            log: receives requests, output and events.

        Raises:
            ManifestError: the manifest is missing or invalid.
            ConfigError: the configuration of an app is missing or cannot be run.
        """
        self.manifest_file = manifest_file
        self._config = config
        self._settings = settings
        self._log = log
        self._manifest_version = file_version(manifest_file)
        self._manifest = read_manifest(manifest_file)
        self._masker = Masker(self._manifest, settings)
        self._functions = lambda_functions(self._manifest, config)
        self._pools: dict[str, InstancePool] = {}
        self._upstream_apps = {
            app.name: UpstreamApp(app.upstream, settings.timeout)
            for app in (*config.apps, config.default_app)
            if app and app.upstream
        }
        self._source_versions: dict[str, dict[str, FileVersion]] = {}
        self._listeners: list[Callable[[Exchange], None]] = []
        self._inspector: Inspector | None = None
        self._stop_requested = asyncio.Event()
        log.on_broken = self.stop

    def on_exchange(self, listener: Callable[[Exchange], None]) -> None:
        """Call `listener` in the gateway's event loop for each answered request."""
        self._listeners.append(listener)

    async def run(
        self,
        gateway_socket: socket.socket,
        on_ready: Callable[[str], None],
        inspector_socket: socket.socket | None = None,
    ) -> None:
        """Serve until `stop` is called.

        Args:
            gateway_socket: the socket for requests; closed at the end.
            on_ready: called with the URL when requests are answered.
            inspector_socket: the inspector's socket, closed at the end; None for no inspector.
        """
        runtime_socket = _listening_socket(socket.AF_INET, ("127.0.0.1", 0))
        runtime_api = f"127.0.0.1:{runtime_socket.getsockname()[1]}"
        home = Path(tempfile.mkdtemp(prefix="routegen-serve-"))
        with ProcessWatchdog(home) as watchdog:
            self._pool_context = PoolContext(
                self._settings, runtime_api, {}, home, watchdog, self._log.write_output, self._log.write_note
            )
            self._add_pools(self._functions)
            routes = Explainer(self._manifest)
            self._gateway_app = GatewayApp(routes, self._pools, self._upstream_apps, self._settings, self._announce)
            runtime = RuntimeApi(runtime_api, self._pool_context.instances)
            servers = {
                gateway_socket: HttpServer(self._gateway_app.answer, self._report_bug, MAX_BODY_BYTES),
                # The runtime client sends all of a result before it reads the response.
                runtime_socket: HttpServer(runtime.answer, self._report_bug, MAX_LAMBDA_PAYLOAD_BYTES, drops_rest=True),
            }
            if inspector_socket:
                inspector_port = inspector_socket.getsockname()[1]
                self._inspector = Inspector(inspector_port, self._settings, self._gateway_app.answer, self._manifest)
                self.on_exchange(self._inspector.add_exchange)
                servers[inspector_socket] = HttpServer(self._inspector.answer, self._report_bug)
            try:
                await self._serve(servers, lambda: on_ready(_url(gateway_socket)))
            finally:
                await self._close_pools()
                for listening_socket in servers:
                    listening_socket.close()

    def stop(self) -> None:
        """Stop serving; must be called in the gateway's event loop."""
        self._stop_requested.set()
        if self._inspector:
            self._inspector.close()

    async def _serve(self, servers: dict[socket.socket, HttpServer], on_listening: Callable[[], None]) -> None:
        for listening_socket, server in servers.items():
            await server.start(listening_socket)
        on_listening()
        follow_task = asyncio.create_task(self._follow_files())
        stop_task = asyncio.create_task(self._stop_requested.wait())
        try:
            await asyncio.wait({stop_task, follow_task}, return_when=asyncio.FIRST_COMPLETED)
            await self._close_pools()  # this answers every current request
            await asyncio.gather(*(server.close() for server in servers.values()))
            if follow_task.done():
                follow_task.result()  # raises its error, because it ends only with one
        finally:
            for task in (follow_task, stop_task):
                task.cancel()

    async def _close_pools(self) -> None:
        for upstream_app in self._upstream_apps.values():
            upstream_app.close()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    def _report_bug(self, text: str) -> None:
        self._log.write_event("error", f"a bug in routegen: {text}")

    def _announce(self, exchange: Exchange) -> None:
        self._log.write_exchange(exchange, self._masker.mask_path(exchange.request.path))
        for listener in self._listeners:
            listener(exchange)

    def _add_pools(self, functions: dict[str, LambdaFunction]) -> None:
        for name, function in functions.items():
            if name not in self._pools:
                self._pools[name] = InstancePool(function, self._pool_context)
                self._source_versions[name] = source_versions(function.directory)

    async def _follow_files(self) -> None:
        while True:
            await asyncio.sleep(POLL_INTERVAL)
            for name, pool in list(self._pools.items()):
                versions = await asyncio.to_thread(source_versions, pool.function.directory)
                if versions != self._source_versions[name]:
                    self._source_versions[name] = versions
                    pool.restart()
                    self._log.write_note(name, "its source has changed, so the next request starts a new instance")
            version = file_version(self.manifest_file)
            if version != self._manifest_version:
                self._manifest_version = version
                self._reload_manifest()

    def _reload_manifest(self) -> None:
        """Use the changed manifest; if it cannot be used, keep the routes."""
        try:
            manifest = read_manifest(self.manifest_file)
            self._add_pools(lambda_functions(manifest, self._config))
        except RoutegenError as error:
            self._log.write_event("error", f"the changed manifest is not used, the routes stay as they are: {error}")
            return
        self._gateway_app.routes = Explainer(manifest)
        self._masker = Masker(manifest, self._settings)
        if self._inspector:
            self._inspector.show_routes(manifest)
        count = len(self._gateway_app.routes.routes)
        self._log.write_event("routes", f"{self.manifest_file} has changed: {count} route keys")


def run_until_signal(
    gateway: LocalGateway,
    gateway_socket: socket.socket,
    on_ready: Callable[[str], None],
    inspector_socket: socket.socket | None = None,
) -> None:
    """Run a gateway until Ctrl-C or SIGTERM; the arguments are those of `LocalGateway.run`."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, gateway.stop)
        await gateway.run(gateway_socket, on_ready, inspector_socket)

    with asyncio.Runner(loop_factory=make_event_loop) as runner:
        runner.run(run())


def open_socket(host: str, port: int, option: str = "--port") -> socket.socket:
    """Open a socket that listens.

    Args:
        host: a name or an address.
        port: the port; 0 for a free one.
        option: the option that chooses the port, for the error.

    Raises:
        ConfigError: the system refuses it; the text has the reason.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _listening_socket(family, address[:2])
    except OSError as error:
        subject = option if error.errno in {errno.EADDRINUSE, errno.EACCES} else "--host"
        reason = str(error.strerror).partition(" (while")[0]
        raise ConfigError(f"{subject}: cannot listen on {host}, port {port}: {reason}; choose another one") from None


def _listening_socket(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    both_families = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
    listening_socket = socket.create_server(address, family=family, backlog=1024, dualstack_ipv6=both_families)
    # A socket that Python makes from a file descriptor has the number of its protocol. With this number, asyncio turns
    # off Nagle's algorithm, which would add 40 ms to each answer.
    return socket.socket(fileno=listening_socket.detach())


def _url(listening_socket: socket.socket) -> str:
    host, port = listening_socket.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
