"""The wiki's network: a VPC of its own without a way out, because EFS is only reachable from inside a VPC.

The wiki needs no internet: it answers requests that Lambda brings to it, and keeps its data on EFS. So there is no
NAT gateway to pay for, and nothing that leaves.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from stack_settings import StackSettings

NFS_PORT = 2049


@dataclass(frozen=True)
class WikiNetwork:
    """What the function and the file system need to know of it."""

    subnets: tuple[aws.ec2.Subnet, ...]
    function_group: aws.ec2.SecurityGroup
    storage_group: aws.ec2.SecurityGroup
    storage_rule: aws.vpc.SecurityGroupIngressRule


def build_wiki_network(settings: StackSettings) -> WikiNetwork:
    """A VPC with a private subnet in two zones; NFS from the function to the file system, and nothing else."""
    vpc = aws.ec2.Vpc(
        "wiki",
        cidr_block="10.20.0.0/24",
        enable_dns_support=True,
        enable_dns_hostnames=True,  # EFS mount targets are found by name
        tags={"Name": f"{settings.name}-wiki"},
    )
    zones = aws.get_availability_zones_output(
        state="available", filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    )
    subnets = tuple(
        aws.ec2.Subnet(
            f"wiki-{position}",
            vpc_id=vpc.id,
            cidr_block=f"10.20.0.{position * 64}/26",
            availability_zone=zones.names[position],
            tags={"Name": f"{settings.name}-wiki-{position}"},
        )
        for position in range(2)
    )
    function_group = _group(settings, vpc, "wiki-function", "The wiki's function")
    storage_group = _group(settings, vpc, "wiki-storage", "The wiki's file system")
    # Rules of their own, not inside the groups: each group names the other.
    aws.vpc.SecurityGroupEgressRule(
        "wiki-function-to-storage",
        description="NFS to the file system",
        security_group_id=function_group.id,
        referenced_security_group_id=storage_group.id,
        ip_protocol="tcp",
        from_port=NFS_PORT,
        to_port=NFS_PORT,
    )
    rule = aws.vpc.SecurityGroupIngressRule(
        "wiki-storage-from-function",
        description="NFS from the function",
        security_group_id=storage_group.id,
        referenced_security_group_id=function_group.id,
        ip_protocol="tcp",
        from_port=NFS_PORT,
        to_port=NFS_PORT,
    )
    return WikiNetwork(subnets, function_group, storage_group, rule)


def _group(settings: StackSettings, vpc: aws.ec2.Vpc, name: str, description: str) -> aws.ec2.SecurityGroup:
    return aws.ec2.SecurityGroup(
        name,
        vpc_id=vpc.id,
        description=description,
        tags={"Name": f"{settings.name}-{name}"},
        # A group can't be deleted while an interface of the function's has it; AWS may take 20 minutes for those.
        opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="45m")),
    )
