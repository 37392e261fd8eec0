"""What AWS says that is deployed: data only. None stands for what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_ROUTE = "$default"
DEFAULT_STAGE = "$default"


@dataclass(frozen=True)
class Api:
    """The API itself.

    Attributes:
        protocol: `HTTP` or `WEBSOCKET`.
        endpoint: its own URL, without a stage.
        endpoint_on: whether that URL answers.
        cors: the origins that API Gateway answers preflights for; None where it leaves them to the routes.
    """

    id: str
    name: str
    protocol: str
    endpoint: str
    endpoint_on: bool
    cors: tuple[str, ...] | None


@dataclass(frozen=True)
class DeployedRoute:
    """A route.

    Attributes:
        key: as AWS has it: `ANY /mcp`, `$default`.
        integration: the id of what it leads to; None where it leads to nothing.
        authorization: `NONE`, `JWT`, `AWS_IAM` or `CUSTOM`.
    """

    key: str
    integration: str | None
    authorization: str


@dataclass(frozen=True)
class Integration:
    """What routes lead to.

    Attributes:
        kind: `AWS_PROXY` for Lambda, and for AWS services where there is a subtype.
        uri: what it invokes; a stage's variables may be in it.
        changes: the parameter mappings that it has, in words.
        role: the role that it invokes with; None where the function's own policy decides.
    """

    id: str
    kind: str
    subtype: str
    uri: str
    payload: str
    changes: tuple[str, ...]
    role: str | None


@dataclass(frozen=True)
class Limit:
    """Throttling of a route: requests a second, and at once; None is the account's own limit."""

    rate: float | None
    burst: int | None


@dataclass(frozen=True)
class Stage:
    """A stage.

    Attributes:
        deployment: the id of what is deployed to it; None for nothing.
        failure: what AWS says about its last deployment, where that failed.
        variables: what `${stageVariables.NAME}` stands for.
        limits: by route key; the key of all others is `*`.
    """

    name: str
    automatic: bool
    deployment: str | None
    failure: str
    variables: Mapping[str, str]
    limits: Mapping[str, Limit]


@dataclass(frozen=True)
class ApiMapping:
    """A custom domain that leads to a stage; `key` is the path before every route, often empty."""

    domain: str
    stage: str
    key: str


@dataclass(frozen=True)
class Function:
    """A Lambda function, at the qualifier that is invoked.

    Attributes:
        arn: with the qualifier.
        trouble: why it can't be invoked; empty where it can.
        statements: of its resource policy; None where the policy could not be read.
        policy_size: of that policy, in bytes.
    """

    arn: str
    trouble: str
    statements: tuple[Mapping[str, Any], ...] | None
    policy_size: int = 0


@dataclass(frozen=True)
class Unread:
    """A call that AWS didn't answer.

    Attributes:
        subject: what it was about.
        message: what could not be read, in one sentence.
        fix: what to do, in one sentence.
    """

    subject: str
    message: str
    fix: str


@dataclass(frozen=True)
class Deployed:
    """A deployment, as far as it could be read.

    Attributes:
        arn: the API's in the form that permissions name as source, without the stage:
            `arn:aws:execute-api:eu-central-1:111122223333:a1b2c3`.
        functions: by the ARN that integrations invoke.
    """

    arn: str
    api: Api | None
    routes: tuple[DeployedRoute, ...] | None = None
    integrations: Mapping[str, Integration] | None = None
    stages: Mapping[str, Stage] | None = None
    mappings: tuple[ApiMapping, ...] | None = None
    functions: Mapping[str, Function] = field(default_factory=dict)
    unread: tuple[Unread, ...] = ()
