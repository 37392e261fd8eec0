"""The fields that clients check in a document, and what they say of one that is wrong.

In: JSON values. Out: zod's issues, as the TypeScript clients print them, or a pydantic model, as the Python client has
it. The fields and their order are those of `@modelcontextprotocol/sdk` 1.32.2 (`shared/auth.js`), which
`@modelcontextprotocol/core` 2.4.0 shares, and of `mcp.shared.auth` 2.3.0.
"""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field
from routegen.verify.clients.whatwg_url import parsed, preserved

Fields = tuple[tuple[str, str], ...]
Issue = dict[str, Any]


def _fields(text: str) -> Fields:
    """Name and kind of each field, `!` behind the kind of one that must be there."""
    return tuple((name, kind) for name, _, kind in (line.partition(":") for line in text.split()))


RESOURCE = _fields("""
    resource:url! authorization_servers:web-urls jwks_uri:url scopes_supported:strings bearer_methods_supported:strings
    resource_signing_alg_values_supported:strings resource_name:string resource_documentation:string
    resource_policy_uri:url resource_tos_uri:url tls_client_certificate_bound_access_tokens:boolean
    authorization_details_types_supported:strings dpop_signing_alg_values_supported:strings
    dpop_bound_access_tokens_required:boolean
""")

SERVER = _fields("""
    issuer:string! authorization_endpoint:web-url! token_endpoint:web-url! registration_endpoint:web-url
    scopes_supported:strings response_types_supported:strings! response_modes_supported:strings
    grant_types_supported:strings token_endpoint_auth_methods_supported:strings
    token_endpoint_auth_signing_alg_values_supported:strings service_documentation:web-url revocation_endpoint:web-url
    revocation_endpoint_auth_methods_supported:strings revocation_endpoint_auth_signing_alg_values_supported:strings
    introspection_endpoint:string introspection_endpoint_auth_methods_supported:strings
    introspection_endpoint_auth_signing_alg_values_supported:strings code_challenge_methods_supported:strings
    client_id_metadata_document_supported:boolean
""")

OPENID = _fields("""
    issuer:string! authorization_endpoint:web-url! token_endpoint:web-url! userinfo_endpoint:web-url jwks_uri:web-url!
    registration_endpoint:web-url scopes_supported:strings response_types_supported:strings!
    response_modes_supported:strings grant_types_supported:strings acr_values_supported:strings
    subject_types_supported:strings! id_token_signing_alg_values_supported:strings!
    id_token_encryption_alg_values_supported:strings id_token_encryption_enc_values_supported:strings
    userinfo_signing_alg_values_supported:strings userinfo_encryption_alg_values_supported:strings
    userinfo_encryption_enc_values_supported:strings request_object_signing_alg_values_supported:strings
    request_object_encryption_alg_values_supported:strings request_object_encryption_enc_values_supported:strings
    token_endpoint_auth_methods_supported:strings token_endpoint_auth_signing_alg_values_supported:strings
    display_values_supported:strings claim_types_supported:strings claims_supported:strings
    service_documentation:string claims_locales_supported:strings ui_locales_supported:strings
    claims_parameter_supported:boolean request_parameter_supported:boolean request_uri_parameter_supported:boolean
    require_request_uri_registration:boolean op_policy_uri:web-url op_tos_uri:web-url
    client_id_metadata_document_supported:boolean code_challenge_methods_supported:strings
""")

REGISTRATION = _fields("""
    redirect_uris:web-urls! token_endpoint_auth_method:string grant_types:strings response_types:strings
    client_name:string client_uri:web-url scope:string contacts:strings policy_uri:string jwks_uri:web-url
    software_id:string software_version:string software_statement:string client_id:string! client_secret:string
    client_id_issued_at:number client_secret_expires_at:number
""")

_ABSENT = object()
_TYPES = ((bool, "boolean"), (str, "string"), (int | float, "number"), (list, "array"), (dict, "object"))
_SCRIPTS = {"javascript", "data", "vbscript"}


def issues(fields: Fields, value: Any) -> list[Issue]:
    """What zod finds wrong with a value, in its order; nothing for one that is right."""
    if not isinstance(value, dict):
        return [_invalid_type("object", value, [])]
    found: list[Issue] = []
    for name, kind in fields:
        one = value.get(name, _ABSENT)
        if one is not _ABSENT or kind.endswith("!"):
            found += _of(kind.removesuffix("!"), one, [name])
    return found


