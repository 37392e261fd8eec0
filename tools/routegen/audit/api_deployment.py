"""The data that AWS returns about a deployed API. A part that could not be read is None."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_ROUTE = "$default"
DEFAULT_STAGE = "$default"


@dataclass(frozen=True)
class DeployedApi:
    """The API.

    Attributes:
        id: the API's id.
        name: the API's name.
        protocol: `HTTP` or `WEBSOCKET`.
        endpoint: the API's own URL, without a stage.
        endpoint_enabled: whether requests to that URL are answered.
        cors_origins: the origins for which API Gateway answers preflights; None if the routes answer them.
    """

    id: str
    name: str
    protocol: str
    endpoint: str
    endpoint_enabled: bool
    cors_origins: tuple[str, ...] | None


@dataclass(frozen=True)
class DeployedRoute:
    """A route.

    Attributes:
        key: the route key: `ANY /mcp`, `$default`.
        integration_id: the id of the route's integration; None if the route has no target.
        authorization: `NONE`, `JWT`, `AWS_IAM` or `CUSTOM`.
        id: the route's id.
    """

    key: str
    integration_id: str | None
    authorization: str
    id: str = ""


@dataclass(frozen=True)
class DeployedIntegration:
    """The backend of one or more routes.

    Attributes:
        id: the integration's id.
        kind: `AWS_PROXY` for Lambda functions, and for AWS services, which have a subtype.
        subtype: the AWS service and its action; empty for a Lambda function.
        uri: the URI that the integration invokes; it can contain stage variables.
        payload_format: the payload format version: `1.0` or `2.0`.
        parameter_mappings: the names of the request and response parameters that it changes.
        role: the ARN of the role that API Gateway uses for the call; None if the function's policy decides.
    """

    id: str
    kind: str
    subtype: str
    uri: str
    payload_format: str
    parameter_mappings: tuple[str, ...]
    role: str | None


@dataclass(frozen=True)
class ThrottlingLimit:
    """The throttling of a route: requests per second, and concurrent requests; None means the account's limit."""

    rate: float | None
    burst: int | None


@dataclass(frozen=True)
class DeployedStage:
    """A stage.

    Attributes:
        name: the stage's name.
        auto_deploy: whether AWS deploys changes automatically.
        deployment_id: the id of the stage's deployment; None if the stage has none.
        failure: the message of AWS about the last deployment, if it failed.
        variables: the values of the stage variables.
        limits: the throttling by route key; `*` is the default of all routes.
    """

    name: str
    auto_deploy: bool
    deployment_id: str | None
    failure: str
    variables: Mapping[str, str]
    limits: Mapping[str, ThrottlingLimit]


@dataclass(frozen=True)
class ApiMapping:
    """The mapping of a custom domain to a stage.

    Attributes:
        domain: the domain's name.
        stage: the stage's name.
        base_path: the path before every route; often empty.
    """

    domain: str
    stage: str
    base_path: str


@dataclass(frozen=True)
class DeployedFunction:
    """A Lambda function, at the qualifier that an integration invokes.

    Attributes:
        arn: the ARN with the qualifier.
        problem: the reason why the function cannot be invoked; empty if it can.
        statements: the statements of its resource policy; None if the policy could not be read.
        policy_size: the size of that policy in bytes.
    """

    arn: str
    problem: str
    statements: tuple[Mapping[str, Any], ...] | None
    policy_size: int = 0


@dataclass(frozen=True)
class UnreadPart:
    """A call that AWS did not answer.

    Attributes:
        subject: the resource that the call is about.
        message: one sentence about what happened.
        fix: one sentence about what to do.
    """

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
        mappings: the custom domains.
        functions: the functions by the ARN that the integrations invoke.
        unread: the calls that AWS did not answer.
    """

    arn: str
    api: DeployedApi | None
    routes: tuple[DeployedRoute, ...] | None = None
    integrations: Mapping[str, DeployedIntegration] | None = None
    stages: Mapping[str, DeployedStage] | None = None
    mappings: tuple[ApiMapping, ...] | None = None
    functions: Mapping[str, DeployedFunction] = field(default_factory=dict)
    unread: tuple[UnreadPart, ...] = ()
