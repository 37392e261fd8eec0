"""The data that AWS returns about a deployed API, under AWS's own names. A part that could not be read is None."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_pascal

DEFAULT_STAGE = "$default"


def one_line(text: object) -> str:
    """Return a text of AWS without line breaks and repeated spaces."""
    return " ".join(f"{text}".split())


class Resource(BaseModel):
    """A resource with the fields that the audit needs; "Amazon API Gateway V2 API Reference" (AWS) describes them."""

    model_config = ConfigDict(frozen=True, alias_generator=to_pascal, validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_values(cls, item: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in item.items() if value is not None and value != ""}


class DeployedApi(Resource):
    """The API. With a CORS configuration, API Gateway answers the preflights instead of the routes."""

    api_id: str
    name: str
    protocol_type: str
    api_endpoint: str = ""
    disable_execute_api_endpoint: bool = False
    cors_configuration: Mapping[str, Any] = {}


class DeployedRoute(Resource):
    """A route."""

    route_id: str
    route_key: str
    target: str = ""
    authorization_type: str = "NONE"

    @property
    def integration_id(self) -> str | None:
        """The id of the route's integration; None if the route has no target."""
        return self.target.removeprefix("integrations/") or None


class DeployedIntegration(Resource):
    """The backend of one or more routes.

    The type is `AWS_PROXY` for Lambda functions, and for AWS services, which have a subtype. The URI can contain stage
    variables. Without the ARN of credentials, a role, the function's policy decides about the call.
    """

    integration_id: str
    integration_type: str = ""
    integration_subtype: str = ""
    integration_uri: str = ""
    payload_format_version: str = "1.0"
    request_parameters: Mapping[str, Any] = {}
    response_parameters: Mapping[str, Mapping[str, Any]] = {}
    credentials_arn: str | None = None

    @property
    def parameter_mappings(self) -> list[str]:
        """The names of the request and response parameters that the integration changes."""
        responses = (f"{status}: {name}" for status, names in self.response_parameters.items() for name in names)
        return sorted([*self.request_parameters, *responses])


class ThrottlingLimit(Resource):
    """The throttling of a route: requests per second, and concurrent requests; None means the account's limit."""

    throttling_rate_limit: float | None = None
    throttling_burst_limit: int | None = None


class DeployedStage(Resource):
    """A stage."""

    stage_name: str
    auto_deploy: bool = False
    deployment_id: str | None = None
    last_deployment_status_message: str = ""
    stage_variables: Mapping[str, str] = {}
    default_route_settings: ThrottlingLimit = ThrottlingLimit()
    route_settings: Mapping[str, ThrottlingLimit] = {}

    @property
    def failure(self) -> str:
        """The message of AWS about the last deployment; empty if it did not fail."""
        message = self.last_deployment_status_message
        return "" if message.lower().startswith("successfully") else one_line(message)


class CustomDomain(Resource):
    """A custom domain.

    With mutual TLS, each client needs a certificate. Routing rules lead only to REST APIs, and `ROUTING_RULE_ONLY`
    ignores the mappings (AWS, "Routing rules to connect API stages to a custom domain name").
    """

    domain_name: str
    routing_mode: str = "API_MAPPING_ONLY"
    mutual_tls_authentication: Mapping[str, Any] = {}


class ApiMapping(Resource):
    """The mapping of a custom domain to a stage, with the path before every route as its key, which is often empty."""

    domain_name: str = ""  # not part of AWS's response
    api_id: str
    stage: str
    api_mapping_key: str = ""


@dataclass(frozen=True)
class DeployedFunction:
    """A Lambda function, at the qualifier that an integration invokes.

    Attributes:
        arn: the ARN with the qualifier.
        problem: the reason why the function cannot be invoked; empty if it can.
        statements: the statements of its resource policy; None if the policy could not be read.
        policy_size: the size of that policy in bytes.
        unqualified_statements: of a function with a qualifier, the statements of the policy without it.
        reserved_concurrency: the number of its instances that are reserved, which is also their limit; None for none.
        is_inactive: whether Lambda has taken back the function's network interfaces.
    """

    arn: str
    problem: str
    statements: tuple[Mapping[str, Any], ...] | None
    policy_size: int = 0
    unqualified_statements: tuple[Mapping[str, Any], ...] = ()
    reserved_concurrency: int | None = None
    is_inactive: bool = False


@dataclass(frozen=True)
class UnreadPart:
    """A call that AWS did not answer: the resource that it is about, what happened, and what to do."""

    subject: str
    message: str
    fix: str


@dataclass(frozen=True)
class ApiDeployment:
    """A deployed API with everything that could be read about it.

    Attributes:
        arn: the API's ARN without a stage, as permissions name it as their source:
            `arn:aws:execute-api:eu-central-1:111122223333:a1b2c3`.
        api: the API.
        routes: the routes.
        integrations: the integrations by id.
        stages: the stages by name.
        domains: the custom domains.
        mappings: the mappings of all domains, those to other APIs included.
        exported: the routes of the stage's deployment, if they can differ from the API's routes: an OpenAPI document.
        functions: the functions by the ARN that the integrations invoke.
        unread: the calls that AWS did not answer.
    """

    arn: str
    api: DeployedApi | None
    routes: tuple[DeployedRoute, ...] | None = None
    integrations: Mapping[str, DeployedIntegration] | None = None
    stages: Mapping[str, DeployedStage] | None = None
    domains: tuple[CustomDomain, ...] | None = None
    mappings: tuple[ApiMapping, ...] | None = None
    exported: Mapping[str, Any] | None = None
    functions: Mapping[str, DeployedFunction] = field(default_factory=dict)
    unread: tuple[UnreadPart, ...] = ()
