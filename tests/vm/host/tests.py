# SPDX-License-Identifier: GPL-2.0-only
"""Find the tests and read what their headers ask for."""

import fnmatch
import glob
import os
import re
import sys
from dataclasses import dataclass

from . import machine

DIRECTIVE = re.compile(r"^#\s*(shows|mem|disk|disk2|smp|timeout|alone|args|needs|module"
                       r"|kernels|allows)\b:?\s*(.*)$")


@dataclass
class Test:
    name: str
    path: str
    shows: str
    shape: machine.Shape
    alone: bool
    timeout: int
    kernels: list       # names of kernels it is for; empty: all
    allows: str         # kernel messages that are no failure, a regular expression

    def text(self):
        with open(self.path) as f:
            return f.read()


def _header(path):
    """The directives in the comment that the file starts with."""
    found = {}
    with open(path) as f:
        for line in f:
            if not line.startswith("#"):
                break
            match = DIRECTIVE.match(line)
            if match:
                found[match.group(1)] = match.group(2).strip()
    return found


def read(path):
    head = _header(path)
    if not head.get("shows"):
        sys.exit(f"{path}: the header has no line '# shows: ...'")
    needs = head.get("needs", "").split()
    default = machine.Shape()
    shape = machine.Shape(
        mem=head.get("mem", default.mem), disk=head.get("disk", default.disk),
        disk2=head.get("disk2", ""), smp=int(head.get("smp", default.smp)),
        args=head.get("args", ""), python="python3" in needs,
        flavour=head.get("module", ""))
    return Test(os.path.basename(path)[:-3], path, head["shows"], shape, "alone" in head,
                int(head.get("timeout", "120")), head.get("kernels", "").split(),
                head.get("allows", ""))


def matches(name, pattern):
    """`pattern` is a glob, or a part of the name; an empty one matches all."""
    return not pattern or pattern in name or fnmatch.fnmatch(name, pattern)


def _is_for(test, kernel):
    """What is for the stock kernel is for stock kernels of other series, too."""
    if re.fullmatch(r"[0-9.]+", kernel):
        kernel = "stock"
    return not test.kernels or kernel in test.kernels


def find(directory, pattern, kernel):
    """The tests in `directory` that match and are for this kernel, by name."""
    found = [read(p) for p in sorted(glob.glob(os.path.join(directory, "*.sh")))
             if matches(os.path.basename(p)[:-3], pattern)]
    return [t for t in found if _is_for(t, kernel)]


def boots(tests):
    """Put tests into lists that share a boot, in the order of their names."""
    groups = {}
    for test in tests:
        key = (test.shape, test.name if test.alone else "")
        groups.setdefault(key, []).append(test)
    return list(groups.values())
