"""Every rule of every command: its id, its level and its title, written once.

Ids are stable. `verify` has RG001 to RG099, `audit` RG100 to RG199, `check` and `diff` RG200 to RG299, `prove` RG300
and above. `pages/ID.md` explains a rule, and docs/findings.md lists them all.
"""

from routegen.report.finding import Rule

# verify: connections and documents
UNREACHABLE = Rule("RG001", "error", "A server cannot be reached.")
TLS = Rule("RG002", "error", "The TLS connection fails.")
BROKEN_HTTP = Rule("RG003", "error", "A response is not valid HTTP, or ends too early.")
TOO_SLOW = Rule("RG004", "error", "A response takes too long.")
REDIRECTED = Rule("RG005", "warning", "A path redirects where clients expect the document itself.")
REDIRECTED_AWAY = Rule("RG006", "error", "A redirect leads to another origin.")
NOT_ALLOWED = Rule("RG007", "error", "The deployment names an address that clients must not be sent to.")
CONTENT_TYPE = Rule("RG008", "warning", "A JSON document has a content type that is not JSON.")
DOUBLED_KEY = Rule("RG009", "warning", "A JSON document has a key twice.")

# verify: the MCP endpoint
MCP_PAGE = Rule("RG010", "error", "The MCP endpoint answers with a web page.")
MCP_STATUS = Rule("RG011", "error", "The MCP endpoint does not answer like an MCP server.")
MCP_FAILS = Rule("RG012", "error", "The MCP endpoint answers with a server error.")
MCP_OPEN = Rule("RG013", "warning", "The MCP endpoint accepts requests without a token.")
TOKEN_REFUSED = Rule("RG014", "error", "The MCP endpoint refuses the token.")
TOKEN_ANSWER = Rule("RG015", "error", "The MCP endpoint accepts the token but does not start a session.")
NO_ENDPOINT = Rule("RG016", "error", "The manifest has no MCP endpoint that clients can use.")
SESSION_LOST = Rule("RG017", "error", "The MCP endpoint starts a session and does not know it in the next request.")
METHOD_ANSWER = Rule("RG018", "error", "GET or DELETE at the MCP endpoint has no answer of an MCP server.")
LISTEN_SILENT = Rule("RG019", "warning", "A stream of notifications does not start at the MCP endpoint.")

# verify: the manifest's routes and the default app
ROUTE_SHADOWED = Rule("RG020", "error", "The default app answers a route of the manifest.")
ROUTE_MISSING = Rule("RG021", "error", "A route of the manifest answers 404.")
ROUTE_FAILS = Rule("RG022", "error", "A route of the manifest answers with a server error.")
PAGE_SHADOWED = Rule("RG023", "error", "Another app answers a page of the default app.")
PAGE_FAILS = Rule("RG024", "error", "A page of the default app answers with an error.")
HEAD_DIFFERS = Rule("RG025", "warning", "HEAD and GET have different responses.")
NOT_ASKED = Rule("RG026", "note", "A route cannot be requested without changing something.")
CATCH_ALL_200 = Rule("RG027", "warning", "Paths that do not exist answer 200.")
TOKEN_SCOPE = Rule("RG028", "error", "The token lacks a scope that the MCP endpoint requires.")

# verify: from the challenge to the metadata
NO_SIGN_IN = Rule("RG030", "error", "Neither the challenge nor a well-known path leads to the sign-in.")
CHALLENGE_RENAMED = Rule(
    "RG031", "note", "API Gateway renames the challenge header: clients sign in, but see no scope."
)
CHALLENGE_MISSING = Rule("RG032", "note", "The endpoint sends no usable challenge, and clients work without it.")
CHALLENGE_WRONG = Rule("RG033", "error", "The challenge names a document that does not exist.")
CHALLENGE_ONLY = Rule("RG034", "warning", "Only the challenge leads to the metadata.")
OLD_DISCOVERY = Rule("RG035", "warning", "Only the older discovery, without protected resource metadata, works.")

