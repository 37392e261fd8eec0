"""AWS asked, through boto3: calls that read, each page of them, and what AWS refuses is taken note of.

Credentials, profile, region, retries and proxies are boto3's own business: whatever configures the AWS CLI configures
this. The calls, and with them the rights that they need, are listed in docs/audit.md.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from routegen.audit.arns import function_arn, qualified, short_name
from routegen.audit.deployed import (
    Api,
    ApiMapping,
    Deployed,
    DeployedRoute,
    Function,
    Integration,
    Limit,
    Stage,
    Unread,
)
from routegen.errors import ConfigError

_NOT_SIGNED_IN = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
_BAD_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}
_SUCCESS = "successfully"


class _Refused(Exception):  # noqa: N818 - it reads as what happened
    """A call had no answer, and the rest can go on."""

    def __init__(self, unread: Unread, code: str) -> None:
        super().__init__(unread.message)
        self.unread = unread
        self.code = code


class Reader:
    """Asks AWS."""

    def __init__(self, profile: str | None, region: str | None, told: Callable[[str], None]) -> None:
        """Make the clients; nothing is asked yet.

        Args:
            profile: of the AWS configuration; None for the usual one.
            region: None for the configuration's.
            told: is called with the name of each call before it is made.

        Raises:
            ConfigError: there is no such profile, or no region.
        """
        try:
            session = boto3.Session(profile_name=profile, region_name=region)
            self._gateway: Any = session.client("apigatewayv2")
            self._functions: Any = session.client("lambda")
            self._identity: Any = session.client("sts")
        except ProfileNotFound:
            raise ConfigError(f"there is no AWS profile {profile!r}: aws configure list-profiles") from None
        except NoRegionError:
            raise ConfigError("no AWS region: give --region, or set AWS_REGION or the profile's region") from None
        except (BotoCoreError, ValueError) as error:
            raise ConfigError(f"AWS: {error}") from None
        self._told = told
        self._unread: list[Unread] = []

    def read(self, api_id: str | None, api_name: str | None, stage: str) -> Deployed:
        """All that is known of one API.

        Args:
            api_id: its id; or
            api_name: its name, which has to be the only one of that name.
            stage: whose variables may name the functions.

        Raises:
            ConfigError: AWS doesn't take the credentials, or there is no such API.
        """
        try:
            arn = self._execution_arn()
            found = self._named(api_name) if api_id is None else self._with_id(api_id)
        except _Refused as refused:
            return Deployed(arn="", api=None, unread=(refused.unread,))
        api = _api(found)
        if api.protocol != "HTTP":
            return Deployed(f"{arn}:{api.id}", api)
        return self._parts(f"{arn}:{api.id}", api, stage)

    def _parts(self, arn: str, api: Api, stage: str) -> Deployed:
        ask = {"ApiId": api.id}
        routes = self._all("get_routes", api.id, ask)
        integrations = self._all("get_integrations", api.id, ask)
        stages = self._all("get_stages", api.id, ask)
        mappings = self._mappings(api.id)
        known = None if integrations is None else {one["IntegrationId"]: _integration(one) for one in integrations}
        by_name = None if stages is None else {one["StageName"]: _stage(one) for one in stages}
        variables = by_name[stage].variables if by_name and stage in by_name else {}
        return Deployed(
            arn,
            api,
            None if routes is None else tuple(_route(one) for one in routes),
            known,
            by_name,
            mappings,
            self._invoked(known or {}, variables),
            tuple(self._unread),
        )

    def _execution_arn(self) -> str:
        said = self._call(self._identity, "get_caller_identity", "the credentials", {})
        partition = said["Arn"].split(":")[1]
        return f"arn:{partition}:execute-api:{self._gateway.meta.region_name}:{said['Account']}"

    def _with_id(self, api_id: str) -> dict[str, Any]:
        try:
            return self._call(self._gateway, "get_api", api_id, {"ApiId": api_id})
        except _Refused as refused:
            if refused.code != "NotFoundException":
                raise
        region = self._gateway.meta.region_name
        raise ConfigError(
            f"--api-id: there is no HTTP API {api_id!r} in {region} for these credentials (a REST API is none)"
        )

    def _named(self, name: str | None) -> dict[str, Any]:
        apis = self._pages(self._gateway, "get_apis", f"{name}", {})
        found = [api for api in apis if api["Name"] == name]
        region = self._gateway.meta.region_name
        if len(found) > 1:
            ids = ", ".join(sorted(api["ApiId"] for api in found))
            raise ConfigError(f"--api-name: {len(found)} APIs in {region} are called {name!r}: --api-id {ids}")
        if not found:
            names = sorted({api["Name"] for api in apis})
            near = difflib.get_close_matches(f"{name}", names, n=3, cutoff=0.3)
            known = f"; the nearest are {', '.join(near)}" if near else f"; it has {len(apis)} others"
            raise ConfigError(f"--api-name: no HTTP API in {region} is called {name!r}{known}")
        return found[0]

    def _mappings(self, api_id: str) -> tuple[ApiMapping, ...] | None:
        domains = self._all("get_domain_names", "the custom domains", {})
        found = []
        for domain in domains or []:
            name = domain["DomainName"]
            mappings = self._all("get_api_mappings", name, {"DomainName": name})
            if mappings is None:
                return None
            found += [
                ApiMapping(name, one["Stage"], one.get("ApiMappingKey", ""))
                for one in mappings
                if one["ApiId"] == api_id
            ]
        return None if domains is None else tuple(found)

    def _invoked(self, integrations: Mapping[str, Integration], variables: Mapping[str, str]) -> dict[str, Function]:
        arns = {function_arn(one.uri, variables) for one in integrations.values()}
        return {arn: self._function(arn) for arn in sorted(arn for arn in arns if arn)}

    def _function(self, arn: str) -> Function:
        """A function's state and its resource policy."""
        name, qualifier = qualified(arn)
        ask = {"FunctionName": arn.removesuffix(f":{qualifier}") if qualifier else arn}
        if qualifier:
            ask["Qualifier"] = qualifier
        try:
            trouble = _trouble(self._call(self._functions, "get_function_configuration", short_name(arn), ask))
        except _Refused as refused:
            if refused.code == "ResourceNotFoundException":
                return Function(arn, f"there is no {'alias or version' if qualifier else 'function'} {name}", ())
            self._unread.append(refused.unread)
            trouble = ""
        try:
            policy = self._call(self._functions, "get_policy", short_name(arn), ask)["Policy"]
        except _Refused as refused:
            if refused.code == "ResourceNotFoundException":  # it has none
                return Function(arn, trouble, ())
            self._unread.append(refused.unread)
            return Function(arn, trouble, None)
        statements = json.loads(policy).get("Statement", [])
        return Function(arn, trouble, tuple(_as_list(statements)), len(policy.encode()))

    def _all(self, operation: str, subject: str, ask: Mapping[str, str]) -> list[dict[str, Any]] | None:
        """The items of every page; None, and a note of it, where AWS refuses."""
        try:
            return self._pages(self._gateway, operation, subject, ask)
        except _Refused as refused:
            self._unread.append(refused.unread)
            return None

    def _pages(self, client: Any, operation: str, subject: str, ask: Mapping[str, str]) -> list[dict[str, Any]]:
        # Not botocore's paginators: GetApiMappings has none.
        items: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self._call(client, operation, subject, {**ask, **token})
            items += page.get("Items", [])
            if not page.get("NextToken") or {"NextToken": page["NextToken"]} == token:
                return items
            token = {"NextToken": page["NextToken"]}

    def _call(self, client: Any, operation: str, subject: str, ask: Mapping[str, str]) -> dict[str, Any]:
        name = client.meta.method_to_api_mapping[operation]
        service = client.meta.service_model.service_name
        self._told(f"{service}:{name} {subject}")
        try:
            answer: dict[str, Any] = getattr(client, operation)(**ask)
        except _NOT_SIGNED_IN as error:
            raise ConfigError(f"no usable AWS credentials ({error}): aws configure, or aws sso login") from None
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _BAD_CREDENTIALS:
                raise ConfigError(f"AWS doesn't take the credentials ({code}): sign in again") from None
            raise _Refused(_why(code, error, f"{service}:{name}", subject), code) from None
        except (BotoCoreError, ResponseParserError) as error:  # the latter where a proxy answers with a page
            todo = "Look at the network, the proxy and the region, and run it again."
            raise _Refused(Unread(subject, f"{service}:{name}: {_one_line(error)}", todo), "") from None
        return answer


