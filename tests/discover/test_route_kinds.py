"""Every kind of route: the manifest that it gives, and the proof that the app agrees."""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastmcp import FastMCP
from flask import Flask
from helpers.proving import prove_app
from routegen.discover import UnknownRouteKindError, discover_paths
from starlette.applications import Starlette
from starlette.convertors import CONVERTOR_TYPES, Convertor, register_url_convertor
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Host, Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

READ = ("GET", "HEAD")


def readable_id(value: Any) -> str:
    """Return a test's id without memory addresses, which differ between the processes that collect the tests."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


async def answer(_request: Request) -> Response:
    raise AssertionError("no endpoint runs while an app is proven")


class Endpoint(HTTPEndpoint):
    async def get(self, _request: Request) -> Response:
        raise AssertionError("no endpoint runs while an app is proven")


class AsgiApp:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("not found", 404)(scope, receive, send)


class Wrapper:
    """Middleware as people write it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class RefusingMiddleware(Wrapper):
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("sign in first", 401)(scope, receive, send)


class Word(Convertor[str]):
    regex = "[a-z]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class Tail(Word):
    regex = "[a-z]+(?:/[a-z]+)*"


@pytest.fixture(autouse=True)
def _convertors(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("word", "tail"):
        monkeypatch.setitem(CONVERTOR_TYPES, name, None)
    register_url_convertor("word", Word())
    register_url_convertor("tail", Tail())


@pytest.mark.parametrize(
    ("route", "paths"),
    [
        (Route("/a", answer), {"/a": READ}),
        (Route("/a", answer, methods=["POST", "PUT"]), {"/a": ("POST", "PUT")}),
        (Route("/a", functools.partial(answer)), {"/a": READ}),
        (Route("/a", Endpoint), {"/a": ("ANY",)}),
        (Route("/a", AsgiApp()), {"/a": ("ANY",)}),
        (Route("/a", AsgiApp(), methods=["POST"]), {"/a": ("POST",)}),
        (Route("/", answer), {"/": READ}),
        (Route("/a b/é/{x}", answer), {"/a%20b/%C3%A9/{x}": READ}),
        (Route("/100%/{x}", answer), {"/100%25/{x}": READ}),
        (Route("/a/{x}/b/{y:str}", answer), {"/a/{x}/b/{y}": READ}),
        (Mount("/m", routes=[Route("/a", answer), Mount("/n", routes=[Route("/b", answer)])]),
         {"/m/a": READ, "/m/n/b": READ}),
        (Mount("/m", app=Router([Route("/a", answer)])), {"/m/a": READ}),
        (Mount("/m", app=Starlette(routes=[Route("/a", answer)])), {"/m/a": READ}),
        (Mount("/m", app=GZipMiddleware(Starlette(routes=[Route("/a", answer)]))), {"/m/a": READ}),
        (Mount("/m/{x}", routes=[Route("/{x}", answer)]), {"/m/{x}/{x_2}": READ}),
        (Mount("", routes=[Route("/a", answer)]), {"/a": READ}),
        (Mount("/s", app=StaticFiles(directory=".")), {"/s/{proxy+}": READ}),
    ],
    ids=readable_id,
)  # fmt: skip
def test_routes_that_a_route_key_expresses_exactly(route: BaseRoute, paths: dict[str, tuple[str, ...]]) -> None:
    proven = prove_app(Starlette(routes=[route]), unsupported="refuse")
    assert proven.methods_by_path == paths
    assert proven.widened_paths == set()
    assert proven.proof.disagreements == ()
    assert proven.unsupported == ()


@pytest.mark.parametrize(
    ("path", "gateway"),
    [
        ("/a/{x:int}", "/a/{x}"),
        ("/a/{x:float}/b", "/a/{x}/b"),
        ("/a/{x:uuid}", "/a/{x}"),
        ("/a/{x:word}", "/a/{x}"),
        ("/a/{x:tail}", "/a/{x+}"),
        ("/a/{x}.json", "/a/{x}"),
        ("/a/{x}-{y:int}", "/a/{x}"),
        ("/a/{x:path}/b", "/a/{x+}"),
    ],
)
def test_routes_that_a_route_key_makes_wider(path: str, gateway: str) -> None:
    proven = prove_app(Starlette(routes=[Route(path, answer)]), unsupported="refuse")
    assert proven.methods_by_path == {gateway: READ}
    assert proven.widened_paths == {gateway}
    assert proven.proof.disagreements == ()


def test_a_path_with_two_routes_is_as_wide_as_the_wider_route() -> None:
    routes = [Route("/a/{x:int}", answer), Route("/a/{y}", answer, methods=["POST"])]
    assert prove_app(Starlette(routes=routes)).widened_paths == set()
    exact = prove_app(Starlette(routes=routes), methods="exact")
    assert exact.widened_paths == {"/a/{x}"}
    assert exact.proof.disagreements == ()


@pytest.mark.parametrize(
    ("route", "unsupported", "paths"),
    [
        (WebSocketRoute("/ws", answer), ("websocket", "/ws"), {}),
        (Host("api.example.org", app=Router([Route("/a", answer)])), ("host", "/a"), {"/a": READ}),
        (Route("/a/", answer), ("trailing-slash", "/a/"), {"/a": READ}),
        (Mount("/m", routes=[Route("/", answer)]), ("trailing-slash", "/m/"), {"/m": READ}),
        (Route("/{all:path}", answer), ("everything", "/{all:path}"), {}),
        (Mount("/", app=AsgiApp()), ("everything", "/{proxy:path}"), {}),
        (Route("/a//b", answer), ("path", "/a//b"), {}),
    ],
    ids=readable_id,
)
def test_routes_that_a_route_key_cannot_express(
    route: BaseRoute, unsupported: tuple[str, str], paths: dict[str, tuple[str, ...]]
) -> None:
    app = Starlette(routes=[route])
    with pytest.raises(Exception, match=f"^{unsupported[0]}: app: "):
        prove_app(app, unsupported="refuse")
    proven = prove_app(app)
    assert proven.unsupported_kinds == {unsupported}
    assert proven.methods_by_path == paths
    assert proven.proof.disagreements == ()


@pytest.mark.parametrize(
    ("route", "path"),
    [(Route("/a/{x:path}", answer), "/a/{x:path}"), (Mount("/a", app=AsgiApp()), "/a/{proxy:path}")],
    ids=readable_id,
)
def test_an_empty_rest_is_a_warning_and_not_refused(route: BaseRoute, path: str) -> None:
    proven = prove_app(Starlette(routes=[route]), [("GET", "/a/")], unsupported="refuse")
    assert proven.unsupported_kinds == {("empty-rest", path)}
    assert proven.proof.disagreements == ()
    assert proven.proof.excused == {"empty-rest": "GET /a/"}


def test_an_owned_parent_covers_paths_that_no_key_can_express() -> None:
    app = Starlette(routes=[Route("/api/items/", answer), Route("/api/x", answer), Mount("/api/m", app=AsgiApp())])
    proven = prove_app(app, own=("/api",), unsupported="refuse")
    assert proven.methods_by_path == {"/api": ("ANY",), "/api/{proxy+}": ("ANY",)}
    assert proven.unsupported == ()
    assert proven.proof.disagreements == ()


@pytest.mark.parametrize(("redirects", "paths"), [(True, {"/m", "/m/{proxy+}"}), (False, {"/m/{proxy+}"})])
def test_the_mount_point_belongs_to_the_app_if_the_router_redirects(redirects: bool, paths: set[str]) -> None:
    router = Router([Mount("/m", app=AsgiApp())], redirect_slashes=redirects)
    proven = prove_app(router)
    assert set(proven.methods_by_path) == paths
    assert proven.proof.disagreements == ()


def test_a_mount_hides_later_routes() -> None:
    routes = [
        Mount("/m", routes=[Route("/a", answer)]),
        Route("/m/b", answer),
        Route("/{x}/c", answer),
        Route("/n", answer),
    ]
    proven = prove_app(Starlette(routes=routes), [("GET", "/m/c"), ("GET", "/m/b"), ("GET", "/q/c")])
    assert proven.unsupported_kinds == {("hidden", "/m/b")}
    assert set(proven.methods_by_path) == {"/m/a", "/n", "/{x}/c"}
    assert proven.widened_paths == {"/{x}/c"}
    assert proven.proof.disagreements == ()


def test_a_router_with_its_own_default_takes_every_path() -> None:
    app = Starlette(routes=[Route("/a", answer)])
    app.router.default = AsgiApp()
    proven = prove_app(app)
    assert proven.unsupported_kinds == {("everything", "/{proxy:path}")}
    assert proven.proof.disagreements == ()


def closure(app: Any) -> Any:
    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)

    return middleware


