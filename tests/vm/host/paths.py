# SPDX-License-Identifier: GPL-2.0-only
"""Where things are."""

import os

VM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(os.path.dirname(VM))
BUILD = os.environ.get("FOLDFS_BUILD") or os.path.join(TOP, "build")
LOGS = os.path.join(BUILD, "logs")
TESTS = os.path.join(VM, "t")


def ensure(*parts):
    """The directory BUILD/parts, made if need be."""
    path = os.path.join(BUILD, *parts)
    os.makedirs(path, exist_ok=True)
    return path
