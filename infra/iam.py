"""What each function may do: its own role, with the actions it uses on the resources it uses them on."""

from typing import Any

import pulumi
import pulumi_aws as aws
from stack_settings import StackSettings
from wiki_storage import WikiStorage

Statement = dict[str, Any]

# A function in a VPC gets its network interfaces through these (AWS, "Giving Lambda functions access to resources in
# an Amazon VPC"). EC2 knows no resource for some of them, so the resource must be "*".
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
    """A role that Lambda may take on, with one inline policy.

    Args:
        settings: the stack's.
        name: of the function.
        statements: what it may do.
    """
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = aws.iam.Role(name, name=f"{settings.name}-{name}", assume_role_policy=pulumi.Output.json_dumps(trust))
    document = pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})
    return role, aws.iam.RolePolicy(name, role=role.name, policy=document)


def may_log(group: aws.cloudwatch.LogGroup) -> pulumi.Output[Statement]:
    """To its own log group only; the group exists already, so it may not create one."""
    return group.arn.apply(
        lambda arn: {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{arn.removesuffix(':*')}:*",
        }
    )


def may_mount(storage: WikiStorage) -> pulumi.Output[Statement]:
    """Its own file system, through its own access point, to read and to write."""
    return pulumi.Output.all(storage.file_system.arn, storage.access_point.arn).apply(
        lambda arns: {
            "Effect": "Allow",
            "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            "Resource": arns[0],
            "Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn": arns[1]}},
        }
    )


def may_join_network(function_name: str) -> list[pulumi.Input[Statement]]:
    """Lambda may manage the function's network interfaces; the function's own code may not.

    The second statement is AWS's advice ("Giving Lambda functions access to resources in an Amazon VPC").
    """
    arn = pulumi.Output.all(
        aws.get_partition_output().partition,
        aws.get_region_output().region,
        aws.get_caller_identity_output().account_id,
    ).apply(lambda where: f"arn:{where[0]}:lambda:{where[1]}:{where[2]}:function:{function_name}")
    deny = arn.apply(
        lambda function: {
            "Effect": "Deny",
            "Action": _INTERFACE_ACTIONS,
            "Resource": "*",
            "Condition": {"ArnEquals": {"lambda:SourceFunctionArn": function}},
        }
    )
    return [{"Effect": "Allow", "Action": _INTERFACE_ACTIONS, "Resource": "*"}, deny]
