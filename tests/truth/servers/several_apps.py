"""Several apps on one domain."""

from truth.mcp_server import App, McpServer
from truth.servers.signed_in_servers import HANDLER, IMPORTS

OPEN = """
from fastmcp import FastMCP
from mangum import Mangum

mcp = FastMCP("NAME")

@mcp.tool
def add(a: int, b: int) -> int:
    return a + b

app = mcp.http_app(path="/NAME/mcp", stateless_http=True)
handler = Mangum(app)
"""
NAMES = ("mail", "files", "calendar")
ENDPOINTS = tuple(f"/{name}/mcp" for name in NAMES)
SERVER_DOCUMENT = "/.well-known/oauth-authorization-server"
OPENID_DOCUMENT = "/.well-known/openid-configuration"

AUTHKIT = f'{IMPORTS}\napp = tools(authkit(BASE_URL)).http_app(path="/NAME/mcp", stateless_http=True)\n{HANDLER}'
OWN_SERVER = f"""{IMPORTS}
auth = own_server(BASE_URL + "/NAME")
inner = tools(auth).http_app(path="/mcp", stateless_http=True)
app = Starlette(routes=[*auth.get_well_known_routes(mcp_path="/mcp"), Mount("/NAME", inner)], lifespan=inner.lifespan)
{HANDLER}
"""


def apps(source: str, *, claimed: str = "") -> dict[str, App]:
    """Return three apps with the same source; `files` can claim a document of the whole domain."""
    tables = {"files": f'routes = ["{claimed}"]'} if claimed else {}
    return {name: App(source.replace("NAME", name), table=tables.get(name, "")) for name in NAMES}


THREE_AUTHORIZATION_SERVERS = McpServer(
    "three servers, each with its AuthKit", apps(AUTHKIT, claimed=SERVER_DOCUMENT), ENDPOINTS, sign_in="complete"
)
THREE_OWN_SERVERS = McpServer(
    "three servers, each with its own authorization server",
    apps(OWN_SERVER, claimed=OPENID_DOCUMENT),
    ENDPOINTS,
    sign_in="complete",
)

SERVERS = [
    McpServer("three open servers", apps(OPEN), ENDPOINTS),
    McpServer("three open servers without a website", apps(OPEN), ENDPOINTS, has_website=False),
    McpServer(
        "a server with sign-in and without a website",
        {"files": App(AUTHKIT.replace("NAME", "files"))},
        ("/files/mcp",),
        sign_in="complete",
        has_website=False,
    ),
    McpServer(
        "an open server beside a server with sign-in",
        {"mail": App(OPEN.replace("NAME", "mail")), "files": App(OWN_SERVER.replace("NAME", "files"))},
        ("/mail/mcp",),
    ),
    McpServer(
        "three servers with one document and no owner",
        apps(AUTHKIT),
        ENDPOINTS,
        sign_in="complete",
        expected="refused",
        message=f'which needs one owner: write routes = ["{SERVER_DOCUMENT}"] in [tool.routegen.apps.mail]',
    ),
    McpServer(
        "two servers at one path",
        {"mail": App(OPEN.replace("/NAME/mcp", "/mcp")), "files": App(OPEN.replace("/NAME/mcp", "/mcp"))},
        expected="refused",
        message="/mcp",
    ),
    THREE_AUTHORIZATION_SERVERS,
    THREE_OWN_SERVERS,
]
