# SPDX-License-Identifier: GPL-2.0-only
"""Write cpio archives in the form that the kernel unpacks as an initramfs.

Device nodes and root's ownership need no root here, which is why the archives
are written by hand.  Archives can be concatenated: the kernel unpacks one
after the other, so the image of the userland is kept and small ones follow it.
"""

import os
import stat


class Cpio:
    """One archive being written to the file object `out`."""

    def __init__(self, out):
        self.out = out
        self.ino = 0
        self.dirs = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.ino += 1
        name = name.strip("/").encode() + b"\0"
        fields = (self.ino, mode, 0, 0, 1, 0, len(data), 0, 0,
                  rdev[0], rdev[1], len(name), 0)
        self.out.write(b"070701" + b"".join(b"%08X" % f for f in fields))
        self.out.write(name)
        self._pad(110 + len(name))
        self.out.write(data)
        self._pad(len(data))

    def _pad(self, length):
        self.out.write(b"\0" * (-length % 4))

    def parents(self, name):
        """Add the directories above `name` that are not there yet."""
        parts = name.strip("/").split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            self.directory("/".join(parts[:depth]))

    def directory(self, name, perm=0o755):
        name = name.strip("/")
        if name and name not in self.dirs:
            self.parents(name)
            self.dirs.add(name)
            self._entry(name, stat.S_IFDIR | perm)

    def data(self, name, data, perm=0o644):
        self.parents(name)
        self._entry(name, stat.S_IFREG | perm, data)

    def copy(self, name, path, perm=None):
        """Add the file `path` of this machine as `name`."""
        with open(path, "rb") as src:
            data = src.read()
        if perm is None:
            perm = stat.S_IMODE(os.stat(path).st_mode) & 0o777
        self.data(name, data, perm)

    def link(self, name, target):
        self.parents(name)
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def node(self, name, kind, major, minor, perm=0o600):
        self.parents(name)
        self._entry(name, kind | perm, rdev=(major, minor))

    def close(self):
        self._entry("TRAILER!!!", 0)
