"""Every rule of `verify`: stable ids, in the order in which a client meets what they are about."""

from routegen.report import Rule

UNREACHABLE = Rule("RG001", "error", "A server can't be reached.")
TLS = Rule("RG002", "error", "The TLS connection fails.")
BROKEN_HTTP = Rule("RG003", "error", "An answer isn't valid HTTP, or breaks off.")
TOO_SLOW = Rule("RG004", "error", "An answer takes too long.")
REDIRECTED = Rule("RG005", "warning", "A redirect stands where clients expect the answer.")
REDIRECTED_AWAY = Rule("RG006", "error", "A redirect leads to another origin.")
NOT_ALLOWED = Rule("RG007", "error", "The deployment names an address that a client must not be sent to.")
CONTENT_TYPE = Rule("RG008", "warning", "A JSON document has another content type.")
DOUBLED_KEY = Rule("RG009", "warning", "A JSON document has a key twice.")

MCP_PAGE = Rule("RG010", "error", "The MCP endpoint answers with a web page.")
MCP_STATUS = Rule("RG011", "error", "The MCP endpoint doesn't answer as one.")
MCP_FAILS = Rule("RG012", "error", "The MCP endpoint fails.")
MCP_OPEN = Rule("RG013", "warning", "The MCP endpoint lets everyone in.")
TOKEN_REFUSED = Rule("RG014", "error", "The MCP endpoint refuses the token.")
TOKEN_ANSWER = Rule("RG015", "error", "With the token, the MCP endpoint doesn't start a session.")

ROUTE_TAKEN = Rule("RG020", "error", "The app behind $default answers a route of the manifest.")
ROUTE_MISSING = Rule("RG021", "error", "A route of the manifest isn't there.")
ROUTE_FAILS = Rule("RG022", "error", "A route of the manifest fails.")
WIKI_TAKEN = Rule("RG023", "error", "A page of the app behind $default is answered by something else.")
WIKI_FAILS = Rule("RG024", "error", "A page of the app behind $default answers with an error.")
HEAD_DIFFERS = Rule("RG025", "warning", "HEAD answers otherwise than GET.")
NOT_ASKED = Rule("RG026", "note", "A route can't be asked without changing something.")
CATCH_ALL_200 = Rule("RG027", "warning", "Paths that don't exist answer 200.")

NO_WAY_IN = Rule("RG030", "error", "Neither the challenge nor a well-known path leads to the sign-in.")
CHALLENGE_RENAMED = Rule("RG031", "note", "The challenge arrives under another name, and clients do without it.")
CHALLENGE_MISSING = Rule("RG032", "note", "There is no usable challenge, and clients do without it.")
CHALLENGE_WRONG = Rule("RG033", "error", "The challenge names a document that isn't there.")
CHALLENGE_ONLY = Rule("RG034", "warning", "Only the challenge leads to the metadata.")
OLD_DISCOVERY = Rule("RG035", "warning", "Only the older discovery, without resource metadata, works.")

RESOURCE_MISSING = Rule("RG040", "error", "The protected resource metadata isn't there.")
RESOURCE_PAGE = Rule("RG041", "error", "A web page stands where the protected resource metadata belongs.")
RESOURCE_UNREADABLE = Rule("RG042", "error", "The protected resource metadata isn't a JSON object.")
RESOURCE_OTHER = Rule("RG043", "error", "The protected resource metadata is about another resource.")
RESOURCE_PARENT = Rule("RG044", "warning", "The protected resource metadata is about a parent of the MCP endpoint.")
NO_SERVERS = Rule("RG045", "error", "The protected resource metadata names no authorization server.")

SERVER_INSECURE = Rule("RG050", "error", "An authorization server isn't on https.")
SERVER_MISSING = Rule("RG051", "error", "The authorization server's metadata isn't there.")
SERVER_PAGE = Rule("RG052", "error", "A web page stands where the authorization server's metadata belongs.")
SERVER_UNREADABLE = Rule("RG053", "error", "The authorization server's metadata isn't a JSON object.")
SERVER_FIELD = Rule("RG054", "error", "A field of the authorization server's metadata is missing or malformed.")
ISSUER = Rule("RG055", "error", "The issuer isn't the authorization server that was asked, to the character.")
ENDPOINT_INSECURE = Rule("RG056", "error", "An endpoint of the authorization server isn't on https.")
NO_S256 = Rule("RG057", "error", "The authorization server doesn't say that it takes PKCE with S256.")
NO_CODE = Rule("RG058", "error", "The authorization server doesn't offer the authorization code grant.")
NO_REGISTRATION = Rule("RG059", "error", "Clients can't register at the authorization server.")
ENDPOINT_MISSING = Rule("RG060", "warning", "An endpoint that the metadata names isn't there.")
REGISTRATION_REFUSED = Rule("RG061", "error", "The authorization server refuses a registration.")
SCOPES = Rule("RG062", "warning", "The resource asks for scopes that the authorization server doesn't offer.")

NO_KEYS = Rule("RG070", "note", "The authorization server publishes no keys.")
KEYS_UNREADABLE = Rule("RG071", "error", "The authorization server's keys can't be read.")
PRIVATE_KEY = Rule("RG072", "error", "A private key is published.")
KEYS_UNUSABLE = Rule("RG073", "error", "No published key can verify a signature.")
KEY_ODD = Rule("RG074", "warning", "A published key can't be used, or can't be told from another.")

BROWSERS_OUT = Rule("RG080", "note", "Clients in a browser can't reach the MCP endpoint.")
BROWSERS_LOST = Rule("RG081", "warning", "Clients in a browser reach the MCP endpoint but not the metadata.")
PREFLIGHT = Rule("RG082", "warning", "The preflight leaves out what an MCP client in a browser sends.")

CLIENT = Rule("RG090", "error", "A client won't connect, and no other rule says why.")

RULES = (
    UNREACHABLE, TLS, BROKEN_HTTP, TOO_SLOW, REDIRECTED, REDIRECTED_AWAY, NOT_ALLOWED, CONTENT_TYPE, DOUBLED_KEY,
    MCP_PAGE, MCP_STATUS, MCP_FAILS, MCP_OPEN, TOKEN_REFUSED, TOKEN_ANSWER,
    ROUTE_TAKEN, ROUTE_MISSING, ROUTE_FAILS, WIKI_TAKEN, WIKI_FAILS, HEAD_DIFFERS, NOT_ASKED, CATCH_ALL_200,
    NO_WAY_IN, CHALLENGE_RENAMED, CHALLENGE_MISSING, CHALLENGE_WRONG, CHALLENGE_ONLY, OLD_DISCOVERY,
    RESOURCE_MISSING, RESOURCE_PAGE, RESOURCE_UNREADABLE, RESOURCE_OTHER, RESOURCE_PARENT, NO_SERVERS,
    SERVER_INSECURE, SERVER_MISSING, SERVER_PAGE, SERVER_UNREADABLE, SERVER_FIELD, ISSUER, ENDPOINT_INSECURE,
    NO_S256, NO_CODE, NO_REGISTRATION, ENDPOINT_MISSING, REGISTRATION_REFUSED, SCOPES,
    NO_KEYS, KEYS_UNREADABLE, PRIVATE_KEY, KEYS_UNUSABLE, KEY_ODD,
    BROWSERS_OUT, BROWSERS_LOST, PREFLIGHT,
    CLIENT,
)  # fmt: skip
"""In the order of their ids."""