@pytest.mark.parametrize("wrap", [Wrapper, closure, GZipMiddleware, lambda app: Wrapper(closure(Wrapper(app)))])
def test_middleware_is_unwrapped(wrap: Callable[[Any], Any]) -> None:
    proven = prove_app(wrap(Starlette(routes=[Route("/a", answer)])), unsupported="refuse")
    assert proven.methods_by_path == {"/a": READ}
    assert proven.proof.disagreements == ()


def test_middleware_that_answers_requests_does_not_hide_the_routes() -> None:
    cors = Middleware(CORSMiddleware, allow_origins=["*"])

    proven = prove_app(Starlette(routes=[Route("/a", answer)], middleware=[cors, Middleware(RefusingMiddleware)]))
    assert proven.proof.disagreements == ()
    assert proven.proof.answered_by_middleware == proven.proof.requests


def test_an_app_without_a_route_table_owns_the_configured_paths() -> None:
    proven = prove_app(AsgiApp(), own=("/x",))
    assert proven.methods_by_path == {"/x": ("ANY",), "/x/{proxy+}": ("ANY",)}
    assert proven.unsupported_kinds == {("everything", "/{proxy:path}")}


def test_an_unknown_kind_of_route_is_refused_with_its_class_and_path() -> None:
    class UnknownRoute(BaseRoute):
        path = "/unknown"

    with pytest.raises(
        UnknownRouteKindError, match=r"UnknownRoute at /m/unknown is a kind of route that routegen does not know"
    ):
        discover_paths(Starlette(routes=[Mount("/m", routes=[UnknownRoute()])]))
    with pytest.raises(UnknownRouteKindError, match="is not an ASGI or WSGI application"):
        discover_paths({"not": "an app"})


