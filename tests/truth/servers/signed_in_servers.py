"""Servers that require a token: at the root, in mounts, with the right and with a wrong base URL."""

from joserfc import jwt
from joserfc.jwk import OctKey
from truth.mcp_server import server

_SECRET = "an-invented-secret-of-more-than-32-bytes"
_JWT = jwt.encode(
    {"alg": "HS256"},
    {"iss": "https://login.example.org", "aud": "tools", "sub": "otter", "exp": 4_000_000_000},
    OctKey.import_key(_SECRET),
)

IMPORTS = """
import os
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI
from fastmcp import FastMCP
from fastmcp.server.auth import MultiAuth, RemoteAuthProvider
from fastmcp.server.auth.oauth_proxy import OAuthProxy
from fastmcp.server.auth.providers.github import GitHubProvider
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier, StaticTokenVerifier
from fastmcp.server.auth.providers.workos import AuthKitProvider
from key_value.aio.stores.memory import MemoryStore
from mangum import Mangum
from mcp.server.auth.settings import ClientRegistrationOptions
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

BASE_URL, ISSUER = os.environ["BASE_URL"], os.environ["ISSUER"]
KEY = b"not-a-real-key-not-a-real-key-00"
# Without scopes, FastMCP's client registers the scope " offline_access", which the stand-in refuses.
SCOPES = {"scopes_supported": ["openid", "offline_access"]}

def tools(auth):
    mcp = FastMCP("tools", auth=auth)

    @mcp.tool
    def add(a: int, b: int) -> int:
        return a + b

    return mcp

def authkit(base_url, **options):
    return AuthKitProvider(authkit_domain=ISSUER, base_url=base_url, **SCOPES, **options)

def own_server(base_url, **options):
    registration = ClientRegistrationOptions(enabled=True)
    return InMemoryOAuthProvider(base_url=base_url, client_registration_options=registration, **options)

def tokens():
    return StaticTokenVerifier(tokens={"otter": {"client_id": "otter", "scopes": []}})

def verifier():
    return JWTVerifier(jwks_uri=ISSUER + "/oauth2/jwks", issuer=ISSUER, audience=BASE_URL + "/mcp")
"""
HANDLER = "handler = Mangum(app)"


def app(auth: str, path: str = "/mcp") -> str:
    """The source of an application with an auth provider."""
    return f'app = tools({auth}).http_app(path="{path}", stateless_http=True)'


def mounted(auth: str, path: str, *, documents: bool = True) -> str:
    """The source of an application in a mount, with or without its documents at the root of the domain."""
    routes = '*auth.get_well_known_routes(mcp_path="/mcp"), ' if documents else ""
    return f"""
auth = {auth}
inner = tools(auth).http_app(path="/mcp", stateless_http=True)
app = Starlette(routes=[{routes}Mount("{path}", inner)], lifespan=inner.lifespan)
"""


JWT_VERIFIER = (
    f'JWTVerifier(public_key="{_SECRET}", algorithm="HS256", issuer="https://login.example.org", audience="tools")'
)
REMOTE = "RemoteAuthProvider(token_verifier=verifier(), authorization_servers=[ISSUER], base_url=BASE_URL, **SCOPES)"
GITHUB = """
auth = GitHubProvider(
    client_id="id", client_secret="invented-0123456789", base_url=BASE_URL, jwt_signing_key=KEY,
    client_storage=MemoryStore(),
)
"""
PROXY = """
auth = OAuthProxy(
    upstream_authorization_endpoint=ISSUER + "/oauth2/authorize",
    upstream_token_endpoint=ISSUER + "/oauth2/token",
    upstream_client_id=os.environ["CLIENT_ID"],
    upstream_client_secret=os.environ["CLIENT_SECRET"],
    token_verifier=JWTVerifier(jwks_uri=ISSUER + "/oauth2/jwks", issuer=ISSUER),
    base_url=BASE_URL,
    jwt_signing_key=KEY,
    client_storage=MemoryStore(),
    require_authorization_consent=False,
)
"""
IN_FASTAPI = """
inner = tools(authkit(BASE_URL)).http_app(stateless_http=True)
app = FastAPI(lifespan=inner.lifespan)
app.mount("/", inner)
"""
RESOURCE_URL = (
    'AuthKitProvider(authkit_domain=ISSUER, base_url=BASE_URL, resource_base_url=BASE_URL + "/api", **SCOPES)'
)
TWO_MOUNTS = """
auths = {path: authkit(BASE_URL + path) for path in ("/read", "/write")}
apps = {path: tools(auth).http_app(stateless_http=True) for path, auth in auths.items()}

@asynccontextmanager
async def lifespan(app):
    async with AsyncExitStack() as stack:
        for inner in apps.values():
            await stack.enter_async_context(inner.lifespan(app))
        yield

documents = [route for auth in auths.values() for route in auth.get_well_known_routes(mcp_path="/mcp")]
app = Starlette(routes=[*documents, *(Mount(path, inner) for path, inner in apps.items())], lifespan=lifespan)
"""
BY_MIDDLEWARE = """
class Metadata:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/.well-known/oauth-protected-resource/mcp":
            document = {"resource": BASE_URL + "/mcp", "authorization_servers": [ISSUER]}
            await JSONResponse(document)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

app = tools(verifier()).http_app(stateless_http=True, middleware=[Middleware(Metadata)])
"""
BY_HAND = """
mcp = tools(verifier())

@mcp.custom_route("/.well-known/oauth-protected-resource", methods=["GET"])
async def metadata(request):
    return JSONResponse({"resource": BASE_URL + "/mcp", "authorization_servers": [ISSUER]})

app = mcp.http_app(stateless_http=True)
"""
COPIED = "inner = tools(tokens()).http_app(stateless_http=True)"


