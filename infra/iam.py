"""IAM roles: one for each function, with only the actions and the resources that the function uses."""

from typing import Any

import pulumi
import pulumi_aws as aws
from stack_settings import StackSettings
from wiki_storage import WikiStorage

Statement = dict[str, Any]

# A function in a VPC needs these for its network interfaces (AWS, "Giving Lambda functions access to resources in an
# Amazon VPC"). EC2 has no resource names for some of them, so the resource must be "*".
_INTERFACE_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]


def build_role(
    settings: StackSettings, name: str, statements: list[pulumi.Input[Statement]]
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Create a role that Lambda can assume, with one inline policy.

    Args:
        settings: the settings of the stack.
        name: the name of the function.
        statements: the statements of the policy.
    """
    trust_policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = aws.iam.Role(name, name=f"{settings.name}-{name}", assume_role_policy=pulumi.Output.json_dumps(trust_policy))
    policy = pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})
    return role, aws.iam.RolePolicy(name, role=role.name, policy=policy)


def allow_logging(log_group: aws.cloudwatch.LogGroup) -> pulumi.Output[Statement]:
    """Allow writing to one log group. The group exists already, so the function does not need to create it."""
    return log_group.arn.apply(
        lambda arn: {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{arn.removesuffix(':*')}:*",
        }
    )


def allow_mounting(storage: WikiStorage) -> pulumi.Output[Statement]:
    """Allow reading and writing the wiki's file system through its access point."""
    return pulumi.Output.all(storage.file_system_arn, storage.access_point.arn).apply(
        lambda arns: {
            "Effect": "Allow",
            "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            "Resource": arns[0],
            "Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn": arns[1]}},
        }
    )


def allow_network_interfaces(function_name: str) -> list[pulumi.Input[Statement]]:
    """Allow Lambda to manage the function's network interfaces, and deny it to the function's own code.

    AWS recommends the second statement ("Giving Lambda functions access to resources in an Amazon VPC").
    """
    function_arn = pulumi.Output.all(
        aws.get_partition_output().partition,
        aws.get_region_output().region,
        aws.get_caller_identity_output().account_id,
    ).apply(lambda parts: f"arn:{parts[0]}:lambda:{parts[1]}:{parts[2]}:function:{function_name}")
    denial = function_arn.apply(
        lambda arn: {
            "Effect": "Deny",
            "Action": _INTERFACE_ACTIONS,
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": arn}},
        }
    )
    return [{"Effect": "Allow", "Action": _INTERFACE_ACTIONS, "Resource": "*"}, denial]
