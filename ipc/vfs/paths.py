"""Calls to VFS: files by name, and file systems.

Source: MINIX ``minix/callnr.h``, ``servers/vfs``.
"""

from __future__ import annotations

from ipc.message import Message, i32, i64, message, raw, u32, u64


@message
class VfsLink(Message, number=262, call="VFS_LINK"):
    """Give a file a second name: libc link."""

    name1: int = u32(0, "address")
    name2: int = u32(4, "address")
    len1: int = u32(8, "size")
    len2: int = u32(12, "size")


@message
class VfsUnlink(Message, number=263, call="VFS_UNLINK"):
    """Remove a name: libc unlink."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8)
    mode: int = u32(12, "octal")
    buf: bytes = raw(16, 40)


@message
class VfsChdir(Message, number=264, call="VFS_CHDIR"):
    """Change the working directory: libc chdir."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8)
    mode: int = u32(12, "octal")
    buf: bytes = raw(16, 40)


@message
class VfsMkdir(Message, number=265, call="VFS_MKDIR"):
    """Make a directory: libc mkdir."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8)
    mode: int = u32(12, "octal")
    buf: bytes = raw(16, 40)


@message
class VfsMknod(Message, number=266, call="VFS_MKNOD"):
    """Make a device file or another special one: libc mknod."""

    device: int = u64(0, "hex")
    name_: int = u32(8, "address")
    len: int = u32(12, "size")
    mode: int = u32(16, "octal")


@message
class VfsChmod(Message, number=267, call="VFS_CHMOD"):
    """Set a file's mode: libc chmod."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8)
    mode: int = u32(12, "octal")
    buf: bytes = raw(16, 40)


@message
class VfsChown(Message, number=268, call="VFS_CHOWN"):
    """Set a file's owner: libc chown."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    owner: int = u32(12)
    group: int = u32(16)


@message
class VfsMount(Message, number=269, call="VFS_MOUNT"):
    """Mount a file system: libc mount."""

    flags: int = i32(0)
    devlen: int = u32(4, "size")
    pathlen: int = u32(8, "size")
    typelen: int = u32(12, "size")
    labellen: int = u32(16, "size")
    dev: int = u32(20, "address")
    path: int = u32(24, "address")
    type_: int = u32(28, "address")
    label: int = u32(32, "address")


@message
class VfsUmount(Message, number=270, call="VFS_UMOUNT"):
    """Unmount a file system: libc umount."""

    name_: int = u32(0, "address")
    namelen: int = u32(4, "size")
    label: int = u32(8, "address")
    labellen: int = u32(12, "size")


@message
class VfsAccess(Message, number=271, call="VFS_ACCESS"):
    """Ask whether the caller may access a file: libc access."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8)
    mode: int = u32(12, "accessmode")
    buf: bytes = raw(16, 40)


@message
class VfsSync(Message, number=272, call="VFS_SYNC"):
    """Write everything to the devices: libc sync."""


@message
class VfsRename(Message, number=273, call="VFS_RENAME"):
    """Give a file another name: libc rename."""

    name1: int = u32(0, "address")
    name2: int = u32(4, "address")
    len1: int = u32(8, "size")
    len2: int = u32(12, "size")


@message
class VfsRmdir(Message, number=274, call="VFS_RMDIR"):
    """Remove a directory: libc rmdir."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8)
    mode: int = u32(12, "octal")
    buf: bytes = raw(16, 40)


@message
class VfsSymlink(Message, number=275, call="VFS_SYMLINK"):
    """Make a symbolic link: libc symlink."""

    name1: int = u32(0, "address")
    name2: int = u32(4, "address")
    len1: int = u32(8, "size")
    len2: int = u32(12, "size")


@message
class VfsReadlink(Message, number=276, call="VFS_READLINK"):
    """Get where a symbolic link points: libc readlink."""

    name_: int = u32(0, "address")
    namelen: int = u32(4, "size")
    buf: int = u32(8, "address")
    bufsize: int = u32(12, "size")


@message
class VfsStat(Message, number=277, call="VFS_STAT"):
    """Get a file's attributes: libc stat."""

    len: int = u32(0, "size")
    name_: int = u32(4, "address")
    buf: int = u32(8, "address")


@message
class VfsLstat(Message, number=279, call="VFS_LSTAT"):
    """Get the attributes of a file or of a symbolic link: libc lstat."""

    len: int = u32(0, "size")
    name_: int = u32(4, "address")
    buf: int = u32(8, "address")


@message
class VfsUmask(Message, number=283, call="VFS_UMASK"):
    """Set which mode bits the caller's new files lack: libc umask."""

    mask: int = u32(0, "octal")


@message
class VfsChroot(Message, number=284, call="VFS_CHROOT"):
    """Change the caller's root directory: libc chroot."""

    name_: int = u32(0, "address")
    len: int = u32(4, "size")
    flags: int = i32(8)
    mode: int = u32(12, "octal")
    buf: bytes = raw(16, 40)


@message
class VfsTruncate(Message, number=289, call="VFS_TRUNCATE"):
    """Set a file's size: libc truncate."""

    offset: int = i64(0)
    name_: int = u32(12, "address")
    len: int = u32(16, "size")


@message
class VfsUtimens(Message, number=293, call="VFS_UTIMENS"):
    """Set a file's times, by name or open: libc utimensat and its kin."""

    atime: int = i64(0)
    mtime: int = i64(8)
    ansec: int = i32(16)
    mnsec: int = i32(20)
    len: int = u32(24, "size")
    name_: int = u32(28, "address")
    fd: int = i32(32)
    flags: int = i32(36)


@message
class VfsGetvfsstat(Message, number=295, call="VFS_GETVFSSTAT"):
    """Get the figures of all file systems: libc getvfsstat."""

    flags: int = i32(0)
    len: int = u32(4, "size")
    buf: int = u32(8, "address")


@message
class VfsStatvfs1(Message, number=296, call="VFS_STATVFS1"):
    """Get the figures of a file's file system: libc statvfs1."""

    flags: int = i32(4)
    len: int = u32(8, "size")
    name_: int = u32(12, "address")
    buf: int = u32(16, "address")


MESSAGES = (
    VfsLink, VfsUnlink, VfsChdir, VfsMkdir, VfsMknod, VfsChmod, VfsChown, VfsMount, VfsUmount,
    VfsAccess, VfsSync, VfsRename, VfsRmdir, VfsSymlink, VfsReadlink, VfsStat, VfsLstat, VfsUmask,
    VfsChroot, VfsTruncate, VfsUtimens, VfsGetvfsstat, VfsStatvfs1,
)  # fmt: skip
