# SPDX-License-Identifier: GPL-2.0-only
"""The userland of the test VM: an initramfs in several archives.

The first archive holds programs, libraries and kernel modules; it is kept and
written again only when one of them changes.  The second holds what is under
test (foldfs.ko, the tools, the test programs) and the tests themselves.
Everything lives in RAM before a test starts, so that running a program in the
VM adds nothing to the page cache that a test measures.
"""

import glob
import hashlib
import os
import shutil
import stat
import subprocess
import sys

from . import kernels, paths
from .cpio import Cpio

SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"


def _list(name):
    with open(os.path.join(paths.VM, "image", name)) as f:
        lines = (line.split("#", 1)[0].strip() for line in f)
        return [line for line in lines if line]


def _programs():
    """Program name -> file on this machine."""
    found, missing = {}, []
    for entry in _list("programs"):
        name = entry.lstrip("?")
        path = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if path:
            found[name] = path
        elif not entry.startswith("?"):
            missing.append(name)
    if missing:
        sys.exit("tests/vm: not on this machine: " + " ".join(missing) +
                 "; scripts/deps.sh vm installs what the VM needs")
    return found


def libraries(files):
    """The shared libraries that `files` need, as paths that ldd shows."""
    libs = set()
    for start in range(0, len(files), 50):
        out = subprocess.run(["ldd"] + files[start:start + 50], text=True,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
        for line in out.splitlines():
            words = line.split()
            if "=>" in words and len(words) > 2 and words[2].startswith("/"):
                libs.add(words[2])
            elif words and words[0].startswith("/") and "ld-linux" in words[0]:
                libs.add(words[0])
    return sorted(libs)


def _place(path):
    """Where a library goes: the image has one tree under /usr, as Debian."""
    return path if path.startswith("/usr/") else "/usr" + path


def _python():
    """Files of a small python3: the interpreter and its library's core."""
    exe = "/usr/bin/python3"
    lib = subprocess.run([exe, "-c", "import os; print(os.path.dirname(os.__file__))"],
                         text=True, check=True,
                         stdout=subprocess.PIPE).stdout.strip()
    skip = {"test", "idlelib", "lib2to3", "tkinter", "distutils", "ensurepip",
            "dist-packages", "site-packages", "pydoc_data", "unittest", "turtledemo"}
    files = [os.path.realpath(exe)]
    for root, dirs, names in os.walk(lib):
        dirs[:] = [d for d in dirs if d not in skip and not d.startswith("config-")
                   and d != "__pycache__"]
        files += [os.path.join(root, n) for n in names]
    return exe, files


def _stamp(kernel, files):
    """A digest that changes when the image would."""
    digest = hashlib.sha256(kernel.version.encode())
    own = glob.glob(os.path.join(paths.VM, "host", "*.py"))
    own += glob.glob(os.path.join(paths.VM, "image", "*"))
    for path in sorted(files) + sorted(own) + [os.path.join(kernel.modules, "modules.dep")]:
        st = os.stat(path)
        digest.update(f"{path} {st.st_size} {st.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _write(path, stamp, fill):
    """Write the archive `path` by calling fill(cpio), and note its stamp."""
    with open(path + ".new", "wb") as out:
        archive = Cpio(out)
        fill(archive)
        archive.close()
        out.write(b"\0" * (-out.tell() % 512))
    os.rename(path + ".new", path)
    with open(path + ".stamp", "w") as out:
        out.write(stamp)


def _current(path, stamp):
    try:
        with open(path + ".stamp") as f:
            return f.read() == stamp and os.path.exists(path)
    except FileNotFoundError:
        return False


def userland(kernel):
    """The archive of programs and kernel modules for `kernel`."""
    path = os.path.join(paths.ensure("vm"), f"userland-{kernel.tag}.cpio")
    programs = _programs()
    busybox = shutil.which("busybox", path="/bin:/usr/bin")
    stamp = _stamp(kernel, list(programs.values()) + [busybox])
    if _current(path, stamp) and os.path.exists(path + ".libs"):
        return path

    def fill(archive):
        for name in ("dev", "proc", "sys", "run", "tmp", "mnt", "root", "etc",
                     "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "var"):
            archive.directory(name)
        for name in ("bin", "sbin", "lib", "lib64"):
            archive.link(name, "usr/" + name)
        archive.node("dev/console", stat.S_IFCHR, 5, 1)
        archive.data("etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n"
                     b"user:x:1000:1000:user:/tmp:/bin/bash\n"
                     b"other:x:1001:1001:other:/tmp:/bin/bash\n")
        archive.data("etc/group", b"root:x:0:\nuser:x:1000:\nother:x:1001:\n")
        archive.link("etc/mtab", "/proc/self/mounts")

        archive.copy("usr/bin/busybox", busybox, 0o755)
        applets = subprocess.run([busybox, "--list"], text=True, check=True,
                                 stdout=subprocess.PIPE).stdout.split()
        for applet in applets:
            if applet not in programs and applet != "busybox":
                archive.link("usr/bin/" + applet, "busybox")
        for applet in ("modprobe", "mkfs.ext2"):
            archive.link("usr/sbin/" + applet, "../bin/busybox")

        done = {}
        for name, file in programs.items():
            real = os.path.realpath(file)
            if real in done:
                archive.link("usr/bin/" + name, done[real])
            else:
                done[real] = name
                archive.copy("usr/bin/" + name, real, 0o755)
        scripts = {f for f in done if open(f, "rb").read(2) == b"#!"}
        libs = libraries(sorted(set(done) - scripts))
        for lib in libs:
            archive.copy(_place(lib), os.path.realpath(lib), 0o755)
        with open(path + ".libs", "w") as out:
            out.write("\n".join(libs))

        # A terminal's description, for programs that draw on one.
        for place in ("/usr/lib/terminfo", "/lib/terminfo", "/usr/share/terminfo"):
            if os.path.exists(place + "/v/vt100"):
                archive.copy("usr/lib/terminfo/v/vt100", place + "/v/vt100")
                break

        where = "usr/lib/modules/" + kernel.version + "/"
        files, dep = kernels.pick(kernel, _list("modules"))
        for module in files:
            archive.data(where + kernels.plain(module), kernels.contents(kernel, module))
        archive.data(where + "modules.dep", "\n".join(dep + [""]).encode())
        # For need_module: what has no parameters shows nowhere when it is built in.
        archive.copy(where + "modules.builtin", os.path.join(kernel.modules, "modules.builtin"))
        archive.data(where + "modules.alias",
                     "\n".join(kernels.aliases(kernel, files) + [""]).encode())

    _write(path, stamp, fill)
    return path


def python():
    """The archive with python3, for tests that say `# needs: python3`."""
    path = os.path.join(paths.ensure("vm"), "python3.cpio")
    exe, files = _python()
    stamp = "\n".join(sorted(files))
    if _current(path, stamp):
        return path

    def fill(archive):
        for file in files:
            archive.copy(file, file)
        archive.link(exe, os.path.basename(files[0]))
        binaries = [f for f in files if f == files[0] or f.endswith(".so")]
        for lib in libraries(binaries):
            archive.copy(_place(lib), os.path.realpath(lib), 0o755)

    _write(path, stamp, fill)
    return path


def _libraries_of(files):
    """libraries(files), remembered until one of the files changes."""
    memory = os.path.join(paths.ensure("vm"), "libraries")
    stamp = "\n".join(f"{f} {os.stat(f).st_mtime_ns}" for f in sorted(files))
    try:
        with open(memory) as f:
            known, libs = f.read().split("\n\n")
        if known == stamp:
            return libs.split()
    except (OSError, ValueError):
        pass
    libs = libraries(files)
    with open(memory, "w") as f:
        f.write(stamp + "\n\n" + "\n".join(libs))
    return libs


def subject(path, products, scripts, base):
    """Write the archive of what is under test.

    products: name in the VM -> file here; scripts: name in /tests -> text;
    base: the archive that it will follow.
    """
    with open(base + ".libs") as f:
        there = set(f.read().split())
    with open(path, "wb") as out:
        archive = Cpio(out)
        for name, text in scripts.items():
            archive.data("tests/" + name, text.encode(), 0o755)
        for name in ("init", "agent"):
            archive.copy(name, os.path.join(paths.VM, "guest", name), 0o755)
        archive.copy("tests/lib.sh", os.path.join(paths.VM, "lib.sh"))
        shared = [glob.glob(os.path.join(paths.VM, "t", "*" + end)) for end in (".inc", ".py")]
        for extra in sorted(sum(shared, [])):
            archive.copy("tests/" + os.path.basename(extra), extra)
        # SELinux's policy module, which the packages bring along
        archive.copy("tests/foldfs.cil",
                     os.path.join(paths.TOP, "packaging", "selinux", "foldfs.cil"))
        for name, file in products.items():
            archive.copy(name, file)
        binaries = [f for n, f in products.items() if n.startswith(("usr/bin/", "usr/sbin/"))]
        for lib in _libraries_of(binaries) if binaries else []:
            if lib not in there:
                archive.copy(_place(lib), os.path.realpath(lib), 0o755)
        archive.close()


def join(path, archives):
    """Concatenate archives into the initrd `path`."""
    with open(path, "wb") as out:
        for archive in archives:
            with open(archive, "rb") as src:
                shutil.copyfileobj(src, out)
            out.write(b"\0" * (-out.tell() % 512))
