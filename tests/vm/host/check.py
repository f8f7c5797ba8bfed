# SPDX-License-Identifier: GPL-2.0-only
"""`make check`: what needs no VM, then the VM's tests, one boot after another."""

import glob
import os
import re
import subprocess
import time

from . import accel, build, kernels, paths, prepare, suite, tests
from .report import Report, Result

LINE = re.compile(r"^(ok|FAIL|skip)\s+(\S+?):?(?:\s+(.*))?$")
SELFTEST = os.path.join(paths.VM, "selftest")


def outside(report, pattern, group, names, command):
    """Run tests that need no VM and report each line that they print for a test.

    group: what a line's name begins with; names: what else the pattern may mean.
    """
    if pattern and not any(tests.matches(n, pattern) for n in [group, *names]):
        return
    done = subprocess.run(command, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    lines, seen, failed = [], 0, False
    for line in done.stdout.splitlines():
        match = LINE.match(line)
        if not match:
            lines.append(line)
            continue
        word, name, rest = match.groups()
        seen += 1
        status = {"ok": "ok", "FAIL": "fail", "skip": "skip"}[word]
        failed |= status == "fail"
        took = re.fullmatch(r"\(([\d.]+)\s*s\)", rest or "")
        report.add(Result(f"{group}/{name}", status, float(took.group(1)) if took else 0.0,
                          [rest] if rest and not took else [], output=lines))
        lines = []
    if not seen or done.returncode and not failed:
        report.add(Result(group, "fail", reasons=[f"exit status {done.returncode}"],
                          output=done.stdout.splitlines()))


def unit(report, pattern):
    """The pure structures, in tests/unit."""
    where = os.path.join(paths.TOP, "tests", "unit")
    names = [os.path.basename(p)[:-2] for p in glob.glob(os.path.join(where, "*.c"))]
    # Said here, since the T of an outer make would come through the environment.
    some = pattern if any(pattern in n for n in names) else ""
    outside(report, pattern, "unit", names,
            ["make", "-s", "-C", where, "check", "T=" + some])


def packages(report, pattern):
    """The Debian packages, without installing them."""
    outside(report, pattern, "packages", [],
            [os.path.join(paths.TOP, "tests", "packages", "quick")])


def vm(report, kernel, accelerator, found):
    """Run the VM tests `found`, grouped by the boots that they need."""
    for number, group in enumerate(tests.boots(found), 1):
        try:
            initrd = prepare.initrd(kernel, group[0].shape,
                                    {t.name: t.text() for t in group}, {},
                                    f"boot-{os.getpid()}")
        except build.BuildError as err:
            for test in group:
                report.add(Result(test.name, "fail", reasons=["the build failed"],
                                  excerpt=str(err).splitlines()[-40:]))
            continue
        try:
            suite.run(kernel, group, initrd, accelerator, report, number)
        finally:
            os.unlink(initrd)


def selftest(report, kernel, accelerator):
    """Tests that must fail, each for the reason its header says (`# expect: `)."""
    started = time.monotonic()
    inner = Report(quiet=True, prefix="selftest-")
    found = tests.find(SELFTEST, "", kernel.name)
    vm(inner, kernel, accelerator, found)
    got = {r.name: f"{r.status}: {r.reason()}" if r.reasons else r.status
           for r in inner.results}
    wrong, lines = [], []
    for test in found:
        want = re.search(r"^# expect: (.*)$", test.text(), re.M).group(1)
        have = got.pop(test.name, "no result")
        lines.append(f"{test.name}: expected {want}, got {have}")
        if not re.search(want, have):
            wrong.append(test.name)
    wrong += list(got)
    report.add(Result("selftest", "fail" if wrong else "ok", time.monotonic() - started,
                      ["not judged as they must be: " + " ".join(wrong)] if wrong else [],
                      output=lines))


def run(kernel_name, pattern):
    report = Report()
    unit(report, pattern)
    packages(report, pattern)
    found = tests.find(paths.TESTS, pattern, kernel_name)
    with_self = tests.matches("selftest", pattern)
    if found or with_self:
        kernel = kernels.find(kernel_name)
        accelerator = accel.choose(kernel)
        how = "KVM" if accelerator == "kvm" else "TCG, QEMU's emulation (no usable KVM here)"
        report.say(f"# VM tests: kernel {kernel.version} under {how}")
        if with_self:
            selftest(report, kernel, accelerator)
        vm(report, kernel, accelerator, found)
    elif not report.results:
        report.say(f"no test is called {pattern}")
    return report.summary()


def show(kernel_name, pattern):
    for test in tests.find(paths.TESTS, pattern, kernel_name):
        print(f"{test.name:32} {test.shows}")
    return 0