def official_sdk(path: str) -> str:
    """The source of a server of the official SDK, with a resource URL that has a path."""
    return f"""
import os

from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

class Verifier(TokenVerifier):
    async def verify_token(self, token):
        return AccessToken(token=token, client_id="otter", scopes=[])

settings = AuthSettings(
    issuer_url=os.environ["ISSUER"], resource_server_url=os.environ["BASE_URL"] + "{path}",
    validate_token_resource=False,
)
mcp = MCPServer("tools", token_verifier=Verifier(), auth=settings)

@mcp.tool()
def add(a: int, b: int) -> int:
    return a + b

app = mcp.streamable_http_app(stateless_http=True, host="0.0.0.0")
"""


SDK_WITH_OWN_SERVER = """
import os

from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions
from mcp.server.mcpserver import MCPServer

settings = AuthSettings(
    issuer_url=os.environ["BASE_URL"] + "PATH",
    resource_server_url=os.environ["BASE_URL"] + "/mcp",
    validate_token_resource=False,
    client_registration_options=ClientRegistrationOptions(enabled=True),
)
mcp = MCPServer("tools", auth_server_provider=InMemoryOAuthProvider(base_url=os.environ["BASE_URL"]), auth=settings)

@mcp.tool()
def add(a: int, b: int) -> int:
    return a + b

app = mcp.streamable_http_app(stateless_http=True, host="0.0.0.0")
"""


MISPLACED = "misplaced-metadata: mcp serves the protected resource metadata at "
NO_METADATA = "requires a token, and mcp serves no metadata that says where to get one"
MISPLACED_SERVER = "misplaced-metadata: mcp serves the "