def shown(found: list[Issue]) -> str:
    """The message of a ZodError."""
    return json.dumps(found, indent=2, ensure_ascii=False)


def _of(kind: str, value: Any, path: list[str | int]) -> list[Issue]:
    if kind.endswith("s"):
        if not isinstance(value, list):
            return [_invalid_type("array", value, path)]
        return [issue for index, one in enumerate(value) for issue in _of(kind[:-1], one, [*path, index])]
    wanted = kind if kind in {"boolean", "number"} else "string"
    if _type(value) != wanted:
        return [_invalid_type(wanted, value, path)]
    return _of_url(kind, value, path) if kind in {"url", "web-url"} else []


def _of_url(kind: str, value: str, path: list[str | int]) -> list[Issue]:
    web = parsed(value)
    if web is None:
        wrong: Issue = {"code": "invalid_format", "format": "url", "path": path, "message": "Invalid URL"}
        again: Issue = {"code": "custom", "message": "URL must be parseable", "fatal": True, "path": path}
        return [wrong, again] if kind == "web-url" else [wrong]
    if kind == "web-url" and web.scheme in _SCRIPTS:
        return [{"code": "custom", "path": path, "message": "URL cannot use javascript:, data:, or vbscript: scheme"}]
    return []


def _invalid_type(expected: str, value: Any, path: list[str | int]) -> Issue:
    said = f"Invalid input: expected {expected}, received {_type(value)}"
    return {"expected": expected, "code": "invalid_type", "path": path, "message": said}


def _type(value: Any) -> str:
    if value is _ABSENT:
        return "undefined"
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "null")


def _http_url(text: str) -> str:
    url = preserved(text)
    if url is None:
        raise ValueError("not an http URL")
    return url


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""pydantic's AnyHttpUrl, written as where an empty path is kept."""


class ResourceModel(BaseModel):
    """`mcp.shared.auth.ProtectedResourceMetadata`."""

    resource: HttpUrl
    authorization_servers: Annotated[list[HttpUrl], Field(min_length=1)]
    jwks_uri: HttpUrl | None = None
    scopes_supported: list[str] | None = None
    bearer_methods_supported: list[str] | None = None
    resource_signing_alg_values_supported: list[str] | None = None
    resource_name: str | None = None
    resource_documentation: HttpUrl | None = None
    resource_policy_uri: HttpUrl | None = None
    resource_tos_uri: HttpUrl | None = None
    tls_client_certificate_bound_access_tokens: bool | None = None
    authorization_details_types_supported: list[str] | None = None
    dpop_signing_alg_values_supported: list[str] | None = None
    dpop_bound_access_tokens_required: bool | None = None


class ServerModel(BaseModel):
    """`mcp.shared.auth.OAuthMetadata`."""

    issuer: HttpUrl
    authorization_endpoint: HttpUrl
    token_endpoint: HttpUrl
    registration_endpoint: HttpUrl | None = None
    scopes_supported: list[str] | None = None
    response_types_supported: list[str] = []
    response_modes_supported: list[str] | None = None
    grant_types_supported: list[str] | None = None
    token_endpoint_auth_methods_supported: list[str] | None = None
    token_endpoint_auth_signing_alg_values_supported: list[str] | None = None
    service_documentation: HttpUrl | None = None
    ui_locales_supported: list[str] | None = None
    op_policy_uri: HttpUrl | None = None
    op_tos_uri: HttpUrl | None = None
    revocation_endpoint: HttpUrl | None = None
    revocation_endpoint_auth_methods_supported: list[str] | None = None
    revocation_endpoint_auth_signing_alg_values_supported: list[str] | None = None
    introspection_endpoint: HttpUrl | None = None
    introspection_endpoint_auth_methods_supported: list[str] | None = None
    introspection_endpoint_auth_signing_alg_values_supported: list[str] | None = None
    code_challenge_methods_supported: list[str] | None = None
    client_id_metadata_document_supported: bool | None = None
    authorization_response_iss_parameter_supported: bool | None = None
    authorization_grant_profiles_supported: list[str] | None = None
