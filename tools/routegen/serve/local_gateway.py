"""Start the local gateway, follow changes of its files, and end everything that it started."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from routegen.config import Config
from routegen.errors import ConfigError, RoutegenError
from routegen.manifest import read_manifest
from routegen.serve.exchange import Exchange
from routegen.serve.file_versions import FileVersion, file_version, source_versions
from routegen.serve.gateway_app import GatewayApp, RouteTargets
from routegen.serve.gateway_log import GatewayLog
from routegen.serve.inspector import Inspector
from routegen.serve.instance_pool import InstancePool, PoolContext
from routegen.serve.lambda_function import LambdaFunction, lambda_functions
from routegen.serve.lambda_instance import LambdaInstance, LambdaInvocation
from routegen.serve.runtime_api import Receive, Scope, Send, answer_runtime_api
from routegen.serve.serve_settings import ServeSettings
from routegen.serve.watchdog import ProcessWatchdog

POLL_INTERVAL = 1.0
"""Seconds between two looks at the files."""

# AWS's runtime client sends up to a megabyte of a traceback in one header.
_MAX_RUNTIME_API_HEADER = 2 * 1024 * 1024


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
        self._functions = lambda_functions(self._manifest, config)
        self._instances_by_port: dict[int, LambdaInstance] = {}
        self._pools: dict[str, InstancePool] = {}
        self._source_versions: dict[str, dict[str, FileVersion]] = {}
        self._listeners: list[Callable[[Exchange], None]] = [log.write_exchange]
        self._server: _UvicornServer | None = None
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
        runtime_sockets = self._open_runtime_sockets()
        ports = [runtime_socket.getsockname()[1] for runtime_socket in runtime_sockets]
        self._runtime_ports = frozenset(ports)
        home = Path(tempfile.mkdtemp(prefix="routegen-serve-"))
        with ProcessWatchdog(home) as watchdog:
            self._pool_context = PoolContext(
                self._settings,
                ports,
                self._instances_by_port,
                home,
                watchdog,
                self._log.write_output,
                self._log.write_note,
            )
            self._add_pools(self._functions)
            routes = RouteTargets.from_manifest(self._manifest)
            self._gateway_app = GatewayApp(routes, self._pools, self._settings, self._announce)
            if inspector_socket:
                self._start_inspector(inspector_socket)
            sockets = [gateway_socket, *runtime_sockets, *([inspector_socket] if inspector_socket else [])]
            try:
                await self._serve(sockets, on_ready)
            finally:
                await self._close_pools()
                for open_socket in sockets:
                    open_socket.close()

    def stop(self) -> None:
        """Stop serving; must be called in the gateway's event loop."""
        self._stop_requested.set()
        if self._inspector:
            self._inspector.close()
        if self._server:
            self._server.should_exit = True

    def _open_runtime_sockets(self) -> list[socket.socket]:
        """A socket of the Runtime API for each instance of every app that the manifest, or a change of it, can name."""
        apps = {*self._functions, self._config.default, *(app.name for app in self._config.apps)} - {None}
        count = self._settings.max_instances * len(apps)
        return [_listening_socket(socket.AF_INET, ("127.0.0.1", 0)) for _ in range(count)]

    def _start_inspector(self, inspector_socket: socket.socket) -> None:
        self._inspector = Inspector(inspector_socket.getsockname()[1], self._settings.stage)
        self._inspector.attach(self._gateway_app, self._manifest)
        self.on_exchange(self._inspector.add_exchange)

    async def _serve(self, sockets: list[socket.socket], on_ready: Callable[[str], None]) -> None:
        url = _url(sockets[0])
        self._server = _UvicornServer(_uvicorn_config(self._route_port, self._settings), lambda: on_ready(url))
        follow_task = asyncio.create_task(self._follow_files())
        serve_task = asyncio.create_task(self._server.serve(sockets=sockets))
        stop_task = asyncio.create_task(self._stop_requested.wait())
        try:
            await asyncio.wait({serve_task, stop_task, follow_task}, return_when=asyncio.FIRST_COMPLETED)
            self._server.should_exit = True
            # This answers every current request; the connections that remain have not sent a whole request.
            await self._close_pools()
            self._server.force_exit = True
            await serve_task
            if follow_task.done():
                follow_task.result()  # raises its error, because it ends only with one
        finally:
            for task in (follow_task, stop_task):
                task.cancel()

    async def _close_pools(self) -> None:
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    async def _route_port(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI application for all ports: the gateway's, the inspector's, and one for each instance."""
        port = scope["server"][1]
        try:
            if port in self._runtime_ports:
                instance = self._instances_by_port.get(port)
                await answer_runtime_api(scope, receive, send, instance, self._next_invocation)
            elif self._inspector and port == self._inspector.port:
                await self._inspector(scope, receive, send)
            else:
                await self._gateway_app(scope, receive, send)
        except Exception:
            self._log.write_event("error", f"a bug in routegen: {traceback.format_exc()}")
            raise

    async def _next_invocation(self, instance: LambdaInstance) -> LambdaInvocation | None:
        return await self._pools[instance.function.name].next_invocation(instance)

    def _announce(self, exchange: Exchange) -> None:
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
        self._gateway_app.routes = RouteTargets.from_manifest(manifest)
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

    asyncio.run(run())


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
        reason = error.strerror or error
        raise ConfigError(f"{subject}: cannot listen on {host}, port {port}: {reason}; choose another one") from None


def _listening_socket(family: int, address: tuple[Any, ...]) -> socket.socket:
    # With the protocol's name, asyncio turns off Nagle's algorithm, which would add 40 ms to each answer.
    listening_socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening_socket.bind(address)
        listening_socket.listen(1024)
    except OSError:
        listening_socket.close()
        raise
    return listening_socket


def _url(listening_socket: socket.socket) -> str:
    host, port = listening_socket.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _uvicorn_config(app: Callable[[Scope, Receive, Send], object], settings: ServeSettings) -> uvicorn.Config:
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,
        interface="asgi3",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_MAX_RUNTIME_API_HEADER,
        # A runtime client keeps its connection open while the function runs.
        timeout_keep_alive=int(settings.timeout) + 45,
        timeout_graceful_shutdown=1,
    )


class _UvicornServer(uvicorn.Server):
    """uvicorn without its signal handlers; it calls `on_ready` when it listens."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
