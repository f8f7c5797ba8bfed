# SPDX-License-Identifier: GPL-2.0-only
"""Run tests that share a boot, and boot again when one has spoilt it."""

import os
import time

from . import kmsg, machine, paths
from .report import Result

BOOT_LIMIT = 120        # seconds from QEMU's start to the agent's first word
CLEANUP_LIMIT = 100     # seconds that the agent may take beyond a test's limit


class Boot:
    """One boot of a machine and the conversation with its agent."""

    def __init__(self, vm, factor):
        self.vm = vm
        self.factor = factor

    def start(self):
        """Boot; False if the agent does not report."""
        self.vm.start()
        for event in self.vm.events(time.monotonic() + BOOT_LIMIT * self.factor):
            if event.kind == "ctl" and event.text == "ready":
                return True
            if event.kind == "died":
                break
        return False

    def run(self, test):
        """Run one test; the result, and whether the VM can go on."""
        limit = int(test.timeout * self.factor)
        result = Result(test.name, "fail")
        clean = self._converse(test.name, limit, result)
        bad = kmsg.complaints(result.kernel, test.allows)
        if bad:
            result.status = "fail"
            if self.vm.qemu.poll() is None:
                result.reasons.insert(0, "kernel: " + _short(bad[0]))
            result.excerpt = kmsg.excerpt(result.kernel, test.allows)
        others = kmsg.races_of_others(result.kernel)
        if others:
            result.notes.append(f"KCSAN: {others} data races that foldfs has no part in")
        return result, clean and not bad

    def _converse(self, name, limit, result):
        started = time.monotonic()
        self.vm.send(f"run {name} {limit}")
        stage, ended, clean = "output", False, True
        for event in self.vm.events(started + limit + CLEANUP_LIMIT * self.factor):
            if event.kind == "ctl":
                word, _, rest = event.text.partition(" ")
                if word == "note":
                    result.notes.append(rest)
                elif word == "reason":
                    result.reasons.append(rest)
                elif word == "dirty":
                    clean = False
                elif word == "end":
                    status, seconds = rest.split()
                    result.status, result.seconds = status, float(seconds)
                    ended = True
            elif event.kind == "log":
                if event.text.startswith("\x1e"):
                    stage = {"output": "kernel", "kernel": "done"}[event.text[1:].split()[0]]
                elif stage == "output":
                    result.output.append(event.text)
                else:
                    result.kernel.append(event.text)
            else:
                break
            if ended and stage == "done":
                return clean
        result.status = "fail"
        result.seconds = time.monotonic() - started
        result.kernel += self._console(name)
        if self.vm.qemu.poll() is None:
            result.reasons.append(f"time-out after {limit} s, and the VM does not answer")
        else:
            result.reasons.append("the VM died: " + self._last_words(result.kernel))
        result.excerpt = kmsg.excerpt(result.kernel, None, 40) or result.kernel[-40:]
        return False

    def _console(self, name):
        """What came on the console since the test began."""
        lines = self.vm.console_tail(2000)
        begins = [i for i, l in enumerate(lines) if l.endswith("foldfs-test: begin " + name)]
        return lines[begins[-1] + 1:] if begins else lines[-400:]

    def _last_words(self, lines):
        bad = kmsg.complaints(lines)
        return _short(bad[0]) if bad else self.vm.qemu_errors() or "no message on its console"

    def finish(self):
        """What only shows at the end of a boot: the kernel's lines about it."""
        self.vm.send("finish")
        lines = []
        for event in self.vm.events(time.monotonic() + 60 * self.factor):
            if event.kind == "died" or event.text.startswith("finished"):
                break
            if event.kind == "log" and not event.text.startswith("\x1e"):
                lines.append(event.text)
        return lines


def _short(line):
    """A kernel line without its time stamp."""
    return line.split("] ", 1)[-1].strip()[:160]


def run(kernel, tests, initrd, accelerator, report, number):
    """Run `tests`, all of one shape, in as few boots as it takes."""
    factor = 1 if accelerator == "kvm" else 1.5
    factor *= kernel.slowdown
    pending, boot_no, failed_boots = list(tests), 0, 0
    tried_again = set()
    while pending:
        boot_no += 1
        console = os.path.join(paths.ensure("logs"), f"console-{number}.{boot_no}.log")
        vm = machine.Machine(kernel, tests[0].shape, initrd, console, accelerator)
        boot, done = Boot(vm, factor), []
        try:
            if not boot.start():
                failed_boots += 1
                if failed_boots == 2:
                    for test in pending:
                        report.add(Result(
                            test.name, "fail", reasons=["the VM does not boot"],
                            excerpt=vm.console_tail(30) + vm.qemu_errors().splitlines()))
                    return
                # Emulated processors now and then run code that another one is
                # just patching, which kills a kernel that is still booting.
                report.say("# the VM did not come up, booting again: "
                           + os.path.relpath(console, paths.TOP))
                continue
            failed_boots = 0
            clean = True
            while pending and clean:
                name = pending[0].name
                result, clean = boot.run(pending[0])
                if accelerator != "kvm" and name not in tried_again and \
                        any(kmsg.EMULATION_FAULT in line for line in result.kernel):
                    tried_again.add(name)
                    break
                if name in tried_again:
                    result.notes.append("second try: QEMU's emulation had let the kernel "
                                        "run into its own code patching")
                done.append(pending.pop(0).name)
                report.add(result)
            if clean:
                lines = boot.finish()
                if kmsg.complaints(lines):
                    report.add(Result("at-end-of-boot", "fail", kernel=lines,
                                      reasons=["the kernel complains after " + " ".join(done)],
                                      excerpt=kmsg.excerpt(lines, None, 60)))
        finally:
            vm.stop()