def test_routers_mounts_and_sub_applications_of_fastapi() -> None:
    inner = APIRouter(prefix="/items", include_in_schema=False)
    inner.add_api_route("/{item}", answer, methods=["GET", "DELETE"])
    inner.add_api_route("", answer, methods=["POST"])
    outer = APIRouter()
    outer.include_router(inner, prefix="/v1")
    outer.mount("/files", StaticFiles(directory="."))
    sub = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    sub.add_api_route("/x", answer)
    app = FastAPI()
    app.include_router(outer, prefix="/api")
    app.mount("/sub", sub)
    proven = prove_app(
        app, [("GET", "/api/v1/items/7"), ("PUT", "/api/v1/items"), ("GET", "/sub/x")], unsupported="refuse"
    )
    assert proven.methods_by_path == {
        "/api/files/{proxy+}": READ,
        "/api/v1/items": ("POST",),
        "/api/v1/items/{item}": ("DELETE", "GET"),
        "/docs": READ,
        "/docs/oauth2-redirect": READ,
        "/openapi.json": READ,
        "/redoc": READ,
        "/sub/x": ("GET",),
    }
    assert proven.proof.disagreements == ()


def test_a_websocket_in_an_included_router_of_fastapi() -> None:
    router = APIRouter()

    @router.websocket("/ws")
    async def talk(_socket: WebSocket) -> None: ...

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router, prefix="/api")
    assert prove_app(app).unsupported_kinds == {("websocket", "/api/ws")}


def test_fastapi_also_answers_below_its_root_path() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.root_path = "/behind"
    app.add_api_route("/x", answer)
    proven = prove_app(app, [("GET", "/behind/x"), ("GET", "/behind")])
    assert set(proven.methods_by_path) == {"/x", "/behind/x"}
    assert proven.proof.disagreements == ()


def test_a_frontend_of_fastapi(tmp_path: Path) -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    router = APIRouter()
    router.frontend("/ui", directory=tmp_path, check_dir=False)
    app.include_router(router, prefix="/app")
    app.add_api_route("/app/ui/api", answer)
    proven = prove_app(app, [("GET", "/app/ui/x"), ("POST", "/app/ui")])
    assert proven.methods_by_path == {"/app/ui": READ, "/app/ui/api": ("GET",), "/app/ui/{proxy+}": READ}
    assert proven.proof.disagreements == ()


