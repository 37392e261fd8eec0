"""Extraction and functions without processes of their own: the frameworks are imported already in this process.

`routegen extract` and `routegen serve` start a process for each app and for each instance, and its imports take
seconds. The stand-ins here run the same code in threads, and each instance imports its own copy of the module. The slow
tests run the real processes.
"""

import asyncio
import json
import os
import queue
import socket
import threading
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import httpx2
import uvicorn
from routegen.config import AppConfig, Config
from routegen.discover import ServedRoutes, UnknownRouteKindError, discover_routes, resolve_asgi_app
from routegen.errors import LoadError, UnsupportedRouteError
from routegen.extract import Extraction, extract
from routegen.load.app_reference import AppReference, resolve_app
from routegen.load.application import AppReferenceError, app_of_handler
from routegen.serve.instance_pool import InstancePool, PoolContext
from routegen.serve.lambda_function import LambdaFunction
from routegen.serve.lambda_instance import InvocationOutcome
from routegen.serve.serve_settings import ServeSettings
from serve.running_gateway import RunningGateway, running_gateway

SERVER_PROCESS = "server_process."
"""Begins the handler of an app that runs in a server process."""


def import_source(file: Path, env: Mapping[str, str]) -> ModuleType:
    """Execute a file as a new module that no other import sees."""
    module = ModuleType(file.stem)
    with patch.dict(os.environ, env):
        exec(compile(file.read_text(), file, "exec"), vars(module))
    return module


@dataclass
class _AppInThisProcess:
    """Stands for `routegen.load.AppProcess`."""

    app: AppConfig

    def wait_for_routes(self) -> ServedRoutes:
        reference = AppReference.parse(self.app.target)
        handler = (self.app.handler or "").rpartition(".")[2]
        module = import_source(self.app.root / reference.module, self.app.env)
        try:
            return discover_routes(app_of_handler(module, resolve_app(module, reference), handler))[1]
        except UnknownRouteKindError as error:
            raise UnsupportedRouteError(str(error)) from error
        except AppReferenceError as error:
            raise LoadError(f"{self.app.target}: {error}", "") from error


