# SPDX-License-Identifier: GPL-2.0-only
"""tests/vm/run --exec: one VM for some commands, their output, power off."""

import os
import sys
import time

from . import kmsg, paths

NAME = "00-harness-exec"
PREAMBLE = """. /tests/lib.sh
set +e +u +o pipefail
if have_foldfs; then load_foldfs; fi
"""


def script(text):
    return PREAMBLE + text + "\n"


def _boot(machine):
    """Start the VM and wait for its agent; whether that came."""
    machine.start()
    limit = 120 * machine.kernel.slowdown
    for event in machine.events(time.monotonic() + limit):
        if event.kind == "ctl" and event.text == "ready":
            return True
        if event.kind == "died":
            break
    return False


def run(machine, limit, show_kernel=False):
    """Boot `machine`, whose image holds the script, and return its status."""
    started = time.monotonic()
    status, stage, kernel = None, "output", []
    try:
        ready = _boot(machine)
        if not ready:
            # As in suite.py: a boot that dies under emulation is tried again.
            print("run: the VM did not come up, booting again", file=sys.stderr)
            machine.stop()
            ready = _boot(machine)
        if ready:
            machine.send(f"run {NAME} {limit}")
        for event in machine.events(time.monotonic() + limit + 90 if ready else 0):
            if event.kind == "ctl":
                word, _, rest = event.text.partition(" ")
                if word == "reason":
                    print("run: " + rest, file=sys.stderr)
                elif word == "end":
                    status = rest.split()[0]
                    if stage == "done":
                        break
            elif event.kind == "log":
                if event.text.startswith("\x1e"):
                    stage = {"output": "kernel", "kernel": "done"}[event.text[1:].split()[0]]
                    if stage == "done" and status:
                        break
                elif stage == "output":
                    print(event.text, flush=True)
                else:
                    kernel.append(event.text)
            else:
                break
        bad = kmsg.complaints(kernel)
        others = kmsg.races_of_others(kernel)
        if others:
            print(f"run: KCSAN: {others} data races that foldfs has no part in", file=sys.stderr)
        if show_kernel:
            print("\n".join(kernel))
        elif bad:
            print("run: the kernel complains:", *kmsg.excerpt(kernel, after=60),
                  sep="\n", file=sys.stderr)
        if status is None:
            print("run: the VM died or does not answer; its console ends with:",
                  *machine.console_tail(60), machine.qemu_errors(), sep="\n", file=sys.stderr)
            return 3
        return 0 if status == "ok" and not bad else 2 if bad else 1
    finally:
        machine.stop()
        where = os.path.relpath(machine.console, paths.TOP)
        print(f"run: {time.monotonic() - started:.1f} s under {machine.accelerator}, "
              f"console in {where}", file=sys.stderr)
