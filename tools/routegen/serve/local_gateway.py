"""Bringing the local gateway up, keeping it in step with its files, and ending it with everything it started."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from routegen.config import Config
from routegen.errors import ConfigError, RoutegenError
from routegen.manifest import read_manifest
from routegen.serve import watchdog
from routegen.serve.exchange import Exchange
from routegen.serve.file_versions import Stamp, sources, stamp
from routegen.serve.gateway_app import Gateway, Routes
from routegen.serve.gateway_log import Log
from routegen.serve.inspector import Inspector
from routegen.serve.instance_pool import Pool, Surroundings
from routegen.serve.lambda_function import Function, functions_of
from routegen.serve.lambda_instance import Instance, Job
from routegen.serve.runtime_api import Receive, Scope, Send, runtime_api
from routegen.serve.serve_settings import Settings

POLL = 1.0
"""Seconds between two looks at the files."""

# AWS's client sends up to a megabyte of a traceback in one header.
_MAX_HEADER = 2 * 1024 * 1024


class Local:
    """A gateway, its functions and its files.

    Everything that can be wrong with the configuration is said by the constructor; nothing is started there.
    """

    def __init__(self, config: Config, manifest: Path, settings: Settings, log: Log) -> None:
        """Read the manifest.

        Args:
            config: says how each app runs.
            manifest: the file, which is followed from then on.
            settings: what a user may set.
            log: gets what happens.

        Raises:
            ManifestError: the manifest is missing or invalid.
            ConfigError: the configuration doesn't say how to run one of its apps.
        """
        self._config = config
        self._file = manifest
        self._settings = settings
        self._log = log
        self._seen = stamp(manifest)
        self._manifest = read_manifest(manifest)
        self._functions = functions_of(self._manifest, config)
        self._routes = Routes.of(self._manifest)
        self._at: dict[int, Instance] = {}
        self._pools: dict[str, Pool] = {}
        self._sources: dict[str, dict[str, Stamp]] = {}
        self._look_on: list[Callable[[Exchange], None]] = [log.exchange]
        self._server: _Server | None = None
        self._inspector: Inspector | None = None
        self._stopping = asyncio.Event()
        log.when_broken = self.stop

    def on_exchange(self, look_on: Callable[[Exchange], None]) -> None:
        """Have `look_on` called, in the gateway's loop, for each request that has been answered."""
        self._look_on.append(look_on)

    async def run(
        self, listening: socket.socket, ready: Callable[[str], None], inspecting: socket.socket | None = None
    ) -> None:
        """Serve until `stop`.

        Args:
            listening: where to; closed at the end.
            ready: gets the URL as soon as requests are answered.
            inspecting: where the inspector listens, if there is to be one; closed at the end.
        """
        # For every app that a changed manifest may name.
        apps = {*self._functions, self._config.default, *(app.name for app in self._config.apps)}
        count = self._settings.max_instances * len(apps)
        ports = [_listening(socket.AF_INET, ("127.0.0.1", 0)) for _ in range(count)]
        numbers = [one.getsockname()[1] for one in ports]
        self._ports = frozenset(numbers)
        home = Path(tempfile.mkdtemp(prefix="routegen-serve-"))
        with _Guard(home) as guarding:
            said = (self._log.output, self._log.note)
            self._around = Surroundings(self._settings, numbers, self._at, home, guarding, *said)
            self._add_pools(self._functions)
            self._gateway = Gateway(self._routes, self._pools, self._settings, self._tell)
            if inspecting:
                self._inspect(inspecting)
            sockets = [listening, *ports, *([inspecting] if inspecting else [])]
            try:
                await self._serve(sockets, ready)
            finally:
                await asyncio.gather(*(pool.close() for pool in self._pools.values()))
                for one in sockets:
                    one.close()

    def stop(self) -> None:
        """End it at once; called in the gateway's loop."""
        self._stopping.set()
        if self._inspector:
            self._inspector.close()
        if self._server:
            self._server.should_exit = True

    def _inspect(self, inspecting: socket.socket) -> None:
        self._inspector = Inspector(inspecting.getsockname()[1], self._settings.stage)
        self._inspector.attach(self._gateway, self._manifest)
        self.on_exchange(self._inspector.see)

    async def _serve(self, sockets: list[socket.socket], ready: Callable[[str], None]) -> None:
        url = _url(sockets[0])
        self._server = _Server(_uvicorn(self._asgi, self._settings), lambda: ready(url))
        following = asyncio.create_task(self._follow())
        serving = asyncio.create_task(self._server.serve(sockets=sockets))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({serving, stopping, following}, return_when=asyncio.FIRST_COMPLETED)
            self._server.should_exit = True
            # Answers what is in flight; what is left then are clients that have not finished asking.
            await asyncio.gather(*(pool.close() for pool in self._pools.values()))
            self._server.force_exit = True
            await serving
            if following.done():
                following.result()  # it never ends by itself, so this raises why it did
        finally:
            for task in (following, stopping):
                task.cancel()

    async def _asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One server for all: a port of the Runtime API's says which instance is asking."""
        port = scope["server"][1]
        try:
            if port in self._ports:
                await runtime_api(scope, receive, send, self._at.get(port), self._next_job)
            elif self._inspector and port == self._inspector.port:
                await self._inspector(scope, receive, send)
            else:
                await self._gateway(scope, receive, send)
        except Exception:
            self._log.about("error", f"a bug in routegen: {traceback.format_exc()}")
            raise

    async def _next_job(self, instance: Instance) -> Job | None:
        return await self._pools[instance.function.name].next_job(instance)

    def _tell(self, exchange: Exchange) -> None:
        for look_on in self._look_on:
            look_on(exchange)

    def _add_pools(self, functions: dict[str, Function]) -> None:
        for name, function in functions.items():
            if name not in self._pools:
                self._pools[name] = Pool(function, self._around)
                self._sources[name] = sources(function.directory)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            for name, pool in list(self._pools.items()):
                found = await asyncio.to_thread(sources, pool.function.directory)
                if found != self._sources[name]:
                    self._sources[name] = found
                    pool.restart()
                    self._log.note(name, "its source has changed, so it starts anew")
            seen = stamp(self._file)
            if seen != self._seen:
                self._seen = seen
                self._take_routes()

    def _take_routes(self) -> None:
        """Use the manifest as it is now; where it can't be used, what was read before stays."""
        try:
            manifest = read_manifest(self._file)
            self._add_pools(functions_of(manifest, self._config))
        except RoutegenError as error:
            self._log.about("error", f"the routes stay as they are: {error}")
            return
        self._gateway.routes = Routes.of(manifest)
        if self._inspector:
            self._inspector.show_routes(manifest)
        self._log.about("routes", f"{self._file} has changed: {len(self._gateway.routes.apps)} route keys")


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """A socket that listens.

    Args:
        host: a name or an address.
        port: 0 for any that is free.
        option: what a user chooses the port with.

    Raises:
        ConfigError: it can't be had; the text says why.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _listening(family, address[:2])
    except OSError as error:
        why = error.strerror or error
        raise ConfigError(f"can't listen on {host}, port {port}: {why}; choose another {option}") from None


def _listening(family: int, address: tuple[Any, ...]) -> socket.socket:
    # With its protocol named, or asyncio leaves Nagle's algorithm on: 40 ms more for each answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError:
        listening.close()
        raise
    return listening


def serve(
    local: Local, listening: socket.socket, ready: Callable[[str], None], inspecting: socket.socket | None = None
) -> None:
    """Run a gateway until Ctrl-C or a SIGTERM; the arguments are those of `Local.run`."""

    async def until_told() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, local.stop)
        await local.run(listening, ready, inspecting)

    asyncio.run(until_told())


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _uvicorn(app: Callable[[Scope, Receive, Send], object], settings: Settings) -> uvicorn.Config:
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
        h11_max_incomplete_event_size=_MAX_HEADER,
        # A runtime client keeps its connection while the function runs.
        timeout_keep_alive=int(settings.timeout) + 45,
        timeout_graceful_shutdown=1,
    )


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Guard:
    """The process that ends every function when this one is gone, and removes their HOME."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> "_Guard":
        reading, self._pipe = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(watchdog.__file__), str(self._home)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(reading)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._pipe)
        self._process.wait()

    def started(self, pid: int) -> None:
        self._say(f"+{pid}\n")

    def ended(self, pid: int) -> None:
        self._say(f"-{pid}\n")

    def _say(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # someone has ended it; then only a crash would leave anything
            os.write(self._pipe, line.encode())
