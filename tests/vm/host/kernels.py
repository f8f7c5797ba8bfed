# SPDX-License-Identifier: GPL-2.0-only
"""The kernel under test: where its image, modules and headers are."""

import lzma
import os
import subprocess
from dataclasses import dataclass

from . import paths


# The kernels that scripts/debug-kernel builds, and how many times as long as on the
# stock one everything may take.
BUILT = {"debug": 4, "kcsan": 8}


@dataclass(frozen=True)
class Kernel:
    name: str       # what the caller asked for: stock, debug, kcsan, a series, a directory
    version: str    # its release, as uname -r shows it
    image: str      # the bzImage
    modules: str    # its /lib/modules directory
    kdir: str       # what out-of-tree modules are built against
    root: str = ""  # the root directory to build in, where this machine's does not do

    @property
    def debug(self):
        return self.name == "debug"

    @property
    def slowdown(self):
        return BUILT.get(self.name, 1)

    @property
    def tag(self):
        """A name for build directories."""
        return self.name if self.name in BUILT else self.version


def find(name):
    """Ask scripts/kernel.sh, which fetches the kernel where that is needed."""
    script = os.path.join(paths.TOP, "scripts", "kernel.sh")
    out = subprocess.run([script, name], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    var = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    return Kernel(name, var["KVER"], var["IMAGE"], var["MODULES"], var["KDIR"],
                  var.get("ROOT", ""))


def module_name(path):
    """The name under which the kernel knows the module file `path`."""
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def _index(kernel):
    """Module name -> (path, paths it depends on), relative to the directory."""
    index = {}
    with open(os.path.join(kernel.modules, "modules.dep")) as dep:
        for line in dep:
            path, needs = line.rstrip("\n").split(":", 1)
            index[module_name(path)] = (path, needs.split())
    return index


def pick(kernel, names):
    """The module files for `names` and all they need, sorted, and the lines of
    a modules.dep for them, as the files are called once they are unpacked."""
    index = _index(kernel)
    files, lines = set(), []
    wanted = [n.replace("-", "_") for n in names]
    seen = set()
    while wanted:
        name = wanted.pop()
        if name in seen or name not in index:
            continue
        seen.add(name)
        path, needs = index[name]
        files.add(path)
        wanted += [module_name(n) for n in needs]
        lines.append(plain(path) + ":" + "".join(" " + plain(n) for n in needs))
    return sorted(files), sorted(lines)


def aliases(kernel, files):
    """The lines of modules.alias that name one of the module files."""
    wanted = {module_name(f) for f in files}
    with open(os.path.join(kernel.modules, "modules.alias")) as alias:
        return [l for l in alias.read().splitlines()
                if l.split()[-1].replace("-", "_") in wanted]


def plain(path):
    """The path of a module file without its compression's suffix."""
    return path[:path.index(".ko") + 3]


def contents(kernel, path):
    """The module file, uncompressed: busybox loads nothing else."""
    full = os.path.join(kernel.modules, path)
    with open(full, "rb") as f:
        data = f.read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith((".zst", ".gz")):
        tool = "zstd" if path.endswith(".zst") else "gzip"
        return subprocess.run([tool, "-dc", full], check=True,
                              stdout=subprocess.PIPE).stdout
    return data
