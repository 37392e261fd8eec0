"""The two Lambda functions: the MCP server from a zip package, and the wiki from a container image.

Paths are relative to `infra/`, where Pulumi runs: Pulumi would see an absolute path as a change on another machine.
"""

import json
from dataclasses import dataclass
from hashlib import sha256

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build
from iam import allow_logging, allow_mounting, allow_network_interfaces, build_role
from stack_settings import StackSettings
from wiki_network import WikiNetwork
from wiki_storage import MOUNT_PATH, WikiStorage

TIMEOUT_SECONDS = 29
"""Shorter than the 30 seconds that an HTTP API waits, so that Lambda ends a slow request and logs the time-out."""


LIVE = "live"
"""The alias that API Gateway invokes. It leads to the newest version, or to the one that the settings name."""


@dataclass(frozen=True)
class VersionedFunction:
    """A function and its alias."""

    function: aws.lambda_.Function
    alias: aws.lambda_.Alias


def build_mcp_function(settings: StackSettings, handler: str) -> VersionedFunction:
    """Create the MCP server's function. It is outside the VPC, because it sends requests to AuthKit and to the domain.

    Args:
        settings: the settings of the stack.
        handler: the handler that the package names.
    """
    name = f"{settings.name}-mcp"
    log_group = _build_log_group(settings, "mcp", name)
    role, policy = build_role(settings, "mcp", [allow_logging(log_group)])
    function = aws.lambda_.Function(
        "mcp",
        name=name,
        description="MCP server behind WorkOS AuthKit",
        role=role.arn,
        runtime=settings.runtime,
        architectures=[settings.architecture],
        handler=handler,
        code=pulumi.FileArchive("../build/mcp"),
        memory_size=settings.mcp_memory,
        timeout=TIMEOUT_SECONDS,
        publish=True,
        snap_start={"apply_on": "PublishedVersions"} if settings.snap_start else None,
        reserved_concurrent_executions=settings.mcp_concurrency,
        logging_config={"log_format": "Text", "log_group": log_group.name},
        environment={
            "variables": {
                "AUTHKIT_DOMAIN": settings.authkit_domain,
                "WORKOS_CLIENT_ID": settings.client_id,
                "MCP_BASE_URL": settings.url,
                "WIKI_URL": settings.url,
                **({"WIKI_READER_TOKEN": pulumi.Output.secret(settings.reader_token)} if settings.reader_token else {}),
            }
        },
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )
    return _with_alias(function, "mcp", settings.mcp_version)


def build_wiki_function(settings: StackSettings, network: WikiNetwork, storage: WikiStorage) -> VersionedFunction:
    """Create the wiki's function with its file system. Only people with an approved account can write or upload."""
    name = f"{settings.name}-wiki"
    log_group = _build_log_group(settings, "wiki", name)
    statements = [allow_logging(log_group), allow_mounting(storage), *allow_network_interfaces(name)]
    role, policy = build_role(settings, "wiki", statements)
    function = aws.lambda_.Function(
        "wiki",
        name=name,
        description="An Otter Wiki",
        role=role.arn,
        package_type="Image",
        image_uri=_build_image(settings),
        architectures=[settings.architecture],
        memory_size=settings.wiki_memory,
        timeout=TIMEOUT_SECONDS,
        publish=True,
        reserved_concurrent_executions=settings.wiki_concurrency,
        logging_config={"log_format": "Text", "log_group": log_group.name},
        vpc_config={
            "subnet_ids": [subnet.id for subnet in network.subnets],
            "security_group_ids": [network.function_group.id],
        },
        file_system_config={"arn": storage.access_point.arn, "local_mount_path": MOUNT_PATH},
        environment={"variables": _wiki_environment(settings)},
        # Lambda mounts the file system when it creates the function.
        opts=pulumi.ResourceOptions(depends_on=[policy, *network.storage_rules, *storage.mount_targets]),
    )
    return _with_alias(function, "wiki", settings.wiki_version)


def _wiki_environment(settings: StackSettings) -> dict[str, pulumi.Input[str]]:
    """Return the wiki's environment. It has hashes instead of the administrator's password and the reader's token."""
    environment: dict[str, pulumi.Input[str]] = {
        "WIKI_DATA_DIR": MOUNT_PATH,
        "SITE_NAME": settings.site_name,
        "SITE_URL": settings.url,
        "READ_ACCESS": settings.read_access,
        "WRITE_ACCESS": "APPROVED",
        "ATTACHMENT_ACCESS": "APPROVED",
        "AUTO_APPROVAL": "False",
        "WIKI_ADMIN_EMAIL": settings.admin_email,
        "WIKI_ADMIN_PASSWORD_HASH": pulumi.Output.secret(settings.admin_password_hash),
    }
    if settings.reader_token:
        environment["WIKI_READER_TOKEN_HASH"] = sha256(settings.reader_token.encode()).hexdigest()
    return environment


def _with_alias(function: aws.lambda_.Function, name: str, version: int | None) -> VersionedFunction:
    alias = aws.lambda_.Alias(
        name,
        name=LIVE,
        function_name=function.name,
        function_version=function.version if version is None else str(version),
    )
    return VersionedFunction(function, alias)


def _build_log_group(settings: StackSettings, name: str, function_name: str) -> aws.cloudwatch.LogGroup:
    """Create a log group with a retention. A log group that Lambda creates itself never deletes its logs."""
    return aws.cloudwatch.LogGroup(
        name, name=f"/aws/lambda/{function_name}", retention_in_days=settings.log_retention_days
    )


def _build_image(settings: StackSettings) -> pulumi.Output[str]:
    """Build and push the wiki's container image, and return its URI with the digest.

    `Image.ref` has a tag and a digest, and Lambda accepts only one of them (pulumi/pulumi-docker-build issue 571).
    """
    repository = aws.ecr.Repository(
        "wiki",
        name=f"{settings.name}-wiki",
        image_scanning_configuration={"scan_on_push": True},
        force_delete=True,  # images can be built again; the data is on EFS
    )
    rule = {
        "rulePriority": 1,
        "description": "the newest five",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
        "action": {"type": "expire"},
    }
    aws.ecr.LifecyclePolicy("wiki", repository=repository.name, policy=json.dumps({"rules": [rule]}))
    token = aws.ecr.get_authorization_token_output(registry_id=repository.registry_id)
    platform = (
        docker_build.Platform.LINUX_ARM64 if settings.architecture == "arm64" else docker_build.Platform.LINUX_AMD64
    )
    image = docker_build.Image(
        "wiki",
        context={"location": "../build/otterwiki"},
        dockerfile={"location": "../app/otterwiki/Dockerfile"},
        platforms=[platform],
        tags=[pulumi.Output.concat(repository.repository_url, ":latest")],
        push=True,
        pull=True,
        # `preview` works on a machine without Docker; only `up` needs it.
        build_on_preview=False,
        registries=[{"address": repository.repository_url, "username": token.user_name, "password": token.password}],
    )
    return pulumi.Output.concat(repository.repository_url, "@", image.digest)