def extract_here(config: Config) -> Extraction:
    """Extract the apps of a project as `routegen extract` does."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # Mangum would make one without closing it
    try:
        with patch(
            "routegen.extract.pipeline.start_app_process", lambda app, _config: nullcontext(_AppInThisProcess(app))
        ):
            return extract(config)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class _AppPool(ABC):
    """Stands for `routegen.serve.instance_pool.InstancePool`."""

    def __init__(self, function: LambdaFunction, context: PoolContext) -> None:
        self.function = function
        self._timeout = context.settings.timeout
        self._tasks: set[asyncio.Task[Any]] = set()

    def restart(self) -> None:
        raise AssertionError("no source changes")

    def invoke(
        self, _request_id: str, _trace_id: str, event: bytes, on_outcome: Callable[[InvocationOutcome], None]
    ) -> None:
        task = asyncio.ensure_future(self._outcome(json.loads(event)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda task: on_outcome(task.result()))

    async def _outcome(self, event: Any) -> InvocationOutcome:
        try:
            async with asyncio.timeout(self._timeout):
                return InvocationOutcome("result", json.dumps(await self._answer(event)).encode())
        except TimeoutError:
            return InvocationOutcome("timeout")
        except asyncio.CancelledError:
            return InvocationOutcome("stopped")
        except Exception:  # noqa: BLE001 - a function can raise any error
            return InvocationOutcome("error")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._end)

    @abstractmethod
    async def _answer(self, event: Any) -> Any: ...

    @abstractmethod
    def _end(self) -> None: ...


class _LambdaPool(_AppPool):
    """A Lambda function: the oldest idle instance gets a request, and another one starts if all are busy."""

    def __init__(self, function: LambdaFunction, context: PoolContext) -> None:
        super().__init__(function, context)
        self._instances: list[_Instance] = []

    async def _answer(self, event: Any) -> Any:
        instance = next((instance for instance in self._instances if not instance.is_busy), None)
        if instance is None:
            instance = _Instance(self.function)
            self._instances.append(instance)
        instance.is_busy = True
        try:
            return await instance.handle(event)
        finally:
            instance.is_busy = False

    def _end(self) -> None:
        for instance in self._instances:
            instance.end()


class _Instance:
    """A thread that imports the module of a function and handles one event after the other."""

    def __init__(self, function: LambdaFunction) -> None:
        self.is_busy = False
        self._function = function
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    async def handle(self, event: Any) -> Any:
        loop = asyncio.get_running_loop()
        result = loop.create_future()
        self._events.put((event, loop, result))
        return await result

    def end(self) -> None:
        self._events.put(None)
        self._thread.join(1)  # an event stream never ends

    def _run(self) -> None:
        module_name, _, handler_name = self._function.handler.rpartition(".")
        module: ModuleType | None = None
        event_loop = asyncio.new_event_loop()
        asyncio.set_event_loop(event_loop)
        while (job := self._events.get()) is not None:
            event, loop, result = job
            try:
                module = module or import_source(self._function.directory / f"{module_name}.py", self._function.env)
                answer, error = getattr(module, handler_name)(event, None), None
            except BaseException as raised:  # noqa: BLE001 - as Lambda does
                answer, error = None, raised
            with suppress(RuntimeError):  # the gateway has ended
                loop.call_soon_threadsafe(_set_result, result, answer, error)
        event_loop.close()


def _set_result(future: asyncio.Future[Any], answer: Any, error: BaseException | None) -> None:
    if not future.done():
        future.set_exception(RuntimeError(str(error))) if error else future.set_result(answer)


class _ServerPool(_AppPool):
    """A server process behind an HTTP integration: uvicorn runs the app with one lifespan for all requests."""

    def __init__(self, function: LambdaFunction, context: PoolContext) -> None:
        super().__init__(function, context)
        module_name, _, attribute = function.handler.removeprefix(SERVER_PROCESS).partition(":")
        module = import_source(function.directory / f"{module_name}.py", function.env)
        app = resolve_app(module, AppReference(f"{module_name}.py", attribute or None))
        config = uvicorn.Config(resolve_asgi_app(app), log_config=None, timeout_graceful_shutdown=1)
        listening = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(config)
        self._url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, args=[[listening]], daemon=True)
        self._thread.start()

    async def _answer(self, event: Any) -> Any:
        body = event.get("body", "")
        query = f"?{event['rawQueryString']}" if event["rawQueryString"] else ""
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=self._timeout) as http:
            response = await http.request(
                event["requestContext"]["http"]["method"],
                f"{self._url}{event['rawPath']}{query}",
                headers={name: value for name, value in event["headers"].items() if name != "content-length"},
                content=b64decode(body) if event["isBase64Encoded"] else body.encode(),
            )
        return {
            "statusCode": response.status_code,
            "headers": dict(response.headers),
            "body": b64encode(response.content).decode(),
            "isBase64Encoded": True,
        }

    def _end(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(5)


@contextmanager
def serve_here(config: Config, settings: ServeSettings, listening: socket.socket) -> Iterator[RunningGateway]:
    """Run the local gateway until the block ends, with the functions in threads of this process."""
    with _running_gateway(_LambdaPool, config, settings, listening) as gateway:
        yield gateway


@contextmanager
def serve_in_processes(config: Config, settings: ServeSettings, listening: socket.socket) -> Iterator[RunningGateway]:
    """Run the local gateway until the block ends, with each instance of a Lambda function in its process."""
    with _running_gateway(InstancePool, config, settings, listening) as gateway:
        yield gateway


@contextmanager
def _running_gateway(
    lambda_pool: Any, config: Config, settings: ServeSettings, listening: socket.socket
) -> Iterator[RunningGateway]:
    def make_pool(function: LambdaFunction, context: PoolContext) -> Any:
        pool = _ServerPool if function.handler.startswith(SERVER_PROCESS) else lambda_pool
        return pool(function, context)

    with (
        patch("routegen.serve.local_gateway.InstancePool", make_pool),
        running_gateway(config, settings, listening) as gateway,
    ):
        yield gateway
