# SPDX-License-Identifier: GPL-2.0-only
"""Choose between KVM and QEMU's own emulation (TCG).

/dev/kvm may be there and answer, and a guest hang in it all the same.  So KVM
is used only where the processor says that it has it and a kernel has just been
seen to boot under it.
"""

import os
import subprocess

from . import paths

ARGS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi", "-cpu", "max"],
    # Emulation whose clock counts instructions: slow, but two runs of the same code
    # take the same time, whatever else the machine does. Only bench/ asks for it.
    "icount": ["-accel", "tcg,thread=single", "-icount", "shift=1", "-cpu", "max"],
}


def _flag():
    try:
        with open("/proc/cpuinfo") as f:
            words = set(f.read().split())
    except OSError:
        return False
    return bool(words & {"vmx", "svm"})


def _boots(kernel):
    """Whether the kernel gets as far as finding that it has no root under KVM."""
    command = ["qemu-system-x86_64", *ARGS["kvm"], "-nodefaults", "-no-user-config",
               "-display", "none", "-no-reboot", "-m", "256M", "-serial", "stdio",
               "-kernel", kernel.image, "-append", "console=ttyS0 panic=-1"]
    try:
        out = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=20,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    except subprocess.TimeoutExpired:
        return False
    return b"Unable to mount root" in out


def choose(kernel):
    """Return "kvm" or "tcg"; FOLDFS_ACCEL overrides."""
    forced = os.environ.get("FOLDFS_ACCEL")
    if forced:
        return forced
    if not _flag() or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    with open("/proc/sys/kernel/random/boot_id") as f:
        boot = f.read().strip()
    seen = os.path.join(paths.ensure("vm"), "accel")
    try:
        with open(seen) as f:
            answer, where = f.read().split()
        if where == boot:
            return answer
    except (OSError, ValueError):
        pass
    answer = "kvm" if _boots(kernel) else "tcg"
    with open(seen, "w") as f:
        f.write(f"{answer} {boot}\n")
    return answer