def test_transports_custom_routes_and_mounts_of_fastmcp() -> None:
    child = FastMCP("child")
    child.custom_route("/health", methods=["GET"])(answer)
    server = FastMCP("parent")
    server.custom_route("/hook", methods=["POST"])(answer)
    server.mount(child, namespace="c")
    http = prove_app(server)
    assert http.methods_by_path["/mcp"] == ("ANY",) or "POST" in http.methods_by_path["/mcp"]
    assert http.methods_by_path["/hook"] == ("POST",)
    assert http.proof.disagreements == ()
    sse = prove_app(server.http_app(transport="sse"))
    assert {"/sse", "/messages", "/messages/{proxy+}"} <= set(sse.methods_by_path)
    assert sse.proof.disagreements == ()


def test_rules_of_flask() -> None:
    app = Flask("x", static_folder=None)
    for rule in ("/a/<name>", "/<path:page>/edit", "/-/n/<int:n>.json", "/x/"):
        app.add_url_rule(rule, rule, lambda: "")
    served = {path.path: path.regexes for path in discover_paths(app)}
    assert served == {
        "/a/{name:string}": ("[^/]+",),
        "/{page:path}/edit": ("[^/].*?",),
        "/-/n/{n:int}.json": (r"\d+",),
        "/x/": (),
    }


@pytest.mark.parametrize(
    "mount",
    [
        Mount("/m", app=Starlette(routes=[Route("/a", answer)], middleware=[Middleware(RefusingMiddleware)])),
        Mount("/m", app=RefusingMiddleware(Starlette(routes=[Route("/a", answer)]))),
        Mount("/m", routes=[Route("/a", answer)], middleware=[Middleware(RefusingMiddleware)]),
    ],
    ids=["inside", "around", "of the mount"],
)
def test_middleware_of_a_mounted_app_does_not_hide_missing_paths(mount: Mount) -> None:
    # starlette-admin asks for a log-in at every path below /admin, also where it serves nothing.
    proven = prove_app(Starlette(routes=[mount, Route("/b", answer)]), unsupported="refuse")
    assert set(proven.methods_by_path) == {"/m/a", "/b"}
    assert proven.proof.disagreements == ()


def flask_app() -> Flask:
    app = Flask("x", static_folder=None)
    for rule, methods in (("/a/<name>", ["GET"]), ("/p/<path:page>", ["POST"]), ("/n/<int:n>.json", ["GET"])):
        app.add_url_rule(rule, rule, lambda **_: "", methods=methods, provide_automatic_options=False)
    return app


@pytest.mark.filterwarnings("ignore:starlette.middleware.wsgi is deprecated")
@pytest.mark.parametrize(("prefix", "mount"), [("", "/"), ("/f", "/f"), ("/f/{user}", "/f/{user}")])
def test_rules_of_a_mounted_flask_app(prefix: str, mount: str) -> None:
    # mlflow and dash are mounted in a FastAPI app.
    from starlette.middleware.wsgi import WSGIMiddleware

    app = Starlette(routes=[Route("/own", answer)])
    app.mount(mount, WSGIMiddleware(flask_app()))
    proven = prove_app(app, [("GET", "/a/x"), ("POST", "/f/p/a/b"), ("GET", "/f/n/x.json")])
    assert proven.methods_by_path == {
        "/own": READ,
        f"{prefix}/a/{{name}}": READ,
        f"{prefix}/p/{{page+}}": ("POST",),
        f"{prefix}/n/{{n}}": READ,
    }
    assert proven.unsupported == ()
    assert proven.proof.disagreements == ()


def test_an_app_that_adds_routes_while_it_answers_cannot_be_proven() -> None:
    # litellm does this.
    app = Starlette(routes=[Route("/a", answer)])

    class Lazy(Wrapper):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["path"].startswith("/a/"):
                app.router.routes.append(Route("/late", answer))
            await self.app(scope, receive, send)

    app.add_middleware(Lazy)
    with pytest.raises(UnknownRouteKindError, match=r"^GET /a/\S* makes the app add routes to its table"):
        prove_app(app)
