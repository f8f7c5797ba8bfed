# SPDX-License-Identifier: GPL-2.0-only
"""Results: one line a test, an excerpt where one failed, a count at the end."""

import os
from dataclasses import dataclass, field

from . import paths


@dataclass
class Result:
    name: str
    status: str                                 # ok, fail, skip
    seconds: float = 0.0
    reasons: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    output: list = field(default_factory=list)  # lines that the test printed
    kernel: list = field(default_factory=list)  # lines that the kernel logged
    excerpt: list = field(default_factory=list) # what to show if it failed

    def reason(self):
        return "; ".join(self.reasons) or "no reason given"


class Report:
    """Prints results as they come and keeps the count."""

    def __init__(self, quiet=False, prefix=""):
        self.quiet = quiet
        self.prefix = prefix    # of the logs' names
        self.results = []

    def say(self, line=""):
        if not self.quiet:
            print(line, flush=True)

    def add(self, result):
        self.results.append(result)
        self._keep(result)
        took = f" ({result.seconds:.1f}s)" if result.seconds else ""
        if result.status == "ok":
            self.say(f"ok   {result.name}{took}")
        elif result.status == "skip":
            self.say(f"skip {result.name}: {result.reason()}")
        else:
            self.say(f"FAIL {result.name}: {result.reason()}")
        for note in result.notes:
            self.say("       " + note)
        if result.status == "fail":
            for line in result.excerpt or result.output[-25:]:
                self.say("     | " + line)
            self.say(f"     | log: {os.path.relpath(self._path(result), paths.TOP)}")

    def _path(self, result):
        return os.path.join(paths.ensure("logs"),
                            self.prefix + result.name.replace("/", "-") + ".log")

    def _keep(self, result):
        with open(self._path(result), "w") as f:
            f.write("\n".join([f"{result.status} {'; '.join(result.reasons)}", "",
                               "---- output", *result.output, "",
                               "---- kernel", *result.kernel, ""]))

    def count(self, status):
        return sum(r.status == status for r in self.results)

    def summary(self):
        """Print the last line; the exit status."""
        line = f"{self.count('ok')} passed, {self.count('fail')} failed"
        if self.count("skip"):
            line += f", {self.count('skip')} skipped"
        self.say(line)
        return 1 if self.count("fail") or not self.results else 0
