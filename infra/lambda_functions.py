"""The two functions: the MCP server from its zip package, the wiki from a container image.

Paths are relative to `infra`, where Pulumi runs: an absolute one would be a change on every other machine.
"""

import json

import pulumi
import pulumi_aws as aws
import pulumi_docker_build as docker_build
from iam import build_role, may_join_network, may_log, may_mount
from stack_settings import StackSettings
from wiki_network import WikiNetwork
from wiki_storage import MOUNT_PATH, WikiStorage

TIMEOUT_SECONDS = 29
"""Just under the 30 seconds that an HTTP API waits, so that a slow request is Lambda's error and in its log."""


def build_mcp_function(settings: StackSettings) -> aws.lambda_.Function:
    """The MCP server. It is outside the VPC, because it talks to AuthKit and, through the domain, to the wiki."""
    name = f"{settings.name}-mcp"
    logs = _logs(settings, "mcp", name)
    role, policy = build_role(settings, "mcp", [may_log(logs)])
    return aws.lambda_.Function(
        "mcp",
        name=name,
        description="MCP server behind WorkOS AuthKit",
        role=role.arn,
        runtime=settings.runtime,
        architectures=[settings.architecture],
        handler=settings.mcp_handler,
        code=pulumi.FileArchive("../build/mcp"),
        memory_size=settings.mcp_memory,
        timeout=TIMEOUT_SECONDS,
        logging_config={"log_format": "Text", "log_group": logs.name},
        environment={
            "variables": {
                "AUTHKIT_DOMAIN": settings.authkit_domain,
                "WORKOS_CLIENT_ID": settings.client_id,
                "MCP_BASE_URL": settings.url,
                "WIKI_URL": settings.url,
            }
        },
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )


def build_wiki_function(settings: StackSettings, network: WikiNetwork, storage: WikiStorage) -> aws.lambda_.Function:
    """The wiki, on its file system. Nobody may write or upload without an account that an administrator approved."""
    name = f"{settings.name}-wiki"
    logs = _logs(settings, "wiki", name)
    role, policy = build_role(settings, "wiki", [may_log(logs), may_mount(storage), *may_join_network(name)])
    return aws.lambda_.Function(
        "wiki",
        name=name,
        description="An Otter Wiki",
        role=role.arn,
        package_type="Image",
        image_uri=_image(settings),
        architectures=[settings.architecture],
        memory_size=settings.wiki_memory,
        timeout=TIMEOUT_SECONDS,
        logging_config={"log_format": "Text", "log_group": logs.name},
        vpc_config={
            "subnet_ids": [subnet.id for subnet in network.subnets],
            "security_group_ids": [network.function_group.id],
        },
        file_system_config={"arn": storage.access_point.arn, "local_mount_path": MOUNT_PATH},
        environment={
            "variables": {
                "WIKI_DATA_DIR": MOUNT_PATH,
                "SITE_NAME": settings.site_name,
                "SITE_URL": settings.url,
                "READ_ACCESS": settings.read_access,
                "WRITE_ACCESS": "REGISTERED",
                "ATTACHMENT_ACCESS": "REGISTERED",
                "AUTO_APPROVAL": "False",
            }
        },
        # Lambda mounts the file system as soon as the function exists.
        opts=pulumi.ResourceOptions(depends_on=[policy, network.storage_rule, *storage.mount_targets]),
    )


def _logs(settings: StackSettings, name: str, function_name: str) -> aws.cloudwatch.LogGroup:
    """Made before the function: a group that Lambda makes by itself keeps its logs for ever."""
    return aws.cloudwatch.LogGroup(
        name, name=f"/aws/lambda/{function_name}", retention_in_days=settings.log_retention_days
    )


def _image(settings: StackSettings) -> pulumi.Output[str]:
    """The image, built from the wiki's package and pushed: its repository and digest.

    Not `Image.ref`, which has tag and digest: Lambda takes one of the two (pulumi/pulumi-docker-build issue 571).
    """
    repository = aws.ecr.Repository(
        "wiki",
        name=f"{settings.name}-wiki",
        image_scanning_configuration={"scan_on_push": True},
        force_delete=True,  # images are built again; the data is on EFS
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
        build_args={"PYTHON_VERSION": settings.python_version},
        platforms=[platform],
        tags=[pulumi.Output.concat(repository.repository_url, ":latest")],
        push=True,
        # `preview` on a machine without Docker shows the change; `up` needs it.
        build_on_preview=False,
        registries=[{"address": repository.repository_url, "username": token.user_name, "password": token.password}],
    )
    return pulumi.Output.concat(repository.repository_url, "@", image.digest)