# verify: protected resource metadata
RESOURCE_MISSING = Rule("RG040", "error", "The protected resource metadata is missing.")
RESOURCE_PAGE = Rule("RG041", "error", "A web page is served where the protected resource metadata belongs.")
RESOURCE_UNREADABLE = Rule("RG042", "error", "The protected resource metadata is not a JSON object.")
RESOURCE_OTHER = Rule("RG043", "error", "The protected resource metadata describes another resource.")
RESOURCE_PARENT = Rule("RG044", "warning", "The protected resource metadata describes a parent of the MCP endpoint.")
NO_SERVERS = Rule("RG045", "error", "The protected resource metadata names no authorization server.")
RESOURCE_MISPLACED = Rule("RG046", "error", "The protected resource metadata is served where no client looks for it.")
RESOURCE_FIELD = Rule("RG047", "error", "A field of the protected resource metadata is malformed.")
DPOP = Rule("RG048", "note", "The MCP endpoint accepts only tokens with a proof of possession.")

# verify: authorization server metadata
SERVER_INSECURE = Rule("RG050", "error", "An authorization server does not use https.")
SERVER_MISSING = Rule("RG051", "error", "The authorization server metadata is missing.")
SERVER_PAGE = Rule("RG052", "error", "A web page is served where the authorization server metadata belongs.")
SERVER_UNREADABLE = Rule("RG053", "error", "The authorization server metadata is not a JSON object.")
SERVER_FIELD = Rule("RG054", "error", "A field of the authorization server metadata is missing or malformed.")
ISSUER = Rule("RG055", "error", "The issuer is not exactly the authorization server that was asked.")
ENDPOINT_INSECURE = Rule("RG056", "error", "An endpoint of the authorization server does not use https.")
NO_S256 = Rule("RG057", "error", "The authorization server does not announce PKCE with S256.")
NO_CODE = Rule("RG058", "error", "The authorization server does not offer the authorization code grant.")
NO_REGISTRATION = Rule("RG059", "error", "Clients cannot register at the authorization server.")
ENDPOINT_MISSING = Rule("RG060", "warning", "An endpoint that the metadata names does not exist.")
REGISTRATION_REFUSED = Rule("RG061", "error", "The authorization server refuses a registration.")
SCOPES = Rule("RG062", "warning", "The resource asks for scopes that the authorization server does not offer.")
SCOPES_EMPTY = Rule("RG063", "warning", "A list or a text of scopes is empty.")
DOCUMENTS_ONLY = Rule("RG064", "warning", "Only clients with a client ID metadata document can register.")
DOCUMENTS_UNUSABLE = Rule("RG065", "warning", "Client ID metadata documents are announced and cannot be used.")
ENDPOINT_UNTESTED = Rule("RG066", "note", "An endpoint answers 404 to GET, and POST was not tried.")
AUTHORIZATION_QUERY = Rule("RG067", "warning", "The authorization endpoint has a query.")
NOT_RECOMMENDED = Rule("RG068", "note", "The authorization server lacks something that MCP recommends.")

# verify: the authorization server's keys
NO_KEYS = Rule("RG070", "note", "The authorization server publishes no keys.")
KEYS_UNREADABLE = Rule("RG071", "error", "The authorization server's keys cannot be read.")
PRIVATE_KEY = Rule("RG072", "error", "The authorization server publishes a private key.")
KEYS_UNUSABLE = Rule("RG073", "error", "No published key can verify a signature.")
KEY_UNUSABLE = Rule("RG074", "warning", "A published key cannot be used, or cannot be told apart from another key.")

# verify: clients, and the revisions that they speak
BROWSERS_REFUSED = Rule("RG080", "note", "Clients in a browser cannot reach the MCP endpoint.")
BROWSERS_INCOMPLETE = Rule("RG081", "warning", "Clients in a browser reach the MCP endpoint but not the metadata.")
PREFLIGHT = Rule("RG082", "warning", "The preflight response omits a header that MCP clients in a browser send.")
HEADER_LOST = Rule("RG083", "error", "A header that MCP requires is lost on the way to the server.")
MODERN_BLOCKED = Rule("RG084", "error", "A request of the current MCP revision does not reach the MCP server.")
ONE_ERA = Rule("RG085", "note", "The MCP endpoint speaks only older or only newer revisions of MCP.")
SERVER_CARD = Rule("RG086", "note", "A web page is served where a server card belongs.")
NOT_EXPOSED = Rule("RG087", "warning", "Clients in a browser cannot read the endpoint's answer, or a header of it.")
CLIENT_FAILS = Rule("RG090", "error", "A client will not connect, and no other rule gives the reason.")

