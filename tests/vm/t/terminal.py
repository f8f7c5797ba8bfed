# SPDX-License-Identifier: GPL-2.0-only
"""For tests of what programs do on a terminal; found at /tests in the VM."""

import fcntl
import os
import pty
import signal
import struct
import sys
import termios

sys.dont_write_bytecode = True


def resize(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def waits_for(what):
    """What the result says if the test's limit ends the wait; None: not any more."""
    name = f"/run/t/waiting.{os.getpid()}"
    if what is None:
        os.unlink(name)
    else:
        with open(name, "w", encoding="utf-8") as waiting:
            print(what, file=waiting)


def run(command, steps, rows=30, columns=100):
    """Run a command on a terminal of its own. `steps` are pairs of a text to wait for
    and what to type then, or a function to call with the terminal. Returns what was
    printed and the wait status. Only the test's own limit ends a wait."""
    sized, go = os.pipe()
    pid, fd = pty.fork()
    if not pid:
        # Tests run in the background, where shells have Ctrl-C ignored.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.close(go)
        os.read(sized, 1)
        os.close(sized)
        os.environ["TERM"] = os.environ.get("USE_TERM", "vt100")
        os.execvp(command[0], command)
    resize(fd, rows, columns)
    os.close(sized)
    os.close(go)
    seen, mark, steps = b"", 0, list(steps)
    while True:
        waits_for(f"{steps[0][0]!r} or the end of {command}" if steps else f"the end of {command}")
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
    waits_for(None)
    status = os.waitpid(pid, 0)[1]
    assert not steps, (command, steps, seen[-2000:])
    return seen.decode(errors="replace"), status
