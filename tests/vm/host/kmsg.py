# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel may not say while a test runs."""

import re

BAD = re.compile("|".join((
    r"\bWARNING: ", r"\bBUG[: ]", r"\bOops\b", r"general protection fault",
    r"Kernel panic", r"kernel BUG at", r"unable to handle",
    r"INFO: task .* blocked for more than", r"INFO: possible", r"possible recursive locking",
    r"possible circular locking", r"possible irq lock inversion",
    r"inconsistent lock state", r"suspicious RCU usage", r"bad unlock balance",
    r"held lock freed", r"lock held when returning to user space",
    r"sleeping function called from invalid context", r"scheduling while atomic",
    r"Bad page", r"Bad rss-counter", r"KASAN", r"UBSAN", r"KFENCE",
    r"unreferenced object", r"Objects remaining", r"still has objects",
    r"VFS: Busy inodes", r"VFS: Close: file count is 0", r"refcount_t: ",
    r"list_(add|del) corruption", r"rcu: INFO: .* stall", r"rcu_\w+ (self-)?detected",
    r"soft lockup", r"hard LOCKUP", r"stack-protector", r"corrupted stack",
    r"page allocation failure", r"Out of memory: Killed", r"Memory cgroup out of memory",
    r"oom-kill:", r"XFS.*([Cc]orruption|Assertion|Internal error|Shutdown)",
    r"BTRFS (critical|error|warning)", r"I/O error",
    r"memory leak", r"__kmem_cache_shutdown", r"Memory failure",
)))


def complaints(lines, allowed=None):
    """The lines among `lines` at which something is wrong, but for those that
    the regular expression `allowed` (or None) matches."""
    allow = re.compile(allowed) if allowed else None
    return [l for l in lines if BAD.search(l) and not (allow and allow.search(l))]


def excerpt(lines, allowed=None, after=30):
    """Lines around the first complaint, for people to read."""
    bad = complaints(lines, allowed)
    if not bad:
        return []
    first = lines.index(bad[0])
    return lines[max(0, first - 3):first + after]
