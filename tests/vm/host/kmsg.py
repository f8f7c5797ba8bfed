# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel may not say while a test runs."""

import re

BAD = re.compile("|".join((
    r"\bWARNING: ", r"\bBUG[: ]", r"\bOops\b", r"general protection fault",
    r"Kernel panic", r"kernel BUG at", r"unable to handle",
    r"INFO: task .* blocked .*for more than", r"INFO: possible", r"possible recursive locking",
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

# A kernel that patches its code puts a breakpoint there for a moment. QEMU's
# emulation lets another processor run into it once in some hundred boots, where no
# real one does, and the kernel dies. Nothing of foldfs's executes one.
EMULATION_FAULT = "Oops: int3: 0000"

# A report of KCSAN: two accesses that race, each with the stack it was made from, or
# one if the other was made by code that is not instrumented.
RACE = re.compile(r"\bBUG: KCSAN: ")
RACE_ENDS = re.compile(r"\bReported by Kernel Concurrency Sanitizer|={40}$")
OURS = "[foldfs]"


def _races(lines):
    """Yield (first, end, whether foldfs takes part) of KCSAN's reports: the indexes
    of the title and of what follows the stacks."""
    title = None
    for at, line in enumerate(lines + ["=" * 66]):
        starts = RACE.search(line)
        if title is not None and (starts or RACE_ENDS.search(line)):
            yield title, at, any(OURS in l for l in lines[title:at])
            title = None
        if starts:
            title = at


def races_of_others(lines):
    """How many data races KCSAN reports that foldfs has no part in. The kernel around
    has some, known and harmless for the most part: they fail no test."""
    return sum(not ours for _, _, ours in _races(lines))


def complaints(lines, allowed=None):
    """The lines among `lines` at which something is wrong, but for those that
    the regular expression `allowed` (or None) matches."""
    allow = re.compile(allowed) if allowed else None
    others = {title for title, _, ours in _races(lines) if not ours}
    return [l for at, l in enumerate(lines)
            if at not in others and BAD.search(l) and not (allow and allow.search(l))]


def excerpt(lines, allowed=None, after=30):
    """Lines around the first complaint, for people to read. A data race's two stacks
    are shown to their end."""
    bad = complaints(lines, allowed)
    if not bad:
        return []
    first = lines.index(bad[0])
    ends = [end for title, end, _ in _races(lines) if title == first]
    return lines[max(0, first - 3):max([first + after, *ends])]
