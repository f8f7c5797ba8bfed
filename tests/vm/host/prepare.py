# SPDX-License-Identifier: GPL-2.0-only
"""From sources to an initrd that a VM can boot."""

import fcntl
import os
import re
import shutil

from . import build, image, paths


def _sweep(where):
    """Remove what runs that were killed have left."""
    for name in os.listdir(where):
        match = re.match(r"(?:disks|exec|boot)-(\d+)\b", name)
        if match and not os.path.exists("/proc/" + match.group(1)):
            path = os.path.join(where, name)
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)


def initrd(kernel, shape, scripts, extra, name):
    """Build what is tested and write the initrd `name`; its path.

    scripts: name in /tests -> text; extra: name in the VM -> file here.  Two
    runs in one tree wait for each other here, and only here.
    """
    where = paths.ensure("vm")
    with open(os.path.join(where, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sweep(where)
        products = {**build.tools(), **build.programs(), **extra}
        ko = build.module(kernel, shape.flavour)
        if ko:
            products["foldfs.ko"] = build.without_debug_info(ko)
            # Where the kernel has no device mapper or DAX there is none.
            dax = os.path.join(os.path.dirname(ko), "dm-fold.ko")
            if os.path.exists(dax):
                products["dm-fold.ko"] = build.without_debug_info(dax)
        parts = [image.userland(kernel)]
        if shape.python:
            parts.append(image.python())
        subject = os.path.join(where, name + ".subject")
        image.subject(subject, products, scripts, parts[0])
        path = os.path.join(where, name + ".initrd")
        image.join(path, parts + [subject])
        os.unlink(subject)
        return path
