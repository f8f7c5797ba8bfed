# SPDX-License-Identifier: GPL-2.0-only
"""From sources to an initrd that a VM can boot."""

import fcntl
import os

from . import build, image, paths


def initrd(kernel, shape, scripts, extra, name):
    """Build what is tested and write the initrd `name`; its path.

    scripts: name in /tests -> text; extra: name in the VM -> file here.  Two
    runs in one tree wait for each other here, and only here.
    """
    where = paths.ensure("vm")
    with open(os.path.join(where, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        products = {**build.tools(), **build.programs(), **extra}
        ko = build.module(kernel, shape.flavour)
        if ko:
            products["foldfs.ko"] = ko
        parts = [image.userland(kernel)]
        if shape.python:
            parts.append(image.python())
        subject = os.path.join(where, name + ".subject")
        image.subject(subject, products, scripts)
        path = os.path.join(where, name + ".initrd")
        image.join(path, parts + [subject])
        os.unlink(subject)
        return path
