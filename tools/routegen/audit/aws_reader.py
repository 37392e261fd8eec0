"""Read a deployed API from AWS with boto3: only calls that change nothing, and all pages of each.

boto3 reads the credentials, the profile, the region and the proxies from the configuration of the AWS CLI. A call that
AWS refuses is recorded, and the other calls go on. docs/audit.md lists the permissions that the calls need.
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

from routegen.audit.api_deployment import (
    ApiDeployment,
    ApiMapping,
    DeployedApi,
    DeployedFunction,
    DeployedIntegration,
    DeployedRoute,
    DeployedStage,
    ThrottlingLimit,
    UnreadPart,
)
from routegen.audit.function_arns import parse_function_arn, short_function_name, split_function_arn
from routegen.errors import ConfigError

_CREDENTIALS_ERRORS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
_REFUSED_CREDENTIALS = {
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


class _CallError(Exception):
    """A call failed; the other calls can go on."""

    def __init__(self, unread: UnreadPart, code: str) -> None:
        super().__init__(unread.message)
        self.unread = unread
        self.code = code


class AwsReader:
    """Reads one deployed API."""

    def __init__(self, profile: str | None, region: str | None, on_call: Callable[[str], None]) -> None:
        """Make the clients, without a call.

        Args:
            profile: the profile of the AWS configuration; None for the default one.
            region: the AWS region; None for the region of the configuration.
            on_call: gets the name of each call before it is made.

        Raises:
            ConfigError: the profile does not exist, or no region is set.
        """
        try:
            session = boto3.Session(profile_name=profile, region_name=region)
            self._gateway: Any = session.client("apigatewayv2")
            self._lambda: Any = session.client("lambda")
            self._sts: Any = session.client("sts")
        except ProfileNotFound:
            raise ConfigError(
                f"--profile: there is no AWS profile {profile!r}; `aws configure list-profiles` lists the profiles"
            ) from None
        except NoRegionError:
            raise ConfigError("--region: no AWS region is known; give --region NAME or set AWS_REGION") from None
        except (BotoCoreError, ValueError) as error:
            raise ConfigError(f"AWS: {error}") from None
        self._on_call = on_call
        self._unread: list[UnreadPart] = []

    def read(self, api_id: str | None, api_name: str | None, stage: str) -> ApiDeployment:
        """Read everything about one API that the audit needs.

        Args:
            api_id: the API's id; None to find the API by its name.
            api_name: the API's name, which only one API can have.
            stage: the stage whose variables the integrations use.

        Raises:
            ConfigError: AWS refuses the credentials, or there is no such API.
        """
        try:
            arn = self._execution_arn()
            item = self._find_api(api_name) if api_id is None else self._get_api(api_id)
        except _CallError as error:
            return ApiDeployment(arn="", api=None, unread=(error.unread,))
        api = _parse_api(item)
        if api.protocol != "HTTP":
            return ApiDeployment(f"{arn}:{api.id}", api)
        return self._read_parts(f"{arn}:{api.id}", api, stage)

    def _read_parts(self, arn: str, api: DeployedApi, stage: str) -> ApiDeployment:
        parameters = {"ApiId": api.id}
        routes = self._read_items("get_routes", api.id, parameters)
        integration_items = self._read_items("get_integrations", api.id, parameters)
        stage_items = self._read_items("get_stages", api.id, parameters)
        mappings = self._read_mappings(api.id)
        integrations = [_parse_integration(item) for item in integration_items or ()]
        stages = {item["StageName"]: _parse_stage(item) for item in stage_items or ()}
        variables = stages[stage].variables if stage in stages else {}
        return ApiDeployment(
            arn=arn,
            api=api,
            routes=None if routes is None else tuple(_parse_route(item) for item in routes),
            integrations=None if integration_items is None else {item.id: item for item in integrations},
            stages=None if stage_items is None else stages,
            mappings=mappings,
            functions=self._read_functions(integrations, variables),
            unread=tuple(self._unread),
        )

    def _execution_arn(self) -> str:
        identity = self._call(self._sts, "get_caller_identity", "the credentials", {})
        partition = identity["Arn"].split(":")[1]
        return f"arn:{partition}:execute-api:{self._gateway.meta.region_name}:{identity['Account']}"

    def _get_api(self, api_id: str) -> dict[str, Any]:
        try:
            return self._call(self._gateway, "get_api", api_id, {"ApiId": api_id})
        except _CallError as error:
            if error.code != "NotFoundException":
                raise
        region = self._gateway.meta.region_name
        raise ConfigError(
            f"--api-id: there is no HTTP API {api_id!r} in {region} for these credentials; a REST API is not one"
        )

    def _find_api(self, name: str | None) -> dict[str, Any]:
        apis = self._read_pages("get_apis", f"{name}", {})
        matching = [api for api in apis if api["Name"] == name]
        region = self._gateway.meta.region_name
        if len(matching) > 1:
            ids = ", ".join(sorted(api["ApiId"] for api in matching))
            raise ConfigError(
                f"--api-name: {len(matching)} APIs in {region} are called {name!r}; give --api-id with one of {ids}"
            )
        if not matching:
            names = sorted({api["Name"] for api in apis})
            similar = difflib.get_close_matches(f"{name}", names, n=3, cutoff=0.3)
            hint = f"the nearest are {', '.join(similar)}" if similar else f"the region has {len(apis)} other APIs"
            raise ConfigError(f"--api-name: no HTTP API in {region} is called {name!r}; {hint}")
        return matching[0]

    def _read_mappings(self, api_id: str) -> tuple[ApiMapping, ...] | None:
        domains = self._read_items("get_domain_names", "the custom domains", {})
        api_mappings = []
        for domain in domains or []:
            name = domain["DomainName"]
            mappings = self._read_items("get_api_mappings", name, {"DomainName": name})
            if mappings is None:
                return None
            api_mappings += [
                ApiMapping(name, mapping["Stage"], mapping.get("ApiMappingKey", ""))
                for mapping in mappings
                if mapping["ApiId"] == api_id
            ]
        return None if domains is None else tuple(api_mappings)

    def _read_functions(
        self, integrations: Iterable[DeployedIntegration], variables: Mapping[str, str]
    ) -> dict[str, DeployedFunction]:
        arns = {parse_function_arn(integration.uri, variables) for integration in integrations}
        return {arn: self._read_function(arn) for arn in sorted(arn for arn in arns if arn)}

    def _read_function(self, arn: str) -> DeployedFunction:
        """Read the state and the resource policy of a function."""
        name, qualifier = split_function_arn(arn)
        parameters = {"FunctionName": arn.removesuffix(f":{qualifier}") if qualifier else arn}
        if qualifier:
            parameters["Qualifier"] = qualifier
        subject = short_function_name(arn)
        try:
            problem = _state_problem(self._call(self._lambda, "get_function_configuration", subject, parameters))
        except _CallError as error:
            if error.code == "ResourceNotFoundException":
                kind = "alias or version" if qualifier else "function"
                return DeployedFunction(arn, f"there is no {kind} {name}", None)
            self._unread.append(error.unread)
            problem = ""
        try:
            policy = self._call(self._lambda, "get_policy", subject, parameters)["Policy"]
        except _CallError as error:
            if error.code == "ResourceNotFoundException":  # the function has no policy
                return DeployedFunction(arn, problem, ())
            self._unread.append(error.unread)
            return DeployedFunction(arn, problem, None)
        statements = json.loads(policy).get("Statement", [])
        statements = statements if isinstance(statements, list) else [statements]
        return DeployedFunction(arn, problem, tuple(statements), len(policy.encode()))

    def _read_items(self, operation: str, subject: str, parameters: Mapping[str, str]) -> list[dict[str, Any]] | None:
        """Return the items of all pages; if AWS refuses the call, record that and return None."""
        try:
            return self._read_pages(operation, subject, parameters)
        except _CallError as error:
            self._unread.append(error.unread)
            return None

    def _read_pages(self, operation: str, subject: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        # botocore has no paginator for GetApiMappings.
        items: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self._call(self._gateway, operation, subject, {**parameters, **token})
            items += page.get("Items", [])
            if not page.get("NextToken") or {"NextToken": page["NextToken"]} == token:
                return items
            token = {"NextToken": page["NextToken"]}

    def _call(self, client: Any, operation: str, subject: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        name = client.meta.method_to_api_mapping[operation]
        service = client.meta.service_model.service_name
        self._on_call(f"{service}:{name} {subject}")
        try:
            response: dict[str, Any] = getattr(client, operation)(**parameters)
        except _CREDENTIALS_ERRORS as error:
            raise ConfigError(f"AWS credentials: none are usable ({error}); run `aws sso login`") from None
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _REFUSED_CREDENTIALS:
                raise ConfigError(f"AWS credentials: AWS refuses them ({code}); run `aws sso login`") from None
            raise _CallError(_describe_error(code, error, f"{service}:{name}", subject), code) from None
        except (BotoCoreError, ResponseParserError) as error:  # the latter if a proxy answers with a web page
            fix = "Check the network, the proxy and the region, and run the command again."
            raise _CallError(UnreadPart(subject, f"{service}:{name}: {_one_line(error)}", fix), "") from None
        return response


def _describe_error(code: str, error: ClientError, call: str, subject: str) -> UnreadPart:
    message = _one_line(error.response.get("Error", {}).get("Message", "") or code)
    if code in _DENIED:
        action = "apigateway:GET" if call.startswith("apigatewayv2:") else call
        fix = f"Allow {action} for the credentials; docs/audit.md has the whole policy."
        return UnreadPart(subject, f"{call} is denied: {message}", fix)
    if code in _THROTTLED:
        fix = "Run the command again later, or with AWS_MAX_ATTEMPTS=10."
        return UnreadPart(subject, f"{call} is throttled: {message}", fix)
    fix = "Run the command again; if it fails again, look at AWS's status page."
    return UnreadPart(subject, f"{call} fails with {code}: {message}", fix)


def _one_line(text: object) -> str:
    return " ".join(f"{text}".split())


def _parse_api(item: Mapping[str, Any]) -> DeployedApi:
    cors = item.get("CorsConfiguration")
    return DeployedApi(
        id=item["ApiId"],
        name=item["Name"],
        protocol=item["ProtocolType"],
        endpoint=item.get("ApiEndpoint", ""),
        endpoint_enabled=not item.get("DisableExecuteApiEndpoint", False),
        cors_origins=tuple(cors.get("AllowOrigins", [])) if cors else None,
    )


def _parse_route(item: Mapping[str, Any]) -> DeployedRoute:
    target = item.get("Target") or ""
    integration_id = target.removeprefix("integrations/") or None
    return DeployedRoute(item["RouteKey"], integration_id, item.get("AuthorizationType") or "NONE", item["RouteId"])


def _parse_integration(item: Mapping[str, Any]) -> DeployedIntegration:
    mappings = [*(item.get("RequestParameters") or {})]
    mappings += [
        f"{status}: {name}" for status, names in (item.get("ResponseParameters") or {}).items() for name in names
    ]
    return DeployedIntegration(
        id=item["IntegrationId"],
        kind=item.get("IntegrationType", ""),
        subtype=item.get("IntegrationSubtype") or "",
        uri=item.get("IntegrationUri") or "",
        payload_format=item.get("PayloadFormatVersion") or "1.0",
        parameter_mappings=tuple(sorted(mappings)),
        role=item.get("CredentialsArn") or None,
    )


def _parse_stage(item: Mapping[str, Any]) -> DeployedStage:
    message = item.get("LastDeploymentStatusMessage") or ""
    settings = {"*": item.get("DefaultRouteSettings") or {}, **(item.get("RouteSettings") or {})}
    return DeployedStage(
        name=item["StageName"],
        auto_deploy=bool(item.get("AutoDeploy")),
        deployment_id=item.get("DeploymentId") or None,
        failure="" if message.lower().startswith(_SUCCESS) else _one_line(message),
        variables=item.get("StageVariables") or {},
        limits={
            key: ThrottlingLimit(limit.get("ThrottlingRateLimit"), limit.get("ThrottlingBurstLimit"))
            for key, limit in settings.items()
        },
    )


def _state_problem(item: Mapping[str, Any]) -> str:
    """Return the reason why Lambda would not run a function ("Lambda function states"); `Inactive` is no problem."""
    if item.get("State") in {"Failed", "Pending"}:
        return f"the function's state is {item['State']}: {_one_line(item.get('StateReason') or 'no reason given')}"
    return ""
