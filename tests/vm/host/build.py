# SPDX-License-Identifier: GPL-2.0-only
"""Build what is tested: the module, the tools, the test programs.

The module is built from a copy under build/, one for each kernel, so that
testing on one kernel neither disturbs a build for another nor the one in the
source tree.  What has not changed is not built again.
"""

import filecmp
import glob
import os
import re
import shutil
import subprocess
import sys

from . import paths


# A line in which make says what it does next.
STEP = re.compile(r"^  [A-Z]+ +(\[[A-Z]\] +)?/|^make.*: (Entering|Leaving) directory")


class BuildError(Exception):
    pass


def _make(what, command, **kwargs):
    """Run a build, with its output in a log that is shown if it fails."""
    log = os.path.join(paths.ensure("logs"), f"build-{what}.log")
    with open(log, "w") as out:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, **kwargs)
    with open(log, errors="replace") as f:
        text = f.read()
    if done.returncode:
        told = [l for l in text.splitlines() if not STEP.match(l)]
        raise BuildError(f"building {what} failed:\n" + "\n".join(told[-60:]))
    shown = [l for l in text.splitlines() if "warning:" in l and "Skipping BTF" not in l
             and "compiler differs" not in l]
    if shown:
        print("\n".join(shown), file=sys.stderr)


def _mirror(src, dst, keep):
    """Make dst a copy of the sources in src; say whether anything changed."""
    changed = False
    wanted = set()
    for root, dirs, names in os.walk(src):
        dirs[:] = [d for d in dirs if not d.startswith(".")]
        for name in names:
            if not keep(name):
                continue
            rel = os.path.relpath(os.path.join(root, name), src)
            wanted.add(rel)
            new, old = os.path.join(src, rel), os.path.join(dst, rel)
            if not os.path.exists(old) or not filecmp.cmp(new, old, shallow=False):
                os.makedirs(os.path.dirname(old), exist_ok=True)
                shutil.copy(new, old)
                changed = True
    for root, _, names in os.walk(dst):
        for name in names:
            rel = os.path.relpath(os.path.join(root, name), dst)
            if keep(name) and not name.endswith(".mod.c") and rel not in wanted:
                os.unlink(os.path.join(root, name))
                changed = True
    return changed


def _source(name):
    return (name.endswith((".c", ".h", ".sh", ".S", ".mk")) and not name.endswith(".mod.c")) \
        or name in ("Kbuild", "Makefile")


def module(kernel, flavour=""):
    """Build foldfs.ko for `kernel`; None where the tree has no module.

    flavour "test" defines CONFIG_FOLDFS_TEST, with which the module holds the
    delays and faults that some tests need.
    """
    if not os.path.exists(os.path.join(paths.TOP, "kernel", "Kbuild")):
        return None
    tag = kernel.tag + ("-" + flavour if flavour else "")
    where = paths.ensure("module", tag)
    ko = os.path.join(where, "kernel", "foldfs.ko")
    stamp = os.path.join(where, "built")
    changed = [_mirror(os.path.join(paths.TOP, part), os.path.join(where, part), _source)
               for part in ("kernel", "include")]
    kdir_id = f"{kernel.kdir} {os.stat(os.path.join(kernel.kdir, 'Module.symvers')).st_mtime_ns}"
    if not any(changed) and os.path.exists(ko) and os.path.exists(stamp):
        with open(stamp) as f:
            if f.read() == kdir_id:
                return ko
    if os.path.exists(stamp):
        os.unlink(stamp)
    kdir, inside = kernel.kdir, []
    if kernel.root:
        kdir = "/" + os.path.relpath(kernel.kdir, kernel.root)
        inside = [os.path.join(paths.TOP, "scripts", "in-root"), kernel.root, where]
    command = inside + ["make", "-C", kdir, "M=" + os.path.join(where, "kernel"),
                        f"-j{os.cpu_count()}", "FOLDFS_UNTESTED=y", "modules"]
    if flavour == "test":
        command.append("CONFIG_FOLDFS_TEST=y")
    _make("module-" + tag, command)
    if not os.path.exists(ko):
        raise BuildError("kernel/Kbuild built no foldfs.ko")
    with open(stamp, "w") as f:
        f.write(kdir_id)
    return ko


def without_debug_info(ko):
    """A copy of a module without what only debuggers read, which is most of it.

    In a VM of 300 MB an initrd of 80 is not unpacked to its end.
    """
    small = ko + ".small"
    if not os.path.exists(small) or os.path.getmtime(small) < os.path.getmtime(ko):
        _make("strip-" + os.path.basename(ko), ["strip", "--strip-debug", "-o", small, ko])
    return small


def tools():
    """Build the tools in the source tree: name in the VM -> file."""
    where = os.path.join(paths.TOP, "tools")
    if not os.path.exists(os.path.join(where, "Makefile")):
        return {}
    _make("tools", ["make", "-C", where, f"-j{os.cpu_count()}"])
    built = {"usr/bin/foldctl": os.path.join(where, "foldctl", "foldctl"),
             "usr/sbin/mount.foldfs": os.path.join(where, "mount.foldfs"),
             "usr/share/foldfs/grafana/foldfs.json":
                 os.path.join(where, "grafana", "foldfs.json")}
    return {name: file for name, file in built.items() if os.path.exists(file)}


def programs():
    """Compile tests/vm/progs: name in the VM -> file.

    Each *.c is a program, and so is each directory with all *.c in it. A line
    `build: FLAGS` in the first comment of a program's (first) file adds to the command.
    """
    out = paths.ensure("progs")
    built = {}
    progs = os.path.join(paths.VM, "progs")
    headers = glob.glob(os.path.join(progs, "*.h")) + glob.glob(os.path.join(progs, "*", "*.h"))
    headers += glob.glob(os.path.join(paths.TOP, "include", "uapi", "linux", "*.h"))
    newest = max([os.stat(h).st_mtime_ns for h in headers], default=0)
    sources = {os.path.basename(c)[:-2]: [c] for c in glob.glob(os.path.join(progs, "*.c"))}
    for c in sorted(glob.glob(os.path.join(progs, "*", "*.c"))):
        sources.setdefault(os.path.basename(os.path.dirname(c)), []).append(c)
    for name, files in sorted(sources.items()):
        exe = os.path.join(out, name)
        built["usr/bin/" + name] = exe
        needed = max([os.stat(c).st_mtime_ns for c in files] + [newest])
        if os.path.exists(exe) and os.stat(exe).st_mtime_ns > needed:
            continue
        with open(files[0]) as f:
            flags = re.search(r"^[ \t/*]*build:(.*?)(\*/)?$", f.read(4096), re.M)
        _make("prog-" + name,
              ["gcc", "-O2", "-g", "-Wall", "-Wextra", "-pthread", "-D_GNU_SOURCE",
               "-I" + os.path.join(paths.TOP, "include", "uapi"),
               "-o", exe] + files + (flags.group(1).split() if flags else []))
    return built
