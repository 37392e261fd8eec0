"""The wiki's storage: an encrypted EFS file system with a backup and one access point."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from stack_settings import StackSettings
from wiki_network import WikiNetwork

MOUNT_PATH = "/mnt/wiki"
OWNER_ID = 1000
"""The user id and the group id of every file that the function writes."""


@dataclass(frozen=True)
class WikiStorage:
    """The resources that the function needs to mount the file system."""

    file_system_arn: pulumi.Output[str]
    access_point: aws.efs.AccessPoint
    mount_targets: tuple[aws.efs.MountTarget, ...]


def build_wiki_storage(settings: StackSettings, network: WikiNetwork) -> WikiStorage:
    """Create the file system, its access point, and a mount target in each subnet.

    With `file_system_id`, the wiki uses this file system, for example one that was restored from a backup.
    """
    if settings.file_system_id is not None:
        existing = aws.efs.get_file_system_output(file_system_id=settings.file_system_id)
        return _mount(settings, network, existing.file_system_id, existing.arn)
    file_system = aws.efs.FileSystem(
        "wiki",
        encrypted=True,
        lifecycle_policies=[
            {"transition_to_ia": "AFTER_30_DAYS"},
            {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
        ],
        tags={"Name": f"{settings.name}-wiki"},
        # This is the only copy of the wiki: `destroy` refuses to delete it, and AWS keeps it after `state unprotect`.
        opts=pulumi.ResourceOptions(protect=True, retain_on_delete=True),
    )
    aws.efs.BackupPolicy(
        "wiki",
        file_system_id=file_system.id,
        backup_policy={"status": "ENABLED"},
        opts=pulumi.ResourceOptions(retain_on_delete=True),  # a file system without its backup policy is not backed up
    )
    return _mount(settings, network, file_system.id, file_system.arn)


def _mount(
    settings: StackSettings, network: WikiNetwork, file_system_id: pulumi.Output[str], arn: pulumi.Output[str]
) -> WikiStorage:
    access_point = aws.efs.AccessPoint(
        "wiki",
        file_system_id=file_system_id,
        posix_user={"uid": OWNER_ID, "gid": OWNER_ID},
        root_directory={
            "path": "/wiki",
            "creation_info": {"owner_uid": OWNER_ID, "owner_gid": OWNER_ID, "permissions": "0750"},
        },
        tags={"Name": f"{settings.name}-wiki"},
    )
    mount_targets = tuple(
        aws.efs.MountTarget(
            f"wiki-{position}",
            file_system_id=file_system_id,
            subnet_id=subnet.id,
            security_groups=[network.storage_group.id],
        )
        for position, subnet in enumerate(network.subnets)
    )
    return WikiStorage(arn, access_point, mount_targets)
