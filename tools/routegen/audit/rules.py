"""Every rule of `audit`: stable ids, in the order in which a request meets what they are about."""

from routegen.report import Rule

NOT_READ = Rule("RG100", "error", "A part of the deployment can't be read.")
NOT_HTTP = Rule("RG101", "error", "The API isn't an HTTP API.")
NO_WAY_IN = Rule("RG102", "error", "The API's own endpoint is off, and no domain leads to the stage.")
BASE_PATH = Rule("RG103", "warning", "A domain puts a path before every route.")
CORS = Rule("RG104", "warning", "The API answers preflights itself.")

ROUTE_MISSING = Rule("RG110", "error", "A route of the manifest isn't deployed.")
ROUTE_EXTRA = Rule("RG111", "error", "A route is deployed that the manifest doesn't have.")
ROUTE_ELSEWHERE = Rule("RG112", "error", "A route leads to another function than its app's.")
ROUTE_NOWHERE = Rule("RG113", "error", "A route has no integration behind it.")
DEFAULT_MISSING = Rule("RG114", "error", "$default isn't deployed.")
AUTHORIZER = Rule("RG115", "error", "A route asks for authorization before its app is asked.")
NEAR_QUOTA = Rule("RG116", "warning", "The API is near the quota of routes.")

NOT_PROXY = Rule("RG120", "error", "An integration doesn't invoke a Lambda function.")
PAYLOAD = Rule("RG121", "warning", "An integration has another payload format than 2.0.")
CHANGED = Rule("RG122", "warning", "An integration changes requests or answers.")

FUNCTION = Rule("RG130", "error", "A function isn't there, or can't be invoked.")
NO_PERMISSION = Rule("RG131", "error", "The API may not invoke a function.")
NARROW_PERMISSION = Rule("RG132", "error", "The API may invoke a function for some of its routes only.")
WIDE_PERMISSION = Rule("RG133", "warning", "Any API may invoke a function.")
POLICY_SIZE = Rule("RG134", "warning", "A function's resource policy is near its size limit.")
ROLE = Rule("RG135", "note", "A function is invoked with a role, which isn't looked at.")

NO_STAGE = Rule("RG140", "error", "The stage doesn't exist.")
NOT_DEPLOYED = Rule("RG141", "error", "The stage's last deployment failed, or there is none.")
NOT_AUTOMATIC = Rule("RG142", "warning", "The stage doesn't deploy changes by itself.")
STAGE_PREFIX = Rule("RG143", "warning", "The stage's name stands before every path.")
THROTTLED = Rule("RG144", "error", "The stage lets no request through.")

RULES = (
    NOT_READ, NOT_HTTP, NO_WAY_IN, BASE_PATH, CORS,
    ROUTE_MISSING, ROUTE_EXTRA, ROUTE_ELSEWHERE, ROUTE_NOWHERE, DEFAULT_MISSING, AUTHORIZER, NEAR_QUOTA,
    NOT_PROXY, PAYLOAD, CHANGED,
    FUNCTION, NO_PERMISSION, NARROW_PERMISSION, WIDE_PERMISSION, POLICY_SIZE, ROLE,
    NO_STAGE, NOT_DEPLOYED, NOT_AUTOMATIC, STAGE_PREFIX, THROTTLED,
)  # fmt: skip
"""In the order of their ids."""
