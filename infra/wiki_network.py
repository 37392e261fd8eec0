"""The wiki's VPC, which is necessary because EFS is reachable only from inside a VPC.

The VPC has no connection to the internet and no NAT gateway: the wiki gets its requests from Lambda, keeps its data on
EFS, and sends no other requests.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from stack_settings import StackSettings

NFS_PORT = 2049


@dataclass(frozen=True)
class WikiNetwork:
    """The subnets and security groups that the function and the file system use."""

    subnets: tuple[aws.ec2.Subnet, ...]
    function_group: aws.ec2.SecurityGroup
    storage_group: aws.ec2.SecurityGroup
    storage_rules: tuple[pulumi.Resource, ...]


def build_wiki_network(settings: StackSettings) -> WikiNetwork:
    """Create a VPC with one private subnet in each of two availability zones. It allows only NFS to the file system."""
    vpc = aws.ec2.Vpc(
        "wiki",
        cidr_block="10.20.0.0/24",
        enable_dns_support=True,
        enable_dns_hostnames=True,  # the function finds EFS mount targets by name
        tags={"Name": f"{settings.name}-wiki"},
    )
    zones = _availability_zones(settings)
    subnets = tuple(
        aws.ec2.Subnet(
            f"wiki-{position}",
            vpc_id=vpc.id,
            cidr_block=f"10.20.0.{position * 64}/26",
            availability_zone=zones[position],
            tags={"Name": f"{settings.name}-wiki-{position}"},
        )
        for position in range(2)
    )
    function_group = _build_security_group(settings, vpc, "wiki-function", "The wiki's function")
    storage_group = _build_security_group(settings, vpc, "wiki-storage", "The wiki's file system")
    # Separate resources for the rules, because each of the two groups refers to the other.
    to_storage = aws.vpc.SecurityGroupEgressRule(
        "wiki-function-to-storage",
        description="NFS to the file system",
        security_group_id=function_group.id,
        referenced_security_group_id=storage_group.id,
        ip_protocol="tcp",
        from_port=NFS_PORT,
        to_port=NFS_PORT,
    )
    from_function = aws.vpc.SecurityGroupIngressRule(
        "wiki-storage-from-function",
        description="NFS from the function",
        security_group_id=storage_group.id,
        referenced_security_group_id=function_group.id,
        ip_protocol="tcp",
        from_port=NFS_PORT,
        to_port=NFS_PORT,
    )
    return WikiNetwork(subnets, function_group, storage_group, (to_storage, from_function))


def _availability_zones(settings: StackSettings) -> list[pulumi.Output[str]]:
    """Return the two zones of the settings, or else the first two of the region.

    The order of a region's zones can change, and a subnet in another zone is a new subnet.
    """
    if settings.availability_zones is not None:
        return [pulumi.Output.from_input(zone) for zone in settings.availability_zones.split(",")]
    zones = aws.get_availability_zones_output(
        state="available", filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    )
    return [zones.names[0], zones.names[1]]


def _build_security_group(
    settings: StackSettings, vpc: aws.ec2.Vpc, name: str, description: str
) -> aws.ec2.SecurityGroup:
    return aws.ec2.SecurityGroup(
        name,
        vpc_id=vpc.id,
        description=description,
        tags={"Name": f"{settings.name}-{name}"},
        # AWS deletes a group only after the function's network interfaces, which can take 20 minutes.
        opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete="45m")),
    )
