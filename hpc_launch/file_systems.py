"""Which file systems are a node's own disk, which its memory, and which are shared: by the names of their types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

StorageKind = Literal["disk", "memory", "shared"]
"""As in a site profile."""

DISK = ("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "overlay")
MEMORY = ("tmpfs", "ramfs")
_SHARED = re.compile(
    r"nfs\d*|lustre|gpfs|beegfs\w*|ceph|panfs|wekafs|pvfs2|cifs|smb\d*|afs|9p|virtiofs|glusterfs|fuse\..+"
)
_CALLED = {"ext2": "ext2/ext3", "ext3": "ext2/ext3", "overlay": "overlayfs"}
"""What stat(1) calls those that the kernel calls otherwise."""


def kind_of(filesystem: str) -> StorageKind | None:
    """The kind of a file system by the kernel's name for its type; None: it is none of those known."""
    if filesystem in MEMORY:
        return "memory"
    if filesystem in DISK:
        return "disk"
    return "shared" if _SHARED.fullmatch(filesystem) else None


def as_stat_says(filesystems: Sequence[str]) -> list[str]:
    """The same types under the names that `stat -f -c %T` has for them, each once."""
    return list(dict.fromkeys(_CALLED.get(name, name) for name in filesystems))
