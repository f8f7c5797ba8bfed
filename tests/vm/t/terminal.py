# SPDX-License-Identifier: GPL-2.0-only
"""For tests of what programs do on a terminal; found at /tests in the VM."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

sys.dont_write_bytecode = True


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def run(command, steps, rows=30, columns=100, limit=600):
    """Run a command on a terminal of its own. `steps` are pairs of a text to wait for
    and what to type then, or a function to call with the terminal. Returns what was
    printed and the wait status. The test's own timeout comes first, on most kernels."""
    pid, fd = pty.fork()
    if not pid:
        # Tests run in the background, where shells have Ctrl-C ignored.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        time.sleep(0.2)
        os.environ["TERM"] = os.environ.get("USE_TERM", "vt100")
        os.execvp(command[0], command)
    resize(fd, rows, columns)
    seen, mark, steps = b"", 0, list(steps)
    end = time.monotonic() + limit
    while True:
        assert time.monotonic() < end, (command, steps[:1], seen[-2000:])
        if select.select([fd], [], [], 0.1)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:
                got = b""
            if not got:
                break
            seen += got
        while steps and steps[0][0].encode() in seen[mark:]:
            text, what = steps.pop(0)
            mark = seen.index(text.encode(), mark) + len(text)
            if callable(what):
                what(fd)
            else:
                os.write(fd, what.encode())
    status = os.waitpid(pid, 0)[1]
    assert not steps, (command, steps, seen[-2000:])
    return seen.decode(errors="replace"), status