# audit: the API
NOT_READ = Rule("RG100", "error", "A part of the deployment cannot be read.")
NOT_HTTP = Rule("RG101", "error", "The API is not an HTTP API.")
API_UNREACHABLE = Rule("RG102", "error", "The API's endpoint is disabled, and no domain leads to the stage.")
BASE_PATH = Rule("RG103", "warning", "A domain puts a path before every route.")
CORS = Rule("RG104", "warning", "API Gateway answers CORS preflights before the apps do.")
DOMAIN_ELSEWHERE = Rule("RG105", "error", "The domain that clients use does not lead to the stage.")
MUTUAL_TLS = Rule("RG106", "error", "The domain asks every client for a certificate.")
ROUTING_RULES = Rule("RG107", "error", "The routing rules of the domain do not lead to the API.")

# audit: routes
ROUTE_NOT_DEPLOYED = Rule("RG110", "error", "A route of the manifest is not deployed.")
ROUTE_EXTRA = Rule("RG111", "error", "A deployed route is not in the manifest.")
ROUTE_ELSEWHERE = Rule("RG112", "error", "A route leads to another app's function.")
ROUTE_NOWHERE = Rule("RG113", "error", "A route has no integration.")
DEFAULT_NOT_DEPLOYED = Rule("RG114", "error", "The $default route is not deployed.")
AUTHORIZER = Rule("RG115", "error", "API Gateway authorizes a route before its app is asked.")
NEAR_QUOTA = Rule("RG116", "warning", "The API is near the quota of routes.")

# audit: integrations
NOT_PROXY = Rule("RG120", "error", "An integration does not invoke a Lambda function.")
PAYLOAD = Rule("RG121", "warning", "An integration's payload format is not 2.0.")
PARAMETER_MAPPING = Rule("RG122", "warning", "An integration changes requests or responses.")

# audit: functions and permissions
FUNCTION = Rule("RG130", "error", "A function does not exist, or cannot be invoked.")
NO_PERMISSION = Rule("RG131", "error", "API Gateway has no permission to invoke the function.")
NARROW_PERMISSION = Rule("RG132", "error", "API Gateway has permission to invoke the function for some routes only.")
WIDE_PERMISSION = Rule("RG133", "warning", "Every API of every account has permission to invoke the function.")
POLICY_SIZE = Rule("RG134", "warning", "A function's resource policy is near its size limit.")
ROLE = Rule("RG135", "note", "API Gateway invokes a function with a role, and the role is not checked.")
NO_CONCURRENCY = Rule("RG136", "error", "A reserved concurrency of 0 refuses every request.")
INACTIVE = Rule("RG137", "warning", "A function is inactive, and its next invocation fails.")

# audit: the stage
NO_STAGE = Rule("RG140", "error", "The stage does not exist.")
NOT_DEPLOYED = Rule("RG141", "error", "The stage's last deployment failed, or there is none.")
NOT_AUTOMATIC = Rule("RG142", "warning", "The stage does not deploy changes automatically.")
STAGE_PREFIX = Rule("RG143", "warning", "Every path begins with the name of the stage.")
THROTTLED = Rule("RG144", "error", "A throttling limit of 0 refuses every request.")
STALE_DEPLOYMENT = Rule("RG145", "error", "The stage serves an older deployment of the routes.")

