"""Where the wiki's pages, users and drafts are: an encrypted EFS with a backup, reachable through one access point."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from stack_settings import StackSettings
from wiki_network import WikiNetwork

MOUNT_PATH = "/mnt/wiki"
OWNER = 1000
"""The user and group that every file gets, whoever the function runs as."""


@dataclass(frozen=True)
class WikiStorage:
    """What the function needs to mount it."""

    file_system: aws.efs.FileSystem
    access_point: aws.efs.AccessPoint
    mount_targets: tuple[aws.efs.MountTarget, ...]


def build_wiki_storage(settings: StackSettings, network: WikiNetwork) -> WikiStorage:
    """The file system and a way in from each subnet."""
    file_system = aws.efs.FileSystem(
        "wiki",
        encrypted=True,
        lifecycle_policies=[
            {"transition_to_ia": "AFTER_30_DAYS"},
            {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
        ],
        tags={"Name": f"{settings.name}-wiki"},
        # These are the wiki's only copy: `destroy` refuses, and who takes the protection off keeps the data too.
        opts=pulumi.ResourceOptions(protect=True, retain_on_delete=True),
    )
    aws.efs.BackupPolicy("wiki", file_system_id=file_system.id, backup_policy={"status": "ENABLED"})
    access_point = aws.efs.AccessPoint(
        "wiki",
        file_system_id=file_system.id,
        posix_user={"uid": OWNER, "gid": OWNER},
        root_directory={
            "path": "/wiki",
            "creation_info": {"owner_uid": OWNER, "owner_gid": OWNER, "permissions": "0750"},
        },
        tags={"Name": f"{settings.name}-wiki"},
    )
    mount_targets = tuple(
        aws.efs.MountTarget(
            f"wiki-{position}",
            file_system_id=file_system.id,
            subnet_id=subnet.id,
            security_groups=[network.storage_group.id],
        )
        for position, subnet in enumerate(network.subnets)
    )
    return WikiStorage(file_system, access_point, mount_targets)
