# SPDX-License-Identifier: GPL-2.0-only
"""One running VM: QEMU's process, its disks, the two channels and the console."""

import os
import select
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from . import accel, kernels, paths

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def size(text):
    """Bytes of a size like 512M."""
    text = text.strip().upper().rstrip("B")
    if text and text[-1] in UNITS:
        return int(float(text[:-1]) * UNITS[text[-1]])
    return int(text)


@dataclass(frozen=True)
class Shape:
    """What a VM looks like; tests of the same shape share one."""
    mem: str = "1G"
    disk: str = "4G"
    disk2: str = ""
    smp: int = 2
    args: str = ""          # added to the kernel's command line
    python: bool = False    # python3 in the image
    flavour: str = ""       # of the module: "test" or none


@dataclass
class Event:
    kind: str               # ctl, log, died
    text: str = ""


@dataclass
class Machine:
    kernel: object
    shape: Shape
    initrd: str
    console: str            # file that takes the console
    accelerator: str
    drives: list = field(default_factory=list)

    def start(self):
        self.dir = tempfile.mkdtemp(prefix=f"disks-{os.getpid()}-", dir=paths.ensure("vm"))
        disks = []
        for number, length in enumerate((self.shape.disk, self.shape.disk2)):
            if length:
                path = os.path.join(self.dir, f"disk{number}")
                with open(path, "wb") as f:
                    f.truncate(size(length))
                disks.append(path)
        self.ctl, ctl = socket.socketpair()
        self.log, log = socket.socketpair()
        # q35: the debug kernel takes a minute and a half to interpret what the older
        # machine's firmware says about interrupts.
        command = [
            "qemu-system-x86_64", *accel.ARGS[self.accelerator],
            "-machine", "q35", "-smp", str(self.shape.smp), "-m", self.shape.mem,
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-kernel", self.kernel.image, "-initrd", self.initrd,
            "-append", self._cmdline(),
            "-serial", "file:" + self.console,
            "-device", "virtio-rng-pci",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=ctl,fd={ctl.fileno()}",
            "-device", "virtserialport,chardev=ctl,name=foldfs.ctl",
            "-chardev", f"socket,id=log,fd={log.fileno()}",
            "-device", "virtserialport,chardev=log,name=foldfs.log",
        ]
        for number, path in enumerate(disks + self.drives):
            command += ["-drive", f"file={path},format=raw,if=none,id=d{number},"
                        "cache=unsafe,discard=unmap,detect-zeroes=off",
                        "-device", f"virtio-blk-pci,drive=d{number}"]
        self.qemu = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=(ctl.fileno(), log.fileno()),
            stdout=subprocess.DEVNULL, stderr=open(self.console + ".qemu", "w"),
            start_new_session=True)
        ctl.close()
        log.close()
        self.buffers = {"ctl": b"", "log": b""}
        self.queue = []

    def _cmdline(self):
        # norandmaps: QEMU's emulation translates code anew for each address it is
        # found at; with programs always at the same one they start 5 times faster.
        # no_timer_check: a VM that is kept waiting would find its timer broken.
        words = ["console=ttyS0", "norandmaps", "no_timer_check", "loglevel=5",
                 "log_buf_len=4M", "panic=-1", "panic_on_oops=1", "oops=panic", "mitigations=off",
                 "slab_nomerge", "no5lvl", "printk.devkmsg=on",
                 "sysctl.kernel.hung_task_timeout_secs=60",
                 "sysctl.kernel.panic_on_oops=1"]
        if self.kernel.name not in kernels.BUILT and not self.kernel.version.startswith("6."):
            # Half of a small VM's memory is too little for what the initrd holds. Older
            # kernels do not know the option.
            words += ["initramfs_options=size=80%"]
        if self.kernel.debug:
            words += ["kmemleak=on", "kasan_multi_shot"]
        if self.kernel.name == "kcsan":
            # Of what foldfs does a twentieth is watched: see scripts/kcsan-kernel.patch.
            # A processor that waits for the others' attention is not locked up.
            words += ["kcsan.module_weight=200", "watchdog_thresh=60"]
        return " ".join(words + self.shape.args.split())

    def send(self, line):
        try:
            self.ctl.sendall(line.encode() + b"\n")
        except OSError:
            pass

    def events(self, deadline):
        """Yield whole lines of both channels until `deadline` or the VM's end."""
        while True:
            while self.queue:
                yield self.queue.pop(0)
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._fill(min(left, 1.0))
            if not self.queue and self.qemu.poll() is not None:
                self._fill(0)
                if not self.queue:
                    yield Event("died")
                    return

    def _fill(self, wait):
        names = {s: n for n, s in (("log", self.log), ("ctl", self.ctl)) if s.fileno() >= 0}
        if not names:
            time.sleep(wait)
            return
        for sock in select.select(list(names), [], [], wait)[0]:
            try:
                data = sock.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                sock.close()
                continue
            name = names[sock]
            *lines, self.buffers[name] = (self.buffers[name] + data).split(b"\n")
            self.queue += [Event(name, l.decode(errors="replace")) for l in lines]

    def stop(self):
        if self.qemu.poll() is None:
            self.qemu.kill()
        self.qemu.wait()
        for sock in (self.ctl, self.log):
            sock.close()
        for name in os.listdir(self.dir):
            os.unlink(os.path.join(self.dir, name))
        os.rmdir(self.dir)
        errors = self.console + ".qemu"
        if os.path.getsize(errors) == 0:
            os.unlink(errors)

    def console_tail(self, lines=40):
        try:
            with open(self.console, errors="replace") as f:
                return f.read().splitlines()[-lines:]
        except OSError:
            return []

    def qemu_errors(self):
        try:
            with open(self.console + ".qemu", errors="replace") as f:
                return f.read().strip()
        except OSError:
            return ""