def _why(code: str, error: ClientError, call: str, subject: str) -> Unread:
    said = _one_line(error.response.get("Error", {}).get("Message", "") or code)
    if code in _DENIED:
        action = "apigateway:GET" if call.startswith("apigatewayv2:") else call
        return Unread(subject, f"{call} is denied: {said}", f"Allow {action} for it: docs/audit.md has the policy.")
    if code in _THROTTLED:
        return Unread(subject, f"{call} is throttled: {said}", "Run it again later, or with AWS_MAX_ATTEMPTS=10.")
    return Unread(subject, f"{call} fails with {code}: {said}", "Run it again; AWS's own status page may know more.")


def _one_line(said: object) -> str:
    return " ".join(f"{said}".split())


def _api(said: Mapping[str, Any]) -> Api:
    cors = said.get("CorsConfiguration")
    return Api(
        said["ApiId"],
        said["Name"],
        said["ProtocolType"],
        said.get("ApiEndpoint", ""),
        not said.get("DisableExecuteApiEndpoint", False),
        tuple(cors.get("AllowOrigins", [])) if cors else None,
    )


def _route(said: Mapping[str, Any]) -> DeployedRoute:
    target = said.get("Target") or ""
    integration = target.removeprefix("integrations/") or None
    return DeployedRoute(said["RouteKey"], integration, said.get("AuthorizationType") or "NONE")


