"""The schemas that clients use for metadata documents, and the errors for a document that does not fit.

For the TypeScript clients: the zod schemas and their issues; for the Python client: pydantic models. The fields and
their order are those of `@modelcontextprotocol/sdk` 1.32.2 (`shared/auth.js`), with which `@modelcontextprotocol/core`
2.4.0 agrees, and of `mcp.shared.auth` 2.3.0.
"""

import json
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, create_model
from routegen.verify.clients.whatwg_url import keep_empty_path, parse_url

ZodSchema = tuple[tuple[str, str], ...]
"""Name and type of each field; the type of a required field ends with `!`, and the type of an array with `s`."""

ZodIssue = dict[str, Any]


def _schema(text: str) -> ZodSchema:
    return tuple((name, kind) for name, _, kind in (line.partition(":") for line in text.split()))


PROTECTED_RESOURCE = _schema("""
    resource:url! authorization_servers:web-urls jwks_uri:url scopes_supported:strings bearer_methods_supported:strings
    resource_signing_alg_values_supported:strings resource_name:string resource_documentation:string
    resource_policy_uri:url resource_tos_uri:url tls_client_certificate_bound_access_tokens:boolean
    authorization_details_types_supported:strings dpop_signing_alg_values_supported:strings
    dpop_bound_access_tokens_required:boolean
""")

AUTHORIZATION_SERVER = _schema("""
    issuer:string! authorization_endpoint:web-url! token_endpoint:web-url! registration_endpoint:web-url
    scopes_supported:strings response_types_supported:strings! response_modes_supported:strings
    grant_types_supported:strings token_endpoint_auth_methods_supported:strings
    token_endpoint_auth_signing_alg_values_supported:strings service_documentation:web-url revocation_endpoint:web-url
    revocation_endpoint_auth_methods_supported:strings revocation_endpoint_auth_signing_alg_values_supported:strings
    introspection_endpoint:string introspection_endpoint_auth_methods_supported:strings
    introspection_endpoint_auth_signing_alg_values_supported:strings code_challenge_methods_supported:strings
    client_id_metadata_document_supported:boolean
""")

OPENID = _schema("""
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

REGISTRATION = _schema("""
    redirect_uris:web-urls! token_endpoint_auth_method:string grant_types:strings response_types:strings
    client_name:string client_uri:web-url scope:string contacts:strings policy_uri:string jwks_uri:web-url
    software_id:string software_version:string software_statement:string client_id:string! client_secret:string
    client_id_issued_at:number client_secret_expires_at:number
""")

OAUTH_ERROR = _schema("error:string! error_description:string error_uri:string")

# The model of the Python SDK has these fields too.
_PYTHON_SERVER = AUTHORIZATION_SERVER + _schema("""
    ui_locales_supported:strings op_policy_uri:url op_tos_uri:url
    authorization_response_iss_parameter_supported:boolean authorization_grant_profiles_supported:strings
""")

_MISSING = object()
_MAX_ISSUES = 100
_TYPES = ((bool, "boolean"), (str, "string"), (int | float, "number"), (list, "array"), (dict, "object"))
_SCRIPT_SCHEMES = {"javascript", "data", "vbscript"}


def zod_issues(schema: ZodSchema, document: Any) -> list[ZodIssue]:
    """The issues that zod finds in a document, in zod's order; empty if the document fits the schema."""
    if not isinstance(document, dict):
        return [_invalid_type("object", document, [])]
    issues: list[ZodIssue] = []
    for name, kind in schema:
        value = document.get(name, _MISSING)
        if value is not _MISSING or kind.endswith("!"):
            issues += _value_issues(kind.removesuffix("!"), value, [name])
    return issues


def zod_message(issues: list[ZodIssue]) -> str | None:
    """The message of a ZodError; None for more issues than a message should have."""
    return json.dumps(issues, indent=2, ensure_ascii=False) if len(issues) <= _MAX_ISSUES else None


def _value_issues(kind: str, value: Any, path: list[str | int]) -> list[ZodIssue]:
    if kind.endswith("s"):
        if not isinstance(value, list):
            return [_invalid_type("array", value, path)]
        issues = (issue for index, item in enumerate(value) for issue in _value_issues(kind[:-1], item, [*path, index]))
        return list(islice(issues, _MAX_ISSUES + 1))
    expected = kind if kind in {"boolean", "number"} else "string"
    if _type_name(value) != expected:
        return [_invalid_type(expected, value, path)]
    return _url_issues(kind, value, path) if kind in {"url", "web-url"} else []


def _url_issues(kind: str, value: str, path: list[str | int]) -> list[ZodIssue]:
    url = parse_url(value)
    if url is None:
        invalid: ZodIssue = {"code": "invalid_format", "format": "url", "path": path, "message": "Invalid URL"}
        custom: ZodIssue = {"code": "custom", "message": "URL must be parseable", "fatal": True, "path": path}
        return [invalid, custom] if kind == "web-url" else [invalid]
    if kind == "web-url" and url.scheme in _SCRIPT_SCHEMES:
        return [{"code": "custom", "path": path, "message": "URL cannot use javascript:, data:, or vbscript: scheme"}]
    return []


def _invalid_type(expected: str, value: Any, path: list[str | int]) -> ZodIssue:
    message = f"Invalid input: expected {expected}, received {_type_name(value)}"
    return {"expected": expected, "code": "invalid_type", "path": path, "message": message}


def _type_name(value: Any) -> str:
    if value is _MISSING:
        return "undefined"
    return next((name for python_type, name in _TYPES if isinstance(value, python_type)), "null")


def _http_url(text: str) -> str:
    url = keep_empty_path(text)
    if url is None:
        raise ValueError("not an http or https URL")
    return url


HttpUrl = Annotated[str, AfterValidator(_http_url)]
"""pydantic's AnyHttpUrl with `url_preserve_empty_path`."""

_MODEL_TYPES: dict[str, Any] = {"url": HttpUrl, "string": str, "strings": list[str], "boolean": bool}


def _model(name: str, schema: ZodSchema, **other_fields: Any) -> type[BaseModel]:
    """The model with the fields of a schema, some of which have another type or default in Python."""
    fields: dict[str, Any] = {}
    for field, kind in schema:
        if field not in other_fields:
            python_type = _MODEL_TYPES[kind.removesuffix("!").removeprefix("web-")]
            fields[field] = (python_type, ...) if kind.endswith("!") else (python_type | None, None)
    return create_model(name, **fields, **other_fields)


_SERVERS = Annotated[list[HttpUrl], Field(min_length=1)]
ProtectedResourceModel = _model("ProtectedResourceModel", PROTECTED_RESOURCE, authorization_servers=(_SERVERS, ...))
"""The model `mcp.shared.auth.ProtectedResourceMetadata`."""

AuthorizationServerModel = _model(
    "AuthorizationServerModel", _PYTHON_SERVER, issuer=(HttpUrl, ...), response_types_supported=(list[str], [])
)
"""The model `mcp.shared.auth.OAuthMetadata`."""