# check and diff: the manifest and what the apps serve. Each drift is an error: the promise is broken.
SIGN_IN_REMOVED = Rule("RG200", "error", "An app no longer serves a path that clients need to sign in.")
ROUTE_REMOVED = Rule("RG201", "error", "An app no longer serves a path of the manifest.")
SIGN_IN_CHANGED = Rule("RG202", "error", "A path that clients need to sign in has another app or another role.")
ROUTE_CHANGED = Rule("RG203", "error", "An app serves a path of the manifest differently.")
ROUTE_ADDED = Rule("RG204", "error", "An app serves a path that is not in the manifest.")
DEFAULT_CHANGED = Rule("RG205", "error", "Another app, or no app, is behind $default.")
TABLE_OUTDATED = Rule("RG206", "error", "The route table beside the manifest does not show the manifest.")
UNSUPPORTED = Rule("RG210", "warning", "An app serves something that a route key cannot express.")
SHADOWED_RULE = Rule("RG211", "warning", "A route takes the requests of a rule of the default app.")
SHADOWED_PAGE = Rule("RG212", "note", "A route takes a path that the default app could use for a page.")
ENDPOINT_REDIRECTED = Rule("RG213", "error", "An MCP endpoint only redirects to a path that the app does not get.")
METADATA_MISPLACED = Rule("RG214", "error", "An app serves metadata where no client looks for it.")
NOT_RESERVED = Rule("RG215", "note", "The default app answers a path that clients ask about an MCP endpoint.")
KEEPS_SESSIONS = Rule("RG216", "warning", "An MCP endpoint keeps sessions, which a Lambda function cannot.")
SHARED_DOCUMENT = Rule("RG217", "note", "One app answers a document of the domain for several MCP servers.")
ENDPOINT_FAILS = Rule("RG218", "error", "An MCP endpoint fails on every request.")
LOOPBACK_ONLY = Rule("RG219", "warning", "An MCP endpoint refuses every host name except those of its own machine.")
EVENT_STREAM = Rule(
    "RG220", "warning", "An MCP endpoint uses the HTTP+SSE transport, which needs a gateway that streams."
)
DOCUMENT_WRONG = Rule("RG221", "error", "An app's OAuth document contradicts the paths that the app serves.")
NO_METADATA = Rule("RG222", "warning", "An MCP endpoint requires a token, and no metadata says where to get one.")
CATCH_ALL_ANSWERS = Rule("RG223", "warning", "A route for any path answers where clients look for a document.")

# prove: the manifest and the requests that an app answers
UNDER_ROUTED = Rule("RG300", "error", "An app serves a request, and the gateway sends it to another app.")
OVER_ROUTED = Rule("RG301", "error", "The gateway sends an app a request that the app does not serve.")
RESERVED_SERVED = Rule("RG302", "error", "An app serves a path that the manifest reserves for its 404.")
ANSWERED_BY_MIDDLEWARE = Rule("RG303", "error", "Middleware answers a document of an endpoint that another app gets.")
MIDDLEWARE_PATHS = Rule("RG304", "note", "Middleware answers paths that no route of the app serves.")
NOTHING_ROUTED = Rule("RG305", "error", "No request reaches a route of the app.")
PAGE_FOR_DOCUMENT = Rule("RG306", "error", "An app answers a document that it does not serve with a page.")
NOT_PROVEN = Rule("RG307", "note", "A part of an app cannot be proven for all paths, and was only sampled.")

RULES: tuple[Rule, ...] = tuple(
    sorted((rule for rule in vars().values() if isinstance(rule, Rule)), key=lambda r: r.id)
)
"""All rules in the order of their ids."""


def _between(first: str, after: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if first <= rule.id < after)


EXPLAIN_FAILURES = frozenset({RESOURCE_PARENT, DOCUMENTS_ONLY, AUTHORIZATION_QUERY, ONE_ERA})
"""The rules below the level `error` that explain why a client fails."""

VERIFY_RULES = _between("RG001", "RG100")
AUDIT_RULES = _between("RG100", "RG200")
COMPARISON_RULES = _between("RG200", "RG300")
DISAGREEMENT_RULES = (UNDER_ROUTED, OVER_ROUTED, RESERVED_SERVED)
"""The rules for requests on which a manifest and an app disagree."""
PROOF_RULES = _between("RG300", "RG400")