def _integration(said: Mapping[str, Any]) -> Integration:
    changes = [*(said.get("RequestParameters") or {})]
    changes += [
        f"{status}: {name}" for status, names in (said.get("ResponseParameters") or {}).items() for name in names
    ]
    return Integration(
        said["IntegrationId"],
        said.get("IntegrationType", ""),
        said.get("IntegrationSubtype") or "",
        said.get("IntegrationUri") or "",
        said.get("PayloadFormatVersion") or "1.0",
        tuple(sorted(changes)),
        said.get("CredentialsArn") or None,
    )


def _stage(said: Mapping[str, Any]) -> Stage:
    message = said.get("LastDeploymentStatusMessage") or ""
    limits = {"*": said.get("DefaultRouteSettings") or {}, **(said.get("RouteSettings") or {})}
    return Stage(
        said["StageName"],
        bool(said.get("AutoDeploy")),
        said.get("DeploymentId") or None,
        "" if message.lower().startswith(_SUCCESS) else _one_line(message),
        said.get("StageVariables") or {},
        {key: Limit(one.get("ThrottlingRateLimit"), one.get("ThrottlingBurstLimit")) for key, one in limits.items()},
    )


def _trouble(said: Mapping[str, Any]) -> str:
    """Why Lambda wouldn't run it ("Lambda function states"): an idle function is `Inactive` and starts when asked."""
    if said.get("State") in {"Failed", "Pending"}:
        return f"its state is {said['State']}: {_one_line(said.get('StateReason') or 'no reason given')}"
    return ""


def _as_list(statements: object) -> Iterable[Mapping[str, Any]]:
    return statements if isinstance(statements, list) else [statements]  # type: ignore[list-item]  # JSON from AWS
