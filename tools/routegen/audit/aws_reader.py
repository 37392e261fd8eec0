"""Read a deployed API from AWS with boto3: only calls that change nothing, and all pages of each.

boto3 reads the credentials, the profile, the region and the proxies from the configuration of the AWS CLI. A call that
AWS refuses is recorded, and the other calls go on. docs/audit.md lists the permissions that the calls need.
"""

import difflib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from routegen.audit.api_deployment import (
    ApiDeployment,
    ApiMapping,
    CustomDomain,
    DeployedApi,
    DeployedFunction,
    DeployedIntegration,
    DeployedRoute,
    DeployedStage,
    Resource,
    UnreadPart,
    one_line,
)
from routegen.audit.function_arns import parse_function_arn, short_function_name, split_function_arn
from routegen.errors import ConfigError

_R = TypeVar("_R", bound=Resource)

_CREDENTIALS_ERRORS = (
    NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError, TokenRetrievalError
)  # fmt: skip
_REFUSED_CREDENTIALS = {
    "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException",
    "SignatureDoesNotMatch", "UnrecognizedClientException"
}  # fmt: skip
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"}


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
            # boto3 reads only AWS_DEFAULT_REGION; the AWS CLI prefers AWS_REGION, which Lambda and CodeBuild set.
            session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION") or None)
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
        except _CallError as error:
            return ApiDeployment(arn="", api=None, unread=(error.unread,))
        deployment = self._read_routes(api_id, api_name)
        api, routes, integrations = deployment.api, deployment.routes, deployment.integrations
        if api is None or api.protocol_type != "HTTP":
            return deployment
        stages = self._read_stages(api.api_id)
        domains = self._read_items("get_domain_names", CustomDomain, "the custom domains", {})
        selected = (stages or {}).get(stage)
        ids_of_routes = {route.integration_id for route in routes or ()}
        return replace(
            deployment,
            arn=f"{arn}:{api.api_id}",
            stages=stages,
            domains=domains,
            mappings=None if domains is None else self._read_mappings(domains),
            exported=self._read_export(api.api_id, selected) if selected else None,
            functions=self._read_functions(
                [integration for key, integration in (integrations or {}).items() if key in ids_of_routes],
                selected.stage_variables if selected else {},
            ),
            unread=tuple(self._unread),
        )

    def read_routes(self, api_id: str | None, api_name: str | None) -> ApiDeployment:
        """Read only the routes and the integrations of one API, and the stages if an integration has a stage variable.

        The arguments and the errors are those of `read`.
        """
        deployment = self._read_routes(api_id, api_name)
        integrations = (deployment.integrations or {}).values()
        if deployment.api and any("${stageVariables." in integration.integration_uri for integration in integrations):
            deployment = replace(deployment, stages=self._read_stages(deployment.api.api_id))
        return replace(deployment, unread=(*deployment.unread, *self._unread))

    def _read_routes(self, api_id: str | None, api_name: str | None) -> ApiDeployment:
        try:
            item = self._find_api(api_name) if api_id is None else self._get_api(api_id)
        except _CallError as error:
            return ApiDeployment(arn="", api=None, unread=(error.unread,))
        api = DeployedApi.model_validate(item)
        if api.protocol_type != "HTTP":
            return ApiDeployment(arn="", api=api)
        parameters = {"ApiId": api.api_id}
        routes = self._read_items("get_routes", DeployedRoute, api.api_id, parameters)
        integrations = self._read_items("get_integrations", DeployedIntegration, api.api_id, parameters)
        by_id = None if integrations is None else {item.integration_id: item for item in integrations}
        return ApiDeployment(arn="", api=api, routes=routes, integrations=by_id)

    def _read_stages(self, api_id: str) -> dict[str, DeployedStage] | None:
        stages = self._read_items("get_stages", DeployedStage, api_id, {"ApiId": api_id})
        return None if stages is None else {stage.stage_name: stage for stage in stages}

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

    def _read_mappings(self, domains: Iterable[CustomDomain]) -> tuple[ApiMapping, ...] | None:
        mappings: list[ApiMapping] = []
        for domain in domains:
            name = domain.domain_name
            items = self._read_items("get_api_mappings", ApiMapping, name, {"DomainName": name})
            if items is None:
                return None
            mappings += [mapping.model_copy(update={"domain_name": name}) for mapping in items]
        return tuple(mappings)

    def _read_export(self, api_id: str, stage: DeployedStage) -> dict[str, Any] | None:
        """Read the routes that a stage serves; with auto-deploy they are those of the API."""
        if stage.auto_deploy or not stage.deployment_id:
            return None
        parameters = {"ApiId": api_id, "StageName": stage.stage_name, "Specification": "OAS30", "OutputType": "JSON"}
        try:
            document = json.loads(self._call(self._gateway, "export_api", stage.stage_name, parameters)["body"].read())
        except _CallError as error:
            self._unread.append(error.unread)
            return None
        return document if isinstance(document, dict) else None

    def _read_functions(
        self, integrations: Iterable[DeployedIntegration], variables: Mapping[str, str]
    ) -> dict[str, DeployedFunction]:
        arns = {parse_function_arn(integration.integration_uri, variables) for integration in integrations}
        return {arn: self._read_function(arn) for arn in sorted(arn for arn in arns if arn)}

    def _read_function(self, arn: str) -> DeployedFunction:
        """Read the state, the reserved concurrency and the resource policy of a function."""
        name, qualifier = split_function_arn(arn)
        unqualified = {"FunctionName": arn.removesuffix(f":{qualifier}") if qualifier else arn}
        parameters = {**unqualified, "Qualifier": qualifier} if qualifier else unqualified
        subject = short_function_name(arn)
        configuration = self._read_part("get_function_configuration", subject, parameters)
        if configuration == {}:
            kind = "alias or version" if qualifier else "function"
            return DeployedFunction(arn, f"there is no {kind} {name}", None)
        concurrency = self._read_part("get_function_concurrency", name, unqualified) or {}
        policy = self._read_part("get_policy", subject, parameters)
        return DeployedFunction(
            arn,
            _state_problem(configuration or {}),
            None if policy is None else _statements(policy),
            len(policy.get("Policy", "").encode()) if policy else 0,
            _statements(self._read_part("get_policy", name, unqualified) or {}) if policy == {} and qualifier else (),
            concurrency.get("ReservedConcurrentExecutions"),
            is_inactive=(configuration or {}).get("State") == "Inactive",
        )

    def _read_part(self, operation: str, subject: str, parameters: Mapping[str, str]) -> dict[str, Any] | None:
        """Read something about a function: empty if it does not exist, None if AWS refuses the call."""
        try:
            return self._call(self._lambda, operation, subject, parameters)
        except _CallError as error:
            if error.code == "ResourceNotFoundException":
                return {}
            self._unread.append(error.unread)
            return None

    def _read_items(
        self, operation: str, model: type[_R], subject: str, parameters: Mapping[str, str]
    ) -> tuple[_R, ...] | None:
        """Return the items of all pages; if AWS refuses the call, record that and return None."""
        try:
            return tuple(map(model.model_validate, self._read_pages(operation, subject, parameters)))
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
            raise _CallError(UnreadPart(subject, f"{service}:{name}: {one_line(error)}", fix), "") from None
        return response


def _describe_error(code: str, error: ClientError, call: str, subject: str) -> UnreadPart:
    message = one_line(error.response.get("Error", {}).get("Message", "") or code)
    if code in _DENIED:
        action = "apigateway:GET" if call.startswith("apigatewayv2:") else call
        result, fix = "is denied", f"Allow {action} for the credentials; docs/audit.md has the whole policy."
    elif code in _THROTTLED:
        result, fix = "is throttled", "Run the command again later, or with AWS_MAX_ATTEMPTS=10."
    else:
        result = f"fails with {code}"
        fix = "Run the command again; if it fails again, look at AWS's status page."
    return UnreadPart(subject, f"{call} {result}: {message}", fix)


def _state_problem(item: Mapping[str, Any]) -> str:
    """Return the reason why Lambda would not run a function ("Lambda function states")."""
    if item.get("State") in {"Failed", "Pending"}:
        return f"the function's state is {item['State']}: {one_line(item.get('StateReason') or 'no reason given')}"
    return ""


def _statements(policy: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    statements = json.loads(policy.get("Policy", "{}")).get("Statement", [])
    return tuple(statements if isinstance(statements, list) else [statements])