SERVERS = [
    server("static tokens", IMPORTS, app("tokens()"), HANDLER, sign_in="token",
           expected="warned", message=NO_METADATA, works=True),
    server("a JWT verifier", IMPORTS, app(JWT_VERIFIER), HANDLER, sign_in="token", token=_JWT,
           expected="warned", message=NO_METADATA, works=True),
    server("AuthKit", IMPORTS, app("authkit(BASE_URL)"), HANDLER, sign_in="complete"),
    server("AuthKit with a final slash in base_url", IMPORTS, app('authkit(BASE_URL + "/")'), HANDLER,
           sign_in="complete"),
    server("AuthKit at the root", IMPORTS, app("authkit(BASE_URL)", "/"), HANDLER,
           endpoints=("/",), sign_in="complete"),
    server("AuthKit below a path", IMPORTS, app("authkit(BASE_URL)", "/api/mcp"), HANDLER,
           endpoints=("/api/mcp",), sign_in="complete"),
    server("AuthKit in FastAPI", IMPORTS, IN_FASTAPI, HANDLER, sign_in="complete"),
    server("AuthKit in a mount", IMPORTS, mounted('authkit(BASE_URL + "/api")', "/api"), HANDLER,
           endpoints=("/api/mcp",), sign_in="complete"),
    server("AuthKit in a mount with its own resource URL", IMPORTS, mounted(RESOURCE_URL, "/api"), HANDLER,
           endpoints=("/api/mcp",), sign_in="complete"),
    server("AuthKit in two mounts", IMPORTS, TWO_MOUNTS, HANDLER,
           endpoints=("/read/mcp", "/write/mcp"), sign_in="complete"),
    server("AuthKit and other tokens", IMPORTS, app("MultiAuth(server=authkit(BASE_URL), verifiers=[tokens()])"),
           HANDLER, sign_in="complete"),
    server("AuthKit in a mount without its documents", IMPORTS,
           mounted('authkit(BASE_URL + "/api")', "/api", documents=False), HANDLER,
           endpoints=("/api/mcp",), sign_in="complete", expected="refused", message=MISPLACED),
    server("AuthKit in a mount, and base_url without the mount", IMPORTS, mounted("authkit(BASE_URL)", "/api"), HANDLER,
           endpoints=("/api/mcp",), sign_in="complete", expected="refused", message=MISPLACED),
    server("AuthKit with the endpoint in base_url", IMPORTS, app('authkit(BASE_URL + "/mcp")'), HANDLER,
           sign_in="complete", expected="refused", message=MISPLACED),
    server("AuthKit with another path in base_url", IMPORTS, app('authkit(BASE_URL + "/api")'), HANDLER,
           sign_in="complete", expected="refused", message=MISPLACED),
    server("a remote authorization server", IMPORTS, app(REMOTE), HANDLER, sign_in="complete"),
    server("GitHub", IMPORTS, GITHUB, app("auth"), HANDLER, sign_in="consent-page"),
    server("a proxy of another authorization server", IMPORTS, PROXY, app("auth"), HANDLER, sign_in="complete"),
    server("an authorization server of its own", IMPORTS, app("own_server(BASE_URL)"), HANDLER, sign_in="complete"),
    server("an authorization server in a mount", IMPORTS, mounted('own_server(BASE_URL + "/desk")', "/desk"), HANDLER,
           endpoints=("/desk/mcp",), sign_in="complete"),
    server("an authorization server in a mount, its issuer at the root", IMPORTS,
           mounted('own_server(BASE_URL + "/desk", issuer_url=BASE_URL)', "/desk"), HANDLER,
           endpoints=("/desk/mcp",), sign_in="complete"),
    server("an authorization server in a mount without its documents", IMPORTS,
           mounted('own_server(BASE_URL + "/desk")', "/desk", documents=False), HANDLER,
           endpoints=("/desk/mcp",), sign_in="complete", expected="refused", message=MISPLACED_SERVER),
    server("metadata by middleware", IMPORTS, BY_MIDDLEWARE, HANDLER, sign_in="complete",
           expected="warned", message="claim a document of middleware: routes = [", works=True),
    server("metadata by middleware, claimed", IMPORTS, BY_MIDDLEWARE, HANDLER, sign_in="complete",
           table='routes = ["/.well-known/oauth-protected-resource/mcp"]'),
    server("metadata by hand", IMPORTS, BY_HAND, HANDLER, sign_in="complete"),
    server("copied routes with their middleware", IMPORTS, COPIED,
           "app = Starlette(routes=[*inner.routes], middleware=inner.user_middleware, lifespan=inner.lifespan)",
           HANDLER, sign_in="token", expected="warned", message=NO_METADATA, works=True),
    server("copied routes without their middleware", IMPORTS, COPIED,
           "app = Starlette(routes=[*inner.routes], lifespan=inner.lifespan)", HANDLER,
           sign_in="token", expected="warned", message="its routes were copied without the middleware"),
    server("MCPServer with an authorization server", SDK_WITH_OWN_SERVER.replace("PATH", ""), handler="",
           sign_in="complete"),
    server("MCPServer with an authorization server and another path", SDK_WITH_OWN_SERVER.replace("PATH", "/auth"),
           handler="", sign_in="complete", expected="refused", message="but the app serves /authorize",
           works=True),  # with FastMCP's client, which tries /register, /authorize and /token of older revisions
    server("MCPServer with a verifier", official_sdk("/mcp"), handler="", sign_in="complete"),
    server("MCPServer with the URL of the domain", official_sdk(""), handler="", sign_in="complete"),
    server("MCPServer with another path", official_sdk("/other"), handler="",
           sign_in="complete", expected="refused", message=MISPLACED),
]  # fmt: skip
